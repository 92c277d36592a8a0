"""docs/openapi.yaml as a page to read: every operation, field and answer with its examples."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from typing import Any

from infra.local.intrinsics import read_yaml
from infra.local.template import PROJECT

CONTRACT = PROJECT / "docs" / "openapi.yaml"

STYLE = """
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
table { border-collapse: collapse; } td, th { padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: top; }
pre { padding: .75rem; overflow: auto; background: #f1f3f7; } h2 { margin-top: 3rem; }
@media (prefers-color-scheme: dark) { body { background: #161d29; color: #edf1f8; } pre { background: #0c1119; } }
"""


@cache
def read_contract() -> dict[str, Any]:
    return read_yaml(CONTRACT.read_text("utf-8"))


def contract_page() -> str:
    document = read_contract()
    body = "\n".join(_body(document))
    title = escape(document["info"]["title"])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,"><style>{STYLE}</style></head>'
        f"<body><h1>{title}</h1>{body}</body></html>"
    )


def _body(document: Mapping[str, Any]) -> Iterator[str]:
    yield _paragraphs(document["info"]["description"])
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method not in ("get", "post"):
                continue
            yield f"<h2><code>{method.upper()} {escape(path)}</code></h2>{_paragraphs(operation.get('summary', ''))}"
            yield from _request(document, operation)
            for status, response in operation["responses"].items():
                yield from _answer(document, status, resolved(document, response))


def _request(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[str]:
    parameters = [resolved(document, parameter) for parameter in operation.get("parameters", ())]
    if parameters:
        yield _table((parameter["name"], parameter.get("description", "")) for parameter in parameters)
    body = resolved(document, operation.get("requestBody", {}))
    for media_type, content in body.get("content", {}).items():
        yield f"<h3>Body: <code>{escape(media_type)}</code></h3>"
        properties = resolved(document, content["schema"]).get("properties", {})
        yield _table((name, resolved(document, schema).get("description", "")) for name, schema in properties.items())
        yield from _examples(document, content)


def _answer(document: Mapping[str, Any], status: str, response: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h3>{escape(str(status))}</h3>{_paragraphs(response['description'])}"
    for content in response.get("content", {}).values():
        yield from _examples(document, content)


def _examples(document: Mapping[str, Any], content: Mapping[str, Any]) -> Iterator[str]:
    for example in content.get("examples", {}).values():
        value = resolved(document, example)["value"]
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
        yield f"<pre>{escape(text)}</pre>"


def _table(rows: Iterator[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><td><code>{escape(name)}</code></td><td>{escape(text)}</td></tr>" for name, text in rows)
    return f"<table>{cells}</table>"


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(paragraph)}</p>" for paragraph in text.strip().split("\n\n") if paragraph)


def resolved(document: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """`node`, or what its `$ref` points to inside of the document."""
    while "$ref" in node:
        target: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        node = target
    return node
