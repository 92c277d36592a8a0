"""docs/deploying.md leads to a running service: no step is missing, and each command is one that AWS knows."""

import json
import re

import pytest

from infra.local.intrinsics import read_yaml
from infra.local.template import PROJECT
from tests.infrastructure.aws_commands import aws_commands, unknown_options
from tests.infrastructure.stacks import MAIN, ON_ITS_OWN, deployment

PAGE = (PROJECT / "docs/deploying.md").read_text("utf-8")
EVENTS = (PROJECT / "docs/events.md").read_text("utf-8")

SHELL = "".join(
    f"{line.partition('  #')[0]}\n" for line in re.findall(r"^    (.*)$", re.sub("<[^>\n]*>", "X", PAGE), re.MULTILINE)
)


def section(title: str) -> str:
    [text] = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    return str(text)


def steps(title: str) -> list[str]:
    """The rows of the section's numbered table; asserts that none is missing."""
    rows = re.findall(r"^\| (\d+) \|(.*)\|$", section(title), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, len(rows) + 1))
    return [row for _, row in rows]


def test_the_first_deployment_does_what_the_next_step_needs_before_it() -> None:
    rows = steps("First deployment")

    def place(words: str) -> int:
        [found] = [number for number, row in enumerate(rows) if words in row]
        return found

    in_order = [
        *("an account for prod", "the tools", "log role, once", "*option* a pipeline", "`AllowedOrigins`", "the stack"),
        *("`IamportSecretName`", "`make smoke", "confirm it", "a card of your own"),
    ]
    assert [place(words) for words in in_order] == sorted(place(words) for words in in_order)
    assert place("who is written to") < place("the stack"), "the subscription is made with the stack"


def test_the_pipeline_finds_its_roles_and_a_secret_with_keys_before_its_first_run() -> None:
    """Else staging's first run makes placeholders and ends at its smoke test."""
    rows = steps("Pipeline")
    assert "the secret" in rows[-2]
    assert "push" in rows[-1]
    assert "`main` only" in rows[1]
    assert "create-secret --name card-door-staging/keys" in SHELL


@pytest.mark.parametrize("path", ON_ITS_OWN)
def test_what_is_deployed_by_itself_has_its_command(path: str) -> None:
    assert f"--template-file {path}" in SHELL


@pytest.mark.parametrize("command", sorted(set(aws_commands(SHELL, PAGE))))
def test_aws_knows_every_command_and_its_options(command: str) -> None:
    assert unknown_options(command) == set()


EVENTS_SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", EVENTS, re.DOTALL))


@pytest.mark.parametrize("command", sorted(set(aws_commands(EVENTS_SHELL, ""))))
def test_aws_knows_the_commands_of_a_replay(command: str) -> None:
    assert unknown_options(command) == set()


def test_a_replay_names_the_archive_and_the_bus_that_there_are() -> None:
    deployed = deployment("all that can be turned on")
    for resource_type, option in {"AWS::Events::Archive": "--archive-name", "AWS::Events::EventBus": "--name"}.items():
        [resource] = deployed.of_type(resource_type)
        assert f"{option} {resource.returned['Ref']} " in EVENTS_SHELL


def test_the_variables_of_the_github_environment_are_outputs_and_what_the_workflow_reads() -> None:
    outputs = json.dumps(read_yaml((PROJECT / "infra/deploy-role.yaml").read_text("utf-8"))["Outputs"])
    workflow = (PROJECT / ".github/workflows/deploy-environment.yaml").read_text("utf-8")
    read = set(re.findall(r"vars\.(\w+)", workflow))
    assert read == set(re.findall(r"variable (\w+)", outputs))
    assert len(read) == 3


def test_an_option_that_is_turned_off_has_a_default_to_name() -> None:
    """`sam deploy` takes a parameter's former value where it is not named (SAM CLI command reference, `sam deploy`)."""
    assert "name its default" in PAGE
    parameters = read_yaml((PROJECT / MAIN).read_text("utf-8"))["Parameters"]
    assert all("Default" in declared for declared in parameters.values())


def test_the_weekly_workflow_keeps_the_rules_of_the_others() -> None:
    """tests/infrastructure/test_delivery.py has them."""
    [text] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    workflow = read_yaml(text)
    [job] = workflow["jobs"].values()
    assert workflow["permissions"] == {"contents": "read"}
    assert 0 < job["timeout-minutes"] <= 60
    assert not [step for step in job["steps"] if "${{" in step.get("run", "")]
