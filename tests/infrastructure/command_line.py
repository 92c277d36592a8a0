"""A page's shell commands, run in bash against AWS's stand-in.

`aws` is this file: it makes of a command the call that AWS's own command line makes of it, by botocore's description of
the service. AWS's own need not be installed so.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import jmespath  # type: ignore[import-untyped]
from botocore import xform_name
from botocore.exceptions import ClientError

from infra.local.lambda_environment import MADE_UP_ACCOUNT, NOTHING_OF_THIS_MACHINE
from infra.local.template import PROJECT


def run_in_bash(script: str, directory: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """`directory` gets the `aws` that the script finds; `variables` name the stand-in, as AWS_ENDPOINT_URL."""
    aws = directory / "aws"
    aws.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tests.infrastructure.command_line "$@"\n')
    aws.chmod(0o755)
    return subprocess.run(  # noqa: S603 (a page of this project)
        ["bash", "-c", script],  # noqa: S607
        env={
            **MADE_UP_ACCOUNT,
            **NOTHING_OF_THIS_MACHINE,
            **variables,
            "PATH": f"{directory}:{os.environ['PATH']}",
            "PYTHONPATH": str(PROJECT),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def main(service: str, operation: str, *words: str) -> int:
    options = options_in(words)
    query, output = options.pop("--query", "@"), options.pop("--output", "json")
    client: Any = boto3.client(service)  # type: ignore[call-overload]
    members = client.meta.service_model.operation_model(
        client.meta.method_to_api_mapping[operation.replace("-", "_")]
    ).input_shape.members
    names = {f"--{xform_name(member, '-')}": member for member in members}
    given = {names[option]: typed(value, members[names[option]].type_name) for option, value in options.items()}
    try:
        answer = getattr(client, operation.replace("-", "_"))(**given)
    except ClientError as refused:
        print(refused, file=sys.stderr)
        return 254
    answer.pop("ResponseMetadata")
    found = jmespath.search(query, answer)
    if found not in (None, {}):
        print(as_text(found) if output == "text" else json.dumps(found, default=str))
    return 0


def options_in(words: tuple[str, ...]) -> dict[str, str]:
    """An option that has no value is true."""
    options: dict[str, str] = {}
    for word, following in zip(words, (*words[1:], "--"), strict=True):
        if word.startswith("--"):
            options[word] = "true" if following.startswith("--") else following
    return options


def typed(value: str, type_name: str) -> Any:
    """Words after one another are a list, where they are not JSON."""
    if value == "file:///dev/stdin":
        value = sys.stdin.read()
    if type_name == "list" and not value.startswith("["):
        return [value]
    return value if type_name == "string" else json.loads(value)


def as_text(found: Any) -> str:
    """A list in one line, tabs between; a list of lists in a line each."""
    match found:
        case [[*_], *_]:
            return "\n".join(map(as_text, found))
        case [*entries]:
            return "\t".join(map(str, entries))
    return str(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
