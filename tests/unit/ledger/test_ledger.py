"""What a refusal of DynamoDB's means, which ones are tried again, and how what is due is read."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.stub import Stubber

from billing.ledger.items import attempt_in, ended_item, new_item, plain, seen_text, typed
from billing.ledger.ledger import Due, Ledger
from billing.model.attempt import Attempt, Ending, Item, LeftOpen, Leftover, NewAttempt, Order, Repeated, Seen
from billing.model.billing_key import BillingKey, PaidPayment
from billing.model.deadline import Deadline
from billing.model.errors import BillingError, TooManyAttempts, Unavailable
from tests.unit.fakes import SETTINGS, StoppedClock, aws_of, refused_by_aws

pytestmark = pytest.mark.usefixtures("stopped_clock")

NOW = StoppedClock().wall
HOUR = 3600
NEW = NewAttempt(
    attempt_id="new",
    customer_uid="mine",
    card_fingerprint="f",
    request_fingerprint="r",
    masked_card="000011******3333",
    order=None,
    ends_at=NOW + 28,
    is_new_customer=False,
    request_id="request-1",
)
PAYING = replace(NEW, order=Order("order-1", 99_000))
OWN = BillingKey("mine", "국민KB카드", "000011******3333", "debit", int(NOW) - 60)
OLD = BillingKey("mine", "신한카드", "000099******8888", "credit", int(NOW) - 86_400)
TAKEN = PaidPayment("order-1", "imp_1", 99_000, None)


class FakeDynamoDB:
    """Raises one refusal for each write, the last one from then on where `forever`; None and what follows is taken.

    `items` is what stands in the table, by its key; what is written changes nothing in it.
    """

    def __init__(
        self, *refusals: Exception | None, forever: bool = False, items: Mapping[str, Item] | None = None
    ) -> None:
        self._refusals = list(refusals)
        self._forever = forever
        self._items = items or {}
        self.writes: list[dict[str, Any]] = []
        self.reads: list[dict[str, Any]] = []

    def transact_write_items(self, **write: Any) -> None:
        self._write(write)

    def put_item(self, **write: Any) -> None:
        self._write(write)

    def update_item(self, **write: Any) -> None:
        self._write(write)

    def get_item(self, **read: Any) -> dict[str, Any]:
        self.reads.append(read)
        item = self._items.get(read["Key"]["pk"]["S"])
        return {} if item is None else {"Item": typed(item)}

    def _write(self, write: dict[str, Any]) -> None:
        self.writes.append(write)
        if self._refusals:
            refusal = self._refusals[0] if self._forever else self._refusals.pop(0)
            if refusal is not None:
                raise refusal


def ledger_of(dynamodb: object, **settings: Any) -> Ledger:
    return Ledger(replace(SETTINGS, **settings), aws_of(dynamodb=dynamodb))


def cancelled(*codes: str, seen: Item | None = None, order: Item | None = None) -> ClientError:
    """`codes` of a begin's writes: the customer's, the card's and the order's. `seen`, `order`: what stands there."""
    reasons: list[dict[str, Any]] = [{"Code": code} for code in codes]
    if seen is not None:
        reasons[0]["Item"] = typed(seen)
    if order is not None:
        reasons[-1]["Item"] = typed(order)
    return refused_by_aws("TransactionCanceledException", CancellationReasons=reasons)


FAILED = "ConditionalCheckFailed"


def customer_seen(item: Item) -> ClientError:
    return cancelled(FAILED, "None", seen=item)


def order_seen(item: Item) -> ClientError:
    return cancelled("None", "None", FAILED, order=item)


def opened(ago: float, new: NewAttempt = NEW, **changes: Any) -> Item:
    """By an earlier attempt."""
    earlier = replace(new, attempt_id="earlier", ends_at=NOW - ago + 28)
    return {**new_item(None, earlier, NOW - ago, order_is_paid=False), **changes}


def ended(ending: Ending, ago: float, new: NewAttempt = NEW, **changes: Any) -> Item:
    attempt = attempt_in(opened(ago, new))
    return {**ended_item(attempt, ending, NOW - ago, event=ending.event(attempt)), **changes}


ISSUED = Ending("issued", registered=OWN)
PAID = Ending("issued", registered=OWN, payment=TAKEN)
DECLINED = Ending("declined", "no")
FOUND = Ending("issued", registered=OWN, may_still_land=True)
"""Its lock stays for a minute after its invocation."""
UNDER_WAY = opened(ago=27)
LEFT = opened(ago=28)

Outcome = tuple[str, str] | str
"""What `begin` gives, with the attempt that it is about; `begun`; or the code of what it raises."""
REPEATED, LEFT_OPEN = ("Repeated", "earlier"), ("LeftOpen", "earlier")


def begin(
    dynamodb: FakeDynamoDB,
    new: NewAttempt = NEW,
    seconds_left: float = 28.0,
    no_repeat_of: str | None = None,
    **settings: Any,
) -> Attempt | Repeated | LeftOpen:
    return ledger_of(dynamodb, **settings).begin(new, Deadline.after(seconds_left), no_repeat_of=no_repeat_of)


def outcome(dynamodb: FakeDynamoDB, new: NewAttempt = NEW, **how: Any) -> Outcome:
    try:
        begun = begin(dynamodb, new, **how)
    except BillingError as failure:
        return failure.code
    return "begun" if isinstance(begun, Attempt) else (type(begun).__name__, begun.attempt.attempt_id)


def puts(write: Mapping[str, Any]) -> dict[str, Any]:
    """The item that a transaction puts under the uid."""
    return plain(write["TransactItems"][0]["Put"]["Item"])


def condition(write: Mapping[str, Any]) -> str:
    """With its values in their places."""
    text: str = write["ConditionExpression"].replace("#state", "state")
    values = plain(write["ExpressionAttributeValues"])
    for name in sorted(values, key=len, reverse=True):
        text = text.replace(name, str(values[name]))
    return text


@pytest.mark.parametrize(
    ("earlier", "new", "expected"),
    [
        pytest.param(UNDER_WAY, NEW, "in_progress", id="under way"),
        pytest.param(LEFT, NEW, LEFT_OPEN, id="left open: whoever comes may look what became of it"),
        pytest.param({**LEFT, "seen": seen_text(Seen())}, NEW, LEFT_OPEN, id="left open, and sent"),
        pytest.param(ended(ISSUED, 1), NEW, REPEATED, id="the same request a second ago"),
        pytest.param(ended(ISSUED, 600), NEW, REPEATED, id="the same request ten minutes ago"),
        pytest.param(ended(ISSUED, 601), NEW, "begun", id="the same request longer ago"),
        pytest.param(
            ended(ISSUED, 1), replace(NEW, card_fingerprint="g", request_fingerprint="s"), "begun", id="another card"
        ),
        pytest.param(
            ended(ISSUED, 1),
            replace(NEW, request_fingerprint="s"),
            "begun",
            id="the same number, and another expiry, birth date or password",
        ),
        pytest.param(ended(ISSUED, 1), PAYING, "begun", id="the same card, and a payment"),
        pytest.param(ended(PAID, 1, PAYING), PAYING, REPEATED, id="the same payment"),
        pytest.param(ended(PAID, 1, PAYING), NEW, "begun", id="the same card without the payment"),
        pytest.param(
            ended(PAID, 1, PAYING), replace(PAYING, order=Order("order-2", 99_000)), "begun", id="another payment"
        ),
        pytest.param(
            ended(Ending("issued", payment=TAKEN), 1, PAYING), PAYING, "begun", id="paid, and no key is known"
        ),
        pytest.param(
            ended(Ending("paid_without_key", payment=TAKEN), 1, PAYING), PAYING, "begun", id="paid without a key"
        ),
        pytest.param(ended(DECLINED, 1), NEW, "begun", id="declined"),
        pytest.param(
            ended(Ending("declined", "no", registered=OWN, leftover=Leftover(OWN)), 1),
            NEW,
            "begun",
            id="declined, with a key that was left behind",
        ),
        pytest.param(
            ended(Ending("not_issued", "already_registered", registered=OWN), 1),
            NEW,
            "begun",
            id="refused, with a key before it",
        ),
        pytest.param(ended(Ending("not_issued"), 1), NEW, "begun", id="not issued"),
        pytest.param(ended(Ending("unknown"), 1), NEW, "begun", id="unknown"),
        pytest.param(ended(FOUND, 1), NEW, REPEATED, id="the same request, whose success was found"),
        pytest.param(
            ended(FOUND, 1), replace(NEW, request_fingerprint="s"), "in_progress", id="found, and still in flight"
        ),
        pytest.param(
            ended(FOUND, 87),
            replace(NEW, request_fingerprint="s"),
            "in_progress",
            id="found, and still in flight yet",
        ),
        pytest.param(
            ended(FOUND, 88), replace(NEW, request_fingerprint="s"), "begun", id="found, and nothing in flight any more"
        ),
        pytest.param(ended(DECLINED, 1, attempts=9), NEW, "begun", id="the tenth of this hour"),
        pytest.param(ended(DECLINED, 1, attempts=10), NEW, "too_many_attempts", id="the eleventh"),
        pytest.param(ended(DECLINED, HOUR, attempts=10), NEW, "begun", id="ten, an hour ago"),
        pytest.param(ended(ISSUED, 1, attempts=10), NEW, REPEATED, id="the eleventh, that is repeated"),
        pytest.param({**UNDER_WAY, "attempts": 10}, NEW, "in_progress", id="the eleventh, with the tenth under way"),
    ],
)
def test_an_earlier_attempt_decides_about_the_next(earlier: Item, new: NewAttempt, expected: Outcome) -> None:
    dynamodb = FakeDynamoDB(customer_seen(earlier))
    assert outcome(dynamodb, new, attempts_per_customer=10) == expected
    assert len(dynamodb.writes) == (2 if expected == "begun" else 1)


@pytest.mark.parametrize(
    ("earlier", "no_repeat_of", "expected"),
    [
        pytest.param(ended(ISSUED, 1), "earlier", "begun", id="its key is gone"),
        pytest.param(ended(ISSUED, 1), "another", REPEATED, id="the key of another one is gone"),
        pytest.param(ended(ISSUED, 1, attempts=10), "earlier", "too_many_attempts", id="it counts like all others"),
        pytest.param(ended(FOUND, 1), "earlier", "in_progress", id="its own request is still in flight"),
    ],
)
def test_a_success_whose_key_is_gone_is_nothing_to_repeat(earlier: Item, no_repeat_of: str, expected: Outcome) -> None:
    dynamodb = FakeDynamoDB(customer_seen(earlier))
    assert outcome(dynamodb, no_repeat_of=no_repeat_of, attempts_per_customer=10) == expected


def test_a_repeat_tells_what_was_registered_and_paid() -> None:
    repeated = begin(FakeDynamoDB(customer_seen(ended(PAID, 1, PAYING))), PAYING)
    assert isinstance(repeated, Repeated)
    assert (repeated.billing_key, repeated.payment) == (OWN, TAKEN)


def test_an_attempt_after_another_takes_over_what_is_registered_and_counts_on() -> None:
    dynamodb = FakeDynamoDB(customer_seen(ended(ISSUED, 601, attempts=4)))
    begun = begin(dynamodb)
    assert isinstance(begun, Attempt)
    assert begun.item["registered_card_number"] == OWN.card_number
    assert (begun.item["attempts"], begun.is_first) == (5, False)


def test_an_attempt_after_another_knows_what_that_left_behind() -> None:
    left = Ending("declined", "no", registered=OWN, leftover=Leftover(OWN))
    begun = begin(FakeDynamoDB(customer_seen(ended(left, 1, PAYING))), replace(PAYING, order=Order("order-2", 5)))
    assert isinstance(begun, Attempt)
    assert begun.leftover is not None
    assert begun.leftover.is_what_stands(OWN)


def test_an_attempt_begins_where_nothing_stands_under_the_uid() -> None:
    dynamodb = FakeDynamoDB()
    begun = begin(dynamodb)
    assert isinstance(begun, Attempt)
    assert begun.is_first
    (write,) = dynamodb.writes
    assert puts(write) == begun.item
    assert begun.attempt_id == NEW.attempt_id


def test_that_nothing_was_there_before_is_written_with_the_beginning_of_a_new_uid() -> None:
    """Where the ledger knows the uid after all, it is not: what stands there has to be looked up."""
    new = replace(NEW, is_new_customer=True)
    first, second = begin(FakeDynamoDB(), new), begin(FakeDynamoDB(customer_seen(ended(DECLINED, 1))), new)
    assert isinstance(first, Attempt)
    assert isinstance(second, Attempt)
    assert (first.seen, second.seen) == (Seen(), None)
    assert "seen" not in second.item


def test_an_attempt_after_another_is_written_only_if_that_is_still_the_last() -> None:
    dynamodb = FakeDynamoDB(customer_seen(ended(ISSUED, 601)))
    begin(dynamodb)
    first, second = (write["TransactItems"][0]["Put"] for write in dynamodb.writes)
    assert first["ConditionExpression"] == "attribute_not_exists(pk)"
    assert condition(second) == "attempt_id = earlier AND state = issued"


def test_a_card_has_its_own_limit() -> None:
    dynamodb = FakeDynamoDB()
    begin(dynamodb, attempts_per_card=3, attempts_per_card_per_day=7, attempts_per_customer=5)
    _, of_card = dynamodb.writes[0]["TransactItems"]
    hour = of_card["Update"]["ExpressionAttributeNames"]["#hour"]
    assert hour == f"hour_{int(NOW) // HOUR}"
    assert condition(of_card["Update"]).replace("#hour", hour) == (
        f"(attribute_not_exists(attempts) OR attempts < 7) AND (attribute_not_exists({hour}) OR {hour} < 3)"
    )


@pytest.mark.parametrize(
    ("tried", "reason", "retry_after"),
    [
        (19, "attempts_per_card", 1800),
        (20, "attempts_per_card_per_day", 23_400),
        (21, "attempts_per_card_per_day", 23_400),
    ],
)
def test_which_of_a_cards_limits_is_met_says_when_it_may_be_tried_again(
    tried: int, reason: str, retry_after: int
) -> None:
    """It is half past five in the afternoon in Seoul."""
    refusal = cancelled("None", FAILED)
    reasons: Any = refusal.response["CancellationReasons"]
    reasons[1]["Item"] = typed({"pk": "card", "attempts": tried})
    with pytest.raises(TooManyAttempts) as too_many:
        begin(FakeDynamoDB(refusal))
    assert (too_many.value.reason, too_many.value.retry_after) == (reason, retry_after)


def test_what_expired_between_two_writes_is_as_if_it_had_never_been() -> None:
    begun = begin(FakeDynamoDB(customer_seen(ended(ISSUED, 601)), cancelled(FAILED, "None")))
    assert isinstance(begun, Attempt)
    assert begun.is_first
    assert "registered_at" not in begun.item


def test_who_loses_against_an_attempt_in_between_learns_of_it() -> None:
    dynamodb = FakeDynamoDB(customer_seen(ended(ISSUED, 601)), customer_seen(UNDER_WAY))
    assert outcome(dynamodb) == "in_progress"


def held(**changes: Any) -> Item:
    """By another customer's attempt."""
    return {"pk": "payment#order-1", "state": "open", "customer_uid": "other", "attempt_id": "earlier", **changes}


