"""The receivers of examples/webhook take each event once, from nobody but EventBridge, and believe Iamport alone."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests

from infra.local.event_pipe import Event
from infra.local.iamport import LOCAL_IMP_KEY, LOCAL_IMP_SECRET, Simulator, faults
from infra.local.template import PROJECT
from infra.local.webhook import KEY_HEADER, LONGEST_ANSWER, as_posted
from tests.cannot_run import cannot_run
from tests.waiting import eventually

FOLDER = PROJECT / "examples/webhook"

KEY, FORMER_KEY = "made-up-webhook-key", "made-up-former-key"

LANGUAGES = ("python", "node", "php")

ATTEMPT_ID = "0123456789abcdef0123456789abcdef"
ORDER, PRICE = "order-1", 9900


@dataclass(frozen=True)
class Receiver:
    url: str
    taken: Path

    def status(self, event: Event, key: str = KEY) -> int:
        return self.post(as_posted(event), key)

    def post(self, posted: dict[str, Any], key: str = KEY) -> int:
        return requests.post(self.url, json=posted, headers={KEY_HEADER: key}, timeout=20).status_code

    def names(self) -> list[str]:
        return [path.name for path in self.taken.iterdir()]


def command(language: str, port: int) -> list[str]:
    match language:
        case "python":
            return [sys.executable, str(FOLDER / "receiver.py"), str(port)]
        case "node":
            if (node := shutil.which("node")) is None:
                cannot_run("no Node: `apt install nodejs`")
            return [node, str(FOLDER / "receiver.mjs"), str(port)]
    if (php := shutil.which("php")) is None:
        pytest.skip("there is no PHP here, nor need there be")
    return [php, "-S", f"127.0.0.1:{port}", str(FOLDER / "receiver.php")]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def running(language: str, iamport: str, taken: Path, keys: str = f"{KEY}, {FORMER_KEY}") -> Iterator[Receiver]:
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "WEBHOOK_KEY": keys,
        "IAMPORT_BASE_URL": iamport,
        "IMP_KEY": LOCAL_IMP_KEY,
        "IMP_SECRET": LOCAL_IMP_SECRET,
        "TAKEN": str(taken),
    }
    process = subprocess.Popen(  # noqa: S603 (our own program)
        command(language, port), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        assert eventually(lambda: answers(url), seconds=20)
        yield Receiver(url, taken)
    finally:
        process.kill()
        process.wait()


def answers(url: str) -> bool:
    try:
        return requests.post(url, timeout=5).status_code == 401
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="module")
def iamport() -> Iterator[Simulator]:
    with Simulator() as simulator:
        simulator.pay(ORDER, PRICE, "customer-1")
        yield simulator


@pytest.fixture(scope="module", params=LANGUAGES)
def started(
    request: pytest.FixtureRequest, iamport: Simulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Receiver]:
    with running(request.param, iamport.url, tmp_path_factory.mktemp("taken")) as receiver:
        yield receiver


@pytest.fixture
def receiver(started: Receiver, iamport: Simulator) -> Receiver:
    iamport.choose_fault = lambda _: None
    for path in started.taken.iterdir():
        path.unlink()
    return started


@pytest.fixture
def paid(iamport: Simulator) -> Event:
    [payment] = iamport.payments
    detail = {"merchant_uid": ORDER, "imp_uid": payment.imp_uid, "amount": str(PRICE)}
    return Event("card-door", "payment.paid", {"attempt_id": ATTEMPT_ID, "customer_uid": "customer-1", **detail})


@pytest.mark.parametrize("key", ["", "another-key", KEY[:-1], f"{KEY}x", f"{KEY},{FORMER_KEY}"])
def test_whoever_has_not_the_key_is_told_so_and_nothing_is_taken(receiver: Receiver, paid: Event, key: str) -> None:
    assert receiver.status(paid, key) == 401
    assert receiver.names() == []


@pytest.mark.parametrize("keys", ["", f"{KEY},"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_key_that_was_left_empty_lets_nobody_in(
    language: str, keys: str, iamport: Simulator, tmp_path: Path, paid: Event
) -> None:
    with running(language, iamport.url, tmp_path, keys) as receiver:
        assert receiver.status(paid, "") == 401
        assert receiver.names() == []


@pytest.mark.parametrize("key", [KEY, FORMER_KEY])
def test_an_event_is_taken_once_however_often_it_comes(receiver: Receiver, paid: Event, key: str) -> None:
    assert [receiver.status(paid, key) for _ in range(2)] == [204, 204]
    assert receiver.names() == [f"{ATTEMPT_ID}-payment.paid.json"]


def test_an_attempt_may_be_told_twice_with_different_endings(receiver: Receiver, paid: Event) -> None:
    for detail_type in ("billing_key.unknown", "billing_key.issued"):
        assert receiver.status(replace(paid, detail_type=detail_type)) == 204
    assert len(receiver.names()) == 2


def test_of_the_same_event_twice_at_the_same_moment_the_first_is_kept(
    iamport: Simulator, receiver: Receiver, paid: Event
) -> None:
    """Both have looked before either is taken, where a server does more than one thing at a time."""
    slow = iter([faults.slow(0.6), faults.slow(1.0)])
    iamport.choose_fault = lambda call: next(slow, None) if call.endpoint == "find_payment" else None
    first, second = ({**as_posted(paid), "id": name} for name in ("first", "second"))
    before = len(iamport.calls)
    with ThreadPoolExecutor(2) as threads:
        sent = [threads.submit(receiver.post, first)]
        assert eventually(lambda: len(iamport.calls) == before + 2, seconds=5), "the token, and the payment"
        sent.append(threads.submit(receiver.post, second))
        assert [one.result() for one in sent] == [204, 204]
    [kept] = receiver.taken.iterdir()
    assert json.loads(kept.read_text("utf-8"))["id"] == "first"


@pytest.mark.parametrize("detail_type", ["payment.paid", "payment.paid_without_key"])
@pytest.mark.parametrize(
    "lie", [{"imp_uid": "imp_000000000000"}, {"merchant_uid": "order-2"}, {"merchant_uid": "never/paid"}]
)
def test_a_payment_that_iamport_does_not_know_so_is_refused_for_good(
    receiver: Receiver, paid: Event, detail_type: str, lie: dict[str, str]
) -> None:
    assert receiver.status(Event("card-door", detail_type, {**paid.detail, **lie})) == 422
    assert receiver.names() == []


def test_an_order_that_was_paid_too_little_for_is_refused(iamport: Simulator, receiver: Receiver, paid: Event) -> None:
    """order-2 is none of the shop's; the price is the shop's own, and not what the event says."""
    cheap = iamport.pay("order-2", 100, "customer-1")
    detail = {**paid.detail, "merchant_uid": "order-2", "imp_uid": cheap.imp_uid, "amount": "100"}
    try:
        assert receiver.status(Event("card-door", "payment.paid", detail)) == 422
    finally:
        iamport.reset()
        iamport.pay(ORDER, PRICE, "customer-1")


@pytest.mark.parametrize("endpoint", ["token", "find_payment"])
@pytest.mark.parametrize(
    "fault", [faults.SERVER_ERROR, faults.LINE_CUT, faults.NOT_JSON], ids=["500", "line cut", "not JSON"]
)
def test_while_iamport_does_not_answer_the_event_is_asked_for_again(
    iamport: Simulator, receiver: Receiver, paid: Event, endpoint: str, fault: faults.Fault
) -> None:
    iamport.choose_fault = lambda call: fault if call.endpoint == endpoint else None
    assert receiver.status(paid) == 503
    assert receiver.names() == []
    iamport.choose_fault = lambda _: None
    assert receiver.status(paid) == 204


def test_who_waits_for_iamport_answers_before_eventbridge_hangs_up(
    iamport: Simulator, receiver: Receiver, paid: Event
) -> None:
    iamport.choose_fault = lambda call: faults.slow(LONGEST_ANSWER) if call.endpoint == "find_payment" else None
    began = time.monotonic()
    assert receiver.status(paid) == 503
    assert time.monotonic() - began < LONGEST_ANSWER


@pytest.mark.parametrize(
    ("file", "compares"),
    [("receiver.py", "hmac.compare_digest"), ("receiver.mjs", "timingSafeEqual"), ("receiver.php", "hash_equals")],
)
def test_a_key_is_compared_in_the_same_time_whatever_it_is(file: str, compares: str) -> None:
    """What that takes is nothing that could be measured here."""
    [body] = re.findall(r"^(?:def|function) is_?ours.*?\n\n", (FOLDER / file).read_text("utf-8"), re.I | re.S | re.M)
    assert compares in body
    assert "==" not in body


@pytest.mark.parametrize("body", ["", "[]", "{", '{"detail": {}}', '{"detail": {"attempt_id": "../x"}}', "null"])
def test_what_is_no_event_is_refused_for_good(receiver: Receiver, body: str) -> None:
    answer = requests.post(receiver.url, data=body, headers={KEY_HEADER: KEY}, timeout=20)
    assert answer.status_code == 400
    assert receiver.names() == []
