"""Who is compared, each built as it would be deployed: this service, the official client, the guide's example."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.network import run_network
from benchmarks.stand_in import HOST, Authority, StandIn, new_authority, run_stand_in
from infra.local.aws import Aws, run_aws
from infra.local.service import IMP_KEY, IMP_SECRET, LOCAL_PARAMETERS, put_local_keys
from infra.local.template import PROJECT, Function, Template
from tests.e2e.emulator import build, run_sam

ROUND_TRIP = 0.020
"""Seconds from Lambda to Iamport and back."""

FUNCTION = "IssueBillingFunction"
"""Its name in both templates."""

GUIDE_TEMPLATE = PROJECT / "benchmarks/guide_example/template.yaml"
OFFICIAL_CLIENT = PROJECT / "benchmarks/official_client"
UV = Path(sys.executable).with_name("uv")


@dataclass(frozen=True)
class Contender:
    name: str
    function: Function
    package: Path


@dataclass(frozen=True)
class Surroundings:
    """What every contender talks to, and the contenders as they talk to it."""

    stand_in: StandIn
    ours: Contender
    official_client: Contender
    guide_example: Contender

    def without_network(self, contender: Contender) -> Contender:
        """The same contender, with Iamport on the same machine."""
        return _pointed_at(contender, {"IAMPORT_BASE_URL": f"https://{HOST}:{self.stand_in.port}"})


@contextmanager
def run_surroundings() -> Iterator[Surroundings]:
    """Builds all packages, which takes a minute. Afterwards nothing is left, neither processes nor files."""
    with TemporaryDirectory(prefix="benchmarks-") as name:
        directory = Path(name)
        authority = new_authority(directory)
        ours_template = Template(parameters={**LOCAL_PARAMETERS, "CustomerIdentity": "signed"})
        guide_template = Template(GUIDE_TEMPLATE)
        with (
            run_stand_in(authority.server_certificate) as stand_in,
            run_network(stand_in.port, ROUND_TRIP) as port,
            run_aws(ours_template) as aws,
        ):
            put_local_keys(aws)
            environment = _common_environment(aws, port, authority)
            ours, official_client, guide_example = (
                _pointed_at(contender, environment)
                for contender in (
                    Contender("ours", ours_template.function(FUNCTION, aws.physical_ids), build_ours(directory)),
                    Contender("official-client", _official_function(), install_official_client(directory)),
                    Contender("guide", guide_template.function(FUNCTION, aws.physical_ids), build_guide(directory)),
                )
            )
            for contender in (ours, official_client, guide_example):
                _trust(authority, contender.package)
            yield Surroundings(stand_in, ours, official_client, guide_example)


def build_ours(directory: Path) -> Path:
    return build(directory / "ours") / FUNCTION


def build_guide(directory: Path) -> Path:
    """A plain `sam build`: everything that pip installs, no bytecode."""
    target = directory / "guide"
    run_sam(
        *("build", "--template-file", str(GUIDE_TEMPLATE)),
        *("--build-dir", str(target / "build"), "--cache-dir", str(target / "cache")),
    )
    return target / "build" / FUNCTION


def install_official_client(directory: Path) -> Path:
    target = directory / "official_client"
    command = [str(UV), "pip", "install", "--quiet", "--require-hashes", "--python", sys.executable]
    command += ["--target", str(target), "--requirement", str(OFFICIAL_CLIENT / "requirements.txt")]
    subprocess.run(command, check=True, timeout=120)  # noqa: S603 (our own command)
    shutil.copy(OFFICIAL_CLIENT / "app.py", target)
    return target


def _official_function() -> Function:
    return Function(
        name="official-client",
        code=OFFICIAL_CLIENT,
        handler="app.handler",
        timeout_seconds=28,
        memory_megabytes=1024,
        environment={"IMP_KEY": IMP_KEY, "IMP_SECRET": IMP_SECRET},
    )


def _common_environment(aws: Aws, port: int, authority: Authority) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": aws.url,
        "IAMPORT_BASE_URL": f"https://{HOST}:{port}",
        "SSL_CERT_FILE": str(authority.bundle),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _pointed_at(contender: Contender, environment: Mapping[str, str]) -> Contender:
    function = replace(contender.function, environment={**contender.function.environment, **environment})
    return replace(contender, function=function)


def _trust(authority: Authority, package: Path) -> None:
    """requests trusts what its package certifi holds; the standard library asks SSL_CERT_FILE."""
    for bundle in package.glob("certifi/cacert.pem"):
        bundle.write_bytes(authority.bundle.read_bytes())
