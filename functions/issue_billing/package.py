"""Makes the Lambda package: `python3.13 package.py DIRECTORY`. Part of the build, not of the package.

What ships is this folder's code and its requirements, all of it pure Python, so that one package runs on arm64 and on
x86_64. All of it is compiled: /var/task is read-only, so every cold start would otherwise compile every module again.
"""

import compileall
import json
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

BUILD_FILES = ("Makefile", "package.py", "requirements.in", "requirements.txt")

AWS_SERVICES = ("dynamodb", "secretsmanager")
"""What the code talks to: botocore describes some 400 services in 25 MB."""


def main(package: Path) -> None:
    install_requirements(package)
    copy_code(package)
    remove_what_nothing_reads(package)
    keep_used_aws_services(package / "botocore" / "data")
    keep_used_aws_services(package / "boto3" / "data")
    keep_used_endpoints(package / "botocore" / "data" / "endpoints.json")
    compile_all(package)


def install_requirements(package: Path) -> None:
    """Wheels that run anywhere, each with the hash that it was locked with."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--timeout", "15", "--retries", "3", "--root-user-action", "ignore"]
    command += ["--require-hashes", "--requirement", str(HERE / "requirements.txt"), "--only-binary", ":all:"]
    command += ["--platform", "any", "--implementation", "py", "--abi", "none"]
    command += ["--no-compile", "--target", str(package)]
    subprocess.run(command, check=True, timeout=300)  # noqa: S603 (our own arguments)  # noqa: S603 (our own command)


def copy_code(package: Path) -> None:
    for path in HERE.iterdir():
        if path.name in BUILD_FILES or path.name == "__pycache__" or path.name.startswith("."):
            continue
        if path.is_dir():
            shutil.copytree(path, package / path.name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy2(path, package)


def remove_what_nothing_reads(package: Path) -> None:
    """The distributions' METADATA stays: vulnerability scanners tell by it what is in the package."""
    shutil.rmtree(package / "bin", ignore_errors=True)
    swagger = "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.min.*"
    for pattern in ("*.pyi", "*.dist-info/RECORD", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED", swagger):
        for path in package.rglob(pattern):
            path.unlink()


def keep_used_aws_services(data: Path) -> None:
    for path in data.iterdir():
        if path.is_dir() and path.name not in AWS_SERVICES:
            shutil.rmtree(path)
    for examples in data.rglob("examples-*.json"):
        examples.unlink()


def keep_used_endpoints(endpoints: Path) -> None:
    """botocore reads this file for every client: 1.2 MB of JSON before, 13 kB after."""
    document = json.loads(endpoints.read_text(encoding="utf-8"))
    for partition in document["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in AWS_SERVICES if name in services}
    endpoints.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")


def compile_all(package: Path) -> None:
    """unchecked-hash: SAM zips every file with the date 1980-01-01, so a check by date would find all of it stale."""
    compiled = compileall.compile_dir(
        package,
        quiet=1,
        stripdir=package,
        prependdir="/var/task",
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    if not compiled:
        sys.exit("Not every module could be compiled.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
