"""docs/openapi.yaml as a check: is this answer one that the contract has?"""

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

from infra.local.contract_page import read_contract, resolved


def check(method: str, path: str, status: int, headers: Mapping[str, str], body: str) -> None:
    """Raises AssertionError where the answer is outside of the contract. `headers` by name in any case."""
    operation = read_contract()["paths"][path][method.lower()]
    response = operation["responses"].get(str(status))
    assert response is not None, f"{method} {path}: the contract has no {status}"
    response = resolved(read_contract(), response)
    lower_case = {name.lower(): value for name, value in headers.items()}
    media_type = lower_case.get("content-type", "").split(";")[0]
    assert media_type in response["content"], f"{status}: the contract has no {media_type!r}"
    _conforms(response["content"][media_type]["schema"], body if media_type == "text/html" else json.loads(body))
    if media_type == "application/json":
        for name, header in response.get("headers", {}).items():
            header = resolved(read_contract(), header)
            assert name.lower() in lower_case or not header.get("required"), f"{status}: without {name}"
            if name.lower() in lower_case:
                _conforms(header["schema"], lower_case[name.lower()])


def _conforms(schema: Mapping[str, Any], value: object) -> None:
    # References in the schema start at the document's root.
    validator = Draft202012Validator({**schema, "components": read_contract()["components"]})
    errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]
    assert errors == []