def others(ago: float, order: Order | None = PAYING.order, **changes: Any) -> Mapping[str, Item]:
    """What stands under the other's uid."""
    item = opened(ago, replace(NEW, customer_uid="other", order=order), **changes)
    return {"uid#other": item}


@pytest.mark.parametrize(
    ("order", "items", "expected"),
    [
        pytest.param(held(), others(27), "in_progress", id="an attempt that is under way"),
        pytest.param(held(), others(28), LEFT_OPEN, id="an attempt that was left open: it may be looked at"),
        pytest.param(held(), {}, "in_progress", id="an attempt that is gone in this moment"),
        pytest.param(held(), others(28, state="declined"), "in_progress", id="an attempt that ends in this moment"),
        pytest.param(
            held(),
            others(28, Order("order-2", 5)),
            "in_progress",
            id="a customer whose next attempt is another order's",
        ),
        pytest.param(held(), others(28, None), "in_progress", id="a customer whose next attempt has no order"),
        pytest.param(held(state="free"), {}, "in_progress", id="nobody any more: freed in this moment"),
        pytest.param(held(state="paid"), {}, "already_paid", id="somebody else has paid it"),
        pytest.param(
            {"pk": "payment#order-1", "customer_uid": "other"}, others(28), LEFT_OPEN, id="an attempt of version 1"
        ),
        pytest.param(
            {"pk": "payment#order-1", "customer_uid": "other"},
            {},
            "in_progress",
            id="of version 1, and nothing open any more",
        ),
    ],
)
def test_who_holds_an_order_decides_about_the_next(order: Item, items: Mapping[str, Item], expected: Outcome) -> None:
    dynamodb = FakeDynamoDB(order_seen(order), items=items)
    assert outcome(dynamodb, PAYING) == expected
    assert len(dynamodb.writes) == 1, "and nothing is written"


