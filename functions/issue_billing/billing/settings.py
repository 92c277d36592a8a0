"""The operator's settings, read from the environment in this one place."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

ORIGIN = r"https://[^/?#@,\s]+"
OF_THIS_MACHINE = r"http://(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]+)?"
FROM_A_CONTAINER = r"http://host\.docker\.internal(?::[0-9]+)?"
"""This machine, where `sam local` runs the function."""
PICTURE = r"|https://[A-Za-z0-9.\-]+(:[0-9]+)?/[A-Za-z0-9._~%/\-]*[A-Za-z0-9._~\-]"
"""An address that a Content Security Policy can name exactly: with a query it would allow any, with a slash at its end
a whole folder (Content Security Policy Level 3, 6.7.2.8)."""

CardField = Literal["birth", "pwd_2digit"]
DataBasis = Literal["notice", "consent"]
FirstPayment = Literal["onetime", "again"]
Word = TypeVar("Word", bound=str)

CARD_FIELDS: Mapping[str, frozenset[CardField]] = {
    "birth,pwd_2digit": frozenset(("birth", "pwd_2digit")),
    "birth": frozenset(("birth",)),
    "pwd_2digit": frozenset(("pwd_2digit",)),
    "none": frozenset(),
}
"""What contracts want beside number and expiry date. The first is the default; of the third, only PortOne's help on
Kiwoom Pay tells."""


@dataclass(frozen=True)
class Settings:
    """What the operator decides. Powertools and boto3 read variables of their own (`POWERTOOLS_*`, `AWS_*`)."""

    iamport_secret_id: str
    """Name or ARN of the secret {"imp_key": ..., "imp_secret": ...}."""
    fingerprint_secret_id: str
    """Name or ARN of the secret that is the key of cards' fingerprints."""
    iamport_base_url: str
    iamport_channel_key: str
    """The console's channel key; empty: not sent."""
    iamport_pg: str
    """`{PG}` or `{PG}.{MID}`, the older way to choose a channel; empty: not sent."""
    iamport_tier: str
    """The sub-merchant that an agent's account asks for; empty: not sent."""
    card_fields: frozenset[CardField]
    """What the contract with the PG wants beside the card's number and expiry date."""
    first_payment: FirstPayment
    """By one request that takes the payment and keeps the key, or by two: for a PG that keeps none of the one."""
    allowed_origins: tuple[str, ...]
    """Whose pages may use the API beside its own; `*` stands for any."""
    customer_identity: Literal["open", "signed"]
    """Who says whose card it is: the browser, or a token that the merchant's server signed."""
    attempts_table: str
    attempts_per_customer: int
    """In an hour, for one customer_uid."""
    attempts_per_card: int
    """In an hour, for one card number."""
    attempts_per_card_per_day: int
    """The same in a day: a hundred passwords can be tried in ten hours otherwise."""
    shop_name: str
    """Whose page the card form is; empty: it names nobody."""
    shop_logo_url: str
    """The one picture that the form may load; empty: none."""
    shop_contact: str
    """A line on how to reach the shop; empty: there is none."""
    accent_color: str
    """`#rrggbb`, the shop's colour on the form; empty: the form has its own."""
    privacy_policy_url: str
    """Where the card form's consent points to; empty: it has no link."""
    data_collection: DataBasis
    """Whether the card form tells which data is collected, or asks for a consent to it."""
    data_retention: str
    """How long the merchant keeps it, in his words; empty: the form says nothing of it."""
    data_provision: DataBasis
    """The same for giving data to a third party."""
    data_recipient: str
    """Who that is; empty: the form speaks of none."""
    data_recipient_retention: str
    data_recipient_terms_url: str


def consents_asked_for(settings: Settings) -> tuple[str, ...]:
    """The fields by which the card form's visitor consents."""
    asked_for = []
    if settings.data_collection == "consent":
        asked_for.append("consent")
    if settings.data_recipient and settings.data_provision == "consent":
        asked_for.append("consent_to_provision")
    return tuple(asked_for)


