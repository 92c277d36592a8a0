"""A consent that the hosted form asks for is checked by the service, and recorded with the attempt."""

import json

import pytest

from infra.local.aws import Aws
from tests.attempts_table import item_of, plain
from tests.integration.door import Door, form_fields

OWN_PAGE = {"Host": "api.example", "Origin": "https://api.example"}
VERSIONS = {"consent": "0123456789ab", "consent_to_provision": "ba9876543210"}


@pytest.fixture
def asking_door(monkeypatch: pytest.MonkeyPatch, door: Door) -> Door:  # noqa: ARG001 (sets its surroundings up)
    monkeypatch.setenv("DATA_COLLECTION", "consent")
    monkeypatch.setenv("DATA_RECIPIENT", "PG")
    return Door()


@pytest.mark.parametrize("given", [{}, {"consent": "yes"}, {"consent": "0123456789ab"}])
def test_without_every_consent_the_forms_post_is_refused(asking_door: Door, given: dict[str, str]) -> None:
    answer = asking_door.post_json(form_fields(**given), headers=OWN_PAGE)
    assert answer.outcome == (400, "invalid_request")
    named = {error["field"] for error in answer.body["errors"]}
    assert "consent_to_provision" in named
    assert ("consent" in named) is (given.get("consent") != VERSIONS["consent"])


def test_time_and_version_are_kept_with_the_attempt_and_with_the_card(asking_door: Door, aws: Aws) -> None:
    fields = form_fields(**VERSIONS)
    assert asking_door.post_json(fields, headers=OWN_PAGE).code == "issued"
    item = plain(item_of(aws, fields["customer_uid"]))
    assert json.loads(item["consents"]) == {**VERSIONS, "at": int(item["began_at"])}
    assert item["registered_consents"] == item["consents"]


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://shop.example"}])
def test_other_pages_have_words_of_their_own(asking_door: Door, aws: Aws, headers: dict[str, str]) -> None:
    fields = form_fields()
    assert asking_door.post_json(fields, headers=headers).code == "issued"
    assert "consents" not in item_of(aws, fields["customer_uid"])
