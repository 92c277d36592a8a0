import { useEffect, useRef, useState } from "react";

import { explain } from "../../card-door.js";
import { embedCardForm } from "../../embed.js";
import { ISSUE_BILLING_URL } from "./config.js";

/** The service's own form in a frame: the card number never touches this page. */
export function HostedForm({ customer }) {
  const place = useRef(null);
  const [result, setResult] = useState(null);
  const lang = document.documentElement.lang;

  useEffect(
    () => embedCardForm(place.current, { url: ISSUE_BILLING_URL, query: { ...customer, lang }, onResult: setResult }),
    [customer, lang],
  );

  return (
    <>
      <div ref={place} />
      <p role="status">{result && explain(result, lang).text}</p>
    </>
  );
}
