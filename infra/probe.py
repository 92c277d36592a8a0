"""`python -m infra.probe`: whether the real Iamport is as this service takes it to be, by a merchant's own keys.

It asks only what issues and charges nothing: a token, what is not there, the channels. The keys come from IMP_KEY and
IMP_SECRET, or are asked for; they are in no command line and in nothing that is printed. Of an answer it tells HTTP
status and code. The exit status is 1 when a fact does not hold. IAMPORT_BASE_URL asks another address.

Standard library alone, so that it runs wherever Python 3.11 does.
"""

import getpass
import json
import os
import re
import secrets
import ssl
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, urlsplit

BASE_URL = "https://api.iamport.kr"
SECONDS_FOR_ONE_ANSWER = 30.0
LARGEST_ANSWER = 16 * 1024 * 1024
TOKEN_SECONDS = 1800
MOST_PAYMENTS = 1000
"""As many as the service asks for at once."""

NOBODY = f"card-door-probe-{secrets.token_hex(8)}"
"""A customer_uid and a merchant_uid that nobody has."""


@dataclass(frozen=True)
class Answer:
    status: int
    envelope: Mapping[str, Any] | None
    """None: the body is none."""

    @property
    def code(self) -> object:
        return None if self.envelope is None else self.envelope["code"]

    @property
    def response(self) -> object:
        return None if self.envelope is None else self.envelope.get("response")

    def seen(self) -> str:
        return f"HTTP {self.status}, " + ("no envelope" if self.envelope is None else f"code {self.code!r:.20}")


