"""The service as an operator sets it up for each contract: cards are registered, first payments taken, and what Iamport
says where something is missing reaches the operator.

API Gateway, the function and Iamport are those of `make run`, without its settler; each contract has a simulator of its
own, of which it is the only channel.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from infra.local.aws import Aws
from infra.local.iamport import CONTRACTS, Simulator
from infra.local.iamport.contracts import BY_NAME
from infra.local.service import (
    API,
    IMP_KEY,
    IMP_SECRET,
    LOCAL_PARAMETERS,
    Backends,
    put_local_keys,
    run_api,
    talking_to,
)
from infra.local.template import TEMPLATE, Template
from infra.local.token import new_token
from tests.attempts_table import item_of, plain
from tests.integration.door import CARD_NUMBER, SINGULAR

CARD = {"card_number": CARD_NUMBER, "expiry": "2099-12"}
BIRTH, PASSWORD = {"birth": "900101"}, {"pwd_2digit": "07"}
BOTH = BIRTH | PASSWORD
NAMED = {"customer": {"name": "홍길동"}}
ORDER = {"amount": 9900, "name": "구독"}


@dataclass(frozen=True)
class Merchant:
    """What stands in the operator's settings, on the form and in the tokens; `payment`: beside amount and name."""

    settings: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, Any] = field(default_factory=dict)
    payment: Mapping[str, str] = field(default_factory=dict)


NUMBER_AND_EXPIRY = {"CardFields": "none"}

MERCHANTS = {
    "nice": Merchant(form=BOTH),
    "nice_v2": Merchant(form=BOTH),
    "kcp": Merchant(form=BOTH),
    "inicis": Merchant(
        NUMBER_AND_EXPIRY, claims={"customer": {"name": "홍길동", "email": "hong@example.com", "tel": "010-0000-0000"}}
    ),
    "tosspayments": Merchant(NUMBER_AND_EXPIRY | {"FirstPayment": "again"}, claims={"customer": {"id": "member-1"}}),
    "ksnet": Merchant({"FirstPayment": "again"}, BOTH, NAMED, {"product_type": "digital"}),
    "welcome": Merchant(NUMBER_AND_EXPIRY, claims=NAMED),
    "daou": Merchant(form=BOTH),
    "settle": Merchant({"IamportPg": "settle.nxca_ks_gu"}, BOTH),
    "number_expiry": Merchant(NUMBER_AND_EXPIRY),
    "no_password": Merchant({"CardFields": "birth"}, BIRTH),
}

ISSUE_FAILED, PAYMENT_FAILED = "카드정보 인증 및 빌키 발급에 실패하였습니다. ", "카드정보 인증에 실패하였습니다. "
NO_CHANNEL = "비인증결제모듈 사용정보를 찾을 수 없습니다."


def made_up(missing: str) -> str:
    return f"[시뮬레이터] {missing} 값이 누락되었습니다."


@dataclass(frozen=True)
class Mistake:
    """Of an operator, who set up less than the contract wants, or of a merchant's token; and what comes of it."""

    merchant: Merchant
    code: str
    message: str
    pays: bool = False


MISTAKES = {
    "nice": Mistake(Merchant({"CardFields": "birth"}, BIRTH), "declined", ISSUE_FAILED + made_up("pwd_2digit")),
    "nice_v2": Mistake(
        Merchant({"CardFields": "birth"}, BIRTH),
        "declined",
        ISSUE_FAILED + "[400].issueCard.password2Digits:Invalid 2 digits of password!",
    ),
    "kcp": Mistake(Merchant(NUMBER_AND_EXPIRY), "declined", ISSUE_FAILED + made_up("birth")),
    "inicis": Mistake(
        Merchant(NUMBER_AND_EXPIRY, claims=NAMED), "declined", PAYMENT_FAILED + made_up("buyer_email"), pays=True
    ),
    "ksnet": Mistake(
        Merchant({"FirstPayment": "again"}, BOTH, NAMED),
        "declined",
        "결제에 실패하였습니다. " + made_up("product_type"),
        pays=True,
    ),
    "welcome": Mistake(Merchant(NUMBER_AND_EXPIRY), "declined", ISSUE_FAILED + made_up("customer_name")),
    "daou": Mistake(Merchant({"CardFields": "birth"}, BIRTH), "declined", ISSUE_FAILED + made_up("pwd_2digit")),
    "settle": Mistake(Merchant({}, BOTH), "gateway_refused", NO_CHANNEL),
    "no_password": Mistake(Merchant(NUMBER_AND_EXPIRY), "declined", ISSUE_FAILED + made_up("birth")),
}
"""tosspayments and number_expiry want nothing that can be missing."""


