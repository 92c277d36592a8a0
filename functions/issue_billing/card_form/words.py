"""The page's own words, in Korean and English. What an answer means is told in the API's (`billing.web.messages`)."""

from dataclasses import asdict, dataclass
from typing import Literal

from billing.web import messages
from billing.web.messages import Language

Kind = Literal["good", "bad", "unsure"]
"""Also the CSS class of the panel that tells it."""

WON = "KRW"
"""Also where a payment names no currency."""

LABELS: dict[str, dict[Language, str]] = {
    "title": {
        "ko": "카드 등록",
        "en": "Register a card",
    },
    "intro": {
        "ko": "정기결제에 사용할 카드를 입력해 주세요.",
        "en": "Enter the card for your recurring payments.",
    },
    "other_language": {
        "ko": "English",
        "en": "한국어",
    },
    "card_kind": {
        "ko": "카드 종류",
        "en": "Kind of card",
    },
    "personal": {
        "ko": "개인카드",
        "en": "Personal",
    },
    "corporate": {
        "ko": "법인카드",
        "en": "Corporate",
    },
    "corporate_hint": {
        "ko": "개인 명의로 발급된 법인카드는 ‘개인카드’를 선택해 주세요.",
        "en": "For a corporate card in a person’s name, choose “Personal”.",
    },
    "card_number": {
        "ko": "카드번호",
        "en": "Card number",
    },
    "expiry": {
        "ko": "유효기간",
        "en": "Expiry date",
    },
    "expiry_hint": {
        "ko": "카드에 적힌 월/년",
        "en": "Month/year, as on the card",
    },
    "birth": {
        "ko": "생년월일",
        "en": "Birth date",
    },
    "birth_hint": {
        "ko": "생년월일 6자리 (예: 900101)",
        "en": "Six digits: YYMMDD",
    },
    "business_number": {
        "ko": "사업자등록번호",
        "en": "Business number",
    },
    "business_number_hint": {
        "ko": "숫자 10자리",
        "en": "Ten digits",
    },
    "pwd_2digit": {
        "ko": "비밀번호 앞 2자리",
        "en": "Card password",
    },
    "pwd_2digit_hint": {
        "ko": "카드 비밀번호 4자리 중 앞 2자리",
        "en": "The first 2 of its 4 digits",
    },
    "pwd_2digit_corporate_hint": {
        "ko": "법인카드는 비워 두어도 됩니다",
        "en": "Optional for corporate cards",
    },
    "consent_title": {
        "ko": "(필수) 개인정보 수집·이용에 동의합니다.",
        "en": "I agree that my personal data is collected and used. (required)",
    },
    "consent_notice": {
        "ko": "개인정보 수집·이용 안내",
        "en": "How your personal data is used",
    },
    "consent_to_provision_title": {
        "ko": "(필수) 개인정보 제3자 제공에 동의합니다.",
        "en": "I agree that my personal data is given to a third party. (required)",
    },
    "consent_to_provision_notice": {
        "ko": "개인정보 제공 안내",
        "en": "Who is given your personal data",
    },
    "details": {
        "ko": "내용 보기",
        "en": "Details",
    },
    "recipient": {
        "ko": "제공받는 자",
        "en": "Recipient",
    },
    "purpose": {
        "ko": "목적",
        "en": "Purpose",
    },
    "purposes": {
        "ko": "결제수단(카드) 등록 및 결제",
        "en": "Registering the card, and payments by it",
    },
    "items": {
        "ko": "항목",
        "en": "Data",
    },
    "retention": {
        "ko": "보유·이용 기간",
        "en": "Kept for",
    },
    "refusal": {
        "ko": "동의를 거부할 수 있습니다. 거부하면 이 페이지에서 카드를 등록할 수 없습니다.",
        "en": "You may refuse. Then no card can be registered on this page.",
    },
    "terms": {
        "ko": "약관 보기",
        "en": "Terms",
    },
    "privacy_policy": {
        "ko": "개인정보 처리방침",
        "en": "Privacy policy",
    },
    "new_window": {
        "ko": "새 창",
        "en": "new window",
    },
    "submit": {
        "ko": "카드 등록하기",
        "en": "Register card",
    },
    "busy": {
        "ko": "등록하는 중입니다. 창을 닫지 마세요.",
        "en": "Registering. Please keep this window open.",
    },
    "safety": {
        "ko": "카드번호와 비밀번호는 암호화되어 전송되며 저장되지 않습니다.",
        "en": "Card number and password are sent encrypted and are not stored.",
    },
    "safety_without_password": {
        "ko": "카드번호는 암호화되어 전송되며 저장되지 않습니다.",
        "en": "The card number is sent encrypted and is not stored.",
    },
    "ask_again": {
        "ko": "결과 확인하기",
        "en": "Check the outcome",
    },
    "asking": {
        "ko": "결과 확인 중",
        "en": "Checking",
    },
    "reloads": {
        "ko": "이 페이지는 결과가 나올 때까지 몇 초마다 새로고침됩니다.",
        "en": "This page reloads every few seconds until the outcome is known.",
    },
    "again_in": {
        "ko": "{} 후 다시 시도할 수 있습니다",
        "en": "You can try again in {}",
    },
    "gateways_words": {
        "ko": "결제대행사가 보낸 메시지",
        "en": "What the payment gateway said",
    },
    "reference": {
        "ko": "문의 번호",
        "en": "Reference",
    },
    "show_password": {
        "ko": "비밀번호 표시",
        "en": "Show the digits",
    },
    "account": {
        "ko": "계정",
        "en": "Account",
    },
    "order": {
        "ko": "결제 내용",
        "en": "For",
    },
    "paid_to": {
        "ko": "판매자",
        "en": "Paid to",
    },
    "paid": {
        "ko": "결제 금액",
        "en": "Amount",
    },
    "receipt": {
        "ko": "영수증 보기",
        "en": "Receipt",
    },
    "logo": {
        "ko": "판매자 로고",
        "en": "The shop’s logo",
    },
    "ask_the_shop": {
        "ko": "문의:",
        "en": "Questions?",
    },
    "back": {
        "ko": "판매자 페이지로 돌아가기",
        "en": "Back to the shop",
    },
}

