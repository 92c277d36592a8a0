"""Every metric that an alarm or the dashboard looks at is one that somebody writes, under these dimensions."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from billing.observability import METRIC_BY_OUTCOME
from infra.local.aws import Aws
from tests.infrastructure.conftest import Calls
from tests.infrastructure.event_stream import EventStream
from tests.infrastructure.every_way import Surroundings, issue_in_every_way, settle_in_every_way
from tests.infrastructure.stacks import PARAMETER_SETS, Deployment, deployment

OF_AWS: Mapping[tuple[str, ...], set[str]] = {
    ("AWS/ApiGateway", "ApiName", "Stage"): {"5XXError", "Count", "Latency"},
    ("AWS/DynamoDB", "TableName"): {"ConsumedWriteCapacityUnits", "ReadThrottleEvents", "WriteThrottleEvents"},
    ("AWS/DynamoDB", "GlobalSecondaryIndexName", "TableName"): {"ReadThrottleEvents", "WriteThrottleEvents"},
    ("AWS/DynamoDB", "Operation", "TableName"): {"SystemErrors"},
    ("AWS/EventBridge/Pipes", "PipeName"): {
        *("EventCount", "ExecutionFailed", "ExecutionPartiallyFailed", "ExecutionTimeout"),
    },
    ("AWS/Lambda", "FunctionName"): {"Duration", "Errors", "Invocations", "Throttles"},
    ("AWS/Lambda", "ExecutedVersion", "FunctionName", "Resource"): {"Errors"},
    ("AWS/SQS", "QueueName"): {"ApproximateNumberOfMessagesVisible"},
}
"""Namespace and names of the dimensions, to the metrics that AWS writes under them.

