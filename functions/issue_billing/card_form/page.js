"use strict";
{
  const LONGEST_WAIT = 40_000; // milliseconds; the service answers within 30 seconds
  const LONGEST_ASKING = 180_000; // what is left open is settled within two and a half minutes
  const UNTIL_MORE_IS_KNOWN = 5; // seconds, where no answer says how long
  const TYPED = 200; // milliseconds: a click is over by then, and the button must not move away under it

  const element = (id) => document.getElementById(id);
  const page = JSON.parse(element("page-data").textContent);
  // The link to the other language has all that the service took from this page's address.
  const otherLanguage = document.querySelector(".language");
  const visit = new URL(otherLanguage.href).searchParams;
  const asked = (name) => visit.get(name) ?? "";
  const panel = element("outcome");
  const askAgain = element("ask-again");
  // The form is there where a card can be registered, and of the last four what the merchant's contract wants.
  const form = element("card-form");
  const submit = element("submit");
  const submitWords = element("submit-words");
  const cardNumber = element("card_number");
  const expiry = element("expiry");
  const password = element("pwd_2digit");
  const birth = element("birth");
  const corporate = element("corporate");
  const toSubmit = submitWords?.textContent;
  const toAskAgain = askAgain.textContent;
  const cardInputs = [cardNumber, expiry, password, birth].filter(Boolean);
  const inputs = [...cardInputs, ...document.querySelectorAll("[data-consent]")];
  let waiting = false;
  // What is to be asked for again while its outcome is unknown: an attempt, or else the very request that was sent.
  let unknown = null;
  let countdown = 0;

  const framed = window.parent !== window;
  document.documentElement.classList.toggle("framed", framed);
  if (form) prepareForm();
  askAgain.addEventListener("click", () => goOnAsking(unknown));
  otherLanguage.addEventListener("click", changeLanguage);
  // What became of it since, a page that the browser kept in memory doesn't know; the service does.
  window.addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
  if (framed) new ResizeObserver(tellHeight).observe(document.querySelector("main"));
  tellEmbedder({ type: "card-door:ready" });
  // A sandboxed frame comes from nowhere, and the service takes nothing from there.
  if (form && window.origin === "null") tell({ status: "failed", code: "opaque_origin" });
  else if (asked("attempt") && outcomeOf(page.answer).ask_again) goOnAsking({ attempt: asked("attempt"), answer: page.answer });

  function prepareForm() {
    // From here on the page tells what is wrong, in its own words and place.
    form.noValidate = true;
    form.classList.add("scripted");
    const refusing = (input) => () => showError(input, errorOf(input));
    groupWhileTyping(cardNumber, { grouped: byFours, longest: () => 19, refuse: refusing(cardNumber) });
    groupWhileTyping(expiry, { grouped: asExpiry, longest: longestExpiry, read: digitsOfExpiry, refuse: refusing(expiry) });
    if (birth) {
      groupWhileTyping(birth, {
        grouped: (digits) => (corporate.checked ? asBusinessNumber(digits) : ungrouped(digits)),
        longest: () => (corporate.checked ? 10 : 6),
        refuse: refusing(birth),
      });
    }
    for (const input of inputs) {
      // Before the ones above show an error of their own.
      input.addEventListener("input", () => showError(input, ""), { capture: true });
      input.addEventListener("input", () => offerSavedCard());
      input.addEventListener("blur", () => setTimeout(() => tellWhatIsWrong(input), TYPED));
    }
    if (password) preparePassword(refusing(password));
    form.addEventListener("change", applyCardKind);
    form.addEventListener("submit", send);
    // Nothing typed stays behind: neither "back" nor the browser's own memory of the page has it.
    window.addEventListener("pagehide", forget);
    forget();
  }

  function preparePassword(refuse) {
    takeDigitsAlone(password, 2, refuse);
    const show = element("show-password");
    show.hidden = false;
    show.addEventListener("click", () => {
      const masked = password.classList.toggle("masked");
      show.setAttribute("aria-pressed", String(!masked));
    });
  }

  function forget() {
    form.reset();
    applyCardKind();
    offerSavedCard();
    unknown = null;
  }

  function applyCardKind() {
    const isCorporate = Boolean(corporate?.checked);
    form.classList.toggle("is-corporate", isCorporate);
    if (password) password.required = !isCorporate;
    for (const input of [birth, password].filter(Boolean)) showError(input, "");
  }

  // A browser fills a saved card into empty fields that ask for one. What a field that asks for one holds, Chromium
  // writes into its session file while it is typed.
  function offerSavedCard() {
    cardNumber.autocomplete = cardNumber.value ? "off" : "cc-number";
    expiry.autocomplete = expiry.value ? "off" : "cc-exp";
  }

  // ---- Errors beside their fields ----

  function isWrong(input) {
    if (input === birth && birth.value) return digitsOf(birth.value).length !== (corporate.checked ? 10 : 6);
    return !input.validity.valid;
  }

  function errorOf(input) {
    return page.errors[input === birth && corporate.checked ? "business_number" : input.name];
  }

  function check() {
    const bad = inputs.filter(isWrong);
    for (const input of inputs) showError(input, bad.includes(input) ? errorOf(input) : "");
    bad[0]?.focus();
    return bad.length === 0;
  }

  function tellWhatIsWrong(input) {
    if (!waiting && cardInputs.includes(input) && input.value && isWrong(input)) showError(input, errorOf(input));
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

  async function send(event) {
    event.preventDefault();
    if (waiting || !check()) return;
    let request;
    try {
      request = prepared({ method: "POST", body: JSON.stringify(fields()) });
    } catch {
      conclude({ status: "failed", code: "not_sent" });
      return;
    }
    wait(true);
    const answer = await answerTo(request);
    wait(false);
    if (answer.code === "invalid_request" && showErrors(answer.errors ?? [])) return;
    await goOnAsking({ attempt: answer.attempt_id, answer, body: request.body }, true);
  }

  function fields() {
    const given = { customer_uid: asked("customer_uid"), customer_token: asked("customer_token") };
    for (const input of inputs) given[input.name] = input.validity.valueMissing ? "" : input.value.trim();
    return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ""));
  }

  // Whatever fails in here fails before anything is sent.
  function prepared({ method, body, query = "" }) {
    const aborting = new AbortController();
    const headers = { Accept: "application/json", "Accept-Language": document.documentElement.lang };
    if (body) headers["Content-Type"] = "application/json";
    else if (asked("customer_token")) headers.Authorization = `Bearer ${asked("customer_token")}`;
    const options = { method, headers, body, cache: "no-store", signal: aborting.signal };
    return { request: new Request(location.pathname + query, options), aborting, body };
  }

  // No answer, or none that can be read, may mean that the card was registered all the same.
  async function answerTo({ request, aborting }) {
    const timer = setTimeout(() => aborting.abort(), LONGEST_WAIT);
    try {
      const response = await fetch(request);
      const answer = await response.json();
      const retryAfter = Number(response.headers.get("Retry-After"));
      if (answer.status === "success" || typeof answer.code === "string") return { ...answer, retryAfter };
    } catch {
      // Told below.
    } finally {
      clearTimeout(timer);
    }
    return { status: "failed", code: "outcome_unknown" };
  }

  function wait(now) {
    waiting = now;
    submit.disabled = now;
    submit.setAttribute("aria-busy", String(now));
    submitWords.textContent = now ? page.busy : toSubmit;
    element("busy").textContent = now ? page.busy : "";
    if (now) panel.hidden = true;
  }

  // ---- Asking what became of it ----

  // By the attempt, where the service has named it: the card is typed once and sent once. Only where no answer came at
  // all, the very same may be sent again, and then by the card holder's own click.
  async function goOnAsking({ attempt, answer, body }, isFirst = false) {
    const until = Date.now() + LONGEST_ASKING;
    if (!attempt && !isFirst) {
      showAsking(true);
      answer = known(await answerTo(prepared({ method: "POST", body })), answer);
      attempt = answer.attempt_id;
    }
    if (attempt && outcomeOf(answer).ask_again) {
      if (form) forget();
      nameInAddress({ attempt });
      tell({ status: "failed", code: "asking" });
      showAsking(true);
    }
    while (attempt && outcomeOf(answer).ask_again && Date.now() < until) {
      await pause(answer.retryAfter || UNTIL_MORE_IS_KNOWN);
      const query = `?${new URLSearchParams({ customer_uid: asked("customer_uid"), attempt })}`;
      const told = await answerTo(prepared({ method: "GET", query }));
      // Else it says nothing of the attempt, as when too much is asked.
      if (told.attempt_id === attempt) answer = told;
    }
    showAsking(false);
    conclude(answer, { attempt, answer, body });
  }

  // An answer such as `unavailable` tells nothing of what was asked for.
  function known(answer, before) {
    const { settles, ask_again } = outcomeOf(answer);
    return settles || ask_again ? answer : { ...before, retryAfter: answer.retryAfter };
  }

  function pause(seconds) {
    return new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  }

  function showAsking(now) {
    askAgain.disabled = now;
    askAgain.hidden = !now;
    askAgain.setAttribute("aria-busy", String(now));
    askAgain.textContent = now ? page.asking : toAskAgain;
  }

  // ---- What became of it ----

  function conclude(answer, request = null) {
    const { ask_again, keeps } = outcomeOf(answer);
    if (form && keeps !== "all") {
      if (keeps === "card" && password) password.value = "";
      else if (keeps !== "card") forget();
    }
    nameInAddress(answer);
    tell(answer);
    tellResult(answer);
    unknown = ask_again ? request : null;
    if (!unknown) return;
    askAgain.hidden = false;
    askAgain.disabled = true;
    setTimeout(() => (askAgain.disabled = false), 1000 * (answer.retryAfter || UNTIL_MORE_IS_KNOWN));
  }

  function outcomeOf(answer) {
    const code = answer.status === "success" ? "success" : answer.code;
    return { ...page.usual, ...(page.outcomes[code] ?? page.outcomes.outcome_unknown) };
  }

  function tell(answer) {
    const outcome = outcomeOf(answer);
    const said = answer.code === "declined" && answer.message !== outcome.text ? answer.message : "";
    panel.className = `outcome ${outcome.kind} ${answer.code === "asking" ? "asking" : ""}`;
    element("outcome-heading").textContent = outcome.heading;
    element("outcome-text").textContent = outcome.text ?? "";
    element("outcome-said").hidden = !said;
    element("outcome-words").textContent = said;
    element("outcome-next").textContent = outcome.next_step ?? "";
    element("outcome-reload").textContent = "";
    const card = answer.status === "success" ? answer.card : null;
    element("outcome-card").textContent = [card?.name, card?.number].filter(Boolean).join(" ");
    element("outcome-reference").hidden = !answer.request_id || answer.status === "success";
    element("outcome-request").textContent = answer.request_id ?? "";
    tellPayment(answer.payment);
    askAgain.hidden = true;
    document.title = `${outcome.heading} – ${page.title}`;
    if (form) {
      submit.disabled = !outcome.another_try;
      form.hidden = !outcome.another_try;
      if (answer.code === "too_many_attempts" && answer.retryAfter) countDown(answer.retryAfter);
    }
    linkBack(resultOf(answer));
    panel.hidden = false;
    panel.focus();
  }

  function tellPayment(payment) {
    element("outcome-payment").hidden = !payment;
    element("outcome-amount").textContent = payment ? page.amount.replace("{}", payment.amount.toLocaleString("en-US")) : "";
    element("receipt").hidden = !payment?.receipt_url;
    element("receipt").href = payment?.receipt_url ?? "";
  }

  function countDown(seconds) {
    clearInterval(countdown);
    const over = Date.now() + 1000 * seconds;
    const show = () => {
      const left = Math.ceil((over - Date.now()) / 1000);
      if (left <= 0) clearInterval(countdown);
      submit.disabled = left > 0;
      submitWords.textContent = left > 0 ? page.again_in.replace("{}", asTime(left)) : toSubmit;
    };
    countdown = setInterval(show, 1000);
    show();
  }

  function asTime(seconds) {
    const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    return parts.slice(parts[0] ? 0 : 1).map((part) => String(part).padStart(2, "0")).join(":");
  }

  function resultOf(answer) {
    return {
      status: answer.status,
      code: answer.code ?? "",
      customer_uid: answer.customer_uid ?? asked("customer_uid"),
    };
  }

  function linkBack(result) {
    if (!asked("return_url")) return;
    const url = new URL(asked("return_url"));
    for (const [name, value] of Object.entries(result)) {
      if (value) url.searchParams.set(name, value);
      else url.searchParams.delete(name);
    }
    element("return").href = url;
    element("return").hidden = false;
  }

  // So that a reload, "back" and the other language show what became of it. A success is told by its attempt alone.
  function nameInAddress({ attempt, attempt_id = attempt, code }) {
    const named = attempt_id ? { attempt: attempt_id } : code && !page.told_by_attempt_alone.includes(code) ? { outcome: code } : {};
    try {
      history.replaceState(null, "", addressWith(location.href, named));
    } catch {
      // A frame that comes from nowhere has no history of its own.
    }
    otherLanguage.href = addressWith(otherLanguage.href, named);
  }

  function addressWith(href, named) {
    const url = new URL(href);
    for (const name of ["attempt", "outcome", "wrong"]) url.searchParams.delete(name);
    for (const [name, value] of Object.entries(named)) url.searchParams.set(name, value);
    return url.href;
  }

  // In the place of this page, so that "back" leads to the shop, and never to a form of before.
  function changeLanguage(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (!waiting) location.replace(otherLanguage.href);
  }

  // ---- The page around this one ----

  function tellResult(answer) {
    if (answer.code === "not_sent") return;
    const { text = "" } = outcomeOf(answer);
    const succeeded = answer.status === "success";
    const message = succeeded || answer.code === "declined" ? answer.message : text;
    const request_id = answer.request_id ?? "";
    tellEmbedder({ type: "card-door:result", ...resultOf(answer), message, request_id, card: answer.card ?? null });
    if (succeeded && asked("return_url")) location.replace(element("return").href);
  }

  function tellHeight() {
    tellEmbedder({ type: "card-door:height", height: Math.ceil(document.querySelector("main").getBoundingClientRect().height) });
  }

  // The browser delivers to the named origin alone. Where it is known who embeds the page, the others are not tried, as
  // each try would be an error in the console.
  function tellEmbedder(message) {
    if (!framed) return;
    const referrer = originOf(document.referrer); // of the page around it, or of this one in the other language
    const embedder = location.ancestorOrigins?.[0] ?? page.origins.find((origin) => origin === referrer);
    for (const origin of page.origins) {
      if (!embedder || embedder === origin) window.parent.postMessage(message, origin);
    }
  }

  function originOf(address) {
    return address ? new URL(address).origin : "";
  }
}
