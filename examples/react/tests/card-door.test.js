// What is sent, what is asked for again, and what is shown: card-door.js alone, in front of a fetch that is made up.

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { explain, explainWaiting, registerCard } from "../../card-door.js";

const URL = "https://api.example/subscription/issue-billing";
const CARD = { card_number: "0000-1000-0000-0001", customer_uid: "customer-1" };
const SUCCESS = {
  status: "success",
  message: "Billing has successfully issued",
  card: { name: "국민KB카드", number: "000010******0001", type: "credit" },
};

const failed = (code, more = {}) => ({ status: "failed", code, message: `words for ${code}`, request_id: "req-1", ...more });

function answerInTurn(...answers) {
  const answering = vi.fn(async () => {
    const [body, headers = {}] = answers.shift();
    return body instanceof Error ? Promise.reject(body) : new Response(JSON.stringify(body), { headers });
  });
  vi.stubGlobal("fetch", answering);
  return answering;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a form is posted in the page's language and answered in JSON", async () => {
  const fetched = answerInTurn([SUCCESS]);
  expect(await registerCard(URL, CARD, { language: "en" })).toMatchObject(SUCCESS);
  const [url, { method, body, headers }] = fetched.mock.calls[0];
  expect([url, method, Object.fromEntries(body)]).toEqual([URL, "POST", CARD]);
  expect(headers).toEqual({ Accept: "application/json", "Accept-Language": "en" });
});

test("the very same is sent again after Retry-After, and what tells nothing of the first is passed over", async () => {
  const fetched = answerInTurn(
    [failed("outcome_unknown"), { "Retry-After": "7" }],
    [failed("unavailable"), { "Retry-After": "3" }],
    [failed("in_progress")],
    [failed("declined")],
  );
  const onWait = vi.fn();
  const outcome = registerCard(URL, CARD, { onWait });
  const sentAfter = async (milliseconds) => {
    await vi.advanceTimersByTimeAsync(milliseconds);
    return fetched.mock.calls.length;
  };
  expect(await sentAfter(6_900)).toBe(1);
  expect(await sentAfter(200)).toBe(2);
  expect(await sentAfter(2_800)).toBe(2);
  expect(await sentAfter(200)).toBe(3);
  expect(await sentAfter(5_100)).toBe(4);
  expect((await outcome).code).toBe("declined");
  expect(onWait.mock.calls.map(([answer]) => answer.code)).toEqual(["outcome_unknown", "outcome_unknown", "in_progress"]);
  expect(new Set(fetched.mock.calls.map(([, { body }]) => String(body))).size).toBe(1);
});

test("it gives up asking after three minutes, and the outcome is unknown", async () => {
  answerInTurn(...Array.from({ length: 100 }, () => [failed("in_progress"), { "Retry-After": "5" }]));
  const outcome = registerCard(URL, CARD);
  await vi.advanceTimersByTimeAsync(186_000);
  expect((await outcome).code).toBe("in_progress");
});

test.each([
  ["no answer", new TypeError("Failed to fetch")],
  ["one that is none of the service's", { message: "Forbidden" }],
  ["one that is no object", null],
])("%s is an unknown outcome", async (_, body) => {
  answerInTurn([body], [failed("declined")]);
  const onWait = vi.fn();
  const outcome = registerCard(URL, CARD, { onWait });
  await vi.advanceTimersByTimeAsync(6_000);
  await outcome;
  expect(onWait.mock.calls[0][0].code).toBe("outcome_unknown");
});

test("a silent service is not waited for for ever", async () => {
  vi.stubGlobal("fetch", (_, { signal }) => new Promise((_, reject) => (signal.onabort = () => reject(signal.reason))));
  const onWait = vi.fn();
  registerCard(URL, CARD, { onWait });
  await vi.advanceTimersByTimeAsync(39_900);
  expect(onWait).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(200);
  expect(onWait).toHaveBeenCalledOnce();
});

test.each([
  ["ko", SUCCESS, "카드가 등록되었습니다. 국민KB카드 000010******0001"],
  ["en", SUCCESS, "Your card is registered. 국민KB카드 000010******0001"],
  ["en", { ...SUCCESS, payment: { amount: 9900 } }, "Your card is registered. 국민KB카드 000010******0001 Paid: ₩9,900"],
  ["en", { ...SUCCESS, card: null }, "Your card is registered."],
  ["en", failed("forbidden", { message: "허용되지 않은 요청" }), "This request is not allowed, so nothing was done. Please ask the shop. Reference: req-1"],
  ["en", failed("too_large", { message: "전송한 내용이 너무 큽니다." }), "A mistake of this page kept the card from being registered. Please ask the shop."],
  ["en", failed("internal_error"), "words for internal_error Reference: req-1"],
  ["en", failed("too_many_attempts", { retryAfter: 59 }), "There were too many attempts. You can try again in 59 s."],
  ["en", failed("too_many_attempts", { retryAfter: 3000 }), "There were too many attempts. You can try again in 50 min."],
  ["ko", failed("too_many_attempts", { retryAfter: 7201 }), "카드 등록을 너무 여러 번 시도했습니다. 다음 시도까지 남은 시간: 3시간."],
  ["fr", failed("not_found"), "이 페이지의 오류로 카드를 등록하지 못했습니다. 판매자에게 문의해 주세요."],
])("in %s it is told: %o", (language, answer, text) => {
  expect(explain(answer, language).text).toBe(text);
});

test("a code that nobody has heard of is an unknown outcome", () => {
  const { text, mayTryAgain } = explain(failed("brand_new"), "en");
  expect(text).toContain("try no other card and no other order");
  expect(mayTryAgain).toBe(false);
});

test("while the same is sent again, the window is to stay open", () => {
  expect(explainWaiting("en")).toContain("Please keep this window open.");
  expect(explainWaiting("fr")).toBe(explainWaiting("ko"));
});
