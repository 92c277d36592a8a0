"""Which page a browser asks from: one that may use the API, or a stranger's.

A browser sends `Origin` with every POST, a native form's too (Fetch standard, "append a request `Origin` header"). CORS
keeps an answer from a foreign page, and not the request: without this, any page could try cards here.
"""

from collections.abc import Mapping

from billing.settings import as_browsers_write

OPAQUE = "null"
"""Said by a sandboxed frame, a file, and a page under `Referrer-Policy: no-referrer` that posts a form natively."""


def is_foreign(headers: Mapping[str, str], allowed_origins: tuple[str, ...]) -> bool:
    """False too where no page asks: a server, curl. `headers` by their names in any case, as Powertools has them."""
    origin = headers.get("origin", "")
    if not origin or is_allowed(origin, allowed_origins):
        return False
    return not is_own(headers)


def is_own(headers: Mapping[str, str]) -> bool:
    """Whether the hosted form asks."""
    origin = headers.get("origin", "")
    if origin == OPAQUE:
        # No script can set this header (Fetch Metadata, 2.3), and a sandboxed frame's requests are all cross-site.
        return headers.get("sec-fetch-site") == "same-origin"
    return bool(origin) and as_browsers_write(origin) == _own(headers)


def is_allowed(origin: str, allowed_origins: tuple[str, ...]) -> bool:
    return "*" in allowed_origins or as_browsers_write(origin) in allowed_origins


def _own(headers: Mapping[str, str]) -> str:
    """Where the hosted form comes from. API Gateway always says by which scheme it was asked."""
    host, scheme = headers.get("host", ""), headers.get("x-forwarded-proto", "https")
    return as_browsers_write(f"{scheme}://{host}") if host else ""
