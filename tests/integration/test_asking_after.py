"""What became of an attempt, asked by its id: the truth, to nobody but its customer, and at no cost to Iamport."""

import json
import time
import uuid
from typing import Any

import pytest

from infra.local.aws import Aws
from infra.local.iamport import Simulator, faults
from infra.local.iamport.cards import number_of
from infra.local.token import new_token
from tests.attempts_table import item_of, plain
from tests.conftest import ClockAhead
from tests.integration.door import (
    PLURAL,
    SINGULAR,
    Door,
    JsonAnswer,
    event_of,
    form_fields,
    settle,
    signed_fields,
)

OTHER_CARD = "0000-9999-9999-8888"
PAYMENT = {"merchant_uid": "order-1", "amount": 99_000, "name": "구독"}
PG_SECONDS = 60


def asked(door: Door, answer: JsonAnswer, customer_uid: str = "mine", **request: Any) -> JsonAnswer:
    return door.get({"attempt": answer.body["attempt_id"], "customer_uid": customer_uid}, **request)


def asked_with_token(door: Door, answer: JsonAnswer, customer_uid: str = "mine", **claims: Any) -> JsonAnswer:
    return door.get({"attempt": answer.body["attempt_id"], "customer_token": new_token(customer_uid, **claims)})


def same(answer: JsonAnswer) -> tuple[int, dict[str, Any], str | None]:
    """All but what tells one request from another."""
    body = {name: value for name, value in answer.body.items() if name != "request_id"}
    return answer.status, body, answer.headers.get("retry-after")


# Decided: told again as it was answered


@pytest.mark.parametrize("path", [SINGULAR, PLURAL])
@pytest.mark.parametrize("card", ["issued_debit", "unknown_bin", "no_channel"])
def test_what_was_answered_is_told_again_without_asking_iamport(
    door: Door, iamport: Simulator, card: str, path: str
) -> None:
    answer = door.post_json(form_fields(customer_uid="mine", card_number=number_of(card)))
    calls = len(iamport.calls)
    again = asked(door, answer, path=path)
    assert same(again) == same(answer)
    assert len(iamport.calls) == calls


def test_a_payment_is_told_again_with_its_receipt(signed_door: Door) -> None:
    answer = signed_door.post_json(signed_fields("mine", payment=PAYMENT))
    assert answer.body["payment"]["amount"] == 99_000
    assert same(asked_with_token(signed_door, answer)) == same(answer)


def test_a_card_that_is_not_replaced_and_an_order_that_is_paid_are_told_again(
    signed_door: Door, iamport: Simulator
) -> None:
    iamport.register("mine", OTHER_CARD)
    kept = signed_door.post_json(signed_fields("mine"))
    assert kept.outcome == (409, "already_registered")
    assert same(asked_with_token(signed_door, kept)) == same(kept)
    iamport.pay("order-1", 100)
    paid = signed_door.post_json(signed_fields("another", payment=PAYMENT))
    assert paid.outcome == (409, "already_paid")
    assert same(asked_with_token(signed_door, paid, "another")) == same(paid)


def test_what_certainly_was_not_processed_is_told_again(door: Door, iamport: Simulator) -> None:
    iamport.fail_next("issue", faults.TOO_MANY_REQUESTS)
    answer = door.post_json(form_fields(customer_uid="mine"))
    assert answer.outcome == (502, "gateway_error")
    assert same(asked(door, answer)) == same(answer)


def test_what_was_never_sent_is_told_again(door: Door, iamport: Simulator) -> None:
    iamport.fail_next("look_up", faults.SERVER_ERROR, times=9)
    answer = door.post_json(form_fields(customer_uid="mine"))
    assert answer.outcome == (503, "unavailable")
    assert same(asked(door, answer)) == same(answer)


def test_a_success_is_told_as_it_was_known_then(door: Door, iamport: Simulator) -> None:
    answer = door.post_json(form_fields(customer_uid="mine"))
    iamport.revoke("mine")
    assert same(asked(door, answer)) == same(answer)


