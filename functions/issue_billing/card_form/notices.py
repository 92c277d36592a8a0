"""Which personal data is collected, and who is given it: told, or asked for, as the operator has chosen.

Personal Information Protection Act, articles 15, 17 and 26: docs/deploying.md, "The card form's notice and consent".
"""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from string import Template

from billing.settings import Settings, consents_asked_for
from card_form.filling import Html, fill, fill_rows, state_of, template

DATA_PART = template("data_part")
CONSENT = template("consent")
TERMS = template("terms")
NOTICE = Template("<p><strong>$title</strong></p>")
PARAGRAPH = Template("<p>$text</p>")
ERROR = Template('<p class="error" id="$name-error">$error</p>')


def data_parts(settings: Settings, labels: Mapping[str, str], errors: Mapping[str, str]) -> Iterator[Html]:
    """`labels`: the page's words. `errors`: what stands beside a consent that is missing, by its field."""
    consents = consents_asked_for(settings)
    items = [labels["card_number"], labels["expiry"]]
    items += [f"{labels['birth']} ({labels['business_number']})"] if "birth" in settings.card_fields else []
    items += [labels["pwd_2digit_item"]] if "pwd_2digit" in settings.card_fields else []
    what = {labels["purpose"]: labels["purposes"], labels["items"]: ", ".join(items)}
    collection = {**what, labels["retention"]: settings.data_retention}
    yield _data_part("consent", collection, "", labels, consents, errors)
    if settings.data_recipient:
        provision = {
            labels["recipient"]: settings.data_recipient,
            **what,
            labels["retention"]: settings.data_recipient_retention,
        }
        terms_url = settings.data_recipient_terms_url
        yield _data_part("consent_to_provision", provision, terms_url, labels, consents, errors)


def _data_part(
    name: str,
    facts: Mapping[str, str],
    terms_url: str,
    labels: Mapping[str, str],
    consents: tuple[str, ...],
    errors: Mapping[str, str],
) -> Html:
    is_asked_for = name in consents
    title = labels[f"{name}_title" if is_asked_for else f"{name}_notice"]
    refusal = labels["refusal"] if is_asked_for else ""
    given = {fact: told for fact, told in facts.items() if told}
    version = sha256(json.dumps([title, given, refusal, terms_url]).encode()).hexdigest()[:12]
    error = errors.get(name, "")
    choice = fill(CONSENT, name=name, title=title, version=version, state=state_of(bool(error), focused=False))
    return fill(
        DATA_PART,
        choice=choice if is_asked_for else fill(NOTICE, title=title),
        details=labels["details"],
        rows=fill_rows(given),
        refusal=fill(PARAGRAPH, text=refusal) if refusal else "",
        terms=fill(TERMS, terms_url=terms_url, **labels) if terms_url else "",
        error=fill(ERROR, name=name, error=error) if is_asked_for else "",
    )
