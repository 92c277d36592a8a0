"""What a refusal of DynamoDB's means, which ones are tried again, and how what is due is read."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.stub import Stubber

from billing.ledger.items import attempt_in, ended_item, new_item, plain, typed
from billing.ledger.ledger import Ledger
from billing.model.attempt import Attempt, Ending, Item, LeftOpen, NewAttempt, Repeated
from billing.model.billing_key import BillingKey, PaidPayment
from billing.model.deadline import Deadline
from billing.model.errors import BillingError, InvalidCustomerToken, TooManyAttempts, Unavailable
from tests.unit.fakes import SETTINGS, StoppedClock, aws_of, refused_by_aws

pytestmark = pytest.mark.usefixtures("stopped_clock")

NOW = StoppedClock().wall
HOUR = 3600
NEW = NewAttempt("mine", "f", "000011******3333", None, iamport_time=int(NOW), ends_at=NOW + 28)
PAYING = replace(NEW, merchant_uid="order-1")
OWN = BillingKey("mine", "국민KB카드", "000011******3333", "debit", int(NOW) - 60)
TAKEN = PaidPayment("order-1", "imp_1", 99_000, None)


class FakeDynamoDB:
    """Raises one refusal for each write, the last one from then on where `forever`; None and what follows is taken."""

    def __init__(self, *refusals: Exception | None, forever: bool = False) -> None:
        self._refusals = list(refusals)
        self._forever = forever
        self.writes: list[dict[str, Any]] = []

    def transact_write_items(self, **write: Any) -> None:
        self._write(write)

    def put_item(self, **write: Any) -> None:
        self._write(write)

    def update_item(self, **write: Any) -> None:
        self._write(write)

    def _write(self, write: dict[str, Any]) -> None:
        self.writes.append(write)
        if self._refusals:
            refusal = self._refusals[0] if self._forever else self._refusals.pop(0)
            if refusal is not None:
                raise refusal


def ledger_of(dynamodb: object, **settings: Any) -> Ledger:
    return Ledger(replace(SETTINGS, **settings), aws_of(dynamodb=dynamodb))


def cancelled(*codes: str, seen: Item | None = None) -> ClientError:
    """`codes` of the customer, the card and the payment; `seen` is what stands under the customer_uid."""
    reasons: list[dict[str, Any]] = [{"Code": code} for code in codes]
    if seen is not None:
        reasons[0]["Item"] = typed(seen)
    return refused_by_aws("TransactionCanceledException", CancellationReasons=reasons)


FAILED = "ConditionalCheckFailed"


def customer_seen(item: Item) -> ClientError:
    return cancelled(FAILED, "None", seen=item)


def opened(ago: float, new: NewAttempt = NEW) -> Item:
    return new_item(None, replace(new, ends_at=NOW - ago + 28), NOW - ago)


def ended(ending: Ending, ago: float, new: NewAttempt = NEW, **changes: Any) -> Item:
    return {**ended_item(attempt_in(opened(ago, new)), ending, NOW - ago), **changes}


ISSUED = Ending("issued", None, OWN)
OPEN_STILL = opened(ago=29)
OPEN_TOO_LONG = opened(ago=31)

Outcome = Repeated | LeftOpen | str
"""What `begin` gives, `begun`, or the code of what it raises."""


def begin(
    dynamodb: FakeDynamoDB, new: NewAttempt = NEW, seconds_left: float = 28.0, **settings: Any
) -> Attempt | Repeated | LeftOpen:
    return ledger_of(dynamodb, **settings).begin(new, Deadline.after(seconds_left))


def outcome(dynamodb: FakeDynamoDB, new: NewAttempt = NEW, **settings: Any) -> Outcome:
    try:
        begun = begin(dynamodb, new, **settings)
    except BillingError as failure:
        return failure.code
    return "begun" if isinstance(begun, Attempt) else begun


@pytest.mark.parametrize(
    ("seen", "new", "expected"),
    [
        pytest.param(OPEN_STILL, NEW, "in_progress", id="under way"),
        pytest.param(OPEN_TOO_LONG, NEW, LeftOpen(attempt_in(OPEN_TOO_LONG)), id="left open"),
        pytest.param({**OPEN_TOO_LONG, "locked_until": int(NOW) + 1}, NEW, "in_progress", id="locked longer"),
        pytest.param(
            {**OPEN_STILL, "locked_until": int(NOW)},
            NEW,
            LeftOpen(attempt_in({**OPEN_STILL, "locked_until": int(NOW)})),
            id="its lock taken off",
        ),
        pytest.param(ended(ISSUED, 1), NEW, Repeated(OWN, None), id="the same card a second ago"),
        pytest.param(ended(ISSUED, 600), NEW, Repeated(OWN, None), id="the same card ten minutes ago"),
        pytest.param(ended(ISSUED, 601), NEW, "begun", id="the same card longer ago"),
        pytest.param(ended(ISSUED, 1), replace(NEW, card_fingerprint="g"), "begun", id="another card"),
        pytest.param(ended(ISSUED, 1), PAYING, "begun", id="the same card, and a payment"),
        pytest.param(
            ended(Ending("issued", None, OWN, TAKEN), 1, PAYING), PAYING, Repeated(OWN, TAKEN), id="the same payment"
        ),
        pytest.param(
            ended(Ending("issued", None, OWN, TAKEN), 1, PAYING),
            replace(PAYING, merchant_uid="order-2"),
            "begun",
            id="another payment",
        ),
        pytest.param(
            ended(Ending("issued", None, None, TAKEN), 1, PAYING), PAYING, "begun", id="paid, and its key is gone"
        ),
        pytest.param(ended(Ending("declined", "no"), 1), NEW, "begun", id="declined"),
        pytest.param(
            ended(Ending("declined", "no", OWN), 1), NEW, "begun", id="declined, with a key that was left behind"
        ),
        pytest.param(
            ended(Ending("not_issued", "already_registered", OWN), 1), NEW, "begun", id="refused, with a key before it"
        ),
        pytest.param(ended(Ending("not_issued"), 1), NEW, "begun", id="not issued"),
        pytest.param(ended(Ending("unknown"), 1), NEW, "begun", id="unknown"),
        pytest.param(ended(Ending("declined"), 1, attempts=9), NEW, "begun", id="the tenth of this hour"),
        pytest.param(ended(Ending("declined"), 1, attempts=10), NEW, "too_many_attempts", id="the eleventh"),
        pytest.param(ended(Ending("declined"), HOUR, attempts=10), NEW, "begun", id="ten, an hour ago"),
        pytest.param(ended(ISSUED, 1, attempts=10), NEW, Repeated(OWN, None), id="the eleventh, that is repeated"),
        pytest.param({**OPEN_STILL, "attempts": 10}, NEW, "in_progress", id="the eleventh, with the tenth under way"),
    ],
)
def test_an_earlier_attempt_decides_about_the_next(seen: Item, new: NewAttempt, expected: Outcome) -> None:
    dynamodb = FakeDynamoDB(customer_seen(seen))
    assert outcome(dynamodb, new, attempts_per_customer=10) == expected
    assert len(dynamodb.writes) == (2 if expected == "begun" else 1)


def test_an_attempt_after_another_takes_over_what_is_registered_and_counts_on() -> None:
    begun = begin(FakeDynamoDB(customer_seen(ended(ISSUED, 601, attempts=4))))
    assert isinstance(begun, Attempt)
    assert (begun.registered, begun.item["attempts"]) == (OWN, 5)


def test_an_attempt_begins_where_nothing_stands_under_the_uid() -> None:
    dynamodb = FakeDynamoDB()
    begun = begin(dynamodb)
    assert isinstance(begun, Attempt)
    (write,) = dynamodb.writes
    assert plain(write["TransactItems"][0]["Put"]["Item"]) == begun.item


def test_an_attempt_after_another_is_written_only_if_that_is_still_the_last() -> None:
    seen = ended(ISSUED, 601)
    dynamodb = FakeDynamoDB(customer_seen(seen))
    begin(dynamodb)
    first, second = (write["TransactItems"][0]["Put"] for write in dynamodb.writes)
    assert first["ConditionExpression"] == "attribute_not_exists(pk)"
    values = plain(second["ExpressionAttributeValues"])
    assert values == {":attempt_id": seen["attempt_id"], ":state": "issued"}


def test_a_card_has_its_own_limit() -> None:
    dynamodb = FakeDynamoDB()
    begin(dynamodb, attempts_per_card=3, attempts_per_customer=5)
    _, of_card = dynamodb.writes[0]["TransactItems"]
    assert plain(of_card["Update"]["ExpressionAttributeValues"])[":limit"] == 3


def test_what_expired_between_two_writes_is_as_if_it_had_never_been() -> None:
    seen = customer_seen(ended(ISSUED, 601))
    begun = begin(FakeDynamoDB(seen, cancelled(FAILED, "None")))
    assert isinstance(begun, Attempt)
    assert begun.registered is None


def test_who_loses_against_an_attempt_in_between_learns_of_it() -> None:
    dynamodb = FakeDynamoDB(customer_seen(ended(ISSUED, 601)), customer_seen(OPEN_STILL))
    assert outcome(dynamodb) == "in_progress"


@pytest.mark.parametrize(
    ("refusal", "new", "expected", "reason"),
    [
        pytest.param(cancelled("None", FAILED), NEW, TooManyAttempts, "attempts_per_card", id="the card's limit"),
        pytest.param(
            cancelled("None", FAILED, FAILED), PAYING, TooManyAttempts, "attempts_per_card", id="the card's limit first"
        ),
        pytest.param(
            cancelled("None", "None", FAILED),
            PAYING,
            InvalidCustomerToken,
            "payment_of_another_customer",
            id="a payment of another customer",
        ),
        pytest.param(
            cancelled(FAILED, FAILED, seen=ended(Ending("declined"), 1, attempts=10)),
            NEW,
            TooManyAttempts,
            "attempts_per_customer",
            id="the customer's limit before the card's",
        ),
    ],
)
def test_a_condition_that_was_not_met_has_its_meaning(
    refusal: ClientError, new: NewAttempt, expected: type[TooManyAttempts | InvalidCustomerToken], reason: str
) -> None:
    with pytest.raises(expected) as refused:
        begin(FakeDynamoDB(refusal), new)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "refusal", [cancelled("None", FAILED), customer_seen(ended(Ending("declined"), 1, attempts=10))]
)
@pytest.mark.parametrize(("into_the_hour", "retry_after"), [(0.0, 3600), (0.9, 3600), (1.0, 3599), (3599.5, 1)])
def test_too_many_attempts_may_go_on_with_the_next_hour(
    stopped_clock: StoppedClock, refusal: ClientError, into_the_hour: float, retry_after: int
) -> None:
    stopped_clock.wall = NOW // HOUR * HOUR + into_the_hour
    with pytest.raises(TooManyAttempts) as refused:
        begin(FakeDynamoDB(refusal))
    assert refused.value.retry_after == retry_after


def test_a_first_payment_is_written_with_its_attempt() -> None:
    dynamodb = FakeDynamoDB()
    begin(dynamodb, NEW)
    begin(dynamodb, PAYING)
    assert [len(write["TransactItems"]) for write in dynamodb.writes] == [2, 3]


BUSY = [
    pytest.param(refused_by_aws("TransactionConflictException"), id="a write meets a transaction"),
    pytest.param(cancelled("TransactionConflict", "None"), id="two transactions meet at the customer"),
    pytest.param(cancelled("None", "TransactionConflict"), id="two transactions meet at the card"),
    pytest.param(cancelled("None", "ThrottlingError"), id="throttled"),
    pytest.param(cancelled("None", "ProvisionedThroughputExceeded"), id="the table's capacity"),
]

FINAL = [
    pytest.param(refused_by_aws("AccessDeniedException"), "ledger_refused: AccessDeniedException", id="no permission"),
    pytest.param(
        refused_by_aws("ResourceNotFoundException"), "ledger_refused: ResourceNotFoundException", id="no table"
    ),
    pytest.param(
        cancelled("None", "ValidationError"), "ledger_refused: TransactionCanceledException", id="a write that is wrong"
    ),
    pytest.param(
        refused_by_aws("InternalServerError", 500), "ledger_unreachable: InternalServerError", id="an error of theirs"
    ),
    pytest.param(
        ReadTimeoutError(endpoint_url="https://unused"), "ledger_unreachable: ReadTimeoutError", id="a time-out"
    ),
    pytest.param(
        EndpointConnectionError(endpoint_url="https://unused"),
        "ledger_unreachable: EndpointConnectionError",
        id="no way there",
    ),
]

ATTEMPT = attempt_in(opened(ago=0))
WRITES = [
    pytest.param(lambda ledger, deadline: ledger.begin(NEW, deadline), id="begin"),
    pytest.param(lambda ledger, deadline: ledger.finish(ATTEMPT, ISSUED, deadline), id="finish"),
    pytest.param(lambda ledger, deadline: ledger.leave_open(ATTEMPT, deadline, locked=True), id="leave_open"),
    pytest.param(lambda ledger, deadline: ledger.postpone(ATTEMPT, 120, deadline), id="postpone"),
]
Write = Callable[[Ledger, Deadline], Any]


@pytest.mark.parametrize("refusal", BUSY)
@pytest.mark.parametrize("write", WRITES)
def test_what_others_write_too_is_waited_for(write: Write, refusal: Exception, stopped_clock: StoppedClock) -> None:
    dynamodb = FakeDynamoDB(refusal, refusal, refusal)
    write(ledger_of(dynamodb), Deadline.after(28))
    assert len(dynamodb.writes) == 4
    assert len(stopped_clock.slept) == 3


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("seconds_left", [10.0, 1.0])
def test_others_that_write_are_not_waited_for_forever(
    write: Write, seconds_left: float, stopped_clock: StoppedClock
) -> None:
    dynamodb = FakeDynamoDB(refused_by_aws("TransactionConflictException"), forever=True)
    deadline = Deadline.after(seconds_left)
    with pytest.raises(Unavailable, check=lambda failure: failure.reason == "ledger_busy"):
        write(ledger_of(dynamodb), deadline)
    assert sum(stopped_clock.slept) <= seconds_left
    assert len(dynamodb.writes) > 2


def test_a_new_attempt_waits_for_others_for_two_seconds(stopped_clock: StoppedClock) -> None:
    with pytest.raises(Unavailable):
        begin(FakeDynamoDB(refused_by_aws("TransactionConflictException"), forever=True))
    assert 1.5 < sum(stopped_clock.slept) <= 2


def test_an_ending_waits_for_others_until_half_a_second_before_the_end(stopped_clock: StoppedClock) -> None:
    dynamodb, deadline = FakeDynamoDB(refused_by_aws("TransactionConflictException"), forever=True), Deadline.after(10)
    with pytest.raises(Unavailable):
        ledger_of(dynamodb).finish(ATTEMPT, ISSUED, deadline)
    assert 0.5 <= deadline.left() < 1
    assert sum(stopped_clock.slept) > 9


def test_pauses_grow_and_are_not_the_same_twice(stopped_clock: StoppedClock) -> None:
    """Or those who met once would meet again."""
    first, second = (pauses_of_an_attempt(stopped_clock) for _ in range(2))
    assert first[0] <= 0.02
    assert first[0] < first[2] < first[4]
    assert max(first + second) <= 0.3
    assert first[:5] != second[:5]


def pauses_of_an_attempt(stopped_clock: StoppedClock) -> list[float]:
    stopped_clock.slept.clear()
    with pytest.raises(Unavailable):
        begin(FakeDynamoDB(refused_by_aws("TransactionConflictException"), forever=True))
    return stopped_clock.slept.copy()


@pytest.mark.parametrize(("refusal", "reason"), FINAL)
@pytest.mark.parametrize("write", WRITES)
def test_anything_else_is_not_tried_again(
    write: Write, refusal: Exception, reason: str, stopped_clock: StoppedClock
) -> None:
    dynamodb = FakeDynamoDB(refusal)
    with pytest.raises(Unavailable, check=lambda failure: failure.reason == reason):
        write(ledger_of(dynamodb), Deadline.after(28))
    assert (len(dynamodb.writes), stopped_clock.slept) == (1, [])


def test_a_condition_that_was_not_met_is_not_tried_again_for_a_conflict_beside_it() -> None:
    dynamodb = FakeDynamoDB(cancelled("TransactionConflict", FAILED))
    assert outcome(dynamodb) == "too_many_attempts"


def test_nothing_begins_past_the_deadline() -> None:
    dynamodb = FakeDynamoDB()
    with pytest.raises(Unavailable):
        begin(dynamodb, seconds_left=0)
    assert dynamodb.writes == []


@pytest.mark.parametrize(
    ("refusal", "closed"), [(None, True), (refused_by_aws("ConditionalCheckFailedException"), False)]
)
def test_only_an_open_attempt_is_closed(refusal: Exception | None, closed: bool) -> None:
    assert ledger_of(FakeDynamoDB(refusal)).finish(ATTEMPT, ISSUED, Deadline.after(28)) is closed


def test_an_attempt_that_is_closed_already_may_be_left_open_or_postponed() -> None:
    """To no effect: who closed it knew more."""
    ledger = ledger_of(FakeDynamoDB(refused_by_aws("ConditionalCheckFailedException"), forever=True))
    ledger.leave_open(ATTEMPT, Deadline.after(28), locked=True)
    ledger.postpone(ATTEMPT, 120, Deadline.after(28))


@pytest.mark.parametrize(
    ("write", "name", "value"),
    [
        pytest.param(
            lambda ledger, deadline: ledger.leave_open(ATTEMPT, deadline, locked=True),
            "locked_until",
            int(NOW) + 28 + 30,
            id="locked until the settler looks",
        ),
        pytest.param(
            lambda ledger, deadline: ledger.leave_open(ATTEMPT, deadline, locked=False),
            "locked_until",
            int(NOW),
            id="not locked from now on",
        ),
        pytest.param(
            lambda ledger, deadline: ledger.postpone(ATTEMPT, 120, deadline),
            "due_at",
            int(NOW) + 120,
            id="due in two minutes",
        ),
    ],
)
def test_what_is_set_of_an_open_attempt(write: Write, name: str, value: int) -> None:
    dynamodb = FakeDynamoDB()
    write(ledger_of(dynamodb), Deadline.after(28))
    (written,) = dynamodb.writes
    assert written["UpdateExpression"].removeprefix("SET ").split(" = ") == [name, ":value"]
    assert plain(written["ExpressionAttributeValues"])[":value"] == value
    assert plain(written["Key"]) == {"pk": "uid#mine"}


@pytest.fixture(scope="module")
def dynamodb() -> Any:
    return boto3.Session().client("dynamodb")


@pytest.fixture
def stubber(dynamodb: Any) -> Iterator[Stubber]:
    """In the place of DynamoDB's answers; the pages are boto3's to turn."""
    with Stubber(dynamodb) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def page(*attempt_ids: str, more: bool = False) -> dict[str, Any]:
    items = [typed({**OPEN_TOO_LONG, "attempt_id": attempt_id}) for attempt_id in attempt_ids]
    return {"Items": items, **({"LastEvaluatedKey": {"pk": {"S": f"uid#{attempt_ids}"}}} if more else {})}


def test_what_is_due_is_read_to_the_last_page_of_every_shard(dynamodb: Any, stubber: Stubber) -> None:
    asked_for = []
    dynamodb.meta.events.register(
        "before-parameter-build.dynamodb.Query",
        lambda params, **_: asked_for.append(
            (plain(params["ExpressionAttributeValues"])[":shard"], "ExclusiveStartKey" in params)
        ),
        unique_id="shards",
    )
    pages = [page("0a", "0b", more=True), page("0c"), *(page(f"{shard}a") for shard in range(1, 7))]
    for one in [*pages, page("7a", more=True), page(more=True), page("7b")]:
        stubber.add_response("query", one)
    due = [attempt.attempt_id for attempt in ledger_of(dynamodb).due()]
    dynamodb.meta.events.unregister("before-parameter-build.dynamodb.Query", unique_id="shards")
    assert due == ["0a", "0b", "0c", "1a", "2a", "3a", "4a", "5a", "6a", "7a", "7b"]
    assert [shard for shard, is_next_page in asked_for if not is_next_page] == list("01234567")
    assert [shard for shard, is_next_page in asked_for if is_next_page] == list("077")


def test_what_is_due_is_due_by_now(dynamodb: Any, stubber: Stubber) -> None:
    stubber.add_response(
        "query",
        page("0a"),
        {
            "TableName": "attempts",
            "IndexName": "due",
            "KeyConditionExpression": "due_shard = :shard AND due_at <= :now",
            "ExpressionAttributeValues": {":shard": {"S": "0"}, ":now": {"N": str(int(NOW))}},
        },
    )
    assert next(iter(ledger_of(dynamodb).due())).attempt_id == "0a"


def test_where_the_table_cannot_be_read_nothing_is_called_due(dynamodb: Any, stubber: Stubber) -> None:
    stubber.add_response("query", page("0a", more=True))
    stubber.add_client_error("query", "AccessDeniedException", http_status_code=400)
    due = iter(ledger_of(dynamodb).due())
    assert next(due).attempt_id == "0a"
    with pytest.raises(Unavailable, check=lambda failure: failure.reason == "ledger_refused: AccessDeniedException"):
        next(due)
