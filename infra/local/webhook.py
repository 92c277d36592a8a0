"""The webhook on this machine: what infra/webhook.yaml has EventBridge do with an event, but once.

Source: EventBridge user guide, "API destinations as targets", time-out and "API destination error codes".
"""

import logging
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import requests

from infra.local.event_pipe import Event
from infra.local.intrinsics import ACCOUNT_ID, REGION, TemplateError
from infra.local.template import Template

KEY_HEADER = "X-Api-Key"
LOCAL_KEY = "local-webhook-key"

LONGEST_ANSWER = 5.0
"""Seconds."""

TRIED_AGAIN = (401, 407, 409, 429)
"""And all from 500 on."""

ON_THIS_MACHINE = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/\S*)?")

logger = logging.getLogger(__name__)


def webhook_url_from(environment: Mapping[str, str], template: Template) -> str:
    """Empty where there is none. What the template takes, and http of this machine. Raises TemplateError."""
    url = environment.get("WEBHOOK_URL", "")
    if not (ON_THIS_MACHINE.fullmatch(url) or re.fullmatch(template.declaration("WebhookUrl")["AllowedPattern"], url)):
        raise TemplateError("WEBHOOK_URL takes an https address, or http of this machine")
    return url


@contextmanager
def run_webhook(url: str) -> Iterator[Callable[[Event], None]]:
    """Gives what posts an event. It returns at once, and nobody who waits for the next event waits for the server."""
    with ThreadPoolExecutor(max_workers=4) as threads:

        def receive(event: Event) -> None:
            threads.submit(post, url, event)

        yield receive


def post(url: str, event: Event) -> None:
    """Logs what became of it."""
    try:
        answer = requests.post(
            url, json=as_posted(event), headers={KEY_HEADER: LOCAL_KEY}, timeout=LONGEST_ANSWER, allow_redirects=False
        )
    except requests.RequestException as failure:
        logger.info("webhook: %s, %s: EventBridge would try again", event.detail_type, type(failure).__name__)
        return
    logger.info("webhook: %s, %d%s", event.detail_type, answer.status_code, what_follows(answer.status_code))


def what_follows(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if status in TRIED_AGAIN or status >= 500:
        return ": EventBridge would try again"
    return ": EventBridge would give it up at once"


def as_posted(event: Event) -> dict[str, Any]:
    """Source: EventBridge user guide, "Events in Amazon EventBridge"."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": event.detail_type,
        "source": event.source,
        "account": ACCOUNT_ID,
        "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": REGION,
        "resources": [],
        "detail": event.detail,
    }
