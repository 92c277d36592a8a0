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


def prefers_html(accept: str) -> bool:
    """True for a browser that opens a page or posts a form; false for fetch, axios and curl, which take anything."""
    by_media_type = weights(accept)
    anything = by_media_type.get("*/*", 0.0)
    return by_media_type.get("text/html", anything) > by_media_type.get("application/json", anything)
