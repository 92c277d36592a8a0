"""A client of the Iamport simulator, for its own tests."""

from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import requests

from infra.local.iamport import LOCAL_IMP_KEY, LOCAL_IMP_SECRET, Simulator, Timing, faults

NOW = 1_595_843_345
QUICK = Timing(slow=0.2, too_late=5.0, too_late_stored=0.1, drip_per_byte=0.0005)
MARKED_CARD = "0000-7777-8888-1234"
CARD = {"card_number": MARKED_CARD, "expiry": "2099-12", "birth": "880101", "pwd_2digit": "57"}
PAYMENT = {"merchant_uid": "order-1", "amount": 1000, "name": "구독 1개월"}


class StandingClock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@dataclass
class Client:
    """A client of the simulator with a live token."""

    simulator: Simulator
    session: requests.Session = field(default_factory=requests.Session)

    def log_in(self) -> None:
        answer = self.token()
        self.session.headers["Authorization"] = f"Bearer {answer.json()['response']['access_token']}"

    def token(self, **credentials: str) -> requests.Response:
        body = {"imp_key": LOCAL_IMP_KEY, "imp_secret": LOCAL_IMP_SECRET} | credentials
        return self.post("/users/getToken", body)

    def post(self, path: str, body: dict[str, Any], timeout: float = 3) -> requests.Response:
        return self.session.post(self.simulator.url + path, json=body, timeout=timeout, allow_redirects=False)

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.simulator.url + path, timeout=3)

    def issue(self, uid: str = "member-1", timeout: float = 3, **changes: object) -> requests.Response:
        return self.post(customer_path(uid), CARD | changes, timeout)

    def look_up(self, uid: str = "member-1") -> requests.Response:
        return self.get(customer_path(uid))

    def pay(self, **changes: object) -> requests.Response:
        return self.post("/subscribe/payments/onetime", PAYMENT | CARD | changes)


def customer_path(uid: str) -> str:
    return f"/subscribe/customers/{quote(uid, safe='')}"


def envelope(code: int, message: str) -> dict[str, object]:
    return {"code": code, "message": message, "response": None}


# Every fault that still sends an answer, and the HTTP status of it.
HTTP_FAULTS = [
    (faults.SERVER_ERROR, 500),
    (faults.HTML, 502),
    (faults.HTML_AFTERWARDS, 502),
    (faults.TOO_MANY_REQUESTS, 429),
    (faults.UNAUTHORIZED, 401),
    (faults.NOT_JSON, 200),
    (faults.EMPTY_RESPONSE, 200),
    (faults.REDIRECT, 302),
    (replace(faults.SERVER_ERROR, processed=True), 500),
]
