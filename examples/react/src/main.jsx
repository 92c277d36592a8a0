import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { CardForm } from "./CardForm.jsx";
import { HostedForm } from "./HostedForm.jsx";

// One for each card of each member; comes from your server.
const CUSTOMER_UID = "gildong_0001_1234";

// `#hosted` shows the service's own form in a frame, anything else the form of this page.
const Form = location.hash === "#hosted" ? HostedForm : CardForm;

createRoot(document.getElementById("root")).render(
  <StrictMode>
    <h1>카드 등록</h1>
    <Form customerUid={CUSTOMER_UID} />
  </StrictMode>,
);

window.addEventListener("hashchange", () => location.reload());