Sources: API Gateway developer guide, "Amazon API Gateway dimensions and metrics"; DynamoDB developer guide, "DynamoDB
metrics and dimensions"; EventBridge user guide, "Monitoring Amazon EventBridge Pipes"; AWS Lambda developer guide,
"Using CloudWatch metrics with Lambda"; SQS developer guide, "Available CloudWatch metrics for Amazon SQS".
"""

SETTLERS = {"AttemptGivenUp", "AttemptPostponed", "AttemptSettled", "OldestOpenAttempt"}


@dataclass(frozen=True)
class Metric:
    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Seen:
    """What came out of the functions while they went every way."""

    metrics: frozenset[tuple[str, tuple[str, ...]]]
    """Name, and the names of the dimensions."""
    table_operations: frozenset[str]


@pytest.fixture
def seen(
    around: Surroundings,
    calls: Calls,
    capsys: pytest.CaptureFixture[str],
) -> Seen:
    calls.forget()
    issue_in_every_way(around)
    settle_in_every_way(around)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    operations = [call.operation.partition(".") for call in calls.read()]
    return Seen(
        frozenset(metric for line in lines if "_aws" in line for metric in written_by(line)),
        frozenset(operation for service, _, operation in operations if service == "DynamoDB"),
    )


def test_every_metric_that_is_looked_at_is_written(seen: Seen) -> None:
    for parameter_set in PARAMETER_SETS:
        deployed = deployment(parameter_set)
        for where, metric in (*of_alarms(deployed), *of_dashboards(deployed)):
            is_written = (
                metric in by_the_code(seen, deployed) or metric in by_filters(deployed) or is_aws_own(metric, deployed)
            )
            assert is_written, f"{parameter_set}, {where}: {metric}"


def test_nothing_that_the_code_writes_or_calls_was_missed(seen: Seen) -> None:
    assert {name for name, _ in seen.metrics} == {
        *METRIC_BY_OUTCOME.values(),
        "GatewayLatency",
        "AttemptEnded",
        *SETTLERS,
    }
    watched = {
        value
        for _, metric in of_alarms(deployment("all that can be turned on"))
        for name, value in metric.dimensions
        if name == "Operation"
    }
    assert watched == seen.table_operations


def test_the_lines_that_a_filter_counts_are_written_to_its_log_group() -> None:
    deployed = deployment("all that can be turned on")
    groups = {
        group.returned["Ref"]: group.returned["Arn"].removesuffix(":*")
        for group in deployed.of_type("AWS::Logs::LogGroup")
    }
    [stage] = deployed.of_type("AWS::ApiGateway::Stage")
    log = stage.properties["AccessLogSetting"]
    for metric_filter in deployed.of_type("AWS::Logs::MetricFilter"):
        assert log["DestinationArn"].removesuffix(":*") == groups[metric_filter.properties["LogGroupName"]]
        fields = re.findall(r"\$\.(\w+)", metric_filter.properties["FilterPattern"])
        assert fields
        assert set(fields) <= json.loads(log["Format"]).keys()


@pytest.mark.parametrize("parameter_set", PARAMETER_SETS)
def test_no_key_is_made_for_the_alarms(parameter_set: str) -> None:
    """Whoever makes a key has to put its policy (AWS KMS API reference, CreateKey), and who may do that to keys owns
    them. The topic carries names of alarms: it is encrypted where the operator has a key.
    """
    deployed = deployment(parameter_set)
    assert deployed.of_type("AWS::KMS::Key") == []
    for topic in deployed.of_type("AWS::SNS::Topic"):
        assert topic.properties.get("KmsMasterKeyId") == PARAMETER_SETS[parameter_set].get("KmsKeyArn")


def test_every_alarm_reaches_somebody() -> None:
    deployed = deployment("all that can be turned on")
    [topic] = deployed.of_type("AWS::SNS::Topic")
    [group] = deployed.of_type("AWS::CodeDeploy::DeploymentGroup")
    rolling_back = {alarm["Name"] for alarm in group.properties["AlarmConfiguration"]["Alarms"]}
    assert group.properties["AlarmConfiguration"]["Enabled"] is True
    for alarm in deployed.of_type("AWS::CloudWatch::Alarm"):
        actions = alarm.properties.get("AlarmActions", [])
        assert actions == [topic.returned["Ref"]] or alarm.returned["Ref"] in rolling_back, alarm.name


@pytest.mark.parametrize(
    ("hours", "rings"),
    [
        pytest.param([(0, 0), (0, 0), (0, 0)], False, id="nobody comes"),
        pytest.param([(None, None), (None, None), (None, None)], False, id="nothing is counted"),
        pytest.param([(0, 0), (1, 0), (0, 0)], False, id="a quiet night's one card"),
        pytest.param([(1, 0), (1, 0), (1, 0)], False, id="a card an hour"),
        pytest.param([(0, 0), (10, 0), (0, 0)], False, id="one who tries all that an hour allows"),
        pytest.param([(0, 0), (5, 0), (5, 0)], False, id="the same, around the full hour"),
        pytest.param([(5, 0), (5, 1), (5, 0)], False, id="a success between"),
        pytest.param([(50, 900), (60, 800), (70, 1_000)], False, id="a busy day"),
        pytest.param([(2, 0), (3, 0), (2, None)], True, id="a small shop whose contract has ended"),
        pytest.param([(300, 0), (200, 0), (250, 0)], True, id="a large one"),
        pytest.param([(5, 1), (5, 0), (5, 0), (5, 0)], True, id="since three hours"),
    ],
)
def test_refusals_ring_only_where_nobody_gets_through(hours: list[tuple[int | None, int | None]], rings: bool) -> None:
    [alarm] = [
        one.properties
        for one in deployment("all that can be turned on").of_type("AWS::CloudWatch::Alarm")
        if one.name == "RefusedInARow"
    ]
    [expression] = [part["Expression"] for part in alarm["Metrics"] if "Expression" in part]
    assert {part["MetricStat"]["Period"] for part in alarm["Metrics"] if "MetricStat" in part} == {3600}
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert "DatapointsToAlarm" not in alarm
    newest = hours[-alarm["EvaluationPeriods"] :]
    values = [worked_out(expression, declined=declined, issued=issued) for declined, issued in newest]
    assert all(value >= alarm["Threshold"] for value in values) is rings


def worked_out(expression: str, **metrics: int | None) -> int:
    """Of one period; None where nothing was counted. CloudWatch's functions read as Python's would."""
    functions = {
        "IF": lambda condition, yes, no: yes if condition else no,
        "FILL": lambda counted, filler: filler if counted is None else counted,
    }
    value: int = eval(expression, {"__builtins__": {}, **functions}, metrics)  # noqa: S307 (the template's own)
    return value


ALARM_ON_UNTOLD = deployment("all that can be turned on").resource("EventsUntold", "infra/monitoring.yaml").properties


@pytest.mark.parametrize(
    ("ended", "told", "counts"),
    [
        pytest.param(None, None, 0, id="a quiet night"),
        pytest.param(0, 0, 0, id="nothing ended"),
        pytest.param(None, 3, 0, id="told a moment after"),
        pytest.param(100, 100, 0, id="all told"),
        pytest.param(100, 93, 0, id="some are told in the next quarter of an hour"),
        pytest.param(1, None, 1, id="one, and none told"),
        pytest.param(100, 40, 1, id="fewer than half"),
    ],
)
def test_events_that_are_not_told_ring_and_a_quiet_night_does_not(
    ended: int | None, told: int | None, counts: int
) -> None:
    """Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics": FILL and IF."""
    meanings = {
        "FILL": lambda value, other: other if value is None else value,
        "IF": lambda test, then, otherwise: then if test else otherwise,
    }
    [expression] = [part["Expression"] for part in ALARM_ON_UNTOLD["Metrics"] if "Expression" in part]
    value = eval(expression, meanings, {"ended": ended, "told": told})  # noqa: S307 (the template's own)
    assert (value >= ALARM_ON_UNTOLD["Threshold"]) == bool(counts)
    assert ALARM_ON_UNTOLD["TreatMissingData"] == "notBreaching"


def test_one_event_between_two_periods_rings_nothing_and_a_dead_pipe_rings_before_its_records_are_given_up() -> None:
    [pipe] = deployment("all that can be turned on").of_type("AWS::Pipes::Pipe")
    stream = pipe.properties["SourceParameters"]["DynamoDBStreamParameters"]
    [period] = {part["MetricStat"]["Period"] for part in ALARM_ON_UNTOLD["Metrics"] if "MetricStat" in part}
    assert ALARM_ON_UNTOLD["DatapointsToAlarm"] == 2
    assert period * ALARM_ON_UNTOLD["EvaluationPeriods"] <= stream["MaximumRecordAgeInSeconds"]