# Open: looked at as a repeat looks at it


def lose(iamport: Simulator, fault: faults.Fault) -> None:
    """What the next card comes to, and no look finds out until `find_again`."""

    def hide() -> None:
        iamport.choose_fault = lambda call: faults.SERVER_ERROR if call.endpoint == "look_up" else None

    iamport.fail_next("issue", fault)
    iamport.before("issue", hide)


def find_again(iamport: Simulator) -> None:
    iamport.choose_fault = lambda _: None


def looks(iamport: Simulator) -> int:
    return iamport.endpoints.count("look_up")


def test_after_a_lost_answer_the_key_is_found(door: Door, iamport: Simulator, aws: Aws) -> None:
    lose(iamport, faults.ANSWER_LOST)
    answer = door.post_json(form_fields(customer_uid="mine"))
    assert answer.outcome == (504, "outcome_unknown")
    find_again(iamport)
    found = asked(door, answer)
    assert found.outcome == (200, "issued")
    assert found.body["attempt_id"] == answer.body["attempt_id"]
    assert plain(item_of(aws, "mine"))["state"] == "issued", "who asks closes it, as a repeat does"


def test_while_nothing_is_known_it_is_in_progress_and_then_what_came_of_it(
    door: Door, iamport: Simulator, clock: ClockAhead
) -> None:
    iamport.fail_next("issue", faults.SERVER_ERROR)
    answer = door.post_json(form_fields(customer_uid="mine"))
    assert answer.outcome == (504, "outcome_unknown")
    waiting = asked(door, answer)
    assert (waiting.outcome, waiting.headers["retry-after"]) == ((409, "in_progress"), "5")
    assert waiting.body["attempt_id"] == answer.body["attempt_id"]
    clock.advance(PG_SECONDS + 1)
    assert asked(door, answer).outcome == (502, "gateway_error"), "nothing is in flight any more"


@pytest.mark.parametrize("fault", [faults.ANSWER_LOST, faults.SERVER_ERROR])
def test_what_the_settler_found_is_told(door: Door, iamport: Simulator, clock: ClockAhead, fault: faults.Fault) -> None:
    lose(iamport, fault)
    answer = door.post_json(form_fields(customer_uid="mine"))
    find_again(iamport)
    clock.advance(PG_SECONDS + 1)
    settle()
    calls = len(iamport.calls)
    expected = (200, "issued") if fault is faults.ANSWER_LOST else (502, "gateway_error")
    assert asked(door, answer).outcome == expected
    assert len(iamport.calls) == calls


def test_a_payment_that_the_settler_finds_without_a_key_is_told(
    signed_door: Door, clock: ClockAhead, iamport: Simulator
) -> None:
    answer = signed_door.post_json(signed_fields("mine", number_of("paid_without_key"), payment=PAYMENT))
    assert answer.outcome == (200, "paid_without_key")
    assert asked_with_token(signed_door, answer).outcome == (409, "in_progress"), "the key may still come"
    clock.advance(PG_SECONDS + 1)
    settle()
    assert same(asked_with_token(signed_door, answer)) == same(answer)
    assert len(iamport.payments) == 1


def test_what_was_given_up_stays_unknown(door: Door, iamport: Simulator, clock: ClockAhead) -> None:
    iamport.fail_next("issue", faults.SERVER_ERROR)
    answer = door.post_json(form_fields(customer_uid="mine"))
    iamport.choose_fault = lambda call: faults.SERVER_ERROR if call.endpoint == "look_up" else None
    clock.advance(2 * 86_400)
    settle()
    assert asked(door, answer).outcome == (504, "outcome_unknown")


def test_while_its_own_function_is_at_work_iamport_is_not_asked(door: Door, iamport: Simulator, aws: Aws) -> None:
    seen: list[JsonAnswer] = []

    def ask() -> None:
        looked = looks(iamport)
        attempt_id = plain(item_of(aws, "mine"))["attempt_id"]
        seen.append(Door().get({"attempt": attempt_id, "customer_uid": "mine"}))
        assert looks(iamport) == looked

    iamport.before("issue", ask)
    assert door.post_json(form_fields(customer_uid="mine")).outcome == (200, "issued")
    assert [answer.outcome for answer in seen] == [(409, "in_progress")]


