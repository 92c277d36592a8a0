"""What the local service takes from template.yaml: the API, the functions, and what they reach over the network.

Everything that API Gateway and Lambda decide in the cloud is read from there, so that this machine and the cloud
cannot drift apart. Source: AWS SAM specification, `AWS::Serverless::Api` and `AWS::Serverless::Function`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.intrinsics import Resolver, TemplateError, as_text, read_yaml

PROJECT = Path(__file__).resolve().parents[2]
TEMPLATE = PROJECT / "template.yaml"


@dataclass(frozen=True)
class GatewayResponse:
    """An answer that API Gateway gives by itself, e.g. for an unknown path."""

    status_code: int | None
    """None: that of the error which it answers."""
    headers: Mapping[str, str]
    """Name to a quoted literal or to `method.request.header.*` or `context.*`."""
    template: str
    """JSON with `$context` variables in it."""


@dataclass(frozen=True)
class Api:
    stage: str
    routes: Mapping[str, tuple[str, ...]]
    """Path to the methods that reach the function."""
    preflight_headers: Mapping[str, str]
    """Of the answer to OPTIONS; empty: API Gateway answers none by itself."""
    gateway_responses: Mapping[str, GatewayResponse]
    """By response type, e.g. `DEFAULT_4XX`."""
    binary_media_types: tuple[str, ...]


@dataclass(frozen=True)
class Function:
    name: str
    code: Path
    handler: str
    timeout_seconds: float
    memory_megabytes: int
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Pipe:
    """What becomes of the table's changes."""

    patterns: tuple[str, ...]
    """A change that matches one of them becomes an event; JSON, EventBridge's event patterns."""
    source: str
    detail_type: str
    """JSON path into the change."""
    detail: str
    """JSON with `<JSON path>` in it."""


