// The form as a card holder uses it, in front of a service that is made up.

import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { CardForm } from "../src/CardForm.jsx";

const CARD = {
  카드번호: "0000-1000-0000-0001",
  "유효기간 (MM/YY)": "12/99",
  "생년월일 6자리 또는 사업자등록번호 10자리": "900101",
  "카드 비밀번호 앞 2자리": "07",
};

let sent;

function answerWith(body, headers = {}) {
  sent = [];
  vi.stubGlobal("fetch", async (_, { body: fields }) => {
    sent.push(Object.fromEntries(fields));
    return new Response(JSON.stringify(body), { headers });
  });
}

async function typeAndSend(customer = { customer_uid: "customer-1" }) {
  render(<CardForm customer={customer} />);
  for (const [label, value] of Object.entries(CARD)) fireEvent.change(screen.getByLabelText(label), { target: { value } });
  await act(async () => fireEvent.click(screen.getByRole("button")));
  await waitFor(() => expect(screen.getByRole("status").textContent).not.toContain("등록하는 중"));
}

const typed = () => Object.keys(CARD).map((label) => screen.getByLabelText(label).value);

beforeEach(() => {
  document.documentElement.lang = "ko";
});
afterEach(() => {
  vi.unstubAllGlobals();
});

test("the card that is registered is shown, and the form is gone", async () => {
  answerWith({ status: "success", card: { name: "국민KB카드", number: "000010******0001" } });
  await typeAndSend();
  expect(screen.getByRole("status").textContent).toContain("국민KB카드 000010******0001");
  expect(screen.queryByRole("button")).toBeNull();
});

test("it sends what was typed, and whose card it is, once", async () => {
  answerWith({ status: "failed", code: "declined", message: "" });
  await typeAndSend({ customer_token: "a.b.c" });
  expect(sent).toEqual([
    { cardNumber: "0000-1000-0000-0001", expiry: "12/99", birth: "900101", pwd2Digit: "07", customer_token: "a.b.c" },
  ]);
});

test("after invalid_request all stays, each field says what is wrong, and the first has the focus", async () => {
  const errors = [
    { field: "birth", message: "생년월일을 확인해 주세요." },
    { field: "customerUid", message: "customer_uid는 80자까지입니다." },
  ];
  answerWith({ status: "failed", code: "invalid_request", message: "", errors });
  await typeAndSend();
  const birth = screen.getByLabelText(/생년월일/);
  expect(typed()).toEqual(Object.values(CARD));
  expect(document.getElementById(birth.getAttribute("aria-describedby")).textContent).toBe("생년월일을 확인해 주세요.");
  expect(document.activeElement).toBe(birth);
  expect(screen.getByRole("status").textContent).toBe("입력한 내용을 확인해 주세요. customer_uid는 80자까지입니다.");
  expect(screen.getByRole("button").disabled).toBe(false);
});

test("after declined what was typed is gone, and another card may be tried", async () => {
  answerWith({ status: "failed", code: "declined", message: "카드번호틀림" });
  await typeAndSend();
  expect(typed()).toEqual(["", "", "", ""]);
  expect(screen.getByRole("button").disabled).toBe(false);
});

test("after already_registered no other card is invited", async () => {
  answerWith({ status: "failed", code: "already_registered", message: "" });
  await typeAndSend();
  expect(screen.getByRole("button").disabled).toBe(true);
});

test("after too_many_attempts the button waits as long as Retry-After says", async () => {
  answerWith({ status: "failed", code: "too_many_attempts", message: "" }, { "Retry-After": "1" });
  await typeAndSend();
  expect(screen.getByRole("button").disabled).toBe(true);
  await waitFor(() => expect(screen.getByRole("button").disabled).toBe(false), { timeout: 3000 });
});
