"""infra/webhook.yaml: every event is posted to the merchant's server, and what it doesn't take is not lost."""

import pytest

from infra.local.intrinsics import STACK_NAME
from tests.infrastructure.policies import Request, allows, read_statements, statements_of
from tests.infrastructure.stacks import PARAMETER_SETS, Resource, deployment, service

WEBHOOK = "infra/webhook.yaml"

EVERYTHING = deployment("all that can be turned on")
DAY = 24 * 3600


def own(name: str) -> Resource:
    return EVERYTHING.resource(name, WEBHOOK)


TARGETS = own("Rule").properties["Targets"]


def test_every_event_of_the_bus_is_posted_to_the_address() -> None:
    rule, destination = own("Rule").properties, own("Destination")
    [bus] = EVERYTHING.of_type("AWS::Events::EventBus")
    pipe = EVERYTHING.resource("EventPipe").properties["TargetParameters"]["EventBridgeEventBusParameters"]
    assert (rule["EventBusName"], rule["EventPattern"]) == (bus.returned["Ref"], {"source": [pipe["Source"]]})
    assert [target["Arn"] for target in TARGETS] == [destination.returned["Arn"]]
    assert destination.properties["HttpMethod"] == "POST"
    assert destination.properties["InvocationEndpoint"] == (PARAMETER_SETS["all that can be turned on"]["WebhookUrl"])


def test_a_server_may_be_down_for_a_day() -> None:
    """Source: EventBridge API reference, RetryPolicy: the most that it takes."""
    assert [target["RetryPolicy"] for target in TARGETS] == [
        {"MaximumEventAgeInSeconds": DAY, "MaximumRetryAttempts": 185}
    ]


def test_what_is_not_taken_lies_in_a_queue_that_eventbridge_can_write_into() -> None:
    """Source: EventBridge user guide, "Using dead-letter queues", "Granting permissions to the dead-letter queue"."""
    queue = own("Undelivered")
    assert [target["DeadLetterConfig"]["Arn"] for target in TARGETS] == [queue.returned["Arn"]]
    assert "KmsMasterKeyId" not in queue.properties
    policy = own("UndeliveredPolicy").properties
    assert policy["Queues"] == [queue.returned["Ref"]]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement == {
        "Sid": "FromTheRule",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue.returned["Arn"],
        "Condition": {"ArnEquals": {"aws:SourceArn": own("Rule").returned["Arn"]}},
    }


def test_the_key_is_made_by_secrets_manager_and_stands_in_no_template() -> None:
    key = own("WebhookKey")
    assert key.properties["GenerateSecretString"] == {"PasswordLength": 64, "ExcludePunctuation": True}
    assert "SecretString" not in key.properties
    given = own("Connection").properties["AuthParameters"]["ApiKeyAuthParameters"]
    assert given == {
        "ApiKeyName": "X-Api-Key",
        "ApiKeyValue": f"{{{{resolve:secretsmanager:{key.returned['Ref']}:SecretString}}}}",
    }
    assert own("Connection").properties["AuthorizationType"] == "API_KEY"


def test_the_rules_role_posts_to_that_address_and_does_nothing_else() -> None:
    assert [target["RoleArn"] for target in TARGETS] == [own("Role").returned["Arn"]]
    [statement] = statements_of(own("Role"), EVERYTHING)
    assert statement.actions == ("events:InvokeApiDestination",)
    assert statement.resources == (own("Destination").returned["Arn"],)


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("Connection", "events:CreateConnection"),
        ("Destination", "events:CreateApiDestination"),
        ("Undelivered", "sqs:SetQueueAttributes"),
    ],
)
def test_the_pipeline_may_make_it(name: str, action: str) -> None:
    role = EVERYTHING.resource("CloudFormationRole", "infra/deploy-role.yaml")
    assert allows(statements_of(role, EVERYTHING), Request(action, own(name).returned["Arn"], {}))


def test_the_pipeline_may_make_its_key_and_its_rule() -> None:
    """A rule of a bus that is not the default one has the bus in its ARN (EventBridge, Service Authorization
    Reference)."""
    role = EVERYTHING.resource("CloudFormationRole", "infra/deploy-role.yaml")
    statements = statements_of(role, EVERYTHING)
    [bus] = EVERYTHING.of_type("AWS::Events::EventBus")
    account, _, _ = bus.returned["Arn"].partition(":event-bus/")
    rule = f"{account}:rule/{bus.returned['Ref']}/{own('Rule').properties['Name']}"
    assert allows(statements, Request("events:PutTargets", rule, {}))
    assert allows(statements, Request("secretsmanager:GetSecretValue", own("WebhookKey").returned["Ref"], {}))


def test_its_role_stays_within_the_boundary() -> None:
    boundary = EVERYTHING.resource("Boundary", "infra/deploy-role.yaml")
    assert own("Role").properties["PermissionsBoundary"] == boundary.returned["Ref"]
    request = Request("events:InvokeApiDestination", own("Destination").returned["Arn"], {})
    assert allows(list(read_statements(boundary.properties["PolicyDocument"])), request)


@pytest.mark.parametrize("name", ["Connection", "Destination", "Rule", "WebhookKey"])
def test_what_it_makes_is_named_after_the_service(name: str) -> None:
    assert own(name).properties["Name"].startswith(STACK_NAME)


def test_what_is_not_taken_rings_where_there_is_somebody_to_hear_it() -> None:
    alarm = own("WebhookUndelivered").properties
    [topic] = EVERYTHING.of_type("AWS::SNS::Topic")
    assert alarm["AlarmActions"] == alarm["OKActions"] == [topic.returned["Ref"]]
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": own("Undelivered").returned["QueueName"]}]
    assert deployment("with a webhook alone").of_type("AWS::CloudWatch::Alarm") == []


def test_without_an_address_there_is_nothing_of_it() -> None:
    """Only the parameter decides: no monitoring, no key, no boundary is asked for."""
    for parameter_set in PARAMETER_SETS:
        of_it = [one for one in deployment(parameter_set).resources if one.stack == WEBHOOK]
        assert bool(of_it) == ("WebhookUrl" in PARAMETER_SETS[parameter_set])
    assert "PermissionsBoundary" not in (
        service(PARAMETER_SETS["with a webhook alone"]).resource("Role", WEBHOOK).properties
    )
