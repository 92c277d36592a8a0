"""A shop's server that takes the card door's events: docs/events.md. Python 3.9 or newer, no packages.

WEBHOOK_KEY=… IMP_KEY=… IMP_SECRET=… python3 receiver.py 8000
"""

import hmac
import json
import os
import re
import sys
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

IAMPORT = os.environ.get("IAMPORT_BASE_URL", "https://api.iamport.kr")
KEYS = [key for key in os.environ["WEBHOOK_KEY"].replace(" ", "").split(",") if key]  # both, while the key is changed
TAKEN = Path(os.environ.get("TAKEN", "taken"))  # a folder in the place of your database
PRICES = {"order-1": 9900}  # won; your own orders
PAID = ("payment.paid", "payment.paid_without_key")
SECONDS = 2  # for each of two requests to Iamport, as EventBridge waits for five

OK, BAD_REQUEST, UNAUTHORIZED, NOT_SO_AT_IAMPORT, TRY_AGAIN = 204, 400, 401, 422, 503


class NoAnswer(Exception):
    """Of Iamport's. EventBridge will ask again."""


def is_ours(key):
    """In the same time whatever the key is, so that nobody can guess it letter by letter."""
    return any(hmac.compare_digest(key.encode(), ours.encode()) for ours in KEYS)


def take(event):
    """The status to answer with."""
    detail, name = event["detail"], f"{event['detail']['attempt_id']}-{event['detail-type']}"
    if not re.fullmatch(r"[0-9a-f]{32}-[a-z_.]+", name):
        return BAD_REQUEST
    place = TAKEN / f"{name}.json"
    if place.exists():
        return OK
    if event["detail-type"] in PAID and not is_paid(detail):
        return NOT_SO_AT_IAMPORT
    try:
        with place.open("x", encoding="utf-8") as file:  # yours: a unique key, in one transaction with what you grant
            json.dump(event, file, ensure_ascii=False)
    except FileExistsError:
        pass  # the same event, at the same moment
    return OK


def is_paid(detail):
    """An event is a hint: what was paid, Iamport says, and what it costs, your order does."""
    keys = {"imp_key": os.environ["IMP_KEY"], "imp_secret": os.environ["IMP_SECRET"]}
    token = (ask("/users/getToken", body=keys) or {}).get("access_token")
    if not token:
        raise NoAnswer
    payment = ask(f"/payments/find/{quote(detail['merchant_uid'], safe='')}/paid", token=token)
    return payment is not None and (
        payment["imp_uid"] == detail["imp_uid"] and payment["amount"] == PRICES.get(detail["merchant_uid"])
    )


def ask(path, body=None, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    try:
        with urlopen(Request(IAMPORT + path, data, headers), timeout=SECONDS) as answer:
            return json.load(answer)["response"]
    except HTTPError as refused:
        if refused.code == 404:
            return None
        raise NoAnswer from refused
    except (OSError, HTTPException, ValueError, KeyError) as broken:
        raise NoAnswer from broken


class Receiver(BaseHTTPRequestHandler):
    timeout = 10

    def do_POST(self):
        self.send_response(self.status())
        self.send_header("Content-Length", "0")
        self.end_headers()

    def status(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not is_ours(self.headers.get("X-Api-Key", "")):
            return UNAUTHORIZED
        try:
            return take(json.loads(body))
        except (NoAnswer, OSError):
            return TRY_AGAIN
        except (ValueError, KeyError, TypeError):
            return BAD_REQUEST


if __name__ == "__main__":
    TAKEN.mkdir(exist_ok=True)
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
