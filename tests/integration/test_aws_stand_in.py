"""AWS's stand-in where it does what DynamoDB does and moto does not. How AWS does it stands at each module's head."""

import json
import re
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from infra.local.aws import Aws, Write, name_of_table
from infra.local.control import NotUnderstood, ask
from infra.local.event_pipe import Stream
from infra.local.intrinsics import REGION
from tests.attempts_table import empty_ledger

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Request = Mapping[str, Any]

SCOPE = f"AWS4-HMAC-SHA256 Credential=local/20260101/{REGION}/dynamodb/aws4_request, SignedHeaders=host, Signature=none"
TOO_LARGE_FOR_THREE_A_PAGE = "x" * 390_000

NEW = "attribute_not_exists(pk)"
TOKEN = "a-token-of-a-test"
CONFLICT = {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
NONE = {"Code": "None"}
CANCELED = "Transaction cancelled, please refer cancellation reasons for specific reasons"

SINGLE_WRITES: dict[Write, Request] = {
    "PutItem": {"Item": {"pk": {"S": "one"}, "by": {"S": "the test"}}},
    "UpdateItem": {
        "Key": {"pk": {"S": "one"}},
        "UpdateExpression": "SET made = :made",
        "ExpressionAttributeValues": {":made": {"S": "the test"}},
    },
    "DeleteItem": {"Key": {"pk": {"S": "one"}}},
}


@pytest.fixture
def table(aws: Aws) -> str:
    empty_ledger(aws)
    return name_of_table(aws)


@pytest.fixture
def dynamodb(aws: Aws) -> "DynamoDBClient":
    return aws.dynamodb()


def test_a_secret_is_generated_as_the_template_has_it(aws: Aws) -> None:
    text = aws.secret("FingerprintSecret")
    assert re.fullmatch(r"[A-Za-z0-9]{64}", text)
    assert len(set(text)) > 20


def on_the_line(aws: Aws, operation: str, request: Request) -> tuple[int, Any]:
    """Status and body, as no SDK has yet read them."""
    connection = HTTPConnection(urlsplit(aws.url).netloc)
    headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}", "Authorization": SCOPE}
    connection.request("POST", "/", json.dumps(request), headers)
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    return answer.status, body


def put(table: str, name: str, **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": {"pk": {"S": name}}, **more}}


def add_one(table: str, name: str, **more: Any) -> dict[str, Any]:
    update = {"UpdateExpression": "ADD attempts :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    return {"Update": {"TableName": table, "Key": {"pk": {"S": name}}, **update, **more}}


def refusal(aws: Aws, *writes: Request, **more: str) -> dict[str, Any]:
    """What boto3 makes of the answer to a transaction that is refused."""
    with pytest.raises(ClientError) as refused:
        aws.dynamodb().transact_write_items(TransactItems=list(writes), **more)  # type: ignore[arg-type]
    return dict(refused.value.response)


def reasons(aws: Aws, *writes: Request, **more: str) -> list[dict[str, Any]]:
    response = refusal(aws, *writes, **more)
    assert response["Error"]["Code"] == "TransactionCanceledException"
    return list(response["CancellationReasons"])


def names(aws: Aws, **request: Any) -> set[str]:
    """The items' keys, by a Scan."""
    found = aws.dynamodb().scan(TableName=name_of_table(aws), **request)["Items"]
    return {item["pk"]["S"] for item in found}


def attempts(aws: Aws, name: str) -> int:
    key = {"pk": {"S": name}}
    item = aws.dynamodb().get_item(TableName=name_of_table(aws), Key=key).get("Item", {})
    return int(item["attempts"]["N"]) if "attempts" in item else 0


# Conflicts


def test_a_transaction_that_meets_another_is_refused_in_awss_words(aws: Aws, table: str) -> None:
    aws.conflict_next("TransactWriteItems")
    transaction = {"TransactItems": [put(table, "one"), add_one(table, "two"), put(table, "three")]}
    assert on_the_line(aws, "TransactWriteItems", transaction) == (
        400,
        {
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": f"{CANCELED} [TransactionConflict, None, None]",
            "CancellationReasons": [CONFLICT, NONE, NONE],
        },
    )
    assert names(aws) == set()


def test_the_test_says_which_write_of_a_transaction_meets_another(aws: Aws, table: str) -> None:
    aws.conflict_next("TransactWriteItems", index=1)
    assert reasons(aws, put(table, "one"), put(table, "two")) == [NONE, CONFLICT]


@pytest.mark.parametrize("operation", SINGLE_WRITES)
def test_a_single_write_that_meets_a_transaction_is_refused_in_awss_words(
    aws: Aws, table: str, operation: Write
) -> None:
    aws.dynamodb().put_item(TableName=table, Item={"pk": {"S": "one"}})
    aws.conflict_next(operation)
    assert on_the_line(aws, operation, {"TableName": table, **SINGLE_WRITES[operation]}) == (
        400,
        {
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
            "message": "Transaction is ongoing for the item",
        },
    )
    assert aws.dynamodb().scan(TableName=table)["Items"] == [{"pk": {"S": "one"}}]


def test_after_so_many_conflicts_the_write_goes_on(aws: Aws, table: str) -> None:
    aws.conflict_next("TransactWriteItems", times=2)
    for _ in range(2):
        assert reasons(aws, put(table, "one")) == [CONFLICT]
    aws.dynamodb().transact_write_items(TransactItems=[put(table, "one")])  # type: ignore[list-item]
    assert names(aws) == {"one"}


def test_only_the_operation_that_was_named_meets_a_conflict(aws: Aws, table: str, dynamodb: "DynamoDBClient") -> None:
    aws.conflict_next("UpdateItem")
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "one"}})
    dynamodb.transact_write_items(TransactItems=[add_one(table, "two")])  # type: ignore[list-item]
    assert names(aws) == {"one", "two"}


