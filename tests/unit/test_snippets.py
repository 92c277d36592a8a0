"""The READMEs' token snippets, pasted into a file and run: what they print is a token that the service takes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from billing.model.sensitive import Sensitive
from billing.web.customer_token import read_claim
from infra.local.template import PROJECT, Template
from tests.cannot_run import cannot_run

KEY = "made-up-customer-token-key-of-32-bytes"

READMES = ("README.md", "README.ko.md")


def snippet(readme: str, language: str) -> str:
    text = (PROJECT / readme).read_text("utf-8")
    [found] = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return str(found)


def printed_by(program: str, file: Path) -> str:
    command = [program, str(file)]
    environment = os.environ | {"CUSTOMER_TOKEN_KEY": KEY}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)  # noqa: S603
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@pytest.mark.parametrize("readme", READMES)
@pytest.mark.parametrize("language", ["python", "js", "php"])
def test_a_snippet_makes_a_token_for_customer_1(tmp_path: Path, readme: str, language: str) -> None:
    program = {"python": sys.executable, "js": shutil.which("node"), "php": shutil.which("php")}[language]
    if program is None and language == "php":
        pytest.skip("there is no PHP here, nor need there be")
    if program is None:
        cannot_run("no Node: `apt install nodejs`")
    file = tmp_path / f"token.{language}"
    file.write_text(snippet(readme, language), "utf-8")
    claim = read_claim(printed_by(program, file), (Sensitive(KEY),))
    assert (claim.uid, claim.may_replace, claim.is_new, claim.payment) == ("customer-1", False, False, None)


@pytest.mark.parametrize("readme", READMES)
def test_every_header_that_a_preflight_allows_is_named(readme: str) -> None:
    text = (PROJECT / readme).read_text("utf-8")
    allowed = Template().api("BillingApi").preflight_headers["Access-Control-Allow-Headers"].split(",")
    assert [name for name in allowed if f"`{name}`" not in text] == []
