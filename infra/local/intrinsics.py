"""CloudFormation's YAML and its intrinsic functions, as far as this template uses them.

Source: AWS CloudFormation template reference, "Intrinsic functions" and "Pseudo parameters".
"""

import re
from collections.abc import Mapping
from typing import Any

import yaml

REGION = "ap-northeast-2"
ACCOUNT_ID = "123456789012"
STACK_NAME = "card-door"

PSEUDO_PARAMETERS = {
    "AWS::AccountId": ACCOUNT_ID,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": STACK_NAME,
    "AWS::URLSuffix": "amazonaws.com",
}

NO_VALUE = object()
"""What `!Ref AWS::NoValue` becomes; the entry that holds it is left out."""


class TemplateError(Exception):
    """The template asks for something that cannot be worked out on one machine."""


def read_yaml(text: str) -> dict[str, Any]:
    """The template with its short tags written out: `!Ref Name` becomes {"Ref": "Name"}."""
    document = yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader that also knows the tags)
    if not isinstance(document, dict):
        raise TemplateError("the template is not a YAML mapping")
    return document


class _Loader(yaml.CSafeLoader):
    """libyaml's, which is several times as fast as the one in Python."""


def _written_out(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    match node:
        case yaml.ScalarNode():
            value = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case _:
            value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _written_out)


class Resolver:
    """Works intrinsic functions out.

    `parameters` overrides the defaults in the template; `physical_ids` is what `!Ref` gives for a resource that exists.
    """

    def __init__(
        self, document: Mapping[str, Any], parameters: Mapping[str, str], physical_ids: Mapping[str, str]
    ) -> None:
        self._conditions = document.get("Conditions", {})
        self._mappings = document.get("Mappings", {})
        self._values: dict[str, Any] = {**PSEUDO_PARAMETERS, "AWS::NoValue": NO_VALUE, **physical_ids}
        for name, declaration in document.get("Parameters", {}).items():
            self._values[name] = _parameter_value(name, declaration, parameters)

    def resolve(self, value: Any) -> Any:
        """The value without intrinsic functions. Raises TemplateError."""
        match value:
            case {"Ref": str(name)}:
                return self._reference(name)
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([^}]+)\}", lambda match: as_text(self._reference(match[1])), text)
            case {"Fn::If": [str(condition), then, otherwise]}:
                return self.resolve(then if self.holds({"Condition": condition}) else otherwise)
            case {"Fn::FindInMap": [str(mapping), top, second]}:
                return self._mappings[mapping][self.resolve(top)][self.resolve(second)]
            case {"Fn::Join": [str(separator), entries]}:
                return separator.join(as_text(entry) for entry in self.resolve(entries))
            case dict() if any(name.startswith("Fn::") for name in value):
                raise TemplateError(f"{', '.join(value)}: cannot be worked out on one machine")
            case dict():
                resolved = {name: self.resolve(entry) for name, entry in value.items()}
                return {name: entry for name, entry in resolved.items() if entry is not NO_VALUE}
            case [*entries]:
                return [entry for entry in map(self.resolve, entries) if entry is not NO_VALUE]
        return value

    def holds(self, condition: Any) -> bool:
        """Whether a condition function, or the named condition in {"Condition": name}, is true."""
        match condition:
            case {"Condition": str(name)}:
                return self.holds(self._conditions[name])
            case {"Fn::Equals": [left, right]}:
                return as_text(self.resolve(left)) == as_text(self.resolve(right))
            case {"Fn::Not": [inner]}:
                return not self.holds(inner)
        raise TemplateError(f"not a condition: {condition}")

    def _reference(self, name: str) -> Any:
        if name not in self._values:
            raise TemplateError(f"!Ref {name}: no such parameter, and no resource that exists on one machine")
        return self._values[name]


def as_text(value: Any) -> str:
    """As CloudFormation writes a scalar into a string."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parameter_value(name: str, declaration: Mapping[str, Any], overrides: Mapping[str, str]) -> Any:
    value = overrides.get(name, declaration.get("Default"))
    if value is None:
        raise TemplateError(f"parameter {name} has no default and no value was given")
    return value.split(",") if declaration["Type"] == "CommaDelimitedList" else value
