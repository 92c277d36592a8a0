"""What the README says of the code is so, and nothing that an operator meets is left out of it."""

import re
from pathlib import Path

import pytest
import yaml

from billing.model.attempt import Ending
from billing.observability import METRIC_BY_OUTCOME
from billing.web import messages
from billing.web.answers import HTTP_STATUS
from billing.web.request import FIELD_NAMES
from card_form import outcomes
from infra.local.intrinsics import read_yaml
from infra.local.template import PROJECT

README = (PROJECT / "README.md").read_text("utf-8")
EVENTS = (PROJECT / "docs/events.md").read_text("utf-8")
TEMPLATE = read_yaml((PROJECT / "template.yaml").read_text("utf-8"))


@pytest.mark.parametrize("code", sorted(HTTP_STATUS))
def test_every_code_stands_in_the_table_with_its_status(code: str) -> None:
    assert re.search(rf"^\| {HTTP_STATUS[code].value} \| `failed` \| `{code}` \|", README, re.MULTILINE)


@pytest.mark.parametrize("metric", sorted(set(METRIC_BY_OUTCOME.values())))
def test_every_metric_is_explained(metric: str) -> None:
    assert f"`{metric}`" in README


@pytest.mark.parametrize("field", FIELD_NAMES)
def test_every_field_is_explained(field: str) -> None:
    assert f"`{field}`" in README


def test_every_setting_is_explained() -> None:
    variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    own = {name for name in variables if not name.startswith(("POWERTOOLS_", "AWS_", "RES_"))}
    assert own == set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE))


def test_every_make_target_and_event_that_is_named_exists() -> None:
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    for target in re.findall(r"`?make ([a-z-]+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for path in re.findall(r"tests/events/\w+\.json", README):
        assert Path(PROJECT / path).exists(), path


def test_every_event_is_documented() -> None:
    told = set(re.findall(r"^\| `((?:billing_key|payment)\.\w+)` \|", EVENTS, re.MULTILINE))
    states = set(Ending.__annotations__["state"].__args__) - {"paid_without_key"}  # of a payment alone
    assert told >= {f"billing_key.{state}" for state in states}
    assert {"payment.paid", "payment.paid_without_key", "payment.failed"} <= told


def test_the_events_detail_is_what_the_pipe_makes() -> None:
    template = TEMPLATE["Resources"]["EventPipe"]["Properties"]["TargetParameters"]["InputTemplate"]
    example = EVENTS.split("```json")[1].split("```")[0]
    assert re.findall(r'"(\w+)":\s*<', template) == re.findall(r'"(\w+)":', example)


@pytest.mark.parametrize("page", ["docs/frontend.md", "docs/ko/frontend.md"])
def test_every_code_that_the_hosted_form_leads_back_with_is_explained(page: str) -> None:
    """Of what the page alone can meet, `asking` shows no way back."""
    text = (PROJECT / page).read_text("utf-8")
    for code in outcomes.HEADINGS.keys() - messages.BY_CODE.keys() - {"success", "asking"}:
        assert f"`{code}`" in text, code


@pytest.mark.parametrize("page", ["docs/frontend.md", "docs/ko/frontend.md"])
def test_what_the_hosted_forms_address_takes_stands_in_the_contract(page: str) -> None:
    text = (PROJECT / page).read_text("utf-8")
    address = r"issue-billing\?customer_uid=gildong_0001_1234&return_url"
    [rows] = re.findall(rf"{address}.*?\n\n((?:\|.*\n)+)", text, re.DOTALL)
    named = {name for row in re.findall(r"^\|([^|]*)\|", rows, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    contract = yaml.safe_load((PROJECT / "docs/openapi.yaml").read_text("utf-8"))
    parameters = contract["paths"]["/subscription/issue-billing"]["get"]["parameters"]
    taken = {one["$ref"].split("/")[-1] for one in parameters}
    assert named == taken - {"attempt", "AcceptLanguage"}


PAGES = sorted(path for pattern in ("*.md", "docs/**/*.md", "examples/*/README.md") for path in PROJECT.glob(pattern))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_link_leads_to_a_file_and_to_a_heading_in_it(page: Path) -> None:
    for link in re.findall(r"\]\(((?!https?:)[^)]+)\)", page.read_text("utf-8")):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings: small letters, no punctuation, a dash for each space."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
