"""What moto can create of the templates is created, and then looked at.

moto's CloudFormation creates most types. Some more it knows only by their own calls, whose parameters are the
template's properties; botocore holds these against AWS's own description of them.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.cloudformation.parsing import get_model_map

from infra.local.intrinsics import REGION, STACK_NAME, as_text, read_yaml
from infra.local.template import PROJECT
from tests.infrastructure.rendering import NESTED_STACK, Rendering
from tests.infrastructure.stacks import MAIN, ON_ITS_OWN, PARAMETER_SETS, deployment
from tests.infrastructure.translation import PACKAGES, translated

BY_ITS_OWN_CALL = {
    "AWS::AppConfig::Application": ("appconfig", "create_application", "Name"),
    "AWS::CloudWatch::Alarm": ("cloudwatch", "put_metric_alarm", "AlarmName"),
    "AWS::Events::ApiDestination": ("events", "create_api_destination", "Name"),
    "AWS::Events::Connection": ("events", "create_connection", "Name"),
    "AWS::Pipes::Pipe": ("pipes", "create_pipe", "Name"),
    "AWS::SecretsManager::Secret": ("secretsmanager", "create_secret", "Name"),
    "AWS::WAFv2::WebACL": ("wafv2", "create_web_acl", "Name"),
}
"""Service, operation, and the parameter that CloudFormation fills in where the template gives no name."""

NOT_CREATED = {
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::BasePathMapping",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::DomainName",
    "AWS::ApiGateway::Stage",
    "AWS::AppConfig::ConfigurationProfile",
    "AWS::AppConfig::HostedConfigurationVersion",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::IAM::OIDCProvider",
    "AWS::Lambda::Alias",
    "AWS::Logs::MetricFilter",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::WAFv2::LoggingConfiguration",
    "AWS::WAFv2::WebACLAssociation",
}
"""moto's CloudFormation has none of these, and their own calls take other parameters than the template's; but for the
deployment of an API: moto takes no methods from an OpenAPI body, and deploys no API without methods."""

BY_CLOUDFORMATION = get_model_map().keys() - NOT_CREATED


NO_VALUE = {"Ref": "AWS::NoValue"}


@pytest.fixture(autouse=True)
def cloud() -> Iterator[None]:
    """An empty account of moto's, in this process, with what `sam package` uploads."""
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=PACKAGES, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket=PACKAGES, Key="function.zip", Body=packed_function())
        yield


def test_only_these_types_are_not_created() -> None:
    used = {resource.type for name in PARAMETER_SETS for resource in deployment(name).resources}
    assert used - get_model_map().keys() - BY_ITS_OWN_CALL.keys() == NOT_CREATED - {"AWS::ApiGateway::Deployment"}


@pytest.mark.parametrize("parameter_set", PARAMETER_SETS)
def test_the_service_is_created(parameter_set: str) -> None:
    for path in nested_in(parameter_set):
        boto3.client("s3").put_object(Bucket=PACKAGES, Key=path, Body=json.dumps(creatable(path, defaults(path))))
    zone = boto3.client("route53").create_hosted_zone(Name="shop.example", CallerReference="once")["HostedZone"]["Id"]
    parameters = dict(PARAMETER_SETS[parameter_set])
    if "HostedZoneId" in parameters:
        parameters["HostedZoneId"] = zone.removeprefix("/hostedzone/")
    create(MAIN, parameters)
    assert created() == {
        resource.name
        for resource in deployment(parameter_set).resources
        if resource.type in BY_CLOUDFORMATION and resource.stack not in ON_ITS_OWN
    }
    look_at_the_table()
    look_at_the_log_groups()
    look_at_the_api()


@pytest.mark.parametrize("path", ON_ITS_OWN)
def test_a_stack_of_its_own_is_created(path: str) -> None:
    create(path, ON_ITS_OWN[path])
    assert created() == {
        resource.name
        for resource in deployment("as it comes").resources
        if resource.type in BY_CLOUDFORMATION and resource.stack == path
    }


@pytest.mark.parametrize("parameter_set", PARAMETER_SETS)
def test_what_moto_knows_by_its_own_call_is_created(parameter_set: str) -> None:
    for resource in deployment(parameter_set).resources:
        if resource.type in BY_ITS_OWN_CALL:
            service, operation, name = BY_ITS_OWN_CALL[resource.type]
            client: Any = boto3.client(service)  # type: ignore[call-overload]
            parameters = {name: f"{STACK_NAME}-{resource.name}", **resource.properties}
            if (generated := parameters.pop("GenerateSecretString", None)) is not None:
                parameters["SecretString"] = client.get_random_password(**generated)["RandomPassword"]
            getattr(client, operation)(**parameters)
    alarms = boto3.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert len(alarms) == len(deployment(parameter_set).of_type("AWS::CloudWatch::Alarm"))


