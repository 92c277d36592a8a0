"""What tests share: no AWS account, Iamport's simulator and AWS's stand-in on sockets, and the handler before them."""

import os
import time
from collections.abc import Iterator

import pytest

os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "ap-northeast-2",
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_SERVICE_NAME": "issue-billing",
    "POWERTOOLS_METRICS_NAMESPACE": "CardDoor",
}

from infra.local.aws import Aws, run_aws
from infra.local.iamport import Simulator
from infra.local.service import CUSTOMER_TOKEN_KEY, IMP_KEY, IMP_SECRET
from infra.local.template import Template
from tests.integration.door import Door


class ClockAhead:
    """The time of this process and of the simulator, which can be put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def advance(self, seconds: float) -> None:
        self.ahead += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ClockAhead:
    clock, real_time = ClockAhead(), time.time
    monkeypatch.setattr(time, "time", lambda: real_time() + clock.ahead)
    return clock


@pytest.fixture(scope="session")
def running_aws() -> Iterator[Aws]:
    with run_aws(Template()) as aws:
        yield aws


@pytest.fixture
def aws(running_aws: Aws) -> Iterator[Aws]:
    """Its faults are one test's; its data are all tests'."""
    yield running_aws
    running_aws.clear_faults()


@pytest.fixture
def iamport() -> Iterator[Simulator]:
    with Simulator(IMP_KEY, IMP_SECRET, clock=lambda: time.time()) as simulator:
        yield simulator


def empty_ledger(aws: Aws) -> None:
    dynamodb, table = aws.dynamodb(), aws.physical_ids["AttemptsTable"]
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        for item in page["Items"]:
            dynamodb.delete_item(TableName=table, Key={"pk": item["pk"]})


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch, aws: Aws, iamport: Simulator) -> Door:
    """A fresh container of the function, with the secret filled in and no attempt in the ledger."""
    aws.put_keys(IMP_KEY, IMP_SECRET, customer_token_key=CUSTOMER_TOKEN_KEY)
    empty_ledger(aws)
    monkeypatch.setenv("ATTEMPTS_PER_CARD", "1000")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    monkeypatch.setenv("IAMPORT_SECRET_ID", aws.physical_ids["IamportSecret"])
    monkeypatch.setenv("IAMPORT_BASE_URL", iamport.url)
    monkeypatch.setenv("ATTEMPTS_TABLE", aws.physical_ids["AttemptsTable"])
    return Door()


@pytest.fixture
def signed_door(monkeypatch: pytest.MonkeyPatch, door: Door) -> Door:  # noqa: ARG001 (sets its surroundings up)
    """The same where only the merchant's server may say who the customer is."""
    monkeypatch.setenv("CUSTOMER_IDENTITY", "signed")
    return Door()
