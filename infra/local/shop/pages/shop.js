const POLL = 1000; // milliseconds

const KINDS = [
  ["0000-1000-", "등록됨"],
  ["0000-2000-", "거절됨"],
  ["0000-3000-", "통신 장애"],
  ["0000-4000-", "첫 결제에서 달라짐 (그 밖에는 등록됨)"],
];

// What the simulator's cards do; one that is missing here is shown in the simulator's own words.
const CARDS = {
  issued_credit: "신용카드",
  issued_debit: "체크카드",
  issued_amex: "15자리 번호",
  issued_unknown_type: "카드 종류를 알 수 없음",
  unknown_bin: "유효하지 않은 카드번호",
  wrong_number: "카드번호 틀림",
  wrong_password: "비밀번호 틀림",
  wrong_expiry: "유효기간 오류",
  wrong_birth: "생년월일 또는 사업자등록번호 오류",
  nicepay_error: "PG의 다른 형식으로 온 비밀번호 오류",
  no_channel: "판매자의 결제 채널이 없음",
  refusal_echoes_card: "거절 문구에 카드번호가 들어 있음 (가려져서 나옴)",
  slow: "3초 뒤에 등록",
  too_late: "등록은 되지만 응답이 40초 걸림",
  answer_lost: "등록된 뒤 연결이 끊김",
  line_cut: "등록되지 않고 연결이 끊김",
  server_error: "HTTP 500, 등록되지 않음",
  html: "HTML로 온 HTTP 502, 등록되지 않음",
  html_afterwards: "등록된 뒤 HTML로 온 HTTP 502",
  too_many_requests: "HTTP 429, 등록되지 않음",
  empty_response: "등록되었지만 응답이 비어 있음",
  drip: "0.5초에 1바이트씩 오는 응답",
  payment_refused_without_key: "결제가 거절되고 카드도 남지 않음",
  payment_refused_with_key: "결제는 거절되고 카드는 남음",
  payment_failed: "결제 상태가 failed",
  payment_answer_lost: "결제된 뒤 연결이 끊김",
  paid_without_key: "결제되었지만 카드가 남지 않음",
};

const EVENTS = {
  "billing_key.issued": ["카드가 등록되었습니다", "good"],
  "billing_key.declined": ["카드가 거절되었습니다", "bad"],
  "billing_key.not_issued": ["카드가 등록되지 않았습니다", "bad"],
  "billing_key.unknown": ["결과를 끝내 알 수 없습니다", "bad"],
  "payment.paid": ["카드가 등록되고 결제되었습니다", "good"],
  "payment.paid_without_key": ["결제만 되고 카드는 없습니다", "bad"],
  "payment.failed": ["결제가 거절되었습니다", "bad"],
};

const element = (id) => document.getElementById(id);
const wishes = element("wishes");
const visit = await json("/visit");
let heard = 0;

element("customer").textContent = visit.customer_uid;
element("order").textContent = visit.payment.merchant_uid;
showDoors();
showCards();
showResult(new URLSearchParams(location.search));
wishes.addEventListener("change", showDoors);
wishes.addEventListener("submit", go);
element("new-visit").addEventListener("click", beginAnotherVisit);
listen();

async function json(address, options) {
  return (await fetch(address, { ...options, cache: "no-store" })).json();
}

function make(name, className, ...children) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

// ---- What to try ----

function showDoors() {
  for (const radio of wishes.elements.identity) radio.disabled = !(radio.value in visit.doors);
  element("claims").disabled = wishes.elements.identity.value !== "signed";
  const react = [...wishes.elements.page].find((radio) => radio.value === "react/");
  react.disabled = !visit.react_built;
  if (!visit.react_built) element("react-note").textContent = "make examples로 먼저 만드세요 (npm 필요)";
}

function go(event) {
  event.preventDefault();
  const asked = new FormData(wishes); // without what is disabled
  const [identity, page] = [asked.get("identity"), asked.get("page")];
  for (const name of ["identity", "page"]) asked.delete(name);
  location.assign(`/${identity}/${page}?${new URLSearchParams(asked)}`);
}

async function beginAnotherVisit() {
  await json("/visit", { method: "POST" });
  location.assign("/");
}

function showCards() {
  for (const [beginning, heading] of KINDS) {
    const cards = visit.cards.filter(({ number }) => number.startsWith(beginning));
    if (cards.length) element("cards").append(make("div", "", make("h3", "", heading), make("ul", "", ...cards.map(card))));
  }
}

function card({ number, scenario, what_happens }) {
  const copy = make("button", "", number);
  copy.type = "button";
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(number);
    element("copied").textContent = `${number}을(를) 복사했습니다.`;
  });
  return make("li", "", copy, make("span", "", CARDS[scenario] ?? what_happens));
}

// ---- What became of it ----

// In the address that the hosted form leads back to. Anybody can write an address: the event is what counts.
function showResult(address) {
  const status = address.get("status");
  if (!status) return;
  const succeeded = status === "success";
  element("result").hidden = false;
  element("result").classList.toggle("good", succeeded);
  element("result-heading").textContent = succeeded ? "카드를 등록하고 돌아오셨네요" : "카드를 등록하지 못하고 돌아오셨네요";
  element("result-text").textContent =
    "주소에 적힌 결과는 누구나 지어낼 수 있습니다. 가게는 서버가 받은 이벤트만 믿습니다.";
  history.replaceState(null, "", "/");
}

async function listen() {
  try {
    const news = await json(`/events?after=${heard}`);
    heard = news.after;
    for (const event of news.events) element("events").prepend(told(event));
    element("no-events").hidden = heard > 0;
  } catch {
    // The server has stopped, or is being started anew.
  }
  setTimeout(listen, POLL);
}

function told({ detail_type, detail }) {
  const [words, kind] = EVENTS[detail_type] ?? [detail_type, ""];
  const at = new Date(detail.time);
  const time = make("time", "", at.toLocaleTimeString("ko-KR"));
  time.dateTime = detail.time;
  const own = detail.customer_uid === visit.customer_uid;
  const facts = [
    own ? "이 손님" : detail.customer_uid,
    [detail.card_name, detail.card].filter(Boolean).join(" "),
    detail.amount !== "0" && `${Number(detail.amount).toLocaleString("ko-KR")}원`,
    detail.message,
  ];
  const all = make("details", "", make("summary", "", detail_type), make("pre", "", JSON.stringify(detail, null, 2)));
  return make(
    "li",
    kind,
    make("p", "what", make("span", "", words), time),
    make("p", "of-whom", facts.filter(Boolean).join(" · ")),
    all,
  );
}
