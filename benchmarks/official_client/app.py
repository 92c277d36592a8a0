"""Iamport's own Python client, used as its README shows: one `Iamport` object, one call, its two errors caught.

Source: iamport-rest-client 0.9.0 on PyPI. It asks for a token before every call and keeps its connections. The keys
are settings here, so that nothing is read per request, and nothing is written to a table.
"""

import json
import os
from typing import Any

from iamport import Iamport  # type: ignore[import-not-found]

iamport = Iamport(
    imp_key=os.environ["IMP_KEY"], imp_secret=os.environ["IMP_SECRET"], imp_url=f"{os.environ['IAMPORT_BASE_URL']}/"
)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    request = json.loads(event["body"])
    payload = {name: request[name] for name in ("customer_uid", "card_number", "expiry", "birth", "pwd_2digit")}
    try:
        iamport.customer_create(**payload)
    except Iamport.ResponseError as error:
        return answer(200, {"status": "failed", "message": error.message})
    except Iamport.HttpError as error:
        return answer(400, {"status": "failed", "message": error.reason})
    return answer(200, {"status": "success", "message": "Billing has successfully issued"})


def answer(status_code: int, body: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": status_code, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
