"""Puts the page together and answers with it: everything in one response, nothing from anywhere else.

Of what a visitor sends, only the page's own query comes back, checked by `visit` and escaped by `filling`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from billing.model.customer import Claim
from billing.model.errors import FieldError, UnknownAttempt
from billing.model.sensitive import Sensitive
from billing.settings import Settings
from billing.web import messages
from billing.web.answers import HTTP_STATUS
from billing.web.messages import Language
from card_form import outcomes, words
from card_form.assets import SCRIPT, STYLE, hash_source
from card_form.colours import colours_css
from card_form.filling import Html, fill, fill_rows, state_of, template
from card_form.notices import data_parts
from card_form.visit import Visit, named, read_visit

PAGE = template("page")
FORM = template("form")
OUTCOME = template("outcome")
PRIVACY_POLICY = template("privacy_policy")
CARD_KIND = template("card_kind")
BIRTH = template("birth")
PWD_2DIGIT = template("pwd_2digit")
SHOP = template("shop")
LOGO = template("logo")
CONTACT = template("contact")
WHAT_FOR = template("what_for")
REFRESH = Html('<noscript><meta http-equiv="refresh" content="5"></noscript>')

SAFE_HEADERS: dict[str, str | list[str]] = {
    # Tells the next site no path and no token. Under no-referrer a browser posts the form with `Origin: null`.
    "Referrer-Policy": "strict-origin",
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=63072000",
    "X-Content-Type-Options": "nosniff",
}

INCOMPLETE = {"status": "failed", "code": "incomplete"}


@dataclass(frozen=True)
class Shown:
    """What a page is made of."""

    visit: Visit
    settings: Settings
    origins: tuple[str, ...]
    claim: Claim | None
    answer: Mapping[str, Any] | None
    """A body of the API, where there is something to tell."""
    request_id: str

    @property
    def outcome(self) -> outcomes.Outcome | None:
        if self.answer is None:
            return None
        outcome = outcomes.outcome(_code(self.answer), self.visit.language, pays=bool(self.amount))
        if self.visit.attempt and not outcome.ask_again and self.answer.get("attempt_id") != self.visit.attempt:
            # A token that has expired, say, tells nothing of the card that was registered by it.
            return outcomes.outcome(UnknownAttempt.code, self.visit.language)
        return outcome

    @property
    def names_customer(self) -> bool:
        if self.settings.customer_identity == "open":
            return bool(self.visit.customer_uid)
        return self.claim is not None

    @property
    def labels(self) -> dict[str, str]:
        return words.labels(self.visit.language, self.amount)

    @property
    def currency(self) -> str:
        payment = self.claim.payment if self.claim is not None else None
        match dict(payment.details).get("currency") if payment is not None else None:
            case Sensitive() as named:
                return named.reveal()
            case _:
                return words.WON

    @property
    def amount(self) -> str:
        """Of the first payment; empty where none is taken."""
        if self.claim is None or self.claim.payment is None:
            return ""
        return words.amount(self.claim.payment.amount, self.currency, self.visit.language)


def show(
    query: Mapping[str, str],
    language: Language,
    settings: Settings,
    claim: Claim | None,
    answer: Mapping[str, Any] | None,
    request_id: str,
) -> Response[str]:
    """The empty form; with `answer` (a body of the API), what became of an attempt or why there can be none.

    `claim`: of the token in the address, where tokens say whose card it is.
    """
    origins = named(settings.allowed_origins)
    visit = read_visit(query, language, origins)
    told = answer or _told_by_address(visit)
    shown = Shown(visit, settings, origins, claim, told, request_id)
    if told is None and not shown.names_customer:
        answer = INCOMPLETE
        shown = replace(shown, answer=INCOMPLETE)
    style = Html(colours_css(settings.accent_color, visit.theme) + STYLE)
    return Response(
        status_code=_status(answer),
        content_type="text/html; charset=utf-8",
        body=_page(shown, style),
        headers=_headers(origins, style, settings.shop_logo_url),
    )


def lead_to_outcome(
    query: Mapping[str, str],
    language: Language,
    settings: Settings,
    body: Mapping[str, Any],
    wrong: Iterable[FieldError],
) -> Response[str]:
    """Where a browser that posted a form by itself finds what became of it, under this very address.

    A page in answer to the post itself would have the browser keep all that was posted in its profile, to be able to
    show it again; 303 has it forget the post (RFC 9110, 15.4.4).
    """
    visit = read_visit(query, language, named(settings.allowed_origins))
    address = replace(
        visit,
        attempt=body.get("attempt_id", ""),
        outcome="" if "attempt_id" in body else _code(body),
        wrong=tuple((error.field, error.reason) for error in wrong if error.field in words.ERROR_FIELDS),
    ).address(language)
    return Response(
        status_code=HTTPStatus.SEE_OTHER,
        content_type="text/html; charset=utf-8",
        body="",
        headers={"Location": address, **SAFE_HEADERS},
    )


def _told_by_address(visit: Visit) -> dict[str, Any] | None:
    """A refusal from before anything was begun; nothing more can be said in an address, which anybody can write."""
    if not visit.outcome:
        return None
    errors = [{"field": name, "message": messages.BY_REASON[why][visit.language]} for name, why in visit.wrong]
    return {"status": "failed", "code": visit.outcome, "errors": errors}


def _page(shown: Shown, style: Html) -> Html:
    visit, settings, labels, outcome = shown.visit, shown.settings, shown.labels, shown.outcome
    content = _outcome(shown, outcome) if outcome else _hidden_outcome(shown)
    if shown.names_customer and (outcome is None or outcome.another_try):
        content = Html(content + _form(shown))
    contact = fill(CONTACT, ask_the_shop=labels["ask_the_shop"], shop_contact=settings.shop_contact)
    other: Language = "en" if visit.language == "ko" else "ko"
    titles = (outcome.heading if outcome else "", labels["title"], settings.shop_name)
    return fill(
        PAGE,
        language=visit.language,
        title=labels["title"],
        page_title=" – ".join(title for title in titles if title),
        colour_schemes=visit.theme or "light dark",
        # Without JavaScript; page.js asks by itself.
        refresh=REFRESH if visit.attempt and outcome and outcome.ask_again else "",
        shop=_shop(settings, visit.language),
        other_language=labels["other_language"],
        other_language_code=other,
        other_language_address=visit.address(other),
        style=style,
        content=content,
        contact=contact if settings.shop_contact else "",
        page_data=_page_data(shown),
        script=Html(SCRIPT),
    )


def _shop(settings: Settings, language: Language) -> Html | str:
    """Whose page it is. A logo beside the name says nothing that the name doesn't."""
    if not settings.shop_name and not settings.shop_logo_url:
        return ""
    alternative = "" if settings.shop_name else words.labels(language)["logo"]
    logo = fill(LOGO, shop_logo_url=settings.shop_logo_url, alternative=alternative)
    return fill(SHOP, logo=logo if settings.shop_logo_url else "", shop_name=settings.shop_name)


