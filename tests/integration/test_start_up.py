"""What a container has fetched before its first request, and what a snapshot of it must not hold."""

import random
import sys
import time
from collections.abc import Iterator
from threading import Barrier

import pytest
import snapshot_restore_py

from billing.aws_clients import AwsClients
from billing.fingerprints import Fingerprints
from billing.iamport.client import Iamport
from billing.start_up import IMPORTED_WHEN_NEEDED
from infra.local.iamport import Simulator, faults
from tests.integration.door import Door, form_fields
from tests.serving import saying_nothing


@pytest.fixture
def snap_start(monkeypatch: pytest.MonkeyPatch, door: Door) -> Iterator[None]:  # noqa: ARG001 (sets its surroundings up)
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    yield
    snapshot_restore_py.get_after_restore().clear()


def restore() -> None:
    """What Lambda's runtime does after it has brought a snapshot back."""
    for hook, arguments, keywords in snapshot_restore_py.get_after_restore():
        hook(*arguments, **keywords)


@pytest.mark.usefixtures("door")
@pytest.mark.parametrize("kind", ["on-demand", "provisioned-concurrency"])
def test_the_token_is_there_before_the_first_request(
    monkeypatch: pytest.MonkeyPatch, iamport: Simulator, kind: str
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", kind)
    door = Door()
    assert iamport.endpoints == ["token"]
    assert door.post_json(form_fields()).status == 200
    assert iamport.endpoints == ["token", "look_up", "issue"]


@pytest.mark.usefixtures("door")
def test_the_secrets_are_there_before_the_first_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
    door, read = Door(), list[str]()
    monkeypatch.setattr(AwsClients, "read_secret", lambda _, secret_id: read.append(secret_id))
    assert door.post_json(form_fields()).status == 200
    assert read == []


@pytest.mark.usefixtures("door")
def test_the_fingerprints_key_is_fetched_while_iamport_is_asked_for_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever is first waits for the other."""
    both = Barrier(2, timeout=5)
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
    monkeypatch.setattr(Iamport, "prepare", lambda *_: both.wait())
    monkeypatch.setattr(Fingerprints, "key", lambda _: both.wait())
    Door()
    assert not both.broken


@pytest.mark.usefixtures("door")
def test_a_failed_start_is_made_up_for_by_the_first_request(
    monkeypatch: pytest.MonkeyPatch, iamport: Simulator
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
    iamport.fail_next("token", faults.SERVER_ERROR, times=2)
    assert Door().post_json(form_fields()).status == 200
    assert iamport.endpoints == ["token"] * 3 + ["look_up", "issue"]


@pytest.mark.usefixtures("door")
def test_a_start_waits_three_seconds_for_iamport_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
    with saying_nothing() as server:
        monkeypatch.setenv("IAMPORT_BASE_URL", server.url)
        started = time.monotonic()
        Door()
        assert 2.5 < time.monotonic() - started < 6


@pytest.mark.usefixtures("snap_start")
@pytest.mark.parametrize("service", ["IAMPORT_BASE_URL", "AWS_ENDPOINT_URL"])
def test_a_snapshot_holds_neither_secret_nor_token_nor_connection(
    monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    with saying_nothing() as server:
        monkeypatch.setenv(service, server.url)
        Door()
        assert not server.was_connected_to()


@pytest.mark.usefixtures("snap_start")
def test_a_restored_container_has_a_session_and_clients_of_its_own() -> None:
    """Those that came with a snapshot would hold the credentials of the function that was frozen."""
    Door()
    clients = sys.modules["app"].services.aws
    assert vars(clients) == {}
    restore()
    assert {"_session", "dynamodb", "secrets_manager"} <= vars(clients).keys()


@pytest.mark.usefixtures("door")
def test_a_start_makes_both_clients_before_the_first_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
    Door()
    assert {"dynamodb", "secrets_manager"} <= vars(sys.modules["app"].services.aws).keys()


@pytest.mark.usefixtures("snap_start")
def test_a_snapshot_holds_every_module(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in IMPORTED_WHEN_NEEDED:
        monkeypatch.delitem(sys.modules, module, raising=False)
        monkeypatch.delattr(module, raising=False)  # of its package, where later tests would find the one made here
    Door()
    assert set(IMPORTED_WHEN_NEEDED) <= set(sys.modules)


@pytest.mark.usefixtures("snap_start")
def test_a_restored_container_has_its_token_before_the_first_request(iamport: Simulator) -> None:
    door = Door()
    restore()
    assert iamport.endpoints == ["token"]
    assert door.post_json(form_fields()).status == 200


@pytest.mark.usefixtures("snap_start")
def test_two_containers_out_of_one_snapshot_do_not_wait_alike() -> None:
    Door()
    snapshot = random.getstate()
    drawn = []
    for _ in range(2):
        random.setstate(snapshot)
        restore()
        drawn.append(random.random())  # noqa: S311 (it is what the waits are drawn from)
    assert drawn[0] != drawn[1]
