"""Lambda entry: the routes. Each reads the request, makes one call into the use case and shapes the answer.

Nothing that a caller sent is logged: no event, no body, and of an exception only its type and place.
"""

import os
from collections.abc import Mapping
from typing import Any

from billing.services import open_services
from billing.settings import read_settings
from billing.start_up import fetching_ahead

settings = read_settings(os.environ)
services = open_services(settings)

with fetching_ahead(services, os.environ):
    from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
    from aws_lambda_powertools.event_handler.exceptions import NotFoundError
    from aws_lambda_powertools.logging import correlation_paths
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from billing.issuance import issue_billing_key
    from billing.model.customer import Claim
    from billing.model.deadline import Deadline
    from billing.model.errors import BillingError, InvalidCustomerToken
    from billing.observability import logger, metrics, note_outcome, note_unforeseen
    from billing.web import answers
    from billing.web.reading import read_card, read_customer
    from billing.web.request import Fields, read_fields
    from billing.web.time_left import seconds_left

    if settings.customer_identity == "signed":  # PyJWT takes time, and `open` does without
        from billing.web.customer_token import read_claim

# `debug` is given because POWERTOOLS_DEV would otherwise make the resolver print the event.
resolver = APIGatewayRestResolver(debug=False)


# `log_event` is given because POWERTOOLS_LOGGER_LOG_EVENT would otherwise log the event.
# `clear_state`, as a line must not name the attempt of the request before.
@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST, log_event=False, clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return resolver.resolve(event, context)


@resolver.post("/subscription/issue-billing")
@resolver.post("/subscriptions/issue-billing")
def issue_billing() -> Response[str]:
    event = resolver.current_event
    of_invocation = resolver.lambda_context.get_remaining_time_in_millis() / 1000
    deadline = Deadline.after(seconds_left(event.raw_event, of_invocation))
    fields = read_fields(
        event.body, is_base64=bool(event.is_base64_encoded), content_type=event.headers.get("content-type", "")
    )
    customer, card = read_customer(fields, _claim(fields)), read_card(fields)
    fields.check()
    issued = issue_billing_key(customer, card, services, deadline, _caller().request_id)
    note_outcome("issued", gateway_seconds=services.iamport.take_seconds_waited())
    return _answer(answers.describe_success(issued))


@resolver.get("/subscription/issue-billing")
@resolver.get("/subscriptions/issue-billing")
def show_card_form() -> Response[str]:
    note_outcome("card_form_shown")
    return _page(None)


@resolver.exception_handler(BillingError)  # type: ignore[untyped-decorator]
def refuse(error: BillingError) -> Response[str]:
    waited = services.iamport.take_seconds_waited()
    note_outcome(error.code, reason=error.reason, answered=error.answered, gateway_seconds=waited)
    return _answer(answers.describe_error(error, _caller().language), answers.retry_after_header(error))


@resolver.not_found
def not_found(_: NotFoundError) -> Response[str]:
    note_outcome("not_found")
    return _answer(answers.describe_failure("not_found", _caller().language))


# Registered here, or the resolver would log the exception with its message.
@resolver.exception_handler(Exception)  # type: ignore[untyped-decorator]
def fail(failure: Exception) -> Response[str]:
    note_unforeseen(failure)
    return _answer(answers.describe_failure("internal_error", _caller().language))


def _claim(fields: Fields) -> Claim | None:
    """Who the customer is by the merchant's signature; None where the browser may say. Raises InvalidCustomerToken."""
    if settings.customer_identity == "open":
        return None
    token = fields.read("customer_token", str, required=False)
    try:
        return read_claim(token, services.credentials.read().customer_token_keys)
    except InvalidCustomerToken:
        if not services.credentials.may_have_changed():
            raise
    return read_claim(token, services.credentials.read_anew().customer_token_keys)


def _caller() -> answers.Caller:
    return answers.read_caller(resolver.current_event)


def _answer(body: dict[str, Any], headers: Mapping[str, str] | None = None) -> Response[str]:
    caller = _caller()
    if caller.wants_page:
        return _page(body)
    return answers.respond(body, caller, settings.allowed_origins, headers)


def _page(body: dict[str, Any] | None) -> Response[str]:
    # Here and not above: most requests need no page.
    from card_form import page

    return page.show(resolver.current_event.query_string_parameters, _caller().language, settings, body)