def test_the_holder_of_an_order_is_read_from_the_table_itself() -> None:
    dynamodb = FakeDynamoDB(order_seen(held()), items=others(28))
    begin(dynamodb, PAYING)
    (read,) = dynamodb.reads
    assert read == {"TableName": "attempts", "Key": {"pk": {"S": "uid#other"}}, "ConsistentRead": True}


def order_write(write: Mapping[str, Any]) -> dict[str, Any]:
    """The order's part of a transaction."""
    *_, of_order = write["TransactItems"]
    assert plain(of_order["Update"]["Key"]) == {"pk": "payment#order-1"}
    return dict(of_order["Update"])


def test_an_order_is_held_by_the_attempt_that_is_open_for_it() -> None:
    dynamodb = FakeDynamoDB()
    begin(dynamodb, PAYING)
    write = order_write(dynamodb.writes[0])
    values = plain(write["ExpressionAttributeValues"])
    assert (values[":state"], values[":customer_uid"], values[":attempt_id"]) == ("open", "mine", "new")
    assert values[":expires_at"] == int(NOW) + 90 * 86_400


def test_only_an_order_that_nobody_holds_or_has_paid_is_taken() -> None:
    """Version 1 wrote no state: its orders are its customer's, or anybody's when nothing can be under way any more."""
    dynamodb = FakeDynamoDB()
    begin(dynamodb, PAYING)
    two_minutes_ago = int(NOW) + 90 * 86_400 - 120
    assert condition(order_write(dynamodb.writes[0])) == (
        "attribute_not_exists(pk) OR state = free OR "
        f"(attribute_not_exists(state) AND (customer_uid = mine OR expires_at < {two_minutes_ago}))"
    )


