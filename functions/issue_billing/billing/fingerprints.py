"""Fingerprints of cards: they tell two cards apart and tell nothing else to who lacks their key.

The key is a secret of its own that Secrets Manager has made and nobody ever typed. A bare hash of a card number could
be reversed by trying all numbers.
"""

import hashlib
import hmac

from billing.aws_clients import AwsClients, as_unavailable
from billing.model.errors import Unavailable
from billing.model.sensitive import Sensitive
from billing.settings import Settings


class Fingerprints:
    """Reads the key once per container, and never again: another key would know no card and no request any more."""

    def __init__(self, settings: Settings, aws: AwsClients) -> None:
        self._secret_id = settings.fingerprint_secret_id
        self._aws = aws
        self._key: Sensitive | None = None

    def of(self, text: str) -> str:
        """Raises Unavailable when the key can't be read."""
        return hmac.digest(self.key().reveal().encode(), text.encode(), hashlib.sha256).hex()

    def key(self) -> Sensitive:
        """Raises Unavailable, and is asked for anew at the next request."""
        if self._key is None:
            self._key = self._read()
        return self._key

    def _read(self) -> Sensitive:
        with as_unavailable("fingerprint_key"):
            text = self._aws.read_secret(self._secret_id)
        if not text:
            raise Unavailable("fingerprint_key_empty")
        return Sensitive(text)
