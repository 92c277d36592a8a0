import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { CardForm } from "./CardForm.jsx";
import { CUSTOMER_URL } from "./config.js";
import { HostedForm } from "./HostedForm.jsx";

const customer = await (await fetch(CUSTOMER_URL + location.search)).json();

// `#hosted` shows the service's own form in a frame, anything else the form of this page.
const Form = location.hash === "#hosted" ? HostedForm : CardForm;

createRoot(document.getElementById("root")).render(
  <StrictMode>
    <h1>카드 등록</h1>
    <Form customer={customer} />
  </StrictMode>,
);

window.addEventListener("hashchange", () => location.reload());
