"""Run the simulator alone: `python -m infra.local.iamport --port N [--contract NAME]`, and see `--help`."""

import argparse
import signal
import threading
from types import FrameType

from infra.local.iamport.cards import ANY_OTHER, Card
from infra.local.iamport.contracts import BY_NAME, LENIENT, Contract, with_all_others
from infra.local.iamport.simulator import LOCAL_IMP_KEY, LOCAL_IMP_SECRET, Simulator


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m infra.local.iamport", formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at")
    parser.add_argument("--port", type=int, required=True, help="port to listen at, 0 for a free one")
    parser.add_argument("--imp-key", default=LOCAL_IMP_KEY, help="the API key to accept")
    parser.add_argument("--imp-secret", default=LOCAL_IMP_SECRET, help="its secret")
    add_contract(parser)
    arguments = parser.parse_args()
    contracts = with_all_others(arguments.contract)
    try:
        simulator = Simulator(
            arguments.imp_key,
            arguments.imp_secret,
            arguments.host,
            arguments.port,
            contracts=contracts,
            log=print_line,
        )
    except (OSError, OverflowError) as error:
        parser.exit(1, f"cannot listen at {arguments.host} port {arguments.port}: {error}\n")
    stop = stop_signals()
    with simulator:
        print_line(f"Iamport simulator at {simulator.url}\n\n{card_table(simulator.cards)}\n")
        print_line(f"{channel_table(contracts)}\n")
        stop.wait()


def add_contract(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--contract",
        choices=tuple(BY_NAME),
        default=LENIENT.name,
        metavar="NAME",
        help=f"the default channel's contract, of {', '.join(BY_NAME)}; the others are chosen by channel_key or pg",
    )


def stop_signals() -> threading.Event:
    """Set by Ctrl-C and SIGTERM."""
    stop = threading.Event()

    def set_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, set_stop)
    signal.signal(signal.SIGTERM, set_stop)
    return stop


def card_table(cards: tuple[Card, ...]) -> str:
    """The table of test cards, one line each."""
    rows = [("card number", "scenario", "what happens")]
    rows += [(card.number, card.scenario, card.what_happens) for card in (*cards, ANY_OTHER)]
    return "\n".join(f"{number:<21}{scenario:<29}{what_happens}" for number, scenario, what_happens in rows)


def channel_table(contracts: tuple[Contract, ...]) -> str:
    """The channels, one line each, the default one first."""
    rows = [("channel_key", "pg", "what it wants")]
    rows += [(one.channel_key, f"{one.pg_provider}.{one.pg_id}", one.what) for one in contracts]
    return "\n".join(f"{channel_key:<34}{pg:<36}{what}" for channel_key, pg, what in rows)


def print_line(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