def test_as_many_attempts_end_as_events_are_told(
    around: Surroundings, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = EventStream(aws)
    issue_in_every_way(around)
    settle_in_every_way(around)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    ended = sum(sum(line["AttemptEnded"]) for line in lines if "AttemptEnded" in line)
    assert ended == len(stream.events()) > 10


def written_by(line: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Source: CloudWatch user guide, "Specification: Embedded metric format"."""
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            for metric in directive["Metrics"]:
                yield metric["Name"], tuple(names)


def by_the_code(seen: Seen, deployed: Deployment) -> set[Metric]:
    """Under the names that the template gives to the namespace and to the dimension's value."""
    environment = deployed.resource("IssueBillingFunction").properties["Environment"]["Variables"]
    values = {"service": environment["POWERTOOLS_SERVICE_NAME"]}
    return {
        Metric(environment["POWERTOOLS_METRICS_NAMESPACE"], name, frozenset((one, values[one]) for one in dimensions))
        for name, dimensions in seen.metrics
    }


def by_filters(deployed: Deployment) -> set[Metric]:
    return {
        Metric(made["MetricNamespace"], made["MetricName"], frozenset())
        for metric_filter in deployed.of_type("AWS::Logs::MetricFilter")
        for made in metric_filter.properties["MetricTransformations"]
    }


def is_aws_own(metric: Metric, deployed: Deployment) -> bool:
    names = sorted(name for name, _ in metric.dimensions)
    return metric.name in OF_AWS.get((metric.namespace, *names), ()) and all(
        value in existing(name, deployed) for name, value in metric.dimensions
    )


def existing(dimension: str, deployed: Deployment) -> set[str]:
    """The values that a dimension of AWS's metrics has where this is deployed."""
    match dimension:
        case "ApiName":
            return {api.properties["Name"] for api in deployed.of_type("AWS::ApiGateway::RestApi")}
        case "ExecutedVersion":
            return {version.returned["Version"] for version in deployed.of_type("AWS::Lambda::Version")}
        case "FunctionName":
            return {function.returned["Ref"] for function in deployed.of_type("AWS::Lambda::Function")}
        case "GlobalSecondaryIndexName":
            [table] = deployed.of_type("AWS::DynamoDB::Table")
            return {index["IndexName"] for index in table.properties["GlobalSecondaryIndexes"]}
        case "Operation":
            return {"GetItem", "PutItem", "Query", "TransactWriteItems", "UpdateItem"}
        case "PipeName":
            return {pipe.returned["Ref"] for pipe in deployed.of_type("AWS::Pipes::Pipe")}
        case "QueueName":
            return {queue.returned["QueueName"] for queue in deployed.of_type("AWS::SQS::Queue")}
        case "Resource":
            return {f"{name}:live" for name in existing("FunctionName", deployed)}
        case "Stage":
            return {stage.returned["Ref"] for stage in deployed.of_type("AWS::ApiGateway::Stage")}
        case "TableName":
            return {table.returned["Ref"] for table in deployed.of_type("AWS::DynamoDB::Table")}
    raise NotImplementedError(dimension)


def of_alarms(deployed: Deployment) -> Iterator[tuple[str, Metric]]:
    for alarm in deployed.of_type("AWS::CloudWatch::Alarm"):
        if "MetricName" in alarm.properties:
            yield alarm.name, metric_in(alarm.properties)
        for part in alarm.properties.get("Metrics", []):
            if "MetricStat" in part:
                yield alarm.name, metric_in(part["MetricStat"]["Metric"])


def metric_in(properties: Mapping[str, Any]) -> Metric:
    dimensions = frozenset((one["Name"], one["Value"]) for one in properties.get("Dimensions", []))
    return Metric(properties["Namespace"], properties["MetricName"], dimensions)


def of_dashboards(deployed: Deployment) -> Iterator[tuple[str, Metric]]:
    """Source: CloudWatch API reference, "Dashboard body structure and syntax", metrics array."""
    for dashboard in deployed.of_type("AWS::CloudWatch::Dashboard"):
        for widget in json.loads(dashboard.properties["DashboardBody"])["widgets"]:
            before: list[str] = []
            for row in widget["properties"].get("metrics", []):
                written = [entry for entry in row if isinstance(entry, str)]
                if not written:  # an expression
                    continue
                before = written_out(written, before)
                namespace, name, *dimensions = before
                pairs = zip(dimensions[::2], dimensions[1::2], strict=True)
                yield widget["properties"]["title"], Metric(namespace, name, frozenset(pairs))


def written_out(row: list[str], before: list[str]) -> list[str]:
    """`.` is what stands there in the row before; `...` all that does, up to what the row adds at its end."""
    if row[0] == "...":
        return before[: len(before) - len(row) + 1] + row[1:]
    return [before[place] if entry == "." else entry for place, entry in enumerate(row)]
