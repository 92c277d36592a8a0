"""What a caller would rather have, from its Accept and Accept-Language headers (RFC 9110, 12.4.2 and 12.5)."""

from contextlib import suppress


def weights(header: str) -> dict[str, float]:
    """Each lower-cased range to its highest weight; what is no number counts for nothing."""
    found: dict[str, float] = {}
    for item in header.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        weight = next((value for key, _, value in (part.partition("=") for part in parameters) if key == "q"), "1")
        with suppress(ValueError):
            found[name] = max(found.get(name, 0.0), float(weight))
    return found


FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
"""The ways in which a browser posts a form (HTML, "form submission"); only the first one is taken."""


def wants_page(content_type: str, accept: str) -> bool:
    """True for a browser that posts a form by itself and will show what comes back; fetch, axios and curl don't.

    Who sends JSON gets JSON: Java's own client names text/html first, whatever it sends.
    """
    if content_type.partition(";")[0].strip().lower() not in FORM_TYPES:
        return False
    return prefers_page(accept)


def prefers_page(accept: str) -> bool:
    by_media_type = weights(accept)
    return by_media_type.get("text/html", 0.0) > by_media_type.get("application/json", 0.0)
