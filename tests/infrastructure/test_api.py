"""What API Gateway answers and logs by itself, by the template."""

import json
import re

import pytest

from billing.web import messages
from infra.local.template import Template
from tests.infrastructure.stacks import PARAMETER_SETS, deployment

GATEWAY_RESPONSES = Template().api("BillingApi").gateway_responses

API_GATEWAYS_OWN_WORDS = ("too_many_attempts",)
"""It counts everybody's requests together, and so can't say that this caller tried too often."""


@pytest.mark.parametrize("response_type", GATEWAY_RESPONSES)
def test_api_gateway_answers_in_the_contracts_words(response_type: str) -> None:
    body = json.loads(GATEWAY_RESPONSES[response_type].template)
    assert body["status"] == "failed"
    assert body["request_id"] == "$context.extendedRequestId", "a caller may choose the other one"
    assert re.search(r"[가-힣]", body["message"])
    if body["code"] not in API_GATEWAYS_OWN_WORDS:
        assert body["message"] == messages.BY_CODE[body["code"]]["ko"]


@pytest.mark.parametrize("response_type", GATEWAY_RESPONSES)
def test_any_page_may_read_what_api_gateway_answers(response_type: str) -> None:
    headers = GATEWAY_RESPONSES[response_type].headers
    assert headers["Access-Control-Allow-Origin"] == "'*'"
    assert headers["Content-Type"] == "'application/json; charset=utf-8'"


@pytest.mark.parametrize("response_type", GATEWAY_RESPONSES)
def test_nobody_keeps_what_api_gateway_answers_or_takes_it_for_something_else(response_type: str) -> None:
    headers = GATEWAY_RESPONSES[response_type].headers
    assert headers["Cache-Control"] == "'no-store'"
    assert headers["X-Content-Type-Options"] == "'nosniff'"


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


@pytest.mark.parametrize("response_type", ["THROTTLED", "QUOTA_EXCEEDED", "DEFAULT_5XX"])
def test_who_has_to_wait_learns_when_to_ask_again(response_type: str) -> None:
    headers = GATEWAY_RESPONSES[response_type].headers
    assert int(headers["Retry-After"].strip("'")) > 0
    assert headers["Access-Control-Expose-Headers"] == "'Retry-After'"


def test_no_5xx_of_api_gateway_claims_that_nothing_was_sent() -> None:
    """The card may have been sent by then: only DEFAULT_5XX may answer for what went wrong behind the API."""
    answering_5xx = [name for name, response in GATEWAY_RESPONSES.items() if (response.status_code or 0) >= 500]
    assert answering_5xx == ["DEFAULT_5XX"]
    assert not any(name.startswith("INTEGRATION_") for name in GATEWAY_RESPONSES)


@pytest.mark.parametrize("parameter_set", PARAMETER_SETS)
def test_access_logs_are_json_that_holds_nothing_of_what_the_caller_sent(parameter_set: str) -> None:
    for stage in deployment(parameter_set).of_type("AWS::ApiGateway::Stage"):
        written = json.loads(stage.properties["AccessLogSetting"]["Format"])
        assert written["request_id"] == "$context.extendedRequestId", "as in the answer"
        assert set(written.values()) == {
            *("$context.requestId", "$context.extendedRequestId", "$context.requestTime", "$context.httpMethod"),
            *("$context.resourcePath", "$context.status", "$context.error.responseType", "$context.responseLatency"),
            *("$context.integration.status", "$context.integrationLatency", "$context.responseLength"),
        }


@pytest.mark.parametrize("parameter_set", PARAMETER_SETS)
def test_api_gateway_never_logs_or_traces_bodies(parameter_set: str) -> None:
    [stage] = deployment(parameter_set).of_type("AWS::ApiGateway::Stage")
    assert stage.properties["TracingEnabled"] is False
    [settings] = stage.properties["MethodSettings"]
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    assert settings["DataTraceEnabled"] is False
    assert settings["LoggingLevel"] == "OFF"


@pytest.mark.parametrize("parameter_set", PARAMETER_SETS)
def test_the_api_takes_no_tls_older_than_1_2(parameter_set: str) -> None:
    [api] = deployment(parameter_set).of_type("AWS::ApiGateway::RestApi")
    assert api.properties["SecurityPolicy"].startswith(("SecurityPolicy_TLS13_1_2_", "SecurityPolicy_TLS13_1_3_"))


def test_a_domain_of_the_merchants_own_takes_no_tls_older_than_1_2() -> None:
    [domain] = deployment("all that can be turned on").of_type("AWS::ApiGateway::DomainName")
    assert domain.properties["SecurityPolicy"] == "TLS_1_2"
