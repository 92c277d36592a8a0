"""The attempts table, looked into past the function: items as DynamoDB has them, `{"state": {"S": "open"}}`."""

from typing import Any

from infra.local.aws import Aws, name_of_table

Item = dict[str, dict[str, str]]


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