def test_a_request_that_is_none_uses_no_conflict_up(aws: Aws, table: str) -> None:
    aws.conflict_next("PutItem")
    assert on_the_line(aws, "PutItem", {"TableName": table, "Item": {"pk": {"S": ""}}})[1]["__type"].endswith(
        "#ValidationException"
    )
    assert on_the_line(aws, "PutItem", {"TableName": table, "Item": {"pk": {"S": "one"}}})[1]["__type"].endswith(
        "#TransactionConflictException"
    )


def written_in_a_storm(aws: Aws, table: str, seed: int) -> list[bool]:
    aws.conflict_share(0.3, seed)
    item = {"TableName": table, "Item": {"pk": {"S": "one"}}}
    statuses = [on_the_line(aws, "PutItem", item)[0] for _ in range(60)]
    return [status == 200 for status in statuses]


def test_a_storm_refuses_its_share_and_the_same_seed_the_same_writes(aws: Aws, table: str) -> None:
    first = written_in_a_storm(aws, table, seed=1)
    assert 30 <= sum(first) <= 54
    assert written_in_a_storm(aws, table, seed=1) == first
    assert written_in_a_storm(aws, table, seed=2) != first


def test_a_storm_strikes_any_write_of_a_transaction_until_it_is_over(aws: Aws, table: str) -> None:
    aws.conflict_share(1.0)
    struck = [reasons(aws, put(table, "one"), put(table, "two")).index(CONFLICT) for _ in range(20)]
    assert set(struck) == {0, 1}
    aws.conflict_share(0.0)
    aws.dynamodb().transact_write_items(TransactItems=[put(table, "one")])  # type: ignore[list-item]


@pytest.mark.parametrize("turn", [1, 2])
def test_no_fault_outlives_its_test(aws: Aws, table: str, turn: int) -> None:
    aws.dynamodb().put_item(TableName=table, Item={"pk": {"S": f"turn-{turn}"}})
    assert names(aws, IndexName="due") == set()
    aws.dynamodb().put_item(TableName=table, Item={"pk": {"S": "due"}, "due_shard": {"S": "1"}, "due_at": {"N": "1"}})
    aws.conflict_share(1.0)
    aws.conflict_next("PutItem", times=10)
    ask(aws.url, "hold_index_back")


def test_who_asks_for_what_the_stand_in_has_not_hears_of_it(aws: Aws) -> None:
    with pytest.raises(NotUnderstood):
        ask(aws.url, "rain")


# ClientRequestToken


