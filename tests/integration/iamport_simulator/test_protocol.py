"""The envelope, tokens and how bodies are read."""

import pytest

from infra.local.iamport import LOCAL_IMP_KEY
from tests.integration.iamport_simulator.client import CARD, NOW, Client, StandingClock, customer_path, envelope


def test_answers_are_compact_json_escaped_to_ascii(client: Client) -> None:
    answer = client.issue()

    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert answer.content.startswith(
        b'{"code":0,"message":null,"response":{"card_code":"381","card_name":"\\uad6d\\ubbfc'
    )
    assert answer.content.isascii()


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT"])
def test_an_unknown_path_is_a_404_in_an_envelope(client: Client, method: str) -> None:
    answer = client.session.request(method, f"{client.simulator.url}/nowhere", timeout=3)

    assert (answer.status_code, answer.json()) == (404, envelope(-1, "Not Found"))


def test_a_form_is_taken_like_json(client: Client) -> None:
    answer = client.session.post(client.simulator.url + customer_path("member-1"), data=CARD, timeout=3)

    assert answer.json()["code"] == 0


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_a_400_in_an_envelope(client: Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.session.post(client.simulator.url + customer_path("x"), data=body, headers=headers, timeout=3)

    assert (answer.status_code, answer.json()["code"]) == (400, -1)


def test_a_token_follows_the_clock(client: Client, clock: StandingClock) -> None:
    first = client.token().json()["response"]
    assert (first["now"], first["expired_at"]) == (NOW, NOW + 1800)

    clock.now = NOW + 1739
    assert client.token().json()["response"] == first | {"now": clock.now}
    clock.now = NOW + 1740
    assert client.token().json()["response"] == first | {"now": clock.now, "expired_at": NOW + 2100}
    clock.now = NOW + 2100
    assert client.token().json()["response"]["access_token"] != first["access_token"]


def test_a_wrong_key_is_a_401(client: Client) -> None:
    answer = client.token(imp_secret="wrong")

    assert answer.status_code == 401
    assert answer.json() == envelope(-1, "인증에 실패하였습니다. API키와 secret을 확인하세요.")


def test_a_missing_key_is_a_400(client: Client) -> None:
    answer = client.post("/users/getToken", {"imp_key": LOCAL_IMP_KEY})

    assert answer.status_code == 400
    assert answer.json() == envelope(-1, "imp_key, imp_secret 파라메터가 누락되었습니다.")


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer " + "0" * 40, "0" * 40])
def test_without_a_live_token_nothing_is_done(client: Client, authorization: str) -> None:
    client.session.headers["Authorization"] = authorization

    assert client.issue().status_code == 401
    assert client.simulator.customers == {}


def test_a_bare_token_works_too(client: Client) -> None:
    client.session.headers["Authorization"] = str(client.session.headers["Authorization"]).removeprefix("Bearer ")

    assert client.issue().status_code == 200


def test_an_expired_token_is_a_401(client: Client, clock: StandingClock) -> None:
    clock.now += 1800

    assert client.look_up().status_code == 401


def test_a_rotated_secret_kills_the_old_one_and_its_tokens(client: Client) -> None:
    client.simulator.rotate(imp_secret="second")

    assert client.look_up().status_code == 401
    assert client.token().status_code == 401
    assert client.token(imp_secret="second").status_code == 200