LABELS_WITH_A_PAYMENT: dict[str, dict[Language, str]] = {
    "title": {
        "ko": "결제 및 카드 등록",
        "en": "Pay and register a card",
    },
    "intro": {
        "ko": "입력한 카드로 아래 금액을 결제하고, 다음 결제부터 사용할 카드로 등록합니다.",
        "en": "This amount is charged now, and the card is registered for later payments.",
    },
    "submit": {
        "ko": "{amount} 결제하고 카드 등록",
        "en": "Pay {amount} and register card",
    },
    "busy": {
        "ko": "결제하고 카드를 등록하는 중입니다. 창을 닫지 마세요.",
        "en": "Paying and registering. Please keep this window open.",
    },
}
"""Where the token has a first payment taken, in place of those above."""

ERROR_FIELDS = ("card_number", "expiry", "pwd_2digit", "birth", "consent", "consent_to_provision")
"""In the order of the page."""

CONSENT_IS_NEEDED: dict[Language, str] = {
    "ko": "동의하셔야 카드를 등록할 수 있습니다.",
    "en": "The card can only be registered with your consent.",
}

ERRORS: dict[str, dict[Language, str]] = {
    "card_number": messages.BY_REASON["card_number_form"],
    "expiry": {
        "ko": "유효기간을 월/년 순서로 입력해 주세요. (예: 01/29)",
        "en": "Please enter the expiry date as month/year, such as 01/29.",
    },
    "birth": {
        "ko": "생년월일 6자리를 숫자로 입력해 주세요. (예: 900101)",
        "en": "Please enter the birth date as six digits: YYMMDD.",
    },
    "business_number": {
        "ko": "사업자등록번호 10자리를 숫자로 입력해 주세요.",
        "en": "Please enter the ten digits of the business number.",
    },
    "pwd_2digit": {
        "ko": "카드 비밀번호 앞 2자리를 숫자로 입력해 주세요.",
        "en": "Please enter the first two digits of the card password.",
    },
    "consent": CONSENT_IS_NEEDED,
    "consent_to_provision": CONSENT_IS_NEEDED,
}
"""What stands beside a field that is empty or in the wrong form."""

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
ASKING: dict[Language, str] = {"ko": "결과를 확인하고 있습니다", "en": "Checking the outcome"}
OPAQUE_ORIGIN: dict[Language, str] = {
    "ko": "이 화면에서는 카드를 등록할 수 없습니다",
    "en": "No card can be registered here",
}
NO_RECORD: dict[Language, str] = {"ko": "등록 기록이 없습니다", "en": "There is no record of it"}
INCOMPLETE: dict[Language, str] = {
    "ko": "이 주소로는 카드를 등록할 수 없습니다",
    "en": "No card can be registered at this address",
}

