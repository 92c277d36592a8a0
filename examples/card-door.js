// Sends a card to the card door, asks again while nobody knows what became of it, and says what to show.
// Copy this file beside your form; it needs nothing else. What it goes by: docs/frontend.md.

// The card holder may try again only after these. After any other one more card could be one too many.
const ANOTHER_TRY = ["invalid_request", "declined", "too_many_attempts", "gateway_error", "unavailable"];
// After these nobody knows yet: the very same request may be sent again, and gets the outcome of the first.
const ASK_AGAIN = ["in_progress", "outcome_unknown"];
// What tells the outcome then. Any other answer, such as "unavailable", tells nothing of the first request.
const SETTLED = ["declined", "already_registered", "already_paid", "paid_without_key"];

// The service's own words come in the page's language; these codes may also be API Gateway's or the firewall's, whose
// words are Korean only, or nobody's.
const OURS = [
  ...["invalid_request", "too_many_attempts", "forbidden", "not_found", "too_large", "unsupported_media_type"],
  ...["outcome_unknown"],
];
const FROM_THE_SERVICE = [
  ...["declined", "paid_without_key", "gateway_error", "unavailable", "gateway_refused", "already_registered"],
  ...["already_paid", "invalid_customer_token", "in_progress", "internal_error", "unknown_attempt"],
];
// The card holder can do nothing about these but ask the shop, which finds the request by its id.
const ASK_THE_SHOP = ["paid_without_key", "gateway_refused", "already_paid", "internal_error", "forbidden"];

const LONGEST_WAIT = 180_000; // milliseconds, within which the service finds out
const LONGEST_ANSWER = 40_000; // milliseconds; the service answers within 30 seconds
const USUAL_PAUSE = 5; // seconds, where no answer says how long

const MISTAKE_OF_THE_PAGE = {
  ko: "이 페이지의 오류로 카드를 등록하지 못했습니다. 판매자에게 문의해 주세요.",
  en: "A mistake of this page kept the card from being registered. Please ask the shop.",
};
const WORDS = {
  registered: { ko: "카드가 등록되었습니다.", en: "Your card is registered." },
  paid: { ko: "결제한 금액", en: "Paid" },
  another_card: {
    ko: "카드 정보를 확인하거나 다른 카드를 이용해 주세요.",
    en: "Please check the details or use another card.",
  },
  again_in: { ko: "다음 시도까지 남은 시간:", en: "You can try again in" },
  hours: { ko: "시간", en: " h" },
  minutes: { ko: "분", en: " min" },
  seconds: { ko: "초", en: " s" },
  checking: {
    ko: "카드 등록 결과를 확인하는 중입니다. 창을 닫지 마세요.",
    en: "We are finding out whether the card was registered. Please keep this window open.",
  },
  request: { ko: "문의 번호", en: "Reference" },
  invalid_request: { ko: "입력한 내용을 확인해 주세요.", en: "Please check what you entered." },
  too_many_attempts: { ko: "카드 등록을 너무 여러 번 시도했습니다.", en: "There were too many attempts." },
  forbidden: {
    ko: "허용되지 않은 요청이라 처리하지 않았습니다. 판매자에게 문의해 주세요.",
    en: "This request is not allowed, so nothing was done. Please ask the shop.",
  },
  not_found: MISTAKE_OF_THE_PAGE,
  too_large: MISTAKE_OF_THE_PAGE,
  unsupported_media_type: MISTAKE_OF_THE_PAGE,
  outcome_unknown: {
    ko: "카드가 등록되었는지 아직 확인하지 못했습니다. 다른 카드나 다른 주문으로는 시도하지 말고 판매자에게 문의해 주세요.",
    en: "We don't know yet whether the card was registered. Please try no other card and no other order; ask the shop.",
  },
};

/**
 * The service's answer, with `retryAfter` in seconds. `fields`: the card, and customer_uid or customer_token.
 * `onWait` is called each time that nobody knows the outcome yet and the same will be sent again, with the answer.
 */
export async function registerCard(url, fields, { language = "ko", onWait } = {}) {
  const until = Date.now() + LONGEST_WAIT;
  let answer = await send(url, fields, language);
  let { retryAfter } = answer;
  while (ASK_AGAIN.includes(answer.code) && Date.now() < until) {
    onWait?.(answer);
    await new Promise((resolve) => setTimeout(resolve, 1000 * (retryAfter || USUAL_PAUSE)));
    const next = await send(url, fields, language);
    retryAfter = next.retryAfter;
    if (next.status === "success" || [...ASK_AGAIN, ...SETTLED].includes(next.code)) answer = next;
  }
  return answer;
}

/** What to show for an answer: { text, mayTryAgain, pause }, where `pause` is in seconds before the next try. */
export function explain(answer, language = "ko") {
  const words = (name) => WORDS[name][language] ?? WORDS[name].ko;
  if (answer.status === "success") {
    const card = [answer.card?.name, answer.card?.number].filter(Boolean).join(" ");
    return { text: sentences(words("registered"), card, paid(answer, words)), mayTryAgain: false, pause: 0 };
  }
  const pause = answer.code === "too_many_attempts" ? answer.retryAfter || USUAL_PAUSE : 0;
  const code = [...OURS, ...FROM_THE_SERVICE].includes(answer.code) ? answer.code : "outcome_unknown";
  const text = sentences(
    FROM_THE_SERVICE.includes(code) ? answer.message : words(code),
    answer.code === "declined" && words("another_card"),
    pause > 0 && `${words("again_in")} ${duration(pause, words)}.`,
    paid(answer, words),
    ASK_THE_SHOP.includes(answer.code) && answer.request_id && `${words("request")}: ${answer.request_id}`,
  );
  return { text, mayTryAgain: ANOTHER_TRY.includes(answer.code), pause };
}

/** What to show while the same is sent again. */
export function explainWaiting(language = "ko") {
  return WORDS.checking[language] ?? WORDS.checking.ko;
}

async function send(url, fields, language) {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), LONGEST_ANSWER);
  try {
    const response = await fetch(url, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { Accept: "application/json", "Accept-Language": language },
      signal: giveUp.signal,
    });
    const answer = await response.json();
    const retryAfter = Number(response.headers.get("Retry-After")) || 0;
    if (answer.status === "success" || typeof answer.code === "string") return { ...answer, retryAfter };
  } catch {
    // No answer, or none that can be read: the card may have been registered all the same.
  } finally {
    clearTimeout(timer);
  }
  return { status: "failed", code: "outcome_unknown", message: "", retryAfter: 0 };
}

function paid({ payment }, words) {
  return payment && `${words("paid")}: ₩${payment.amount.toLocaleString("en-US")}`;
}

function duration(seconds, words) {
  if (seconds < 60) return `${Math.ceil(seconds)}${words("seconds")}`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes}${words("minutes")}` : `${Math.ceil(minutes / 60)}${words("hours")}`;
}

function sentences(...parts) {
  return parts.filter(Boolean).join(" ");
}
