import axios from "axios";
import { useState } from "react";

import { ISSUE_BILLING_URL } from "./config.js";

const EMPTY = { cardNumber: "", expiry: "", birth: "", pwd2Digit: "" };

// After any other outcome a card may be registered, or another try can't help.
const ANOTHER_TRY = ["invalid_request", "declined", "too_many_attempts", "gateway_error", "unavailable"];
// After these nobody knows yet: the very same request may be sent again, and gets the outcome of the first.
const ASK_AGAIN = ["in_progress", "outcome_unknown"];
// What tells the outcome then. Any other answer, such as "unavailable", tells nothing of the first request.
const SETTLED = ["declined", "already_registered", "already_paid", "paid_without_key"];
const LONGEST_WAIT = 180_000; // milliseconds, within which the service finds out

const NO_ANSWER = {
  status: "failed",
  code: "outcome_unknown",
  message: "카드 등록 결과를 확인하지 못했습니다. 다른 카드나 다른 주문으로는 시도하지 말고 판매자에게 문의해 주세요.",
};

/** The published guide's CardForm: the page's own form, so the card number passes through this page. */
export function CardForm({ customerUid }) {
  const [card, setCard] = useState(EMPTY);
  const [answer, setAnswer] = useState(null);
  const [waiting, setWaiting] = useState(false);

  function change({ target }) {
    setCard((before) => ({ ...before, [target.name]: target.value }));
  }

  async function submit(event) {
    event.preventDefault();
    setWaiting(true);
    const answered = await register({ ...card, customerUid }, setAnswer);
    setWaiting(false);
    setAnswer(answered);
    if (answered.code !== "invalid_request") setCard(EMPTY);
  }

  const closed = answer && !ANOTHER_TRY.includes(answer.code);
  return (
    <form onSubmit={submit}>
      <Field label="카드 번호" name="cardNumber" autoComplete="cc-number" card={card} onChange={change} answer={answer} />
      <Field label="카드 유효기간" name="expiry" autoComplete="cc-exp" card={card} onChange={change} answer={answer} />
      <Field label="생년월일" name="birth" autoComplete="off" card={card} onChange={change} answer={answer} />
      <Field label="카드 비밀번호 앞 두자리" name="pwd2Digit" type="password" autoComplete="off" card={card} onChange={change} answer={answer} />
      <button disabled={waiting || closed}>{waiting ? "등록하는 중입니다" : "등록하기"}</button>
      <p role="status">{answer?.message}</p>
    </form>
  );
}

function Field({ label, name, card, answer, ...input }) {
  const error = answer?.errors?.find(({ field }) => field === name);
  return (
    <p>
      <label>
        {label} <input name={name} value={card[name]} inputMode="numeric" {...input} />
      </label>{" "}
      {error?.message}
    </p>
  );
}

/** The outcome; `tell` is given the answer as long as nobody knows it. */
async function register(fields, tell) {
  const until = Date.now() + LONGEST_WAIT;
  let { answer, retryAfter } = await send(fields);
  while (ASK_AGAIN.includes(answer.code) && Date.now() < until) {
    tell(answer);
    await new Promise((resolve) => setTimeout(resolve, 1000 * retryAfter));
    const next = await send(fields);
    retryAfter = next.retryAfter;
    if (next.answer.status === "success" || [...ASK_AGAIN, ...SETTLED].includes(next.answer.code)) answer = next.answer;
  }
  return answer;
}

/** The service's answer, whatever its HTTP status, and after how many seconds to ask again. */
async function send(fields) {
  try {
    const { data, headers } = await axios.post(ISSUE_BILLING_URL, fields, { validateStatus: () => true });
    return { answer: data?.status ? data : NO_ANSWER, retryAfter: Number(headers["retry-after"]) || 5 };
  } catch {
    return { answer: NO_ANSWER, retryAfter: 5 };
  }
}
