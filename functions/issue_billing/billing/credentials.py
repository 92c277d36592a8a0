"""The merchant's secret in AWS Secrets Manager: the API key of its Iamport account, and the keys of customer tokens."""

import json
import time
from contextlib import suppress
from dataclasses import dataclass

from billing.aws_clients import AwsClients, as_unavailable
from billing.model.errors import Unavailable
from billing.model.sensitive import Sensitive
from billing.settings import Settings

PLACEHOLDER = "replace-me"
"""What the template puts into a new secret."""

WORTH_READING_ANEW_SECONDS = 60


@dataclass(frozen=True)
class Credentials:
    imp_key: Sensitive
    imp_secret: Sensitive
    customer_token_keys: tuple[Sensitive, ...]
    """The keys that may have signed a customer token: the current one, and the one before while it is rotated."""


class CredentialsStore:
    """Reads the secret once per container, and again when it is told that the key was refused."""

    def __init__(self, settings: Settings, aws: AwsClients) -> None:
        self._secret_id = settings.iamport_secret_id
        self._aws = aws
        self._credentials: Credentials | None = None
        self._read_at = 0.0

    def read(self) -> Credentials:
        """Raises Unavailable when the secret can't be read or isn't filled in."""
        if self._credentials is None:
            self._credentials = self.read_anew()
        return self._credentials

    def read_anew(self) -> Credentials:
        """Past the cache: the key may have been rotated. Raises Unavailable, and keeps what it had before."""
        self._credentials = _credentials_in(self._secret_text())
        self._read_at = time.monotonic()
        return self._credentials

    def may_have_changed(self) -> bool:
        """Whether reading anew is worth it: whoever sends forged tokens must not make us read at each of them."""
        return time.monotonic() - self._read_at > WORTH_READING_ANEW_SECONDS

    def _secret_text(self) -> str:
        with as_unavailable("secret"):
            return self._aws.read_secret(self._secret_id)


def _credentials_in(secret_text: str) -> Credentials:
    """{"imp_key": ..., "imp_secret": ..., "customer_token_key": ..., "customer_token_key_previous": ...}

    The last two are for signed customer tokens and may be missing. White space at the ends and a byte order mark come
    along from consoles, files and chats, and belong to no key.
    """
    secret: object = None
    with suppress(ValueError):
        secret = json.loads(secret_text.removeprefix("\ufeff"))
    if not isinstance(secret, dict):
        raise Unavailable("secret_not_a_json_object")
    token_keys = (_text(secret, name) for name in ("customer_token_key", "customer_token_key_previous"))
    return Credentials(
        imp_key=_filled_in(secret, "imp_key"),
        imp_secret=_filled_in(secret, "imp_secret"),
        customer_token_keys=tuple(Sensitive(key) for key in token_keys if key),
    )


def _filled_in(secret: dict[str, object], name: str) -> Sensitive:
    value = _text(secret, name)
    if value in ("", PLACEHOLDER):
        raise Unavailable(f"secret_lacks_{name}")
    return Sensitive(value)


def _text(secret: dict[str, object], name: str) -> str:
    """Empty where there is none."""
    value = secret.get(name)
    return value.strip() if isinstance(value, str) else ""
