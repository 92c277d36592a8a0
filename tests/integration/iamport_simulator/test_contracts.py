"""Each contract: what it wants, how it says that it misses something, and what it keeps."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import requests

from infra.local.iamport import CONTRACTS, LENIENT, Contract, Simulator
from infra.local.iamport.contracts import BY_NAME, with_all_others
from tests.integration.iamport_simulator.client import CARD, PAYMENT, Client, customer_path, envelope

NUMBER_AND_EXPIRY = {name: CARD[name] for name in ("card_number", "expiry")}
BIRTH, PASSWORD = {"birth": "880101"}, {"pwd_2digit": "57"}
BOTH = BIRTH | PASSWORD
BUYER = {"buyer_name": "홍길동", "buyer_email": "hong@example.com", "buyer_tel": "010-0000-0000"}
KSNET = {"buyer_name": "홍길동", "product_type": "digital"}


@dataclass(frozen=True)
class Needs:
    """What a contract gets beside number and expiry, or order and amount; `None`: it issues nothing so."""

    issue: Mapping[str, str] | None
    onetime: Mapping[str, str]
    again: Mapping[str, str]
    key_after_onetime: bool = True


# Held against the table by hand, from pgs.md and the schema.
NEEDS = {
    "nice": Needs(BOTH, BOTH, {}),
    "nice_v2": Needs(BOTH, BOTH, {}),
    "kcp": Needs(BOTH, BOTH, {}),
    "inicis": Needs({}, BUYER | {"name": "구독 1개월"}, {}),
    "tosspayments": Needs({}, {}, {}, key_after_onetime=False),
    "ksnet": Needs(BOTH, KSNET, KSNET, key_after_onetime=False),
    "welcome": Needs({"customer_name": "홍길동"}, {"buyer_name": "홍길동"}, {"buyer_name": "홍길동"}),
    "daou": Needs(BOTH, BOTH, {}),
    "settle": Needs(None, BOTH, {}),
    "number_expiry": Needs({}, {}, {}),
    "no_password": Needs(BIRTH, BIRTH, {}),
}
ISSUING = [name for name, needs in NEEDS.items() if needs.issue is not None]
ISSUE, ONETIME, AGAIN = (
    "카드정보 인증 및 빌키 발급에 실패하였습니다. ",
    "카드정보 인증에 실패하였습니다. ",
    "결제에 실패하였습니다. ",
)


@contextmanager
def client_of(*contracts: Contract) -> Iterator[Client]:
    with Simulator(contracts=contracts) as simulator:
        client = Client(simulator)
        with client.session:
            client.log_in()
            yield client


def issue(client: Client, given: Mapping[str, str], uid: str = "member-1") -> requests.Response:
    return client.post(customer_path(uid), {**NUMBER_AND_EXPIRY, **given})


def pay_onetime(client: Client, given: Mapping[str, str]) -> requests.Response:
    order = {"merchant_uid": "order-1", "amount": 1000, "customer_uid": "member-1"}
    return client.post("/subscribe/payments/onetime", {**order, **NUMBER_AND_EXPIRY, **given})


def pay_again(client: Client, given: Mapping[str, str]) -> requests.Response:
    return client.post("/subscribe/payments/again", {**PAYMENT, "customer_uid": "member-1", **given})


def test_every_contract_is_tried_here() -> None:
    assert set(NEEDS) == {contract.name for contract in CONTRACTS}


@pytest.mark.parametrize("name", ISSUING)
def test_a_contract_issues_with_what_it_wants(name: str) -> None:
    with client_of(BY_NAME[name]) as client:
        key = issue(client, NEEDS[name].issue or {}).json()["response"]

    assert (key["pg_provider"], key["pg_id"]) == (BY_NAME[name].pg_provider, BY_NAME[name].pg_id)


@pytest.mark.parametrize("name", NEEDS)
def test_a_contract_takes_a_first_payment_with_what_it_wants_and_keeps_the_key_or_not(name: str) -> None:
    with client_of(BY_NAME[name]) as client:
        payment = pay_onetime(client, NEEDS[name].onetime).json()["response"]

        assert (payment["status"], payment["pg_provider"]) == ("paid", BY_NAME[name].pg_provider)
        assert (client.look_up().json()["code"] == 0) is NEEDS[name].key_after_onetime


@pytest.mark.parametrize("name", ISSUING)
def test_a_contract_charges_a_key_with_what_it_wants(name: str) -> None:
    with client_of(BY_NAME[name]) as client:
        issue(client, NEEDS[name].issue or {})

        assert pay_again(client, NEEDS[name].again).json()["response"]["status"] == "paid"


def missing_ones(kind: Callable[[Needs], Mapping[str, str] | None]) -> list[tuple[str, str]]:
    return [(name, missing) for name, needs in NEEDS.items() for missing in kind(needs) or {}]


def refusal(prefix: str, name: str, missing: str) -> tuple[int, dict[str, object]]:
    """Those that were captured, letter by letter; the others say that they are made up."""
    match name, missing:
        case "nice_v2", "birth":
            text = (
                "[400]Invalid Request. Please Check this argument: "
                "birthOrBusinessRegistrationNumber InvalidLength(must be one of [6, 10])"
            )
        case "nice_v2", "pwd_2digit":
            text = "[400].issueCard.password2Digits:Invalid 2 digits of password!"
        case "inicis", "name":
            return 400, envelope(-1, "이니시스 빌링결제는 상품명이 필수입니다.")
        case _:
            text = f"[시뮬레이터] {missing} 값이 누락되었습니다."
    return 200, envelope(-1, prefix + text)


def without(given: Mapping[str, str] | None, missing: str) -> dict[str, str]:
    return {name: value for name, value in (given or {}).items() if name != missing}


@pytest.mark.parametrize(("name", "missing"), missing_ones(lambda needs: needs.issue))
def test_nothing_is_issued_where_something_is_missing(name: str, missing: str) -> None:
    with client_of(BY_NAME[name]) as client:
        answer = issue(client, without(NEEDS[name].issue, missing))

        assert (answer.status_code, answer.json()) == refusal(ISSUE, name, missing)
        assert client.simulator.customers == {}


@pytest.mark.parametrize(("name", "missing"), missing_ones(lambda needs: needs.onetime))
def test_nothing_is_paid_or_issued_where_something_is_missing(name: str, missing: str) -> None:
    with client_of(BY_NAME[name]) as client:
        answer = pay_onetime(client, without(NEEDS[name].onetime, missing))

        assert (answer.status_code, answer.json()) == refusal(ONETIME, name, missing)
        assert (client.simulator.customers, client.simulator.payments) == ({}, [])


@pytest.mark.parametrize(("name", "missing"), missing_ones(lambda needs: needs.again))
def test_nothing_is_charged_where_something_is_missing(name: str, missing: str) -> None:
    with client_of(BY_NAME[name]) as client:
        issue(client, NEEDS[name].issue or {})
        answer = pay_again(client, without(NEEDS[name].again, missing))

        assert (answer.status_code, answer.json()) == refusal(AGAIN, name, missing)
        assert client.simulator.payments == []


@pytest.mark.parametrize("name", ["nice", "nice_v2", "kcp", "ksnet", "daou"])
def test_a_corporate_card_needs_no_password(name: str) -> None:
    with client_of(BY_NAME[name]) as client:
        assert issue(client, {"birth": "1018100001"}).json()["code"] == 0


def test_hecto_issues_by_a_first_payment_alone() -> None:
    with client_of(BY_NAME["settle"]) as client:
        assert issue(client, BOTH).json() == envelope(1, "비인증결제모듈 사용정보를 찾을 수 없습니다.")
        assert pay_onetime(client, BOTH).json()["code"] == 0
        assert pay_again(client, {"merchant_uid": "order-2"}).json()["response"]["status"] == "paid"


def test_tosspayments_makes_a_customer_id_up_where_none_is_sent_another_one_each_time() -> None:
    with client_of(BY_NAME["tosspayments"]) as client:
        made_up = {issue(client, {}).json()["response"]["customer_id"] for _ in range(2)}

        assert len(made_up) == 2
        assert None not in made_up
        assert issue(client, {"customer_id": "buyer-1"}).json()["response"]["customer_id"] == "buyer-1"


@pytest.mark.parametrize(("vat_amount", "code"), [(0, 0), (100, 0), (101, -1)])
def test_welcome_takes_a_tenth_of_tax_and_no_more(vat_amount: int, code: int) -> None:
    with client_of(BY_NAME["welcome"]) as client:
        assert pay_onetime(client, {"buyer_name": "홍길동", "vat_amount": str(vat_amount)}).json()["code"] == code
        assert len(client.simulator.payments) == code + 1


def test_an_order_that_is_used_up_is_told_before_anything_that_is_missing() -> None:
    with client_of(BY_NAME["ksnet"]) as client:
        pay_onetime(client, KSNET)

        for answer in (pay_onetime(client, {}), pay_again(client, {})):
            assert answer.json()["message"].startswith("이미 주문이 이루어진 건입니다.")


# Several channels


def provider(answer: requests.Response) -> str:
    return str(answer.json()["response"]["pg_provider"])


KSNET_KEY = BY_NAME["ksnet"].channel_key


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, "nice"),
        ({"channel_key": KSNET_KEY}, "ksnet"),
        ({"pg": "ksnet"}, "ksnet"),
        ({"pg": "ksnet.local-ksnet"}, "ksnet"),
        ({"pg": "nice", "channel_key": KSNET_KEY}, "ksnet"),
    ],
)
def test_a_key_is_issued_by_the_channel_that_is_named(chosen: dict[str, str], expected: str) -> None:
    with client_of(*with_all_others("nice")) as client:
        assert provider(issue(client, BOTH | chosen)) == expected


@pytest.mark.parametrize("chosen", [{"channel_key": "no-such-key"}, {"pg": "kicc"}, {"pg": "ksnet.no-such-mid"}])
def test_nothing_is_issued_by_a_channel_that_is_none(chosen: dict[str, str]) -> None:
    with client_of(*with_all_others("nice")) as client:
        answer = issue(client, BOTH | chosen)

        assert (answer.status_code, answer.json()) == (200, envelope(1, "비인증결제모듈 사용정보를 찾을 수 없습니다."))
        assert client.simulator.customers == {}


def test_the_lenient_contract_answers_to_any_channel_but_those_that_there_are() -> None:
    with client_of(*with_all_others("lenient")) as client:
        assert provider(issue(client, {"channel_key": "no-such-key", "pg": "kicc.mid"})) == "nice"
        assert (
            provider(issue(client, {"channel_key": BY_NAME["welcome"].channel_key, "customer_name": "홍"})) == "welcome"
        )


@pytest.mark.parametrize("chosen", [{}, {"pg": "kicc"}, {"pg": "ksnet.no-such-mid"}, {"channel_key": KSNET_KEY}])
def test_a_first_payment_goes_to_the_default_channel_without_a_word_unless_pg_names_another(
    chosen: dict[str, str],
) -> None:
    with client_of(*with_all_others("nice")) as client:
        assert provider(pay_onetime(client, BOTH | KSNET | chosen)) == "nice"


def test_a_first_payment_goes_to_the_channel_that_pg_names() -> None:
    with client_of(*with_all_others("nice")) as client:
        assert provider(pay_onetime(client, KSNET | {"pg": "ksnet"})) == "ksnet"
        assert client.look_up().json()["code"] == 1


def test_a_key_is_charged_by_the_channel_that_it_was_issued_by() -> None:
    with client_of(*with_all_others("nice")) as client:
        issue(client, BOTH | {"channel_key": KSNET_KEY})

        assert pay_again(client, {"channel_key": BY_NAME["nice"].channel_key}).json()["code"] == -1
        assert provider(pay_again(client, KSNET | {"channel_key": BY_NAME["nice"].channel_key})) == "ksnet"


def test_the_channels_are_listed_as_the_schema_has_them() -> None:
    with client_of(BY_NAME["ksnet"], BY_NAME["daou"]) as client:
        listed = client.get("/users/pg").json()["response"]

    names = {"pg_provider", "pg_id", "sandbox", "type", "channel_name", "channel_key"}
    assert [set(channel) for channel in listed] == [names, names]
    assert listed[1] | {"pg_provider": "daou", "pg_id": "CTS16629", "type": "api_payment"} == listed[1]
    assert listed[0]["channel_key"] == KSNET_KEY


def test_no_two_channels_have_one_key_or_one_pg() -> None:
    for values in (
        {contract.channel_key for contract in (LENIENT, *CONTRACTS)},
        {(contract.pg_provider, contract.pg_id) for contract in (LENIENT, *CONTRACTS)},
    ):
        assert len(values) == len(CONTRACTS) + 1


# Sub-merchants


def test_a_tier_is_kept_with_the_call_and_with_what_became_true_by_it(client: Client) -> None:
    client.session.headers["Tier"] = "A1B"
    client.issue()
    client.post("/subscribe/payments/again", PAYMENT | {"customer_uid": "member-1"})
    client.look_up()
    client.session.headers["Tier"] = "XYZ"
    client.pay(merchant_uid="order-2", customer_uid="member-2")

    told = [(one.what, one.tier) for one in client.simulator.history]
    assert told == [("registered", "A1B"), ("paid", "A1B"), ("registered", "XYZ"), ("paid", "XYZ")]
    assert [call.tier for call in client.simulator.calls] == [None, "A1B", "A1B", "A1B", "XYZ"]


@pytest.mark.parametrize("tier", ["", "AB", "ABCD", "abc", "A-B"])
def test_a_tier_is_three_capital_letters_or_digits(client: Client, tier: str) -> None:
    client.session.headers["Tier"] = tier

    assert client.issue().status_code == 400
    assert client.simulator.customers == {}
