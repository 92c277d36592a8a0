"""`python -m infra.local.token CUSTOMER_UID`: a customer token for the local service, as a merchant mints it."""

import sys
import time
from typing import Any

import jwt

CUSTOMER_TOKEN_KEY = "local-customer-token-key-of-32-bytes"


def new_token(customer_uid: str, **claims: Any) -> str:
    """Good for half an hour. `claims`: `replace`, `payment`, or any that stands for the usual one."""
    return jwt.encode({"sub": customer_uid, "exp": int(time.time()) + 1800, **claims}, CUSTOMER_TOKEN_KEY, "HS256")


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1]:
        sys.exit("Which customer? make token CUSTOMER_UID=customer-1")
    print(new_token(sys.argv[1]))
