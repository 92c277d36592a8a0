"""What an envelope means that says no.

    seen                                    means                                        raised
    400, 403, with any code                 the request is not accepted                  GatewayRefused
    404, with any code; 200 with code 1     where a card was sent, or a key charged:     GatewayRefused
                                            the same
                                            where something was looked up: there is none
    200 with any other code but 0           nothing was issued or charged; whose fault   Declined
                                            that is, nobody tells
    any other status                        not documented, so it decides nothing        OutcomeUnknown

Facts: PortOne's published V1 schema (edition of 2026-07-27), and answers captured in public issues. A PG's own codes
pass through the same envelope, for the card's faults and for the merchant's: nothing but this tells them apart.
"""

from billing.iamport.exchange import Answer
from billing.iamport.scrub import Scrub
from billing.model.errors import BillingError, Declined, GatewayRefused, OutcomeUnknown

NOT_ACCEPTED = (400, 403)
NOT_ACCEPTED_OF_WHAT_ISSUES_OR_CHARGES = (*NOT_ACCEPTED, 404)


def refused_card(answer: Answer, scrub: Scrub) -> BillingError | None:
    """What an answer to a card, or to the charge of its key, means that is no success; None where it is one."""
    match answer:
        case Answer(http_status=status) if status in NOT_ACCEPTED_OF_WHAT_ISSUES_OR_CHARGES:
            return request_refused(f"http_{status}", answer, scrub)
        case Answer(http_status=status) if status >= 400:
            return OutcomeUnknown(f"http_{status}", answer.for_log())
        case Answer(code=0):
            return None
        case Answer(code=1):
            return request_refused("code_1", answer, scrub)
    message = _message(answer, scrub)
    return Declined(message, answer.for_log(message))


def request_refused(reason: str, answer: Answer, scrub: Scrub) -> GatewayRefused:
    return GatewayRefused(reason, answer.for_log(_message(answer, scrub)))


def _message(answer: Answer, scrub: Scrub) -> str | None:
    return None if answer.message is None else scrub.text(answer.message)
