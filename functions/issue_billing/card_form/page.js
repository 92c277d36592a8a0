"use strict";
{
  const LONGEST_WAIT = 40_000; // milliseconds; the service answers within 30 seconds
  const UNTIL_MORE_IS_KNOWN = 5; // seconds, where no answer says how long

  const element = (id) => document.getElementById(id);
  const page = JSON.parse(element("page-data").textContent);
  const form = element("card-form");
  const submit = element("submit");
  const cardNumber = element("card_number");
  const expiry = element("expiry");
  // These three are there where the merchant's contract wants them.
  const password = element("pwd_2digit");
  const birth = element("birth");
  const corporate = element("corporate");
  const askAgain = element("ask-again");
  const cardInputs = [cardNumber, expiry, password, birth].filter(Boolean);
  const inputs = [...cardInputs, element("consent")];
  let waiting = false;
  // What was sent and the last answer to it, while its outcome is unknown: only the very same may be sent again.
  let unknown = null;

  groupWhileTyping(cardNumber, byFours);
  groupWhileTyping(expiry, asExpiry);
  if (password) groupWhileTyping(password, ungrouped);
  const regroupBirth = birth && groupWhileTyping(birth, (digits) => (corporate.checked ? asBusinessNumber(digits) : ungrouped(digits)));

  // From here on the page tells what is wrong, in its own words and place.
  form.noValidate = true;
  form.addEventListener("change", applyCardKind);
  form.addEventListener("submit", send);
  askAgain.addEventListener("click", sendTheSame);
  for (const input of inputs) input.addEventListener("input", () => showError(input, ""));
  // Neither a reload nor "back" brings typed card data again.
  window.addEventListener("pageshow", forget);

  function forget() {
    form.reset();
    applyCardKind();
    unknown = null;
    askAgain.hidden = true;
  }

  function applyCardKind() {
    if (password) password.required = !corporate?.checked;
    regroupBirth?.();
  }

  async function send(event) {
    event.preventDefault();
    if (waiting || !check()) return;
    if (!navigator.onLine) {
      tell({ status: "failed", code: "offline" });
      return;
    }
    const request = fields();
    wait(true);
    const answer = await ask(request);
    wait(false);
    if (answer.code === "invalid_request" && showErrors(answer.errors ?? [])) return;
    conclude(request, answer);
  }

  async function sendTheSame() {
    const { request, answer: before } = unknown;
    showAsking(true);
    const answer = await ask(request);
    showAsking(false);
    if (!unknown) return; // the page was left meanwhile
    const { settles, ask_again } = outcomeOf(answer);
    conclude(request, settles || ask_again ? answer : { ...before, retryAfter: answer.retryAfter });
  }

  function conclude(request, answer) {
    forget();
    tell(answer);
    if (!outcomeOf(answer).ask_again) return;
    unknown = { request, answer };
    askAgain.hidden = false;
    askAgain.disabled = true;
    setTimeout(() => (askAgain.disabled = false), 1000 * (Number(answer.retryAfter) || UNTIL_MORE_IS_KNOWN));
  }

  // ---- Errors beside their fields ----

  function check() {
    const bad = inputs.filter((input) => !input.validity.valid);
    for (const input of inputs) showError(input, bad.includes(input) ? page.errors[input.name] : "");
    bad[0]?.focus();
    return bad.length === 0;
  }

  function showErrors(errors) {
    const bad = inputs.filter((input) => {
      const error = errors.find(({ field }) => field === input.name);
      if (error) showError(input, error.message);
      return error;
    });
    bad[0]?.focus();
    return errors.length > 0 && bad.length === errors.length;
  }

  function showError(input, message) {
    element(`${input.id}-error`).textContent = message;
    input.toggleAttribute("aria-invalid", false);
    if (message) input.setAttribute("aria-invalid", "true");
  }

  // ---- Sending ----

  function wait(now) {
    waiting = now;
    submit.disabled = now;
    submit.setAttribute("aria-busy", String(now));
    element("submit-words").textContent = now ? page.busy : page.submit;
    element("busy").textContent = now ? page.busy : "";
    if (now) element("outcome").hidden = true;
  }

  function showAsking(now) {
    askAgain.disabled = now;
    askAgain.setAttribute("aria-busy", String(now));
    askAgain.textContent = now ? page.asking : page.ask_again;
  }

  // No answer, or none that can be read, may mean that the card was registered all the same.
  async function ask(request) {
    try {
      const response = await fetch(location.pathname, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json", "Accept-Language": document.documentElement.lang },
        body: JSON.stringify(request),
        cache: "no-store",
        signal: AbortSignal.timeout(LONGEST_WAIT),
      });
      const answer = await response.json();
      const retryAfter = response.headers.get("Retry-After");
      if (answer.status === "success" || typeof answer.code === "string") return { ...answer, retryAfter };
    } catch {
      // Told below.
    }
    return { status: "failed", code: "outcome_unknown" };
  }

  function fields() {
    const given = { customer_uid: page.customer_uid, customer_token: page.customer_token };
    for (const input of cardInputs) given[input.name] = input.value.trim();
    return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ""));
  }

  // ---- What became of it ----

  function outcomeOf(answer) {
    return page.outcomes[answer.status === "success" ? "success" : answer.code] ?? page.outcomes.outcome_unknown;
  }

  function tell(answer) {
    const succeeded = answer.status === "success";
    const outcome = outcomeOf(answer);
    // Iamport's words, where it declined; else the page's, as an answer may come from in front of the service.
    const text = (answer.code === "declined" && answer.message) || outcome.text;
    const panel = element("outcome");
    panel.className = `outcome ${outcome.kind}`;
    element("outcome-heading").textContent = outcome.heading;
    element("outcome-text").textContent = text;
    element("outcome-next").textContent = outcome.next_step;
    element("outcome-card").textContent = succeeded ? [answer.card?.name, answer.card?.number].filter(Boolean).join(" ") : "";
    tellPayment(answer.payment);
    submit.disabled = !outcome.another_try;
    form.hidden = !outcome.another_try;
    const result = {
      status: answer.status,
      code: answer.code ?? "",
      customer_uid: answer.customer_uid ?? page.customer_uid,
    };
    linkBack(result);
    panel.hidden = false;
    panel.focus();
    if (answer.code === "offline") return;
    tellEmbedder({ type: "card-door:result", ...result, message: succeeded ? answer.message : text, card: answer.card ?? null });
    if (succeeded && page.return_url) location.replace(element("return").href);
  }

  function tellPayment(payment) {
    element("outcome-payment").hidden = !payment;
    element("outcome-amount").textContent = payment ? page.amount.replace("{}", payment.amount.toLocaleString("en-US")) : "";
    element("receipt").hidden = !payment?.receipt_url;
    element("receipt").href = payment?.receipt_url ?? "";
  }

  function linkBack(result) {
    if (!page.return_url) return;
    const url = new URL(page.return_url);
    for (const [name, value] of Object.entries(result)) {
      if (value) url.searchParams.set(name, value);
      else url.searchParams.delete(name);
    }
    element("return").href = url;
    element("return").hidden = false;
  }

  // The browser delivers to the named origin alone. Where it says who embeds the page, the others are not tried, as
  // each try would be an error in its console.
  function tellEmbedder(message) {
    if (window.parent === window) return;
    const embedder = location.ancestorOrigins?.[0];
    for (const origin of page.origins) {
      if (!embedder || embedder === origin) window.parent.postMessage(message, origin);
    }
  }
}
