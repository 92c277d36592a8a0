"""A marked card is pushed down every path; afterwards everything that came out is searched for it."""

import json
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from infra.local.aws import Aws
from infra.local.event_pipe import Stream
from infra.local.iamport import Simulator, faults
from tests.attempts_table import items
from tests.conftest import ClockAhead
from tests.integration.door import FORM, PLURAL, Door, form_fields, settle, signed_fields

NUMBER = "0000987698769876"
MARKED = {"card_number": NUMBER, "birth": "851231", "pwd_2digit": "73", "customer_name": "marked-name"}
SECRETS = (NUMBER, "0000-9876-9876-9876", "851231", "marked-name", "local-imp-secret")


def found_in(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


@pytest.fixture(autouse=True)
def every_switch_is_on_that_makes_powertools_talk(monkeypatch: pytest.MonkeyPatch, door: Door) -> None:  # noqa: ARG001
    for switch in ("POWERTOOLS_LOGGER_LOG_EVENT", "POWERTOOLS_DEV", "POWERTOOLS_DEBUG"):
        monkeypatch.setenv(switch, "true")
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "DEBUG")
    # Else POWERTOOLS_DEV keeps the metrics back: they would go unsearched, and into the log of a later test.
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "false")


EVERY_FAULT = [fault for name, fault in vars(faults).items() if isinstance(fault, faults.Fault) and name.isupper()]


@pytest.mark.parametrize("endpoint", ["token", "look_up", "issue"])
def test_through_every_failure_of_the_gateway(
    iamport: Simulator, aws: Aws, capsys: pytest.CaptureFixture[str], endpoint: str
) -> None:
    door, came_out = Door(), []
    for fault in EVERY_FAULT:
        iamport.fail_next(endpoint, fault, times=2)
        came_out.append(json.dumps(door.post_json(form_fields(**MARKED), seconds_left=13).body, ensure_ascii=False))
    settle()
    written = capsys.readouterr()
    assert '"outcome"' in written.out
    assert found_in("".join(came_out) + written.out + written.err + json.dumps(items(aws))) == []


def test_through_every_kind_of_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    door, good = Door(), json.dumps(form_fields(**MARKED))
    bodies: list[str | bytes] = [
        good[:-1],
        good[1:],
        f"[{good}]",
        good.replace('"customer_uid": "', f'"customer_uid": "{NUMBER}'),
        good.replace('"851231"', "851231"),
        good.replace("2099-12", "2001-01"),
        good + " " * 20_000,
        good.encode() + b"\xff",
        json.dumps({**MARKED, "card_number": [NUMBER]}),
        json.dumps({**MARKED, NUMBER: "851231"}),
    ]
    answers = [door.post(body) for body in bodies]
    answers += [door.post(good, content_type=content_type) for content_type in ("text/plain", FORM, "")]
    answers += [door.post(good, path="/elsewhere"), door.post(good, path=PLURAL, method="PUT")]
    assert all(answer.status >= 400 for answer in answers)
    written = capsys.readouterr()
    assert found_in("".join(json.dumps(answer.body) for answer in answers) + written.out + written.err) == []


def test_through_an_unforeseen_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def break_down(*arguments: object) -> None:
        raise RuntimeError(f"broken by {NUMBER} {arguments}")

    monkeypatch.setattr("billing.issuance.begin", break_down)
    answer = Door().post_json(form_fields(**MARKED))
    assert (answer.status, answer.body["code"]) == (500, "internal_error")
    assert answer.body["request_id"]
    written = capsys.readouterr()
    line = next(json.loads(line) for line in written.out.splitlines() if "internal_error" in line)
    assert line["exception_type"] == "RuntimeError"
    assert "break_down" in line["place"][-1]
    assert found_in(json.dumps(answer.body) + written.out + written.err) == []


# ---- The gateway quotes what it was sent, in every field ----

