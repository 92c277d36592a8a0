"""The operator's settings, read from the environment in this one place."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What the operator decides; boto3 and Powertools read their own variables (`AWS_*`, `POWERTOOLS_*`)."""

    iamport_secret_id: str
    """Name or ARN of the secret {"imp_key": ..., "imp_secret": ...}."""
    iamport_base_url: str
    iamport_channel_key: str
    """The console's channel key; empty: not sent."""
    iamport_pg: str
    """`{PG}` or `{PG}.{MID}`, the older way to choose a channel; empty: not sent."""
    allowed_origins: tuple[str, ...]
    """The frontends' origins; `*` alone stands for any."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises KeyError when IAMPORT_SECRET_ID is not set: without it nothing can be issued."""
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
    )