def _outcome(shown: Shown, outcome: outcomes.Outcome) -> Html:
    answer, visit, labels = shown.answer or {}, shown.visit, shown.labels
    card = answer.get("card") or {}
    payment = answer.get("payment") or {}
    # Iamport's words where it declined, as in page.js.
    said = answer["message"] if answer.get("code") == "declined" and answer["message"] != outcome.text else ""
    receipt_url = payment.get("receipt_url") or ""
    succeeded = answer.get("status") == "success"
    result = {
        "status": answer["status"],
        "code": answer.get("code", ""),
        "customer_uid": answer.get("customer_uid") or visit.customer_uid,
    }
    given = {name: value for name, value in result.items() if value}
    return fill(
        OUTCOME,
        **labels,
        kind=outcome.kind,
        state="",
        heading=outcome.heading,
        text=outcome.text,
        said=said,
        said_state=_shown_if(bool(said)),
        next_step=outcome.next_step,
        amount=words.amount(payment["amount"], shown.currency, visit.language) if payment else "",
        payment_state=_shown_if(bool(payment)),
        receipt_url=receipt_url,
        receipt_state=_shown_if(bool(receipt_url)),
        reload=labels["reloads"] if outcome.ask_again and visit.attempt else "",
        card=" ".join(part for part in (card.get("name"), card.get("number")) if part),
        request_id="" if succeeded else shown.request_id,
        reference_state=_shown_if(not succeeded),
        return_address=visit.return_url_with(given) if visit.return_url else "",
        return_state=_shown_if(bool(visit.return_url)),
    )


