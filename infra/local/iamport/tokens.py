"""Access tokens: one per API key, shared by every caller that asks with this key."""

import secrets
from dataclasses import dataclass

LIFETIME = 1800
LAST_MINUTE = 60
EXTENSION = 300


@dataclass(frozen=True)
class Token:
    """40 hex digits, and when they stop working (UNIX seconds)."""

    access_token: str
    expired_at: int


def token_to_hand_out(current: Token | None, now: int) -> Token:
    """The token rules of PortOne's V1 documentation, row by row."""
    if current is None or current.expired_at <= now:
        return Token(secrets.token_hex(20), now + LIFETIME)
    if current.expired_at - now > LAST_MINUTE:
        return current
    # Whether the 300 seconds count from the old expiry or from now is unverified.
    return Token(current.access_token, current.expired_at + EXTENSION)


class TokenDesk:
    """Knows the one valid pair of credentials and the token it has been given."""

    def __init__(self, imp_key: str, imp_secret: str) -> None:
        self._credentials = (imp_key, imp_secret)
        self._current: Token | None = None

    def accepts(self, imp_key: str, imp_secret: str) -> bool:
        return (imp_key, imp_secret) == self._credentials

    def hand_out(self, now: int) -> Token:
        self._current = token_to_hand_out(self._current, now)
        return self._current

    def is_live(self, access_token: str, now: int) -> bool:
        current = self._current
        return current is not None and current.access_token == access_token and now < current.expired_at

    def rotate(self, imp_secret: str) -> None:
        """From now on only the new secret is valid, and the tokens of the old one are dead."""
        self._credentials = (self._credentials[0], imp_secret)
        self._current = None