def test_who_asks_often_has_iamport_asked_once_in_a_few_seconds(
    door: Door, iamport: Simulator, clock: ClockAhead
) -> None:
    iamport.fail_next("issue", faults.SERVER_ERROR)
    answer = door.post_json(form_fields(customer_uid="mine"))
    clock.advance_to_whole(1)
    before = looks(iamport)
    for _ in range(10):
        assert asked(door, answer).outcome == (409, "in_progress")
    assert looks(iamport) == before + 1
    clock.advance(5)
    assert asked(door, answer).outcome == (409, "in_progress")
    assert looks(iamport) == before + 2, "who asks again after Retry-After is looked for"


def test_what_can_not_be_looked_at_is_in_progress(door: Door, iamport: Simulator) -> None:
    lose(iamport, faults.ANSWER_LOST)
    answer = door.post_json(form_fields(customer_uid="mine"))
    assert asked(door, answer).outcome == (409, "in_progress")


@pytest.mark.parametrize("out_of_reach", ["ATTEMPTS_TABLE", "IAMPORT_SECRET_ID"])
def test_where_it_can_not_be_asked_for_the_outcome_is_unknown(
    monkeypatch: pytest.MonkeyPatch, signed_door: Door, out_of_reach: str
) -> None:
    """Any other word would be taken for what became of the card."""
    answer = signed_door.post_json(signed_fields("mine"))
    monkeypatch.setenv(out_of_reach, "not-there")
    unknown = asked_with_token(Door(), answer)
    assert (unknown.outcome, unknown.headers["retry-after"]) == ((504, "outcome_unknown"), "5")
    assert "attempt_id" not in unknown.body


def test_a_bug_on_the_way_leaves_the_outcome_unknown(monkeypatch: pytest.MonkeyPatch, door: Door) -> None:
    answer = door.post_json(form_fields(customer_uid="mine"))
    monkeypatch.setattr("billing.inquiry.told_of", lambda _: [][1])
    assert asked(door, answer).outcome == (504, "outcome_unknown")


# Whose


def is_unknown(answer: JsonAnswer) -> bool:
    return answer.outcome == (404, "unknown_attempt") and "attempt_id" not in answer.body


def test_another_uids_attempt_is_unknown(door: Door) -> None:
    answer = door.post_json(form_fields(customer_uid="mine"))
    door.post_json(form_fields(customer_uid="another"))
    assert is_unknown(asked(door, answer, "another"))
    assert is_unknown(asked(door, answer, "nobody"))


def test_an_attempt_is_unknown_once_another_has_begun_under_its_uid(door: Door) -> None:
    first = door.post_json(form_fields(customer_uid="mine", card_number=number_of("unknown_bin")))
    second = door.post_json(form_fields(customer_uid="mine"))
    assert is_unknown(asked(door, first))
    assert same(asked(door, second)) == same(second)


@pytest.mark.parametrize(
    "attempt_id", ["", "0", "g" * 32, "0" * 31, "0" * 33, "A" * 32, " " * 32, "x" * 3000, "0" * 32]
)
def test_what_is_no_id_is_as_unknown_as_an_old_one(door: Door, attempt_id: str) -> None:
    door.post_json(form_fields(customer_uid="mine"))
    assert is_unknown(door.get({"attempt": attempt_id, "customer_uid": "mine"}))


@pytest.mark.parametrize("customer_uid", [None, "", "x" * 81, "a\nb"])
def test_without_a_uid_there_is_nobody_to_tell(door: Door, customer_uid: str | None) -> None:
    answer = door.post_json(form_fields(customer_uid="mine"))
    query = {"attempt": answer.body["attempt_id"]}
    refused = door.get(query if customer_uid is None else {**query, "customer_uid": customer_uid})
    assert refused.outcome == (400, "invalid_request")
    assert [error["field"] for error in refused.body["errors"]] == ["customer_uid"]


