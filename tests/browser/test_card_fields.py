"""The form has the fields that the merchant's contract wants, and no others, with and without JavaScript."""

import json
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import expect

from infra.local.iamport import Simulator
from infra.local.service import LocalService
from tests.browser.card_form import CardForm
from tests.browser.conftest import OpenForm, Shop, Watched, run_for
from tests.browser.test_accessibility import PHONE, violations

ALL = {"birth", "pwd_2digit"}
ASKED_FOR = {"birth,pwd_2digit": ALL, "birth": {"birth"}, "pwd_2digit": {"pwd_2digit"}, "none": set[str]()}
"""By CardFields."""


@pytest.fixture(scope="module", params=ASKED_FOR)
def card_fields(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def service(card_fields: str, shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """Stands for the one that the other modules share."""
    with run_for(shop, tmp_path_factory.mktemp("card-fields"), CardFields=card_fields) as service:
        yield service


@pytest.fixture
def asked_for(card_fields: str) -> set[str]:
    return ASKED_FOR[card_fields]


def shown(form: CardForm) -> set[str]:
    fields = form.page.locator("form input:not([type=hidden]):visible").all()
    return {str(field.get_attribute("name")) for field in fields}


@pytest.mark.parametrize("java_script", [True, False])
def test_it_asks_for_what_the_contract_wants(open_form: OpenForm, asked_for: set[str], java_script: bool) -> None:
    """Two kinds of card are told apart by what stands in for the birth date, so there is no choice without one."""
    kind = {"card_kind"} if "birth" in asked_for else set()
    form = open_form(java_script_enabled=java_script)
    assert shown(form) == {"card_number", "expiry", "consent", *asked_for, *kind}


@pytest.mark.parametrize("java_script", [True, False])
def test_a_card_is_registered_with_what_was_asked_for(
    open_form: OpenForm, watched: Watched, simulator: Simulator, asked_for: set[str], java_script: bool
) -> None:
    form = open_form(java_script_enabled=java_script).fill(without=ALL - asked_for).submit()
    form.expect_outcome("카드가 등록되었습니다", "국민KB카드 000010******0001")
    assert form.customer_uid in simulator.customers
    [sent] = [request.post_data for request in watched.requests if request.method == "POST"]
    assert sent is not None
    names = json.loads(sent).keys() if java_script else parse_qs(sent).keys() - {"card_kind"}
    assert names == {"card_number", "expiry", "customer_uid", "consent", *asked_for}


def test_every_field_that_is_there_is_needed(open_form: OpenForm, watched: Watched, asked_for: set[str]) -> None:
    form = open_form().submit()
    for name in ("card_number", "expiry", *asked_for):
        expect(form.error(name)).not_to_be_empty()
    assert watched.posts() == 0


def test_what_the_page_says_of_safety_speaks_of_no_password_that_nobody_asks_for(
    open_form: OpenForm, asked_for: set[str]
) -> None:
    safety = open_form().page.locator(".safety")
    expect(safety).to_contain_text("카드번호")
    assert ("비밀번호" in safety.inner_text()) is ("pwd_2digit" in asked_for)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", ["empty", "errors"])
def test_axe_finds_nothing_whatever_is_asked_for(open_form: OpenForm, theme: str, state: str) -> None:
    form = open_form(color_scheme=theme, viewport=PHONE)
    if state == "errors":
        form.submit()
        expect(form.error("card_number")).not_to_be_empty()
    assert violations(form.page) == []
