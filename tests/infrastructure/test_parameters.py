"""The sets of parameters that these tests deploy with leave nothing of the templates out."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from billing.settings import CARD_FIELDS, WrongSetting, read_settings
from infra.local.intrinsics import read_yaml
from infra.local.template import PROJECT
from tests.infrastructure.rendering import Rendering
from tests.infrastructure.stacks import KMS_KEY, MAIN, ON_ITS_OWN, PARAMETER_SETS, TEMPLATES, deployment, service
from tests.infrastructure.translation import translated

NEEDED = {"IAMPORT_SECRET_ID": "secret", "FINGERPRINT_SECRET_ID": "key", "ATTEMPTS_TABLE": "table"}


@pytest.mark.parametrize("path", sorted(set(TEMPLATES) - ON_ITS_OWN.keys()))
def test_every_condition_of_the_service_holds_in_one_set_and_not_in_another(path: str) -> None:
    document = translated(path, {})
    for condition in document["Conditions"]:
        held = {Rendering(document, given).holds({"Condition": condition}) for given in parameters_of(path)}
        assert held == {True, False}, condition


def parameters_of(path: str) -> list[Mapping[str, str]]:
    """What each set gives the template, where it deploys it."""
    if path == MAIN:
        return list(PARAMETER_SETS.values())
    stacks = [stack for name in PARAMETER_SETS for stack in deployment(name).of_type("AWS::CloudFormation::Stack")]
    return [one.properties["Parameters"] for one in stacks if one.properties["TemplateURL"].endswith(path)]


def test_the_card_fields_that_can_be_chosen_are_those_that_the_code_knows() -> None:
    declared = read_yaml((PROJECT / MAIN).read_text("utf-8"))["Parameters"]["CardFields"]
    assert declared["AllowedValues"] == list(CARD_FIELDS)
    assert read_settings({**NEEDED, "CARD_FIELDS": declared["Default"]}) == read_settings(NEEDED)


@pytest.mark.parametrize(
    ("parameter", "variable", "value"),
    [
        *(
            (parameter, variable, count)
            for parameter, variable in (
                ("AttemptsPerCustomer", "ATTEMPTS_PER_CUSTOMER"),
                ("AttemptsPerCard", "ATTEMPTS_PER_CARD"),
                ("AttemptsPerCardPerDay", "ATTEMPTS_PER_CARD_PER_DAY"),
            )
            for count in ("1", "999999999", "1000000000", "0", "-1", "1.5", "ten")
        ),
        *(("IamportTier", "IAMPORT_TIER", tier) for tier in ("", "ABC", "A1Z", "AB", "ABCD", "abc", "A B")),
        *(("ShopName", "SHOP_NAME", name) for name in ("", "별빛 상점", "n" * 40, "n" * 41, "a\tb", "a\nb")),
        *(("ShopContact", "SHOP_CONTACT", line) for line in ("", "고객센터 1588-0000", "c" * 100, "c" * 101, "a\nb")),
        *(("AccentColor", "ACCENT_COLOR", colour) for colour in ("", "#1f4fd8", "#FFFFFF", "1f4fd8", "#fff", "red")),
        *(
            ("ShopLogoUrl", "SHOP_LOGO_URL", url)
            for url in (
                *("", "https://a.example/logo.png", "https://a.example:8443/a/%EA.svg", "https://a.example/"),
                *("http://a.example/logo.png", "https://a.example/a?b", "https://a.example/a;b", "https://a b/c"),
            )
        ),
    ],
)
def test_what_can_be_deployed_is_what_the_code_takes(parameter: str, variable: str, value: str) -> None:
    declared = read_yaml((PROJECT / MAIN).read_text("utf-8"))["Parameters"][parameter]
    can_be_deployed = re.search(declared["AllowedPattern"], value) is not None
    try:
        read_settings({**NEEDED, variable: value})
        is_taken = True
    except WrongSetting:
        is_taken = False
    assert is_taken is can_be_deployed


@pytest.mark.parametrize("path", [MAIN, "infra/deploy-role.yaml"])
def test_who_deploys_is_told_in_words_what_a_parameter_takes(path: str) -> None:
    """CloudFormation shows the pattern itself where there is no ConstraintDescription."""
    declared = read_yaml((PROJECT / path).read_text("utf-8"))["Parameters"]
    with_a_pattern = {name for name, one in declared.items() if "AllowedPattern" in one}
    assert with_a_pattern == {name for name, one in declared.items() if "ConstraintDescription" in one}


def test_every_template_is_deployed() -> None:
    deployed = {resource.stack for name in PARAMETER_SETS for resource in deployment(name).resources}
    assert deployed == set(TEMPLATES)


@pytest.mark.parametrize("path", sorted(set(TEMPLATES) - {MAIN} - ON_ITS_OWN.keys()))
def test_a_nested_stack_gets_the_parameters_that_it_has(path: str) -> None:
    declared = read_yaml((PROJECT / path).read_text("utf-8"))["Parameters"]
    [nested] = [
        stack
        for stack in deployment("all that can be turned on").of_type("AWS::CloudFormation::Stack")
        if stack.properties["TemplateURL"].endswith(path)
    ]
    given = nested.properties["Parameters"].keys()
    assert given <= declared.keys()
    assert {name for name, one in declared.items() if "Default" not in one} <= given


def test_logs_can_be_kept_for_a_year_and_all_of_them_take_the_same_days() -> None:
    """PCI DSS 10.5.1 wants twelve months; of the days that CloudWatch takes, 400 has a month to spare for looking.

    Source: CloudWatch Logs API reference, PutRetentionPolicy, retentionInDays.
    """
    taken = [
        read_yaml((PROJECT / path).read_text("utf-8"))["Parameters"]["LogRetentionDays"]["AllowedValues"]
        for path in (MAIN, "infra/firewall.yaml")
    ]
    assert taken[0] == taken[1]
    assert 400 in taken[0]


def explained(page: str) -> list[str]:
    """The parameters in the first column of the page's first table."""
    rows = (PROJECT / page).read_text("utf-8").partition("\n|")[2].partition("\n\n")[0].splitlines()
    return [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])]


