"""The attempts table, looked into past the function: items as DynamoDB has them, `{"state": {"S": "open"}}`."""

import json
from typing import Any

from infra.local.aws import Aws

Item = dict[str, dict[str, str]]

Record = dict[str, Any]
"""One change of an item, as the stream tells it."""


def name_of_table(aws: Aws) -> str:
    return aws.physical_ids["AttemptsTable"]


def items(aws: Aws) -> list[Item]:
    pages: Any = aws.dynamodb().get_paginator("scan").paginate(TableName=name_of_table(aws))
    return [item for page in pages for item in page["Items"]]


def item_of(aws: Aws, customer_uid: str) -> Item:
    """Of the newest attempt under the uid. Raises KeyError where there is none."""
    key = {"pk": {"S": f"uid#{customer_uid}"}}
    item: Any = aws.dynamodb().get_item(TableName=name_of_table(aws), Key=key)["Item"]
    return dict(item)


def plain(item: Item) -> dict[str, str]:
    """Without its types: `{"state": "open"}`; numbers are texts too."""
    return {name: next(iter(value.values())) for name, value in item.items()}


def empty_ledger(aws: Aws) -> None:
    for item in items(aws):
        aws.dynamodb().delete_item(TableName=name_of_table(aws), Key={"pk": item["pk"]})


class Stream:
    """What the table's stream tells from this moment on: a storm before may have left thousands of records."""

    def __init__(self, aws: Aws) -> None:
        self._client: Any = aws.dynamodb_streams()
        [listed] = self._client.list_streams(TableName=name_of_table(aws))["Streams"]
        [shard] = self._client.describe_stream(StreamArn=listed["StreamArn"])["StreamDescription"]["Shards"]
        place = {"StreamArn": listed["StreamArn"], "ShardId": shard["ShardId"]}
        self._begin = self._client.get_shard_iterator(**place, ShardIteratorType="LATEST")["ShardIterator"]

    def records(self) -> list[Record]:
        """In its order."""
        records: list[Record] = []
        iterator = self._begin
        while page := self._client.get_records(ShardIterator=iterator):
            if not page["Records"]:
                break
            records += json.loads(json.dumps(page["Records"], default=str))
            iterator = page["NextShardIterator"]
        return records