def test_a_transaction_that_is_sent_again_is_written_once(aws: Aws, table: str, dynamodb: "DynamoDBClient") -> None:
    writes: Any = [put(table, "one", ConditionExpression=NEW), add_one(table, "two")]
    for _ in range(2):
        dynamodb.transact_write_items(TransactItems=writes, ClientRequestToken=TOKEN)
    assert attempts(aws, "two") == 1
    assert reasons(aws, *writes, ClientRequestToken="another")[0]["Code"] == "ConditionalCheckFailed"


def test_one_token_for_two_transactions_is_refused(aws: Aws, table: str, dynamodb: "DynamoDBClient") -> None:
    first: Any = [put(table, "one")]
    dynamodb.transact_write_items(TransactItems=first, ClientRequestToken=TOKEN)
    status, answer = on_the_line(
        aws, "TransactWriteItems", {"TransactItems": [put(table, "two")], "ClientRequestToken": TOKEN}
    )
    assert (status, answer["__type"]) == (
        400,
        "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException",
    )
    assert names(aws) == {"one"}


def test_the_order_in_which_a_transaction_is_spelled_makes_no_other_one(aws: Aws, table: str) -> None:
    item = {"pk": {"S": "one"}, "by": {"S": "the test"}}
    for spelled in (item, dict(reversed(item.items()))):
        transaction = {
            "TransactItems": [{"Put": {"TableName": table, "Item": spelled, "ConditionExpression": NEW}}],
            "ClientRequestToken": TOKEN,
        }
        assert on_the_line(aws, "TransactWriteItems", transaction)[0] == 200


def test_a_token_is_forgotten_after_ten_minutes(aws: Aws, table: str, dynamodb: "DynamoDBClient") -> None:
    writes: Any = [put(table, "one", ConditionExpression=NEW)]
    dynamodb.transact_write_items(TransactItems=writes, ClientRequestToken=TOKEN)
    aws.advance(590)
    dynamodb.transact_write_items(TransactItems=writes, ClientRequestToken=TOKEN)
    aws.advance(20)
    assert reasons(aws, *writes, ClientRequestToken=TOKEN)[0]["Code"] == "ConditionalCheckFailed"


def test_a_refused_transaction_leaves_no_token_behind(aws: Aws, table: str, dynamodb: "DynamoDBClient") -> None:
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "one"}})
    writes: Any = [put(table, "one", ConditionExpression=NEW)]
    aws.conflict_next("TransactWriteItems")
    assert reasons(aws, *writes, ClientRequestToken=TOKEN) == [CONFLICT]
    assert reasons(aws, *writes, ClientRequestToken=TOKEN)[0]["Code"] == "ConditionalCheckFailed"
    dynamodb.delete_item(TableName=table, Key={"pk": {"S": "one"}})
    other: Any = [put(table, "two")]
    dynamodb.transact_write_items(TransactItems=other, ClientRequestToken=TOKEN)
    assert names(aws) == {"two"}


def test_a_transaction_that_need_not_be_written_again_meets_no_conflict(
    aws: Aws, table: str, dynamodb: "DynamoDBClient"
) -> None:
    writes: Any = [put(table, "one")]
    dynamodb.transact_write_items(TransactItems=writes, ClientRequestToken=TOKEN)
    aws.conflict_next("TransactWriteItems")
    dynamodb.transact_write_items(TransactItems=writes, ClientRequestToken=TOKEN)
    assert reasons(aws, *writes) == [CONFLICT]


# The index


def put_due(aws: Aws, name: str, **more: Any) -> None:
    item = {"pk": {"S": name}, "due_shard": {"S": "1"}, "due_at": {"N": "5"}, **more}
    aws.dynamodb().put_item(TableName=name_of_table(aws), Item=item)


def due(aws: Aws, **more: Any) -> dict[str, Any]:
    found = aws.dynamodb().query(
        TableName=name_of_table(aws),
        IndexName="due",
        KeyConditionExpression="due_shard = :shard AND due_at <= :now",
        ExpressionAttributeValues={":shard": {"S": "1"}, ":now": {"N": "9"}},
        **more,
    )
    return dict(found)


def names_due(aws: Aws) -> list[str]:
    return [item["pk"]["S"] for item in due(aws)["Items"]]


