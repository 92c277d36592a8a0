"""The merchant's secret: what is read of it, when it is read again, and what it means that it can't be."""

import json

import pytest
from botocore.exceptions import ConnectTimeoutError, NoCredentialsError

from billing.credentials import Credentials, CredentialsStore
from billing.model.errors import Unavailable
from billing.model.sensitive import Sensitive
from billing.web.answers import HTTP_STATUS
from tests.unit.fakes import SETTINGS, FakeSecretsManager, StoppedClock, aws_of, refused_by_aws

FILLED_IN = {"imp_key": "key", "imp_secret": "made-up"}


def secret(**changes: object) -> str:
    return json.dumps({**FILLED_IN, **changes})


def store_of(*secrets: str | Exception | None) -> tuple[CredentialsStore, FakeSecretsManager]:
    manager = FakeSecretsManager(*secrets)
    return CredentialsStore(SETTINGS, aws_of(secrets_manager=manager)), manager


def read(text: str | Exception | None) -> Credentials:
    return store_of(text)[0].read()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param(refused_by_aws("AccessDeniedException"), "secret_refused: AccessDeniedException", id="denied"),
        pytest.param(
            refused_by_aws("ResourceNotFoundException"), "secret_refused: ResourceNotFoundException", id="none there"
        ),
        pytest.param(
            refused_by_aws("InternalServiceError", 500), "secret_unreachable: InternalServiceError", id="theirs"
        ),
        pytest.param(
            ConnectTimeoutError(endpoint_url="https://unused"), "secret_unreachable: ConnectTimeoutError", id="time-out"
        ),
        pytest.param(NoCredentialsError(), "secret_unreachable: NoCredentialsError", id="no credentials of our own"),
        pytest.param("", "secret_not_a_json_object", id="empty"),
        pytest.param(None, "secret_not_a_json_object", id="binary"),
        pytest.param("imp_key=key", "secret_not_a_json_object", id="no JSON"),
        pytest.param('["imp_key"]', "secret_not_a_json_object", id="a list"),
        pytest.param("null", "secret_not_a_json_object", id="null"),
        pytest.param("{}", "secret_lacks_imp_key", id="nothing in it"),
        pytest.param(secret(imp_key="replace-me"), "secret_lacks_imp_key", id="the template's key"),
        pytest.param(secret(imp_secret="replace-me"), "secret_lacks_imp_secret", id="the template's secret"),
        pytest.param(secret(imp_key=""), "secret_lacks_imp_key", id="an empty key"),
        pytest.param(secret(imp_secret=""), "secret_lacks_imp_secret", id="an empty secret"),
        pytest.param(secret(imp_key=1234567890123456), "secret_lacks_imp_key", id="a key that is a number"),
        pytest.param(secret(imp_secret=None), "secret_lacks_imp_secret", id="a secret that is null"),
    ],
)
def test_a_secret_that_cannot_be_used_is_unavailable_by_its_reason(given: str | Exception | None, reason: str) -> None:
    with pytest.raises(Unavailable) as failure:
        read(given)
    assert failure.value.reason == reason
    assert HTTP_STATUS[failure.value.code] == 503, "and no bug: nothing was sent"


def test_a_secret_that_is_filled_in_is_read() -> None:
    assert read(secret()) == Credentials(Sensitive("key"), Sensitive("made-up"), ())


@pytest.mark.parametrize("before", ["\ufeff", " \n", "\ufeff\r\n"])
def test_a_byte_order_mark_and_white_space_around_the_secret_are_ignored(before: str) -> None:
    assert read(f"{before}{secret()}\r\n") == read(secret())


@pytest.mark.parametrize("space", [" ", "\n", "\r\n", "\t", "\u00a0", "\u3000", " \n "])
def test_white_space_around_the_secrets_values_is_taken_off(space: str) -> None:
    """As it comes along from a console, a file or a chat."""
    key = "k" * 32
    spaced = {name: f"{space}{value}{space}" for name, value in {**FILLED_IN, "customer_token_key": key}.items()}
    assert read(json.dumps(spaced)) == Credentials(Sensitive("key"), Sensitive("made-up"), (Sensitive(key),))


@pytest.mark.parametrize("nothing", [" ", "\n", " replace-me\n"])
def test_a_value_of_white_space_is_not_filled_in(nothing: str) -> None:
    with pytest.raises(Unavailable) as failure:
        read(secret(imp_key=nothing))
    assert failure.value.reason == "secret_lacks_imp_key"
    assert read(secret(customer_token_key=" ")).customer_token_keys == ()


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"customer_token_key": "new", "customer_token_key_previous": "old"}, ["new", "old"]),
        ({"customer_token_key": "new", "customer_token_key_previous": ""}, ["new"]),
        ({"customer_token_key": "", "customer_token_key_previous": "old"}, ["old"]),
        ({"customer_token_key": None}, []),
        ({"customer_token_key": 1}, []),
    ],
)
def test_keys_of_customer_tokens_may_be_missing(keys: dict[str, object], expected: list[str]) -> None:
    assert [key.reveal() for key in read(secret(**keys)).customer_token_keys] == expected


def test_a_secret_is_read_once_until_it_is_read_anew() -> None:
    store, manager = store_of(secret(imp_key="old"), secret(imp_key="new"))
    assert [store.read().imp_key.reveal() for _ in range(3)] == ["old"] * 3
    assert manager.times_read == 1
    assert store.read_anew().imp_key.reveal() == "new"
    assert store.read().imp_key.reveal() == "new"
    assert manager.times_read == 2


@pytest.mark.parametrize("failure", [refused_by_aws("AccessDeniedException"), "{}", secret(imp_key="replace-me")])
def test_what_was_read_before_is_kept_where_it_cannot_be_read_anew(failure: str | Exception) -> None:
    store, manager = store_of(secret(), failure)
    before = store.read()
    with pytest.raises(Unavailable):
        store.read_anew()
    assert store.read() is before
    assert manager.times_read == 2


def test_a_secret_that_could_not_be_read_is_read_at_the_next_request() -> None:
    store, _ = store_of(refused_by_aws("AccessDeniedException"), secret())
    with pytest.raises(Unavailable):
        store.read()
    assert store.read().imp_key.reveal() == "key"


def test_a_secret_is_worth_reading_anew_after_a_minute(stopped_clock: StoppedClock) -> None:
    store, _ = store_of(secret())
    for ask in (store.read, store.read_anew):
        ask()
        assert not store.may_have_changed()
        stopped_clock.advance(60)
        assert not store.may_have_changed()
        stopped_clock.advance(1)
        assert store.may_have_changed()


def test_nothing_of_it_shows_itself() -> None:
    assert "made-up" not in repr(read(secret(customer_token_key="made-up-too")))
