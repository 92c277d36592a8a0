"""Which tokens say who a customer is, and that every other one is refused."""

import base64
import hmac
import json
import random
import time
from typing import Any

import jwt
import pytest

from billing.model.customer import Channel, Claim, Payment
from billing.model.errors import InvalidCustomerToken
from billing.model.parameters import CUSTOMER, Parameter
from billing.model.parameters import PAYMENT as PARAMETERS
from billing.model.sensitive import Sensitive
from billing.web.customer_token import read_claim

KEY = "k" * 32
KEYS = (Sensitive(KEY),)
PAYMENT = {"merchant_uid": "order-1", "amount": 9900, "name": "구독"}


def token(key: str = KEY, algorithm: str = "HS256", **claims: Any) -> str:
    claims = {"sub": "customer-1", "exp": time.time() + 600, **claims}
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, key, algorithm)


def refused(text: str, keys: tuple[Sensitive, ...] = KEYS) -> bool:
    try:
        read_claim(text, keys)
    except InvalidCustomerToken:
        return True
    return False


def test_a_token_names_its_customer() -> None:
    assert read_claim(token(), KEYS) == Claim("customer-1", may_replace=False, payment=None)
    assert read_claim(token(replace=True), KEYS).may_replace


@pytest.mark.parametrize(("claims", "is_new"), [({}, False), ({"new": False}, False), ({"new": True}, True)])
def test_a_token_may_say_that_its_uid_is_new(claims: dict[str, Any], is_new: bool) -> None:
    assert read_claim(token(**claims), KEYS).is_new is is_new


def test_a_token_may_say_what_the_account_is_called() -> None:
    assert read_claim(token(display="길동 (gildong@shop.example)"), KEYS).display == "길동 (gildong@shop.example)"
    assert read_claim(token(), KEYS).display == ""


@pytest.mark.parametrize("display", [1, None, " a", "a\nb", "a" * 81, ["a"]])
def test_what_is_no_name_of_an_account_is_refused(display: object) -> None:
    claims = jwt.encode({"sub": "customer-1", "exp": time.time() + 600, "display": display}, KEY, "HS256")
    with pytest.raises(InvalidCustomerToken) as refusal:
        read_claim(claims, KEYS)
    assert refusal.value.reason == "display_not_as_documented"


@pytest.mark.parametrize("new", ["true", 1, 0, [], {}])
def test_new_is_said_by_a_boolean_alone(new: object) -> None:
    with pytest.raises(InvalidCustomerToken) as refusal:
        read_claim(token(new=new), KEYS)
    assert refusal.value.reason == "new_not_a_boolean"


def test_a_token_may_bring_a_payment() -> None:
    claim = read_claim(token(payment={**PAYMENT, "tax_free": 0, "buyer_name": "홍길동"}), KEYS)
    assert claim.payment == Payment(
        "order-1", 9900, "구독", details=(("buyer_name", Sensitive("홍길동")), ("tax_free", 0))
    )


OPTIONAL: dict[str, Any] = {
    "buyer_name": "홍길동",
    "buyer_email": "gildong@shop.example",
    "buyer_tel": "010-0000-0000",
    "buyer_addr": "서울",
    "buyer_postcode": "04524",
    "tax_free": 0,
    "vat_amount": 0,
    "card_quota": 3,
    "interest_free_by_merchant": False,
    "use_card_point": True,
    "product_type": "digital",
    "custom_data": '{\n  "plan": "yearly"\n}',
    "notice_url": "https://shop.example/hooks?order=1",
    "currency": "KRW",
    "promotion_id": "promotion-id-1",
    "bypass": '{"paypal_v2": {"additional_data": []}}',
}


def test_every_parameter_of_a_payment_is_taken_as_it_is() -> None:
    """`vat_amount` 0 makes a sale zero-rated, and is not the same as none."""
    assert {*PAYMENT, *OPTIONAL} == PARAMETERS.keys()
    claim = read_claim(token(payment={**PAYMENT, **OPTIONAL}), KEYS)
    assert claim.payment is not None
    given = {name: value.reveal() if isinstance(value, Sensitive) else value for name, value in claim.payment.details}
    assert given == OPTIONAL
    assert {name: type(value) for name, value in given.items()} == {
        name: type(value) for name, value in OPTIONAL.items()
    }


