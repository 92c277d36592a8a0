"""samconfig.toml: what `sam deploy` and `sam local` are told."""

import json
import tomllib
from typing import Any

import pytest

from infra.local.intrinsics import read_yaml
from infra.local.template import PROJECT, TEMPLATE, Template

ENVIRONMENTS = ("default", "staging", "prod")

RESOURCES = read_yaml(TEMPLATE.read_text("utf-8"))["Resources"]


@pytest.fixture(scope="module")
def configuration() -> dict[str, Any]:
    return tomllib.loads((PROJECT / "samconfig.toml").read_text("utf-8"))


def test_each_environment_is_a_stack_of_its_own(configuration: dict[str, Any]) -> None:
    names = [configuration[name]["global"]["parameters"]["stack_name"] for name in ENVIRONMENTS]
    assert len(set(names)) == 3


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_deployment_acknowledges_what_the_template_makes(configuration: dict[str, Any], environment: str) -> None:
    """IAM roles, and the nested applications that the transform expands."""
    capabilities = configuration[environment]["deploy"]["parameters"]["capabilities"]
    assert capabilities.split() == ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_deployment_sets_only_parameters_that_the_template_has(
    configuration: dict[str, Any], environment: str
) -> None:
    declared = read_yaml(TEMPLATE.read_text("utf-8"))["Parameters"]
    for override in configuration[environment]["deploy"]["parameters"]["parameter_overrides"].split():
        name, _, value = override.partition("=")
        assert value in map(str, declared[name].get("AllowedValues", [value]))


@pytest.mark.parametrize("command", ["local_invoke", "local_start_api"])
def test_sam_local_replaces_only_variables_that_the_template_has(configuration: dict[str, Any], command: str) -> None:
    """It passes on no others."""
    file = configuration["default"][command]["parameters"]["env_vars"]
    replaced = json.loads((PROJECT / file).read_text("utf-8"))["Parameters"]
    physical_ids = {name: name for name in RESOURCES}
    assert set(replaced) <= set(Template().function("IssueBillingFunction", physical_ids).environment)


def overrides(configuration: dict[str, Any], environment: str) -> dict[str, str]:
    given = configuration[environment]["deploy"]["parameters"]["parameter_overrides"].split()
    return {name: value for name, _, value in (override.partition("=") for override in given)}


def test_prod_is_signed_watched_and_keeps_its_logs_for_as_long_as_the_audit_says(configuration: dict[str, Any]) -> None:
    prod = overrides(configuration, "prod")
    assert prod["CustomerIdentity"] == "signed"
    assert [prod[name] for name in ("AccessLogs", "Monitoring", "Firewall")] == ["on", "on", "on"]
    assert prod["Deployment"].startswith("Canary")
    audit = (PROJECT / "docs/audit.md").read_text("utf-8")
    assert f"`LogRetentionDays={prod['LogRetentionDays']}`, which prod has" in audit
    assert int(prod["LogRetentionDays"]) >= 365, "PCI DSS 10.5.1"


@pytest.mark.parametrize("parameter", ["CustomerIdentity", "AccessLogs", "Firewall"])
def test_the_smoke_test_meets_on_staging_what_prod_has(configuration: dict[str, Any], parameter: str) -> None:
    assert overrides(configuration, "staging")[parameter] == overrides(configuration, "prod")[parameter]
