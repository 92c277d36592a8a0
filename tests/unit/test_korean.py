"""The Korean pages say what the English ones say, section by section: same headings, commands, codes and tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.local.template import PROJECT

KOREAN_PAGES = (PROJECT / "README.ko.md", *sorted((PROJECT / "docs/ko").glob("*.md")))


def english(korean: Path) -> Path:
    """The page that says the same; any other file is its own."""
    if korean.parent.name == "ko":
        return korean.parent.parent / korean.name
    return korean.with_name(korean.name.replace(".ko.", "."))


each_page = pytest.mark.parametrize("korean", KOREAN_PAGES, ids=lambda page: str(page.relative_to(PROJECT)))


@dataclass(frozen=True, slots=True)
class Section:
    level: int
    heading: str
    text: str
    """Without its code blocks."""


CODE_BLOCK = re.compile(
    r"^ *```(?P<language>\w+)\n(?P<fenced>.*?)^ *```$|^ {4}(?P<indented> *\S[^\n]*)$", re.DOTALL | re.MULTILINE
)


def sections(page: Path) -> list[Section]:
    prose = CODE_BLOCK.sub("", page.read_text("utf-8"))
    found = re.findall(r"^(#+) ([^\n]+)\n(.*?)(?=^#|\Z)", prose, re.DOTALL | re.MULTILINE)
    return [Section(len(marks), heading, text) for marks, heading, text in found]


def in_both(korean: Path) -> Iterator[tuple[Section, Section]]:
    return zip(sections(english(korean)), sections(korean), strict=True)


@each_page
def test_the_headings_are_as_many_on_the_same_levels(korean: Path) -> None:
    levels = [section.level for section in sections(english(korean))]
    assert [section.level for section in sections(korean)] == levels


@each_page
def test_a_section_has_as_many_paragraphs_and_items_of_lists(korean: Path) -> None:
    for there, here in in_both(korean):
        assert parts(here.text) == parts(there.text), here.heading


def parts(text: str) -> tuple[int, int]:
    return len(re.split(r"\n{2,}", text.strip())), len(re.findall(r"^ *(?:-|\d{1,2}\.) ", text, re.MULTILINE))


@each_page
def test_a_section_names_the_same_codes(korean: Path) -> None:
    for there, here in in_both(korean):
        assert set(codes(here.text)) == set(codes(there.text)), here.heading


@each_page
def test_the_rows_of_a_table_have_the_same_codes_in_as_many_columns(korean: Path) -> None:
    for there, here in in_both(korean):
        assert list(rows(here.text)) == list(rows(there.text)), here.heading


def codes(text: str) -> list[str]:
    return sorted(re.findall(r"`([^`]+)`", " ".join(text.split())))


def rows(text: str) -> Iterator[tuple[int, list[str]]]:
    for row in re.findall(r"^ *\|(.*)\|$", text, re.MULTILINE):
        yield row.count("|"), codes(row)


@each_page
def test_the_code_is_the_same_but_for_its_comments(korean: Path) -> None:
    assert code(korean) == code(english(korean))


def code(page: Path) -> list[str]:
    return [without_words(block) for block in CODE_BLOCK.finditer(page.read_text("utf-8"))]


def without_words(block: re.Match[str]) -> str:
    """Without what is said beside it: comments, docstrings, the labels of a diagram; what two spaces set apart."""
    match block["language"]:
        case "mermaid":
            return re.sub(r"(?:: | as |(?<=alt|opt) |(?<=loop|else) ).*", "", block["fenced"])
        case None:
            return re.sub(r"(?<=\S) {2,}.*", "", block["indented"])
        case _:
            without_docstrings = re.sub(r'""".*?"""', "", block["fenced"])
            return re.sub(r"\s+(?:#|//) .*", "", without_docstrings)


@each_page
def test_every_page_that_the_english_one_links_to_is_linked(korean: Path) -> None:
    assert links(english(korean)) <= links(korean)


@each_page
def test_a_page_and_the_english_one_link_to_each_other_at_the_top(korean: Path) -> None:
    for page, other in ((korean, english(korean)), (english(korean), korean)):
        top = page.read_text("utf-8").split("\n")[2]
        assert other in {(page.parent / link).resolve() for link in re.findall(r"\]\(([^)]+)\)", top)}


def links(page: Path) -> set[Path]:
    """The files, a Korean page as the English one."""
    found = re.findall(r"\]\(((?!https?:|#)[^)#]+)", page.read_text("utf-8"))
    return {english((page.parent / link).resolve()) for link in found}


RUNBOOK = PROJECT / "docs/ko/runbook.md"


def test_an_alarm_has_the_same_anchor_in_both_runbooks() -> None:
    """So that the link in its description leads to the Korean section by another folder alone."""
    for there, here in in_both(RUNBOOK):
        if "**Means**" in there.text:
            assert here.heading == there.heading.lower().replace(" ", "-")


def test_a_section_on_an_alarm_leads_from_the_meaning_to_what_is_done() -> None:
    for there, here in in_both(RUNBOOK):
        if "**Means**" in there.text:
            assert re.findall(r"^\*\*(\w+)\*\*", here.text, re.MULTILINE) == ["뜻", "확인", "조치"], here.heading


OTHER_SPELLINGS = {
    "프런트엔드": "프론트|프런트(?!엔드)",
    "경보": "알람",
    "런북": "런 북|운영 안내서",
    "결과 확인 함수": "정산|세틀러",
    "AWS 모의 서버": "대역(?!폭)",
    "API 명세": "API 스펙|API 규격",
    "빌링키": "빌링 키",
    "결제대행사": "결제 대행사",
    "허용 목록": "화이트 ?리스트",
}
"""What a term is not called, by what it is called: one word for one thing."""

TEXTS = [
    PROJECT / "README.ko.md",
    *(
        path
        for folder in ("docs", "functions", "examples", "infra")
        for path in sorted((PROJECT / folder).rglob("*"))
        if path.suffix in {".md", ".yaml", ".py", ".html", ".js", ".jsx"} and "node_modules" not in path.parts
    ),
]


@pytest.mark.parametrize("term", OTHER_SPELLINGS)
def test_a_term_has_one_spelling(term: str) -> None:
    spelled_otherwise = {
        str(path.relative_to(PROJECT)) for path in TEXTS if re.search(OTHER_SPELLINGS[term], path.read_text("utf-8"))
    }
    assert spelled_otherwise == set()
    assert any(term in path.read_text("utf-8") for path in TEXTS)
