"""Every way Iamport can fail, at every step of an attempt: what the caller is told, and what is true at Iamport."""

import time
from dataclasses import replace

import pytest

from infra.local.iamport import Simulator, faults
from infra.local.iamport.cards import number_of
from infra.local.iamport.faults import Fault
from tests.integration.door import Door, form_fields
from tests.serving import nobody_listening, saying_nothing

SECONDS = 15.0
"""Time of the invocation: enough for two look-ups behind an answer that never comes, and for a fresh container's first
calls to AWS on a busy machine, as with less than four seconds left for it a card is not sent."""


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        # decided or cleared up by looking it up
        (faults.slow(1.0), (200, "issued")),
        (faults.ANSWER_LOST, (200, "issued")),
        (faults.HTML_AFTERWARDS, (200, "issued")),
        (faults.TRUNCATED, (200, "issued")),
        (faults.EMPTY_RESPONSE, (200, "issued")),
        (replace(faults.SERVER_ERROR, processed=True), (200, "issued")),
        (replace(faults.NOT_JSON, processed=True), (200, "issued")),
        (faults.slow(30.0, processed_after=0.5), (200, "issued")),
        (faults.drip(0.5), (200, "issued")),
        (faults.UNAUTHORIZED, (200, "issued")),
        # certainly not processed
        (faults.TOO_MANY_REQUESTS, (502, "gateway_error")),
        (faults.REDIRECT, (502, "gateway_error")),
        # decided, and whose fault it is, nobody tells
        (faults.refusing(200, -1, "[F113]거래거절 한도초과"), (200, "declined")),
        (faults.refusing(200, 2, "no"), (200, "declined")),
        # the request is not accepted, whosever card it is
        (faults.refusing(200, 1, "비인증결제모듈 사용정보를 찾을 수 없습니다."), (502, "gateway_refused")),
        (faults.refusing(400, -1, "이니시스 빌링결제는 상품명이 필수입니다."), (502, "gateway_refused")),
        (faults.refusing(403, -1, "허용되지 않은 IP입니다."), (502, "gateway_refused")),
        (faults.refusing(404, -1, "Not Found"), (502, "gateway_refused")),
        # no document tells of it, so it decides nothing
        (faults.refusing(409, -1, "Conflict"), (504, "outcome_unknown")),
        # it may be at work still when we have to answer, whatever the line says
        (faults.LINE_CUT, (504, "outcome_unknown")),
        (faults.SERVER_ERROR, (504, "outcome_unknown")),
        (faults.HTML, (504, "outcome_unknown")),
        (faults.NOT_JSON, (504, "outcome_unknown")),
        (faults.slow(30.0, processed_after=20.0), (504, "outcome_unknown")),
    ],
)
def test_a_failure_while_issuing(door: Door, iamport: Simulator, fault: Fault, expected: tuple[int, str]) -> None:
    fields = form_fields()
    iamport.fail_next("issue", fault)
    started = time.monotonic()
    assert door.post_json(fields, seconds_left=SECONDS).outcome == expected
    assert time.monotonic() - started < SECONDS
    assert (fields["customer_uid"] in iamport.customers) == (expected[1] == "issued")
    assert iamport.endpoints.count("issue") == (2 if fault == faults.UNAUTHORIZED else 1), "never repeated on a guess"


@pytest.mark.parametrize("endpoint", ["token", "look_up"])
@pytest.mark.parametrize(
    "fault",
    [
        faults.slow(30.0),
        faults.ANSWER_LOST,
        faults.LINE_CUT,
        faults.SERVER_ERROR,
        faults.HTML,
        faults.TOO_MANY_REQUESTS,
        faults.NOT_JSON,
        faults.TRUNCATED,
        faults.EMPTY_RESPONSE,
        faults.REDIRECT,
        faults.drip(0.5),
    ],
)
def test_a_failure_before_issuing_sends_nothing(door: Door, iamport: Simulator, endpoint: str, fault: Fault) -> None:
    iamport.fail_next(endpoint, fault, times=4)
    assert door.post_json(form_fields(), seconds_left=SECONDS).outcome == (503, "unavailable")
    assert "issue" not in iamport.endpoints


