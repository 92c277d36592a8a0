"""What `make run` prints: where everything is, and what there is to try."""

import json
import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

from infra.local.iamport.cards import ANY_OTHER
from infra.local.iamport.contracts import BY_NAME
from infra.local.service import API, IAMPORT_BASE_URL, LocalService
from infra.local.settings import ARE_HERE_ALREADY
from infra.local.shop.server import ShopServer
from infra.local.shop.visits import FIRST_MONTH, Identity
from infra.local.template import Template
from infra.local.token import first_payment, new_token
from infra.local.webhook import KEY_HEADER, LOCAL_KEY

PAYMENT_CARDS = "0000-4000-"
"""How the numbers begin that matter only where a first payment is taken."""


def print_where(
    service: LocalService, shop: ShopServer, parameters: Mapping[str, str], identity: Identity, contract: str
) -> None:
    """`parameters`: what the template was given; `identity`: the service's, beside which the shop has the other one."""
    [(other, other_url)] = [(name, url) for name, url in shop.doors.items() if name != identity]
    print(f"API                  {service.url}")
    print(f"Card form            {_form(service, identity)}")
    print(f"Shop, contract       {shop.origin}, {shop.origin}/docs")
    print(f"Iamport              {parameters.get(IAMPORT_BASE_URL) or service.backends.simulator.url}")
    print(f"AWS's stand-in       {service.backends.aws.url}")
    print(f"Whose card it is     {identity}; {other} at {other_url}")
    if IAMPORT_BASE_URL not in parameters:
        print(f"Contract with the PG {contract}: {BY_NAME[contract].what}")
    for variable in ARE_HERE_ALREADY:
        if os.environ.get(variable):
            print(f"{variable} is not taken: AWS's stand-in has what it names, under a name of its own")
    if not {"*", shop.origin} & set(parameters["AllowedOrigins"].split(",")):
        print(f"ALLOWED_ORIGINS does not name {shop.origin}: the shop's pages are forbidden")


def print_webhook(url: str) -> None:
    print(f"Webhook              {url}, {KEY_HEADER}: {LOCAL_KEY}")


def print_what_to_try(service: LocalService, shop: ShopServer, identity: Identity) -> None:
    print(f"\nIssue a billing key:\n\n{_curl(service.url, identity)}\n\nTest cards:\n")
    cards = (*service.backends.simulator.cards, ANY_OTHER)
    for card in cards:
        if not card.number.startswith(PAYMENT_CARDS):
            print(f"  {card.number:19}  {card.what_happens}")
    print("\nTest cards that matter with a first payment:\n")
    for card in cards:
        if card.number.startswith(PAYMENT_CARDS):
            print(f"  {card.number:19}  {card.what_happens}")
    with_payment = _curl(shop.doors["signed"], "signed", payment=first_payment(FIRST_MONTH))
    print(f"\nIssue a billing key and take {FIRST_MONTH} won in the same call:\n\n{with_payment}")


def _form(service: LocalService, identity: Identity) -> str:
    return f"{service.url}{_path()}?{urlencode(_customer(identity))}"


def _curl(url: str, identity: Identity, **claims: object) -> str:
    card = {
        "card_number": "0000-1000-0000-0001",
        "expiry": f"{datetime.now(UTC).year + 3}-12",
        "birth": "900101",
        "pwd_2digit": "12",
    }
    body = json.dumps(card | _customer(identity, **claims))
    return f"curl -sS {url}{_path()} -H 'Content-Type: application/json' -d '{body}'"


def _customer(identity: Identity, **claims: object) -> dict[str, str]:
    """Of whom nobody has heard."""
    customer_uid = f"customer-{secrets.token_hex(4)}"
    if identity == "signed":
        return {"customer_token": new_token(customer_uid, **claims)}
    return {"customer_uid": customer_uid}


def _path() -> str:
    return next(iter(Template().api(API).routes))
