"""Puts the page together and answers with it: everything in one response, nothing from anywhere else.

Of what a visitor sends, only the page's own query comes back, checked by `visit` and escaped here.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from http import HTTPStatus
from pathlib import Path
from string import Template
from typing import Any

from aws_lambda_powertools.event_handler import Response

from billing.model.customer import Claim
from billing.model.sensitive import Sensitive
from billing.settings import Settings
from billing.web.answers import HTTP_STATUS
from billing.web.messages import Language
from card_form import words
from card_form.colours import colours_css
from card_form.visit import Visit, named, read_visit


class Html(str):
    """A text that is HTML already; any other `str` is escaped before it gets into the page."""

    __slots__ = ()


def _source(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


PAGE, FORM, OUTCOME, PRIVACY_POLICY, CARD_KIND, BIRTH, PWD_2DIGIT, SHOP, LOGO, CONTACT, WHAT_FOR, ROW = (
    Template(_source(f"{name}.html"))
    for name in (
        *("page", "form", "outcome", "privacy_policy", "card_kind", "birth", "pwd_2digit"),
        *("shop", "logo", "contact", "what_for", "row"),
    )
)
STYLE = Html(_source("page.css"))
SCRIPT = Html(_source("grouping.js") + _source("page.js"))

INCOMPLETE = {"status": "failed", "code": "incomplete"}

ERROR_FIELDS = ("card_number", "expiry", "pwd_2digit", "birth")
"""In the order of the page."""


def show(
    query: Mapping[str, str],
    language: Language,
    settings: Settings,
    claim: Claim | None,
    answer: Mapping[str, Any] | None,
) -> Response[str]:
    """The empty form; with `answer` (a body of the API), what became of a form that was posted without JavaScript.

    `claim`: of the token in the address, where tokens say whose card it is.
    """
    origins = named(settings.allowed_origins)
    visit = read_visit(query, language, origins)
    names_customer = bool(visit.customer_uid) if settings.customer_identity == "open" else claim is not None
    if answer is None and not names_customer:
        answer = INCOMPLETE
    outcome = words.outcome(_code(answer), language) if answer else None
    content = _outcome(answer, outcome, visit, _currency(claim)) if answer and outcome else _hidden_outcome(visit)
    if outcome is None or (outcome.another_try and names_customer):
        content = Html(content + _form(answer or {}, visit, settings, claim, origins))
    style = Html(colours_css(settings.accent_color, visit.theme) + STYLE)
    return Response(
        status_code=_status(answer),
        content_type="text/html; charset=utf-8",
        body=_page(content, style, outcome, visit, settings, claim),
        headers=_headers(origins, style, settings.shop_logo_url),
    )


def _page(
    content: Html,
    style: Html,
    outcome: words.Outcome | None,
    visit: Visit,
    settings: Settings,
    claim: Claim | None,
) -> Html:
    labels = words.labels(visit.language, _amount(claim, visit.language))
    titles = (outcome.heading if outcome else "", labels["title"], settings.shop_name)
    contact = _fill(CONTACT, ask_the_shop=labels["ask_the_shop"], shop_contact=settings.shop_contact)
    other: Language = "en" if visit.language == "ko" else "ko"
    return _fill(
        PAGE,
        language=visit.language,
        title=labels["title"],
        page_title=" – ".join(title for title in titles if title),
        colour_schemes=visit.theme or "light dark",
        shop=_shop(settings, visit.language),
        other_language=labels["other_language"],
        other_language_code=other,
        other_language_address=visit.address(other),
        style=style,
        content=content,
        contact=contact if settings.shop_contact else "",
    )


def _shop(settings: Settings, language: Language) -> Html | str:
    """Whose page it is. A logo beside the name says nothing that the name doesn't."""
    if not settings.shop_name and not settings.shop_logo_url:
        return ""
    alternative = "" if settings.shop_name else words.labels(language)["logo"]
    logo = _fill(LOGO, shop_logo_url=settings.shop_logo_url, alternative=alternative)
    return _fill(SHOP, logo=logo if settings.shop_logo_url else "", shop_name=settings.shop_name)


def _outcome(answer: Mapping[str, Any], outcome: words.Outcome, visit: Visit, currency: str) -> Html:
    labels = words.labels(visit.language)
    card = answer.get("card") or {}
    payment = answer.get("payment") or {}
    # Iamport's words where it declined, as in page.js.
    text = answer["message"] if answer.get("code") == "declined" else outcome.text
    result = {
        "status": answer["status"],
        "code": answer.get("code", ""),
        "customer_uid": answer.get("customer_uid") or visit.customer_uid,
    }
    given = {name: value for name, value in result.items() if value}
    return _fill(
        OUTCOME,
        kind=outcome.kind,
        state="",
        heading=outcome.heading,
        text=text,
        next_step=outcome.next_step,
        paid=labels["paid"],
        amount=words.amount(payment["amount"], currency, visit.language) if payment else "",
        payment_state="" if payment else Html("hidden"),
        receipt=labels["receipt"],
        receipt_url=payment.get("receipt_url") or "",
        receipt_state="" if payment.get("receipt_url") else Html("hidden"),
        new_window=labels["new_window"],
        reload=labels["reload"] if outcome.ask_again else "",
        ask_again=labels["ask_again"],
        card=" ".join(part for part in (card.get("name"), card.get("number")) if part),
        return_address=visit.return_url_with(given) if visit.return_url else "",
        return_state="" if visit.return_url else Html("hidden"),
        back=labels["back"],
    )