SEPARATORS = ("", " ", "-", ".", "/", "_", "*", "\u00a0", "\u2009", "\u200b", "\u2011", "\u2013", "\u3000", "\uff0d")
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def in_every_way(*groups: str) -> list[str]:
    joined = [separator.join(groups) for separator in SEPARATORS]
    return joined + [way.translate(FULL_WIDTH) for way in joined]


NUMBERS, BIRTHS = in_every_way("0000", "9876", "9876", "9876"), [f"({way})" for way in in_every_way("85", "12", "31")]
PASSWORDS = [f"<{way}>" for way in in_every_way("7", "3")]
"""In angles, as two digits stand everywhere."""
QUOTE = " 카드 ".join(NUMBERS) + " 생년월일 ".join(BIRTHS) + " 비밀번호 ".join(PASSWORDS)
QUOTING_KEY: dict[str, object] = {"card_name": QUOTE, "card_number": f"{NUMBER}*", "card_code": QUOTE}
QUOTING_PAYMENT: dict[str, object] = {
    **QUOTING_KEY,
    "fail_reason": QUOTE,
    "receipt_url": f"https://receipts.invalid/?card={NUMBER}&birth=(851231)&pwd=<73>",
    "buyer_name": QUOTE,
}


def quoted_in(text: str, *, by_settler: bool) -> list[str]:
    """Who settles has no card at hand, and so no birth date and no password."""
    secrets = {*NUMBERS, NUMBER[:12], NUMBER[4:]} | (set() if by_settler else {*BIRTHS, *PASSWORDS})
    return [secret for secret in secrets if secret in text or secret in unicodedata.normalize("NFKC", text)]


@dataclass(frozen=True)
class Path:
    door: Door
    iamport: Simulator
    clock: ClockAhead

    def post(self, *, paying: bool = False, **claims: Any) -> str:
        payment: dict[str, Any] = (
            {"payment": {"merchant_uid": "order-1", "amount": 9900, "name": "first month"}} if paying else {}
        )
        fields = signed_fields("mine", **claims, **payment) | {
            name: value for name, value in MARKED.items() if name != "customer_name"
        }
        return json.dumps(self.door.post_json(fields, seconds_left=19).body, ensure_ascii=False)


def a_refused_card(path: Path) -> Iterator[str]:
    for http_status, code in ((200, -1), (200, 1), (200, 2), (400, -1), (403, -1), (404, -1)):
        path.iamport.fail_next("issue", faults.refusing(http_status, code, QUOTE))
        yield path.post()


def a_card_that_is_issued(path: Path) -> Iterator[str]:
    path.iamport.fail_next("issue", faults.answering({"customer_uid": "mine", **QUOTING_KEY}))
    yield path.post()


def one_that_is_found_after_a_lost_answer(path: Path) -> Iterator[str]:
    path.iamport.show_oddly("mine", **QUOTING_KEY)
    path.iamport.fail_next("issue", faults.ANSWER_LOST)
    yield path.post()


def one_that_is_registered_before(path: Path) -> Iterator[str]:
    path.iamport.register("mine", "0000-1111-2222-3333")
    path.iamport.show_oddly("mine", **QUOTING_KEY)
    yield path.post()
    yield path.post(replace=True)


def a_refused_payment(path: Path) -> Iterator[str]:
    for http_status, code in ((200, -1), (200, 1), (400, -1), (403, -1)):
        path.iamport.fail_next("pay_onetime", faults.refusing(http_status, code, QUOTE))
        yield path.post(paying=True)


def a_payment_that_fails(path: Path) -> Iterator[str]:
    failed = {"imp_uid": "imp_1", "status": "failed", "merchant_uid": "order-1", **QUOTING_PAYMENT}
    path.iamport.fail_next("pay_onetime", replace(faults.answering(failed), processed=False))
    yield path.post(paying=True)


