"""What is wrong with the parameters is said before anything is made: by their patterns, or by the template's rules."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

import pytest

from billing.settings import WrongSetting, read_settings
from infra.local.intrinsics import read_yaml
from infra.local.template import PROJECT
from tests.infrastructure.stacks import MAIN, PARAMETER_SETS
from tests.infrastructure.translation import translated

TEMPLATE = read_yaml((PROJECT / MAIN).read_text("utf-8"))
PARAMETERS: Mapping[str, Mapping[str, Any]] = TEMPLATE["Parameters"]

SUBNETS, GROUPS = "subnet-0000000000000000a,subnet-0000000000000000b", "sg-00000000000000000"
CERTIFICATE = "arn:aws:acm:ap-northeast-2:123456789012:certificate/00000000-0000-0000-0000-000000000002"


def broken_by(given: Mapping[str, str]) -> set[str]:
    """The rules that refuse these parameters.

    Source: CloudFormation user guide, "Rules"; template reference, "Rule functions".
    """
    values = {name: given.get(name, str(declared["Default"])) for name, declared in PARAMETERS.items()}
    return {
        name
        for name, rule in TEMPLATE["Rules"].items()
        if holds(rule["RuleCondition"], values) and not all(holds(one["Assert"], values) for one in rule["Assertions"])
    }


def holds(function: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    match function:
        case {"Fn::Not": [inner]}:
            return not holds(inner, values)
        case {"Fn::Equals": [{"Ref": str(name)}, str(text)]}:
            assert not is_list(name), "Equals takes no list"
            return values[name] == text
        case {"Fn::EachMemberEquals": [{"Ref": str(name)}, str(text)]}:
            assert is_list(name)
            return all(member == text for member in values[name].split(","))
    raise NotImplementedError(function)


def is_list(name: str) -> bool:
    return str(PARAMETERS[name]["Type"]) == "CommaDelimitedList"


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"DomainName": "cards.shop.example"}, "DomainNeedsCertificate"),
        ({"CertificateArn": CERTIFICATE}, "CertificateNeedsDomain"),
        ({"HostedZoneId": "Z00000000000000000000"}, "ZoneNeedsDomain"),
        ({"SubnetIds": SUBNETS}, "SubnetsNeedSecurityGroups"),
        ({"SecurityGroupIds": GROUPS}, "SecurityGroupsNeedSubnets"),
        ({"Monitoring": "on"}, "MonitoringNeedsAccessLogs"),
        ({"AlarmEmail": "operator@shop.example"}, "EmailNeedsMonitoring"),
        ({"EventArchive": "on"}, "ArchiveNeedsMonitoring"),
    ],
)
def test_a_parameter_that_asks_for_another_is_refused_without_it(given: dict[str, str], rule: str) -> None:
    assert broken_by(given) == {rule}


@pytest.mark.parametrize("parameter_set", PARAMETER_SETS)
def test_what_belongs_together_breaks_no_rule(parameter_set: str) -> None:
    assert broken_by(PARAMETER_SETS[parameter_set]) == set()


@pytest.mark.parametrize("environment", ["default", "staging", "prod"])
def test_no_environment_breaks_a_rule(environment: str) -> None:
    section = tomllib.loads((PROJECT / "samconfig.toml").read_text("utf-8"))[environment]["deploy"]["parameters"]
    assert broken_by(dict(pair.split("=") for pair in section["parameter_overrides"].split())) == set()


def test_sam_leaves_the_rules_as_they_are() -> None:
    assert translated(MAIN, {})["Rules"] == TEMPLATE["Rules"]


@pytest.mark.parametrize(
    ("parameter", "value", "taken"),
    [
        ("IamportBaseUrl", "https://api.iamport.kr", True),
        ("IamportBaseUrl", "https://stand-in.shop.example:8443", True),
        ("IamportBaseUrl", "http://localhost:4010", True),
        ("IamportBaseUrl", "http://127.0.0.1:4010", True),
        ("IamportBaseUrl", "http://[::1]:4010", True),
        ("IamportBaseUrl", "http://host.docker.internal:4010", True),
        ("IamportBaseUrl", "http://api.iamport.kr", False),
        ("IamportBaseUrl", "http://localhost.shop.example", False),
        ("IamportBaseUrl", "http://127.0.0.1.shop.example", False),
        ("IamportBaseUrl", "http://hostXdocker.internal", False),
        ("IamportBaseUrl", "https://user@api.iamport.kr", False),
        ("IamportBaseUrl", "https://api.iamport.kr/v1", False),
        ("AllowedOrigins", "*", True),
        ("AllowedOrigins", "https://shop.example", True),
        ("AllowedOrigins", "https://shop.example,https://m.shop.example:8443", True),
        ("AllowedOrigins", "http://localhost:5173,https://shop.example", True),
        ("AllowedOrigins", "http://127.0.0.1:5173", True),
        ("AllowedOrigins", "http://[::1]:5173", True),
        ("AllowedOrigins", "http://shop.example", False),
        ("AllowedOrigins", "https://shop.example,http://m.shop.example", False),
        ("AllowedOrigins", "http://host.docker.internal", False),
        ("AllowedOrigins", "http://localhost.shop.example", False),
        ("AllowedOrigins", "https://shop.example/form", False),
    ],
)
def test_template_and_function_take_the_same_addresses(parameter: str, value: str, taken: bool) -> None:
    """Card numbers go to one, and come from the others: never without TLS, but on the developer's own machine."""
    assert bool(re.fullmatch(PARAMETERS[parameter]["AllowedPattern"], value)) is taken
    variable = {"IamportBaseUrl": "IAMPORT_BASE_URL", "AllowedOrigins": "ALLOWED_ORIGINS"}[parameter]
    needed = {"IAMPORT_SECRET_ID": "secret", "FINGERPRINT_SECRET_ID": "key", "ATTEMPTS_TABLE": "table"}
    assert is_taken({**needed, variable: value}) is taken


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("", True),
        ("https://shop.example", True),
        ("https://shop.example/webhooks/card-door", True),
        ("https://shop.example:8443/webhooks?shop=1", True),
        ("http://shop.example/webhooks", False),
        ("http://localhost:8000", False),
        ("https://user:password@shop.example/", False),
        ("https://shop.example/*", False),
        ("https://shop.example/#there", False),
        ("https://", False),
    ],
)
def test_a_webhook_is_an_https_address_without_a_password_and_without_wildcards(value: str, taken: bool) -> None:
    """EventBridge takes https alone, and `*` for parts of a path (EventBridge API reference, CreateApiDestination)."""
    assert bool(re.fullmatch(PARAMETERS["WebhookUrl"]["AllowedPattern"], value)) is taken


def is_taken(environment: Mapping[str, str]) -> bool:
    try:
        read_settings(environment)
    except WrongSetting:
        return False
    return True


def test_the_console_asks_for_every_parameter_once_in_its_group_and_by_a_label() -> None:
    """Source: CloudFormation template reference, "AWS::CloudFormation::Interface"."""
    interface = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]
    asked = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(asked) == sorted(PARAMETERS)
    assert interface["ParameterLabels"].keys() == PARAMETERS.keys()
    assert [group["Label"]["default"] for group in interface["ParameterGroups"]] == [
        *("The service", "The shop's page", "The shop's server", "Limits", "Operation", "Network"),
    ]