def test_an_index_that_is_held_back_shows_what_was_and_the_table_what_is(
    aws: Aws, table: str, dynamodb: "DynamoDBClient"
) -> None:
    put_due(aws, "changed", state={"S": "open"})
    put_due(aws, "deleted")
    with aws.index_held_back():
        put_due(aws, "new")
        dynamodb.delete_item(TableName=table, Key={"pk": {"S": "deleted"}})
        dynamodb.update_item(
            TableName=table,
            Key={"pk": {"S": "changed"}},
            UpdateExpression="SET #state = :issued REMOVE due_at",
            ConditionExpression="#state = :open",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":issued": {"S": "issued"}, ":open": {"S": "open"}},
        )
        assert names_due(aws) == ["changed", "deleted"]
        assert due(aws)["Items"][0]["state"] == {"S": "open"}
        assert names(aws, IndexName="due") == {"changed", "deleted"}
        assert names(aws) == {"changed", "new"}
        changed = dynamodb.get_item(TableName=table, Key={"pk": {"S": "changed"}})["Item"]
        assert changed["state"] == {"S": "issued"}
        assert reasons(aws, put(table, "new", ConditionExpression=NEW))[0]["Code"] == "ConditionalCheckFailed"
    assert names_due(aws) == ["new"]


@pytest.mark.usefixtures("table")
def test_an_index_is_let_go_where_a_test_breaks_off(aws: Aws) -> None:
    with pytest.raises(ZeroDivisionError), aws.index_held_back():
        raise ZeroDivisionError
    put_due(aws, "new")
    assert names_due(aws) == ["new"]


@pytest.mark.usefixtures("table")
def test_a_query_comes_in_pages_of_a_megabyte(aws: Aws) -> None:
    for number in range(5):
        put_due(aws, f"{number}", fill={"S": TOO_LARGE_FOR_THREE_A_PAGE})
    pages: list[list[str]] = []
    start: dict[str, Any] = {}
    while True:
        page = due(aws, **start)
        pages.append([item["pk"]["S"] for item in page["Items"]])
        if "LastEvaluatedKey" not in page:
            break
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert pages == [["0", "1"], ["2", "3"], ["4"]]


# All or nothing


def test_all_four_kinds_of_writes_are_done_together(aws: Aws, table: str, dynamodb: "DynamoDBClient") -> None:
    for name in ("checked", "deleted"):
        dynamodb.put_item(TableName=table, Item={"pk": {"S": name}})
    key = {"TableName": table, "ConditionExpression": "attribute_exists(pk)"}
    writes: Any = [
        {"ConditionCheck": {**key, "Key": {"pk": {"S": "checked"}}}},
        {"Delete": {**key, "Key": {"pk": {"S": "deleted"}}}},
        put(table, "put"),
        add_one(table, "updated"),
    ]
    dynamodb.transact_write_items(TransactItems=writes)
    assert names(aws) == {"checked", "put", "updated"}
    assert [reason["Code"] for reason in reasons(aws, *writes)] == ["None", "ConditionalCheckFailed", "None", "None"]
    assert attempts(aws, "updated") == 1


@pytest.mark.parametrize("kind", ["ConditionCheck", "Delete"])
def test_a_condition_that_fails_cancels_all_writes_and_shows_the_item(
    aws: Aws, table: str, dynamodb: "DynamoDBClient", kind: str
) -> None:
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "there"}, "state": {"S": "open"}})
    condition = {
        "TableName": table,
        "Key": {"pk": {"S": "there"}},
        "ConditionExpression": NEW,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    assert reasons(aws, put(table, "one"), {kind: condition}) == [
        NONE,
        {
            "Code": "ConditionalCheckFailed",
            "Message": "The conditional request failed",
            "Item": {"pk": {"S": "there"}, "state": {"S": "open"}},
        },
    ]
    assert names(aws) == {"there"}


def test_an_update_that_does_not_fit_its_item_cancels_all_writes(
    aws: Aws, table: str, dynamodb: "DynamoDBClient"
) -> None:
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "text"}, "attempts": {"S": "many"}})
    assert reasons(aws, put(table, "one"), add_one(table, "text")) == [
        NONE,
        {
            "Code": "ValidationError",
            "Message": "An operand in the update expression has an incorrect data type",
        },
    ]
    assert names(aws) == {"text"}


