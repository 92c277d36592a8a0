"""A deployment that changes anything of the function publishes a version of it, and the alias moves to that."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.intrinsics import read_yaml
from infra.local.template import PROJECT
from tests.infrastructure.stacks import MAIN
from tests.infrastructure.translation import translated

FUNCTION = "IssueBillingFunction"

TEMPLATE = read_yaml((PROJECT / MAIN).read_text("utf-8"))

GRADUALLY = [name for name in TEMPLATE["Parameters"]["Deployment"]["AllowedValues"] if name != "AllAtOnce"]


def test_every_value_that_the_function_is_given_is_part_of_its_settings_version() -> None:
    """SAM publishes where the template changes; only what is named here publishes where a value changes."""
    resources = translated(MAIN, {})["Resources"]
    given = set(_references(resources[FUNCTION]["Properties"]))
    given -= {"AWS::NoValue", "AWS::StackName", "IssueBillingLogGroup", "RolesApplication"}
    named = set(_references(resources["SettingsVersion"]["Properties"]["Content"]))
    assert given == named


def test_a_version_of_the_settings_is_a_version_of_the_function() -> None:
    assert _version({})["Properties"]["Description"] == {"Fn::Sub": "settings ${SettingsVersion.VersionNumber}"}


def test_versions_stay_so_that_the_alias_can_be_moved_back() -> None:
    assert _version({})["DeletionPolicy"] == "Retain"


def test_api_gateway_may_call_the_alias_and_never_the_code_that_is_not_published() -> None:
    resources = translated(MAIN, {})["Resources"]
    permissions = [one for one in resources.values() if one["Type"] == "AWS::Lambda::Permission"]
    called = {json.dumps(one["Properties"]["FunctionName"]) for one in permissions}
    assert called == {json.dumps({"Ref": f"{FUNCTION}Aliaslive"}), json.dumps({"Ref": "SettleFunction"})}


@pytest.mark.parametrize("deployment", GRADUALLY)
def test_a_gradual_release_is_rolled_back_by_every_alarm_that_watches_it(deployment: str) -> None:
    resources = translated(MAIN, {"Deployment": deployment})["Resources"]
    group = resources[f"{FUNCTION}DeploymentGroup"]["Properties"]
    condition, configuration, _ = group["AlarmConfiguration"]["Fn::If"]
    watching = {alarm["Name"]["Ref"] for alarm in configuration["Alarms"]}
    assert condition == "ShiftsTrafficGradually"
    assert watching == {name for name, one in resources.items() if one["Type"] == "AWS::CloudWatch::Alarm"}
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    assert group["DeploymentConfigName"] == {
        "Fn::Sub": ["CodeDeployDefault.Lambda${ConfigName}", {"ConfigName": deployment}]
    }


def test_the_alarm_on_crashes_watches_the_version_that_is_deployed() -> None:
    resources = translated(MAIN, {"Deployment": GRADUALLY[0]})["Resources"]
    [version] = [name for name, one in resources.items() if one["Type"] == "AWS::Lambda::Version"]
    dimensions = resources["NewVersionFails"]["Properties"]["Dimensions"]
    assert {"Name": "ExecutedVersion", "Value": {"Fn::GetAtt": [version, "Version"]}} in dimensions


def test_all_at_once_there_is_nothing_of_codedeploy() -> None:
    resources = translated(MAIN, {"Deployment": "AllAtOnce"})["Resources"]
    assert not [one for one in resources.values() if one["Type"].startswith("AWS::CodeDeploy::")]
    assert "UpdatePolicy" not in resources[f"{FUNCTION}Aliaslive"]


def _version(parameters: dict[str, str]) -> dict[str, Any]:
    resources = translated(MAIN, parameters)["Resources"].values()
    [version] = [one for one in resources if one["Type"] == "AWS::Lambda::Version"]
    return dict(version)


def _references(value: Any) -> Iterator[str]:
    """What a value is made of: parameters and resources by name, and the parameters that its conditions ask for."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::If": [str(condition), then, otherwise]}:
            yield from _references([TEMPLATE["Conditions"][condition], then, otherwise])
        case dict():
            yield from _references(list(value.values()))
        case list():
            for one in value:
                yield from _references(one)
