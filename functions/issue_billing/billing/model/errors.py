"""Every way an attempt can end other than with a billing key: one class per decision the caller has to make.

    BillingError
    ├── Forbidden                 the page that asks may not use the API: the operator has to allow it
    ├── InvalidRequest            correct the fields named in `errors`
    ├── TooLarge                  send less
    ├── UnsupportedMediaType      send JSON or a form
    ├── InvalidCustomerToken      have the merchant's server sign a new one
    ├── InProgress                wait: another attempt for the customer_uid or the order is under way
    ├── UnknownAttempt            the ledger has no such attempt, or none any more: that says nothing of its outcome
    ├── TooManyAttempts           wait for `retry_after` seconds
    ├── AlreadyRegistered         the customer_uid holds a card that may not be replaced
    ├── AlreadyPaid               the order has been paid, and not by this customer's card here: nothing was charged
    ├── Declined                  Iamport said no, in its own words
    ├── PaidWithoutKey            the first payment is taken, and Iamport has no key: never pay again
    ├── GatewayError              Iamport certainly did not process it: safe to try again
    ├── Unavailable               nothing was sent: safe to try again
    │   └── GatewayRefused        Iamport does not take the request, whosever card it is: the operator has to act
    ├── InternalError             a bug before anything was sent: it would come again
    └── OutcomeUnknown            sent, and nobody knows yet: the same request again, never another card or order

Where a first payment is issued and then charged, a no to the charge comes after the key: `key_stays` says so.

`code` is the contract's `code`. What HTTP makes of it stands in `answers`. None of them carries what a caller sent.
"""

from dataclasses import dataclass
from typing import ClassVar

from billing.model.attempt import KeyStays
from billing.model.billing_key import BillingKey, PaidPayment

SECONDS_UNTIL_MORE_IS_KNOWN = 5


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field: its name as the caller spelled it, and the key of a text in `messages`."""

    field: str
    reason: str


@dataclass(frozen=True)
class Answered:
    """How Iamport answered, for the operator's log."""

    http_status: int
    code: int | None = None
    """The envelope's; None where there was none."""
    message: str | None = None
    """Only of a refusal: whose fault it is, nothing else tells the operator."""


class BillingError(Exception):
    """`reason` tells the operator why, in our own words: which part did not answer, which rule was broken."""

    code: ClassVar[str]
    reason: str | None = None
    answered: Answered | None = None
    retry_after: int | None = None
    """Seconds after which the same request may come again, where the caller has to wait."""
    key_stays: KeyStays = ""
    """Of a first payment that was not taken: what is registered under the customer_uid all the same."""
    attempt_id: str = ""
    """Of the attempt that is told of, where one was begun and who asks may know it."""


class Forbidden(BillingError):
    code = "forbidden"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidRequest(BillingError):
    code = "invalid_request"

    def __init__(self, *errors: FieldError) -> None:
        self.errors = errors
        self.reason = ", ".join(f"{error.field}: {error.reason}" for error in errors)
        super().__init__(self.reason)


class TooLarge(BillingError):
    code = "too_large"


class UnsupportedMediaType(BillingError):
    code = "unsupported_media_type"


class InvalidCustomerToken(BillingError):
    """All ways to be wrong look the same to the caller; `reason` is for the operator."""

    code = "invalid_customer_token"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InProgress(BillingError):
    """`reason`: why nobody could look what became of the attempt that is in the way."""

    code = "in_progress"
    retry_after = SECONDS_UNTIL_MORE_IS_KNOWN

    def __init__(self, reason: str | None = None, answered: Answered | None = None, *, attempt_id: str = "") -> None:
        super().__init__()
        self.reason = reason
        self.answered = answered
        self.attempt_id = attempt_id


class UnknownAttempt(BillingError):
    """No id, another uid's, or one after which another attempt was begun: all look the same to who asks."""

    code = "unknown_attempt"


class TooManyAttempts(BillingError):
    code = "too_many_attempts"

    def __init__(self, retry_after: int, reason: str) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.reason = reason


class AlreadyRegistered(BillingError):
    """`billing_key` is the one that is registered; the caller is not told, as nobody vouches for who asks."""

    code = "already_registered"

    def __init__(self, billing_key: BillingKey) -> None:
        super().__init__()
        self.billing_key = billing_key


class AlreadyPaid(BillingError):
    """Another amount, another customer's, or cancelled since: what is found under the order is not this payment."""

    code = "already_paid"


class Declined(BillingError):
    """`message` is Iamport's, verbatim: it passes the PG's text through, and that changes without notice."""

    code = "declined"

    def __init__(self, message: str | None, answered: Answered | None = None) -> None:
        super().__init__()
        self.message = message
        self.answered = answered


class PaidWithoutKey(BillingError):
    """`payment` is the one that was taken; the caller is told of it."""

    code = "paid_without_key"

    def __init__(self, payment: PaidPayment) -> None:
        super().__init__()
        self.payment = payment


class GatewayError(BillingError):
    code = "gateway_error"

    def __init__(self, reason: str, answered: Answered | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.answered = answered


class Unavailable(BillingError):
    code = "unavailable"
    reason: str

    def __init__(self, reason: str, answered: Answered | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.answered = answered


class GatewayRefused(Unavailable):
    """No channel, a parameter missing, an address that is not allowed: nothing was issued or charged by the request.

    At a look it says as little of what is there as any other that failed.
    """

    code = "gateway_refused"


class InternalError(BillingError):
    """Raised from the bug, once an attempt was begun and before anything was sent."""

    code = "internal_error"


class OutcomeUnknown(BillingError):
    """Whatever the line says, Iamport may still be at work, and issue the key after everybody has hung up."""

    code = "outcome_unknown"
    retry_after = SECONDS_UNTIL_MORE_IS_KNOWN

    def __init__(self, reason: str, answered: Answered | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.answered = answered
