import { act, render, screen } from "@testing-library/react";
import { expect, test } from "vitest";

import { ISSUE_BILLING_URL } from "../src/config.js";
import { HostedForm } from "../src/HostedForm.jsx";

const CUSTOMER = { customer_token: "a.b.c" };
const RESULT = { type: "card-door:result", status: "success", card: { name: "국민KB카드", number: "000010******0001" } };

function say(data, source, origin = new URL(ISSUE_BILLING_URL).origin) {
  act(() => window.dispatchEvent(new MessageEvent("message", { data, source, origin })));
}

test("the form is asked for whose card it is, and its result is shown", () => {
  const { container } = render(<HostedForm customer={CUSTOMER} />);
  const frame = container.querySelector("iframe");
  expect(new URL(frame.src).searchParams.get("customer_token")).toBe("a.b.c");
  say(RESULT, window);
  expect(screen.getByRole("status").textContent).toBe("");
  say(RESULT, frame.contentWindow);
  expect(screen.getByRole("status").textContent).toContain("국민KB카드 000010******0001");
});

test("who leaves the page takes the form away", () => {
  const { container, unmount } = render(<HostedForm customer={CUSTOMER} />);
  unmount();
  expect(container.querySelector("iframe")).toBeNull();
});
