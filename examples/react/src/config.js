// The line to change: the URL that `sam deploy` printed as IssueBillingUrl.
export const ISSUE_BILLING_URL = "http://127.0.0.1:3000/subscription/issue-billing";

// Where your server says whose card it is: { customer_uid }, or { customer_token } that it signed. Relative to the page.
export const CUSTOMER_URL = "../customer";
