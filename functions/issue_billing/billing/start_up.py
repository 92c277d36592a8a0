"""What a container fetches before its first request, which needs it anyway: the secret, Iamport's token, and the key of
cards' fingerprints.

    on-demand     import Powertools and the rest ──▶ wait ──▶ first request
                  └─ secret ── token ──────────────┘
                            └─ fingerprints' key ──┘
    snap-start    import everything ──▶ snapshot ┄┄▶ restored ── the same ──▶ first request

Neither secret nor key nor token nor connection may get into a snapshot: it is stored, and many containers come out of
it.
Source: "Lambda SnapStart runtime hooks for Python", AWS Lambda developer guide.
"""

import importlib
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Thread

from billing.model.deadline import Deadline
from billing.services import Services

FETCH_SECONDS = 3.0
"""Lambda gives a start ten seconds, and the hooks of a restored snapshot as well."""

IMPORTED_WHEN_NEEDED = ("card_form.page", "billing.inquiry")
"""Other containers save their time; a snapshot has them for nothing."""


@contextmanager
def fetching_ahead(services: Services, environment: Mapping[str, str]) -> Iterator[None]:
    """Around the imports that take long. Afterwards nothing is under way: Lambda freezes who has no request."""
    match environment.get("AWS_LAMBDA_INITIALIZATION_TYPE"):
        case "on-demand" | "provisioned-concurrency":
            fetching = Thread(target=fetch, args=[services], daemon=True)
            fetching.start()
            yield
            fetching.join()
        case "snap-start":
            yield
            prepare_snapshot(services)
        case _:  # no Lambda: a test, a laptop
            yield


def prepare_snapshot(services: Services) -> None:
    # Part of Lambda's runtime, and so of no package.
    from snapshot_restore_py import register_after_restore

    for module in IMPORTED_WHEN_NEEDED:
        importlib.import_module(module)
    register_after_restore(after_restore, services)


def after_restore(services: Services) -> None:
    # All containers that come out of one snapshot would otherwise wait alike before they try again.
    random.seed()
    fetch(services)


def fetch(services: Services) -> None:
    # Whatever fails here fails again in the first request, which answers for it.
    # The key waits for the secret, and takes its connection while Iamport is asked for the token: so it costs no time.
    beside = Thread(target=fetch_key, args=[services], daemon=True)
    with suppress(Exception):
        _ = services.aws.dynamodb  # made now, as that takes time
        services.credentials.read()
    beside.start()
    with suppress(Exception):
        services.iamport.prepare(Deadline.after(FETCH_SECONDS))
    beside.join()
    services.iamport.take_seconds_waited()


def fetch_key(services: Services) -> None:
    with suppress(Exception):
        services.fingerprints.key()
