"""Iamport's access token: asked for by the API key, good for half an hour, kept by each container.

The token belongs to the key, not to the caller: any number of containers may ask, and all get the same one.
Source: PortOne's published V1 schema, POST /users/getToken.
"""

import time
from dataclasses import dataclass

from billing.credentials import Credentials, CredentialsStore
from billing.iamport.exchange import Answer, Call, Exchange
from billing.iamport.refusing import NOT_ACCEPTED, request_refused
from billing.iamport.scrub import Scrub
from billing.model.deadline import Deadline
from billing.model.errors import Unavailable
from billing.model.sensitive import Sensitive

LONGEST_WAIT_SECONDS = 5.0
MARGIN_SECONDS = 60.0
"""A token with less left is not used: it has to live until the answer."""


@dataclass(frozen=True)
class Token:
    text: Sensitive
    good_until: float
    """On the local wall clock, worked out from the answer's own `expired_at - now`: local clocks drift."""


class Tokens:
    """Three ways to a token, each for when the one before was refused. All of them give None where the key is."""

    def __init__(self, exchange: Exchange, credentials: CredentialsStore) -> None:
        self._exchange = exchange
        self._credentials = credentials
        self._kept: Token | None = None

    def kept(self, _: Deadline) -> Sensitive | None:
        """None too where none is kept that is still good for a while."""
        if self._kept is None or self._kept.good_until - time.time() < MARGIN_SECONDS:
            return None
        return self._kept.text

    def new(self, deadline: Deadline) -> Sensitive | None:
        """Raises Unavailable, GatewayRefused: without a token no card has been sent."""
        return self._asked_for(self._credentials.read(), deadline)

    def new_by_a_new_secret(self, deadline: Deadline) -> Sensitive | None:
        """The secret may have been rotated since it was read. Raises Unavailable."""
        return self._asked_for(self._credentials.read_anew(), deadline)

    def _asked_for(self, credentials: Credentials, deadline: Deadline) -> Sensitive | None:
        self._kept = None
        body = {"imp_key": credentials.imp_key.reveal(), "imp_secret": credentials.imp_secret.reveal()}
        call = Call("POST", "/users/getToken", body)
        answer = self._exchange.ask(call, None, deadline.at_most(LONGEST_WAIT_SECONDS))
        match answer:
            case Answer(http_status=401):
                return None
            case Answer(http_status=status) if status in NOT_ACCEPTED:
                raise request_refused("token_not_given", answer, Scrub())
            case Answer(
                code=0, response={"access_token": str(text), "now": int(now), "expired_at": int(expired_at)}
            ) if text:
                received = time.time()
                self._kept = Token(Sensitive(text), good_until=received + expired_at - now)
                return self._kept.text
        raise Unavailable("token_not_given", answer.for_log())
