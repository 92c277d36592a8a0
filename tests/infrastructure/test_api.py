"""What API Gateway answers and logs by itself, by the template."""

import json
import re

import pytest

from billing.web import messages
from infra.local.intrinsics import read_yaml
from infra.local.template import PROJECT, Template
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


WITH_ACCESS_LOGS = [name for name, given in PARAMETER_SETS.items() if given.get("AccessLogs") == "on"]


@pytest.mark.parametrize("parameter_set", WITH_ACCESS_LOGS)
def test_access_logs_are_json_that_holds_of_the_caller_only_the_address(parameter_set: str) -> None:
    [stage] = deployment(parameter_set).of_type("AWS::ApiGateway::Stage")
    written = json.loads(stage.properties["AccessLogSetting"]["Format"])
    assert written["request_id"] == "$context.extendedRequestId", "as in the answer"
    assert set(written.values()) == {
        *("$context.requestId", "$context.extendedRequestId", "$context.requestTime", "$context.httpMethod"),
        *("$context.resourcePath", "$context.status", "$context.error.responseType", "$context.responseLatency"),
        *("$context.integration.status", "$context.integrationLatency", "$context.responseLength"),
        "$context.identity.sourceIp",
    }


def test_a_first_deployment_asks_nothing_of_the_account() -> None:
    """Without the account's log role, API Gateway refuses a stage with an access log ("Set up CloudWatch logging for
    REST APIs in API Gateway"). The group is there in any case: retained and of a fixed name, it can't be made twice.
    """
    deployed = deployment("as it comes")
    [stage] = deployed.of_type("AWS::ApiGateway::Stage")
    assert "AccessLogSetting" not in stage.properties
    assert deployed.resource("ApiAccessLogGroup").properties["LogGroupName"] == "/aws/apigateway/card-door-access"


@pytest.mark.parametrize("parameter_set", PARAMETER_SETS)
def test_the_service_changes_no_setting_of_the_account(parameter_set: str) -> None:
    """API Gateway has one log role for all APIs of an account and region: who sets it replaces that of the others.

    Source: CloudFormation template reference, AWS::ApiGateway::Account.
    """
    accounts = deployment(parameter_set).of_type("AWS::ApiGateway::Account")
    assert {account.stack for account in accounts} == {"infra/api-gateway-account.yaml"}


def test_the_accounts_log_role_is_set_once_there_is_an_api_and_stays_when_its_stack_goes() -> None:
    """Source: CloudFormation template reference, AWS::ApiGateway::Account: in an account without any API it "must" have
    a DependsOn on one. Without Retain, the role of all other APIs would go with this stack.
    """
    resources = read_yaml((PROJECT / "infra/api-gateway-account.yaml").read_text("utf-8"))["Resources"]
    account, role = resources["Account"], resources["Role"]
    assert resources[account["DependsOn"]]["Type"] == "AWS::ApiGateway::RestApi"
    assert account["Properties"]["CloudWatchRoleArn"] == {"Fn::GetAtt": ["Role", "Arn"]}
    for kept in (account, role):
        assert kept["DeletionPolicy"] == kept["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("parameter_set", PARAMETER_SETS)
def test_api_gateway_never_logs_or_traces_bodies(parameter_set: str) -> None:
    [stage] = deployment(parameter_set).of_type("AWS::ApiGateway::Stage")
    assert stage.properties["TracingEnabled"] is False
    [settings] = stage.properties["MethodSettings"]
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    assert settings["DataTraceEnabled"] is False
    assert settings["LoggingLevel"] == "OFF"


@pytest.mark.parametrize("parameter_set", PARAMETER_SETS)
def test_api_gateway_counts_nothing_that_nobody_looks_at(parameter_set: str) -> None:
    """`MetricsEnabled` adds metrics by method and resource, which are charged for; those of the stage are free.

    Source: API Gateway developer guide, "Amazon API Gateway dimensions and metrics".
    """
    [stage] = deployment(parameter_set).of_type("AWS::ApiGateway::Stage")
    [settings] = stage.properties["MethodSettings"]
    assert settings["MetricsEnabled"] is False


def test_the_stage_keeps_its_logical_id() -> None:
    """SAM puts a plain StageName into it: another id would be another stage, of the same name as the one that is there.

    Source: SAM developer guide, "Generated CloudFormation resources": AWS::Serverless::Api.
    """
    [stage] = deployment("as it comes").of_type("AWS::ApiGateway::Stage")
    assert (stage.name, stage.properties["StageName"]) == ("BillingApiStage", "v1")


@pytest.mark.parametrize("parameter_set", PARAMETER_SETS)
def test_no_api_takes_tls_older_than_1_2(parameter_set: str) -> None:
    for api in deployment(parameter_set).of_type("AWS::ApiGateway::RestApi"):
        assert api.properties["SecurityPolicy"].startswith(("SecurityPolicy_TLS13_1_2_", "SecurityPolicy_TLS13_1_3_"))


def test_a_domain_of_the_merchants_own_takes_no_tls_older_than_1_2() -> None:
    [domain] = deployment("all that can be turned on").of_type("AWS::ApiGateway::DomainName")
    assert domain.properties["SecurityPolicy"] == "TLS_1_2"