def test_an_order_that_its_customer_has_paid_is_his_to_ask_for_and_stays_paid() -> None:
    """What became of it is looked up; never is it sent again."""
    dynamodb = FakeDynamoDB(order_seen(held(state="paid", customer_uid="mine")))
    begun = begin(dynamodb, PAYING)
    assert isinstance(begun, Attempt)
    assert begun.order_is_paid
    write = order_write(dynamodb.writes[1])
    assert condition(write) == "state = paid AND customer_uid = mine"
    assert plain(write["ExpressionAttributeValues"])[":state"] == "paid"


def test_an_order_that_was_not_paid_is_not_said_to_be() -> None:
    begun = begin(FakeDynamoDB(), PAYING)
    assert isinstance(begun, Attempt)
    assert not begun.order_is_paid


def test_an_attempt_without_an_order_holds_none() -> None:
    dynamodb = FakeDynamoDB()
    begin(dynamodb, NEW)
    begin(dynamodb, PAYING)
    assert [len(write["TransactItems"]) for write in dynamodb.writes] == [2, 3]


SPENT = ended(DECLINED, 1, attempts=10)


@pytest.mark.parametrize(
    ("refusal", "new", "expected"),
    [
        pytest.param(cancelled("None", FAILED), NEW, "attempts_per_card", id="the card's limit"),
        pytest.param(
            cancelled("None", FAILED, "None"), PAYING, "attempts_per_card", id="the card's limit, with an order"
        ),
        pytest.param(
            cancelled("None", FAILED, FAILED, order=held()), PAYING, "in_progress", id="the order's before it"
        ),
        pytest.param(
            cancelled("None", FAILED, FAILED, order=held(state="paid")), PAYING, "already_paid", id="paid before it"
        ),
        pytest.param(
            cancelled(FAILED, FAILED, seen=SPENT), NEW, "attempts_per_customer", id="the customer's before the card's"
        ),
        pytest.param(
            cancelled(FAILED, "None", FAILED, seen=SPENT, order=held(state="paid")),
            PAYING,
            "attempts_per_customer",
            id="the customer's before the order's",
        ),
        pytest.param(
            cancelled(FAILED, FAILED, FAILED, seen=UNDER_WAY, order=held(state="paid")),
            PAYING,
            "in_progress",
            id="the uid's lock before all",
        ),
    ],
)
def test_the_uids_refusal_goes_before_the_orders_and_before_the_cards(
    refusal: ClientError, new: NewAttempt, expected: str
) -> None:
    with pytest.raises(BillingError) as refused:
        begin(FakeDynamoDB(refusal), new, attempts_per_customer=10)
    assert expected in (refused.value.code, refused.value.reason)


