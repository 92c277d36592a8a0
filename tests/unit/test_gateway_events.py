"""What the handler makes of the events that it is invoked with, whoever sends them and whatever they lack."""

import json
from typing import Any

import pytest

from billing.model.billing_key import Issued
from billing.model.errors import Unavailable
from tests.integration.door import JSON, PLURAL, SINGULAR, Door, event_of, form_fields, told
from tests.unit.conftest import Lines
from tests.unit.fakes import OWN, gives

LAMBDAS_OWN = "lambda-request-1"


def posted(**changes: Any) -> dict[str, Any]:
    """A card as JSON. `changes`: of the event; None takes a part of it away."""
    event = {**event_of("POST", SINGULAR, {"Content-Type": JSON}, json.dumps(form_fields())), **changes}
    return {name: part for name, part in event.items() if part is not None}


@pytest.mark.parametrize(
    ("context", "request_id"),
    [
        pytest.param({"extendedRequestId": "JJbx=", "requestId": "chosen by the caller"}, "JJbx=", id="API Gateway"),
        pytest.param({"extendedRequestId": None, "requestId": "made up"}, LAMBDAS_OWN, id="sam local"),
        pytest.param({"extendedRequestId": "", "requestId": "made up"}, LAMBDAS_OWN, id="an empty one"),
        pytest.param({"extendedRequestId": 7}, LAMBDAS_OWN, id="a number"),
        pytest.param({"requestId": "chosen by the caller"}, LAMBDAS_OWN, id="none but the other one"),
        pytest.param({}, LAMBDAS_OWN, id="no id at all"),
        pytest.param(None, LAMBDAS_OWN, id="no requestContext"),
        pytest.param("text", LAMBDAS_OWN, id="a requestContext that is none"),
    ],
)
@pytest.mark.parametrize("outcome", [Issued(OWN), Unavailable("down"), KeyError("bug")], ids=["good", "bad", "bug"])
def test_an_answer_and_its_log_line_have_an_id_that_no_caller_chooses(
    door: Door,
    monkeypatch: pytest.MonkeyPatch,
    logged: Lines,
    context: object,
    request_id: str,
    outcome: Exception | Issued,
) -> None:
    asked_for = gives(monkeypatch, outcome)
    answer = told(door.handle(posted(requestContext=context), invocation_id=LAMBDAS_OWN))
    assert answer.body["request_id"] == request_id
    assert [line["correlation_id"] for line in logged()] == [request_id]
    assert len(asked_for) == 1, "an event without an id is a request all the same"


@pytest.mark.parametrize("resource", [SINGULAR, PLURAL])
@pytest.mark.parametrize("path", ["/cards{}", "/v1/api{}", "{}", "/cards{}/"])
def test_a_custom_domains_base_path_takes_no_part_in_routing(
    door: Door, monkeypatch: pytest.MonkeyPatch, resource: str, path: str
) -> None:
    gives(monkeypatch, Issued(OWN))
    assert told(door.handle(posted(resource=resource, path=path.format(resource)))).outcome == (200, "issued")
    form = door.handle(event_of("GET", resource, {}, None) | {"path": path.format(resource)})
    assert form["multiValueHeaders"]["Content-Type"] == ["text/html; charset=utf-8"]


@pytest.mark.parametrize("path", [SINGULAR, "/cards" + SINGULAR])
def test_another_resource_is_not_found_whatever_its_path(door: Door, path: str) -> None:
    assert told(door.handle(posted(resource="/{proxy+}", path=path))).outcome == (404, "not_found")


@pytest.mark.parametrize(
    "lacking",
    [
        *({"headers": None}, {"multiValueHeaders": None}, {"queryStringParameters": None}, {"isBase64Encoded": None}),
        *({"body": None}, {"path": None}, {"pathParameters": {}, "stageVariables": {}}),
    ],
    ids=lambda lacking: next(iter(lacking)),
)
def test_what_a_request_lacks_is_a_matter_of_its_answer(
    door: Door, monkeypatch: pytest.MonkeyPatch, lacking: dict[str, Any]
) -> None:
    """The console's own test button sends null for every kind of header."""
    gives(monkeypatch, Issued(OWN))
    event = posted(**lacking)
    assert told(door.handle(event)).status < 500
    assert told(door.handle(event | dict.fromkeys(lacking))).status < 500


HTTP_API_V2 = {
    "version": "2.0",
    "routeKey": f"POST {SINGULAR}",
    "rawPath": SINGULAR,
    "headers": {"content-type": JSON},
    "requestContext": {"requestId": "made-up", "http": {"method": "POST", "path": SINGULAR}},
    "body": json.dumps(form_fields()),
    "isBase64Encoded": False,
}
LOAD_BALANCER = {
    "requestContext": {"elb": {"targetGroupArn": "made-up"}},
    "httpMethod": "POST",
    "path": SINGULAR,
    "headers": {"content-type": JSON},
    "body": json.dumps(form_fields()),
}
SCHEDULE = {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}, "resources": []}


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({}, id="a warm-up"),
        pytest.param({"source": "serverless-plugin-warmup"}, id="a plugin's warm-up"),
        pytest.param(SCHEDULE, id="a schedule"),
        pytest.param({"Records": [{"body": "0000-1111-2222-3333"}]}, id="a queue"),
        pytest.param(HTTP_API_V2, id="HTTP API v2"),
        pytest.param(LOAD_BALANCER, id="a load balancer"),
        pytest.param({"requestContext": {"routeKey": "$default", "eventType": "MESSAGE"}, "body": "x"}, id="WebSocket"),
        pytest.param({"httpMethod": 1, "resource": SINGULAR}, id="a method that is none"),
        pytest.param({"httpMethod": "POST", "resource": None, "path": SINGULAR}, id="no resource"),
        pytest.param(None, id="null"),
        pytest.param([], id="a list"),
        pytest.param("0000-1111-2222-3333", id="a text"),
        pytest.param(1, id="a number"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_is_no_request_of_the_rest_api_is_answered_quietly_and_told_in_the_log(
    door: Door, monkeypatch: pytest.MonkeyPatch, logged: Lines, capsys: pytest.CaptureFixture[str], event: Any
) -> None:
    asked_for = gives(monkeypatch, Issued(OWN))
    answer = door.handle(event)
    assert asked_for == []
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (404, "not_found")
    assert answer["headers"]["Content-Type"] == "application/json; charset=utf-8", "HTTP API v2 knows these alone"
    (line,) = logged()
    assert (line["level"], line["message"]) == ("INFO", "no request of the REST API")
    assert "0000-1111" not in json.dumps(line)
    assert '"_aws"' not in capsys.readouterr().out, "a warm-up is no request, and counts as none"


def test_a_wrong_event_leaves_nothing_to_the_next_request(
    door: Door, monkeypatch: pytest.MonkeyPatch, logged: Lines
) -> None:
    gives(monkeypatch, Issued(OWN))
    door.handle({})
    event = posted()
    assert told(door.handle(event)).outcome == (200, "issued")
    assert logged()[-1]["correlation_id"] == event["requestContext"]["extendedRequestId"]
