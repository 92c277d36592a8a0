"""Iamport's simulator over TLS, in a process of its own: what it computes is not charged to who is measured.

Run as a program (`python -m benchmarks.stand_in CERTIFICATE`) it prints its port, answers every line on its standard
input with what it has counted so far, and ends when the input does.
"""

import json
import ssl
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

import certifi
import trustme

from infra.local.iamport import Endpoint, Simulator
from infra.local.program import Program, run_program
from infra.local.service import IMP_KEY, IMP_SECRET

HOST = "127.0.0.1"
"""An address and no name: looking up names is no part of what is measured."""


@dataclass(frozen=True)
class Counts:
    """What has reached Iamport."""

    issue_calls: int = 0
    token_calls: int = 0
    other_calls: int = 0
    connections: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(mine + others for mine, others in zip(astuple(self), astuple(other), strict=True)))

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(*(mine - others for mine, others in zip(astuple(self), astuple(other), strict=True)))


class StandIn:
    def __init__(self, program: Program) -> None:
        self._program = program
        self.port = int(program.next_line())

    def counts(self) -> Counts:
        return Counts(*json.loads(self._program.ask()))


@dataclass(frozen=True)
class Authority:
    """A certificate authority made for one run."""

    server_certificate: Path
    """With its private key, for HOST."""
    bundle: Path
    """Every authority that clients trust by default, and this one: as many to load as anywhere else."""


def new_authority(directory: Path) -> Authority:
    authority = trustme.CA()
    server_certificate, bundle = directory / "server.pem", directory / "authorities.pem"
    authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(str(server_certificate))
    bundle.write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())
    return Authority(server_certificate, bundle)


@contextmanager
def run_stand_in(server_certificate: Path) -> Iterator[StandIn]:
    with run_program("-m", "benchmarks.stand_in", server_certificate) as program:
        yield StandIn(program)


def main(server_certificate: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server_certificate)
    with Simulator(IMP_KEY, IMP_SECRET, HOST, tls_context=context) as simulator:
        print(simulator.url.rpartition(":")[2], flush=True)
        for _ in sys.stdin:
            by_endpoint = Counter(simulator.endpoints)
            issue_calls, token_calls = by_endpoint[Endpoint.ISSUE], by_endpoint[Endpoint.TOKEN]
            other_calls = by_endpoint.total() - issue_calls - token_calls
            print(json.dumps([issue_calls, token_calls, other_calls, simulator.connections]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
