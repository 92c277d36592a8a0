"""The parameters of each endpoint by PortOne's V1 schema: which are required, how long and of which form.

Their messages name the parameter and never repeat its value. Except for the one of the token endpoint, the wording
is unverified.
"""

import json
import re
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from infra.local.iamport.envelope import rejected
from infra.local.iamport.routes import Endpoint
from infra.local.iamport.server import Request


@dataclass(frozen=True)
class Parameter:
    """`secret` ones (card data, credentials) are forgotten with the request. `structured`: a list, read as JSON."""

    name: str
    required: bool = False
    longest: int | None = None
    form: re.Pattern[str] | None = None
    secret: bool = False
    structured: bool = False


# 14 to 19 digits, whatever stands between them: PortOne takes the separators out.
CARD_NUMBER = re.compile(r"(\D*\d){14,19}\D*", re.ASCII)
EXPIRY = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)
BIRTH_OR_BUSINESS_NUMBER = re.compile(r"\d{6}|\d{10}", re.ASCII)
TWO_DIGITS = re.compile(r"\d{2}", re.ASCII)
CVC = re.compile(r"\d{3,4}", re.ASCII)
AMOUNT = re.compile(r"\d{1,12}(\.\d{1,2})?", re.ASCII)
MONTHS = re.compile(r"\d{1,2}", re.ASCII)
COUNT = re.compile(r"\d{1,9}", re.ASCII)
YES_OR_NO = re.compile("true|false")
PRODUCT_TYPE = re.compile("real|digital")
CASH_RECEIPT_TYPE = re.compile("person|company|anonymous")
STATUS = re.compile("ready|paid|failed|cancelled")
SORTING = re.compile("-?(started|paid|updated)")
UP_TO_1000 = re.compile(r"[1-9]\d{0,2}|1000", re.ASCII)
PAGE = re.compile(r"[1-9]\d{0,8}", re.ASCII)

CUSTOMER_UID = Parameter("customer_uid", longest=80)
REQUIRED_CUSTOMER_UID = Parameter("customer_uid", required=True, longest=80)
CHANNEL_KEY = Parameter("channel_key", longest=55)
NAME = Parameter("name", longest=40)

CARD = (
    Parameter("card_number", required=True, form=CARD_NUMBER, secret=True),
    Parameter("expiry", required=True, form=EXPIRY, secret=True),
    Parameter("birth", form=BIRTH_OR_BUSINESS_NUMBER, secret=True),
    Parameter("pwd_2digit", form=TWO_DIGITS, secret=True),
    Parameter("cvc", form=CVC, secret=True),
    Parameter("pg", longest=80),
)
HOLDER = (
    Parameter("customer_id"),
    Parameter("customer_name", longest=20),
    Parameter("customer_tel", longest=20),
    Parameter("customer_email", longest=200),
    Parameter("customer_addr", longest=200),
    Parameter("customer_postcode", longest=8),
)
PAYMENT = (
    Parameter("merchant_uid", required=True, longest=40),
    Parameter("amount", required=True, form=AMOUNT),
    Parameter("tax_free", form=AMOUNT),
    Parameter("buyer_name", longest=16),
    Parameter("buyer_email", longest=64),
    Parameter("buyer_tel", longest=16),
    Parameter("buyer_addr", longest=128),
    Parameter("buyer_postcode", longest=8),
    Parameter("vat_amount", form=AMOUNT),
    Parameter("vat", form=AMOUNT),
    Parameter("currency"),
    Parameter("card_quota", form=MONTHS),
    Parameter("interest_free_by_merchant", form=YES_OR_NO),
    Parameter("use_card_point", form=YES_OR_NO),
    Parameter("custom_data"),
    Parameter("notice_url"),
    Parameter("browser_ip"),
    Parameter("product_type", form=PRODUCT_TYPE),
    Parameter("promotion_id"),
    Parameter("bypass"),
)
ORDER = (
    Parameter("merchant_uid", required=True),
    Parameter("status", form=STATUS),
    Parameter("sorting", form=SORTING),
)
PARAMETERS: dict[Endpoint, tuple[Parameter, ...]] = {
    Endpoint.TOKEN: (Parameter("imp_key", secret=True), Parameter("imp_secret", secret=True)),
    # `channel_key` is "required" by the newest schema, and left out by every official sample.
    Endpoint.ISSUE: (
        REQUIRED_CUSTOMER_UID,
        *CARD,
        CHANNEL_KEY,
        *HOLDER,
        Parameter("channel_group_id", longest=55),
    ),
    Endpoint.LOOK_UP: (Parameter("customer_uid", required=True),),
    Endpoint.REVOKE: (Parameter("customer_uid", required=True), Parameter("reason")),
    Endpoint.PAY_ONETIME: (
        *PAYMENT,
        *CARD,
        CUSTOMER_UID,
        NAME,
        Parameter("secure_3d_charge_id"),
        Parameter("secure_3d_token", secret=True),
        Parameter("channelGroupId", longest=55),
    ),
    Endpoint.PAY_AGAIN: (
        *PAYMENT,
        REQUIRED_CUSTOMER_UID,
        replace(NAME, required=True),
        CHANNEL_KEY,
        Parameter("product_count", form=COUNT),
        Parameter("cash_receipt_type", form=CASH_RECEIPT_TYPE),
    ),
    Endpoint.FIND_PAYMENT: ORDER,
    # What a limit above 1000 comes to is unverified.
    Endpoint.FIND_PAYMENTS: (*ORDER, Parameter("limit", form=UP_TO_1000), Parameter("page", form=PAGE)),
    Endpoint.CANCEL: (
        Parameter("imp_uid"),
        Parameter("merchant_uid"),
        Parameter("amount", form=AMOUNT),
        Parameter("tax_free", form=AMOUNT),
        Parameter("vat_amount", form=AMOUNT),
        Parameter("checksum", form=AMOUNT),
        Parameter("reason"),
    ),
    Endpoint.SCHEDULE: (REQUIRED_CUSTOMER_UID, Parameter("schedules", required=True, structured=True)),
    Endpoint.SHOW_SCHEDULE: (Parameter("merchant_uid", required=True),),
    Endpoint.UNSCHEDULE: (CUSTOMER_UID, Parameter("merchant_uid", structured=True)),
    Endpoint.CHANNELS: (),
    Endpoint.UNKNOWN: (),
}


