"""The commands of AWS's command line that a page names, and whether botocore knows them: it makes the commands too."""

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import botocore.session
from botocore import xform_name

if TYPE_CHECKING:
    from botocore.model import ServiceModel

OF_ANY_COMMAND = {"--output", "--query"}

OF_THE_COMMAND_LINE = {
    "cloudformation deploy": {"--stack-name", "--template-file", "--capabilities", "--parameter-overrides"},
    "ec2 authorize-security-group-egress": {"--group-id", "--protocol", "--port", "--cidr"},
    "ec2 authorize-security-group-ingress": {"--group-id", "--protocol", "--port", "--source-group"},
    "ec2 revoke-security-group-egress": {"--group-id", "--protocol", "--cidr"},
}
"""Commands and options that AWS's API does not have. Source: AWS CLI command reference."""


def aws_commands(shell: str, prose: str) -> Iterator[str]:
    """Each `aws …` alone, with what stands in $(…) taken out of it."""
    script = re.sub(r"\\\n *", "", shell) + "\n"
    script += "\n".join(re.findall(r"`(aws [^`]+)`", prose))
    script = re.sub(r"'[^'\n]*'", "QUOTED", script)
    inner = re.compile(r"\$\(\(?([^()\n]*)\)\)?")
    while found := inner.search(script):
        script = script[: found.start()] + "INNER" + script[found.end() :] + "\n" + found[1]
    for part in re.split(r"[|;\n]|&&", script):
        if " aws " in f" {part}":
            yield re.sub(r"^.*?\baws ", "aws ", part.strip())


def wrong_options(command: str) -> set[str]:
    """Those that AWS doesn't know, and those that it requires and the command lacks. Raises ValueError where AWS has no
    such operation.
    """
    _, service, operation, *words = command.split()
    options = {word for word in words if word.startswith("--")}
    if f"{service} {operation}" in OF_THE_COMMAND_LINE:
        return options - OF_THE_COMMAND_LINE[f"{service} {operation}"]
    model = service_model(service)
    if operation == "wait":
        waiters = botocore.session.get_session().get_waiter_model(service)
        operation = xform_name(waiters.get_waiter(_camel_case(words[0])).operation, "-")
    [known] = [name for name in model.operation_names if xform_name(name, "-") == operation]
    shape = model.operation_model(known).input_shape
    members = shape.members.items() if shape else ()
    known_options = {f"--{xform_name(member, '-')}" for member, _ in members}
    # The command line has two options for what is true or false.
    known_options |= {f"--no-{xform_name(member, '-')}" for member, of in members if of.type_name == "boolean"}
    required = {f"--{xform_name(member, '-')}" for member in (shape.required_members if shape else ())}
    return (options - known_options - OF_ANY_COMMAND) | (required - options)


@cache
def service_model(service: str) -> "ServiceModel":
    return botocore.session.get_session().get_service_model(service)


def _camel_case(text: str) -> str:
    return text.title().replace("-", "")
