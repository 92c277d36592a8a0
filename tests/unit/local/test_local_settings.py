"""Which settings `make run` takes from the environment, and what it says of one that is none."""

import re

import pytest

from infra.local.intrinsics import TemplateError
from infra.local.settings import ARE_HERE_ALREADY, parameters_from
from infra.local.template import PROJECT, Template

TABLE = re.findall(r"^\| `([A-Z_]+)` \| (?:`(\w+)`)? ?\|", (PROJECT / "README.md").read_text("utf-8"), re.MULTILINE)


def allowed_value(parameter: str) -> str:
    """The first of some values that the template takes."""
    declaration = Template().declaration(parameter)
    if "AllowedValues" in declaration:
        return str(declaration["AllowedValues"][-1])
    pattern = declaration["AllowedPattern"]
    return next(
        value
        for value in ("https://shop.example", "https://shop.example/logo.svg", "7", "T01", "#0A7CFF")
        if re.search(pattern, value)
    )


@pytest.mark.parametrize(("variable", "parameter"), [row for row in TABLE if row[0] not in ARE_HERE_ALREADY])
def test_every_variable_of_the_settings_table_is_taken(variable: str, parameter: str) -> None:
    value = allowed_value(parameter)
    assert parameters_from({variable: value}, Template()) == {parameter: value}


def test_what_is_not_set_keeps_its_default() -> None:
    assert parameters_from({"CUSTOMER_IDENTITY": "", "PATH": "/bin"}, Template()) == {}


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("CUSTOMER_IDENTITY", "Signed", "CUSTOMER_IDENTITY takes open or signed, not 'Signed'"),
        ("ATTEMPTS_PER_CARD", "0", "ATTEMPTS_PER_CARD is not as it should be: A whole number from 1 on."),
        ("ATTEMPTS_PER_CARD", "ten", "ATTEMPTS_PER_CARD is not as it should be: A whole number from 1 on."),
        ("PRIVACY_POLICY_URL", "http://shop.example", "PRIVACY_POLICY_URL is not as it should be: An https address"),
        ("ALLOWED_ORIGINS", "shop.example", "ALLOWED_ORIGINS is not as it should be: "),
    ],
)
def test_a_wrong_value_is_told_with_its_variable(variable: str, value: str, told: str) -> None:
    with pytest.raises(TemplateError, match=f"^{re.escape(told)}"):
        parameters_from({variable: value}, Template())


WITH_A_PATTERN = [
    (variable, parameter)
    for variable, parameter in TABLE
    if variable not in ARE_HERE_ALREADY and "AllowedPattern" in Template().declaration(parameter)
]


@pytest.mark.parametrize(("variable", "parameter"), WITH_A_PATTERN)
def test_what_is_wrong_is_told_in_words_and_not_as_a_pattern(variable: str, parameter: str) -> None:
    with pytest.raises(TemplateError) as told:
        parameters_from({variable: "x\n" * 100}, Template())
    assert Template().declaration(parameter)["AllowedPattern"] not in str(told.value)
