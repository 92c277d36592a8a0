"""What is sent to Iamport by each verb, and within what time. What the answers mean stands in test_answers."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import responses

from billing.aws_clients import AwsClients
from billing.credentials import CredentialsStore
from billing.iamport.client import Iamport
from billing.iamport.token import Token
from billing.model.card import Card
from billing.model.customer import Channel, Customer, Payment
from billing.model.deadline import Deadline
from billing.model.errors import BillingError, Unavailable
from billing.model.sensitive import Sensitive
from tests.unit.fakes import SETTINGS, FakeSecretsManager, aws_of

pytestmark = pytest.mark.usefixtures("stopped_clock")

CARD = Card(Sensitive("0000-1111-2222-3333"), Sensitive("2099-12"), Sensitive("900101"), Sensitive("73"))
OF_A_COMPANY = replace(CARD, birth=Sensitive("1234567891"), pwd_2digit=Sensitive(""))
CARD_SENT = {"card_number": "0000-1111-2222-3333", "expiry": "2099-12", "birth": "900101", "pwd_2digit": "73"}
CUSTOMER = Customer("mine", vouched_for=True, may_replace=False, payment=None, details=())
PAYMENT = Payment("order-1", 99_000, "first month", ())
PAYMENT_SENT = {"customer_uid": "mine", "merchant_uid": "order-1", "amount": 99_000, "name": "first month"}

Ask = Callable[[Iamport, Deadline], object]


def issuing(customer: Customer = CUSTOMER, card: Card = CARD) -> Ask:
    return lambda iamport, deadline: iamport.issue(customer, card, deadline)


def paying(payment: Payment = PAYMENT, card: Card = CARD, customer: Customer = CUSTOMER) -> Ask:
    return lambda iamport, deadline: iamport.issue_and_pay(customer, card, payment, deadline)


def charging(payment: Payment = PAYMENT) -> Ask:
    return lambda iamport, deadline: iamport.charge(CUSTOMER, payment, deadline)


def looking_up(customer_uid: str = "mine") -> Ask:
    return lambda iamport, deadline: iamport.look_up(customer_uid, deadline)


def finding(merchant_uid: str = "order-1") -> Ask:
    return lambda iamport, deadline: iamport.find_payments(merchant_uid, deadline)


def ask(asking: Ask, body: object = None, status: int = 404, seconds_left: float = 28.0, **settings: Any) -> object:
    """With a token that is kept."""
    changed = replace(SETTINGS, **settings)
    iamport = Iamport(changed, CredentialsStore(changed, AwsClients()))
    iamport._tokens._kept = Token(Sensitive("made-up-token"), good_until=1e12)
    for method in ("GET", "POST"):
        answer = {"code": -1} if body is None else body
        responses.add(method, re.compile(re.escape(SETTINGS.iamport_base_url)), json=answer, status=status)
    return asking(iamport, Deadline.after(seconds_left))


def sent_by(asking: Ask, **how: Any) -> Any:
    """Its one request, whatever comes of it."""
    with suppress(BillingError):
        ask(asking, **how)
    (call,) = responses.calls
    return call.request


@responses.activate
@pytest.mark.parametrize(
    ("asking", "method", "path"),
    [
        (issuing(), "POST", "/subscribe/customers/mine"),
        (issuing(replace(CUSTOMER, uid="a/b?c 가")), "POST", "/subscribe/customers/a%2Fb%3Fc%20%EA%B0%80"),
        (paying(), "POST", "/subscribe/payments/onetime"),
        (charging(), "POST", "/subscribe/payments/again"),
        (looking_up(), "GET", "/subscribe/customers/mine"),
        (looking_up("a/b"), "GET", "/subscribe/customers/a%2Fb"),
        pytest.param(finding(), "GET", "/payments/findAll/order-1?limit=1000", id="all payments in one answer"),
        (finding("a/b?c 가"), "GET", "/payments/findAll/a%2Fb%3Fc%20%EA%B0%80?limit=1000"),
    ],
)
def test_each_verb_has_its_address(asking: Ask, method: str, path: str) -> None:
    request = sent_by(asking)
    assert (request.method, request.url) == (method, SETTINGS.iamport_base_url + path)


NAMED = replace(CUSTOMER, details=(("customer_name", Sensitive("홍길동")), ("customer_tel", Sensitive("010"))))
BY_KEY = replace(CUSTOMER, channel=Channel(channel_key="channel-key-2"))
BY_PG = replace(CUSTOMER, channel=Channel(pg="kcp.MID2"))
OPERATORS = {"iamport_channel_key": "channel-key-1", "iamport_pg": "pg.mid"}
NUMBER_AND_EXPIRY = replace(CARD, birth=Sensitive(""), pwd_2digit=Sensitive(""))
DETAILED = replace(PAYMENT, details=(("buyer_name", Sensitive("홍길동")), ("card_quota", 3)))


@responses.activate
@pytest.mark.parametrize(
    ("asking", "settings", "body"),
    [
        pytest.param(issuing(), {}, CARD_SENT, id="a card"),
        pytest.param(
            issuing(card=OF_A_COMPANY),
            {},
            {"card_number": "0000-1111-2222-3333", "expiry": "2099-12", "birth": "1234567891"},
            id="a company's card has no password",
        ),
        pytest.param(
            issuing(NAMED),
            {},
            {**CARD_SENT, "customer_name": "홍길동", "customer_tel": "010"},
            id="what is known of it",
        ),
        pytest.param(
            issuing(),
            {"iamport_channel_key": "channel-key-1", "iamport_pg": "pg.mid"},
            {**CARD_SENT, "channel_key": "channel-key-1", "pg": "pg.mid"},
            id="the channel",
        ),
        pytest.param(paying(), {}, {**CARD_SENT, **PAYMENT_SENT}, id="a payment"),
        pytest.param(
            paying(DETAILED),
            {"iamport_pg": "pg.mid"},
            {**CARD_SENT, **PAYMENT_SENT, "pg": "pg.mid", "buyer_name": "홍길동", "card_quota": 3},
            id="a payment with its details",
        ),
        pytest.param(
            issuing(card=NUMBER_AND_EXPIRY),
            {},
            {"card_number": "0000-1111-2222-3333", "expiry": "2099-12"},
            id="number and expiry alone",
        ),
        pytest.param(
            issuing(BY_KEY), OPERATORS, {**CARD_SENT, "channel_key": "channel-key-2"}, id="the customer's channel alone"
        ),
        pytest.param(issuing(BY_PG), OPERATORS, {**CARD_SENT, "pg": "kcp.MID2"}, id="the customer's pg alone"),
        pytest.param(
            paying(), OPERATORS, {**CARD_SENT, **PAYMENT_SENT, "pg": "pg.mid"}, id="a payment knows no channel_key"
        ),
        pytest.param(
            paying(customer=BY_PG),
            OPERATORS,
            {**CARD_SENT, **PAYMENT_SENT, "pg": "kcp.MID2"},
            id="a payment by the customer's pg",
        ),
        pytest.param(
            paying(replace(PAYMENT, details=(("vat_amount", 0), ("use_card_point", False)))),
            {},
            {**CARD_SENT, **PAYMENT_SENT, "vat_amount": 0, "use_card_point": False},
            id="0 and false are sent",
        ),
        pytest.param(
            paying(customer=NAMED),
            {},
            {**CARD_SENT, **PAYMENT_SENT, "buyer_name": "홍길동", "buyer_tel": "010"},
            id="the customer buys",
        ),
        pytest.param(
            paying(DETAILED, customer=replace(NAMED, details=(("customer_name", Sensitive("임꺽정")),))),
            {},
            {**CARD_SENT, **PAYMENT_SENT, "buyer_name": "홍길동", "card_quota": 3},
            id="the payment's own buyer",
        ),
        pytest.param(
            charging(DETAILED),
            {"iamport_channel_key": "channel-key-1", "iamport_pg": "pg.mid"},
            {**PAYMENT_SENT, "buyer_name": "홍길동", "card_quota": 3},
            id="a charge, which knows neither card nor channel: the key's own channel charges",
        ),
    ],
)
def test_what_is_sent(asking: Ask, settings: dict[str, str], body: dict[str, Any]) -> None:
    assert json.loads(sent_by(asking, **settings).body) == body


@responses.activate
@pytest.mark.parametrize("asking", [issuing(), paying(), charging(), looking_up(), finding()])
@pytest.mark.parametrize(("tier", "sent"), [("A1Z", "A1Z"), ("", None)])
def test_every_call_names_the_sub_merchant(asking: Ask, tier: str, sent: str | None) -> None:
    assert sent_by(asking, iamport_tier=tier).headers.get("Tier") == sent


@responses.activate
def test_the_token_is_the_agents_own() -> None:
    settings = replace(SETTINGS, iamport_tier="A1Z")
    secrets = FakeSecretsManager(json.dumps({"imp_key": "key", "imp_secret": "secret"}))
    iamport = Iamport(settings, CredentialsStore(settings, aws_of(secrets_manager=secrets)))
    token = {"access_token": "made-up-token", "now": 1, "expired_at": 1801}
    responses.post(f"{SETTINGS.iamport_base_url}/users/getToken", json={"code": 0, "response": token})
    iamport.prepare(Deadline.after(28.0))
    [call] = responses.calls
    assert "Tier" not in call.request.headers


@responses.activate
@pytest.mark.parametrize("asking", [issuing(), paying(), charging()])
def test_with_less_than_four_seconds_left_no_card_is_sent_and_no_key_charged(asking: Ask) -> None:
    with pytest.raises(Unavailable, match="no_time_left"):
        ask(asking, seconds_left=4.0)
    assert len(responses.calls) == 0


@responses.activate
@pytest.mark.parametrize(
    ("asking", "seconds_left", "wait"),
    [
        (looking_up(), 28.0, 5.0),
        (looking_up(), 3.0, 3.0),
        (finding(), 28.0, 5.0),
        (finding(), 3.0, 3.0),
        (issuing(), 28.0, 28.0),
        (paying(), 28.0, 28.0),
        (charging(), 28.0, 28.0),
    ],
)
def test_a_look_up_is_waited_for_five_seconds_and_a_pg_for_as_long_as_there_is(
    asking: Ask, seconds_left: float, wait: float
) -> None:
    assert sent_by(asking, seconds_left=seconds_left).req_kwargs["timeout"][1] == wait


@responses.activate
@pytest.mark.parametrize(
    ("status", "code"),
    [(200, -1), (200, 2), (400, 1), (400, -1), (403, 1)],
)
@pytest.mark.parametrize(
    ("asking", "reason"), [(looking_up(), "look_up_refused"), (finding(), "find_payments_refused")]
)
def test_a_look_up_that_is_refused_says_nothing_of_what_is_there(
    asking: Ask, reason: str, status: int, code: int
) -> None:
    with pytest.raises(Unavailable, match=reason):
        ask(asking, {"code": code}, status)


@responses.activate
def test_time_waited_for_iamport_is_told_once() -> None:
    iamport = Iamport(SETTINGS, CredentialsStore(SETTINGS, AwsClients()))
    assert iamport.take_seconds_waited() == 0.0
