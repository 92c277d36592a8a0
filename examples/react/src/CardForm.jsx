import axios from "axios";
import { useState } from "react";

import { ISSUE_BILLING_URL } from "./config.js";

const EMPTY = { cardNumber: "", expiry: "", birth: "", pwd2Digit: "" };

// After any other outcome a card may be registered, or another try can't help.
const ANOTHER_TRY = ["invalid_request", "declined", "too_many_attempts", "gateway_error", "unavailable"];

const NO_ANSWER = {
  status: "failed",
  code: "outcome_unknown",
  message: "카드 등록 결과를 확인하지 못했습니다. 다시 시도하지 말고 문의해 주세요.",
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
    const answered = await register({ ...card, customerUid });
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

/** The service's answer, whatever its HTTP status. */
async function register(fields) {
  try {
    const { data } = await axios.post(ISSUE_BILLING_URL, fields, { validateStatus: () => true });
    return data?.status ? data : NO_ANSWER;
  } catch {
    return NO_ANSWER;
  }
}
