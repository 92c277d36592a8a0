"""docs/openapi.yaml is right: as a document, in its examples, and against whatever Schemathesis can think of."""

import json
import os
from collections import Counter
from collections.abc import Iterator

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from schemathesis import GenerationMode

from billing.web.answers import HTTP_STATUS
from billing.web.request import FIELD_NAMES, NAME_BY_SPELLING
from infra.local.contract_page import contract_page, read_contract
from infra.local.service import LocalService, run_service
from tests.contract.answers import check

REQUESTS = int(os.environ.get("CONTRACT_REQUESTS", "500"))
"""In all. `make contract` sends 6,000."""

LONGEST_REQUEST_LINE = 8_000
"""Bytes. API Gateway takes 10,240 for the request line and the headers together."""

OPERATIONS = [
    (method, path)
    for path in ("/subscription/issue-billing", "/subscriptions/issue-billing")
    for method in ("GET", "POST")
]

DOCUMENT = read_contract()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """Asks for no more than the schema does, which has to be right for every operator's CardFields."""
    log = tmp_path_factory.mktemp("contract") / "function.log"
    with log.open("ab") as stream, run_service(parameters={"CardFields": "none"}, log=stream) as service:
        yield service


@pytest.fixture(scope="module")
def connection() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def test_it_is_openapi() -> None:
    validate(DOCUMENT)


def test_its_examples_are_as_it_says() -> None:
    responses = DOCUMENT["paths"]["/subscription/issue-billing"]["post"]["responses"]
    headers = {"Access-Control-Allow-Origin": "*", "Retry-After": "1", "Content-Type": "application/json"}
    for status, reference in responses.items():
        if status == "303":  # of a browser's own post, which gets no JSON
            continue
        response = DOCUMENT["components"]["responses"][reference["$ref"].rpartition("/")[2]]
        for example in response["content"]["application/json"]["examples"].values():
            value = DOCUMENT["components"]["examples"][example["$ref"].rpartition("/")[2]]["value"]
            check("POST", "/subscription/issue-billing", int(status), headers, json.dumps(value))


def test_it_has_every_field_and_every_status() -> None:
    fields = DOCUMENT["components"]["schemas"]["Card"]["properties"]
    assert fields.keys() == set(FIELD_NAMES) | set(NAME_BY_SPELLING)
    statuses = {int(status) for status in DOCUMENT["paths"]["/subscription/issue-billing"]["post"]["responses"]}
    assert statuses == {int(status) for status in HTTP_STATUS.values()} - {404} | {303}


def test_the_local_page_shows_every_answer() -> None:
    page = contract_page()
    for status in DOCUMENT["paths"]["/subscription/issue-billing"]["post"]["responses"]:
        assert f"<h3>{status}</h3>" in page


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_generated_request_gets_an_answer_outside_of_it(
    service: LocalService, connection: requests.Session, method: str, path: str, mode: GenerationMode
) -> None:
    operation = SCHEMA[path][method]
    seen: Counter[int] = Counter()

    @settings(
        max_examples=REQUESTS // (2 * len(OPERATIONS)),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def send(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if method == "GET" and data.draw(st.booleans()):  # or hardly any would ask for the form
            case.query = {name: value for name, value in case.query.items() if name in ("customer_uid", "lang")}
        assume(len(case.as_curl_command()) < LONGEST_REQUEST_LINE or method == "POST")
        response = case.call(base_url=service.url, session=connection, timeout=30)
        seen[response.status_code] += 1
        headers = {name: values[-1] for name, values in response.headers.items()}
        check(method, path, response.status_code, headers, response.text)
        assert response.status_code < 500

    send()
    assert seen.total() >= REQUESTS // (2 * len(OPERATIONS))
    assert (seen[200] > 0) or mode is GenerationMode.NEGATIVE, "nothing that was sent is what frontends send"
    print(f"{method} {path}, {mode.value}: {seen.total()} requests, answered {dict(seen)}")
