"""docs/deploying.md leads to a running service: no step is missing, and each command is one that AWS knows."""

import json
import re
import subprocess
import tomllib

import pytest

from infra.local.intrinsics import read_yaml
from infra.local.template import PROJECT
from tests.infrastructure.aws_commands import aws_commands, wrong_options
from tests.infrastructure.stacks import MAIN, ON_ITS_OWN, deployment
from tests.infrastructure.test_aliases import SAM_PYTHON

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
        *("an account for prod", "the tools", "room in the account", "log role, once", "*option* a pipeline"),
        *("`AllowedOrigins`", "the stack", "`IamportSecretName`", "`make smoke", "confirm it"),
        *("`CustomerIdentity=signed`", "a card of your own"),
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


@pytest.mark.parametrize(
    ("page", "in_its_place", "before_it"),
    [
        ("docs/deploying.md", r"in the place of (?:step )?(\d+)", r"had steps 1 to (\d+)"),
        ("docs/ko/deploying.md", r"(\d+)단계 대신", r"1~(\d+)단계를 마친 뒤"),
    ],
)
def test_the_pipelines_steps_stand_for_the_one_that_makes_the_stack(
    page: str, in_its_place: str, before_it: str
) -> None:
    text = (PROJECT / page).read_text("utf-8")
    [stack] = re.findall(r"^\| (\d+) \|.*sam deploy --config-env prod", text, re.MULTILINE)
    [log_role] = re.findall(r"^\| (\d+) \| (?:API Gateway's log role|API Gateway의 로그 역할)", text, re.MULTILINE)
    assert re.findall(in_its_place, text, re.IGNORECASE) == [stack, stack]
    assert re.findall(before_it, text) == [log_role]


@pytest.mark.parametrize("path", ON_ITS_OWN)
def test_what_is_deployed_by_itself_has_its_command(path: str) -> None:
    assert f"--template-file {path}" in SHELL


@pytest.mark.parametrize("command", sorted(set(aws_commands(SHELL, PAGE))))
def test_aws_knows_every_command_and_its_options(command: str) -> None:
    assert wrong_options(command) == set()


EVENTS_SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", EVENTS, re.DOTALL))


@pytest.mark.parametrize("command", sorted(set(aws_commands(EVENTS_SHELL, ""))))
def test_aws_knows_the_commands_of_a_replay(command: str) -> None:
    assert wrong_options(command) == set()


def test_a_replay_names_the_archive_and_the_bus_that_there_are() -> None:
    deployed = deployment("all that can be turned on")
    for resource_type, option in {"AWS::Events::Archive": "--archive-name", "AWS::Events::EventBus": "--name"}.items():
        [resource] = deployed.of_type(resource_type)
        assert f"{option} {resource.returned['Ref']} " in EVENTS_SHELL


def test_to_start_over_every_name_is_freed_that_outlives_the_stack() -> None:
    """A new stack of the same name would fail on it; that of Iamport's keys is given to the new one."""
    fixed = {
        resource.properties[name]
        for name in ("LogGroupName", "Name")
        for resource in deployment("with what the account has").resources
        if name in resource.properties and resource.stack == MAIN and resource.deletion_policy == "RetainExceptOnCreate"
    }
    freed = set(re.findall(r"--(?:secret-id|log-group-name) (\S+)", section("Starting over")))
    assert freed == fixed
    assert len(freed) == 4


def test_the_variables_of_the_github_environment_are_outputs_and_what_the_workflow_reads() -> None:
    outputs = json.dumps(read_yaml((PROJECT / "infra/deploy-role.yaml").read_text("utf-8"))["Outputs"])
    workflow = (PROJECT / ".github/workflows/deploy-environment.yaml").read_text("utf-8")
    read = set(re.findall(r"vars\.(\w+)", workflow))
    assert read == set(re.findall(r"variable (\w+)", outputs))
    assert len(read) == 3


def test_sam_and_make_know_what_the_page_has_them_do() -> None:
    prose = re.sub(r"^```.*?^```$", "", PAGE, flags=re.DOTALL | re.MULTILINE)
    code = " ".join(re.findall(r"`[^`]+`", prose))
    commands = sorted(set(re.findall(r"\bsam [a-z][^`&;|]*[^`&;| ]", code)))
    assert "sam deploy --config-env prod" in commands
    helps = json.loads(in_sams_python(HELP_OF_EACH, json.dumps([without_options(command) for command in commands])))
    for command, (status, text) in zip(commands, helps, strict=True):
        assert status == 0, command
        assert all(re.search(rf"{option}\s", text) for option in re.findall(r"--[a-z-]+", command)), command
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    for target in re.findall(r"\bmake ([a-z-]+)", code):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def without_options(command: str) -> list[str]:
    return command.partition(" --")[0].split()[1:]


HELP_OF_EACH = """
import json, sys
from click.testing import CliRunner
from samcli.cli.main import cli
asked = [CliRunner().invoke(cli, [*words, "--help"]) for words in json.load(sys.stdin)]
print(json.dumps([(answer.exit_code, answer.output) for answer in asked]))
"""

AS_SAM_READS_IT = """
import json, sys
from samcli.cli.types import CfnParameterOverridesType
print(json.dumps(CfnParameterOverridesType().convert(sys.stdin.read(), None, None)))
"""


def test_sam_reads_what_the_page_quotes_and_drops_the_rest_of_what_it_does_not() -> None:
    quoted = tomllib.loads('line = "' + " ".join(re.findall(r'`(\w+=\\"[^`]*)`', PAGE)) + '"')["line"]
    assert as_sam_reads_it(quoted) == {"ShopName": "Star Light", "AlarmEmail": ""}
    assert as_sam_reads_it(quoted.replace('"', "")) == {"ShopName": "Star"}


def as_sam_reads_it(line: str) -> dict[str, str]:
    """A line of `parameter_overrides`."""
    return dict(json.loads(in_sams_python(AS_SAM_READS_IT, line)))


def in_sams_python(program: str, given: str) -> str:
    done = subprocess.run(  # noqa: S603 (our own program)
        [SAM_PYTHON, "-c", program], input=given, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


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
