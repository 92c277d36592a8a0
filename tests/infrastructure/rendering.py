"""What CloudFormation fills in for references to resources."""

from collections.abc import Mapping
from typing import Any

from infra.local.intrinsics import ACCOUNT_ID, REGION, STACK_NAME, Resolver, as_text, read_yaml
from infra.local.template import PROJECT
from tests.infrastructure.translation import path_in

NESTED_STACK = "AWS::CloudFormation::Stack"

NAMED_BY = {
    "AWS::ApiGateway::DomainName": "DomainName",
    "AWS::ApiGateway::Stage": "StageName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::Events::ApiDestination": "Name",
    "AWS::Events::Archive": "ArchiveName",
    "AWS::Events::Connection": "Name",
    "AWS::Events::EventBus": "Name",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::Pipes::Pipe": "Name",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::WAFv2::WebACL": "Name",
}
"""The property that gives a resource its name; without it, CloudFormation makes one up."""

RETURNED: Mapping[str, Mapping[str, str]] = {
    "AWS::AppConfig::Application": {"Ref": "{name}"},
    "AWS::AppConfig::ConfigurationProfile": {"Ref": "{name}"},
    "AWS::AppConfig::HostedConfigurationVersion": {"VersionNumber": "1"},
    "AWS::ApiGateway::Account": {"Ref": "{name}"},
    "AWS::ApiGateway::Deployment": {"Ref": "{name}"},
    "AWS::ApiGateway::DomainName": {
        "Ref": "{name}",
        "RegionalDomainName": "d-0000000000.execute-api.{region}.amazonaws.com",
        "RegionalHostedZoneId": "Z00000000000000000001",
    },
    "AWS::ApiGateway::RestApi": {"Ref": "{name}"},
    "AWS::ApiGateway::Stage": {"Ref": "{name}"},
    "AWS::CloudWatch::Alarm": {"Ref": "{name}", "Arn": "arn:aws:cloudwatch:{region}:{account}:alarm:{name}"},
    "AWS::CloudWatch::Dashboard": {"Ref": "{name}"},
    "AWS::CodeDeploy::Application": {"Ref": "{name}"},
    "AWS::DynamoDB::Table": {
        "Ref": "{name}",
        "Arn": "arn:aws:dynamodb:{region}:{account}:table/{name}",
        "StreamArn": "arn:aws:dynamodb:{region}:{account}:table/{name}/stream/2026-11-24T00:00:00.000",
    },
    "AWS::Events::ApiDestination": {
        "Ref": "{name}",
        "Arn": "arn:aws:events:{region}:{account}:api-destination/{name}/00000000-0000-0000-0000-000000000003",
    },
    "AWS::Events::Archive": {"Ref": "{name}", "Arn": "arn:aws:events:{region}:{account}:archive/{name}"},
    "AWS::Events::Connection": {
        "Ref": "{name}",
        "Arn": "arn:aws:events:{region}:{account}:connection/{name}/00000000-0000-0000-0000-000000000004",
    },
    "AWS::Events::EventBus": {
        "Ref": "{name}",
        "Name": "{name}",
        "Arn": "arn:aws:events:{region}:{account}:event-bus/{name}",
    },
    "AWS::Events::Rule": {"Ref": "{name}", "Arn": "arn:aws:events:{region}:{account}:rule/{name}"},
    "AWS::IAM::ManagedPolicy": {"Ref": "arn:aws:iam::{account}:policy{path}{name}"},
    "AWS::IAM::OIDCProvider": {"Ref": "arn:aws:iam::{account}:oidc-provider/token.actions.githubusercontent.com"},
    "AWS::IAM::Role": {"Ref": "{name}", "Arn": "arn:aws:iam::{account}:role{path}{name}"},
    "AWS::Lambda::Alias": {"Ref": "arn:aws:lambda:{region}:{account}:function:{name}:live"},
    "AWS::Lambda::Function": {"Ref": "{name}", "Arn": "arn:aws:lambda:{region}:{account}:function:{name}"},
    "AWS::Lambda::Version": {"Ref": "arn:aws:lambda:{region}:{account}:function:{name}:1", "Version": "1"},
    "AWS::Logs::LogGroup": {"Ref": "{name}", "Arn": "arn:aws:logs:{region}:{account}:log-group:{name}:*"},
    "AWS::Pipes::Pipe": {"Ref": "{name}", "Arn": "arn:aws:pipes:{region}:{account}:pipe/{name}"},
    "AWS::S3::Bucket": {"Ref": "{name}", "Arn": "arn:aws:s3:::{name}"},
    "AWS::SNS::Topic": {"Ref": "arn:aws:sns:{region}:{account}:{name}", "TopicName": "{name}"},
    "AWS::SQS::Queue": {
        "Ref": "https://sqs.{region}.amazonaws.com/{account}/{name}",
        "Arn": "arn:aws:sqs:{region}:{account}:{name}",
        "QueueName": "{name}",
    },
    "AWS::SecretsManager::Secret": {"Ref": "arn:aws:secretsmanager:{region}:{account}:secret:{name}-AbCdEf"},
    "AWS::WAFv2::WebACL": {"Arn": "arn:aws:wafv2:{region}:{account}:regional/webacl/{name}/00000000"},
}
"""What `Ref` and `Fn::GetAtt` return for a resource of a type.

Source: AWS CloudFormation template reference, "Return values" of each type.
"""


class Rendering(Resolver):
    """Also knows what only the cloud knows: what resources are called, and their attributes."""

    def __init__(self, document: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
        super().__init__(document, parameters, {})
        # The stacks last: what they are given are the others' names.
        resources = sorted(document["Resources"].items(), key=lambda one: one[1]["Type"] == NESTED_STACK)
        for name, resource in resources:
            for attribute, value in self.returned(name, resource).items():
                self._values[name if attribute == "Ref" else f"{name}.{attribute}"] = value

    def returned(self, name: str, resource: Mapping[str, Any]) -> dict[str, str]:
        if resource["Type"] == NESTED_STACK:
            return self._outputs_of(resource)
        properties = resource.get("Properties", {})
        given = properties.get(NAMED_BY.get(resource["Type"]))
        values = {
            "name": self.resolve(given) if given else f"{STACK_NAME}-{name}",
            "path": properties.get("Path", "/"),
            "region": REGION,
            "account": ACCOUNT_ID,
        }
        return {attribute: text.format_map(values) for attribute, text in RETURNED.get(resource["Type"], {}).items()}

    def _outputs_of(self, stack: Mapping[str, Any]) -> dict[str, str]:
        if "Condition" in stack and not self.holds({"Condition": stack["Condition"]}):
            return {}
        nested = read_yaml((PROJECT / path_in(stack["Properties"]["TemplateURL"])).read_text("utf-8"))
        inside = Rendering(nested, self.resolve(stack["Properties"]["Parameters"]))
        return {
            f"Outputs.{name}": inside.resolve(output["Value"])
            for name, output in nested["Outputs"].items()
            if "Condition" not in output or inside.holds({"Condition": output["Condition"]})
        }

    def resolve(self, value: Any) -> Any:
        match value:
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return self._reference(f"{name}.{attribute}")
            case {"Fn::Sub": [str(text), dict(values)]}:
                for name, given in self.resolve(values).items():
                    text = text.replace(f"${{{name}}}", as_text(given))
                return self.resolve({"Fn::Sub": text})
        return super().resolve(value)