@pytest.mark.parametrize("refusal", [cancelled("None", FAILED), customer_seen(SPENT)])
@pytest.mark.parametrize(("into_the_hour", "retry_after"), [(0.0, 3600), (0.9, 3600), (1.0, 3599), (3599.5, 1)])
def test_too_many_attempts_may_go_on_with_the_next_hour(
    stopped_clock: StoppedClock, refusal: ClientError, into_the_hour: float, retry_after: int
) -> None:
    stopped_clock.wall = NOW // HOUR * HOUR + into_the_hour
    with pytest.raises(TooManyAttempts) as refused:
        begin(FakeDynamoDB(refusal))
    assert refused.value.retry_after == retry_after


LOST = ReadTimeoutError(endpoint_url="https://unused")


def in_table(attempt_id: str, **changes: Any) -> Mapping[str, Item]:
    return {"uid#mine": {**new_item(None, replace(NEW, attempt_id=attempt_id), NOW, order_is_paid=False), **changes}}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param(in_table("new"), "begun", id="written: it is its own"),
        pytest.param({}, "unavailable", id="not written"),
        pytest.param(in_table("another"), "unavailable", id="another's"),
        pytest.param(in_table("new", state="not_issued"), "unavailable", id="its own, and closed already"),
    ],
)
def test_an_attempt_recognises_itself_where_only_the_answer_was_lost(items: Mapping[str, Item], expected: str) -> None:
    """Or it would stand in its own way until its lock ends."""
    dynamodb = FakeDynamoDB(LOST, items=items)
    assert outcome(dynamodb) == expected
    assert [read["ConsistentRead"] for read in dynamodb.reads] == [True]
    assert len(dynamodb.writes) == 1


