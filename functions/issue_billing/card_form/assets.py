"""What the page is made of beside its words: files of this folder, and the hash by which a browser knows one of them.

Standard library alone: the smoke test compares a deployed page with these.
"""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path


def hash_source(source: str) -> str:
    """What the browser computes over the text between the tags (Content Security Policy Level 3, 6.7.2)."""
    return f"'sha256-{b64encode(sha256(source.encode()).digest()).decode()}'"


def source(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _compact(text: str) -> str:
    """Without indentation, empty lines and comments, on lines of their own or behind a statement: a fifth of it."""
    lines = (re.sub(r";\s+// .*", ";", line.strip()) for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith(("//", "/*")))


def _tight(style: str) -> str:
    """No space where CSS needs none; no text in page.css has these in it."""
    return re.sub(r"\s*([{};>])\s*|(:|,)\s+", lambda found: found[1] or found[2], style).replace(";}", "}")


STYLE = _tight(_compact(source("page.css")))
SCRIPT = _compact(source("grouping.js") + source("page.js"))
