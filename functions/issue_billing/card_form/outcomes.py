"""What became of an attempt, as the page tells it: a heading, a text, and what may be done then, by code.

Where the page has no text of its own, the API's is told (`billing.web.messages`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from billing.web import messages
from billing.web.messages import Language

Kind = Literal["good", "bad", "unsure"]
"""Also the CSS class of the panel that tells it."""

REGISTERED: dict[Language, str] = {"ko": "카드가 등록되었습니다", "en": "Your card is registered"}
DECLINED: dict[Language, str] = {"ko": "카드가 거절되었습니다", "en": "The card was declined"}
NOT_REGISTERED: dict[Language, str] = {"ko": "카드가 등록되지 않았습니다", "en": "The card was not registered"}
NOT_COMPLETED: dict[Language, str] = {
    "ko": "카드 등록을 마치지 못했습니다",
    "en": "The card could not be registered",
}
UNDER_WAY: dict[Language, str] = {"ko": "이미 처리하고 있습니다", "en": "This is already under way"}
PAID_WITHOUT_KEY: dict[Language, str] = {"ko": "결제만 완료되었습니다", "en": "Only the payment was taken"}
UNKNOWN: dict[Language, str] = {"ko": "아직 결과를 알 수 없습니다", "en": "The result is not known yet"}
ASKING: dict[Language, str] = {"ko": "결과를 확인하고 있습니다", "en": "Checking the result"}
OPAQUE_ORIGIN: dict[Language, str] = {
    "ko": "이 화면에서는 카드를 등록할 수 없습니다",
    "en": "No card can be registered here",
}
NOT_TOLD_HERE: dict[Language, str] = {
    "ko": "이 페이지에서는 결과를 확인할 수 없습니다",
    "en": "The result can’t be shown here",
}
NOT_AT_THIS_ADDRESS: dict[Language, str] = {
    "ko": "이 주소로는 카드를 등록할 수 없습니다",
    "en": "No card can be registered at this address",
}
REGISTERED_ALREADY: dict[Language, str] = {
    "ko": "이미 등록된 카드가 있습니다",
    "en": "A card is registered already",
}

NOTHING_REGISTERED = (
    *("already_paid", "forbidden", "internal_error", "invalid_request", "not_found", "not_sent"),
    *("too_large", "too_many_attempts", "unsupported_media_type"),
)
"""Codes that say so of the card that was typed."""

A_KEY_MAY_STAY = ("gateway_error", "gateway_refused", "unavailable")
"""Where a first payment is issued and then charged, they may come after the key."""

HEADINGS: dict[str, tuple[Kind, dict[Language, str]]] = {
    "success": ("good", REGISTERED),
    "declined": ("bad", DECLINED),
    "in_progress": ("unsure", UNDER_WAY),
    "outcome_unknown": ("unsure", UNKNOWN),
    "paid_without_key": ("unsure", PAID_WITHOUT_KEY),
    "asking": ("unsure", ASKING),
    "unknown_attempt": ("unsure", NOT_TOLD_HERE),
    "already_registered": ("unsure", REGISTERED_ALREADY),
    # Who opens an old link may have registered a card by it.
    **dict.fromkeys(("incomplete", "invalid_customer_token"), ("bad", NOT_AT_THIS_ADDRESS)),
    "opaque_origin": ("bad", OPAQUE_ORIGIN),
    **dict.fromkeys(NOTHING_REGISTERED, ("bad", NOT_REGISTERED)),
    **dict.fromkeys(A_KEY_MAY_STAY, ("bad", NOT_COMPLETED)),
}
"""By code; of any other nobody knows what it says."""

SHOPS_MISTAKE: dict[Language, str] = {
    "ko": "판매자 페이지의 오류로 카드를 등록하지 못했습니다. 판매자에게 문의해 주세요.",
    "en": "A mistake in the shop’s page kept the card from being registered. Please ask the shop.",
}
"""After a form of the merchant's own was posted, who reads it is the card holder; the code in the address says more."""

TEXTS: dict[str, dict[Language, str]] = {
    "success": {
        "ko": "이제 창을 닫아도 됩니다.",
        "en": "You may close this window now.",
    },
    "declined": {
        "ko": "카드 정보를 확인해 다시 입력하거나 다른 카드를 이용해 주세요.",
        "en": "Please check the details and enter them again, or use another card.",
    },
    "in_progress": {
        "ko": "앞서 보낸 요청을 아직 처리하고 있습니다. 다른 카드나 다른 주문으로는 시도하지 마세요.",
        "en": "An earlier request is still being processed. Please don’t try another card or another order.",
    },
    "outcome_unknown": {
        "ko": "카드 등록 결과를 아직 확인하지 못했습니다. 다른 카드나 다른 주문으로는 시도하지 마세요.",
        "en": "We don’t know yet whether the card was registered. Please don’t try another card or another order.",
    },
    "unknown_attempt": {
        "ko": "등록이나 결제가 되지 않았다는 뜻은 아닙니다. 다시 시도하기 전에 판매자에게 확인해 주세요.",
        "en": "A card may be registered, or a payment taken, all the same. Please ask the shop before you try again.",
    },
    **dict.fromkeys(("not_found", "too_large", "unsupported_media_type"), SHOPS_MISTAKE),
    "asking": {
        "ko": "카드사의 응답을 기다리고 있습니다. 길게는 3분 정도 걸릴 수 있으니 창을 닫지 말고 기다려 주세요.",
        "en": "We are waiting for the card company. This can take up to three minutes; please keep this window open.",
    },
    "incomplete": {
        "ko": "판매자 페이지에서 카드 등록을 다시 열어 주세요.",
        "en": "Please open the card registration again from the shop.",
    },
    "opaque_origin": {
        "ko": "판매자 페이지의 설정 때문에 이 화면에서는 카드를 등록할 수 없습니다. 판매자에게 문의해 주세요.",
        "en": "The shop’s page shows this form in a way that keeps it from working. Please ask the shop.",
    },
    "not_sent": {
        "ko": "브라우저 오류로 카드 정보를 보내지 못했습니다. 다시 해도 안 되면 다른 브라우저를 이용해 주세요.",
        "en": "Your browser failed before anything was sent. Please try again, or use another browser.",
    },
}
"""In place of those of `billing.web.messages`, which speak to frontends too, and what only the page can meet."""