class WrongSetting(ValueError):
    """Names the environment variable, and says what it takes."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises WrongSetting."""
    return Settings(
        iamport_secret_id=_required(environment, "IAMPORT_SECRET_ID"),
        fingerprint_secret_id=_required(environment, "FINGERPRINT_SECRET_ID"),
        iamport_base_url=_matching(
            environment,
            "IAMPORT_BASE_URL",
            f"{ORIGIN}|{OF_THIS_MACHINE}|{FROM_A_CONTAINER}",
            "an https address without a path, or http of this machine",
            "https://api.iamport.kr",
        ),
        iamport_channel_key=_matching(environment, "IAMPORT_CHANNEL_KEY", r"\S{0,55}", "55 characters at most"),
        iamport_pg=_matching(environment, "IAMPORT_PG", r"\S{0,80}", "80 characters at most"),
        iamport_tier=_matching(environment, "IAMPORT_TIER", r"|[A-Z0-9]{3}", "three of A-Z and 0-9, or nothing"),
        card_fields=CARD_FIELDS[_one_of(environment, "CARD_FIELDS", *CARD_FIELDS)],
        first_payment=_one_of(environment, "FIRST_PAYMENT", "onetime", "again"),
        allowed_origins=_origins(environment, "ALLOWED_ORIGINS"),
        customer_identity=_one_of(environment, "CUSTOMER_IDENTITY", "open", "signed"),
        attempts_table=_required(environment, "ATTEMPTS_TABLE"),
        attempts_per_customer=_count(environment, "ATTEMPTS_PER_CUSTOMER", 10),
        attempts_per_card=_count(environment, "ATTEMPTS_PER_CARD", 10),
        attempts_per_card_per_day=_count(environment, "ATTEMPTS_PER_CARD_PER_DAY", 20),
        shop_name=_line(environment, "SHOP_NAME", 40),
        shop_logo_url=_matching(
            environment,
            "SHOP_LOGO_URL",
            PICTURE,
            "the https address of one picture, without a query, or nothing",
        ),
        shop_contact=_line(environment, "SHOP_CONTACT", 100),
        accent_color=_matching(environment, "ACCENT_COLOR", r"|#[0-9A-Fa-f]{6}", "a colour as #1f4fd8, or nothing"),
        privacy_policy_url=_https_address(environment, "PRIVACY_POLICY_URL"),
        data_collection=_one_of(environment, "DATA_COLLECTION", "notice", "consent"),
        data_retention=_line(environment, "DATA_RETENTION", 60),
        data_provision=_one_of(environment, "DATA_PROVISION", "consent", "notice"),
        data_recipient=_line(environment, "DATA_RECIPIENT", 60),
        data_recipient_retention=_line(environment, "DATA_RECIPIENT_RETENTION", 60),
        data_recipient_terms_url=_https_address(environment, "DATA_RECIPIENT_TERMS_URL"),
    )


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise WrongSetting(f"{name} is missing")
    return value


def _matching(environment: Mapping[str, str], name: str, pattern: str, what: str, default: str = "") -> str:
    value = environment.get(name) or default
    if not re.fullmatch(pattern, value):
        raise WrongSetting(f"{name} takes {what}")
    return value


def _line(environment: Mapping[str, str], name: str, longest: int) -> str:
    pattern = rf"[^\x00-\x1f\x7f-\x9f]{{0,{longest}}}"
    return _matching(environment, name, pattern, f"one line of {longest} characters at most")


def _https_address(environment: Mapping[str, str], name: str) -> str:
    return _matching(environment, name, r"|https://\S+", "an https address, or nothing")


def _origins(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    origins = [origin.strip().rstrip("/") for origin in (environment.get(name) or "*").split(",") if origin.strip()]
    takes = rf"\*|{ORIGIN}|{OF_THIS_MACHINE}"
    wrong = WrongSetting(f"{name} takes https origins, as https://shop.example, with commas between them, or *")
    if not origins or not all(re.fullmatch(takes, origin) for origin in origins):
        raise wrong
    try:
        return tuple(as_browsers_write(_in_ascii(origin)) for origin in origins)
    except UnicodeError:
        raise wrong from None


def as_browsers_write(origin: str) -> str:
    """Small letters, and no port that the scheme has anyway (HTML, "ASCII serialisation of an origin")."""
    scheme, separator, host = origin.lower().partition("://")
    default_port = {"https": ":443", "http": ":80"}.get(scheme, "")
    return scheme + separator + (host.removesuffix(default_port) if default_port else host)


def _in_ascii(origin: str) -> str:
    """A Korean name as browsers say it (URL Standard, "domain to ASCII"). Raises UnicodeError for what is no name."""
    if origin.isascii():  # what the codec imports is paid for at every cold start
        return origin
    scheme, separator, host = origin.partition("://")
    return scheme + separator + host.encode("idna").decode("ascii")


def _one_of(environment: Mapping[str, str], name: str, *words: Word) -> Word:
    """The first is the default."""
    value = environment.get(name) or words[0]
    for word in words:
        if value == word:
            return word
    raise WrongSetting(f"{name} takes {' or '.join(words)}")


def _count(environment: Mapping[str, str], name: str, default: int) -> int:
    value = environment.get(name) or str(default)
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) < 1:
        raise WrongSetting(f"{name} takes a whole number from 1 on")
    return int(value)
