"""The operator's settings, read from the environment in this one place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Settings:
    """What the operator decides. Powertools and boto3 read variables of their own (`POWERTOOLS_*`, `AWS_*`)."""

    iamport_secret_id: str
    """Name or ARN of the secret {"imp_key": ..., "imp_secret": ...}."""
    iamport_base_url: str
    iamport_channel_key: str
    """The console's channel key; empty: not sent."""
    iamport_pg: str
    """`{PG}` or `{PG}.{MID}`, the older way to choose a channel; empty: not sent."""
    allowed_origins: tuple[str, ...]
    """The frontends' origins; `*` alone stands for any."""
    customer_identity: Literal["open", "signed"]
    """Who says whose card it is: the browser, or a token that the merchant's server signed."""
    attempts_table: str
    attempts_per_customer: int
    """In an hour, for one customer_uid."""
    attempts_per_card: int
    """In an hour, for one card number."""
    privacy_policy_url: str
    """Where the card form's consent points to; empty: it has no link."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises KeyError or ValueError where a setting without which nothing can be issued is missing or wrong."""
    identity = environment.get("CUSTOMER_IDENTITY", "open")
    if identity not in ("open", "signed"):
        raise ValueError("CUSTOMER_IDENTITY is `open` or `signed`")
    return Settings(
        iamport_secret_id=environment["IAMPORT_SECRET_ID"],
        iamport_base_url=environment.get("IAMPORT_BASE_URL", "https://api.iamport.kr").rstrip("/"),
        iamport_channel_key=environment.get("IAMPORT_CHANNEL_KEY", ""),
        iamport_pg=environment.get("IAMPORT_PG", ""),
        allowed_origins=tuple(
            origin.strip().rstrip("/")
            for origin in (environment.get("ALLOWED_ORIGINS") or "*").split(",")
            if origin.strip()
        ),
        privacy_policy_url=environment.get("PRIVACY_POLICY_URL", ""),
        customer_identity="signed" if identity == "signed" else "open",
        attempts_table=environment["ATTEMPTS_TABLE"],
        attempts_per_customer=int(environment.get("ATTEMPTS_PER_CUSTOMER", "10")),
        attempts_per_card=int(environment.get("ATTEMPTS_PER_CARD", "10")),
    )
