"""The contracts that a merchant may have with a PG, one row each: what it wants, what it keeps, how it refuses.

Where a fact is from: S PortOne's V1 schema, edition 2026-07-27 (`x-portone-per-pg` and its like); G
developers.portone.io, 2026-08; R "빌링키 획득 규칙" there; H PortOne's help pages; V2 the PG's page of the V2 API, a
hint only; P captured in public code and issues. Which card data a PG wants is decided by the MID (S): a row stands for
one MID. What nobody has captured starts with [시뮬레이터], and is made up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.local.iamport.envelope import Reply, refused
from infra.local.iamport.routes import Endpoint

ISSUE_REFUSED = "카드정보 인증 및 빌키 발급에 실패하였습니다. "
PAYMENT_REFUSED = "카드정보 인증에 실패하였습니다. "
# Captured of a charge, without a word on its endpoint; at `again` it is unverified.
AGAIN_REFUSED = "결제에 실패하였습니다. "
PREFIXES = {
    Endpoint.ISSUE: ISSUE_REFUSED,
    Endpoint.PAY_ONETIME: PAYMENT_REFUSED,
    Endpoint.PAY_AGAIN: AGAIN_REFUSED,
}

NO_CHANNEL = "비인증결제모듈 사용정보를 찾을 수 없습니다."
"""P, code 1: there is no channel for billing by API, or not the one that was named."""


@dataclass(frozen=True)
class Missing:
    """How a contract says that a parameter is missing. `text` stands behind the endpoint's prefix at HTTP 200 only."""

    text: str
    http_status: int = 200


INVENTED = Missing("[시뮬레이터] {parameter} 값이 누락되었습니다.")
"""Wherever nobody has captured what the PG says."""


@dataclass(frozen=True)
class Contract:
    """One row. `at_issue`, `at_onetime`, `at_again`: what it wants beyond what the schema wants of everybody.

    keeps_key_at_onetime: whether `onetime` with a customer_uid keeps the key.
    issues_without_payment: whether POST /subscribe/customers/{customer_uid} issues at all.
    makes_customer_id: whether a missing customer_id is made up, another one each time.
    vat_up_to_a_tenth: whether a vat_amount of more than a tenth of the amount is refused.
    answers_to_any_channel: whether it is charged, too, when a channel is named that the account does not have.
    """

    name: str
    pg_provider: str
    pg_id: str
    what: str
    at_issue: tuple[str, ...] = ()
    at_onetime: tuple[str, ...] = ()
    at_again: tuple[str, ...] = ()
    missing: Mapping[str, Missing] = field(default_factory=dict)
    keeps_key_at_onetime: bool = True
    issues_without_payment: bool = True
    makes_customer_id: bool = False
    vat_up_to_a_tenth: bool = False
    answers_to_any_channel: bool = False

    @property
    def channel_key(self) -> str:
        return f"channel-key-local-{self.name}"

    def refusal(self, endpoint: Endpoint, values: Mapping[str, str]) -> Reply | None:
        """What it says to a request that lacks something it wants, or None where nothing is lacking."""
        if endpoint is Endpoint.ISSUE and not self.issues_without_payment:
            return refused(1, NO_CHANNEL)
        for parameter in self._wanted(endpoint):
            if parameter not in values and not _may_be_left_out(parameter, values):
                missing = self.missing.get(parameter, INVENTED)
                prefix = PREFIXES[endpoint] if missing.http_status == 200 else ""
                return refused(-1, prefix + missing.text.replace("{parameter}", parameter), missing.http_status)
        if self.vat_up_to_a_tenth and 10 * float(values.get("vat_amount", "0")) > float(values.get("amount", "0")):
            return refused(-1, PREFIXES[endpoint] + "[시뮬레이터] vat_amount 값이 결제금액의 10%를 초과합니다.")
        return None

    def _wanted(self, endpoint: Endpoint) -> tuple[str, ...]:
        match endpoint:
            case Endpoint.ISSUE:
                return self.at_issue
            case Endpoint.PAY_ONETIME:
                return self.at_onetime
            case _:
                return self.at_again


def _may_be_left_out(parameter: str, values: Mapping[str, str]) -> bool:
    """A corporate card, which has a business number of ten digits for a birth date, needs no password."""
    return parameter == "pwd_2digit" and len(values.get("birth", "")) == 10


BIRTH_AND_PASSWORD = ("birth", "pwd_2digit")

LENIENT = Contract(
    name="lenient",
    # The names of the captured answer.
    pg_provider="nice",
    pg_id="nictest04m",
    what="none in particular: number and expiry, and whatever else is sent",
    answers_to_any_channel=True,
)

