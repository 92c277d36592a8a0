"""No linter finds anything in any template, and what it is told to overlook has its reason beside it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.local.intrinsics import read_yaml
from infra.local.lambda_environment import MADE_UP_ACCOUNT, NOTHING_OF_THIS_MACHINE
from infra.local.template import PROJECT
from tests.infrastructure.stacks import TEMPLATES

BIN = Path(sys.executable).parent

NO_ACCOUNT = {
    **MADE_UP_ACCOUNT,
    **NOTHING_OF_THIS_MACHINE,
    "SAM_CLI_TELEMETRY": "0",
}


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 (our own command)
        command,
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **NO_ACCOUNT},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


VALIDATE_EACH = """
import json, sys
from click.testing import CliRunner
from samcli.cli.main import cli

for template in sys.argv[1:]:
    done = CliRunner().invoke(cli, ["validate", "--lint", "--template-file", template])
    print(json.dumps([template, done.exit_code, done.output, repr(done.exception)]))
"""
"""SAM's own command for one template after the other: to start it takes longer than most templates do."""


@dataclass(frozen=True)
class Validated:
    status: int
    said: str


@pytest.fixture(scope="module")
def validated() -> dict[str, Validated]:
    """What `sam validate --lint` makes of each template."""
    done = run(BIN.parent / "sam/bin/python", "-c", VALIDATE_EACH, *TEMPLATES)
    assert done.returncode == 0, done.stderr
    lines = map(json.loads, done.stdout.splitlines())
    return {template: Validated(status, f"{said}{raised}") for template, status, said, raised in lines}


def test_cfn_lint_finds_nothing() -> None:
    done = run(BIN / "cfn-lint", *TEMPLATES)
    assert (done.stdout, done.returncode) == ("", 0)


@pytest.mark.parametrize("template", TEMPLATES)
def test_sam_validate_finds_nothing(validated: dict[str, Validated], template: str) -> None:
    done = validated[template]
    assert done.status == 0, done.said
    assert "is a valid SAM Template" in done.said


def test_checkov_finds_nothing() -> None:
    done = run(
        *(BIN.parent / "checkov/bin/checkov", "--framework", "cloudformation", "--skip-download"),
        *("--quiet", "--compact", "--output", "json", "--file", *TEMPLATES),
    )
    report = json.loads(done.stdout)
    assert report["results"]["failed_checks"] == []
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["resource_count"] > 0
    assert done.returncode == 0


@pytest.mark.parametrize("template", TEMPLATES)
def test_what_is_suppressed_has_a_written_reason(template: str) -> None:
    text = (PROJECT / template).read_text("utf-8")
    for _, tool, settings in suppressions(read_yaml(text)):
        assert tool == "checkov", "cfn-lint takes no reason: mend what it finds"
        for skip in settings["skip"]:
            assert re.fullmatch(r"CKV2?_AWS_\d+", skip["id"])
            assert len(skip["comment"].split()) > 3
    assert not re.search(r"#\s*(checkov:skip|cfn-lint)", text), "stands in the resource's metadata, with its reason"


def test_nothing_is_suppressed_but_in_the_templates() -> None:
    assert [path.name for name in ("cfnlintrc", "checkov") for path in PROJECT.glob(f".{name}*")] == []


def suppressions(document: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Where, which tool, what it is told."""
    for name, part in {"the template": document, **document["Resources"]}.items():
        for tool, settings in part.get("Metadata", {}).items():
            if tool in ("checkov", "cfn-lint"):
                yield name, tool, settings
