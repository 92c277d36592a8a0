"""What the pipeline may do: deploy this stack, and nothing that would let it do more."""

import pytest

from infra.local.intrinsics import ACCOUNT_ID, REGION, read_yaml
from infra.local.template import PROJECT
from tests.infrastructure.policies import Request, allows, read_statements, statements_of
from tests.infrastructure.stacks import KMS_KEY, MAIN, ON_ITS_OWN, Resource, deployment, on_its_own

DEPLOY_ROLE = "infra/deploy-role.yaml"

EVERYTHING = deployment("all that can be turned on")

ROLE_OF_THE_STACK = f"arn:aws:iam::{ACCOUNT_ID}:role/card-door-RolesApplication-AbCdEf-IssueBillingRole-AbCdEf"

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


@pytest.mark.parametrize("action", ["kms:CreateKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:TagResource"])
def test_the_pipeline_makes_no_key_and_takes_none_over(action: str) -> None:
    assert not may("CloudFormationRole", action, KMS_KEY, {})


def test_the_pipeline_uses_keys_only_through_what_they_encrypt() -> None:
    """The account may have keys for other things, and its policies name none of them."""
    for service, allowed in (("dynamodb", True), ("secretsmanager", True), ("s3", False)):
        context = {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}
        assert may("CloudFormationRole", "kms:Decrypt", KMS_KEY, context) is allowed
    assert not may("CloudFormationRole", "kms:Decrypt", KMS_KEY, {})


def test_the_pipeline_makes_the_secrets_and_has_one_generated() -> None:
    for name in ("IamportSecret", "FingerprintSecret"):
        secret = deployment("as it comes").resource(name).returned["Ref"]
        assert may("CloudFormationRole", "secretsmanager:CreateSecret", secret, {})
    assert may("CloudFormationRole", "secretsmanager:GetRandomPassword", "*", {})


def test_cloudformation_takes_its_role_on_without_a_condition() -> None:
    """aws:SourceAccount is documented for other services' roles, not for CloudFormation's service role: where it is not
    sent, nothing can be deployed.

    Source: CloudFormation user guide, "CloudFormation service role".
    """
    [statement] = own("CloudFormationRole").properties["AssumeRolePolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "cloudformation.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }


EVENTS = f"arn:aws:events:{REGION}:{ACCOUNT_ID}"
SECRETS = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT_ID}:secret"
IAM = f"arn:aws:iam::{ACCOUNT_ID}"
API_DESTINATIONS = "apidestinations.events.amazonaws.com"


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        # The handlers of AWS::IAM::ManagedPolicy and AWS::Lambda::Function (CloudFormation's schemas, "handlers").
        ("iam:ListEntitiesForPolicy", f"{IAM}:policy/card-door-RolesApplication-AbCdEf-UseKey-AbCdEf", {}),
        ("ec2:DescribeNetworkInterfaces", "*", {}),
        # GenerateSecretString, AWS::Events::Archive, Connection and ApiDestination (the same).
        ("secretsmanager:GetRandomPassword", "*", {}),
        ("events:CreateArchive", f"{EVENTS}:archive/card-door-events", {}),
        ("events:CreateConnection", f"{EVENTS}:connection/card-door-webhook", {}),
        ("events:CreateApiDestination", f"{EVENTS}:api-destination/card-door-webhook", {}),
        # EventBridge user guide, "Connections for endpoint targets": what is signed in with is a secret of this name.
        ("secretsmanager:CreateSecret", f"{SECRETS}:events!connection/card-door-webhook/0", {}),
        ("iam:PassRole", f"{IAM}:role/card-door-WebhookRole-AbCdEf", {"iam:PassedToService": "events.amazonaws.com"}),
        # EventBridge user guide, "Service-linked role for API destinations".
        (
            "iam:CreateServiceLinkedRole",
            f"{IAM}:role/aws-service-role/{API_DESTINATIONS}/AWSServiceRoleForAmazonEventBridgeApiDestinations",
            {"iam:AWSServiceName": API_DESTINATIONS},
        ),
    ],
)
def test_the_pipeline_may_do_what_the_templates_handlers_do(
    action: str, resource: str, context: dict[str, str]
) -> None:
    assert may("CloudFormationRole", action, resource, context)


BOUND = list(read_statements(own("Boundary").properties["PolicyDocument"]))


@pytest.mark.parametrize(("service", "allowed"), [("card-door", True), ("payroll", False)])
def test_the_boundary_lets_events_be_posted_to_the_services_own_address(service: str, allowed: bool) -> None:
    request = Request("events:InvokeApiDestination", f"{EVENTS}:api-destination/{service}-webhook/0", {})
    assert allows(BOUND, request) is allowed


@pytest.mark.parametrize("action", ["logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartQuery"])
def test_no_role_of_the_service_can_read_a_log(action: str) -> None:
    group = f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:/aws/lambda/card-door-issue-billing:*"
    assert not allows(BOUND, Request(action, group, {}))


MADE_UP_NAMES_END_AFTER = 64
"""Of roles and functions. Source: CloudFormation template reference, AWS::IAM::Role and AWS::Lambda::Function."""


