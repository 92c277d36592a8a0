// The line to change: the URL that `sam deploy` printed as IssueBillingUrl.
export const ISSUE_BILLING_URL = "http://127.0.0.1:3000/subscription/issue-billing";
