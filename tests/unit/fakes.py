"""What an attempt talks to, without a socket: each fake gives what a test laid out, and keeps what it was told."""

import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from billing.aws_clients import AwsClients
from billing.credentials import CredentialsStore
from billing.fingerprints import Fingerprints
from billing.iamport.client import Iamport
from billing.ledger.ledger import Due, Ended, Ledger
from billing.model.attempt import Attempt, Closed, Ending, LeftOpen, NewAttempt, Order, Repeated, Seen
from billing.model.billing_key import BillingKey, FoundPayment, Issued, PaidPayment
from billing.model.card import Card
from billing.model.customer import Channel, Customer, Payment
from billing.model.deadline import Deadline
from billing.model.errors import BillingError
from billing.services import Services
from billing.settings import Settings, read_settings

IAMPORT, FINGERPRINT = "iamport", "fingerprint"
"""The names of the two secrets."""
ENVIRONMENT = {
    "IAMPORT_SECRET_ID": IAMPORT,
    "FINGERPRINT_SECRET_ID": FINGERPRINT,
    "ATTEMPTS_TABLE": "attempts",
    "IAMPORT_BASE_URL": "http://localhost",  # by TLS it would read all authorities' certificates each time
    "AWS_LAMBDA_FUNCTION_NAME": "issue-billing",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
}
SETTINGS = read_settings(ENVIRONMENT)

BEGAN = 1_800_001_800
"""Half past an hour."""
ATTEMPT_ID = "0123456789abcdef" * 2
SENT_CARD = "000011******3333"
ATTEMPT = Attempt(
    customer_uid="mine",
    attempt_id="attempt-1",
    ends_at=BEGAN + 28,
    masked_card=SENT_CARD,
    order=None,
    order_is_paid=False,
    is_first=True,
    seen=None,
    leftover=None,
    item={},
)
"""As it is begun under an uid that the ledger had never seen."""
PAYING = replace(ATTEMPT, order=Order("order-1", 99_000))
SENT = replace(ATTEMPT, seen=Seen())
"""Nothing stood at Iamport before."""
SENT_PAYING = replace(PAYING, seen=Seen())
OWN = BillingKey("mine", "국민KB카드", SENT_CARD, "debit", BEGAN + 3)
OLD = BillingKey("mine", "신한카드", "000099******8888", "credit", BEGAN - 86_400)
TAKEN = PaidPayment("order-1", "imp_1", 99_000, None)
PAID = FoundPayment("order-1", "imp_1", "paid", "mine", 99_000, SENT_CARD, None, None)
REFUSED = replace(PAID, imp_uid="imp_2", status="failed", fail_reason="한도초과")


class StoppedClock:
    """Stands at `BEGAN`; it goes on by `sleep` and `advance` only. How long was slept is kept."""

    def __init__(self) -> None:
        self.wall, self.monotonic = float(BEGAN), 5_000.0
        self.slept: list[float] = []

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)


