"""The workflows run what the project has, trust only what is pinned, and may do no more than they need."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.local.intrinsics import read_yaml
from infra.local.template import PROJECT

WORKFLOWS = {
    path.name: yaml.load(path.read_text("utf-8"), yaml.BaseLoader)  # noqa: S506 (it makes nothing but texts)
    for path in PROJECT.glob(".github/workflows/*")
}
"""Every scalar as text: YAML 1.1 would read the key `on` as true."""

JOBS = {f"{name} {job}": content for name, workflow in WORKFLOWS.items() for job, content in workflow["jobs"].items()}

JOBS_OF_STEPS = {name: job for name, job in JOBS.items() if "steps" in job}

CALLS = {name: job for name, job in JOBS.items() if "uses" in job}
"""Jobs that are workflows of their own."""

DEPLOYING = [name for name, job in JOBS.items() if "environment" in job or "environment" in job.get("with", {})]


def steps(job: dict[str, Any]) -> list[dict[str, Any]]:
    return list(job.get("steps", ()))


def commands(name: str) -> str:
    return "\n".join(step.get("run", "") for step in steps(JOBS[name]))


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_every_action_is_pinned_by_its_commit_with_the_version_beside_it(workflow: str) -> None:
    text = (PROJECT / ".github/workflows" / workflow).read_text("utf-8")
    for action in re.findall(r"uses: (?!\./)(.+)", text):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_one_action_has_one_version() -> None:
    used = {step["uses"] for job in JOBS.values() for step in steps(job) if "uses" in step}
    assert len({action.split("@")[0] for action in used}) == len(used)


@pytest.mark.parametrize("name", JOBS_OF_STEPS)
def test_every_job_ends_within_an_hour(name: str) -> None:
    assert 0 < int(JOBS[name]["timeout-minutes"]) <= 60


@pytest.mark.parametrize("name", JOBS)
def test_every_job_may_read_the_code_and_only_those_that_deploy_may_prove_who_they_are(name: str) -> None:
    allowed = {"contents": "read"} | ({"id-token": "write"} if name in DEPLOYING else {})
    assert JOBS[name]["permissions"] == allowed


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_job_that_names_no_permissions_has_none(workflow: str) -> None:
    assert WORKFLOWS[workflow]["permissions"] == {}


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_no_secret_is_stored_at_github(workflow: str) -> None:
    assert "secrets." not in (PROJECT / ".github/workflows" / workflow).read_text("utf-8")


@pytest.mark.parametrize("name", JOBS_OF_STEPS)
def test_no_expression_gets_into_a_shell(name: str) -> None:
    """What is put into the text of a command could be a command itself; a variable could not."""
    assert "${{" not in commands(name)


@pytest.mark.parametrize("name", JOBS_OF_STEPS)
def test_what_the_commands_name_exists(name: str) -> None:
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    for target in re.findall(r"\bmake ([a-z-]+)", commands(name)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for script in re.findall(r"^\.ci/\S+", commands(name), re.MULTILINE):
        assert (PROJECT / script).stat().st_mode & 0o111, script


@pytest.mark.parametrize("name", CALLS)
def test_the_workflows_that_are_called_exist_and_take_what_they_get(name: str) -> None:
    called = WORKFLOWS[Path(JOBS[name]["uses"]).name]["on"]["workflow_call"]
    assert set(JOBS[name].get("with", {})) == set((called or {}).get("inputs", {}))


def test_every_push_and_pull_request_is_tested() -> None:
    """main by the workflow that deploys it."""
    assert WORKFLOWS["test.yaml"]["on"].keys() == {"push", "pull_request", "workflow_call"}
    assert WORKFLOWS["test.yaml"]["on"]["push"] == {
        "branches-ignore": WORKFLOWS["deploy.yaml"]["on"]["push"]["branches"]
    }
    assert ".ci/run" in commands("test.yaml test")


def test_prod_gets_what_staging_got_and_staging_what_was_tested() -> None:
    jobs = WORKFLOWS["deploy.yaml"]["jobs"]
    assert set(jobs["staging"]["needs"]) == {"test", "build"}
    assert jobs["prod"]["needs"] == "staging"
    assert jobs["staging"]["uses"] == jobs["prod"]["uses"]
    assert "build" not in commands("deploy-environment.yaml deploy")


def test_the_package_that_is_built_is_the_one_that_is_deployed() -> None:
    (upload,) = (step["with"] for step in steps(JOBS["deploy.yaml build"]) if "upload-artifact" in step.get("uses", ""))
    (download,) = (
        step["with"]
        for step in steps(JOBS["deploy-environment.yaml deploy"])
        if "download-artifact" in step.get("uses", "")
    )
    assert (upload["name"], upload["path"]) == (download["name"], download["path"])
    assert upload["include-hidden-files"] == "true"


def test_two_deployments_never_run_at_once_and_none_is_cut_short() -> None:
    assert WORKFLOWS["deploy.yaml"]["concurrency"] == {"group": "deploy", "cancel-in-progress": "false"}


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_an_environment_is_a_section_of_samconfig(environment: str) -> None:
    assert WORKFLOWS["deploy.yaml"]["jobs"][environment]["with"] == {"environment": environment}
    section = tomllib.loads((PROJECT / "samconfig.toml").read_text("utf-8"))[environment]
    assert (
        section["global"]["parameters"]["region"] in (PROJECT / ".github/workflows/deploy-environment.yaml").read_text()
    )


def test_each_deployment_is_smoke_tested() -> None:
    deploy, smoke_test = (
        commands("deploy-environment.yaml deploy").find(command) for command in ("sam deploy", "make smoke")
    )
    assert 0 < deploy < smoke_test


def test_the_newest_release_of_the_changelog_is_the_one_that_is_published() -> None:
    metadata = read_yaml((PROJECT / "template.yaml").read_text("utf-8"))["Metadata"]["AWS::ServerlessRepo::Application"]
    releases = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (PROJECT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert releases[0] == metadata["SemanticVersion"]
    assert (PROJECT / metadata["LicenseUrl"]).read_text("utf-8").startswith(f"{metadata['SpdxLicenseId']} License")


@pytest.mark.parametrize("text", ["Makefile", *(f".github/workflows/{name}" for name in WORKFLOWS), ".ci/run"])
def test_nothing_is_installed_but_by_its_hash(text: str) -> None:
    """Source: pip's user guide, "Hash-checking mode"; uv's, "Verifying hashes"."""
    for command in re.findall(r"\bpip (?:install|sync)\b.*", (PROJECT / text).read_text("utf-8")):
        assert "--require-hashes" in command, command
