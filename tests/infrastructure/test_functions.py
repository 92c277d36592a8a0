"""How each function runs: its log, its time, no tracing."""

import pytest

from infra.local.api import LONGEST_WAIT
from tests.infrastructure.stacks import PARAMETER_SETS, Deployment, Resource, deployment

pytestmark = pytest.mark.parametrize("parameter_set", PARAMETER_SETS)


def functions(parameter_set: str) -> list[Resource]:
    found = deployment(parameter_set).of_type("AWS::Lambda::Function")
    assert len(found) == 2
    return found


def log_groups(deployed: Deployment) -> dict[str, Resource]:
    return {group.properties["LogGroupName"]: group for group in deployed.of_type("AWS::Logs::LogGroup")}


def test_every_function_writes_to_a_log_group_of_its_own_that_forgets(parameter_set: str) -> None:
    groups = log_groups(deployment(parameter_set))
    names = [function.properties["LoggingConfig"]["LogGroup"] for function in functions(parameter_set)]
    assert len(set(names)) == len(names)
    for name in names:
        assert groups[name].properties["RetentionInDays"] == 90


def test_no_log_group_keeps_its_lines_for_ever(parameter_set: str) -> None:
    for group in log_groups(deployment(parameter_set)).values():
        assert int(group.properties["RetentionInDays"]) > 0


def test_the_line_of_each_attempt_is_logged_whatever_is_set(parameter_set: str) -> None:
    """It is of the level INFO (billing/observability.py), and the trail of who did what: PCI DSS 10.2."""
    for function in functions(parameter_set):
        assert function.properties["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"] == "INFO"


def test_the_function_behind_the_api_ends_before_api_gateway_gives_up(parameter_set: str) -> None:
    function = deployment(parameter_set).resource("IssueBillingFunction")
    assert function.properties["Timeout"] < LONGEST_WAIT == 29


def test_the_settler_ends_before_its_next_run(parameter_set: str) -> None:
    deployed = deployment(parameter_set)
    rules = [rule.properties for rule in deployed.of_type("AWS::Events::Rule")]
    assert [rule["ScheduleExpression"] for rule in rules if "ScheduleExpression" in rule] == ["rate(1 minute)"]
    assert deployed.resource("SettleFunction").properties["Timeout"] < 60


def test_no_function_is_traced_by_x_ray(parameter_set: str) -> None:
    for function in functions(parameter_set):
        assert function.properties.get("TracingConfig", {}).get("Mode") != "Active"


def test_the_api_calls_the_alias_and_not_a_version_that_is_being_deployed(parameter_set: str) -> None:
    deployed = deployment(parameter_set)
    alias = next(one for one in deployed.of_type("AWS::Lambda::Alias") if one.name.startswith("IssueBillingFunction"))
    api = deployed.resource("BillingApi")
    routes = [
        method["x-amazon-apigateway-integration"]["uri"]
        for path in api.properties["Body"]["paths"].values()
        for name, method in path.items()
        if name != "options"
    ]
    assert alias.properties["Name"] == "live"
    assert len(routes) == 4
    assert all(uri.endswith(":live/invocations") for uri in routes)
