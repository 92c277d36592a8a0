"""Billing keys: issued, refused, replaced, looked up, revoked."""

import http.client
import json

import pytest

from infra.local.iamport import Endpoint, Simulator
from infra.local.iamport.cards import number_of
from tests.integration.iamport_simulator.client import (
    CARD,
    MARKED_CARD,
    NOW,
    PAYMENT,
    Client,
    StandingClock,
    customer_path,
    envelope,
)


def test_a_key_is_issued_as_captured(client: Client) -> None:
    assert client.issue("68", customer_name="홍길동").json()["response"] == {
        "card_code": "381",
        "card_name": "국민KB카드",
        "card_number": "00007777****1234",
        "card_type": 0,
        "customer_addr": None,
        "customer_email": None,
        "customer_id": None,
        "customer_name": "홍길동",
        "customer_postcode": None,
        "customer_tel": None,
        "customer_uid": "68",
        "inserted": NOW,
        "pg_id": "nictest04m",
        "pg_provider": "nice",
        "sandbox": True,
        "updated": NOW,
    }


@pytest.mark.parametrize(
    ("scenario", "card_type"),
    [("issued_credit", 0), ("issued_debit", 1), ("issued_amex", 0), ("issued_unknown_type", None)],
)
def test_cards_are_credit_debit_or_of_no_known_type(client: Client, scenario: str, card_type: int | None) -> None:
    assert client.issue(card_number=number_of(scenario)).json()["response"]["card_type"] == card_type


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("0000-7777-8888-12", "00007777****12"),
        ("0000-7777-8888-123", "00007777****123"),
        ("0000-7777-8888-1234-567", "00007777*******4567"),
    ],
)
def test_cards_have_14_to_19_digits(client: Client, number: str, masked: str) -> None:
    assert client.issue(card_number=number).json()["response"]["card_number"] == masked


@pytest.mark.parametrize("separator", ["", " ", ".", "/", " - "])
def test_a_card_number_has_any_separators_or_none(client: Client, separator: str) -> None:
    number, refused = MARKED_CARD.replace("-", separator), number_of("wrong_number").replace("-", separator)

    assert client.issue(card_number=number).json()["response"]["card_number"] == "00007777****1234"
    assert client.issue(card_number=refused).json()["code"] == -1


PREFIX = "카드정보 인증 및 빌키 발급에 실패하였습니다. "


@pytest.mark.parametrize(
    ("scenario", "code", "message"),
    [
        ("unknown_bin", -1, PREFIX + "[F112]유효하지않은 카드번호를 입력하셨습니다. (card_bin 없음)"),
        ("wrong_number", -1, PREFIX + "[F113]거래거절 카드번호틀림"),
        ("wrong_password", -1, PREFIX + "[F113]거래거절 비밀번호틀림"),
        ("wrong_expiry", -1, PREFIX + "[F113]거래거절 유효기간오류"),
        ("wrong_birth", -1, PREFIX + "[F113]거래거절 주민OR사업자등록번호오류"),
        ("nicepay_error", -1, PREFIX + "[400]Error From NICEPAY. (message: 비밀번호틀림, code:F113)"),
        ("no_channel", 1, "비인증결제모듈 사용정보를 찾을 수 없습니다."),
        ("refusal_echoes_card", -1, PREFIX + "[F112]유효하지않은 카드번호(0000-2000-0000-0008)"),
    ],
)
def test_a_refusal_is_http_200_with_a_code(client: Client, scenario: str, code: int, message: str) -> None:
    answer = client.issue(card_number=number_of(scenario))

    assert (answer.status_code, answer.json()) == (200, envelope(code, message))
    assert client.simulator.customers == {}


def test_an_expired_card_is_refused_from_the_month_after_in_seoul(client: Client, clock: StandingClock) -> None:
    clock.now = 1_598_885_999  # the last second of August 2020 in Seoul
    client.log_in()
    assert client.issue(expiry="2020-08").json()["code"] == 0
    clock.now += 1
    expired = client.issue("member-2", expiry="2020-08")

    assert (expired.status_code, expired.json()) == (200, envelope(-1, PREFIX + "[F113]거래거절 유효기간오류"))
    assert list(client.simulator.customers) == ["member-1"]