def look_at_the_table() -> None:
    dynamodb = boto3.client("dynamodb")
    [name] = dynamodb.list_tables()["TableNames"]
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["DeletionProtectionEnabled"]
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["due"]


def look_at_the_log_groups() -> None:
    groups = boto3.client("logs").describe_log_groups()["logGroups"]
    assert {f"/aws/lambda/{STACK_NAME}-issue-billing", f"/aws/lambda/{STACK_NAME}-settle"} <= {
        group["logGroupName"] for group in groups
    }
    assert {group["retentionInDays"] for group in groups} == {90}


def look_at_the_api() -> None:
    """Without a method: once moto takes them from the body, its deployment can be created too."""
    client = boto3.client("apigateway")
    [api] = client.get_rest_apis()["items"]
    assert api["name"] == STACK_NAME
    assert [resource["path"] for resource in client.get_resources(restApiId=api["id"])["items"]] == ["/"]


def create(path: str, parameters: Mapping[str, str]) -> None:
    boto3.client("cloudformation").create_stack(
        StackName=STACK_NAME,
        TemplateBody=json.dumps(creatable(path, parameters)),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )


def created() -> set[str]:
    """The logical names, of nested stacks too; moto lists what a condition leaves out without its name."""
    cloudformation = boto3.client("cloudformation")
    stacks = cloudformation.list_stacks()["StackSummaries"]
    assert {stack["StackStatus"] for stack in stacks} == {"CREATE_COMPLETE"}
    return {
        resource["LogicalResourceId"]
        for stack in stacks
        for resource in cloudformation.list_stack_resources(StackName=stack["StackId"])["StackResourceSummaries"]
        if resource["LogicalResourceId"]
    }


def nested_in(parameter_set: str) -> set[str]:
    own = {MAIN, *ON_ITS_OWN}
    return {resource.stack for resource in deployment(parameter_set).resources} - own


def defaults(path: str) -> dict[str, str]:
    """The parameters' own values; a made-up one for each that has none."""
    declared = read_yaml((PROJECT / path).read_text("utf-8"))["Parameters"]
    return {name: as_text(declaration.get("Default", name)) for name, declaration in declared.items()}


def creatable(path: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """The template without what moto's CloudFormation lacks: types and the outputs of nested stacks, whose references
    become what they would give, and `Fn::If` that leaves out an entry of a list. moto looks for a function's role: so
    roles have the names that are given there, and the stack that a function's role is in comes first.
    """
    document = translated(path, parameters)
    resolver = Rendering(document, parameters)
    given: dict[str, str] = {}
    come_first: set[str] = set()
    for name, resource in list(document["Resources"].items()):
        is_created = resource["Type"] in BY_CLOUDFORMATION
        if not is_created:
            del document["Resources"][name]
        if not is_created or resource["Type"] == NESTED_STACK:  # moto makes its stack without outputs
            for attribute, value in resolver.returned(name, resource).items():
                given[name if attribute == "Ref" else f"{name}.{attribute}"] = value
            if resource["Type"] == "AWS::Lambda::Alias":  # moto looks for what a permission is for
                given[name] = f"${{{resource['Properties']['FunctionName']['Ref']}}}"
        elif resource["Type"] == "AWS::IAM::Role":
            resource["Properties"]["RoleName"] = resolver.returned(name, resource)["Ref"]
        elif resource["Type"] == "AWS::Lambda::Function":
            come_first.add(resource["Properties"]["Role"]["Fn::GetAtt"][0])

    def filled_in(value: Any) -> Any:
        match value:
            case {"Fn::If": [str(condition), then, otherwise]}:
                return filled_in(then if resolver.holds({"Condition": condition}) else otherwise)
            case {"Ref": str(name)} if name in given:
                return {"Fn::Sub": given[name]}
            case {"Fn::GetAtt": [str(name), str(attribute)]} if f"{name}.{attribute}" in given:
                return given[f"{name}.{attribute}"]
            case {"Fn::Sub": str(text)}:
                return {"Fn::Sub": re.sub(r"\$\{([^}]+)\}", lambda found: given.get(found[1], found[0]), text)}
            case dict():
                entries = {name: filled_in(entry) for name, entry in value.items()}
                return {name: entry for name, entry in entries.items() if entry != NO_VALUE}
            case [*entries]:
                return [entry for entry in map(filled_in, entries) if entry != NO_VALUE]
        return value

    in_order = sorted(document["Resources"].items(), key=lambda one: one[0] not in come_first)
    return {**document, "Resources": filled_in(dict(in_order)), "Outputs": {}}


def packed_function() -> bytes:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", "")
    return package.getvalue()