def test_an_empty_text_names_nothing() -> None:
    claim = read_claim(token(payment={**PAYMENT, "buyer_name": ""}, customer={"tel": "", "name": "홍길동"}), KEYS)
    assert claim.payment == Payment("order-1", 9900, "구독", details=())
    assert claim.details == (("customer_name", Sensitive("홍길동")),)


def test_a_token_may_name_the_customer() -> None:
    customer = {name.removeprefix("customer_"): f"{name} 1"[: CUSTOMER[name].longest] for name in CUSTOMER}
    assert customer.keys() == {"id", "name", "tel", "email", "addr", "postcode"}
    claim = read_claim(token(customer=customer), KEYS)
    assert dict(claim.details) == {f"customer_{name}": Sensitive(text) for name, text in customer.items()}


@pytest.mark.parametrize(
    ("claims", "channel"),
    [
        ({}, None),
        ({"channel_key": "channel-key-1"}, Channel(channel_key="channel-key-1")),
        ({"pg": "nice.MID1"}, Channel(pg="nice.MID1")),
    ],
)
def test_a_token_may_choose_a_channel(claims: dict[str, Any], channel: Channel | None) -> None:
    assert read_claim(token(**claims), KEYS).channel == channel


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"payment": {**PAYMENT, "amonut": 1}}, "payment_unknown: amonut"),
        ({"payment": {**PAYMENT, "secure_3d_token": "x"}}, "payment_unknown: secure_3d_token"),
        ({"payment": {**PAYMENT, "vat": 0}}, "payment_unknown: vat"),
        ({"payment": {**PAYMENT, "cvc": "000"}}, "payment_unknown: cvc"),
        ({"payment": {**PAYMENT, "channel_key": "k"}}, "payment_unknown: channel_key"),
        ({"customer": {"phone": "1"}}, "customer_unknown: phone"),
        ({"customer": {"customer_name": "1"}}, "customer_unknown: customer_name"),
        ({"customer": {"0000111122223333": "1"}}, "customer_unknown: not a name"),
        ({"customer": {"\n": "1"}}, "customer_unknown: not a name"),
        ({"payment": {**PAYMENT, "x" * 65: 1}}, "payment_unknown: not a name"),
        ({"customer": "홍길동"}, "customer_not_an_object"),
        ({"payment": []}, "payment_not_an_object"),
        ({"channel_key": "k", "pg": "nice"}, "channel_key_and_pg"),
        ({"channel_key": ""}, "channel_key_not_as_documented"),
        ({"channel_key": "k" * 56}, "channel_key_not_as_documented"),
        ({"channel_key": "a b"}, "channel_key_not_as_documented"),
        ({"pg": 1}, "pg_not_as_documented"),
        ({"pg": "p" * 81}, "pg_not_as_documented"),
    ],
)
def test_the_log_says_what_is_not_as_documented(claims: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidCustomerToken) as refusal:
        read_claim(token(**claims), KEYS)
    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        *((name, "x" * (parameter.longest + 1)) for name, parameter in PARAMETERS.items() if parameter.longest),
        *((name, -1) for name, parameter in PARAMETERS.items() if parameter.type in ("number", "integer")),
        *((name, 1) for name, parameter in PARAMETERS.items() if parameter.type in ("string", "boolean")),
        *((name, "true") for name, parameter in PARAMETERS.items() if parameter.type == "boolean"),
        ("amount", 0),
        ("product_type", "virtual"),
        ("product_type", ""),
        ("bypass", "{"),
        ("bypass", {"paypal_v2": {}}),
        ("bypass", "[" * 2_000),
        ("custom_data", {}),
        ("notice_url", "https://shop.example/\n"),
    ],
)
def test_a_payments_parameter_out_of_bounds_is_refused_by_its_name(parameter: str, value: object) -> None:
    with pytest.raises(InvalidCustomerToken) as refusal:
        read_claim(token(payment={**PAYMENT, parameter: value}), KEYS)
    assert refusal.value.reason == f"payment_{parameter}"