def test_an_attempt_that_recognises_itself_is_as_it_was_written() -> None:
    dynamodb = FakeDynamoDB(LOST, items=in_table("new"))
    begun = begin(dynamodb)
    assert isinstance(begun, Attempt)
    assert puts(dynamodb.writes[0]) == begun.item


OPEN = attempt_in(opened(ago=0))
SENT = attempt_in(opened(ago=0, seen=seen_text(Seen(OLD))))


def test_what_was_seen_is_written_while_the_attempt_is_open() -> None:
    dynamodb = FakeDynamoDB()
    seen = Seen(OLD, ("imp_0",))
    noted = ledger_of(dynamodb).note_seen(OPEN, seen, Deadline.after(28))
    (write,) = dynamodb.writes
    assert write["UpdateExpression"] == "SET seen = :seen"
    assert condition(write) == "attempt_id = earlier AND state = open"
    assert noted is not None
    assert noted.seen == seen
    assert noted.item == {**OPEN.item, "seen": plain(write["ExpressionAttributeValues"])[":seen"]}
    read = attempt_in(noted.item).seen
    assert read is not None
    assert OLD.is_same_as(read.billing_key)
    assert read.imp_uids == ("imp_0",)


def test_an_attempt_that_was_closed_meanwhile_may_note_nothing() -> None:
    """Who closed it says that nothing was sent; so nothing may be."""
    ledger = ledger_of(FakeDynamoDB(refused_by_aws("ConditionalCheckFailedException")))
    assert ledger.note_seen(OPEN, Seen(), Deadline.after(28)) is None


@pytest.mark.parametrize(
    ("attempt", "expected"),
    [
        pytest.param(
            OPEN,
            "attempt_id = earlier AND state = open AND attribute_not_exists(seen)",
            id="who takes it for unsent must not miss that it was sent meanwhile",
        ),
        pytest.param(SENT, "attempt_id = earlier AND state = open", id="who knows that it was sent"),
    ],
)
@pytest.mark.parametrize("order", [None, PAYING.order])
def test_an_attempt_is_closed_only_as_what_it_is(attempt: Attempt, order: Order | None, expected: str) -> None:
    dynamodb = FakeDynamoDB()
    assert ledger_of(dynamodb).finish(replace(attempt, order=order), ISSUED, Deadline.after(28))
    (write,) = dynamodb.writes
    assert condition(write if order is None else write["TransactItems"][0]["Put"]) == expected


PAYING_ATTEMPT = attempt_in(opened(ago=0, new=PAYING, seen=seen_text(Seen())))
WITHOUT_KEY = Ending("paid_without_key", payment=TAKEN)
NOT_PAID = Ending("not_issued")


def closed(*refusals: Exception | None, ending: Ending = PAID, attempt: Attempt = PAYING_ATTEMPT) -> FakeDynamoDB:
    dynamodb = FakeDynamoDB(*refusals)
    assert ledger_of(dynamodb).finish(attempt, ending, Deadline.after(28))
    return dynamodb


def order_unmet(**order: Any) -> ClientError:
    return cancelled("None", FAILED, order={"pk": "payment#order-1", "customer_uid": "mine", **order})


@pytest.mark.parametrize(
    ("ending", "order_is_paid", "state"),
    [
        (PAID, False, "paid"),
        (PAID, True, "paid"),
        (WITHOUT_KEY, False, "paid"),
        (DECLINED, False, "free"),
        (NOT_PAID, False, "free"),
        (Ending("unknown"), False, "free"),
        pytest.param(NOT_PAID, True, "paid", id="paid once is paid for ever, whatever a look-up says now"),
    ],
)
def test_the_order_goes_free_with_its_attempt_unless_it_is_paid(
    ending: Ending, order_is_paid: bool, state: str
) -> None:
    attempt = replace(PAYING_ATTEMPT, order_is_paid=order_is_paid)
    write = order_write(closed(ending=ending, attempt=attempt).writes[0])
    values = plain(write["ExpressionAttributeValues"])
    assert (values[":state"], values.get(":imp_uid")) == (state, "imp_1" if ending.payment else None)
    assert condition(write).endswith("(attribute_not_exists(attempt_id) OR attempt_id = earlier)")


def test_a_payment_that_no_event_has_told_is_told_with_its_ending() -> None:
    dynamodb = closed()
    assert puts(dynamodb.writes[0])["event"] == "payment.paid"
    write = order_write(dynamodb.writes[0])
    assert "(attribute_not_exists(told_imp_uid) OR told_imp_uid <> imp_1)" in condition(write)
    assert "told_imp_uid = :imp_uid" in write["UpdateExpression"]
    assert plain(write["ExpressionAttributeValues"])[":customer_uid"] == "mine"


