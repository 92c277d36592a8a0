"""The API key of the merchant's Iamport account, from AWS Secrets Manager."""

import json
from contextlib import suppress
from dataclasses import dataclass

from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from botocore.config import Config

from billing.errors import Unavailable
from billing.sensitive import Sensitive

PLACEHOLDER = "replace-me"
"""What the template puts into a new secret."""

CLIENT_CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2, "mode": "standard"})
"""Seconds. Secrets Manager answers within tens of milliseconds; two attempts leave the card its time."""


@dataclass(frozen=True)
class Credentials:
    imp_key: Sensitive
    imp_secret: Sensitive


class CredentialsStore:
    """Reads the secret once per container, and again when it is told that the key was refused."""

    def __init__(self, secret_id: str) -> None:
        self._secret_id = secret_id
        self._provider: SecretsProvider | None = None
        self._credentials: Credentials | None = None

    def read(self) -> Credentials:
        """Raises Unavailable when the secret can't be read or isn't filled in."""
        if self._credentials is None:
            self._credentials = self.read_anew()
        return self._credentials

    def read_anew(self) -> Credentials:
        """Past the cache: the key may have been rotated. Raises Unavailable, and keeps what it had before."""
        self._credentials = _credentials_in(self._secret_text())
        return self._credentials

    def _secret_text(self) -> str:
        if self._provider is None:
            self._provider = SecretsProvider(boto_config=CLIENT_CONFIG)
        try:
            return str(self._provider.get(self._secret_id, force_fetch=True))
        except GetParameterError as failure:
            raise Unavailable("secret_unreadable") from failure


def _credentials_in(secret_text: str) -> Credentials:
    """{"imp_key": ..., "imp_secret": ...}"""
    secret: object = None
    with suppress(ValueError):
        secret = json.loads(secret_text)
    if not isinstance(secret, dict):
        raise Unavailable("secret_not_a_json_object")
    return Credentials(imp_key=_filled_in(secret, "imp_key"), imp_secret=_filled_in(secret, "imp_secret"))


def _filled_in(secret: dict[str, object], name: str) -> Sensitive:
    value = secret.get(name)
    if not isinstance(value, str) or value in ("", PLACEHOLDER):
        raise Unavailable(f"secret_lacks_{name}")
    return Sensitive(value)
