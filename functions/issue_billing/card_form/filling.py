"""Templates of this folder, and what is filled into them: escaped, unless it is HTML already."""

from collections.abc import Mapping
from html import escape
from string import Template

from card_form.assets import source


class Html(str):
    """A text that is HTML already; any other `str` is escaped before it gets into the page."""

    __slots__ = ()


def template(name: str) -> Template:
    return Template(source(f"{name}.html"))


def fill(template: Template, **values: str) -> Html:
    return Html(
        template.substitute(
            {name: value if isinstance(value, Html) else escape(value) for name, value in values.items()}
        )
    )


ROW = template("row")


def fill_rows(facts: Mapping[str, str]) -> Html:
    """Those that say something."""
    return Html("".join(fill(ROW, name=name, value=value) for name, value in facts.items() if value))


def state_of(wrong: bool, *, focused: bool) -> Html:
    """A field's attributes."""
    return Html(('aria-invalid="true"' if wrong else "") + (" autofocus" if focused else ""))
