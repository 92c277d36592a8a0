"""The words that a card holder may read, in Korean and English; Korean where nothing else is asked for.

`SUCCESS` stays in English: the published guide's frontends look at it.
"""

from typing import Literal

from billing.web.negotiation import weights

Language = Literal["ko", "en"]

SUCCESS = "Billing has successfully issued"

BY_CODE: dict[str, dict[Language, str]] = {
    "invalid_request": {
        "ko": "입력한 내용을 확인해 주세요.",
        "en": "Please check what you entered.",
    },
    "invalid_customer_token": {
        "ko": "카드 등록 시간이 지났거나 올바르지 않은 접근입니다. 판매자의 페이지에서 다시 시작해 주세요.",
        "en": "This page has expired or is not valid. Please start again from the shop's page.",
    },
    "in_progress": {
        "ko": "이 고객 또는 주문의 카드 등록을 이미 처리하고 있습니다. 잠시 후 같은 내용을 다시 보내면 결과를 "
        "확인할 수 있습니다. 다른 카드나 다른 주문으로는 시도하지 마세요.",
        "en": "A card is being registered for this customer or order already. Send the same again in a moment to learn "
        "its outcome; never try another card or another order.",
    },
    "unknown_attempt": {
        "ko": "결과를 확인할 수 없습니다. 등록이나 결제가 안 되었다는 뜻은 아니니 판매자에게 문의해 주세요.",
        "en": "Its outcome can't be told here. A card may be registered, or a payment taken; please ask the shop.",
    },
    "too_many_attempts": {
        "ko": "카드 등록을 너무 여러 번 시도했습니다. 나중에 다시 시도해 주세요.",
        "en": "There were too many attempts. Please try again later.",
    },
    "already_registered": {
        "ko": "이미 등록된 카드가 있어 새 카드를 등록하지 않았습니다.",
        "en": "A card is registered already, so the new one was not.",
    },
    "already_paid": {
        "ko": "이미 결제된 적이 있는 주문이라 다시 결제하지 않았습니다. 판매자에게 문의해 주세요.",
        "en": "This order has been paid before, so nothing was charged now. Please ask the shop.",
    },
    "declined": {
        "ko": "카드 등록이 거절되었습니다. 카드 정보를 확인하거나 다른 카드를 이용해 주세요.",
        "en": "The card was declined. Please check the details or use another card.",
    },
    "paid_without_key": {
        "ko": "결제는 완료되었지만 카드는 등록되지 않았습니다. 다시 결제하지 말고 판매자에게 문의해 주세요.",
        "en": "The payment was taken, but the card was not registered. Please don't pay again; ask the shop.",
    },
    "too_large": {
        "ko": "전송한 내용이 너무 큽니다.",
        "en": "The request is too large.",
    },
    "unsupported_media_type": {
        "ko": "application/json 또는 application/x-www-form-urlencoded(UTF-8) 형식으로 보내 주세요.",
        "en": "Please send application/json or application/x-www-form-urlencoded in UTF-8.",
    },
    "gateway_error": {
        "ko": "결제대행사의 오류로 카드 등록을 마치지 못했습니다. 잠시 후 다시 시도해 주세요.",
        "en": "The payment gateway had an error, and the card could not be registered. Please try again in a moment.",
    },
    "gateway_refused": {
        "ko": "판매자의 결제 설정 문제로 카드를 등록할 수 없습니다. 카드 문제가 아니니 판매자에게 문의해 주세요.",
        "en": "The shop's payment set-up keeps cards from being registered. It is not your card; please ask the shop.",
    },
    "unavailable": {
        "ko": "지금은 카드 등록을 마칠 수 없습니다. 잠시 후 다시 시도해 주세요.",
        "en": "Registering a card can't be completed right now. Please try again in a moment.",
    },
    "outcome_unknown": {
        "ko": "카드 등록 결과를 아직 확인하지 못했습니다. 잠시 후 같은 내용을 다시 보내면 결과를 확인할 수 있습니다. "
        "다른 카드나 다른 주문으로는 시도하지 마세요.",
        "en": "We don't know yet whether the card was registered. Send the same again in a moment to learn "
        "the outcome; never try another card or another order.",
    },
    "forbidden": {
        "ko": "허용되지 않은 요청이라 처리하지 않았습니다. 판매자에게 문의해 주세요.",
        "en": "This request is not allowed, so nothing was done. Please ask the shop.",
    },
    "not_found": {
        "ko": "요청한 주소를 찾을 수 없습니다.",
        "en": "There is nothing at this address.",
    },
    "internal_error": {
        "ko": "처리 중 오류가 발생했습니다. 다시 시도하지 말고 판매자에게 문의해 주세요.",
        "en": "Something went wrong. Please don't try again; ask the shop.",
    },
}