@pytest.mark.parametrize("page", ["docs/deploying.md", "docs/ko/deploying.md"])
def test_every_parameter_is_explained_once_and_none_that_is_gone(page: str) -> None:
    assert sorted(explained(page)) == sorted(read_yaml((PROJECT / MAIN).read_text("utf-8"))["Parameters"])


TESTS = "".join(path.read_text("utf-8") for path in (PROJECT / "tests").rglob("*.py"))


@pytest.mark.parametrize("parameter", read_yaml((PROJECT / MAIN).read_text("utf-8"))["Parameters"])
def test_every_parameter_is_tested(parameter: str) -> None:
    assert f'"{parameter}"' in TESTS


@pytest.mark.parametrize(
    ("parameter", "value", "variable"),
    [
        ("IamportBaseUrl", "https://stand-in.shop.example", "IAMPORT_BASE_URL"),
        ("IamportChannelKey", "channel-key-0", "IAMPORT_CHANNEL_KEY"),
        ("IamportPg", "nice.shop", "IAMPORT_PG"),
        ("IamportTier", "A1Z", "IAMPORT_TIER"),
        ("CardFields", "birth", "CARD_FIELDS"),
        ("FirstPayment", "again", "FIRST_PAYMENT"),
        ("AllowedOrigins", "https://shop.example", "ALLOWED_ORIGINS"),
        ("CustomerIdentity", "signed", "CUSTOMER_IDENTITY"),
        ("PrivacyPolicyUrl", "https://shop.example/privacy", "PRIVACY_POLICY_URL"),
        ("ShopName", "별빛상점", "SHOP_NAME"),
        ("ShopLogoUrl", "https://shop.example/logo.svg", "SHOP_LOGO_URL"),
        ("ShopContact", "02-000-0000", "SHOP_CONTACT"),
        ("AccentColor", "#0A7CFF", "ACCENT_COLOR"),
        ("DataCollection", "consent", "DATA_COLLECTION"),
        ("DataRetention", "탈퇴할 때까지", "DATA_RETENTION"),
        ("DataProvision", "notice", "DATA_PROVISION"),
        ("DataRecipient", "결제대행사", "DATA_RECIPIENT"),
        ("DataRecipientRetention", "5년", "DATA_RECIPIENT_RETENTION"),
        ("DataRecipientTermsUrl", "https://pg.example/terms", "DATA_RECIPIENT_TERMS_URL"),
        ("AttemptsPerCustomer", "3", "ATTEMPTS_PER_CUSTOMER"),
        ("AttemptsPerCard", "4", "ATTEMPTS_PER_CARD"),
        ("AttemptsPerCardPerDay", "5", "ATTEMPTS_PER_CARD_PER_DAY"),
    ],
)
def test_a_parameter_reaches_the_functions(parameter: str, value: str, variable: str) -> None:
    for function in service({parameter: value}).of_type("AWS::Lambda::Function"):
        assert function.properties["Environment"]["Variables"][variable] == value


@pytest.mark.parametrize(
    ("given", "resource_type", "path"),
    [
        ({"Architecture": "x86_64"}, "AWS::Lambda::Function", "Architectures.0"),
        ({"ThrottleRate": "7"}, "AWS::ApiGateway::Stage", "MethodSettings.0.ThrottlingRateLimit"),
        ({"ThrottleBurst": "8"}, "AWS::ApiGateway::Stage", "MethodSettings.0.ThrottlingBurstLimit"),
        ({"LogRetentionDays": "400"}, "AWS::Logs::LogGroup", "RetentionInDays"),
        (
            {"RequestsPerIp": "25", "Firewall": "on"},
            "AWS::WAFv2::WebACL",
            "Rules.0.Statement.RateBasedStatement.Limit",
        ),
    ],
)
def test_a_parameter_reaches_the_resources(given: dict[str, str], resource_type: str, path: str) -> None:
    value = next(iter(given.values()))
    found = service(given).of_type(resource_type)
    assert found
    for resource in found:
        assert at(resource.properties, path) == value


def at(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def test_events_are_kept_for_thirty_days_where_that_is_asked_for() -> None:
    """Source: CloudFormation template reference, AWS::Events::Archive: without RetentionDays, for ever."""
    [archive] = deployment("all that can be turned on").of_type("AWS::Events::Archive")
    [bus] = deployment("all that can be turned on").of_type("AWS::Events::EventBus")
    assert (archive.properties["SourceArn"], archive.properties["RetentionDays"]) == (bus.returned["Arn"], 30)
    assert archive.properties["KmsKeyIdentifier"] == KMS_KEY
    assert archive.deletion_policy == "Delete", "its rule on the bus would keep the bus from being deleted"
    for name in ("as it comes", "with what the account has"):
        assert deployment(name).of_type("AWS::Events::Archive") == []
