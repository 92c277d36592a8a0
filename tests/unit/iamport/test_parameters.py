"""Each parameter that PortOne's schema has is sent, or left out for a reason: docs/contracts.md says which, truly."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
import responses

from billing.aws_clients import AwsClients
from billing.credentials import CredentialsStore
from billing.iamport.client import Iamport
from billing.iamport.token import Token
from billing.model.customer import Customer
from billing.model.deadline import Deadline
from billing.model.parameters import CHANNEL, CUSTOMER, LONGEST_CUSTOMER_UID, PAYMENT, Parameter
from billing.model.sensitive import Sensitive
from billing.settings import Settings
from billing.web.customer_token import read_claim
from billing.web.reading import read_card, read_customer
from billing.web.request import Fields
from infra.local.template import PROJECT
from tests.unit.fakes import SETTINGS

EXTRACT = json.loads((Path(__file__).parent / "portone_v1_parameters.json").read_text("utf-8"))
SCHEMA: Mapping[str, Mapping[str, dict[str, Any]]] = EXTRACT["endpoints"]
PATHS = {
    "issue": "/subscribe/customers/{customer_uid}",
    "onetime": "/subscribe/payments/onetime",
    "again": "/subscribe/payments/again",
}

DOCUMENT = (PROJECT / "docs/contracts.md").read_text("utf-8")
KOREAN = (PROJECT / "docs/ko/contracts.md").read_text("utf-8")
TABLES: Mapping[str, Parameter] = {**CUSTOMER, **CHANNEL, **PAYMENT}

OWN_LIMITS = {"customer_id"}
"""The schema has none."""


def rows_under(heading: str, document: str = DOCUMENT) -> list[list[str]]:
    section = document.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = re.findall(r"^\| `.*\|$", section, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


SENT = {cells[0].strip("`"): cells[1:] for cells in rows_under("What is sent, and from where")}
LEFT_OUT = {cells[0].strip("`"): cells[1:] for cells in rows_under("What is left out")}


def said_to_be_sent(endpoint: str) -> set[str]:
    column = 2 + list(PATHS).index(endpoint)
    return {name for name, cells in SENT.items() if cells[column] == "✓"}


@pytest.mark.parametrize("endpoint", PATHS)
def test_every_parameter_is_sent_or_left_out_for_a_reason(endpoint: str) -> None:
    left_out = {name for name, (where, why) in LEFT_OUT.items() if f"`{endpoint}`" in where and why}
    assert said_to_be_sent(endpoint) | left_out == SCHEMA[PATHS[endpoint]].keys()
    assert said_to_be_sent(endpoint) & left_out == set()


KEY = "k" * 32


def least(parameter: Parameter) -> str | int:
    """A value that it takes, and none that counts for true."""
    match parameter.type:
        case "boolean":
            return False
        case "string":
            return parameter.one_of[0] if parameter.one_of else "{}"
        case _:
            return parameter.smallest


CLAIMS: dict[str, Any] = {
    "sub": "customer-1",
    "customer": {name.removeprefix("customer_"): least(parameter) for name, parameter in CUSTOMER.items()},
    "payment": {name: least(parameter) for name, parameter in PAYMENT.items() if not name.startswith("buyer_")},
}
"""The customer buys."""
BODY = {"card_number": "0000-1111-2222-3333", "expiry": "2099-12", "birth": "000000", "pwd_2digit": "73"}
FROM_SETTINGS = replace(SETTINGS, iamport_channel_key="channel-key-1", iamport_pg="nice.MID1")


def customer_by(**claims: object) -> Customer:
    """As the merchant's server names one."""
    token = jwt.encode({**CLAIMS, "exp": time.time() + 600, **claims}, KEY, "HS256")
    return read_customer(Fields([]), read_claim(token, (Sensitive(KEY),)))


def customer_of_the_browser() -> Customer:
    return read_customer(Fields([("customer_uid", "customer-1"), *((name, "1") for name in CUSTOMER)]))