def test_what_a_transaction_changes_is_in_the_stream_once(aws: Aws, table: str, dynamodb: "DynamoDBClient") -> None:
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "same"}})
    stream = Stream(aws)
    writes: Any = [add_one(table, "new"), put(table, "same")]
    dynamodb.transact_write_items(TransactItems=writes)
    dynamodb.update_item(TableName=table, Key={"pk": {"S": "newer"}}, UpdateExpression="REMOVE attempts")
    new = stream.records()
    assert [(record["eventName"], record["dynamodb"]["Keys"]["pk"]["S"]) for record in new] == [
        ("INSERT", "new"),
        ("INSERT", "newer"),
    ]
    assert new[0]["dynamodb"]["NewImage"]["attempts"] == {"N": "1"}


# Requests that are none

WRONG_KEYS = {"empty": {"pk": {"S": ""}}, "a number": {"pk": {"N": "1"}}, "another": {"due_at": {"N": "1"}}}
WRONG_INDEX_KEYS = {"empty": {"due_shard": {"S": ""}}, "no number": {"due_at": {"S": "1"}}}
UPDATE = {"UpdateExpression": "SET made = :made", "ExpressionAttributeValues": {":made": {"S": "x"}}}
QUERY = {"IndexName": "due", "KeyConditionExpression": "due_shard = :shard AND due_at < :now"}
UNUSED = {"ConditionExpression": NEW, "ExpressionAttributeValues": {":unused": {"S": "x"}}}
UNDEFINED = {"ConditionExpression": "pk = :undefined"}
UNNAMED = {"ConditionExpression": "attribute_exists(#undefined)"}
ITEM = {"Item": {"pk": {"S": "one"}}}
KEY = {"Key": {"pk": {"S": "one"}}}


def setting(attributes: Request) -> Request:
    """An update that calls the attribute by another name."""
    [(name, value)] = attributes.items()
    return {
        "UpdateExpression": "SET #name = :value",
        "ExpressionAttributeNames": {"#name": name},
        "ExpressionAttributeValues": {":value": value},
    }


MISSTATED: list[tuple[str, Request]] = [
    *(("PutItem", {"Item": key}) for key in WRONG_KEYS.values()),
    *(("UpdateItem", {"Key": key, **UPDATE}) for key in WRONG_KEYS.values()),
    *(("DeleteItem", {"Key": key}) for key in WRONG_KEYS.values()),
    *(("GetItem", {"Key": key}) for key in WRONG_KEYS.values()),
    *(("PutItem", {"Item": {"pk": {"S": "one"}, **key}}) for key in WRONG_INDEX_KEYS.values()),
    *(("UpdateItem", {**KEY, **setting(key)}) for key in WRONG_INDEX_KEYS.values()),
    *(("PutItem", {**ITEM, **wrong}) for wrong in (UNUSED, UNDEFINED, UNNAMED)),
    *(("DeleteItem", {**KEY, **wrong}) for wrong in (UNUSED, UNDEFINED, UNNAMED)),
    ("Query", {**QUERY, "ExpressionAttributeValues": {":shard": {"S": "1"}, ":now": {"S": "1"}}}),
    ("Query", {**QUERY, "ExpressionAttributeValues": {":shard": {"N": "1"}, ":now": {"N": "1"}}}),
    ("Query", {**QUERY, "ExpressionAttributeValues": {":shard": {"S": "1"}}}),
    ("Query", {**QUERY, "ExpressionAttributeValues": {name: {"S": "1"} for name in (":shard", ":now", ":unused")}}),
]


@pytest.mark.parametrize(("operation", "request_"), MISSTATED, ids=str)
def test_what_dynamodb_does_not_take_is_refused(aws: Aws, table: str, operation: str, request_: Request) -> None:
    status, answer = on_the_line(aws, operation, {"TableName": table, **request_})
    assert (status, answer["__type"]) == (400, "com.amazon.coral.validate#ValidationException")
    assert names(aws) == set()


def test_an_item_of_more_than_400_kb_is_refused(aws: Aws, table: str) -> None:
    whole = {
        "pk": {"S": "one"},
        **{name: {"S": TOO_LARGE_FOR_THREE_A_PAGE[:200_000]} for name in ("some", "more", "most")},
    }
    status, answer = on_the_line(aws, "PutItem", {"TableName": table, "Item": whole})
    assert (status, answer["message"]) == (400, "Item size has exceeded the maximum allowed size")
    assert names(aws) == set()