def a_payment_that_is_paid(path: Path) -> Iterator[str]:
    paid = {"imp_uid": "imp_1", "status": "paid", "merchant_uid": "order-1", "amount": 9900, **QUOTING_PAYMENT}
    path.iamport.fail_next("pay_onetime", faults.answering(paid))
    path.iamport.show_oddly("mine", **QUOTING_KEY)
    yield path.post(paying=True)


def one_that_is_found_paid(path: Path) -> Iterator[str]:
    path.iamport.show_payments_oddly("order-1", **QUOTING_PAYMENT)
    path.iamport.show_oddly("mine", **QUOTING_KEY)
    path.iamport.fail_next("pay_onetime", faults.ANSWER_LOST)
    yield path.post(paying=True)
    path.clock.advance(700)
    yield path.post(paying=True)


def a_charge_that_is_refused(path: Path) -> Iterator[str]:
    for http_status, code in ((200, -1), (200, 1), (400, -1), (403, -1)):
        path.iamport.fail_next("pay_again", faults.refusing(http_status, code, QUOTE))
        path.iamport.show_oddly("mine", **QUOTING_KEY)
        yield path.post(paying=True, replace=True)


def a_charge_that_fails(path: Path) -> Iterator[str]:
    failed = {"imp_uid": "imp_1", "status": "failed", "merchant_uid": "order-1", **QUOTING_PAYMENT}
    path.iamport.fail_next("pay_again", replace(faults.answering(failed), processed=False))
    yield path.post(paying=True)


def a_charge_that_is_paid(path: Path) -> Iterator[str]:
    paid = {"imp_uid": "imp_1", "status": "paid", "merchant_uid": "order-1", "amount": 9900, **QUOTING_PAYMENT}
    path.iamport.fail_next("pay_again", faults.answering(paid))
    path.iamport.show_oddly("mine", **QUOTING_KEY)
    yield path.post(paying=True)


CHARGING = (a_charge_that_is_refused, a_charge_that_fails, a_charge_that_is_paid)
"""By way of `again`."""


def what_the_settler_finds(path: Path) -> Iterator[str]:
    """A key under one uid, a refused payment under another."""
    path.iamport.show_oddly("mine", **QUOTING_KEY)
    path.iamport.show_payments_oddly("order-1", status="failed", **QUOTING_PAYMENT)
    for endpoint, paying in (("issue", False), ("pay_onetime", True)):
        path.iamport.fail_next(endpoint, faults.ANSWER_LOST)
        path.iamport.choose_fault = lambda call: faults.SERVER_ERROR if call.endpoint == "look_up" else None
        yield path.post(paying=paying, new=True)
        path.iamport.choose_fault = lambda _: None
        path.clock.advance(300)
        settle()


@pytest.mark.usefixtures("door")
@pytest.mark.parametrize(
    "walk",
    [
        a_refused_card,
        a_card_that_is_issued,
        one_that_is_found_after_a_lost_answer,
        one_that_is_registered_before,
        a_refused_payment,
        a_payment_that_fails,
        a_payment_that_is_paid,
        one_that_is_found_paid,
        *CHARGING,
        what_the_settler_finds,
    ],
)
def test_through_a_gateway_that_quotes_it_in_every_field(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    iamport: Simulator,
    clock: ClockAhead,
    aws: Aws,
    walk: Callable[[Path], Iterator[str]],
) -> None:
    """What is told as an event leaves through the table's stream, without code."""
    monkeypatch.setenv("CUSTOMER_IDENTITY", "signed")
    monkeypatch.setenv("FIRST_PAYMENT", "again" if walk in CHARGING else "onetime")
    stream = Stream(aws)
    answers = list(walk(Path(Door(), iamport, clock)))
    written = capsys.readouterr()
    streamed = stream.records()
    came_out = "".join(answers) + written.out + written.err + json.dumps([items(aws), streamed], ensure_ascii=False)
    assert '"outcome"' in came_out
    assert '"ended_at"' in came_out
    assert quoted_in(came_out, by_settler=walk is what_the_settler_finds) == []