NOTHING_REGISTERED = (
    *("already_paid", "already_registered", "forbidden", "internal_error", "invalid_customer_token"),
    *("invalid_request", "not_found", "not_sent", "too_large", "too_many_attempts", "unsupported_media_type"),
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
    "unknown_attempt": ("unsure", NO_RECORD),
    "incomplete": ("bad", INCOMPLETE),
    "opaque_origin": ("bad", OPAQUE_ORIGIN),
    **dict.fromkeys(NOTHING_REGISTERED, ("bad", NOT_REGISTERED)),
    **dict.fromkeys(A_KEY_MAY_STAY, ("bad", NOT_COMPLETED)),
}
"""By code; of any other nobody knows what it says."""

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
        "ko": "이 고객 또는 주문의 카드 등록을 처리하고 있습니다. 다른 카드나 다른 주문으로는 시도하지 마세요.",
        "en": "A card is being registered for this customer or order. Please never try another card or another order.",
    },
    "outcome_unknown": {
        "ko": "카드 등록 결과를 아직 확인하지 못했습니다. 다른 카드나 다른 주문으로는 시도하지 마세요.",
        "en": "We don’t know yet whether the card was registered. Please never try another card or another order.",
    },
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


def outcome(code: str, language: Language) -> Outcome:
    """`code`: the contract's code, or `success`, or one that only the page can meet."""
    texts = messages.BY_CODE | TEXTS
    kind, heading = HEADINGS.get(code, ("unsure", UNKNOWN))
    return Outcome(
        kind=kind,
        heading=heading[language],
        text=texts.get(code, {}).get(language, ""),
        next_step=NEXT_STEPS.get(code, {}).get(language, ""),
        another_try=code in ANOTHER_TRY,
        ask_again=code in ASK_AGAIN,
        settles=code in SETTLED,
        keeps=_keeps(code),
    )


def _keeps(code: str) -> Literal["all", "card", "nothing"]:
    if code in KEEPS_ALL:
        return "all"
    return "card" if code == "declined" else "nothing"


def labels(language: Language, amount: str = "") -> dict[str, str]:
    """`amount`: of the first payment, as `amount` writes it; empty where none is taken."""
    texts = LABELS | LABELS_WITH_A_PAYMENT if amount else LABELS
    return {name: by_language[language].replace("{amount}", amount) for name, by_language in texts.items()}


def amount(number: int, currency: str, language: Language) -> str:
    return _amount_form(currency, language).replace("{}", f"{number:,}")


def _amount_form(currency: str, language: Language) -> str:
    if currency == WON:
        return "{}원" if language == "ko" else "₩{}"
    return f"{currency} {{}}"


def for_script(language: Language, amount: str, currency: str) -> dict[str, object]:
    """What page.js says by itself."""
    codes = (messages.BY_CODE | TEXTS).keys()
    said = labels(language, amount)
    return {
        "errors": {name: texts[language] for name, texts in ERRORS.items()},
        "outcomes": {code: _told(outcome(code, language)) for code in sorted(codes)},
        "amount": _amount_form(currency, language),
        "told_by_attempt_alone": sorted(TOLD_BY_ATTEMPT_ALONE),
        **{name: said[name] for name in ("busy", "submit", "ask_again", "asking", "again_in")},
    }


def _told(outcome: Outcome) -> dict[str, object]:
    """Without what says nothing, as every page carries them all."""
    return {name: value for name, value in asdict(outcome).items() if value not in ("", False, "nothing")}