def read(endpoint: Endpoint, request: Request) -> dict[str, str]:
    """The parameters of the query or, at POST, of the body.

    That a POST has any in its query is not foreseen: card numbers in an address would stand in everybody's logs.
    """
    if request.method == "POST":
        return _read_body(endpoint, request.content_type, request.body)
    return _read_form(request.query)


def _read_form(text: str) -> dict[str, str]:
    return {name: value for name, value in parse_qsl(text) if value}


def _read_body(endpoint: Endpoint, content_type: str, body: bytes) -> dict[str, str]:
    """JSON or form-encoded; `RejectedError` (400) if it is neither."""
    try:
        text = body.decode()
        if "json" not in content_type.lower():
            return _read_form(text)
        members = json.loads(text or "{}")
    except (ValueError, RecursionError):
        raise rejected(400, "요청 본문을 읽을 수 없습니다.") from None
    if not isinstance(members, dict):
        raise rejected(400, "요청 본문을 읽을 수 없습니다.")
    structured = {parameter.name for parameter in PARAMETERS[endpoint] if parameter.structured}
    texts = {name: _text(value, name in structured) for name, value in members.items()}
    return {name: text for name, text in texts.items() if text}


def _text(value: object, may_be_list: bool) -> str | None:
    """As a form would have it; None for what is not there, or of another type than any parameter."""
    match value:
        case bool() | list() if may_be_list or isinstance(value, bool):
            return json.dumps(value)
        case str() | int() | float():
            return str(value)
        case _:
            return None


def public(endpoint: Endpoint, sent: dict[str, str]) -> dict[str, str]:
    """What may be kept of a request: the schema's parameters without the secret ones."""
    names = {parameter.name for parameter in PARAMETERS[endpoint] if not parameter.secret}
    return {name: value for name, value in sent.items() if name in names}


def check(endpoint: Endpoint, sent: dict[str, str]) -> None:
    """`RejectedError` (400) at the first parameter that is missing, too long or of another form."""
    for parameter in PARAMETERS[endpoint]:
        value = sent.get(parameter.name)
        if value is None:
            if parameter.required:
                raise rejected(400, f"{parameter.name} 파라메터가 누락되었습니다.")
            continue
        if parameter.longest is not None and len(value) > parameter.longest:
            raise rejected(400, f"{parameter.name} 파라메터는 최대 {parameter.longest}자입니다.")
        if parameter.form is not None and not parameter.form.fullmatch(value):
            raise rejected(400, f"{parameter.name} 파라메터의 형식이 올바르지 않습니다.")
