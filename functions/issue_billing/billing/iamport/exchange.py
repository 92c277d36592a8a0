"""One exchange with Iamport, and what each way of its going wrong means.

    seen                                               means             raised
    DNS, refused, TLS, connect time-out                never sent        tried again, then Unavailable
    an envelope {"code", "message", "response"}        decided           nothing: an Answer, and what it means
                                                                         stands in `client`
    401                                                not processed     nothing: an Answer
    429, a redirect                                    not processed     GatewayError; a look-up is asked again,
                                                                         then Unavailable
    read time-out, line cut, 5xx, not JSON             unknown: may be   OutcomeUnknown; a look-up is asked again,
                                                       still at work     then Unavailable

Facts: PortOne's published V1 schema (edition of 2026-07-27), and answers captured in public issues.
"""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Literal

from requests import Response, Session
from requests.structures import CaseInsensitiveDict

from billing.iamport.connection import DeadlineAdapter, NeverSent
from billing.model.deadline import Deadline
from billing.model.errors import Answered, GatewayError, OutcomeUnknown, Unavailable
from billing.model.sensitive import Sensitive

CONNECT_SECONDS = 3.0
PAUSES_BETWEEN_CONNECTS = (0.25, 0.5, 1.0)
TRIES_OF_A_LOOK_UP = 2
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "card-door"}


@dataclass(frozen=True)
class Call:
    method: Literal["GET", "POST"]
    path: str
    body: Mapping[str, str | int] | None = field(default=None, repr=False)
    issues_or_charges: bool = False
    """Then it is sent once, and never again on a guess."""
    least_seconds: float = 0.0
    """With less time left, it is not sent at all."""


@dataclass(frozen=True)
class Answer:
    """An envelope, read tolerantly."""

    http_status: int
    code: int
    message: str | None
    response: dict[str, Any] | None

    def for_log(self, message: str | None = None) -> Answered:
        """`message`: Iamport's, once it has passed the scrub."""
        return Answered(self.http_status, self.code, message)


class Exchange:
    def __init__(self, url: str, tier: str = "") -> None:
        self._url = url
        self._tier = {"Tier": tier} if tier else {}
        self._session = _Session(url)
        self._seconds_waited = 0.0

    def take_seconds_waited(self) -> float:
        """Time spent waiting for Iamport since this was last asked."""
        waited, self._seconds_waited = self._seconds_waited, 0.0
        return waited

    def ask(self, call: Call, token: Sensitive | None, deadline: Deadline) -> Answer:
        """Again where nothing was sent, and where an answer was lost to what changes nothing.

        Raises Unavailable, and of what issues or charges GatewayError, OutcomeUnknown.
        """
        pauses, answers_lost = list(PAUSES_BETWEEN_CONNECTS), 0
        reason = "no_time_left"
        answered: Answered | None = None
        while deadline.left() > call.least_seconds:
            try:
                return self._ask_once(call, token, deadline)
            except NeverSent as failure:
                reason = f"iamport_unreachable: {failure}"
                if not pauses:
                    break
                time.sleep(min(pauses.pop(0), deadline.left()))
            except (GatewayError, OutcomeUnknown) as failure:
                if call.issues_or_charges:
                    raise
                reason = f"iamport_not_answering: {failure.reason}"
                answered = failure.answered
                answers_lost += 1
                if answers_lost == TRIES_OF_A_LOOK_UP:
                    break
        raise Unavailable(reason, answered)

    def _ask_once(self, call: Call, token: Sensitive | None, deadline: Deadline) -> Answer:
        """Raises NeverSent, GatewayError; OutcomeUnknown for whatever else goes wrong."""
        started, answer = time.monotonic(), None
        try:
            response = self._send(call, token, deadline)
            answer = response.status_code, response.content
        except NeverSent:
            raise
        except Exception as failure:  # noqa: BLE001 (requests', urllib3's and the standard library's own)
            reason = type(failure).__name__
        finally:
            self._seconds_waited += time.monotonic() - started
        # Out here, as requests' exceptions hold the request, and with it the card. And by the clock, as an answer that
        # was cut off when its time was up may look like one that was wrong, or even like a whole one.
        if not deadline.left():
            raise OutcomeUnknown("time_out")
        if answer is None:
            raise OutcomeUnknown(reason)
        return _without_secrets(read_answer(*answer), call, token)

    def _send(self, call: Call, token: Sensitive | None, deadline: Deadline) -> Response:
        left = deadline.left()
        return self._session.request(
            call.method,
            self._url + call.path,
            # The token is the agent's own, whichever of its sub-merchants (Tier) it is used for.
            headers={} if token is None else {"Authorization": f"Bearer {token.reveal()}", **self._tier},
            json=call.body,
            timeout=(min(CONNECT_SECONDS, left - call.least_seconds), left),
        )


class _Session(Session):
    """Does nothing but what it is told: no proxy variables, no `.netrc`, no cookies, no redirects.

    A redirected POST would carry the card to wherever the answer points, and one that points nowhere be an exception.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self.headers = CaseInsensitiveDict(HEADERS)
        self.mount(url, DeadlineAdapter(url))

    def get_redirect_target(self, resp: Response) -> None:  # noqa: ARG002
        return None


def _without_secrets(answer: Answer, call: Call, token: Sensitive | None) -> Answer:
    """What lets a caller in is told to nobody, should an answer quote it: the token, or the key that it is asked by."""
    if answer.message is None:
        return answer
    secrets = map(str, (call.body or {}).values()) if token is None else (token.reveal(),)
    message = answer.message
    for secret in secrets:
        message = message.replace(secret, "***")
    return replace(answer, message=message)


def read_answer(http_status: int, body: bytes) -> Answer:
    """Raises GatewayError for 429 and redirects, which say that nothing was processed.

    Raises OutcomeUnknown for what is no decision of Iamport's: it may be at work behind a 5xx of what stands before it.
    """
    if http_status == 429 or 300 <= http_status < 400:
        raise GatewayError(f"http_{http_status}", Answered(http_status))
    if http_status >= 500:
        raise OutcomeUnknown(f"http_{http_status}", Answered(http_status))
    document: object = None
    with suppress(ValueError, RecursionError):
        document = json.loads(body)
    match document:
        case {"code": int(code), **others} if not isinstance(code, bool):
            message, fields = others.get("message"), others.get("response")
            return Answer(
                http_status=http_status,
                code=code,
                message=message if isinstance(message, str) and message else None,
                response=fields if isinstance(fields, dict) else None,
            )
    if http_status == 401:
        # The body of a 401 is not documented; that the request was not processed is.
        return Answer(401, code=-1, message=None, response=None)
    raise OutcomeUnknown("not_an_envelope", Answered(http_status))