STILL_NOTHING: dict[Language, str] = {
    "ko": "계속 확인되지 않으면 판매자에게 문의해 주세요.",
    "en": "If it stays unknown, please ask the shop.",
}

NOTHING_CHARGED: dict[Language, str] = {
    "ko": "결제된 금액은 없습니다.",
    "en": "Nothing was charged.",
}
"""After `declined`, where the token has a first payment taken."""

NEXT_STEPS: dict[str, dict[Language, str]] = {
    "already_registered": {
        "ko": "카드를 바꾸려면 판매자에게 문의해 주세요.",
        "en": "To change the card, please ask the shop.",
    },
    "gateway_refused": {
        "ko": "이 문제는 판매자에게 자동으로 전달되었습니다.",
        "en": "The shop has been told of this automatically.",
    },
    "in_progress": STILL_NOTHING,
    "outcome_unknown": STILL_NOTHING,
}
"""Where the message alone does not say what to do."""

ANOTHER_TRY = frozenset(
    ("invalid_request", "declined", "too_many_attempts", "gateway_error", "unavailable", "not_sent")
)
"""Codes after which the form stays open. After any other, known or not, a key may exist or a try can't help."""

ASK_AGAIN = frozenset(("in_progress", "outcome_unknown"))
"""Codes after which the very same request may be sent again, and no other: it gets the outcome of the first."""

KEEPS_ALL = ANOTHER_TRY - {"declined"}
"""Codes after which all that was typed stays in the form; nothing came of it."""

TOLD_BY_ATTEMPT_ALONE = frozenset(("declined", "paid_without_key"))

TOLD_BY_ADDRESS = frozenset(messages.BY_CODE) - TOLD_BY_ATTEMPT_ALONE
"""Codes that the page's address may name, where no attempt was begun: none says that a card or money was taken."""

SETTLED = frozenset(("success", "declined", "already_registered", "already_paid", "paid_without_key"))
"""What a request that is sent again may be answered so that the first one's outcome is known. After any other answer,
such as `unavailable`, nobody knows more than before."""


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended, as the card holder is told."""

    kind: Kind
    heading: str
    text: str
    next_step: str
    another_try: bool
    ask_again: bool
    settles: bool
    keeps: Literal["all", "card", "nothing"]
    """What stays in the form of what was typed; `card`: all but the password."""


def outcome(code: str, language: Language, *, pays: bool = False) -> Outcome:
    """`code`: the contract's code, or `success`, or one that only the page can meet. `pays`: with a first payment."""
    texts = messages.BY_CODE | TEXTS
    next_steps = NEXT_STEPS | ({"declined": NOTHING_CHARGED} if pays else {})
    kind, heading = HEADINGS.get(code, ("unsure", UNKNOWN))
    return Outcome(
        kind=kind,
        heading=heading[language],
        text=texts.get(code, {}).get(language, ""),
        next_step=next_steps.get(code, {}).get(language, ""),
        another_try=code in ANOTHER_TRY,
        ask_again=code in ASK_AGAIN,
        settles=code in SETTLED,
        keeps=_keeps(code),
    )


def _keeps(code: str) -> Literal["all", "card", "nothing"]:
    if code in KEEPS_ALL:
        return "all"
    return "card" if code == "declined" else "nothing"


def for_script(language: Language, *, pays: bool) -> dict[str, object]:
    """What page.js goes by. `usual`: what most outcomes have, and is not said again."""
    codes = (messages.BY_CODE | TEXTS).keys()
    usual = {"kind": "bad", "heading": NOT_REGISTERED[language]}
    return {
        "usual": usual,
        "outcomes": {code: _told(outcome(code, language, pays=pays), usual) for code in sorted(codes)},
        "told_by_attempt_alone": sorted(TOLD_BY_ATTEMPT_ALONE),
    }


def _told(outcome: Outcome, usual: Mapping[str, str]) -> dict[str, object]:
    """Without what says nothing, as every page carries them all."""
    told = asdict(outcome).items()
    return {name: value for name, value in told if value not in ("", False, "nothing", usual.get(name))}
