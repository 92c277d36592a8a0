"""The page's own words, in Korean and English, but for what became of an attempt: `outcomes`."""

from billing.web import messages
from billing.web.messages import Language

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
        "en": "Card type",
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
        "en": "As on the card",
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
        "en": "Business registration number",
    },
    "business_number_hint": {
        "ko": "숫자 10자리",
        "en": "Ten digits",
    },
    "pwd_2digit": {
        "ko": "비밀번호 앞 2자리",
        "en": "Card password",
    },
    "pwd_2digit_item": {
        "ko": "카드 비밀번호 앞 2자리",
        "en": "First 2 digits of the card password",
    },
    "pwd_2digit_hint": {
        "ko": "4자리 카드 비밀번호",
        "en": "First 2 of its 4 digits",
    },
    "pwd_2digit_corporate_hint": {
        "ko": "법인카드는 생략 가능",
        "en": "Optional for corporate cards",
    },
    "consent_title": {
        "ko": "(필수) 개인정보 수집·이용에 동의합니다.",
        "en": "(Required) I agree to the collection and use of my personal data.",
    },
    "consent_notice": {
        "ko": "개인정보 수집·이용 안내",
        "en": "How your personal data is used",
    },
    "consent_to_provision_title": {
        "ko": "(필수) 개인정보 제3자 제공에 동의합니다.",
        "en": "(Required) I agree that my personal data is given to a third party.",
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
        "en": "You may refuse, but then no card can be registered on this page.",
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
        "en": "Check the result",
    },
    "asking": {
        "ko": "결과 확인 중",
        "en": "Checking",
    },
    "reloads": {
        "ko": "이 페이지는 결과가 나올 때까지 몇 초마다 새로고침됩니다.",
        "en": "This page reloads every few seconds until the result is known.",
    },
    "again_in": {
        "ko": "{} 후 다시 시도할 수 있습니다",
        "en": "You can try again in {}",
    },
    "gateways_words": {
        "ko": "결제대행사가 보낸 메시지",
        "en": "Message from the payment gateway",
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
        "en": "Paying and registering. Keep this window open.",
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
        "ko": "월/년 순서로 입력해 주세요. (예:\u00a001/29)",
        "en": "Please use MM/YY, such as 01/29.",
    },
    "birth": {
        "ko": "생년월일 6자리를 숫자로 입력해 주세요. (예:\u00a0900101)",
        "en": "Please enter the birth date as six digits: YYMMDD.",
    },
    "business_number": {
        "ko": "사업자등록번호 10자리를 숫자로 입력해 주세요.",
        "en": "Please enter the ten digits of the business number.",
    },
    "pwd_2digit": {
        "ko": "앞 2자리를 숫자로 입력해 주세요.",
        "en": "Please enter its first two digits.",
    },
    "consent": CONSENT_IS_NEEDED,
    "consent_to_provision": CONSENT_IS_NEEDED,
}
"""What stands beside a field that is empty or in the wrong form."""


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
    said = labels(language, amount)
    return {
        "errors": {name: texts[language] for name, texts in ERRORS.items()},
        "amount": _amount_form(currency, language),
        **{name: said[name] for name in ("busy", "asking", "again_in")},
    }
