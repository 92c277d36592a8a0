"""Every environment variable that the functions read is set, and every one that is set is read."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from billing.settings import read_settings
from infra.local.lambda_environment import lambda_environment, set_by_lambda
from infra.local.template import PROJECT, Function
from tests.infrastructure.stacks import PARAMETER_SETS, deployment

CODE = PROJECT / "functions/issue_billing"

FUNCTION = Function("IssueBillingFunction", CODE, "app.handler", 28, 1024, {})

SET_BY_LAMBDA = {**set_by_lambda(FUNCTION), "AWS_LAMBDA_INITIALIZATION_TYPE": ""}

READ_BY_POWERTOOLS = {"POWERTOOLS_LOG_LEVEL", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME"}

READ_BY_BOTO3 = {"AWS_ENDPOINT_URL"}

READ_BY_LIBC = {"RES_OPTIONS"}
"""Source: resolv.conf(5)."""


class Recording(Mapping[str, str]):
    """Notes every name that is asked for."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("settings are read by their names")

    def __len__(self) -> int:
        return len(self._variables)


def variables(function: str, parameter_set: str) -> dict[str, str]:
    set_there = deployment(parameter_set).resource(function).properties["Environment"]["Variables"]
    return {name: str(value) for name, value in set_there.items()}


@pytest.mark.parametrize("parameter_set", PARAMETER_SETS)
@pytest.mark.parametrize("function", ["IssueBillingFunction", "SettleFunction"])
def test_what_is_read_is_set_and_what_is_set_is_read(function: str, parameter_set: str) -> None:
    set_there = variables(function, parameter_set)
    environment = Recording({**SET_BY_LAMBDA, **set_there})
    read_settings(environment)
    read_by_libraries = READ_BY_POWERTOOLS | READ_BY_BOTO3 | READ_BY_LIBC
    assert environment.asked - SET_BY_LAMBDA.keys() | read_by_libraries == set_there.keys()


def test_outside_the_settings_the_code_reads_only_what_lambda_sets() -> None:
    read = {
        (path.name, name)
        for path in CODE.rglob("*.py")
        if path.name != "settings.py"
        for name in names_read(ast.parse(path.read_text("utf-8")))
    }
    assert {name for _, name in read} <= SET_BY_LAMBDA.keys(), read


def test_powertools_reads_the_variables_that_are_set_for_it() -> None:
    """In a fresh process, as it reads them when it is imported."""
    program = """
import os

asked, get = set(), type(os.environ).__getitem__
type(os.environ).__getitem__ = lambda self, name: (asked.add(name), get(self, name))[1]
from billing.observability import metrics, note_outcome

note_outcome("card_form_shown")
metrics.flush_metrics()
print(*sorted(name for name in asked if name.startswith("POWERTOOLS_") and name in os.environ))
"""
    done = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-c", program],
        cwd=CODE,
        env=lambda_environment(replace(FUNCTION, environment=variables(FUNCTION.name, "as it comes"))),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert set(done.stdout.splitlines()[-1].split()) == READ_BY_POWERTOOLS


def names_read(tree: ast.AST) -> Iterator[str]:
    """NAME of `os.environ["NAME"]`, `environment["NAME"]` and of `.get("NAME")` on them."""
    for node in ast.walk(tree):
        match node:
            case (
                ast.Subscript(value=owner, slice=ast.Constant(value=str(name)))
                | ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[ast.Constant(value=str(name)), *_])
            ) if re.search(r"environ(ment)?$", ast.unparse(owner)):
                yield name