@dataclass(frozen=True)
class Shop:
    """A merchant's server and pages, before the service that its operator deployed."""

    merchant: Merchant
    url: str
    simulator: Simulator
    log: Path

    def register(self, customer_uid: str) -> dict[str, Any]:
        return self._post(customer_uid)

    def register_and_pay(self, customer_uid: str, merchant_uid: str) -> dict[str, Any]:
        return self._post(customer_uid, payment={"merchant_uid": merchant_uid, **ORDER, **self.merchant.payment})

    def _post(self, customer_uid: str, **claims: Any) -> dict[str, Any]:
        token = new_token(customer_uid, **self.merchant.claims, **claims)
        form = {**CARD, **self.merchant.form, "customer_token": token}
        answer: dict[str, Any] = requests.post(self.url + SINGULAR, json=form, timeout=60).json()
        return answer

    def log_lines(self) -> list[dict[str, Any]]:
        lines = [line for line in self.log.read_text("utf-8").splitlines() if line.startswith("{")]
        return [json.loads(line) for line in lines]


@contextmanager
def shop_of(name: str, merchant: Merchant, aws: Aws, log: Path) -> Iterator[Shop]:
    template = Template(TEMPLATE, {**LOCAL_PARAMETERS, "CustomerIdentity": "signed", **merchant.settings})
    put_local_keys(aws)
    with Simulator(IMP_KEY, IMP_SECRET, contracts=(BY_NAME[name],)) as simulator, log.open("ab") as output:
        function = template.function(template.function_behind_api(), aws.physical_ids)
        with run_api(template.api(API), talking_to(Backends(simulator, aws), function), log=output) as url:
            yield Shop(merchant, url, simulator, log)


@pytest.fixture(scope="module", params=MERCHANTS)
def shop(request: pytest.FixtureRequest, running_aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    log = tmp_path_factory.mktemp(request.param) / "function.log"
    with shop_of(request.param, MERCHANTS[request.param], running_aws, log) as shop:
        yield shop


def name_of(shop: Shop) -> str:
    return next(name for name, merchant in MERCHANTS.items() if merchant is shop.merchant)


def test_every_contract_has_a_merchant() -> None:
    assert set(MERCHANTS) == {contract.name for contract in CONTRACTS}
    assert set(MERCHANTS) - set(MISTAKES) == {"tosspayments", "number_expiry"}


def test_a_card_is_registered(shop: Shop) -> None:
    uid = f"registered-by-{name_of(shop)}"
    answer = shop.register(uid)

    if name_of(shop) == "settle":  # by a first payment alone
        assert (answer["code"], shop.simulator.customers) == ("gateway_refused", {})
        return
    assert answer["status"] == "success"
    assert shop.simulator.customers[uid].pg_id == BY_NAME[name_of(shop)].pg_id


def test_a_first_payment_is_taken_and_its_key_stays(shop: Shop) -> None:
    uid = f"paid-by-{name_of(shop)}"
    answer = shop.register_and_pay(uid, f"order-{name_of(shop)}")

    assert (answer["status"], answer["payment"]["amount"]) == ("success", ORDER["amount"])
    [payment] = shop.simulator.payments
    assert (payment.status, payment.customer_uid) == ("paid", uid)
    assert uid in shop.simulator.customers


@pytest.mark.parametrize("name", MISTAKES)
def test_what_is_missing_is_told_in_iamports_words(name: str, running_aws: Aws, tmp_path: Path) -> None:
    mistake, uid = MISTAKES[name], f"member-of-{name}"
    with shop_of(name, mistake.merchant, running_aws, tmp_path / "log") as shop:
        answer = shop.register_and_pay(uid, f"mistake-{name}") if mistake.pays else shop.register(uid)
        told = plain(item_of(running_aws, uid))

        assert answer["code"] == mistake.code
        assert shop.simulator.payments == []
        # By way of `again` the key has been issued before the charge is refused.
        assert set(shop.simulator.customers) == ({uid} if name == "ksnet" else set())
        assert [line["iamport_message"] for line in shop.log_lines() if "iamport_message" in line] == [mistake.message]
        assert told["message"] == mistake.message  # the event's
        if mistake.code == "declined":
            assert answer["message"] == mistake.message