BY_REASON: dict[str, dict[Language, str]] = {
    "required": {
        "ko": "필수 항목입니다.",
        "en": "This is required.",
    },
    "sent_twice": {
        "ko": "같은 항목이 두 번 전송되었습니다.",
        "en": "This was sent twice.",
    },
    "not_a_string": {
        "ko": "문자열로 보내 주세요.",
        "en": "Please send a string.",
    },
    "number_not_string": {
        "ko": "숫자가 아닌 문자열로 보내 주세요. 숫자로 보내면 앞자리 0이 사라집니다.",
        "en": "Please send a string, not a number: a number loses its leading zeros.",
    },
    "too_long": {
        "ko": "너무 깁니다.",
        "en": "This is too long.",
    },
    "unprintable": {
        "ko": "사용할 수 없는 문자가 있습니다.",
        "en": "This has characters that can't be used.",
    },
    "card_number_form": {
        "ko": "카드번호를 숫자 14~19자리로 입력해 주세요.",
        "en": "Please enter the card number, 14 to 19 digits.",
    },
    "expiry_form": {
        "ko": "유효기간을 YYYY-MM 또는 MM/YY 형식으로 입력해 주세요.",
        "en": "Please enter the expiry date as YYYY-MM or MM/YY.",
    },
    "expiry_past": {
        "ko": "유효기간이 지난 카드입니다.",
        "en": "This card has expired.",
    },
    "birth_form": {
        "ko": "생년월일 6자리 또는 사업자등록번호 10자리를 입력해 주세요.",
        "en": "Please enter the birth date as six digits (YYMMDD), or the ten-digit business number.",
    },
    "birth_not_a_day": {
        "ko": "생년월일(YYMMDD)을 확인해 주세요.",
        "en": "Please check the birth date (YYMMDD).",
    },
    "business_number_wrong": {
        "ko": "사업자등록번호를 확인해 주세요.",
        "en": "Please check the business number.",
    },
    "pwd_2digit_form": {
        "ko": "카드 비밀번호 앞 2자리를 입력해 주세요.",
        "en": "Please enter the first two digits of the card password.",
    },
    "holds_card_number": {
        "ko": "이 항목에는 카드번호를 넣을 수 없습니다.",
        "en": "The card number must not be entered here.",
    },
    "customer_uid_form": {
        "ko": "customer_uid는 앞뒤에 공백이 없는 출력 가능한 문자여야 합니다.",
        "en": "customer_uid must be printable characters, without white space at its ends.",
    },
    "customer_uid_long": {
        "ko": "customer_uid는 80자까지입니다.",
        "en": "customer_uid has at most 80 characters.",
    },
    "body_empty": {
        "ko": "요청 본문이 비어 있습니다.",
        "en": "The body is empty.",
    },
    "body_encoding": {
        "ko": "요청 본문의 문자 인코딩이 올바르지 않습니다. UTF-8로 보내 주세요.",
        "en": "The body is not in the character encoding that it should be. Please send UTF-8.",
    },
    "body_not_json": {
        "ko": "요청 본문이 올바른 JSON이 아닙니다.",
        "en": "The body is not valid JSON.",
    },
    "body_not_object": {
        "ko": "요청 본문은 JSON 객체여야 합니다.",
        "en": "The body must be a JSON object.",
    },
    "body_not_form": {
        "ko": "요청 본문이 올바른 UTF-8 폼 형식이 아닙니다.",
        "en": "The body is not a valid form in UTF-8.",
    },
}


def language_for(accept_language: str) -> Language:
    """English where the header ranks it above Korean (RFC 9110, 12.5.4), else Korean."""
    by_language: dict[str, float] = {}
    for language_range, weight in weights(accept_language).items():
        primary_tag = language_range.split("-")[0]
        by_language[primary_tag] = max(by_language.get(primary_tag, 0.0), weight)
    anything = by_language.get("*", 0.0)
    return "en" if by_language.get("en", anything) > by_language.get("ko", anything) else "ko"
