"""The key of cards' fingerprints: when it is read, what it means that it can't be, and what is made by it."""

import hashlib
import hmac

import pytest
from botocore.exceptions import ConnectTimeoutError

from billing.fingerprints import Fingerprints
from billing.model.errors import Unavailable
from billing.web.answers import HTTP_STATUS
from tests.unit.fakes import FINGERPRINT, SETTINGS, FakeSecretsManager, aws_of, fingerprints_of, refused_by_aws

NUMBER = "0000111122223333"


def test_a_fingerprint_tells_cards_apart_and_none_without_the_key() -> None:
    ours, the_same, theirs = (fingerprints_of(key) for key in ("made-up", "made-up", "another"))
    assert ours.of(NUMBER) == the_same.of(NUMBER)
    prints = [ours.of(NUMBER), ours.of("0000111122223334"), theirs.of(NUMBER)]
    assert len(set(prints)) == 3
    assert not any("1111" in each for each in prints)


def test_a_fingerprint_outlasts_releases() -> None:
    """By it cards are counted and repeated requests known, whichever release wrote it down."""
    assert fingerprints_of("made-up").of(NUMBER) == hmac.new(b"made-up", NUMBER.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (refused_by_aws("AccessDeniedException"), "fingerprint_key_refused: AccessDeniedException"),
        (refused_by_aws("ResourceNotFoundException"), "fingerprint_key_refused: ResourceNotFoundException"),
        (refused_by_aws("InternalServiceError", 500), "fingerprint_key_unreachable: InternalServiceError"),
        (ConnectTimeoutError(endpoint_url="https://unused"), "fingerprint_key_unreachable: ConnectTimeoutError"),
        ("", "fingerprint_key_empty"),
        (None, "fingerprint_key_empty"),
    ],
)
def test_a_key_that_cannot_be_read_is_unavailable_by_its_reason(given: str | Exception | None, reason: str) -> None:
    with pytest.raises(Unavailable) as failure:
        fingerprints_of(given).of(NUMBER)
    assert failure.value.reason == reason
    assert HTTP_STATUS[failure.value.code] == 503


def test_the_key_is_read_once() -> None:
    manager = FakeSecretsManager("made-up", "another", secret_id=FINGERPRINT)
    fingerprints = Fingerprints(SETTINGS, aws_of(secrets_manager=manager))
    assert len({fingerprints.of(NUMBER) for _ in range(3)}) == 1
    assert manager.times_read == 1


def test_a_key_that_could_not_be_read_is_read_at_the_next_request() -> None:
    fingerprints = fingerprints_of(refused_by_aws("AccessDeniedException"), "made-up")
    with pytest.raises(Unavailable):
        fingerprints.key()
    assert fingerprints.key().reveal() == "made-up"


def test_nothing_of_the_key_shows_itself() -> None:
    fingerprints = fingerprints_of("made-up")
    fingerprints.key()
    assert "made-up" not in repr(vars(fingerprints))