@pytest.mark.parametrize("resource_type", ["AWS::IAM::Role", "AWS::Lambda::Function"])
def test_the_longest_name_of_a_stack_is_left_whole_in_the_names_that_cloudformation_makes_up(
    resource_type: str,
) -> None:
    """Else the pipeline may not make them, as they don't begin with it.

    Of a long name, twelve signs at the end and the dashes stay, half of the rest at most is the logical id, and the
    stack's name, or the nested stack's that begins with it, is cut to what is left. Source: CloudFormation CLI, Python
    plugin, identifier_utils.py; it agrees with names that CloudFormation made up.
    """
    declared = read_yaml((PROJECT / DEPLOY_ROLE).read_text("utf-8"))["Parameters"]["ServiceStackName"]
    made = [one for one in EVERYTHING.of_type(resource_type) if one.stack not in ON_ITS_OWN]
    assert made
    for resource in made:
        left = MADE_UP_NAMES_END_AFTER - len("--0123456789ab")
        left -= min(left // 2, len(resource.name))
        own_part = declared["MaxLength"] + len("-" if resource.stack != MAIN else "")
        assert own_part <= left, (resource.stack, resource.name)


# ---- Two environments in one account ----

STAGING = on_its_own(DEPLOY_ROLE, ServiceStackName="card-door-staging", Environment="staging")

STACK_NAME_TAG = "aws:ResourceTag/aws:cloudformation:stack-name"
"""CloudFormation puts it on what can have tags (user guide, "Resource tags"), and nobody else can: AWS keeps names that
begin with `aws:` for itself. Source for what an API's parts inherit: API Gateway developer guide, "API Gateway
resources that can be tagged".
"""


def staging_may(action: str, resource: str, context: dict[str, str]) -> bool:
    role = STAGING.resource("CloudFormationRole", DEPLOY_ROLE)
    return allows(statements_of(role, STAGING), Request(action, resource, context))


API = f"arn:aws:apigateway:{REGION}::/restapis/a1b2c3d4e5"
DOMAIN = f"arn:aws:apigateway:{REGION}::/domainnames/cards.shop.example"
SETTINGS = f"arn:aws:appconfig:{REGION}:{ACCOUNT_ID}:application/a1b2c3d"


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("apigateway:DELETE", API),
        ("apigateway:PATCH", f"{API}/stages/v1"),
        ("apigateway:SetWebACL", f"{API}/stages/v1"),  # who puts a firewall in front of it, or takes it away
        ("apigateway:UpdateRestApiPolicy", API),
        ("apigateway:PATCH", DOMAIN),
        ("apigateway:POST", f"{DOMAIN}/basepathmappings"),
        ("appconfig:DeleteApplication", SETTINGS),
    ],
)
@pytest.mark.parametrize(
    ("stack", "allowed"),
    [
        ("card-door-staging", True),
        ("card-door-staging-DomainApplication-AbCdEf", True),
        ("card-door", False),
        ("card-door-DomainApplication-AbCdEf", False),
        (None, False),
    ],
)
def test_staging_changes_by_their_tags_its_own_api_domain_and_settings_and_no_others(
    action: str, resource: str, stack: str | None, allowed: bool
) -> None:
    context = {} if stack is None else {STACK_NAME_TAG: stack}
    assert staging_may(action, resource, context) is allowed


@pytest.mark.parametrize("resource_type", ["AWS::WAFv2::WebACL", "AWS::Pipes::Pipe", "AWS::Events::Archive"])
def test_staging_reaches_neither_firewall_pipe_nor_archive_of_prod(resource_type: str) -> None:
    """They have names of the stack's, as their ARNs are made of them."""
    [prods] = EVERYTHING.of_type(resource_type)
    arn = prods.returned["Arn"]
    service = arn.split(":")[2]
    assert not staging_may(f"{service}:DeleteAnything", arn, {})
    assert staging_may(f"{service}:DeleteAnything", arn.replace("/card-door-", "/card-door-staging-"), {})
    assert may("CloudFormationRole", f"{service}:DeleteAnything", arn, {})


def test_staging_reaches_nothing_of_prod_by_its_name() -> None:
    """Whatever there is of it: what has no tag in the request is bound by its name, or not allowed at all."""
    arns = {
        arn for resource in EVERYTHING.resources for arn in map(str, resource.returned.values()) if arn[:4] == "arn:"
    }
    assert len(arns) > 50
    for arn in arns:
        service = arn.split(":")[2]
        for verb in ("Create", "Delete", "Get", "Pass", "Put", "Update"):
            assert not staging_may(f"{service}:{verb}Anything", arn, {}), arn


@pytest.mark.parametrize(("name", "allowed"), [("card-door-staging", True), ("card-door", False)])
def test_staging_makes_no_api_of_another_name(name: str, allowed: bool) -> None:
    """Source: Service Authorization Reference, Amazon API Gateway Management, apigateway:Request/ApiName."""
    every_api = f"arn:aws:apigateway:{REGION}::/restapis"
    assert staging_may("apigateway:POST", every_api, {"apigateway:Request/ApiName": name}) is allowed


def test_staging_cannot_touch_the_accounts_log_role() -> None:
    assert not staging_may("apigateway:PATCH", f"arn:aws:apigateway:{REGION}::/account", {})