def _hidden_outcome(visit: Visit) -> Html:
    """What page.js fills in."""
    labels = words.labels(visit.language)
    return _fill(
        OUTCOME,
        kind="",
        state=Html("hidden"),
        heading="",
        text="",
        next_step="",
        paid=labels["paid"],
        amount="",
        payment_state=Html("hidden"),
        receipt=labels["receipt"],
        receipt_url="",
        receipt_state=Html("hidden"),
        new_window=labels["new_window"],
        reload="",
        ask_again=labels["ask_again"],
        card="",
        return_address="",
        return_state=Html("hidden"),
        back=labels["back"],
    )


def _form(
    answer: Mapping[str, Any],
    visit: Visit,
    settings: Settings,
    claim: Claim | None,
    origins: tuple[str, ...],
) -> Html:
    """With the fields that the operator's contract wants. Only with a business number is there a choice of kinds."""
    labels = words.labels(visit.language, _amount(claim, visit.language))
    errors = {error["field"]: error["message"] for error in answer.get("errors", ())}
    first_wrong = next((name for name in ERROR_FIELDS if name in errors), None)
    texts = {
        **labels,
        **{f"{name}_error": errors.get(name, "") for name in ERROR_FIELDS},
        **{f"{name}_state": _state(name in errors, focused=name == first_wrong) for name in ERROR_FIELDS},
    }
    asked_for = settings.card_fields
    link = _fill(PRIVACY_POLICY, privacy_policy_url=settings.privacy_policy_url, **labels)
    return _fill(
        FORM,
        **texts,
        what_for=_what_for(claim, settings.shop_name, visit.language),
        card_kind_choice=_fill(CARD_KIND, **labels) if "birth" in asked_for else "",
        birth_field=_fill(BIRTH, **texts) if "birth" in asked_for else "",
        pwd_2digit_field=_fill(PWD_2DIGIT, **texts) if "pwd_2digit" in asked_for else "",
        safety_words=labels["safety" if "pwd_2digit" in asked_for else "safety_without_password"],
        customer_uid=visit.customer_uid,
        customer_token=visit.customer_token,
        privacy_policy_link=link if settings.privacy_policy_url else "",
        page_data=_page_data(visit, claim, origins),
        script=SCRIPT,
    )


def _what_for(claim: Claim | None, shop_name: str, language: Language) -> Html | str:
    """For which account, and what is paid: all that the token says, before anything is typed."""
    if claim is None:
        return ""
    labels = words.labels(language)
    rows = {labels["account"]: claim.display}
    if claim.payment is not None:
        rows |= {
            labels["order"]: claim.payment.name,
            labels["paid_to"]: shop_name,
            labels["paid"]: _amount(claim, language),
        }
    told = [_fill(ROW, name=name, value=value) for name, value in rows.items() if value]
    return _fill(WHAT_FOR, rows=Html("".join(told))) if told else ""


def _amount(claim: Claim | None, language: Language) -> str:
    """Of the first payment; empty where none is taken."""
    if claim is None or claim.payment is None:
        return ""
    return words.amount(claim.payment.amount, _currency(claim), language)


def _currency(claim: Claim | None) -> str:
    details = dict(claim.payment.details) if claim is not None and claim.payment is not None else {}
    match details.get("currency"):
        case Sensitive() as named:
            return named.reveal()
        case _:
            return words.WON


def _state(wrong: bool, *, focused: bool) -> Html:
    return Html(('aria-invalid="true"' if wrong else "") + (" autofocus" if focused else ""))


def _page_data(visit: Visit, claim: Claim | None, origins: tuple[str, ...]) -> Html:
    data = {
        "customer_uid": visit.customer_uid,
        "customer_token": visit.customer_token,
        "return_url": visit.return_url,
        "origins": origins,
        **words.for_script(visit.language, _amount(claim, visit.language), _currency(claim)),
    }
    # Inside of a script element only "<" can end it or change its meaning (HTML, 4.12.1.3).
    return Html(json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"))


def _fill(template: Template, **values: str) -> Html:
    return Html(
        template.substitute(
            {name: value if isinstance(value, Html) else escape(value) for name, value in values.items()}
        )
    )


def _code(answer: Mapping[str, Any]) -> str:
    return str(answer.get("code", "success"))


def _status(answer: Mapping[str, Any] | None) -> HTTPStatus:
    if answer is INCOMPLETE:
        return HTTPStatus.BAD_REQUEST
    return HTTP_STATUS[answer["code"]] if answer and "code" in answer else HTTPStatus.OK


def _headers(origins: tuple[str, ...], style: Html, logo: str) -> dict[str, str | list[str]]:
    policy = {
        "default-src": "'none'",
        "script-src": hash_source(SCRIPT),
        "style-src": hash_source(style),
        # `data:` is the empty icon, so that no browser asks the server for one.
        "img-src": f"data: {logo}".rstrip(),
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": " ".join(origins) or "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{directive} {sources}" for directive, sources in policy.items()),
        # Tells the next site no path and no token. Under no-referrer a browser posts the form with `Origin: null`.
        "Referrer-Policy": "strict-origin",
        "Cache-Control": "no-store",
        "Strict-Transport-Security": "max-age=63072000",
        "X-Content-Type-Options": "nosniff",
        "Permissions-Policy": ", ".join(
            f"{feature}=()" for feature in ("camera", "geolocation", "microphone", "payment", "usb")
        ),
    }


def hash_source(source: str) -> str:
    """What the browser computes over the text between the tags (Content Security Policy Level 3, 6.7.2)."""
    return f"'sha256-{b64encode(sha256(source.encode()).digest()).decode()}'"
