"""What an attempt talks to, without a socket: each fake gives what a test laid out, and keeps what it was told."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

from botocore.exceptions import ClientError

from billing.aws_clients import AwsClients
from billing.iamport.client import Iamport
from billing.ledger.ledger import Ledger
from billing.model.attempt import Attempt, Ending, LeftOpen, NewAttempt, Repeated
from billing.model.billing_key import BillingKey, FailedPayment, PaidPayment
from billing.model.card import Card
from billing.model.customer import Customer, Payment
from billing.model.deadline import Deadline
from billing.model.errors import Unavailable
from billing.settings import read_settings

ENVIRONMENT = {
    "IAMPORT_SECRET_ID": "iamport",
    "ATTEMPTS_TABLE": "attempts",
    "IAMPORT_BASE_URL": "http://iamport.invalid",  # by TLS it would read all authorities' certificates each time
    "AWS_LAMBDA_FUNCTION_NAME": "issue-billing",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
}
SETTINGS = read_settings(ENVIRONMENT)

BEGAN = 1_700_000_000
ATTEMPT = Attempt(
    customer_uid="mine",
    attempt_id="attempt-1",
    iamport_time=BEGAN,
    ends_at=BEGAN + 28,
    card_fingerprint="f",
    masked_card="000011******3333",
    merchant_uid=None,
    registered=None,
    item={},
)
PAYING = replace(ATTEMPT, merchant_uid="order-1")
OWN = BillingKey("mine", "국민KB카드", "000011******3333", "debit", BEGAN + 3)
OLD = BillingKey("mine", "신한카드", "000099******8888", "credit", BEGAN - 86_400)
TAKEN = PaidPayment("order-1", "imp_1", 99_000, None)


class StoppedClock:
    """Half past an hour; it goes on by `sleep` and `advance` only. How long was slept is kept."""

    def __init__(self) -> None:
        self.wall, self.monotonic = 1_800_001_800.0, 5_000.0
        self.slept: list[float] = []

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)


class FakeIamport(Iamport):
    """For each verb what it gives or raises, one after the other, the last one from then on.

    `paid` is find_payment(..., "paid"), and `newest` find_payment without a status. A verb that nothing is laid out
    for must not be used.
    """

    def __init__(self, **laid_out: Any) -> None:
        self._laid_out = {verb: list(given) if isinstance(given, list) else [given] for verb, given in laid_out.items()}
        self.asked: list[str] = []
        self.answers_by: dict[str, Deadline] = {}

    def now(self) -> int:
        return 1_800_001_790

    def prepare(self, deadline: Deadline) -> None:
        self._next("prepare", deadline)

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

    def find_payment(
        self,
        merchant_uid: str,  # noqa: ARG002
        deadline: Deadline,
        status: Literal["paid", ""] = "",
    ) -> PaidPayment | FailedPayment | None:
        payment: PaidPayment | FailedPayment | None = self._next(status or "newest", deadline)
        return payment

    def look_up(self, customer_uid: str, deadline: Deadline) -> BillingKey | None:  # noqa: ARG002
        key: BillingKey | None = self._next("look_up", deadline)
        return key

    def _next(self, verb: str, deadline: Deadline) -> Any:
        self.asked.append(verb)
        self.answers_by[verb] = deadline
        assert verb in self._laid_out, f"Iamport must not be asked to {verb}"
        given = self._laid_out[verb]
        answer = given.pop(0) if len(given) > 1 else given[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class FakeLedger(Ledger):
    """`told` is how each attempt ended: an Ending, or `open`, or `open and locked`."""

    def __init__(self, *begun: Attempt | Repeated | LeftOpen, failing: Unavailable | None = None) -> None:
        self._begun = list(begun)
        self._failing = failing
        self.open: list[Attempt] = []
        self.asked_for: list[NewAttempt] = []
        self.told: list[Ending | str] = []
        self.told_of: list[Attempt] = []
        self.postponed: list[tuple[str, int]] = []

    def begin(self, new: NewAttempt, deadline: Deadline) -> Attempt | Repeated | LeftOpen:  # noqa: ARG002
        self.asked_for.append(new)
        return self._begun.pop(0)

    def finish(self, attempt: Attempt, ending: Ending, deadline: Deadline) -> bool:
        self._tell(attempt, ending, deadline)
        return True

    def leave_open(self, attempt: Attempt, deadline: Deadline, *, locked: bool) -> None:
        self._tell(attempt, "open and locked" if locked else "open", deadline)

    def postpone(self, attempt: Attempt, seconds: int, deadline: Deadline) -> None:  # noqa: ARG002
        self._fail()
        self.postponed.append((attempt.attempt_id, seconds))

    def due(self) -> Iterable[Attempt]:  # type: ignore[override]
        self._fail()
        return self.open

    def _tell(self, attempt: Attempt, how: Ending | str, deadline: Deadline) -> None:
        self._fail()
        self.told.append(how)
        self.told_of.append(attempt)
        self.written_by = deadline

    def _fail(self) -> None:
        if self._failing is not None:
            raise self._failing


class FakeSecretsManager:
    """Gives the secrets one after the other, the last one from then on; None is a binary one. Raises exceptions."""

    def __init__(self, *secrets: str | Exception | None) -> None:
        self._secrets = list(secrets)
        self.times_read = 0

    def get_secret_value(self, *, SecretId: str) -> Mapping[str, str]:  # noqa: N803 (boto3's spelling)
        assert SecretId == "iamport"
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


def refused_by_aws(code: str, http_status: int = 400, **fields: object) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": http_status}, **fields}
    return ClientError(response, "Operation")