class FakeIamport(Iamport):
    """For each verb what it gives or raises, one after the other, the last one from then on.

    The verbs are `prepare`, `issue`, `pay`, `charge`, `payments` and `look_up`; one that nothing is laid out for must
    not be used. With a clock, each answer takes `seconds`.
    """

    def __init__(self, clock: StoppedClock | None = None, seconds: float = 0.0, **laid_out: Any) -> None:
        self._clock, self._seconds = clock, seconds
        self._laid_out = {verb: list(given) if isinstance(given, list) else [given] for verb, given in laid_out.items()}
        self.asked: list[str] = []
        self.asked_of: list[str] = []
        """Which customer_uid was looked up, which order's payments were asked for."""
        self.asked_at: list[float] = []
        self.answers_by: dict[str, Deadline] = {}

    def take_seconds_waited(self) -> float:
        return 0.0

    def prepare(self, deadline: Deadline) -> None:
        self._next("prepare", deadline)

    def channel_of(self, customer: Customer) -> Channel:
        return customer.channel or Channel()

    def issue(self, customer: Customer, card: Card, deadline: Deadline) -> BillingKey:  # noqa: ARG002
        key: BillingKey = self._next("issue", deadline)
        return key

    def issue_and_pay(
        self,
        customer: Customer,  # noqa: ARG002
        card: Card,  # noqa: ARG002
        payment: Payment,  # noqa: ARG002
        deadline: Deadline,
    ) -> PaidPayment:
        paid: PaidPayment = self._next("pay", deadline)
        return paid

    def charge(self, customer: Customer, payment: Payment, deadline: Deadline) -> PaidPayment:  # noqa: ARG002
        paid: PaidPayment = self._next("charge", deadline)
        return paid

    def find_payments(self, merchant_uid: str, deadline: Deadline) -> tuple[FoundPayment, ...]:
        self.asked_of.append(merchant_uid)
        payments: tuple[FoundPayment, ...] = self._next("payments", deadline)
        return payments

    def look_up(self, customer_uid: str, deadline: Deadline) -> BillingKey | None:
        self.asked_of.append(customer_uid)
        key: BillingKey | None = self._next("look_up", deadline)
        return key

    def _next(self, verb: str, deadline: Deadline) -> Any:
        self.asked.append(verb)
        self.asked_at.append(time.monotonic())
        self.answers_by[verb] = deadline
        assert verb in self._laid_out, f"Iamport must not be asked to {verb}"
        if self._clock is not None:
            self._clock.advance(self._seconds)
        given = self._laid_out[verb]
        answer = given.pop(0) if len(given) > 1 else given[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class FakeLedger(Ledger):
    """`told` is how each attempt ended: an Ending, or `open`.

    `failing` is what each verb raises that touches the table once an attempt is begun; `steps` is a list into which
    its writes go in their order: a FakeIamport's `asked` shows both.
    """

    def __init__(
        self,
        *begun: Attempt | Repeated | LeftOpen | Exception,
        closed_meanwhile: bool = False,
        failing: Exception | Mapping[str, Exception] | None = None,
        steps: list[str] | None = None,
    ) -> None:
        self._begun = list(begun)
        self._closed_meanwhile = closed_meanwhile
        self._failing = failing
        self.steps = [] if steps is None else steps
        self.open: list[Attempt] = []
        """Under one uid each; an attempt that has been told of is no longer open."""
        self.repeated: Attempt | None = None
        """What the same request has just succeeded by."""
        self.closed: Closed | None = None
        """What is known of an attempt that has ended."""
        self.is_our_turn = True
        self.asked_for: list[NewAttempt] = []
        self.no_repeat_of: list[str | None] = []
        self.noted: list[Seen] = []
        self.told: list[Ending | str] = []
        self.told_of: list[Attempt] = []
        self.postponed: list[tuple[str, str, int]] = []
        self.past: list[Ended] = []
        """Whose request is not repeated any more."""
        self.forgotten: list[Ended] = []
        self.written_by: dict[str, Deadline] = {}

    def begin(
        self, new: NewAttempt, deadline: Deadline, *, no_repeat_of: str | None = None
    ) -> Attempt | Repeated | LeftOpen:
        self.asked_for.append(new)
        self.no_repeat_of.append(no_repeat_of)
        self.written_by["begin"] = deadline
        begun = self._begun.pop(0)
        if isinstance(begun, Exception):
            raise begun
        return begun

    def in_the_way_of(self, new: NewAttempt) -> Attempt | None:
        return self.read(new.customer_uid) or self.repeated

    def known(self, customer_uid: str, attempt_id: str) -> Attempt | Closed | None:
        attempt = self.read(customer_uid)
        if attempt is not None and attempt.attempt_id == attempt_id:
            return attempt
        return self.closed

    def take_turn_to_look(self, attempt: Attempt, deadline: Deadline) -> bool:  # noqa: ARG002
        self._write("take_turn_to_look", deadline)
        return self.is_our_turn

    def note_seen(self, attempt: Attempt, seen: Seen, deadline: Deadline) -> Attempt | None:
        self._write("note_seen", deadline)
        self.noted.append(seen)
        return None if self._closed_meanwhile else replace(attempt, seen=seen)

    def finish(self, attempt: Attempt, ending: Ending, deadline: Deadline) -> bool:
        self._write("finish", deadline)
        self._tell(attempt, ending)
        return not self._closed_meanwhile

    def leave_open(self, attempt: Attempt, deadline: Deadline) -> None:
        self._write("leave_open", deadline)
        self._tell(attempt, "open")

    def postpone(self, customer_uid: str, attempt_id: str, seconds: int, deadline: Deadline) -> None:
        self._write("postpone", deadline)
        self.postponed.append((customer_uid, attempt_id, seconds))

    def due(self) -> Iterator[Due]:
        self._fail("due")
        for attempt in self.open:
            yield Due(attempt.customer_uid, attempt.attempt_id, int(attempt.ends_at))

    def past_repeats(self) -> Iterator[Ended]:
        self._fail("past_repeats")
        yield from self.past

    def forget_request(self, ended: Ended, deadline: Deadline) -> None:
        self._write("forget_request", deadline)
        self.forgotten.append(ended)

    def read(self, customer_uid: str) -> Attempt | None:
        self._fail("read")
        closed = [attempt.attempt_id for attempt, how in zip(self.told_of, self.told, strict=True) if how != "open"]
        under_uid = (attempt for attempt in self.open if attempt.customer_uid == customer_uid)
        return next((attempt for attempt in under_uid if attempt.attempt_id not in closed), None)

    def _tell(self, attempt: Attempt, how: Ending | str) -> None:
        self.told.append(how)
        self.told_of.append(attempt)

    def _write(self, verb: str, deadline: Deadline) -> None:
        self.steps.append(verb)
        self.written_by[verb] = deadline
        self._fail(verb)

    def _fail(self, verb: str) -> None:
        failure = self._failing.get(verb) if isinstance(self._failing, Mapping) else self._failing
        if failure is not None:
            raise failure


class FakeSecretsManager:
    """Gives the secrets one after the other, the last one from then on; None is a binary one. Raises exceptions."""

    def __init__(self, *secrets: str | Exception | None, secret_id: str = IAMPORT) -> None:
        self._secrets, self._secret_id = list(secrets), secret_id
        self.times_read = 0

    def get_secret_value(self, *, SecretId: str) -> Mapping[str, str]:  # noqa: N803 (boto3's spelling)
        assert SecretId == self._secret_id
        self.times_read += 1
        secret = self._secrets.pop(0) if len(self._secrets) > 1 else self._secrets[0]
        if isinstance(secret, Exception):
            raise secret
        return {} if secret is None else {"SecretString": secret}


def aws_of(**clients: object) -> AwsClients:
    """`dynamodb` or `secrets_manager` as given."""
    aws = AwsClients()
    vars(aws).update(clients)  # where `cached_property` keeps them
    return aws


def services_of(iamport: FakeIamport, ledger: FakeLedger, settings: Settings = SETTINGS) -> Services:
    credentials = CredentialsStore(
        SETTINGS, aws_of(secrets_manager=FakeSecretsManager('{"imp_key": "key", "imp_secret": "made-up"}'))
    )
    return Services(settings, AwsClients(), credentials, iamport, ledger, fingerprints_of("a-made-up-key"))


def fingerprints_of(*keys: str | Exception | None) -> Fingerprints:
    return Fingerprints(SETTINGS, aws_of(secrets_manager=FakeSecretsManager(*keys, secret_id=FINGERPRINT)))


def refused_by_aws(code: str, http_status: int = 400, **fields: object) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": http_status}, **fields}
    return ClientError(response, "Operation")


def gives(monkeypatch: pytest.MonkeyPatch, outcome: Exception | Issued) -> list[str]:
    """Has the use case give or raise it, of an attempt. The list that comes back fills with the customers' uids."""
    asked_for = []

    def issue_billing_key(customer: Customer, *_: object) -> Issued:
        asked_for.append(customer.uid)
        if isinstance(outcome, Issued):
            return replace(outcome, attempt_id=ATTEMPT_ID)
        if isinstance(outcome, BillingError):
            outcome.attempt_id = ATTEMPT_ID
        raise outcome

    monkeypatch.setattr(sys.modules["app"], "issue_billing_key", issue_billing_key)
    return asked_for