@dataclass
class Iamport:
    address: SplitResult
    imp_key: str = field(repr=False)
    imp_secret: str = field(repr=False)
    tokens: list[str] = field(default_factory=list, repr=False)

    def ask(self, method: str, path: str, body: Mapping[str, str] | None = None, authorization: str = "") -> Answer:
        """Redirects are not followed. Raises OSError, HTTPException."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": authorization} if authorization else {})
        connection = self._connection()
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, self.address.path.rstrip("/") + path, text, headers)
            response = connection.getresponse()
            return Answer(response.status, _envelope(response.read(LARGEST_ANSWER)))
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        return self.ask("GET", path, authorization=f"Bearer {self.tokens[-1]}")

    def ask_for_token(self, imp_secret: str) -> Answer:
        return self.ask("POST", "/users/getToken", {"imp_key": self.imp_key, "imp_secret": imp_secret})

    def _connection(self) -> HTTPConnection:
        host = self.address.netloc
        if self.address.scheme == "http":
            return HTTPConnection(host, timeout=SECONDS_FOR_ONE_ANSWER)
        return HTTPSConnection(host, timeout=SECONDS_FOR_ONE_ANSWER, context=ssl.create_default_context())


def _envelope(body: bytes) -> Mapping[str, Any] | None:
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return envelope if isinstance(envelope, dict) and isinstance(envelope.get("code"), int) else None


# What is asked


def first_token(iamport: Iamport) -> Answer:
    return _token(iamport)


def second_token(iamport: Iamport) -> Answer:
    return _token(iamport)


def _token(iamport: Iamport) -> Answer:
    answer = iamport.ask_for_token(iamport.imp_secret)
    match answer.response:
        # Any other would end in a header's exception, which quotes it.
        case {"access_token": str(token)} if re.fullmatch("[!-~]+", token):
            iamport.tokens.append(token)
    return answer


def wrong_secret(iamport: Iamport) -> Answer:
    return iamport.ask_for_token(secrets.token_hex(16))


def no_keys(iamport: Iamport) -> Answer:
    return iamport.ask("POST", "/users/getToken", {})


def wrong_token(iamport: Iamport) -> Answer:
    return iamport.ask("GET", f"/subscribe/customers/{NOBODY}", authorization=f"Bearer {secrets.token_hex(20)}")


def bare_token(iamport: Iamport) -> Answer:
    return iamport.ask("GET", f"/subscribe/customers/{NOBODY}", authorization=iamport.tokens[-1])


def unknown_customer(iamport: Iamport) -> Answer:
    return iamport.get(f"/subscribe/customers/{NOBODY}")


def unknown_order(iamport: Iamport) -> Answer:
    return iamport.get(f"/payments/find/{NOBODY}")


def payments_of_unknown_order(iamport: Iamport) -> Answer:
    return iamport.get(f"/payments/findAll/{NOBODY}?limit={MOST_PAYMENTS}")


def channels(iamport: Iamport) -> Answer:
    return iamport.get("/users/pg")


# What is held of it


def is_token(_iamport: Iamport, answer: Answer) -> bool:
    match answer:
        case Answer(
            200, {"code": 0, "response": {"access_token": str(token), "now": int(now), "expired_at": int(end)}}
        ):
            return re.fullmatch("[0-9a-f]{40}", token) is not None and 0 < end - now <= TOKEN_SECONDS
    return False


def is_the_same_token(iamport: Iamport, answer: Answer) -> bool:
    return is_token(iamport, answer) and len(set(iamport.tokens)) == 1


def is_channels(_iamport: Iamport, answer: Answer) -> bool:
    return answer.status == 200 and answer.code == 0 and isinstance(answer.response, list)


def is_empty_list(_iamport: Iamport, answer: Answer) -> bool:
    match answer:
        case Answer(200, {"code": 0, "response": {"list": []}}):
            return True
    return False


def says(status: int, code: int | None = None) -> Callable[[Iamport, Answer], bool]:
    """That status in an envelope, with that code or any that is no success."""

    def holds(_iamport: Iamport, answer: Answer) -> bool:
        return answer.status == status and answer.code not in (None, 0) and code in (None, answer.code)

    return holds


def says_without_envelope(status: int) -> Callable[[Iamport, Answer], bool]:
    return lambda _iamport, answer: answer.status == status and answer.envelope is None


@dataclass(frozen=True)
class Fact:
    """`held`: what the service can work with, each with its name; the first is what it takes for so."""

    asked: str
    ask: Callable[[Iamport], Answer]
    held: Mapping[str, Callable[[Iamport, Answer], bool]]
    unverified: bool = False


FACTS = (
    Fact("a token", first_token, {"40 hex digits, for half an hour at most": is_token}),
    Fact("a token again", second_token, {"the same one": is_the_same_token}),
    Fact("a token by a wrong secret", wrong_secret, {"HTTP 401, code -1": says(401, -1)}),
    Fact("a token by no keys", no_keys, {"HTTP 400 in the envelope": says(400)}),
    Fact(
        "anything by a wrong token",
        wrong_token,
        {"HTTP 401 in the envelope": says(401), "HTTP 401 without it": says_without_envelope(401)},
        unverified=True,
    ),
    Fact("the token without Bearer", bare_token, {"taken": lambda _iamport, answer: answer.status in (200, 404)}),
    Fact("an unknown customer_uid", unknown_customer, {"HTTP 200, code 1": says(200, 1), "HTTP 404": says(404)}),
    Fact("an unknown order, by find", unknown_order, {"HTTP 404, code -1": says(404, -1)}),
    Fact(
        "an unknown order, by findAll",
        payments_of_unknown_order,
        {"HTTP 404": says(404), "an empty list": is_empty_list},
        unverified=True,
    ),
    Fact("the channels", channels, {"a list": is_channels}),
)

SETTINGS_BY_PG = {
    "nice": "CardFields by the MID",
    "nice_v2": "CardFields=birth,pwd_2digit",
    "kcp": "CardFields=birth,pwd_2digit",
    "inicis": "a first payment names name, buyer_name, buyer_email, buyer_tel",
    "html5_inicis": "a first payment names name, buyer_name, buyer_email, buyer_tel",
    "tosspayments": "FirstPayment=again; claim customer with id",
    "ksnet": "FirstPayment=again, CardFields=birth,pwd_2digit; claim payment with buyer_name, product_type",
    "welcome": "claim customer with name",
    "daou": "CardFields by the MID",
    "settle": "no IamportChannelKey; CardFields by the MID; each token with a payment, unless Hecto issues without one",
}
"""docs/contracts.md, in a line."""


def run_probe(iamport: Iamport) -> bool:
    """Prints a line for each fact, then the channels; false where a fact does not hold."""
    all_hold = True
    for fact in FACTS:
        try:
            answer = fact.ask(iamport)
        except (HTTPException, OSError) as failure:  # the message of the first may quote what came
            told = failure.strerror if isinstance(failure, OSError) and failure.strerror else type(failure).__name__
            print(f"NOT ASKED  {fact.asked}: {told}")
            return False
        met = next((name for name, holds in fact.held.items() if holds(iamport, answer)), None)
        all_hold = all_hold and met is not None
        print(_line(fact, met, answer))
        if not iamport.tokens:
            print("Without a token nothing else can be asked: are the keys those of the V1 API?")
            return False
        if fact.ask is channels and met is not None:
            _print_channels(answer.response)
    return all_hold


def _line(fact: Fact, met: str | None, answer: Answer) -> str:
    if met is None:
        return f"NOT MET    {fact.asked}: {answer.seen()} instead of {' or '.join(fact.held)}"
    return f"met        {fact.asked}: {met}" + (", which was unverified" if fact.unverified else "")


def _print_channels(listed: object) -> None:
    for channel in listed if isinstance(listed, list) else []:
        if not isinstance(channel, dict):
            continue
        pg, kind = channel.get("pg_provider"), channel.get("type")
        print(f"\n  {pg}.{channel.get('pg_id')}" + (" (test)" if channel.get("sandbox") else ""))
        if kind != "api_payment":
            print(f"    {kind}: not for this service")
            continue
        print(f"    IamportPg={pg}.{channel.get('pg_id')}")
        if pg != "settle":
            print(f"    or IamportChannelKey={channel.get('channel_key')}")
        print(f"    {SETTINGS_BY_PG.get(str(pg), 'see docs/contracts.md')}")


def read_keys() -> tuple[str, str]:
    """Raises EOFError where nobody answers."""
    return (
        os.environ.get("IMP_KEY") or getpass.getpass("imp_key: "),
        os.environ.get("IMP_SECRET") or getpass.getpass("imp_secret: "),
    )


def main() -> None:
    if len(sys.argv) > 1:
        sys.exit("No arguments: the keys come from IMP_KEY and IMP_SECRET, or are asked for.")
    address = urlsplit(os.environ.get("IAMPORT_BASE_URL", BASE_URL))
    if address.scheme not in ("http", "https") or not address.hostname:
        sys.exit("IAMPORT_BASE_URL is no address.")
    try:
        imp_key, imp_secret = read_keys()
    except EOFError:
        sys.exit("No keys: set IMP_KEY and IMP_SECRET, or type them in.")
    if not run_probe(Iamport(address, imp_key, imp_secret)):
        sys.exit(1)


if __name__ == "__main__":
    main()