class Template:
    """One template with values for its parameters."""

    def __init__(self, path: Path = TEMPLATE, parameters: Mapping[str, str] | None = None) -> None:
        self._path = path
        self._document = read_yaml(path.read_text("utf-8"))
        self._parameters = dict(parameters or {})

    def resources(self, resource_type: str) -> dict[str, Any]:
        """Name to properties, of the resources of a type whose condition holds. Raises TemplateError."""
        resolver = self._resolver({})
        return {
            name: resolver.resolve(resource.get("Properties", {}))
            for name, resource in self._document["Resources"].items()
            if resource["Type"] == resource_type
            and ("Condition" not in resource or resolver.holds({"Condition": resource["Condition"]}))
        }

    def has(self, name: str) -> bool:
        return name in self._document["Resources"]

    def declaration(self, parameter: str) -> Mapping[str, Any]:
        """Type, default and what else the template says of a parameter."""
        declared: Mapping[str, Any] = self._document["Parameters"][parameter]
        return declared

    def parameters_of_variables(self) -> dict[str, str]:
        """The functions' environment variables that are a parameter as it was given, each with that parameter."""
        variables = self._document.get("Globals", {}).get("Function", {}).get("Environment", {}).get("Variables", {})
        return {
            variable: value["Ref"]
            for variable, value in variables.items()
            if isinstance(value, dict) and value.get("Ref") in self._document.get("Parameters", {})
        }

    def pipe(self, name: str) -> Pipe:
        """Raises TemplateError."""
        properties = self._document["Resources"][name]["Properties"]
        filters = self._resolver({}).resolve(properties["SourceParameters"]["FilterCriteria"]["Filters"])
        target = self._resolver({}).resolve(properties["TargetParameters"])
        to_bus = target["EventBridgeEventBusParameters"]
        return Pipe(
            patterns=tuple(one["Pattern"] for one in filters),
            source=to_bus["Source"],
            detail_type=to_bus["DetailType"],
            detail=target["InputTemplate"],
        )

    def function(self, name: str, physical_ids: Mapping[str, str]) -> Function:
        """`physical_ids`: what `!Ref` gives for the resources that exist. Raises TemplateError."""
        wanted = ("CodeUri", "Handler", "Timeout", "MemorySize", "Environment")
        properties = self._properties("Function", name, wanted, physical_ids)
        environment = properties.get("Environment", {}).get("Variables", {})
        return Function(
            name=name,
            code=(self._path.parent / properties["CodeUri"]).resolve(),
            handler=properties["Handler"],
            timeout_seconds=float(properties.get("Timeout", 3)),
            memory_megabytes=int(properties.get("MemorySize", 128)),
            environment={variable: as_text(value) for variable, value in environment.items()},
        )

    def api(self, name: str) -> Api:
        """Raises TemplateError."""
        wanted = ("StageName", "Cors", "GatewayResponses", "BinaryMediaTypes")
        properties = self._properties("Api", name, wanted, {})
        routes = self._routes()
        return Api(
            stage=properties.get("StageName", "Prod"),
            routes=routes,
            preflight_headers=_preflight_headers(properties.get("Cors"), routes),
            gateway_responses={
                response_type: _gateway_response(response)
                for response_type, response in properties.get("GatewayResponses", {}).items()
            },
            binary_media_types=tuple(
                media_type.replace("~1", "/") for media_type in properties.get("BinaryMediaTypes", ())
            ),
        )

    def function_behind_api(self) -> str:
        """The name of the one function with API events. Raises TemplateError where it is not one."""
        names = [name for name, _ in self._api_events()]
        if len(set(names)) != 1:
            raise TemplateError(f"one function is expected behind the API, found: {sorted(set(names))}")
        return names[0]

    def _api_events(self) -> list[tuple[str, Mapping[str, Any]]]:
        return [
            (name, event["Properties"])
            for name, resource in self._document["Resources"].items()
            if resource["Type"] == "AWS::Serverless::Function"
            for event in resource["Properties"].get("Events", {}).values()
            if event["Type"] == "Api"
        ]

    def _routes(self) -> dict[str, tuple[str, ...]]:
        routes: dict[str, tuple[str, ...]] = {}
        for _, event in self._api_events():
            routes[event["Path"]] = (*routes.get(event["Path"], ()), event["Method"].upper())
        return routes

    def _properties(
        self, kind: str, name: str, wanted: tuple[str, ...], physical_ids: Mapping[str, str]
    ) -> dict[str, Any]:
        """The wanted properties of a SAM resource, those of `Globals` included."""
        properties = _merged(
            self._document.get("Globals", {}).get(kind, {}), self._document["Resources"][name]["Properties"]
        )
        resolved: dict[str, Any] = self._resolver(physical_ids).resolve(
            {key: properties[key] for key in wanted if key in properties}
        )
        return resolved

    def _resolver(self, physical_ids: Mapping[str, str]) -> Resolver:
        return Resolver(self._document, self._parameters, physical_ids)


def _merged(general: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(general)
    for name, value in own.items():
        both_are_maps = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = _merged(merged[name], value) if both_are_maps else value
    return merged


def _preflight_headers(cors: Any, routes: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    if not cors:
        return {}
    settings = cors if isinstance(cors, dict) else {"AllowOrigin": cors}
    methods = sorted({method for of_path in routes.values() for method in of_path} | {"OPTIONS"})
    headers = {
        "Access-Control-Allow-Origin": settings.get("AllowOrigin"),
        "Access-Control-Allow-Methods": settings.get("AllowMethods", f"'{','.join(methods)}'"),
        "Access-Control-Allow-Headers": settings.get("AllowHeaders"),
        "Access-Control-Max-Age": settings.get("MaxAge"),
        "Access-Control-Allow-Credentials": settings.get("AllowCredentials"),
    }
    return {name: as_text(value).strip("'") for name, value in headers.items() if value is not None}


def _gateway_response(response: Mapping[str, Any]) -> GatewayResponse:
    status_code = response.get("StatusCode")
    return GatewayResponse(
        status_code=None if status_code is None else int(status_code),
        headers={
            name: as_text(value) for name, value in response.get("ResponseParameters", {}).get("Headers", {}).items()
        },
        template=response.get("ResponseTemplates", {}).get(
            "application/json", '{"message":$context.error.messageString}'
        ),
    )