def test_in_signed_identity_the_uid_alone_says_nothing(signed_door: Door) -> None:
    answer = signed_door.post_json(signed_fields("mine"))
    assert asked(signed_door, answer).outcome == (401, "invalid_customer_token")
    assert is_unknown(asked_with_token(signed_door, answer, "another"))
    assert asked_with_token(signed_door, answer).outcome == (200, "issued")


def test_the_token_may_stay_out_of_the_address(signed_door: Door) -> None:
    answer = signed_door.post_json(signed_fields("mine"))
    attempt, token = answer.body["attempt_id"], new_token("mine")
    for scheme in ("Bearer", "bearer"):
        header = {"Authorization": f"{scheme} {token}"}
        assert signed_door.get({"attempt": attempt}, header).outcome == (200, "issued")
    for header in ({"Authorization": token}, {"Authorization": f"Basic {token}"}, {"Authorization": "Bearer"}):
        assert signed_door.get({"attempt": attempt}, header).outcome == (401, "invalid_customer_token")


def test_a_shops_own_authorization_is_in_nobodys_way(signed_door: Door) -> None:
    answer = signed_door.post_json(signed_fields("mine"))
    attempt, shops = answer.body["attempt_id"], {"Authorization": "Bearer of-the-shops-own-session"}
    assert signed_door.get({"attempt": attempt, "customer_token": new_token("mine")}, shops).outcome == (200, "issued")


@pytest.mark.parametrize(
    ("expired_seconds_ago", "outcome"),
    [(1, (200, "issued")), (590, (200, "issued")), (640, (401, "invalid_customer_token"))],
)
def test_a_token_is_taken_a_while_longer_for_asking(
    signed_door: Door, expired_seconds_ago: int, outcome: tuple[int, str]
) -> None:
    answer = signed_door.post_json(signed_fields("mine"))
    expired = int(time.time()) - expired_seconds_ago
    assert asked_with_token(signed_door, answer, exp=expired).outcome == outcome


def test_a_token_is_not_taken_any_longer_for_a_card(signed_door: Door) -> None:
    fields = signed_fields("mine", exp=int(time.time()) - 60)
    assert signed_door.post_json(fields).outcome == (401, "invalid_customer_token")


@pytest.mark.usefixtures("door")
def test_a_foreign_page_may_not_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_ORIGINS", "https://shop.example")
    door = Door()
    answer = door.post_json(form_fields(customer_uid="mine"))
    asked_from = {
        origin: asked(door, answer, headers={"Origin": origin})
        for origin in ("https://shop.example", "https://evil.example")
    }
    assert asked_from["https://shop.example"].outcome == (200, "issued")
    assert asked_from["https://shop.example"].headers["access-control-allow-origin"] == "https://shop.example"
    assert asked_from["https://evil.example"].outcome == (403, "forbidden")


# Whose attempt is in the way


def in_flight(door: Door, iamport: Simulator, first: dict[str, str], *others: dict[str, str]) -> list[JsonAnswer]:
    """What the others are answered while Iamport is at work on the first one's card."""
    answers: list[JsonAnswer] = []
    iamport.before(
        "pay_onetime" if "customer_token" in first else "issue",
        lambda: answers.extend(Door().post_json(other) for other in others),
    )
    assert door.post_json(first).outcome == (200, "issued")
    return answers


def test_only_the_same_request_is_told_which_attempt_is_in_the_way(door: Door, iamport: Simulator, aws: Aws) -> None:
    mine = form_fields(customer_uid="mine")
    with_other_card, with_other_password = {**mine, "card_number": OTHER_CARD}, {**mine, "pwd_2digit": "08"}
    same_request, *others = in_flight(door, iamport, mine, mine, with_other_card, with_other_password)
    assert same_request.outcome == (409, "in_progress")
    assert same_request.body["attempt_id"] == plain(item_of(aws, "mine"))["attempt_id"]
    for answer in others:
        assert answer.outcome == (409, "in_progress")
        assert "attempt_id" not in answer.body