@pytest.mark.parametrize(("ending", "event"), [(PAID, "billing_key.issued"), (WITHOUT_KEY, "billing_key.not_issued")])
def test_a_payment_that_another_event_has_told_is_not_told_again(ending: Ending, event: str) -> None:
    told = order_unmet(state="paid", attempt_id="earlier", told_imp_uid="imp_1")
    first, second = closed(told, ending=ending).writes
    assert puts(first)["event"] == ending.event(PAYING_ATTEMPT)
    assert (puts(second)["event"], puts(second)["state"]) == (event, ending.state)
    write = order_write(second)
    assert condition(write) == "(attribute_not_exists(attempt_id) OR attempt_id = earlier)"
    assert plain(write["ExpressionAttributeValues"])[":state"] == "paid"


def test_an_attempt_that_is_closed_meanwhile_closes_nothing() -> None:
    ledger = ledger_of(FakeDynamoDB(cancelled(FAILED, "None")))
    assert not ledger.finish(PAYING_ATTEMPT, PAID, Deadline.after(28))
    told = order_unmet(state="paid", attempt_id="earlier", told_imp_uid="imp_1")
    ledger = ledger_of(FakeDynamoDB(told, cancelled(FAILED, "None")))
    assert not ledger.finish(PAYING_ATTEMPT, PAID, Deadline.after(28))


@pytest.mark.parametrize(
    ("ending", "order", "event"),
    [
        pytest.param(DECLINED, {}, "payment.failed", id="a refusal is its own"),
        pytest.param(NOT_PAID, {}, "billing_key.not_issued", id="nothing"),
        pytest.param(PAID, {"told_imp_uid": "imp_1"}, "billing_key.issued", id="a payment that was told"),
    ],
)
def test_an_order_of_version_1_that_another_has_taken_stays_his(
    ending: Ending, order: dict[str, Any], event: str
) -> None:
    """Version 1 did not say which attempt holds it."""
    _, write = closed(order_unmet(state="open", attempt_id="another", **order), ending=ending).writes
    assert plain(write["Item"])["event"] == event
    assert condition(write) == "attempt_id = earlier AND state = open"


def test_a_payment_of_version_1_is_told_though_another_has_taken_its_order() -> None:
    _, write = closed(order_unmet(state="open", attempt_id="another")).writes
    assert puts(write)["event"] == "payment.paid"
    of_order = order_write(write)
    assert of_order["UpdateExpression"] == "SET told_imp_uid = :imp_uid"
    assert condition(of_order) == "(attribute_not_exists(told_imp_uid) OR told_imp_uid <> imp_1)"