@pytest.mark.parametrize(("name", "parameter"), CUSTOMER.items(), ids=CUSTOMER)
def test_a_customers_detail_out_of_bounds_is_refused_by_its_name(name: str, parameter: Parameter) -> None:
    assert parameter.longest is not None
    member = name.removeprefix("customer_")
    for wrong in ("x" * (parameter.longest + 1), 1, None, "\x00"):
        with pytest.raises(InvalidCustomerToken) as refusal:
            read_claim(token(customer={member: wrong}), KEYS)
        assert refusal.value.reason == name


def test_both_keys_are_good_while_the_key_is_rotated() -> None:
    old = "o" * 32
    assert not refused(token(key=old), (*KEYS, Sensitive(old)))
    assert refused(token(key=old))


def test_clocks_may_differ_by_half_a_minute() -> None:
    assert not refused(token(exp=time.time() - 25))
    assert refused(token(exp=time.time() - 35))
    assert not refused(token(nbf=time.time() + 25))
    assert refused(token(nbf=time.time() + 35))
    assert not refused(token(exp=time.time() + 3625))
    assert refused(token(exp=time.time() + 3635))


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": 10**400},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 81},
        {"sub": ".."},
        {"sub": " x"},
        {"replace": "yes"},
        {"replace": 1},
        {"payment": "order"},
        {"payment": {}},
        {"payment": {**PAYMENT, "amount": 0}},
        {"payment": {**PAYMENT, "amount": -1}},
        {"payment": {**PAYMENT, "amount": 1.5}},
        {"payment": {**PAYMENT, "amount": "9900"}},
        {"payment": {**PAYMENT, "amount": True}},
        {"payment": {**PAYMENT, "merchant_uid": "x" * 41}},
        {"payment": {**PAYMENT, "merchant_uid": ".."}},
        {"payment": {**PAYMENT, "name": ""}},
        {"payment": {**PAYMENT, "amonut": 1}},
    ],
)
def test_a_token_that_is_not_as_documented_is_refused(claims: dict[str, Any]) -> None:
    assert refused(token(**claims))


NO_TEXT: list[object] = [5, True, None, [], {}, ["customer-1"]]
NO_NUMBER: list[object] = ["1800000000", "tomorrow", "", True, None, [], {}, float("nan"), float("inf")]
NO_BOOLEAN: list[object] = ["true", 1, 0, None, [], {}]


@pytest.mark.parametrize(
    ("named", "claims"),
    [
        *(("sub", {"sub": wrong}) for wrong in NO_TEXT),
        *(("exp", {"exp": wrong}) for wrong in NO_NUMBER),
        *(("nbf", {"nbf": wrong}) for wrong in NO_NUMBER),
        *(("iat", {"iat": wrong}) for wrong in NO_NUMBER),
        *(("replace", {"replace": wrong}) for wrong in NO_BOOLEAN),
        *(("new", {"new": wrong}) for wrong in NO_BOOLEAN),
        *(("payment", {"payment": wrong}) for wrong in ("order-1", 5, True, [], ["order-1"], {}, {"amonut": 1})),
        *(
            (f"payment_{name}", {"payment": {**PAYMENT, name: wrong}})
            for name in ("merchant_uid", "name", "buyer_name", "buyer_tel")
            for wrong in NO_TEXT
        ),
        *(
            (f"payment_{name}", {"payment": {**PAYMENT, name: wrong}})
            for name in ("amount", "tax_free", "card_quota")
            for wrong in (*NO_NUMBER, 1.5)
        ),
        ("exp", {"exp": 10**400}),
        ("nbf", {"nbf": 10**400}),
        ("iat", {"iat": 10**400}),
    ],
)
def test_a_claim_of_the_wrong_type_is_refused_by_its_name(named: str, claims: dict[str, Any]) -> None:
    text = signed({"sub": "customer-1", "exp": time.time() + 600, **claims})
    with pytest.raises(InvalidCustomerToken) as refusal:
        read_claim(text, KEYS)
    assert str(refusal.value.reason).startswith(named)


