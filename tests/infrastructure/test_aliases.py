"""What a template says once, by YAML's aliases, reaches CloudFormation written out: it is not promised to know them.

Source: CloudFormation user guide, "CloudFormation template format", YAML.
"""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from infra.local.intrinsics import read_yaml
from infra.local.template import PROJECT
from tests.infrastructure.stacks import MAIN, TEMPLATES

SAM_PYTHON = Path(sys.prefix) / "sam/bin/python"

AS_SAM_WRITES_IT = "import sys; from samcli.yamlhelper import *; print(yaml_dump(yaml_parse(sys.stdin.read())))"
"""What `sam build` and `sam package` put out."""


def has_aliases(text: str) -> bool:
    return any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text))


def test_sam_writes_them_out() -> None:
    template = (PROJECT / MAIN).read_text("utf-8")
    done = subprocess.run(  # noqa: S603 (our own program)
        [SAM_PYTHON, "-c", AS_SAM_WRITES_IT],
        input=template,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert has_aliases(template)
    assert not has_aliases(done.stdout)
    assert read_yaml(done.stdout) == read_yaml(template)


@pytest.mark.parametrize("path", sorted(set(TEMPLATES) - {MAIN}))
def test_what_can_be_deployed_without_sam_has_none(path: str) -> None:
    assert not has_aliases((PROJECT / path).read_text("utf-8"))
