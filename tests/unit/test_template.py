"""What has to hold for template.yaml and samconfig.toml, beside what the linter knows."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from billing import messages
from infra.local.intrinsics import read_yaml
from infra.local.template import PROJECT, TEMPLATE, Template

API_GATEWAY_GIVES_UP_AFTER = 29
"""Seconds; "Quotas for REST APIs", API Gateway developer guide."""

GATEWAY_RESPONSES = Template().api("BillingApi").gateway_responses

API_GATEWAYS_OWN_WORDS = ("forbidden", "too_many_attempts")
"""It counts everybody's requests together, and so can't say that this caller tried too often."""

RESOURCES = read_yaml(TEMPLATE.read_text("utf-8"))["Resources"]

PHYSICAL_IDS = {name: name for name in RESOURCES}


def test_the_linter_finds_nothing() -> None:
    done = subprocess.run(  # noqa: S603 (our own command)
        [Path(sys.executable).parent / "cfn-lint", TEMPLATE], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.returncode) == ("", 0)


@pytest.mark.parametrize("response_type", GATEWAY_RESPONSES)
def test_api_gateway_answers_in_the_contracts_words(response_type: str) -> None:
    body = json.loads(GATEWAY_RESPONSES[response_type].template)
    assert body["status"] == "failed"
    assert body["request_id"] == "$context.requestId"
    assert re.search(r"[가-힣]", body["message"])
    if body["code"] not in API_GATEWAYS_OWN_WORDS:
        assert body["message"] == messages.BY_CODE[body["code"]]["ko"]


@pytest.mark.parametrize("response_type", GATEWAY_RESPONSES)
def test_any_page_may_read_what_api_gateway_answers(response_type: str) -> None:
    headers = GATEWAY_RESPONSES[response_type].headers
    assert headers["Access-Control-Allow-Origin"] == "'*'"
    assert headers["Content-Type"] == "'application/json; charset=utf-8'"


@pytest.mark.parametrize(
    ("response_type", "status", "code"),
    [
        ("DEFAULT_5XX", 504, "outcome_unknown"),
        ("DEFAULT_4XX", None, "invalid_request"),
        ("MISSING_AUTHENTICATION_TOKEN", 404, "not_found"),
        ("REQUEST_TOO_LARGE", 413, "too_large"),
        ("UNSUPPORTED_MEDIA_TYPE", 415, "unsupported_media_type"),
        ("THROTTLED", 429, "too_many_attempts"),
        ("QUOTA_EXCEEDED", 429, "too_many_attempts"),
        ("WAF_FILTERED", 403, "forbidden"),
    ],
)
def test_what_api_gateway_refuses_by_itself(response_type: str, status: int | None, code: str) -> None:
    response = GATEWAY_RESPONSES[response_type]
    assert (response.status_code, json.loads(response.template)["code"]) == (status, code)


@pytest.mark.parametrize("response_type", ["THROTTLED", "QUOTA_EXCEEDED"])
def test_who_asks_too_often_learns_when_to_ask_again(response_type: str) -> None:
    headers = GATEWAY_RESPONSES[response_type].headers
    assert int(headers["Retry-After"].strip("'")) > 0
    assert headers["Access-Control-Expose-Headers"] == "'Retry-After'"


def test_no_5xx_of_api_gateway_claims_that_nothing_was_sent() -> None:
    """The card may have been sent by then: only DEFAULT_5XX may answer for what went wrong behind the API."""
    answering_5xx = [name for name, response in GATEWAY_RESPONSES.items() if (response.status_code or 0) >= 500]
    assert answering_5xx == ["DEFAULT_5XX"]
    assert not any(name.startswith("INTEGRATION_") for name in GATEWAY_RESPONSES)


def test_access_logs_are_json_that_holds_nothing_of_what_the_caller_sent() -> None:
    written = json.loads(RESOURCES["BillingApi"]["Properties"]["AccessLogSetting"]["Format"])
    assert set(written.values()) == {
        *("$context.requestId", "$context.extendedRequestId", "$context.requestTime", "$context.httpMethod"),
        *("$context.resourcePath", "$context.status", "$context.error.responseType", "$context.responseLatency"),
        *("$context.integration.status", "$context.integrationLatency", "$context.responseLength"),
    }


def test_api_gateway_never_logs_bodies() -> None:
    for settings in RESOURCES["BillingApi"]["Properties"]["MethodSettings"]:
        assert settings["DataTraceEnabled"] is False
        assert settings["LoggingLevel"] == "OFF"


def test_the_function_ends_before_api_gateway_gives_up() -> None:
    assert Template().function("IssueBillingFunction", PHYSICAL_IDS).timeout_seconds < API_GATEWAY_GIVES_UP_AFTER


@pytest.mark.parametrize("role", ["IssueBillingRole", "SettleRole"])
def test_a_functions_role_names_every_action_and_resource(role: str) -> None:
    properties = RESOURCES[role]["Properties"]
    assert "ManagedPolicyArns" not in properties
    statements = [one for policy in properties["Policies"] for one in policy["PolicyDocument"]["Statement"]]
    assert statements
    for statement in statements:
        assert "*" not in "".join(_texts([statement["Action"], statement["Resource"]]))


@pytest.mark.parametrize("environment", ["default", "staging", "prod"])
def test_samconfig_deploys_each_environment_as_a_stack_of_its_own(environment: str) -> None:
    configuration = _samconfig()
    names = [configuration[name]["global"]["parameters"]["stack_name"] for name in ("default", "staging", "prod")]
    assert len(set(names)) == 3
    assert configuration[environment]["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"


@pytest.mark.parametrize("command", ["local_invoke", "local_start_api"])
def test_sam_local_replaces_only_variables_that_the_template_has(command: str) -> None:
    """It passes on no others."""
    file = _samconfig()["default"][command]["parameters"]["env_vars"]
    replaced = json.loads((PROJECT / file).read_text("utf-8"))["Parameters"]
    assert set(replaced) <= set(Template().function("IssueBillingFunction", PHYSICAL_IDS).environment)


def _samconfig() -> dict[str, Any]:
    return tomllib.loads((PROJECT / "samconfig.toml").read_text("utf-8"))


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            yield from _texts(list(value.values()))
        case list():
            for item in value:
                yield from _texts(item)