def sent_to(endpoint: str, customer: Customer, settings: Settings = SETTINGS) -> dict[str, Any]:
    """Of the path and the body."""
    fields = Fields(BODY.items())
    card = read_card(fields, frozenset())
    fields.check()
    iamport = Iamport(settings, CredentialsStore(settings, AwsClients()))
    iamport._tokens._kept = Token(Sensitive("made-up-token"), good_until=1e12)
    deadline = Deadline.after(28.0)
    with responses.RequestsMock() as iamports:
        match endpoint:
            case "issue":
                answer = {"code": 0, "response": {"customer_uid": customer.uid}}
                iamports.post(re.compile(rf"{SETTINGS.iamport_base_url}/subscribe/customers/customer-1$"), json=answer)
                iamport.issue(customer, card, deadline)
            case _:
                assert customer.payment is not None
                paid = {"imp_uid": "imp_1", "status": "paid"}
                iamports.post(SETTINGS.iamport_base_url + PATHS[endpoint], json={"code": 0, "response": paid})
                if endpoint == "onetime":
                    iamport.issue_and_pay(customer, card, customer.payment, deadline)
                else:
                    iamport.charge(customer, customer.payment, deadline)
        [call] = iamports.calls
        assert isinstance(call.request.body, bytes)
        body: dict[str, Any] = json.loads(call.request.body)
    return {"customer_uid": customer.uid, **body}


def test_what_is_said_to_be_sent_with_a_card_is_sent() -> None:
    by_key, by_pg = customer_by(channel_key="channel-key-1"), customer_by(pg="nice.MID1")
    assert sent_to("issue", by_key).keys() | sent_to("issue", by_pg).keys() == said_to_be_sent("issue")
    assert sent_to("onetime", by_key).keys() | sent_to("onetime", by_pg).keys() == said_to_be_sent("onetime")


def test_settings_and_body_stand_in_for_what_a_token_leaves_open() -> None:
    assert sent_to("issue", customer_of_the_browser(), FROM_SETTINGS).keys() == said_to_be_sent("issue")
    assert sent_to("onetime", customer_by(), FROM_SETTINGS).keys() == said_to_be_sent("onetime")


def test_what_is_said_to_be_sent_with_a_key_is_sent() -> None:
    assert sent_to("again", customer_by(), FROM_SETTINGS).keys() == said_to_be_sent("again")


@pytest.mark.parametrize("name", TABLES)
def test_types_and_limits_are_the_schemas(name: str) -> None:
    parameter = TABLES[name]
    for endpoint in PATHS:
        if name not in said_to_be_sent(endpoint):
            continue
        of_schema = SCHEMA[PATHS[endpoint]][name]
        assert parameter.type == of_schema["type"]
        assert parameter.one_of == tuple(of_schema.get("enum", ()))
        if name in OWN_LIMITS:
            assert "maxLength" not in of_schema
        else:
            assert parameter.longest == of_schema.get("maxLength")


def test_a_customer_uids_limit_is_the_schemas() -> None:
    assert {SCHEMA[path]["customer_uid"]["maxLength"] for path in PATHS.values()} == {LONGEST_CUSTOMER_UID}


@pytest.mark.parametrize("name", SENT)
def test_the_document_says_what_each_parameter_takes(name: str) -> None:
    takes = SENT[name][0]
    parameter = TABLES.get(name)
    longest = LONGEST_CUSTOMER_UID if parameter is None and name == "customer_uid" else parameter and parameter.longest
    assert takes.split(",")[0] == (parameter.type if parameter is not None else "string")
    assert [int(number) for number in re.findall(r"string, (\d+)", takes)] == ([longest] if longest else [])
    assert re.findall(r"`(\w+)`", takes) == list(parameter.one_of if parameter is not None else ())
    assert ("our limit" in takes) is (name in OWN_LIMITS)


def test_the_korean_tables_say_the_same() -> None:
    sent = {cells[0].strip("`"): cells[1:] for cells in rows_under("무엇을 어디에서 가져와 보내는가", KOREAN)}
    left_out = {cells[0].strip("`"): cells[1:] for cells in rows_under("보내지 않는 것", KOREAN)}
    for table, english in ((sent, SENT), (left_out, LEFT_OUT)):
        assert {name: [*map(untranslated, cells)] for name, cells in table.items()} == {
            name: [*map(untranslated, cells)] for name, cells in english.items()
        }


def untranslated(cell: str) -> list[str]:
    return sorted(re.findall(r"`[^`]+`|✓|\b\d+\b", cell))


def test_the_editions_are_one() -> None:
    module = (PROJECT / "functions/issue_billing/billing/model/parameters.py").read_text("utf-8")
    assert f"edition of {EXTRACT['edition']}" in DOCUMENT
    assert f"edition of {EXTRACT['edition']}" in module
