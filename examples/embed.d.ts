/** What the card form says when an attempt has ended. No proof: grant nothing on it, take the event. */
export interface CardResult {
  type: "card-door:result";
  status: "success" | "failed";
  /** Empty where `status` is "success"; else a code of docs/frontend.md. */
  code: string;
  /** In the form's language, for the card holder. */
  message: string;
  /** What the shop is asked by, where something went wrong; empty where no answer came. */
  request_id: string;
  customer_uid: string;
  /** The card that is registered, where one is. */
  card: { name: string | null; number: string | null; type: "credit" | "debit" | null } | null;
}

export interface CardFormOptions {
  /** The stack's IssueBillingUrl. */
  url: string | URL;
  /** Whose card it is, and what else the form's address takes. */
  query?: Record<string, string>;
  /** For screen readers; "카드 등록" where it is not given. */
  title?: string;
  onReady?: () => void;
  /** After every answer but `invalid_request`; more than once, where the card holder has tried again. */
  onResult?: (result: CardResult) => void;
}

/** Puts the form into the element. Gives a function that takes it away again. */
export function embedCardForm(element: Element, options: CardFormOptions): () => void;