@pytest.mark.parametrize("endpoint", ["token", "look_up"])
@pytest.mark.parametrize("http_status", [400, 403])
def test_a_request_before_issuing_that_is_not_accepted_sends_nothing(
    door: Door, iamport: Simulator, endpoint: str, http_status: int
) -> None:
    iamport.fail_next(endpoint, faults.refusing(http_status, -1, "허용되지 않은 IP입니다."))
    assert door.post_json(form_fields(), seconds_left=SECONDS).outcome == (502, "gateway_refused")
    assert "issue" not in iamport.endpoints


@pytest.mark.parametrize("http_status", [400, 403])
def test_a_look_that_is_not_accepted_afterwards_says_nothing_of_the_card(
    door: Door, iamport: Simulator, http_status: int
) -> None:
    fields = form_fields()
    iamport.choose_fault = lambda call: (
        faults.ANSWER_LOST
        if call.endpoint == "issue"
        else faults.refusing(http_status, -1, "허용되지 않은 IP입니다.")
        if call.endpoint == "look_up" and iamport.issue_count(fields["customer_uid"])
        else None
    )
    assert door.post_json(fields, seconds_left=SECONDS).outcome == (504, "outcome_unknown")
    assert fields["customer_uid"] in iamport.customers


@pytest.mark.parametrize("endpoint", ["token", "look_up"])
@pytest.mark.parametrize("fault", [faults.LINE_CUT, faults.SERVER_ERROR, faults.NOT_JSON])
def test_one_lost_answer_before_issuing_is_asked_for_again(
    door: Door, iamport: Simulator, endpoint: str, fault: Fault
) -> None:
    iamport.fail_next(endpoint, fault)
    assert door.post_json(form_fields()).outcome == (200, "issued")


def test_where_looking_it_up_fails_too_the_outcome_is_unknown(door: Door, iamport: Simulator) -> None:
    fields = form_fields()
    door.post_json(form_fields())  # the guard's look-up of the next card comes before the faults below
    iamport.choose_fault = lambda call: (
        faults.ANSWER_LOST
        if call.endpoint == "issue"
        else faults.SERVER_ERROR
        if call.endpoint == "look_up" and iamport.issue_count(fields["customer_uid"])
        else None
    )
    assert door.post_json(fields, seconds_left=SECONDS).outcome == (504, "outcome_unknown")
    assert fields["customer_uid"] in iamport.customers


def test_without_time_for_a_pg_the_card_is_not_sent(door: Door, iamport: Simulator) -> None:
    assert door.post_json(form_fields(), seconds_left=8.0).outcome == (503, "unavailable")
    assert "issue" not in iamport.endpoints


def test_every_test_card_of_the_table_plays_its_part(door: Door) -> None:
    for scenario, expected in {
        "slow": (200, "issued"),
        "answer_lost": (200, "issued"),
        "line_cut": (504, "outcome_unknown"),
        "server_error": (504, "outcome_unknown"),
        "html": (504, "outcome_unknown"),
        "html_afterwards": (200, "issued"),
    }.items():
        assert door.post_json(form_fields(card_number=number_of(scenario))).outcome == expected, scenario


@pytest.mark.usefixtures("door")
def test_a_refused_connection_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with nobody_listening() as url:
        monkeypatch.setenv("IAMPORT_BASE_URL", url)
        assert Door().post_json(form_fields(), seconds_left=SECONDS).outcome == (503, "unavailable")


@pytest.mark.usefixtures("door")
def test_a_host_that_does_not_resolve_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IAMPORT_BASE_URL", "https://api.iamport.invalid")
    assert Door().post_json(form_fields(), seconds_left=SECONDS).outcome == (503, "unavailable")


@pytest.mark.usefixtures("door")
def test_a_tls_handshake_that_hangs_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with saying_nothing("https") as server:
        monkeypatch.setenv("IAMPORT_BASE_URL", server.url)
        started = time.monotonic()
        assert Door().post_json(form_fields(), seconds_left=SECONDS).outcome == (503, "unavailable")
        assert time.monotonic() - started < SECONDS


@pytest.mark.usefixtures("door")
def test_a_server_without_tls_is_never_spoken_to(monkeypatch: pytest.MonkeyPatch, iamport: Simulator) -> None:
    monkeypatch.setenv("IAMPORT_BASE_URL", iamport.url.replace("http://", "https://"))
    assert Door().post_json(form_fields(), seconds_left=SECONDS).outcome == (503, "unavailable")
    assert iamport.calls == []
