"""Lambda entry: the routes. Each reads the request, makes one call into the use case and shapes the answer.

Nothing that a caller sent is logged: no event, no body, and of an exception only its type and place.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from billing.services import open_services
from billing.settings import consents_asked_for, read_settings
from billing.start_up import fetching_ahead

settings = read_settings(os.environ)
services = open_services(settings)

with fetching_ahead(services, os.environ):
    from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
    from aws_lambda_powertools.event_handler.exceptions import NotFoundError
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from billing.issuance import issue_billing_key, named, unknown_if_it_breaks
    from billing.model.billing_key import Issued
    from billing.model.customer import Claim, parse_customer_uid
    from billing.model.deadline import Deadline
    from billing.model.errors import (
        BillingError,
        FieldError,
        Forbidden,
        InvalidCustomerToken,
        InvalidRequest,
        OutcomeUnknown,
        Unavailable,
    )
    from billing.observability import logger, metrics, note_no_request, note_outcome, note_told, note_unforeseen
    from billing.web import answers, gateway_event, unforeseen
    from billing.web.origin import is_foreign, is_own
    from billing.web.reading import read_card, read_consents, read_customer
    from billing.web.request import Fields, read_fields
    from billing.web.time_left import seconds_left

    if settings.customer_identity == "signed":  # PyJWT takes time, and `open` does without
        from billing.web.customer_token import read_claim

# `debug` is given because POWERTOOLS_DEV would otherwise make the resolver print the event.
resolver = APIGatewayRestResolver(debug=False)


# `log_event` is given because POWERTOOLS_LOGGER_LOG_EVENT would otherwise log the event.
# `clear_state`, as a line must not name the attempt of the request before.
@logger.inject_lambda_context(log_event=False, clear_state=True)
def handler(event: object, context: LambdaContext) -> dict[str, Any]:
    request_id = gateway_event.request_id(event, context.aws_request_id)
    logger.set_correlation_id(request_id)
    if gateway_event.is_request(event):
        answer: dict[str, Any] = answer_request(event, context)
        return answer
    # A function error would ring the alarms, and have whoever invoked it try again.
    note_no_request()
    return answers.respond_plainly("not_found", request_id)


@metrics.log_metrics
def answer_request(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    try:
        return resolver.resolve(gateway_event.by_its_route(event), context)
    except Exception as failure:  # noqa: BLE001 (where even the failure's own answer broke; Lambda would log its message)
        code = unforeseen.code_of(failure)
        note_unforeseen(failure, code)
        request_id = gateway_event.request_id(event, context.aws_request_id)
        return answers.respond_plainly(code, request_id, unforeseen.attempt_id_of(failure))


@resolver.post("/subscription/issue-billing")
@resolver.post("/subscriptions/issue-billing")
def issue_billing() -> Response[str]:
    _admit()
    event, deadline = resolver.current_event, _deadline()
    fields = _read_fields()
    claim = _claim(fields)
    customer = read_customer(fields, claim)
    card = read_card(fields, settings.card_fields, claim=claim)
    if is_own(event.headers):  # other pages have forms, and words, of their own
        customer = replace(customer, consents=read_consents(fields, consents_asked_for(settings)))
    fields.check()
    request_id = gateway_event.request_id(event.raw_event, resolver.lambda_context.aws_request_id)
    issued = issue_billing_key(customer, card, services, deadline, request_id)
    with named(issued.attempt_id), unknown_if_it_breaks():
        note_outcome("issued", gateway_seconds=services.iamport.take_seconds_waited())
        return _answer(answers.describe_success(issued))


@resolver.get("/subscription/issue-billing")
@resolver.get("/subscriptions/issue-billing")
def show_card_form_or_attempt() -> Response[str]:
    _admit()
    attempt_id = resolver.current_event.query_string_parameters.get(answers.ATTEMPT)
    if attempt_id is not None:
        return tell_attempt(attempt_id)
    claim = _claim(Fields(resolver.current_event.query_string_parameters.items()))
    note_outcome("card_form_shown")
    return _page(None, claim)


def tell_attempt(attempt_id: str) -> Response[str]:
    # Here and not above: most requests send a card.
    from billing.inquiry import TOKEN_GOOD_FOR_LONGER, ask_after

    fields = Fields(resolver.current_event.query_string_parameters.items())
    with unknown_if_it_breaks():
        try:
            claim = _claim(fields, _bearer(), good_for_longer=TOKEN_GOOD_FOR_LONGER)
        except Unavailable as failure:  # of the secret, and it would be taken for the attempt's own outcome
            raise OutcomeUnknown(failure.reason) from None
        customer_uid = fields.read("customer_uid", parse_customer_uid) if claim is None else claim.uid
        fields.check()
        told = ask_after(customer_uid, attempt_id, services, _deadline())
        waited = services.iamport.take_seconds_waited()
        if isinstance(told, Issued):
            note_told("issued", reason=None, answered=None, gateway_seconds=waited)
            return _answer(answers.describe_success(told), claim=claim)
        note_told(told.code, reason=told.reason, answered=told.answered, gateway_seconds=waited)
        body = answers.describe_error(told, _caller().language)
        return _answer(body, answers.retry_after_header(told), claim=claim)


@resolver.exception_handler(BillingError)  # type: ignore[untyped-decorator]
def refuse(error: BillingError) -> Response[str]:
    waited = services.iamport.take_seconds_waited()
    if (bug := unforeseen.bug_behind(error)) is not None:
        note_unforeseen(bug, error.code)
    else:
        note_outcome(error.code, reason=error.reason, answered=error.answered, gateway_seconds=waited)
    wrong = error.errors if isinstance(error, InvalidRequest) else ()
    return _answer(answers.describe_error(error, _caller().language), answers.retry_after_header(error), wrong)


@resolver.not_found
def not_found(_: NotFoundError) -> Response[str]:
    note_outcome("not_found")
    return _answer(answers.describe_failure("not_found", _caller().language))


# Registered here, or the resolver would log the exception with its message.
@resolver.exception_handler(Exception)  # type: ignore[untyped-decorator]
def fail(failure: Exception) -> Response[str]:
    code = unforeseen.code_of(failure)
    note_unforeseen(failure, code)
    return _answer(answers.describe_failure(code, _caller().language), answers.when_to_ask_again(code))


def _admit() -> None:
    """Before anything else. Raises Forbidden."""
    if is_foreign(resolver.current_event.headers, settings.allowed_origins):
        raise Forbidden("origin_not_allowed")


def _read_fields() -> Fields:
    """Raises UnsupportedMediaType, TooLarge, InvalidRequest."""
    event = resolver.current_event
    return read_fields(
        event.body, is_base64=bool(event.is_base64_encoded), content_type=event.headers.get("content-type", "")
    )


def _deadline() -> Deadline:
    """The invocation's end, or that of API Gateway's patience."""
    of_invocation = resolver.lambda_context.get_remaining_time_in_millis() / 1000
    return Deadline.after(seconds_left(resolver.current_event.raw_event, of_invocation))


def _claim(fields: Fields, bearer: str = "", *, good_for_longer: int = 0) -> Claim | None:
    """Who the customer is by the merchant's signature; None where the browser may say.

    `bearer`: a token that counts where the fields have none. Raises InvalidCustomerToken, Unavailable.
    """
    if settings.customer_identity == "open":
        return None
    token = fields.read("customer_token", str, required=False) or bearer
    try:
        return read_claim(token, services.credentials.read().customer_token_keys, good_for_longer=good_for_longer)
    except InvalidCustomerToken:
        if not services.credentials.may_have_changed():
            raise
    return read_claim(token, services.credentials.read_anew().customer_token_keys, good_for_longer=good_for_longer)


def _bearer() -> str:
    """The token of `Authorization: Bearer …` (RFC 6750, 2.1), which stays out of addresses."""
    scheme, _, token = resolver.current_event.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _caller() -> answers.Caller:
    event, of_lambda = resolver.current_event, resolver.lambda_context.aws_request_id
    return answers.read_caller(event, gateway_event.request_id(event.raw_event, of_lambda))


def _answer(
    body: dict[str, Any],
    headers: Mapping[str, str] | None = None,
    wrong: tuple[FieldError, ...] = (),
    claim: Claim | None = None,
) -> Response[str]:
    """`wrong`: the fields of a body that was refused. `claim`: of the token in a page's address."""
    caller = _caller()
    if caller.wants_page and resolver.current_event.http_method == "POST":
        return _lead_to_outcome(body, wrong)
    if caller.wants_page:
        return _page(body, claim)
    return answers.respond(body, caller, settings.allowed_origins, headers)


def _page(body: dict[str, Any] | None, claim: Claim | None = None) -> Response[str]:
    # Here and not above: most requests need no page.
    from card_form import page

    return page.show(
        resolver.current_event.query_string_parameters, _caller().language, settings, claim, body, _caller().request_id
    )


def _lead_to_outcome(body: dict[str, Any], wrong: tuple[FieldError, ...]) -> Response[str]:
    from card_form import page

    query = dict(resolver.current_event.query_string_parameters)
    if "attempt_id" in body:  # then the customer has been checked, and holds no card number
        query |= _posted_customer()
    return page.lead_to_outcome(query, _caller().language, settings, body, wrong)


def _posted_customer() -> dict[str, str]:
    """By whose name a page asks after the attempt, where a form of the merchant's own has posted it."""
    fields = _read_fields()
    named = {name: fields.read(name, str, required=False) for name in ("customer_uid", "customer_token")}
    return {name: value for name, value in named.items() if value}
