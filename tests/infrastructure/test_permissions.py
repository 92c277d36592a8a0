"""Each function's role allows the calls that the function makes, and nothing else."""

from collections.abc import Iterator, Mapping

import pytest

from infra.local.aws import Aws
from infra.local.intrinsics import REGION
from tests.infrastructure.conftest import Call, Calls
from tests.infrastructure.every_way import Surroundings, issue_in_every_way, leave_attempts_open, settle_in_every_way
from tests.infrastructure.policies import Request, Statement, allows, statements_of
from tests.infrastructure.stacks import KMS_KEY, PARAMETER_SETS, Deployment, deployment
from tests.infrastructure.test_roles import WITHOUT_A_RESOURCE

ROLES = "infra/roles.yaml"

FUNCTIONS = {"IssueBillingFunction": "IssueBillingRole", "SettleFunction": "SettleRole"}

Permission = tuple[str, str]
"""An action, as `dynamodb:PutItem`, and the ARN of a resource."""

WRITES_OF_A_TRANSACTION = {
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Delete": "dynamodb:DeleteItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
}
"""Source: DynamoDB developer guide, "Using IAM with DynamoDB transactions". Other operations are called as they are."""

WRITTEN_BY_LAMBDA = ("logs:CreateLogStream", "logs:PutLogEvents")
"""What Lambda calls in the role's name. Source: AWS Lambda developer guide, "Execution role"."""

BY_THE_FUNCTION = {"lambda:SourceFunctionArn": "arn:aws:lambda:::function"}
"""Lambda adds it to what the function's own code asks for, and to nothing else."""


def test_the_issuing_role_allows_what_its_function_calls_and_nothing_else(
    around: Surroundings, calls: Calls, aws: Aws
) -> None:
    calls.forget()
    issue_in_every_way(around)
    only_what_is_called_is_allowed("IssueBillingFunction", calls.read(), aws)


def test_the_settlers_role_allows_what_its_function_calls_and_nothing_else(
    around: Surroundings, calls: Calls, aws: Aws
) -> None:
    leave_attempts_open(around)
    calls.forget()
    settle_in_every_way(around)
    only_what_is_called_is_allowed("SettleFunction", calls.read(), aws)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_functions_own_code_may_do_nothing_to_the_network(function: str) -> None:
    statements = statements_for(function, deployment("all that can be turned on"))
    for action in WITHOUT_A_RESOURCE:
        assert allows(statements, Request(action, "*", {})), "Lambda may, before the function runs"
        assert not allows(statements, Request(action, "*", BY_THE_FUNCTION))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_operators_key_decrypts_only_for_the_services_that_keep_the_data(function: str) -> None:
    statements = statements_for(function, deployment("all that can be turned on"))
    for service in ("secretsmanager", "dynamodb"):
        context = {**BY_THE_FUNCTION, "kms:ViaService": f"{service}.{REGION}.amazonaws.com"}
        assert allows(statements, Request("kms:Decrypt", KMS_KEY, context))
    assert not allows(statements, Request("kms:Decrypt", KMS_KEY, BY_THE_FUNCTION))


def only_what_is_called_is_allowed(function: str, seen: list[Call], aws: Aws) -> None:
    for parameter_set in PARAMETER_SETS:
        deployed = deployment(parameter_set)
        statements = statements_for(function, deployed)
        called = {permission for call in seen for permission in permissions(call, arns(function, deployed, aws))}
        for action, resource in called:
            assert allows(statements, Request(action, resource, BY_THE_FUNCTION)), (parameter_set, action, resource)
        allowed = {
            (action, resource)
            for statement in statements
            if statement.effect == "Allow"
            for action in statement.actions
            for resource in statement.resources
        }
        assert allowed - on_its_behalf(function, parameter_set) == called, parameter_set


def statements_for(function: str, deployed: Deployment) -> list[Statement]:
    return statements_of(deployed.resource(FUNCTIONS[function], ROLES), deployed)


def arns(function: str, deployed: Deployment, aws: Aws) -> Mapping[str, str]:
    """What the function names in its calls to AWS's stand-in, to its ARN in the cloud."""
    environment = deployed.resource(function).properties["Environment"]["Variables"]
    return {
        aws.physical_ids["AttemptsTable"]: deployed.resource("AttemptsTable").returned["Arn"],
        aws.physical_ids["IamportSecret"]: environment["IAMPORT_SECRET_ID"],
        aws.physical_ids["FingerprintSecret"]: environment["FINGERPRINT_SECRET_ID"],
    }


def permissions(call: Call, arn_of: Mapping[str, str]) -> Iterator[Permission]:
    match call.operation.split("."):
        case ["secretsmanager", operation]:
            yield f"secretsmanager:{operation}", arn_of[call.parameters["SecretId"]]
        case ["DynamoDB", "TransactWriteItems"]:
            for item in call.parameters["TransactItems"]:
                [(kind, write)] = item.items()
                yield WRITES_OF_A_TRANSACTION[kind], arn_of[write["TableName"]]
        case ["DynamoDB", operation]:
            index = f"/index/{call.parameters['IndexName']}" if "IndexName" in call.parameters else ""
            yield f"dynamodb:{operation}", arn_of[call.parameters["TableName"]] + index
        case _:
            raise NotImplementedError(call.operation)


def on_its_behalf(function: str, parameter_set: str) -> set[Permission]:
    """What AWS's services do in the role's name."""
    deployed = deployment(parameter_set)
    log_group_name = deployed.resource(function).properties["LoggingConfig"]["LogGroup"]
    [log_group] = [one for one in deployed.of_type("AWS::Logs::LogGroup") if one.returned["Ref"] == log_group_name]
    expected = {(action, log_group.returned["Arn"]) for action in WRITTEN_BY_LAMBDA}
    if "KmsKeyArn" in PARAMETER_SETS[parameter_set]:
        expected.add(("kms:Decrypt", KMS_KEY))
    if "SubnetIds" in PARAMETER_SETS[parameter_set]:
        expected |= {(action, "*") for action in WITHOUT_A_RESOURCE}
    return expected
