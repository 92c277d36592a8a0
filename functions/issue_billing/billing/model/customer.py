"""Whose card it is: the customer_uid that a billing key is filed under, and what its owner is called.

In `open` identity the browser names the customer_uid. Nobody vouches for it, so a card that is registered under it
may not be replaced: Iamport replaces a card silently when its customer_uid is used again.
In `signed` identity the merchant's server vouches for it by a token (`customer_token`).
"""

from dataclasses import dataclass

from billing.model.parameters import CUSTOMER, LONGEST_CUSTOMER_UID, PAYMENT
from billing.model.refusal import Refusal
from billing.model.sensitive import Sensitive

Details = tuple[tuple[str, Sensitive], ...]
"""Iamport's optional customer_* parameters, only those given."""


@dataclass(frozen=True)
class Channel:
    """Which of the merchant's channels at PortOne takes the card; what is empty is not sent."""

    channel_key: str = ""
    """The console's."""
    pg: str = ""
    """`{PG}` or `{PG}.{MID}`: the one way to choose a channel that a payment by card number knows."""


@dataclass(frozen=True)
class Payment:
    """The first payment, taken in the same call; named by the merchant's server alone."""

    merchant_uid: str
    amount: int
    name: str
    details: tuple[tuple[str, Sensitive | int], ...]
    """Iamport's optional parameters of a payment, only those given."""


@dataclass(frozen=True)
class Claim:
    """Who the customer is, as far as somebody vouches for it."""

    uid: str
    may_replace: bool
    """Whether a card that is registered under the uid may be replaced."""
    payment: Payment | None
    is_new: bool = False
    """Whether the merchant's server has just made this uid, so that no card can be registered under it."""
    details: Details = ()
    channel: Channel | None = None
    """None: the operator's."""
    display: str = ""
    """What the account is called on the card form, so that nobody registers a card for somebody else's."""

    def texts(self) -> tuple[Sensitive, ...]:
        """Every text that the merchant's server wrote."""
        texts = [self.uid, self.display] if self.display else [self.uid]
        if self.channel is not None:
            texts += [self.channel.channel_key or self.channel.pg]
        if self.payment is not None:
            texts += [self.payment.merchant_uid, self.payment.name]
        details = (*self.details, *(self.payment.details if self.payment is not None else ()))
        return (*map(Sensitive, texts), *(value for _, value in details if isinstance(value, Sensitive)))


@dataclass(frozen=True)
class Customer:
    uid: str
    vouched_for: bool
    """Whether the merchant's server signed the uid."""
    may_replace: bool
    payment: Payment | None
    details: Details
    is_new: bool = False
    """Whether the merchant's server signed that it has just made the uid."""
    channel: Channel | None = None
    """The one that the merchant's server named; None: the operator's."""
    consents: tuple[tuple[str, str], ...] = ()
    """To what the card form's visitor consented, each with the version of the text."""


def parse_customer_uid(text: str) -> str:
    """1 to 80 printable characters, no white space at the ends."""
    if len(text) > LONGEST_CUSTOMER_UID:
        raise Refusal("customer_uid_long")
    if text != text.strip() or not text.isprintable():
        raise Refusal("customer_uid_form")
    # As a path segment these two mean "here" and "above", however they are percent-encoded (RFC 3986, 5.2.4 and
    # 6.2.2.2): they can't be asked for at Iamport.
    if text in (".", ".."):
        raise Refusal("customer_uid_form")
    return text


def parse_detail(text: str, *, name: str) -> str:
    """`name`: one of Iamport's customer_* parameters."""
    if not CUSTOMER[name].has_room_for(text):
        raise Refusal("too_long")
    if not CUSTOMER[name].takes(text):
        raise Refusal("unprintable")
    return text


def buyer_of(customer: Customer, payment: Payment) -> Details:
    """The customer's details as the buyer's, each where the payment names none.

    What is too long for the buyer's is left out: cut, it would be another name, and it is no reason to refuse a card.
    """
    named = {name for name, _ in payment.details}
    buyers = ((name.replace("customer_", "buyer_", 1), value) for name, value in customer.details)
    return tuple(
        (name, value)
        for name, value in buyers
        if name in PAYMENT and name not in named and PAYMENT[name].has_room_for(value.reveal())
    )
