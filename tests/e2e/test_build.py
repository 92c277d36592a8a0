"""What the build makes of a machine without the right Python."""

import shutil
import subprocess
import sys
from pathlib import Path

from infra.local.template import PROJECT

PYTHON_3_12 = f"""#!/bin/sh
exec {sys.executable} -c 'import sys; sys.version_info = (3, 12, 0, "final", 0); exec(sys.argv[2])' "$@"
"""


def test_a_build_with_another_python_fails_and_says_why(tmp_path: Path) -> None:
    source = tmp_path / "functions" / "issue_billing"  # apart from the project, whose .venv would be found
    source.mkdir(parents=True)
    for name in ("Makefile", "package.py"):
        shutil.copy(PROJECT / "functions/issue_billing" / name, source)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("python3.13", "python3", "python"):
        (programs / name).write_text(PYTHON_3_12)
        (programs / name).chmod(0o755)
    done = subprocess.run(  # noqa: S603 (our own command)
        ["make", "--makefile", source / "Makefile", "build-IssueBillingFunction"],  # noqa: S607 (as SAM runs it)
        cwd=source,
        env={"PATH": f"{programs}:/usr/bin:/bin", "ARTIFACTS_DIR": str(tmp_path / "package")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode != 0
    assert "The package takes Python 3.13" in done.stderr
    assert not (tmp_path / "package").exists()
