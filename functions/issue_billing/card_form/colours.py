"""The page's colours by theme, and what becomes of them where the shop has a colour of its own.

Contrast is WCAG 2.2's ("relative luminance", "contrast ratio"): text wants 4.5:1 (1.4.3), lines and the focus 3:1
(1.4.11). A button of any colour can be read: of black and white, the better one has 4.58:1 or more (the root of 21).
"""

from collections.abc import Mapping
from typing import Literal

Theme = Literal["light", "dark"]

PALETTES: Mapping[Theme, Mapping[str, str]] = {
    "light": {
        "ground": "#f1f3f7",
        "panel": "#ffffff",
        "text": "#17202e",
        "quiet": "#55607a",
        "line": "#76819a",
        "link": "#1f4fd8",
        "mark": "#1f4fd8",
        "button": "#1f4fd8",
        "button-pressed": "#183fae",
        "on-button": "#ffffff",
        "bad": "#b3261e",
        "bad-ground": "#fdeeed",
        "good": "#16703c",
        "good-ground": "#e9f6ee",
        "unsure": "#7a4d00",
        "unsure-ground": "#fff5e0",
    },
    "dark": {
        "ground": "#0c1119",
        "panel": "#161d29",
        "text": "#edf1f8",
        "quiet": "#aab5ca",
        "line": "#7c88a1",
        "link": "#8db2ff",
        "mark": "#8db2ff",
        "button": "#8db2ff",
        "button-pressed": "#b1caff",
        "on-button": "#0b1630",
        "bad": "#ffb3ad",
        "bad-ground": "#3b1c1d",
        "good": "#8fdcab",
        "good-ground": "#14301f",
        "unsure": "#ffd08a",
        "unsure-ground": "#362810",
    },
}

TEXT_CONTRAST = 4.5
LINE_CONTRAST = 3.0

PRESSED = 0.14
"""How much of black or white a pressed button takes."""


def colours_css(accent: str, theme: Theme | None) -> str:
    """The style sheet's variables. `accent`: `#rrggbb`, or empty; `theme`: the only one, or None for the browser's."""
    if theme is not None:
        return _rule(theme, palette(accent, theme))
    light, dark = palette(accent, "light"), palette(accent, "dark")
    return f"{_rule('light dark', light)}@media (prefers-color-scheme:dark){{{_rule('light dark', dark)}}}"


def palette(accent: str, theme: Theme) -> Mapping[str, str]:
    """The theme's colours, with the shop's own wherever it can be seen."""
    own = PALETTES[theme]
    if not accent:
        return own
    on_button = max("#000000", "#ffffff", key=lambda colour: contrast(colour, accent))
    shops = {
        "button": accent,
        "on-button": on_button,
        # Away from the text on it, so that it is read even better.
        "button-pressed": _mixed(accent, "#ffffff" if on_button == "#000000" else "#000000"),
    }
    seen = min(contrast(accent, own["panel"]), contrast(accent, own["ground"]))
    if seen >= LINE_CONTRAST:
        shops["mark"] = accent
    if seen >= TEXT_CONTRAST:
        shops["link"] = accent
    return {**own, **shops}


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return float(channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4)


def _mixed(colour: str, other: str) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(one + (another - one) * PRESSED):02x}" for one, another in pairs)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))


def _rule(schemes: str, colours: Mapping[str, str]) -> str:
    variables = "".join(f"--{name}:{colour};" for name, colour in colours.items())
    return f":root{{color-scheme:{schemes};{variables}}}"
