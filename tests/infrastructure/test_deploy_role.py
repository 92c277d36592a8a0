"""What the pipeline may do: deploy this stack, and nothing that would let it do more."""

import pytest

from infra.local.intrinsics import ACCOUNT_ID, REGION
from tests.infrastructure.policies import Request, allows, statements_of
from tests.infrastructure.stacks import Resource, deployment

DEPLOY_ROLE = "infra/deploy-role.yaml"

EVERYTHING = deployment("all that can be turned on")

ROLE_OF_THE_STACK = f"arn:aws:iam::{ACCOUNT_ID}:role/card-door-IssueBillingRole-AbCdEf"

BOUNDARY = {"iam:PermissionsBoundary": EVERYTHING.resource("Boundary", DEPLOY_ROLE).returned["Ref"]}

MAKES_OR_CHANGES_ROLES = (
    *("iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy"),
    *("iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"),
)
"""The actions on roles that know the condition iam:PermissionsBoundary.

Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and Access
Management".
"""

LIFTS_THE_BOUNDARY = ("iam:DeleteRolePermissionsBoundary", "iam:UpdateAssumeRolePolicy", "iam:CreateUser")


def own(name: str) -> Resource:
    return EVERYTHING.resource(name, DEPLOY_ROLE)


def may(role: str, action: str, resource: str, context: dict[str, str]) -> bool:
    return allows(statements_of(own(role), EVERYTHING), Request(action, resource, context))


def test_only_jobs_of_this_repositorys_environment_may_deploy() -> None:
    [statement] = own("GitHubRole").properties["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": "repo:shop/card-door:environment:prod",
        }
    }


@pytest.mark.parametrize(
    ("stack", "role", "allowed"),
    [
        ("card-door", "CloudFormationRole", True),
        ("card-door", "GitHubRole", False),
        ("payroll", "CloudFormationRole", False),
    ],
)
def test_github_changes_this_stack_alone_and_only_with_cloudformations_role(
    stack: str, role: str, allowed: bool
) -> None:
    arn = f"arn:aws:cloudformation:{REGION}:{ACCOUNT_ID}:stack/{stack}/0"
    context = {"cloudformation:RoleArn": own(role).returned["Arn"]}
    assert may("GitHubRole", "cloudformation:CreateChangeSet", arn, context) is allowed
    assert may("GitHubRole", "cloudformation:CreateChangeSet", arn, {}) is False


@pytest.mark.parametrize("action", MAKES_OR_CHANGES_ROLES)
def test_no_role_is_made_or_changed_without_the_boundary(action: str) -> None:
    assert may("CloudFormationRole", action, ROLE_OF_THE_STACK, BOUNDARY)
    assert not may("CloudFormationRole", action, ROLE_OF_THE_STACK, {})
    assert not may("GitHubRole", action, ROLE_OF_THE_STACK, BOUNDARY)


@pytest.mark.parametrize("action", LIFTS_THE_BOUNDARY)
def test_what_would_lift_the_boundary_is_allowed_to_nobody(action: str) -> None:
    assert not may("CloudFormationRole", action, ROLE_OF_THE_STACK, BOUNDARY)


@pytest.mark.parametrize("action", ["iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeleteRole", "iam:PassRole"])
def test_the_pipeline_can_change_none_of_its_own_roles_and_policies(action: str) -> None:
    """Their path begins no name that its policies allow."""
    for resource in EVERYTHING.resources:
        if resource.stack == DEPLOY_ROLE and resource.type in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy"):
            kind = "role" if resource.type == "AWS::IAM::Role" else "policy"
            arn = f"arn:aws:iam::{ACCOUNT_ID}:{kind}{resource.properties['Path']}card-door-{resource.name}"
            assert not may("CloudFormationRole", action, arn, {"iam:PassedToService": "lambda.amazonaws.com"})


def test_the_pipeline_deletes_the_alarms_key_by_its_tag_and_no_other_key() -> None:
    key = deployment("with what the account has").resource("AlarmKey", "infra/monitoring.yaml")
    of_the_key = {f"aws:ResourceTag/{tag['Key']}": tag["Value"] for tag in key.properties["Tags"]}
    assert may("CloudFormationRole", "kms:ScheduleKeyDeletion", key.returned["Arn"], of_the_key)
    for other in ({}, dict.fromkeys(of_the_key, "payroll")):
        assert not may("CloudFormationRole", "kms:ScheduleKeyDeletion", key.returned["Arn"], other)


@pytest.mark.parametrize(("action", "allowed"), [("kms:EnableKeyRotation", True), ("kms:PutKeyPolicy", False)])
def test_the_pipeline_sets_up_a_key_and_takes_none_over(action: str, allowed: bool) -> None:
    """By no tag: that of a new key may count only minutes later, and any key could be given one."""
    key = deployment("with what the account has").resource("AlarmKey", "infra/monitoring.yaml")
    of_the_key = {f"aws:ResourceTag/{tag['Key']}": tag["Value"] for tag in key.properties["Tags"]}
    assert may("CloudFormationRole", action, key.returned["Arn"], of_the_key) is allowed
    assert may("CloudFormationRole", action, key.returned["Arn"], {}) is allowed


def test_the_pipeline_makes_the_secrets_and_has_one_generated() -> None:
    for name in ("IamportSecret", "FingerprintSecret"):
        secret = deployment("as it comes").resource(name).returned["Ref"]
        assert may("CloudFormationRole", "secretsmanager:CreateSecret", secret, {})
    assert may("CloudFormationRole", "secretsmanager:GetRandomPassword", "*", {})
