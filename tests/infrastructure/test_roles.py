"""Who may do what: each role names its actions and its resources, and nobody else may take it on."""

from collections.abc import Iterator
from itertools import product

import pytest

from tests.infrastructure.policies import (
    AWS_MANAGED,
    Request,
    Statement,
    allows,
    read_statements,
    several,
    statements_of,
)
from tests.infrastructure.stacks import ON_ITS_OWN, PARAMETER_SETS, Deployment, Resource, deployment

FUNCTION_ROLES = ("IssueBillingRole", "SettleRole")

WITHOUT_A_RESOURCE = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}
"""What Lambda does in a role's name before a function is in a VPC: to interfaces that have no name yet.

Source: AWS Lambda developer guide, "Giving Lambda functions access to resources in an Amazon VPC", IAM permissions.
"""

TAKEN_ON_BY = {
    "EventPipeRole": "pipes.amazonaws.com",
    "IssueBillingRole": "lambda.amazonaws.com",
    "Role": "events.amazonaws.com",  # of infra/webhook.yaml
    "SettleRole": "lambda.amazonaws.com",
    "ShiftTrafficRole": "codedeploy.amazonaws.com",
}

MANAGED_BY_AWS = {
    "ShiftTrafficRole": {"AWSCodeDeployRoleForLambda"},
}
"""Roles of AWS's own services, with the policies that its documentation names for them."""

EVERY_SET = pytest.mark.parametrize("parameter_set", PARAMETER_SETS)


def roles(deployed: Deployment) -> list[Resource]:
    return [role for role in deployed.of_type("AWS::IAM::Role") if role.stack not in ON_ITS_OWN]


@EVERY_SET
def test_each_function_has_a_role_of_its_own(parameter_set: str) -> None:
    deployed = deployment(parameter_set)
    arns = {function.properties["Role"] for function in deployed.of_type("AWS::Lambda::Function")}
    assert {arn.rpartition("-")[2] for arn in arns} == set(FUNCTION_ROLES)


@EVERY_SET
def test_every_role_names_its_actions_and_resources(parameter_set: str) -> None:
    deployed = deployment(parameter_set)
    log_groups = {group.returned["Arn"] for group in deployed.of_type("AWS::Logs::LogGroup")}
    for role in roles(deployed):
        for statement in statements_of(role, deployed):
            assert not any("*" in action for action in statement.actions)
            if not set(statement.actions) <= WITHOUT_A_RESOURCE:
                # A log group's own ARN ends in ":*", which stands for its streams.
                assert not any("*" in resource for resource in set(statement.resources) - log_groups)


@EVERY_SET
def test_only_the_service_of_aws_that_a_role_is_for_may_take_it_on(parameter_set: str) -> None:
    for role in roles(deployment(parameter_set)):
        [statement] = role.properties["AssumeRolePolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Action"]) == ("Allow", "sts:AssumeRole")
        assert statement["Principal"] == {"Service": TAKEN_ON_BY[role.name]}


@EVERY_SET
def test_only_awss_own_services_have_policies_managed_by_aws(parameter_set: str) -> None:
    for role in roles(deployment(parameter_set)):
        managed = [arn for arn in role.properties.get("ManagedPolicyArns", []) if arn.startswith(AWS_MANAGED)]
        assert {arn.rpartition("/")[2] for arn in managed} == MANAGED_BY_AWS.get(role.name, set())


def test_no_role_of_the_service_exceeds_the_boundary_that_the_pipeline_requires() -> None:
    deployed = deployment("all that can be turned on")
    boundary = deployed.resource("Boundary", "infra/deploy-role.yaml")
    for role in roles(deployed):
        assert role.properties["PermissionsBoundary"] == boundary.returned["Ref"]


def test_the_boundary_takes_nothing_from_a_role() -> None:
    deployed = deployment("all that can be turned on")
    boundary = list(
        read_statements(deployed.resource("Boundary", "infra/deploy-role.yaml").properties["PolicyDocument"])
    )
    for role in roles(deployed):
        for request in requests_allowed_by(statements_of(role, deployed)):
            assert allows(boundary, request), (role.name, request)


def requests_allowed_by(statements: list[Statement]) -> Iterator[Request]:
    """One for each action, resource and value of a condition."""
    for statement in statements:
        if statement.effect == "Allow":
            through = statement.conditions.get("StringEquals", {}).get("kms:ViaService", [""])
            for action, resource, service in product(statement.actions, statement.resources, several(through)):
                yield Request(action, resource, {"kms:ViaService": service})
