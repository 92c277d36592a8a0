import { useRef, useState } from "react";

import { explain, explainWaiting, registerCard } from "../../card-door.js";
import { ISSUE_BILLING_URL } from "./config.js";

const EMPTY = { cardNumber: "", expiry: "", birth: "", pwd2Digit: "" };
const NOTHING_SENT = { text: "", errors: [], mayTryAgain: true };

/** The published guide's CardForm: the page's own form, so the card number passes through this page. */
export function CardForm({ customer }) {
  const [card, setCard] = useState(EMPTY);
  const [shown, setShown] = useState(NOTHING_SENT);
  const form = useRef(null);
  const language = document.documentElement.lang;

  function change({ target }) {
    setCard((before) => ({ ...before, [target.name]: target.value }));
  }

  async function submit(event) {
    event.preventDefault();
    setShown({ text: "등록하는 중입니다. 창을 닫지 마세요.", errors: [], mayTryAgain: false });
    const answer = await registerCard(ISSUE_BILLING_URL, { ...card, ...customer }, {
      language,
      onWait: () => setShown({ text: explainWaiting(language), errors: [], mayTryAgain: false }),
    });
    conclude(answer);
  }

  function conclude(answer) {
    const { text, mayTryAgain, pause } = explain(answer, language);
    const errors = answer.errors ?? [];
    setShown({ text, errors, mayTryAgain: mayTryAgain && pause === 0, registered: answer.status === "success" });
    if (mayTryAgain && pause > 0) setTimeout(() => setShown((now) => ({ ...now, mayTryAgain })), 1000 * pause);
    if (answer.code === "invalid_request") form.current.elements[errors[0]?.field]?.focus();
    else setCard(EMPTY);
  }

  const field = { card, errors: shown.errors, onChange: change };
  const others = shown.errors.filter((error) => !(error.field in EMPTY)).map((error) => error.message);
  return (
    <>
      {!shown.registered && (
        <form onSubmit={submit} ref={form}>
          <Field label="카드번호" name="cardNumber" autoComplete="cc-number" {...field} />
          <Field label="유효기간 (MM/YY)" name="expiry" autoComplete="cc-exp" {...field} />
          <Field label="생년월일 6자리 또는 사업자등록번호 10자리" name="birth" autoComplete="off" {...field} />
          <Field label="카드 비밀번호 앞 2자리" name="pwd2Digit" className="masked" autoComplete="off" {...field} />
          <button disabled={!shown.mayTryAgain}>등록하기</button>
        </form>
      )}
      <p role="status">{[shown.text, ...others].join(" ")}</p>
    </>
  );
}

function Field({ label, name, card, errors, ...input }) {
  const error = errors.find(({ field }) => field === name);
  return (
    <p>
      <label htmlFor={name}>{label}</label>
      <input
        id={name}
        name={name}
        value={card[name]}
        inputMode="numeric"
        aria-invalid={Boolean(error)}
        aria-describedby={`${name}-error`}
        {...input}
      />
      <span id={`${name}-error`} className="error">
        {error?.message}
      </span>
    </p>
  );
}
