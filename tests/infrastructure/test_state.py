"""What holds state outlives the stack, and the operator's key encrypts it where one is given."""

import pytest

from billing.ledger.items import new_item
from billing.model.attempt import NewAttempt
from tests.infrastructure.stacks import KMS_KEY, PARAMETER_SETS, Resource, deployment

KEEPS_STATE = {
    "AWS::DynamoDB::Table": "KMSMasterKeyId",
    "AWS::Logs::LogGroup": "KmsKeyId",
    "AWS::S3::Bucket": None,
    "AWS::SQS::Queue": "KmsMasterKeyId",
    "AWS::SecretsManager::Secret": "KmsKeyId",
}
"""Type to the property that names the key of its encryption. The bucket holds packages of public code."""

KEEPS_NOTHING = {
    *("AWS::ApiGateway::Account", "AWS::ApiGateway::BasePathMapping", "AWS::ApiGateway::Deployment"),
    *("AWS::ApiGateway::DomainName", "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage"),
    *("AWS::AppConfig::Application", "AWS::AppConfig::ConfigurationProfile"),
    *("AWS::AppConfig::HostedConfigurationVersion", "AWS::CloudFormation::Stack", "AWS::CloudWatch::Alarm"),
    *("AWS::CloudWatch::Dashboard", "AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup"),
    *("AWS::Events::EventBus", "AWS::Events::Rule", "AWS::IAM::ManagedPolicy", "AWS::IAM::OIDCProvider"),
    *("AWS::IAM::Role", "AWS::Lambda::Alias", "AWS::Lambda::Function", "AWS::Lambda::Permission"),
    *("AWS::Lambda::Version", "AWS::Logs::MetricFilter", "AWS::Pipes::Pipe", "AWS::Route53::RecordSet"),
    *("AWS::S3::BucketPolicy", "AWS::SNS::Subscription", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy"),
    *("AWS::WAFv2::LoggingConfiguration", "AWS::WAFv2::WebACL", "AWS::WAFv2::WebACLAssociation"),
    "AWS::Events::Archive",  # copies of what the table has
    *("AWS::Events::ApiDestination", "AWS::Events::Connection", "AWS::SQS::QueuePolicy"),
}
"""Made anew from the template alone."""

GOES_WITH_ITS_STACK = ("infra/webhook.yaml", "WebhookKey")
"""A new one is as good, and a name that is kept would be taken when the webhook is turned on again."""

UNDER_SQSS_KEY = ("infra/webhook.yaml", "Undelivered")
"""What EventBridge can't write into a queue under a key of KMS, whose policy it isn't in, is gone without a word.

Source: EventBridge user guide, "Troubleshooting Amazon EventBridge", on encrypted queues.
"""

OUTLIVES_THE_STACK = ("Retain", "RetainExceptOnCreate")


def stateful(parameter_set: str) -> list[Resource]:
    return [resource for resource in deployment(parameter_set).resources if resource.type in KEEPS_STATE]


@pytest.mark.parametrize("parameter_set", PARAMETER_SETS)
def test_it_is_known_of_every_type_whether_it_keeps_state(parameter_set: str) -> None:
    types = {resource.type for resource in deployment(parameter_set).resources}
    assert types - KEEPS_STATE.keys() - KEEPS_NOTHING == set()


@pytest.mark.parametrize("parameter_set", PARAMETER_SETS)
def test_nothing_that_keeps_state_is_deleted_with_the_stack(parameter_set: str) -> None:
    for resource in stateful(parameter_set):
        if (resource.stack, resource.name) == GOES_WITH_ITS_STACK:
            assert (resource.deletion_policy, resource.update_replace_policy) == ("Delete", "Delete")
            continue
        assert resource.deletion_policy in OUTLIVES_THE_STACK, (resource.stack, resource.name)
        assert resource.update_replace_policy == "Retain", (resource.stack, resource.name)


def test_the_key_of_fingerprints_is_made_by_aws_and_never_rotated() -> None:
    deployed = deployment("all that can be turned on")
    properties = deployed.resource("FingerprintSecret").properties
    assert properties["GenerateSecretString"]["PasswordLength"] >= 43, "256 bits of letters and digits"
    assert "SecretString" not in properties
    assert deployed.of_type("AWS::SecretsManager::RotationSchedule") == []


@pytest.mark.parametrize("parameter_set", PARAMETER_SETS)
def test_the_table_cannot_be_deleted_by_mistake_and_can_be_restored(parameter_set: str) -> None:
    [table] = deployment(parameter_set).of_type("AWS::DynamoDB::Table")
    assert table.properties["DeletionProtectionEnabled"] is True
    assert table.properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_the_table_forgets_by_the_attribute_that_the_ledger_writes() -> None:
    [table] = deployment("as it comes").of_type("AWS::DynamoDB::Table")
    assert table.properties["TimeToLiveSpecification"]["Enabled"] is True
    attempt = NewAttempt(
        "id", "mine", "f", "f", "000011******3333", None, ends_at=0.0, is_new_customer=False, request_id="request-1"
    )
    assert table.properties["TimeToLiveSpecification"]["AttributeName"] in new_item(
        None, attempt, now=0.0, order_is_paid=False
    )


def test_the_operators_key_encrypts_whatever_keeps_state() -> None:
    deployed = deployment("all that can be turned on")
    [topic] = deployed.of_type("AWS::SNS::Topic")
    [archive] = deployed.of_type("AWS::Events::Archive")
    assert topic.properties["KmsMasterKeyId"] == archive.properties["KmsKeyIdentifier"] == KMS_KEY
    for resource in stateful("all that can be turned on"):
        if (resource.stack, resource.name) == UNDER_SQSS_KEY:
            assert resource.properties["SqsManagedSseEnabled"] is True
        elif (key := KEEPS_STATE[resource.type]) is not None:
            encryption = resource.properties.get("SSESpecification", resource.properties)
            assert encryption[key] == KMS_KEY, (resource.stack, resource.name)


def test_what_nobody_took_lies_in_its_queue_for_fourteen_days() -> None:
    """The most that SQS keeps (SQS API reference, SetQueueAttributes); SECURITY.md and the runbook count on it."""
    queues = deployment("all that can be turned on").of_type("AWS::SQS::Queue")
    assert [queue.properties["MessageRetentionPeriod"] for queue in queues] == [14 * 24 * 3600] * 2


@pytest.mark.parametrize("parameter_set", ["as it comes", "with what the account has"])
def test_without_a_key_of_the_operators_awss_own_encrypt(parameter_set: str) -> None:
    """The table by AWS's key of DynamoDB, the queue by that of SQS; secrets and logs are encrypted in any case."""
    deployed = deployment(parameter_set)
    [table] = deployed.of_type("AWS::DynamoDB::Table")
    assert table.properties["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
    assert deployed.resource("LostEvents").properties["SqsManagedSseEnabled"] is True
    for resource in stateful(parameter_set):
        assert KEEPS_STATE[resource.type] not in resource.properties
