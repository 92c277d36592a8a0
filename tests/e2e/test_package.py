"""The package that `sam build` makes, run by AWS's own runtime: what the cloud will run."""

import importlib.util
import json
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, replace
from filecmp import dircmp
from pathlib import Path
from typing import Any

import pytest

from infra.local.service import run_backends, talking_to
from infra.local.template import PROJECT, Function, Template
from tests.e2e.emulator import Runtime, build, run_lambda

EVENTS = {path.stem: json.loads(path.read_text("utf-8")) for path in (PROJECT / "tests/events").glob("*.json")}

IMPORTED_BEFORE_THE_FIRST_REQUEST = {
    *("app", "billing"),
    *("aws_lambda_powertools", "jmespath", "typing_extensions"),
    *("requests", "urllib3", "certifi", "charset_normalizer", "idna"),
    *("boto3", "botocore", "dateutil", "s3transfer", "six"),
    "jwt",
}
MOST_MODULES = 720
"""Each is paid for at every cold start; the standard library's count too."""

LARGEST_ZIP = 6_000_000
"""Bytes. A cold start downloads it."""

COMPILED_EXTENSIONS = (".so", ".pyd", ".dylib")

UNCHECKED_HASH = 0b01
"""The flags in a .pyc file's second word (PEP 552)."""

PROBE = """
import sys
before = set(sys.modules)
import app
imported_by_app = sorted(set(sys.modules) - before)

def handler(event, context):
    app.handler(event, context)
    files = {name: module.__file__ for name, module in sys.modules.items() if getattr(module, "__file__", None)}
    return {"imported_by_app": imported_by_app, "files": files}
"""


@dataclass(frozen=True)
class Probed:
    """What the function imports, asked of the function itself in `signed` mode."""

    directory: Path
    imported_by_app: list[str]
    files: dict[str, str]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("sam"))


@pytest.fixture(scope="module")
def package(packages: Path) -> Path:
    return packages / "IssueBillingFunction"


@pytest.fixture(scope="module")
def files_before(package: Path) -> dict[Path, int]:
    """When each file was written, before the package ran for the first time."""
    return _times_of_writing(package)


@pytest.fixture(scope="module")
def function() -> Iterator[Function]:
    """With stand-ins for Iamport and AWS to talk to."""
    template = Template()
    with run_backends(template) as backends:
        yield talking_to(backends, template.function("IssueBillingFunction", backends.aws.physical_ids))


@pytest.fixture(scope="module")
def runtime(
    function: Function, package: Path, files_before: dict[Path, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runtime]:
    assert files_before
    with run_lambda(function, package, tmp_path_factory.mktemp("runtime")) as running:
        yield running


@pytest.fixture(scope="module")
def answers(runtime: Runtime) -> dict[str, Any]:
    """What the function returned for each event of tests/events."""
    return {name: runtime.invoke(event) for name, event in EVENTS.items()}


@pytest.mark.parametrize("name", ["issue_json", "issue_form", "issue_camel_case", "issue_base64"])
def test_a_billing_key_is_issued_for(name: str, answers: dict[str, Any]) -> None:
    body = json.loads(answers[name]["body"])
    assert (answers[name]["statusCode"], body["message"]) == (200, "Billing has successfully issued")
    assert body["customer_uid"] == name.replace("issue_", "event_")
    assert body["card"]["number"].endswith("****3333")


def test_every_bad_field_is_reported(answers: dict[str, Any]) -> None:
    body = json.loads(answers["invalid"]["body"])
    assert (answers["invalid"]["statusCode"], body["code"]) == (400, "invalid_request")
    assert {wrong["field"] for wrong in body["errors"]} == {
        *("card_number", "expiry", "birth", "pwd_2digit", "customer_uid"),
    }


@pytest.mark.usefixtures("answers")
def test_the_log_tells_outcomes_and_no_card_number(runtime: Runtime) -> None:
    log = runtime.log()
    assert '"BillingKeyIssued"' in log
    assert '"InvalidRequest"' in log
    digits_only = log.replace("-", "").replace(" ", "")
    assert "0000111122223333" not in digits_only


@pytest.mark.usefixtures("answers")
def test_nothing_is_compiled_while_it_runs(package: Path, files_before: dict[Path, int]) -> None:
    assert _times_of_writing(package) == files_before


@pytest.fixture(scope="module")
def probed(function: Function, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Probed:
    directory = tmp_path_factory.mktemp("probe")
    probed = directory / "package"
    shutil.copytree(package, probed)
    (probed / "probe.py").write_text(PROBE)
    environment = {**function.environment, "CUSTOMER_IDENTITY": "signed"}
    with run_lambda(replace(function, handler="probe.handler", environment=environment), probed, directory) as runtime:
        return Probed(directory, **runtime.invoke(EVENTS["invalid"]))


def test_the_start_imports_what_it_uses_and_nothing_else(probed: Probed) -> None:
    names = {name.partition(".")[0] for name in probed.imported_by_app}
    assert names - sys.stdlib_module_names - {"__mp_main__"} == IMPORTED_BEFORE_THE_FIRST_REQUEST
    assert len(probed.imported_by_app) <= MOST_MODULES


def test_everything_is_imported_from_the_package(probed: Probed) -> None:
    package, imported = probed.directory / "package", probed.files
    assert Path(imported["botocore"]).parent == package / "botocore"
    known = (package, probed.directory / "runtime", Path(sysconfig.get_path("stdlib")))
    strangers = [
        file
        for file in imported.values()
        if "site-packages" in file or not any(Path(file).is_relative_to(place) for place in known)
    ]
    assert strangers == []


def test_every_module_is_compiled_for_python_3_13_and_never_checked_against_its_source(package: Path) -> None:
    sources = list(package.rglob("*.py"))
    assert sources
    for source in sources:
        bytecode = (source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc").read_bytes()
        assert bytecode[:4] == importlib.util.MAGIC_NUMBER
        assert int.from_bytes(bytecode[4:8], "little") == UNCHECKED_HASH
        assert bytecode[8:16] == importlib.util.source_hash(source.read_bytes())


def test_it_runs_on_any_processor(package: Path) -> None:
    assert [path for path in package.rglob("*") if path.suffix in COMPILED_EXTENSIONS] == []


def test_it_is_small(package: Path, tmp_path: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "package"), "zip", package))
    assert archive.stat().st_size < LARGEST_ZIP


def test_it_holds_nothing_of_the_build(package: Path) -> None:
    names = {path.name for path in package.iterdir()}
    assert {"app.py", "billing"} <= names
    assert not names & {"Makefile", "package.py", "requirements.in", "requirements.txt", "bin"}


def test_two_builds_of_the_same_source_are_the_same(packages: Path) -> None:
    """SAM builds the package once for each function."""
    assert (
        _differences(dircmp(packages / "IssueBillingFunction", packages / "SettleFunction", ignore=[], shallow=False))
        == []
    )


def _times_of_writing(directory: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in directory.rglob("*") if path.is_file()}


def _differences(comparison: "dircmp[str]") -> list[str]:
    below = [name for part in comparison.subdirs.values() for name in _differences(part)]
    return [*comparison.left_only, *comparison.right_only, *comparison.diff_files, *comparison.funny_files, *below]
