"""The probe tells what holds of an Iamport and what does not, and neither issues, charges nor shows a key."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from infra.local.iamport import CONTRACTS, LOCAL_IMP_KEY, LOCAL_IMP_SECRET, Fault, Simulator, faults
from infra.local.iamport.contracts import with_all_others
from infra.local.iamport.envelope import Reply
from infra.local.template import PROJECT
from infra.probe import FACTS, SETTINGS_BY_PG

KEYS = {"IMP_KEY": LOCAL_IMP_KEY, "IMP_SECRET": LOCAL_IMP_SECRET}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(contracts=with_all_others("ksnet")) as simulator:
        yield simulator


def probe(
    url: str, *arguments: str, typed: str = "", keys: dict[str, str] = KEYS
) -> "subprocess.CompletedProcess[str]":
    """As `make probe` runs it."""
    environment = {"PATH": os.environ["PATH"], "IAMPORT_BASE_URL": url, **keys}
    command = [sys.executable, "-m", "infra.probe", *arguments]
    return subprocess.run(  # noqa: S603 (our own command)
        command,
        cwd=PROJECT,
        env=environment,
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        start_new_session=True,  # no terminal to read keys from
    )


def verdicts(output: str) -> list[tuple[str, str]]:
    lines = [line for line in output.splitlines() if line[:3] in ("met", "NOT")]
    return [(line[:11].strip(), line[11:]) for line in lines]


def not_met(output: str) -> list[str]:
    return [told for verdict, told in verdicts(output) if verdict != "met"]


def test_the_simulator_is_as_the_service_takes_iamport_to_be(simulator: Simulator) -> None:
    ended = probe(simulator.url)

    assert [told.partition(":")[0] for _, told in verdicts(ended.stdout)] == [fact.asked for fact in FACTS]
    assert (not_met(ended.stdout), ended.returncode, ended.stderr) == ([], 0, "")


def test_it_asks_nothing_that_issues_or_charges(simulator: Simulator) -> None:
    probe(simulator.url)

    asked = {(call.method, call.endpoint) for call in simulator.calls}
    assert {one for one in asked if one[0] != "GET"} == {("POST", "token")}
    assert (simulator.customers, simulator.payments, simulator.schedules) == ({}, [], [])


def test_what_was_unverified_is_told_as_it_is(simulator: Simulator) -> None:
    told = probe(simulator.url).stdout
    with Simulator(unknown_uid_as_404=True, no_payments_as_empty_list=True) as other:
        told_of_other = probe(other.url).stdout

    assert "an unknown order, by findAll: HTTP 404, which was unverified" in told
    assert "an unknown customer_uid: HTTP 200, code 1\n" in told
    assert "an unknown order, by findAll: an empty list, which was unverified" in told_of_other
    assert "an unknown customer_uid: HTTP 404\n" in told_of_other


def test_a_wrong_token_may_be_answered_without_the_envelope(simulator: Simulator) -> None:
    bare = Fault(faults.Kind.OTHER_ANSWER, processed=False, answer=Reply(401, b"Unauthorized", "text/plain"))
    simulator.fail_next("look_up", bare)

    assert "anything by a wrong token: HTTP 401 without it, which was unverified" in probe(simulator.url).stdout


@pytest.mark.parametrize("index", range(len(FACTS)), ids=[fact.asked for fact in FACTS])
def test_any_fact_may_not_hold(simulator: Simulator, index: int) -> None:
    simulator.choose_fault = lambda _call: faults.refusing(418, -7, "") if len(simulator.calls) == index + 1 else None
    ended = probe(simulator.url)

    assert not_met(ended.stdout)[0].startswith(f"{FACTS[index].asked}: HTTP 418, code -7 instead of ")
    assert ended.returncode == 1


@pytest.mark.parametrize(
    ("endpoint", "fault", "told"),
    [
        ("look_up", faults.refusing(200, -1, ""), "an unknown customer_uid: HTTP 200, code -1 instead of"),
        ("find_payment", faults.answering({}), "an unknown order, by find: HTTP 200, code 0 instead of"),
        ("find_payments", faults.answering({"list": [{}]}), "an unknown order, by findAll: HTTP 200, code 0 instead"),
        ("find_payments", faults.refusing(404, 0, ""), "an unknown order, by findAll: HTTP 404, code 0 instead of"),
        ("find_payments", faults.SERVER_ERROR, "an unknown order, by findAll: HTTP 500, no envelope instead of"),
        ("channels", faults.refusing(403, -1, ""), "the channels: HTTP 403, code -1 instead of"),
    ],
)
def test_what_does_not_hold_is_told(simulator: Simulator, endpoint: str, fault: Fault, told: str) -> None:
    simulator.fail_next(endpoint, fault, times=3)
    ended = probe(simulator.url)

    assert [line for line in not_met(ended.stdout) if line.startswith(told)]
    assert ended.returncode == 1


@pytest.mark.parametrize(
    ("response", "asked"),
    [
        ({"access_token": "0" * 39, "now": 1, "expired_at": 2}, "a token"),
        ({"access_token": "0" * 40, "now": 1, "expired_at": 1802}, "a token"),
        ({"access_token": "0" * 40, "now": 1, "expired_at": 1}, "a token"),
        ({"access_token": "0" * 40, "now": 1, "expired_at": 2}, "a token again"),
    ],
)
def test_a_token_of_another_kind_is_told(simulator: Simulator, response: dict[str, object], asked: str) -> None:
    simulator.fail_next("token", faults.answering(response))

    assert [line for line in not_met(probe(simulator.url).stdout) if line.startswith(f"{asked}: ")]


@pytest.mark.parametrize("odd", ["0123\n4567", "0123\u20ac4567", ""])
def test_a_token_that_is_none_is_told_and_not_printed(simulator: Simulator, odd: str) -> None:
    simulator.fail_next("token", faults.answering({"access_token": odd, "now": 1, "expired_at": 2}), times=2)
    ended = probe(simulator.url)

    assert (not_met(ended.stdout)[0][:9], ended.returncode, ended.stderr) == ("a token: ", 1, "")
    assert "4567" not in ended.stdout


def test_wrong_keys_end_it_at_once(simulator: Simulator) -> None:
    ended = probe(simulator.url, keys=KEYS | {"IMP_SECRET": "another"})

    assert not_met(ended.stdout) == ["a token: HTTP 401, code -1 instead of 40 hex digits, for half an hour at most"]
    assert "are the keys those of the V1 API?" in ended.stdout
    assert (ended.returncode, len(simulator.calls)) == (1, 1)


def test_a_cut_line_and_no_server_are_told(simulator: Simulator) -> None:
    simulator.fail_next("channels", faults.LINE_CUT)
    cut = probe(simulator.url)
    simulator.stop()
    nobody = probe(simulator.url)

    assert not_met(cut.stdout) == ["the channels: RemoteDisconnected"]
    assert not_met(nobody.stdout) == ["a token: Connection refused"]
    assert (cut.returncode, nobody.returncode, cut.stderr, nobody.stderr) == (1, 1, "", "")


def test_each_channel_is_shown_with_its_settings(simulator: Simulator) -> None:
    told = probe(simulator.url).stdout

    ksnet = told.partition("\n  ksnet.local-ksnet (test)\n")[2].split("\n\n")[0]
    assert "IamportPg=ksnet.local-ksnet" in ksnet
    assert "IamportChannelKey=channel-key-local-ksnet" in ksnet
    assert "FirstPayment=again" in ksnet
    assert "IamportChannelKey=channel-key-local-settle" not in told


def test_what_is_said_of_a_pg_agrees_with_its_contract() -> None:
    for contract in CONTRACTS:
        said = SETTINGS_BY_PG[contract.pg_provider]
        assert ("FirstPayment=again" in said) is not contract.keeps_key_at_onetime, contract.name


@pytest.mark.parametrize("keys", [KEYS, {}])
def test_no_key_and_no_token_is_printed(simulator: Simulator, keys: dict[str, str]) -> None:
    ended = probe(simulator.url, keys=keys, typed=f"{LOCAL_IMP_KEY}\n{LOCAL_IMP_SECRET}\n")

    token = simulator._account.tokens.hand_out(0).access_token
    assert verdicts(ended.stdout)
    assert [
        secret for secret in (LOCAL_IMP_KEY, LOCAL_IMP_SECRET, token) if secret in ended.stdout + ended.stderr
    ] == []


def test_keys_are_typed_in_where_the_environment_has_none(simulator: Simulator) -> None:
    typed = probe(simulator.url, keys={}, typed=f"{LOCAL_IMP_KEY}\n{LOCAL_IMP_SECRET}\n")
    nothing = probe(simulator.url, keys={})

    assert typed.returncode == 0
    assert (nothing.returncode, len(simulator.calls)) == (1, len(FACTS))
    assert "No keys" in nothing.stderr


def test_keys_in_the_command_line_are_refused(simulator: Simulator) -> None:
    ended = probe(simulator.url, LOCAL_IMP_KEY, LOCAL_IMP_SECRET)

    assert (ended.returncode, ended.stdout, simulator.calls) == (1, "", [])
    assert LOCAL_IMP_SECRET not in ended.stderr