MISSTATED_IN_A_TRANSACTION: list[Request] = [
    {"Put": {"Item": WRONG_KEYS["empty"]}},
    {"Update": {"Key": WRONG_KEYS["empty"], **UPDATE}},
    {"Delete": {"Key": WRONG_KEYS["empty"]}},
    {"ConditionCheck": {"Key": WRONG_KEYS["empty"], "ConditionExpression": NEW}},
    {"Put": {"Item": {"pk": {"S": "one"}, **WRONG_INDEX_KEYS["empty"]}}},
    {"Update": {**KEY, **setting(WRONG_INDEX_KEYS["empty"])}},
    {"Put": {**ITEM, **UNUSED}},
    {"Put": {**ITEM, **UNDEFINED}},
    {"Delete": {**KEY, **UNNAMED}},
    {"Put": ITEM, "Delete": {"Key": {"pk": {"S": "three"}}}},
    {"Delete": {"Key": {"pk": {"S": "two"}}}},
]
"""The last one beside a Put of "two"."""


@pytest.mark.parametrize("write", MISSTATED_IN_A_TRANSACTION, ids=str)
def test_what_dynamodb_takes_in_no_transaction_is_refused_without_a_word_of_one(
    aws: Aws, table: str, write: Mapping[str, Request]
) -> None:
    misstated = {kind: {"TableName": table, **of_it} for kind, of_it in write.items()}
    status, answer = on_the_line(aws, "TransactWriteItems", {"TransactItems": [put(table, "two"), misstated]})
    assert (status, answer["__type"]) == (400, "com.amazon.coral.validate#ValidationException")
    assert names(aws) == set()


OTHER_KEY = "The provided key element does not match the schema"
INVALID = "One or more parameter values were invalid: "
CANCELLING: list[tuple[Request, str]] = [
    ({"Put": {"Item": WRONG_KEYS["a number"]}}, f"{INVALID}Type mismatch for key pk expected: S actual: N"),
    ({"Put": {"Item": {"pk": {"L": []}}}}, f"{INVALID}Type mismatch for key pk expected: S actual: L"),
    ({"Put": {"Item": WRONG_KEYS["another"]}}, f"{INVALID}Missing the key pk in the item"),
    ({"Update": {"Key": WRONG_KEYS["a number"], **UPDATE}}, OTHER_KEY),
    ({"Delete": {"Key": WRONG_KEYS["another"]}}, OTHER_KEY),
    ({"ConditionCheck": {"Key": WRONG_KEYS["a number"], "ConditionExpression": NEW}}, OTHER_KEY),
    (
        {"Put": {"Item": {"pk": {"S": "one"}, **WRONG_INDEX_KEYS["no number"]}}},
        f"{INVALID}Type mismatch for Index Key due_at Expected: N Actual: S IndexName: due",
    ),
    (
        {"Update": {**KEY, **setting(WRONG_INDEX_KEYS["no number"])}},
        f"{INVALID}Type mismatch for Index Key due_at Expected: N Actual: S IndexName: due",
    ),
]


@pytest.mark.parametrize(("write", "message"), CANCELLING, ids=str)
def test_a_key_of_another_type_cancels_the_transaction(
    aws: Aws, table: str, write: Mapping[str, Request], message: str
) -> None:
    misstated = {kind: {"TableName": table, **of_it} for kind, of_it in write.items()}
    assert reasons(aws, put(table, "two"), misstated) == [NONE, {"Code": "ValidationError", "Message": message}]
    assert names(aws) == set()


@pytest.mark.parametrize(("writes", "token"), [(101, "short"), (1, "x" * 37)])
def test_a_transaction_that_is_too_long_is_refused(aws: Aws, table: str, writes: int, token: str) -> None:
    refused = refusal(aws, *(put(table, f"{number}") for number in range(writes)), ClientRequestToken=token)
    assert refused["Error"]["Code"] == "ValidationException"
    assert names(aws) == set()


# Its client


def test_a_client_is_made_once(aws: Aws) -> None:
    assert aws.dynamodb() is aws.dynamodb()