# A pg_id that is not said to be somebody's is made up.
CONTRACTS = (
    Contract(
        name="nice",
        pg_provider="nice",
        pg_id="local-nice",
        what="NICE, the older module: birth and password",
        # By contract (S); these are the usual ones. At `onetime` the key is kept (G).
        at_issue=BIRTH_AND_PASSWORD,
        at_onetime=BIRTH_AND_PASSWORD,
    ),
    Contract(
        name="nice_v2",
        pg_provider="nice_v2",
        pg_id="local-nice-v2",
        what="NICE, the newer module: birth and password",
        # V2 requires both; at issuing P shows both refusals. What stands between the brackets of the first was cut out
        # of the capture. That `onetime` keeps the key is not said; S names it among those that do not exclude it.
        at_issue=BIRTH_AND_PASSWORD,
        at_onetime=BIRTH_AND_PASSWORD,
        missing={
            "birth": Missing(
                "[400]Invalid Request. Please Check this argument: birthOrBusinessRegistrationNumber "
                "InvalidLength(must be one of [6, 10])"
            ),
            "pwd_2digit": Missing("[400].issueCard.password2Digits:Invalid 2 digits of password!"),
        },
    ),
    Contract(
        name="kcp",
        pg_provider="kcp",
        pg_id="local-kcp",
        what="KCP: birth and password",
        # V2 requires both. At `onetime` the key is kept (G).
        at_issue=BIRTH_AND_PASSWORD,
        at_onetime=BIRTH_AND_PASSWORD,
    ),
    Contract(
        name="inicis",
        # R: by API it is `inicis`; S calls it `html5_inicis`, which R has for the payment window.
        pg_provider="inicis",
        pg_id="local-inicis",
        what="KG Inicis: at onetime name, buyer_name, buyer_email and buyer_tel",
        at_onetime=("name", "buyer_name", "buyer_email", "buyer_tel"),  # S
        missing={"name": Missing("이니시스 빌링결제는 상품명이 필수입니다.", 400)},  # P
    ),
    Contract(
        name="tosspayments",
        pg_provider="tosspayments",
        pg_id="local-tosspayments",
        what="tosspayments: a missing customer_id is made up; onetime keeps no key",
        makes_customer_id=True,  # S
        keeps_key_at_onetime=False,  # S: customer_uid of `onetime` is unsupported; G still shows it
    ),
    Contract(
        name="ksnet",
        pg_provider="ksnet",
        pg_id="local-ksnet",
        what="KSNET: birth, password; at a payment buyer_name, product_type; onetime keeps no key",
        at_issue=BIRTH_AND_PASSWORD,  # S
        at_onetime=("buyer_name", "product_type"),  # S, where birth and password are not verified
        at_again=("buyer_name", "product_type"),  # S
        keeps_key_at_onetime=False,  # S
    ),
    Contract(
        name="welcome",
        pg_provider="welcome",
        pg_id="local-welcome",
        what="Welcome: customer_name, at a payment buyer_name",
        at_issue=("customer_name",),  # S; V2: telephone and e-mail, too
        at_onetime=("buyer_name",),  # S, G
        at_again=("buyer_name",),  # S
        vat_up_to_a_tenth=True,  # S
    ),
    Contract(
        name="daou",
        pg_provider="daou",
        pg_id="CTS16629",  # H: the test MID for 카유비생, all four fields of a card
        what="Kiwoom (daou), a MID for all four: birth and password",
        at_issue=BIRTH_AND_PASSWORD,
        at_onetime=BIRTH_AND_PASSWORD,
    ),
    Contract(
        name="settle",
        pg_provider="settle",
        pg_id="nxca_ks_gu",  # H: the test MID for 카유비생
        what="Hecto (settle): birth and password; a key by onetime only",
        at_onetime=BIRTH_AND_PASSWORD,
        # G: issuing takes a contract of its own, which this merchant does not have. What it answers is unverified.
        issues_without_payment=False,
    ),
    Contract(
        name="number_expiry",
        pg_provider="daou",
        pg_id="CTS16628",  # H: the test MID for 카유, number and expiry
        what="number and expiry alone (카유), a MID of Kiwoom's",
    ),
    Contract(
        name="no_password",
        pg_provider="nice",
        pg_id="local-nice-no-password",
        what="without the password: birth, a MID of NICE's",
        # The second of the three forms that PortOne's WooCommerce plugin knows.
        at_issue=("birth",),
        at_onetime=("birth",),
    ),
)

BY_NAME = {contract.name: contract for contract in (LENIENT, *CONTRACTS)}


def with_all_others(name: str) -> tuple[Contract, ...]:
    """The channels of an account that has every contract, the named one by default. Raises KeyError."""
    default = BY_NAME[name]
    return (default, *(contract for contract in CONTRACTS if contract is not default))
