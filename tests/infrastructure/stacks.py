"""Everything that the templates bring up with a set of parameters: conditions decided, references filled in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from infra.local.intrinsics import ACCOUNT_ID, REGION
from infra.local.template import PROJECT
from tests.infrastructure.rendering import Rendering
from tests.infrastructure.translation import path_in, translated

MAIN = "template.yaml"
TEMPLATES = (MAIN, *sorted(str(path.relative_to(PROJECT)) for path in (PROJECT / "infra").glob("*.yaml")))

ON_ITS_OWN: Mapping[str, Mapping[str, str]] = {
    "infra/api-gateway-account.yaml": {},
    "infra/deploy-role.yaml": {
        "Repository": "shop/card-door",
        "Environment": "prod",
    },
}
"""Templates that are no part of the main one, with values for their parameters that have no default."""

KMS_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT_ID}:key/00000000-0000-0000-0000-000000000001"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT_ID}:secret:shop/iamport-AbCdEf"

PARAMETER_SETS: Mapping[str, Mapping[str, str]] = {
    "as it comes": {},
    "all that can be turned on": {
        "SnapStart": "on",
        "Deployment": "Canary10Percent5Minutes",
        "RolePermissionsBoundary": "delivery/card-door-boundary",
        "KmsKeyArn": KMS_KEY,
        "SubnetIds": "subnet-0000000000000000a,subnet-0000000000000000b",
        "SecurityGroupIds": "sg-00000000000000000",
        "AccessLogs": "on",
        "Monitoring": "on",
        "EventArchive": "on",
        "AlarmEmail": "operator@shop.example",
        "Firewall": "on",
        "DomainName": "cards.shop.example",
        "CertificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT_ID}:certificate/00000000-0000-0000-0000-000000000002",
        "HostedZoneId": "Z00000000000000000000",
        "WebhookUrl": "https://shop.example/webhooks/card-door",
    },
    "with what the account has": {
        "IamportSecretArn": SECRET,
        "AccessLogs": "on",
        "Monitoring": "on",
        "Firewall": "on",
        "DomainName": "cards.shop.example",
        "CertificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT_ID}:certificate/00000000-0000-0000-0000-000000000002",
    },
    "with a webhook alone": {"WebhookUrl": "https://shop.example/webhooks/card-door"},
}
"""Values for the main template's parameters. Together they hold every condition and its opposite."""


@dataclass(frozen=True)
class Resource:
    stack: str
    """The path of its template."""
    name: str
    type: str
    returned: Mapping[str, str]
    """What `Ref`, and `Fn::GetAtt` by attribute, give for it."""
    properties: Mapping[str, Any]
    deletion_policy: str | None
    update_replace_policy: str | None
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class Deployment:
    """Everything that one set of parameters brings up."""

    resources: tuple[Resource, ...]

    def of_type(self, resource_type: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.type == resource_type]

    def resource(self, name: str, stack: str = MAIN) -> Resource:
        [found] = [resource for resource in self.resources if (resource.stack, resource.name) == (stack, name)]
        return found


@cache
def deployment(parameter_set: str) -> Deployment:
    """The main stack, the stacks that it contains, and those that are deployed on their own."""
    own = [resource for path in ON_ITS_OWN for resource in on_its_own(path).resources]
    return Deployment((*service(PARAMETER_SETS[parameter_set]).resources, *own))


def service(parameters: Mapping[str, str]) -> Deployment:
    """The main stack and the stacks that it contains."""
    main = list(_rendered(MAIN, parameters))
    nested = [
        resource
        for stack in main
        if stack.type == "AWS::CloudFormation::Stack"
        for resource in _rendered(path_in(stack.properties["TemplateURL"]), stack.properties["Parameters"])
    ]
    return Deployment((*main, *nested))


def on_its_own(path: str, **parameters: str) -> Deployment:
    """One stack that is deployed by itself, with other values for some of its parameters."""
    return Deployment(tuple(_rendered(path, {**ON_ITS_OWN[path], **parameters})))


def _rendered(path: str, parameters: Mapping[str, Any]) -> Iterator[Resource]:
    document = translated(path, parameters)
    resolver = Rendering(document, parameters)
    for name, resource in document["Resources"].items():
        if "Condition" in resource and not resolver.holds({"Condition": resource["Condition"]}):
            continue
        yield Resource(
            stack=path,
            name=name,
            type=resource["Type"],
            returned=resolver.returned(name, resource),
            properties=resolver.resolve(resource.get("Properties", {})),
            deletion_policy=resource.get("DeletionPolicy"),
            update_replace_policy=resource.get("UpdateReplacePolicy"),
            metadata=resource.get("Metadata", {}),
        )