def _hidden_outcome(shown: Shown) -> Html:
    """What page.js fills in."""
    hidden = _shown_if(False)
    states = ("state", "said_state", "payment_state", "receipt_state", "reference_state", "return_state")
    texts = (
        *("kind", "heading", "text", "said", "next_step", "amount", "receipt_url", "reload", "card", "request_id"),
        "return_address",
    )
    return fill(OUTCOME, **shown.labels, **dict.fromkeys(states, hidden), **dict.fromkeys(texts, ""))


def _shown_if(holds: bool) -> Html:
    return Html("" if holds else "hidden")


def _form(shown: Shown) -> Html:
    """With the fields that the operator's contract wants. Only with a business number is there a choice of kinds."""
    visit, settings, labels = shown.visit, shown.settings, shown.labels
    errors = {error["field"]: error["message"] for error in (shown.answer or {}).get("errors", ())}
    first_wrong = next((name for name in words.ERROR_FIELDS if name in errors), None)
    texts = {
        **labels,
        **{f"{name}_error": errors.get(name, "") for name in words.ERROR_FIELDS},
        **{f"{name}_state": state_of(name in errors, focused=name == first_wrong) for name in words.ERROR_FIELDS},
    }
    asked_for = settings.card_fields
    link = fill(PRIVACY_POLICY, privacy_policy_url=settings.privacy_policy_url, **labels)
    return fill(
        FORM,
        **texts,
        what_for=_what_for(shown),
        card_kind_choice=fill(CARD_KIND, **labels) if "birth" in asked_for else "",
        birth_field=fill(BIRTH, **texts) if "birth" in asked_for else "",
        pwd_2digit_field=fill(PWD_2DIGIT, **texts) if "pwd_2digit" in asked_for else "",
        safety_words=labels["safety" if "pwd_2digit" in asked_for else "safety_without_password"],
        customer_uid=visit.customer_uid,
        customer_token=visit.customer_token,
        data_parts=Html("".join(data_parts(settings, labels, errors))),
        privacy_policy_link=link if settings.privacy_policy_url else "",
    )


def _what_for(shown: Shown) -> Html | str:
    """For which account, and what is paid: all that the token says, before anything is typed."""
    claim, labels = shown.claim, shown.labels
    if claim is None:
        return ""
    rows = {labels["account"]: claim.display}
    if claim.payment is not None:
        rows |= {
            labels["order"]: claim.payment.name,
            labels["paid_to"]: shown.settings.shop_name,
            labels["paid"]: shown.amount,
        }
    told = fill_rows(rows)
    return fill(WHAT_FOR, rows=told) if told else ""


def _page_data(shown: Shown) -> Html:
    """What page.js finds nowhere else on the page."""
    language = shown.visit.language
    data = {
        "answer": {"status": "failed", "code": _code(shown.answer)} if shown.answer else None,
        "origins": shown.origins,
        "title": " – ".join(title for title in (shown.labels["title"], shown.settings.shop_name) if title),
        **outcomes.for_script(language, pays=bool(shown.amount)),
        **words.for_script(language, shown.amount, shown.currency),
    }
    # Inside of a script element only "<" can end it or change its meaning (HTML, 4.12.1.3).
    return Html(json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"))


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
        "Permissions-Policy": ", ".join(
            f"{feature}=()" for feature in ("camera", "geolocation", "microphone", "payment", "usb")
        ),
        **SAFE_HEADERS,
    }
