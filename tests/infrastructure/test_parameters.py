"""The sets of parameters that these tests deploy with leave nothing of the templates out."""

import re

import pytest

from billing.settings import CARD_FIELDS, WrongSetting, read_settings
from infra.local.intrinsics import read_yaml
from infra.local.template import PROJECT
from tests.infrastructure.rendering import Rendering
from tests.infrastructure.stacks import MAIN, ON_ITS_OWN, PARAMETER_SETS, TEMPLATES, deployment
from tests.infrastructure.translation import translated

NEEDED = {"IAMPORT_SECRET_ID": "secret", "FINGERPRINT_SECRET_ID": "key", "ATTEMPTS_TABLE": "table"}


def test_every_condition_of_the_service_holds_in_one_set_and_not_in_another() -> None:
    document = translated(MAIN, {})
    for condition in document["Conditions"]:
        held = {Rendering(document, given).holds({"Condition": condition}) for given in PARAMETER_SETS.values()}
        assert held == {True, False}, condition


def test_the_card_fields_that_can_be_chosen_are_those_that_the_code_knows() -> None:
    declared = read_yaml((PROJECT / MAIN).read_text("utf-8"))["Parameters"]["CardFields"]
    assert declared["AllowedValues"] == list(CARD_FIELDS)
    assert read_settings({**NEEDED, "CARD_FIELDS": declared["Default"]}) == read_settings(NEEDED)


@pytest.mark.parametrize(
    ("parameter", "variable", "value"),
    [
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
