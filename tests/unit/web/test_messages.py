"""Korean unless English is asked for."""

import pytest

from billing.model.errors import BillingError
from billing.observability import METRIC_BY_OUTCOME
from billing.web.answers import HTTP_STATUS
from billing.web.messages import BY_CODE, BY_REASON, language_for


@pytest.mark.parametrize(
    ("accept_language", "language"),
    [
        ("", "ko"),
        ("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", "ko"),
        ("en-US,en;q=0.9", "en"),
        ("en-US,en;q=0.9,ko;q=0.8", "en"),
        ("EN", "en"),
        ("fr-FR", "ko"),
        ("fr, en;q=0.5", "en"),
        ("*", "ko"),
        ("en;q=0", "ko"),
        ("en;q=nonsense", "ko"),
        (";;;,,,===", "ko"),
    ],
)
def test_the_language_follows_accept_language(accept_language: str, language: str) -> None:
    assert language_for(accept_language) == language


def test_every_text_is_there_in_both_languages() -> None:
    for texts in (*BY_CODE.values(), *BY_REASON.values()):
        assert set(texts) == {"ko", "en"}
        assert all(texts.values())


def test_who_may_ask_again_is_told_so_and_to_change_nothing() -> None:
    for code in ("in_progress", "outcome_unknown"):
        assert "같은 내용" in BY_CODE[code]["ko"]
        assert "다른 카드나 다른 주문으로는" in BY_CODE[code]["ko"]
        assert "the same again" in BY_CODE[code]["en"]
        assert "another card or another order" in BY_CODE[code]["en"]


def every_error(kind: type[BillingError] = BillingError) -> list[type[BillingError]]:
    return [error for child in kind.__subclasses__() for error in (child, *every_error(child))]


def test_every_error_has_its_words_its_http_status_and_its_metric() -> None:
    codes = {error.code for error in every_error()}
    assert codes <= BY_CODE.keys()
    assert codes <= HTTP_STATUS.keys()
    assert codes <= METRIC_BY_OUTCOME.keys()