def test_who_wants_an_order_is_not_told_which_attempt_has_it(signed_door: Door, iamport: Simulator) -> None:
    mine, anothers = signed_fields("mine", payment=PAYMENT), signed_fields("another", payment=PAYMENT)
    [answer] = in_flight(signed_door, iamport, mine, anothers)
    assert answer.outcome == (409, "in_progress")
    assert "attempt_id" not in answer.body


def test_an_attempt_that_was_left_open_is_named_to_the_same_request_alone(door: Door, iamport: Simulator) -> None:
    mine = form_fields(customer_uid="mine")
    iamport.fail_next("issue", faults.SERVER_ERROR)
    answer = door.post_json(mine)
    again, with_other_card = door.post_json(mine), door.post_json({**mine, "card_number": OTHER_CARD})
    assert (again.outcome, with_other_card.outcome) == ((409, "in_progress"), (409, "in_progress"))
    assert again.body["attempt_id"] == answer.body["attempt_id"]
    assert "attempt_id" not in with_other_card.body
    iamport.fail_next("look_up", faults.SERVER_ERROR, times=4)
    again, with_other_card = door.post_json(mine), door.post_json({**mine, "card_number": OTHER_CARD})
    assert again.body["attempt_id"] == answer.body["attempt_id"]
    assert "attempt_id" not in with_other_card.body


def test_a_repeat_has_the_id_of_the_first(door: Door, iamport: Simulator) -> None:
    fields = form_fields(customer_uid="mine")
    first = door.post_json(fields)
    assert door.post_json(fields).body["attempt_id"] == first.body["attempt_id"]
    iamport.fail_next("look_up", faults.SERVER_ERROR, times=2)
    unseen = door.post_json(fields)
    assert (unseen.outcome, unseen.body["attempt_id"]) == ((409, "in_progress"), first.body["attempt_id"])


def test_what_was_not_begun_has_no_id(door: Door) -> None:
    for fields in ({}, form_fields(card_number="1")):
        assert "attempt_id" not in door.post_json(fields).body


# As a page


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("*/*", False),
        ("application/json", False),
        ("application/json, text/html;q=0.5", False),
        ("", False),
    ],
)
def test_a_browser_that_opens_the_address_gets_a_page(door: Door, accept: str, is_page: bool) -> None:
    attempt = door.post_json(form_fields(customer_uid="mine")).body["attempt_id"]
    query = {"attempt": attempt, "customer_uid": "mine", "lang": "ko"}
    shown = door.handle(event_of("GET", SINGULAR, {"Accept": accept}, None, query=query))
    assert shown["statusCode"] == 200
    assert shown["body"].startswith("<!doctype html>") is is_page
    assert "000011******3333" in shown["body"]
    unknown = door.handle(event_of("GET", SINGULAR, {"Accept": accept}, None, query={**query, "attempt": "0" * 32}))
    assert unknown["statusCode"] == 404
    assert unknown["body"].startswith("<!doctype html>") is is_page


def test_without_an_attempt_the_address_shows_the_form_to_whoever_asks(door: Door) -> None:
    shown = door.handle(event_of("GET", SINGULAR, {"Accept": "application/json"}, None, query={"customer_uid": "mine"}))
    assert (shown["statusCode"], shown["body"].startswith("<!doctype html>")) == (200, True)


def test_an_answer_about_an_attempt_holds_nothing_of_the_card(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    answer = door.post_json(form_fields(customer_uid="mine"))
    capsys.readouterr()
    told = asked(door, answer)
    assert uuid.UUID(answer.body["attempt_id"]).version == 4, "nobody guesses it"
    everything = json.dumps([told.body, told.headers]) + capsys.readouterr().out
    assert "0000111122223333" not in everything
    assert "900101" not in everything
