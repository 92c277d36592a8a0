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
        "ko": "개인 이름으로 발급된 법인카드는 ‘개인카드’를 선택해 주세요.",
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
        "ko": "주민등록번호 앞 6자리 (YYMMDD)",
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
    "consent": {
        "ko": "카드 등록을 위한 개인정보의 수집·이용과 결제대행사 제공에 동의합니다. (필수)",
        "en": "I agree that my personal data is collected, used and given to the payment gateway to register the card. "
        "(required)",
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
        "ko": "결과를 확인하는 중입니다. 창을 닫지 마세요.",
        "en": "Checking. Please keep this window open.",
    },
    "reload": {
        "ko": "잠시 후 이 페이지를 새로고침하면 같은 내용을 다시 보내 결과를 확인합니다.",
        "en": "Reload this page in a moment: it sends the same again and shows the outcome.",
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
        "ko": "문의",
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

ERRORS: dict[str, dict[Language, str]] = {
    "card_number": messages.BY_REASON["card_number_form"],
    "expiry": messages.BY_REASON["expiry_form"],
    "birth": messages.BY_REASON["birth_form"],
    "pwd_2digit": messages.BY_REASON["pwd_2digit_form"],
    "consent": {
        "ko": "동의하셔야 카드를 등록할 수 있습니다.",
        "en": "The card can only be registered with your consent.",
    },
}
"""What stands beside a field that is empty or in the wrong form."""

REGISTERED: dict[Language, str] = {"ko": "카드가 등록되었습니다", "en": "Your card is registered"}
DECLINED: dict[Language, str] = {"ko": "카드가 거절되었습니다", "en": "The card was declined"}
NOT_REGISTERED: dict[Language, str] = {"ko": "카드가 등록되지 않았습니다", "en": "The card was not registered"}
UNDER_WAY: dict[Language, str] = {"ko": "이미 처리하고 있습니다", "en": "This is already under way"}
PAID_WITHOUT_KEY: dict[Language, str] = {"ko": "결제만 완료되었습니다", "en": "Only the payment was taken"}
UNKNOWN: dict[Language, str] = {"ko": "아직 결과를 알 수 없습니다", "en": "The result is not known yet"}
INCOMPLETE: dict[Language, str] = {
    "ko": "이 주소로는 카드를 등록할 수 없습니다",
    "en": "No card can be registered at this address",
}

NOTHING_REGISTERED = (
    *("already_paid", "already_registered", "forbidden", "gateway_error", "gateway_refused", "internal_error"),
    *("invalid_customer_token", "invalid_request", "not_found", "offline", "too_large", "too_many_attempts"),
    *("unavailable", "unsupported_media_type"),
)
"""Codes that say so of the card that was typed."""

HEADINGS: dict[str, tuple[Kind, dict[Language, str]]] = {
    "success": ("good", REGISTERED),
    "declined": ("bad", DECLINED),
    "in_progress": ("unsure", UNDER_WAY),
    "outcome_unknown": ("unsure", UNKNOWN),
    "paid_without_key": ("unsure", PAID_WITHOUT_KEY),
    "incomplete": ("bad", INCOMPLETE),
    **dict.fromkeys(NOTHING_REGISTERED, ("bad", NOT_REGISTERED)),
}
"""By code; of any other nobody knows what it says."""

TEXTS: dict[str, dict[Language, str]] = {
    "success": {
        "ko": "이제 창을 닫아도 됩니다.",
        "en": "You may close this window now.",
    },
    "incomplete": {
        "ko": "판매자 페이지에서 카드 등록을 다시 열어 주세요.",
        "en": "Please open the card registration again from the shop.",
    },
    "offline": {
        "ko": "인터넷에 연결되어 있지 않아 보내지 않았습니다. 연결한 뒤 다시 눌러 주세요.",
        "en": "You are offline, so nothing was sent. Please connect and press the button again.",
    },
}
"""Beside those of `billing.web.messages`: what only the page can meet."""

STILL_NOTHING: dict[Language, str] = {
    "ko": "계속 확인되지 않으면 판매자에게 문의해 주세요.",
    "en": "If it stays unknown, please ask the shop.",
}

NEXT_STEPS: dict[str, dict[Language, str]] = {
    "declined": {
        "ko": "카드 정보를 확인해 다시 입력하거나 다른 카드를 이용해 주세요.",
        "en": "Please check the details and enter them again, or use another card.",
    },
    "already_registered": {
        "ko": "카드를 바꾸려면 판매자에게 문의해 주세요.",
        "en": "To change the card, please ask the shop.",
    },
    "invalid_customer_token": {
        "ko": "판매자 페이지에서 카드 등록을 다시 열어 주세요.",
        "en": "Please open the card registration again from the shop.",
    },
    "in_progress": STILL_NOTHING,
    "outcome_unknown": STILL_NOTHING,
}
"""Where the message alone does not say what to do."""

ANOTHER_TRY = frozenset(("invalid_request", "declined", "too_many_attempts", "gateway_error", "unavailable", "offline"))
"""Codes after which the form stays open. After any other, known or not, a key may exist or a try can't help."""

ASK_AGAIN = frozenset(("in_progress", "outcome_unknown"))
"""Codes after which the very same request may be sent again, and no other: it gets the outcome of the first."""

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


def outcome(code: str, language: Language) -> Outcome:
    """`code`: the contract's code, or `success`, `incomplete` (the page's address), `offline`."""
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
    )


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
        "outcomes": {code: asdict(outcome(code, language)) for code in sorted(codes)},
        "amount": _amount_form(currency, language),
        **{name: said[name] for name in ("busy", "submit", "ask_again", "asking")},
    }
