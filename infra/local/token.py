"""`python -m infra.local.token CUSTOMER_UID [CLAIMS]`: a customer token for the local service, as a merchant mints it.

CLAIMS is a JSON object: '{"new": true}', '{"replace": true}', '{"payment": {…}}'.
"""

import json
import sys
import time
from typing import Any

import jwt

CUSTOMER_TOKEN_KEY = "local-customer-token-key-of-32-bytes"


def new_token(customer_uid: str, **claims: Any) -> str:
    """Good for half an hour. `claims`: `new`, `replace`, `payment`, or any that stands for the usual one."""
    return jwt.encode({"sub": customer_uid, "exp": int(time.time()) + 1800, **claims}, CUSTOMER_TOKEN_KEY, "HS256")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or not sys.argv[1]:
        sys.exit("Which customer? make token CUSTOMER_UID=customer-1 CLAIMS='{\"new\": true}'")
    print(new_token(sys.argv[1], **json.loads("".join(sys.argv[2:]) or "{}")))
