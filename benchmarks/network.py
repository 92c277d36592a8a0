"""The way to Iamport: a proxy that charges the time which a network takes.

    new connection        one round trip before its first byte is on the way, as TCP's handshake costs
    each chunk            half a round trip, in either direction; chunks keep their order and travel side by side

Run as a program (`python -m benchmarks.network PORT ROUND_TRIP`) it prints the port that it listens at, passes on to
PORT, and ends when its standard input does. Threads, not asyncio: asyncio's timers are exact to a millisecond only.
"""

import queue
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from infra.local.program import run_program

HOST = "127.0.0.1"
LARGEST_CHUNK = 65536
SLEEP_OVERSHOOTS = 0.0003
"""Seconds."""
PASSING_ON = 0.0001
"""Seconds from a chunk's arrival until it is noticed and sent on, which the time charged for it includes."""


@contextmanager
def run_network(port: int, round_trip: float) -> Iterator[int]:
    """Gives the port to connect to in place of `port`. `round_trip` in seconds."""
    with run_program("-m", "benchmarks.network", str(port), str(round_trip)) as program:
        yield int(program.next_line())


def main(port: str, round_trip: str) -> None:
    with socket.create_server((HOST, 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        accepting = threading.Thread(target=_accept, args=(listener, int(port), float(round_trip)), daemon=True)
        accepting.start()
        sys.stdin.read()


def _accept(listener: socket.socket, port: int, round_trip: float) -> None:
    while True:
        near, _ = listener.accept()
        connected_at = time.monotonic() + round_trip
        far = socket.create_connection((HOST, port))
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=_carry, args=(source, sink, connected_at, round_trip / 2), daemon=True).start()


def _carry(source: socket.socket, sink: socket.socket, connected_at: float, one_way: float) -> None:
    under_way: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
    threading.Thread(target=_deliver, args=(under_way, sink), daemon=True).start()
    chunk = b"any"
    while chunk:
        try:
            chunk = source.recv(LARGEST_CHUNK)
        except OSError:
            chunk = b""
        under_way.put((max(time.monotonic(), connected_at) + one_way - PASSING_ON, chunk))


def _deliver(under_way: "queue.SimpleQueue[tuple[float, bytes]]", sink: socket.socket) -> None:
    """An empty chunk is the end of what this direction carries."""
    with suppress(OSError):
        while True:
            due, chunk = under_way.get()
            _wait_until(due)
            if not chunk:
                sink.shutdown(socket.SHUT_WR)
                return
            sink.sendall(chunk)


def _wait_until(moment: float) -> None:
    """Asleep but for the end, as sleep overshoots."""
    time.sleep(max(0.0, moment - SLEEP_OVERSHOOTS - time.monotonic()))
    while time.monotonic() < moment:
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
