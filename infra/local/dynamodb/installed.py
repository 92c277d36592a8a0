"""DynamoDB's own ways, installed into moto, and what a test may ask of them."""

from collections.abc import Callable, Mapping

from infra.local.dynamodb import transactions, validation, writes
from infra.local.dynamodb.clock import AwsClock
from infra.local.dynamodb.conflicts import Conflicts
from infra.local.dynamodb.lagging_index import LaggingIndex
from infra.local.dynamodb.tokens import Tokens


def install() -> Mapping[str, Callable[..., None]]:
    """The commands of `infra.local.aws.Aws`, by name. Once in a process."""
    clock, conflicts, index = AwsClock(), Conflicts(), LaggingIndex()
    tokens = Tokens(clock.now)
    writes.install()
    index.install()
    transactions.install(conflicts, tokens)
    conflicts.install()
    # Last, so first asked: what is no request at all meets no conflict.
    validation.install()

    def clear_faults() -> None:
        conflicts.forget()
        index.let_go()
        tokens.forget()

    return {
        "conflict_next": conflicts.refuse_next,
        "conflict_share": conflicts.refuse_share,
        "advance": clock.advance,
        "hold_index_back": index.hold_back,
        "let_index_go": index.let_go,
        "clear_faults": clear_faults,
    }