BUSY = [
    pytest.param(refused_by_aws("TransactionConflictException"), id="a write meets a transaction"),
    pytest.param(cancelled("TransactionConflict", "None"), id="two transactions meet at the customer"),
    pytest.param(cancelled("None", "TransactionConflict"), id="two transactions meet at the card"),
    pytest.param(cancelled("None", "None", "TransactionConflict"), id="two transactions meet at the order"),
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

WRITES = [
    pytest.param(lambda ledger, deadline: ledger.begin(NEW, deadline), id="begin"),
    pytest.param(lambda ledger, deadline: ledger.note_seen(OPEN, Seen(), deadline), id="note_seen"),
    pytest.param(lambda ledger, deadline: ledger.finish(OPEN, ISSUED, deadline), id="finish"),
    pytest.param(lambda ledger, deadline: ledger.finish(PAYING_ATTEMPT, PAID, deadline), id="finish with an order"),
    pytest.param(lambda ledger, deadline: ledger.leave_open(OPEN, deadline), id="leave_open"),
    pytest.param(lambda ledger, deadline: ledger.postpone("mine", "earlier", 120, deadline), id="postpone"),
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


@pytest.mark.parametrize("write", WRITES[1:])
def test_what_is_under_way_waits_for_others_until_half_a_second_before_the_end(
    write: Write, stopped_clock: StoppedClock
) -> None:
    dynamodb, deadline = FakeDynamoDB(refused_by_aws("TransactionConflictException"), forever=True), Deadline.after(10)
    with pytest.raises(Unavailable):
        write(ledger_of(dynamodb), deadline)
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
    ("refusal", "is_closed"), [(None, True), (refused_by_aws("ConditionalCheckFailedException"), False)]
)
def test_only_an_open_attempt_is_closed(refusal: Exception | None, is_closed: bool) -> None:
    assert ledger_of(FakeDynamoDB(refusal)).finish(OPEN, ISSUED, Deadline.after(28)) is is_closed


def test_an_attempt_that_is_closed_already_may_be_left_open_or_postponed() -> None:
    """To no effect: who closed it knew more."""
    ledger = ledger_of(FakeDynamoDB(refused_by_aws("ConditionalCheckFailedException"), forever=True))
    ledger.leave_open(OPEN, Deadline.after(28))
    ledger.postpone("mine", "earlier", 120, Deadline.after(28))


@pytest.mark.parametrize(
    ("write", "values"),
    [
        pytest.param(
            lambda ledger, deadline: ledger.leave_open(SENT, deadline),
            {"ends_at": int(NOW), "due_at": int(NOW) + 60},
            id="its invocation is over, a PG may be at work for a minute more",
        ),
        pytest.param(
            lambda ledger, deadline: ledger.postpone("mine", "earlier", 120, deadline),
            {"due_at": int(NOW) + 120},
            id="due in two minutes",
        ),
    ],
)
def test_what_is_set_of_an_open_attempt(write: Write, values: dict[str, int]) -> None:
    dynamodb = FakeDynamoDB()
    write(ledger_of(dynamodb), Deadline.after(28))
    (written,) = dynamodb.writes
    names = dict(one.split(" = ") for one in written["UpdateExpression"].removeprefix("SET ").split(", "))
    given = plain(written["ExpressionAttributeValues"])
    assert {name: given[value] for name, value in names.items()} == values
    assert condition(written) == "attempt_id = earlier AND state = open"
    assert plain(written["Key"]) == {"pk": "uid#mine"}


@pytest.mark.parametrize(
    ("items", "attempt_id"),
    [
        pytest.param(in_table("new"), "new", id="open"),
        pytest.param(in_table("new", state="issued"), None, id="closed since the index heard of it"),
        pytest.param({}, None, id="expired"),
    ],
)
def test_what_is_open_under_a_uid_is_read_from_the_table_itself(
    items: Mapping[str, Item], attempt_id: str | None
) -> None:
    """The index that says what is due lags behind."""
    dynamodb = FakeDynamoDB(items=items)
    attempt = ledger_of(dynamodb).read("mine")
    assert (attempt.attempt_id if attempt else None) == attempt_id
    assert dynamodb.reads == [{"TableName": "attempts", "Key": {"pk": {"S": "uid#mine"}}, "ConsistentRead": True}]


@pytest.mark.parametrize(
    ("earlier", "is_known"),
    [
        pytest.param(None, False, id="the uid was never seen"),
        pytest.param(OPEN.item, True, id="an attempt is open under it"),
        pytest.param(ended(ISSUED, 1), True, id="the same request has just succeeded"),
        pytest.param(ended(ISSUED, 601), False, id="it succeeded long ago"),
        pytest.param(ended(Ending("declined", "no"), 1), False, id="it ended in a no"),
    ],
)
def test_a_request_is_known_that_may_have_come_to_something(earlier: Item | None, is_known: bool) -> None:
    dynamodb = FakeDynamoDB(items={} if earlier is None else {"uid#mine": earlier})
    assert (ledger_of(dynamodb).in_the_way_of(NEW) is not None) is is_known


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
    items = [typed({**LEFT, "attempt_id": attempt_id}) for attempt_id in attempt_ids]
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
    assert next(iter(ledger_of(dynamodb).due())) == Due("mine", "0a", int(NOW))


def test_where_the_table_cannot_be_read_nothing_is_called_due(dynamodb: Any, stubber: Stubber) -> None:
    stubber.add_response("query", page("0a", more=True))
    stubber.add_client_error("query", "AccessDeniedException", http_status_code=400)
    due = iter(ledger_of(dynamodb).due())
    assert next(due).attempt_id == "0a"
    with pytest.raises(Unavailable, check=lambda failure: failure.reason == "ledger_refused: AccessDeniedException"):
        next(due)


def test_where_the_table_cannot_be_read_nothing_is_called_closed(dynamodb: Any, stubber: Stubber) -> None:
    stubber.add_client_error("get_item", "AccessDeniedException", http_status_code=400)
    with pytest.raises(Unavailable, check=lambda failure: failure.reason == "ledger_refused: AccessDeniedException"):
        ledger_of(dynamodb).read("mine")


def test_an_item_of_another_form_is_due_as_long_as_its_names_are_there(dynamodb: Any, stubber: Stubber) -> None:
    """What else it says is read one by one: one odd item must not keep the settler from the others."""
    of_version_1 = {"customer_uid": {"S": "mine"}, "attempt_id": {"S": "0a"}, "ends_at": {"N": "7"}, "odd": {"L": []}}
    stubber.add_response("query", {"Items": [of_version_1]})
    assert next(iter(ledger_of(dynamodb).due())) == Due("mine", "0a", 7)
