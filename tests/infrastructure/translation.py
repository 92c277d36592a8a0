"""The templates in CloudFormation's own form, as `sam package` and the transform AWS::Serverless make it."""

from collections.abc import Mapping
from typing import Any

from samtranslator.translator.transform import transform  # type: ignore[import-untyped]

from infra.local.intrinsics import REGION, read_yaml
from infra.local.template import PROJECT

PACKAGES = "packages"
"""The bucket that `sam package` would have filled."""


def translated(path: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """References are left in it. `path` is the template's inside the project."""
    document = _packaged(read_yaml((PROJECT / path).read_text("utf-8")))
    if "Transform" not in document:
        return document
    result: dict[str, Any] = transform(document, dict(parameters), _NoManagedPolicies())
    return result


def path_in(url: str) -> str:
    """The path of the nested template that lies at a URL of the bucket."""
    return url.partition(f"/{PACKAGES}/")[2]


def _packaged(document: dict[str, Any]) -> dict[str, Any]:
    """What `sam package` does: code and nested templates lie in a bucket."""
    document.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    for resource in document["Resources"].values():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::Serverless::Function":
                properties["CodeUri"] = f"s3://{PACKAGES}/function.zip"
            case "AWS::Serverless::Application":
                properties["Location"] = f"https://s3.{REGION}.amazonaws.com/{PACKAGES}/{properties['Location']}"
    return document


class _NoManagedPolicies:
    """The templates name no AWS managed policy by its bare name, which SAM would look up in IAM."""

    def load(self) -> dict[str, str]:
        return {}
