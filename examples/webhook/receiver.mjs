// A shop's server that takes the card door's events: docs/events.md. Node 18 or newer, no packages.
//
//     WEBHOOK_KEY=… IMP_KEY=… IMP_SECRET=… node receiver.mjs 8000

import { createHash, timingSafeEqual } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const { WEBHOOK_KEY, IMP_KEY, IMP_SECRET, IAMPORT_BASE_URL = "https://api.iamport.kr", TAKEN = "taken" } = process.env;
const KEYS = WEBHOOK_KEY.replaceAll(" ", "").split(",").filter(Boolean); // both, while the key is changed
const PRICES = { "order-1": 9900 }; // won; your own orders
const PAID = ["payment.paid", "payment.paid_without_key"];
const MILLISECONDS = 2000; // for each of two requests to Iamport, as EventBridge waits for five seconds

const OK = 204, BAD_REQUEST = 400, UNAUTHORIZED = 401, NOT_SO_AT_IAMPORT = 422, TRY_AGAIN = 503;

class NoAnswer extends Error {}

// In the same time whatever the key is, so that nobody can guess it letter by letter. It compares equal lengths alone.
function isOurs(key) {
  const hash = (text) => createHash("sha256").update(text).digest();
  return KEYS.map((ours) => timingSafeEqual(hash(key), hash(ours))).includes(true);
}

// The status to answer with.
async function take(event) {
  const { detail, "detail-type": type } = event;
  const name = `${detail.attempt_id}-${type}`;
  if (!/^[0-9a-f]{32}-[a-z_.]+$/.test(name)) return BAD_REQUEST;
  const place = join(TAKEN, `${name}.json`); // a folder in the place of your database
  if (existsSync(place)) return OK;
  if (PAID.includes(type) && !(await isPaid(detail))) return NOT_SO_AT_IAMPORT;
  try {
    // Yours: a unique key, in one transaction with what you grant.
    writeFileSync(place, JSON.stringify(event), { flag: "wx" });
  } catch (error) {
    if (error.code !== "EEXIST") throw error; // else the same event, at the same moment
  }
  return OK;
}

// An event is a hint: what was paid, Iamport says, and what it costs, your order does.
async function isPaid(detail) {
  const token = (await ask("/users/getToken", { imp_key: IMP_KEY, imp_secret: IMP_SECRET }))?.access_token;
  if (!token) throw new NoAnswer();
  const payment = await ask(`/payments/find/${encodeURIComponent(detail.merchant_uid)}/paid`, undefined, token);
  return payment?.imp_uid === detail.imp_uid && payment.amount === PRICES[detail.merchant_uid];
}

async function ask(path, body, token) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const request = { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) };
  try {
    const answer = await fetch(IAMPORT_BASE_URL + path, { ...request, signal: AbortSignal.timeout(MILLISECONDS) });
    if (answer.status === 404) return null;
    if (answer.ok) return (await answer.json()).response;
  } catch {
    // no line, no answer in time, or one that is no JSON
  }
  throw new NoAnswer();
}

async function statusFor(request) {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk;
  if (!isOurs(request.headers["x-api-key"] ?? "")) return UNAUTHORIZED;
  try {
    return await take(JSON.parse(body));
  } catch (error) {
    return error instanceof SyntaxError || error instanceof TypeError ? BAD_REQUEST : TRY_AGAIN;
  }
}

mkdirSync(TAKEN, { recursive: true });
createServer(async (request, response) => {
  response.writeHead(await statusFor(request)).end();
}).listen(Number(process.argv[2]), "127.0.0.1");