def signed(payload: object) -> str:
    """By a server that checks nothing, as PyJWT would."""
    parts = f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{encoded(payload)}"
    mac = hmac.digest(KEY.encode(), parts.encode(), "sha256")
    return f"{parts}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


@pytest.mark.parametrize("payload", [None, 5, "text", [], ["sub"], {}, {"sub": "customer-1"}, {"exp": 1}])
def test_a_payload_that_lacks_what_it_needs_is_refused(payload: object) -> None:
    assert refused(signed(payload))


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": 1}, "exp_past"),
        ({"exp": 4_000_000_000}, "exp_too_far_away"),
        ({"nbf": 4_000_000_000}, "nbf_in_the_future"),
        ({"iat": 4_000_000_000}, "iat_in_the_future"),
    ],
)
def test_a_time_that_is_wrong_is_named(claims: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidCustomerToken) as refusal:
        read_claim(token(**claims), KEYS)
    assert refusal.value.reason == reason


@pytest.mark.parametrize("claims", [{"jti": 7}, {"iss": ["shop"]}, {"aud": 1}, {"mine": {"a": [None]}}, {"nbf": 1.5}])
def test_claims_that_mean_nothing_here_may_be_anything(claims: dict[str, Any]) -> None:
    assert not refused(signed({"sub": "customer-1", "exp": time.time() + 600, **claims}))


def test_what_a_token_says_in_words_can_be_looked_through() -> None:
    claim = read_claim(token(payment={**PAYMENT, "tax_free": 0, "buyer_name": "홍길동"}), KEYS)
    assert [text.reveal() for text in claim.texts()] == ["customer-1", "order-1", "구독", "홍길동"]
    claim = read_claim(token(payment={**PAYMENT, **OPTIONAL}, customer={"tel": "010"}, pg="nice.MID1"), KEYS)
    words = [value for value in OPTIONAL.values() if isinstance(value, str)]
    assert [text.reveal() for text in claim.texts()] == ["customer-1", "nice.MID1", "order-1", "구독", "010", *words]
    assert [text.reveal() for text in read_claim(token(), KEYS).texts()] == ["customer-1"]


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def test_other_algorithms_and_keys_are_refused() -> None:
    good = token()
    _, claims, signature = good.split(".")
    for algorithm in ("none", "None", "NONE", "HS384", "RS256", "ES256", "", None):
        assert refused(f"{encoded({'alg': algorithm, 'typ': 'JWT'})}.{claims}.{signature}")
        assert refused(f"{encoded({'alg': algorithm, 'typ': 'JWT'})}.{claims}.")
    assert refused(token(algorithm="HS512", key="k" * 64), (Sensitive("k" * 64),))
    assert refused(token(key="w" * 32))
    assert refused(good, ())
    assert refused(token(key="short"), (Sensitive("short"),))


def test_hundreds_of_altered_tokens_are_refused() -> None:
    good, chance = token(), random.Random(3)  # noqa: S311 (the same tokens in every run)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.="
    altered: set[str] = set()
    while len(altered) < 500:
        place = chance.randrange(len(good) - 1)  # the last character has bits that mean nothing
        kind = chance.choice(("replace", "remove", "insert", "cut", "swap"))
        letter = chance.choice(alphabet)
        match kind:
            case "replace":
                text = good[:place] + letter + good[place + 1 :]
            case "remove":
                text = good[:place] + good[place + 1 :]
            case "insert":
                text = good[:place] + letter + good[place:]
            case "cut":
                text = good[:place]
            case _:
                text = good[place:] + good[:place]
        if text.rstrip("=") != good:
            altered.add(text)
    assert all(refused(text) for text in altered)


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "x" * 5000, "\x00", "가.나.다", "{}", "null", "eyJ.eyJ.eyJ"])
def test_garbage_is_refused(text: str) -> None:
    assert refused(text)
