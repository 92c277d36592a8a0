import { useEffect, useState } from "react";

import { ISSUE_BILLING_URL } from "./config.js";

/** The service's own form in a frame: the card number never touches this page. */
export function HostedForm({ customerUid }) {
  const [result, setResult] = useState(null);

  useEffect(() => {
    function receive({ origin, data }) {
      if (origin === new URL(ISSUE_BILLING_URL).origin && data?.type === "card-door:result") setResult(data);
    }
    window.addEventListener("message", receive);
    return () => window.removeEventListener("message", receive);
  }, []);

  const address = `${ISSUE_BILLING_URL}?${new URLSearchParams({ customer_uid: customerUid })}`;
  return (
    <>
      <iframe title="카드 등록" src={address} width="440" height="900" style={{ border: 0, maxWidth: "100%" }} />
      <p role="status">
        {result && `${result.status} ${result.code} ${result.customer_uid} ${result.card?.number ?? ""}`}
      </p>
    </>
  );
}