def test_a_uid_used_again_is_replaced_without_a_word(client: Client, clock: StandingClock) -> None:
    client.issue()
    clock.now += 108
    client.issue(card_number="0000-5555-6666-4321")

    customer = client.look_up().json()["response"]

    assert customer["card_number"] == "00005555****4321"
    assert (customer["inserted"], customer["updated"]) == (NOW, NOW + 108)
    assert client.simulator.issue_count("member-1") == 2


def test_a_key_can_be_looked_up_and_revoked(client: Client) -> None:
    issued = client.issue().json()
    assert client.look_up().json() == issued

    path = client.simulator.url + customer_path("member-1")
    assert client.session.delete(path, params={"reason": "moved"}, timeout=3).json() == issued
    assert client.look_up().json()["code"] == 1
    assert client.session.delete(path, timeout=3).json()["code"] == 1


def test_an_unknown_uid_is_http_200_with_code_1_as_captured(client: Client) -> None:
    answer = client.look_up("없음")

    assert answer.status_code == 200
    assert answer.json() == envelope(1, "요청하신 customer_uid(없음)로 등록된 정보를 찾을 수 없습니다.")


def test_an_unknown_uid_is_a_404_where_the_schema_is_followed() -> None:
    with Simulator(unknown_uid_as_404=True) as simulator:
        client = Client(simulator)
        client.log_in()
        assert client.look_up().status_code == 404


@pytest.mark.parametrize("uid", ["a/b?c=d#e", "../payments/onetime", "회원 1", "100%", "a+b", "%2e%2e"])
def test_a_uid_is_one_percent_encoded_segment(client: Client, uid: str) -> None:
    assert client.issue(uid).json()["response"]["customer_uid"] == uid
    assert client.look_up(uid).json()["response"]["customer_uid"] == uid
    assert [call.customer_uid for call in client.simulator.calls[1:]] == [uid, uid]


@pytest.mark.parametrize(
    "path",
    [
        "/subscribe/customers/..",
        "/subscribe/customers/%2e%2E",
        "/subscribe/customers/.",
        "/subscribe/customers/../payments/onetime",
        "/subscribe/customers/",
        "/subscribe/customers/%ff",
    ],
)
def test_dot_segments_lead_to_no_endpoint(client: Client, path: str) -> None:
    connection = http.client.HTTPConnection(client.simulator.url.removeprefix("http://"), timeout=3)
    body = json.dumps(PAYMENT | CARD)
    authorization = str(client.session.headers["Authorization"])
    connection.request("POST", path, body, {"Content-Type": "application/json", "Authorization": authorization})

    assert connection.getresponse().status == 404
    assert client.simulator.calls[-1].endpoint is Endpoint.UNKNOWN
    connection.close()


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("card_number", ""),
        ("card_number", "0000-7777-8888-1"),
        ("card_number", "0000-7777-8888-1234-5678"),
        ("card_number", 7777),
        ("card_number", ["0000-7777-8888-1234"]),
        ("expiry", None),
        ("expiry", "2099-13"),
        ("expiry", "12/99"),
        ("birth", "8801"),
        ("pwd_2digit", "5"),
        ("channel_key", "k" * 56),
        ("channel_group_id", "g" * 56),
        ("pg", "p" * 81),
        ("customer_name", "n" * 21),
        ("customer_tel", "0" * 21),
        ("customer_email", "e" * 201),
        ("customer_addr", "a" * 201),
        ("customer_postcode", "0" * 9),
    ],
)
def test_a_bad_parameter_is_a_400_that_names_it(client: Client, parameter: str, value: object) -> None:
    answer = client.post(customer_path("member-1"), CARD | {parameter: value})

    assert answer.status_code == 400
    assert answer.json()["message"].startswith(f"{parameter} 파라메터")
    assert client.simulator.customers == {}


def test_a_uid_has_at_most_80_characters(client: Client) -> None:
    assert client.issue("가" * 80).status_code == 200
    assert client.issue("가" * 81).status_code == 400
