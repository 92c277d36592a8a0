"""The requests that are measured, as API Gateway hands them on; tokens and bodies are made beforehand."""

import copy
import json
from collections.abc import Iterable
from typing import Any

from infra.local.template import PROJECT
from infra.local.token import new_token

Event = dict[str, Any]

EVENT: Event = json.loads((PROJECT / "tests/events/issue_json.json").read_text("utf-8"))
CARD_NUMBER = "0000-1000-0000-0001"


def new_event(customer_uid: str, *, card_number: str = CARD_NUMBER, **claims: Any) -> Event:
    """The same body for all: the guide and the official client read the customer_uid, ours the signed token."""
    event = copy.deepcopy(EVENT)
    event["body"] = json.dumps(
        {
            "card_number": card_number,
            "expiry": "2099-12",
            "birth": "900101",
            "pwd_2digit": "12",
            "customer_uid": customer_uid,
            "customer_token": new_token(customer_uid, **claims),
        }
    )
    return event


def require_success(answers: Iterable[Any]) -> None:
    """A failure would be quick, and measure nothing. Raises AttemptFailed."""
    for answer in answers:
        if not isinstance(answer, dict) or answer.get("status") != "success":
            raise AttemptFailed(answer)


class AttemptFailed(Exception):
    """The answer to a made-up card of the simulator."""
