"""The hosted card page: one response, strict headers, and nothing of what a visitor sends gets out of its place."""

import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any, get_args

import pytest
from aws_lambda_powertools.event_handler import Response

from billing.model.customer import Claim, Payment
from billing.model.sensitive import Sensitive
from billing.settings import CARD_FIELDS, Settings, read_settings
from billing.web import messages
from billing.web.answers import HTTP_STATUS
from billing.web.messages import Language
from card_form import outcomes, page, words
from card_form.assets import SCRIPT, STYLE, hash_source
from card_form.visit import read_visit
from infra.local.template import PROJECT

SHOP = "https://shop.example"

LARGEST_PAGE = 40_000
"""Bytes."""


def settings(**changes: str) -> Settings:
    needed = {
        "IAMPORT_SECRET_ID": "secret",
        "FINGERPRINT_SECRET_ID": "key",
        "ATTEMPTS_TABLE": "attempts",
        "AWS_REGION": "ap-northeast-2",
    }
    return read_settings(needed | {"ALLOWED_ORIGINS": SHOP} | changes)


def show(
    query: Mapping[str, str] | None = None,
    answer: dict[str, Any] | None = None,
    language: Language = "ko",
    claim: Claim | None = None,
    **changes: str,
) -> Response[str]:
    return page.show(query or {"customer_uid": "gildong"}, language, settings(**changes), claim, answer, "request-1")


def text_of(response: Response[str]) -> str:
    assert isinstance(response.body, str)
    return response.body


def policy_of(response: Response[str]) -> dict[str, str]:
    policy = response.headers["Content-Security-Policy"]
    assert isinstance(policy, str)
    directives = (directive.partition(" ") for directive in policy.split("; "))
    return {name: sources for name, _, sources in directives}


def page_data(response: Response[str]) -> dict[str, Any]:
    match = re.search(r'<script type="application/json" id="page-data">(.*?)</script>', text_of(response), re.DOTALL)
    assert match is not None
    data: dict[str, Any] = json.loads(match[1])
    return data


class Elements(HTMLParser):
    """The tags and the attributes that a browser would see."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


@pytest.mark.parametrize("language", get_args(Language))
def test_the_page_is_one_small_response(language: Language) -> None:
    """With all that an operator can set, and at its longest."""
    query = {"customer_uid": "u" * 80, "customer_token": "t" * 1000, "return_url": f"{SHOP}/{'p' * 100}"}
    everything = {
        **RECIPIENT,
        "DATA_COLLECTION": "consent",
        "DATA_RETENTION": "가" * 60,
        "SHOP_NAME": "가" * 40,
        "SHOP_CONTACT": "가" * 100,
        "ACCENT_COLOR": "#03c75a",
        "PRIVACY_POLICY_URL": f"{SHOP}/privacy",
    }
    html = text_of(show(query, None, language, claim_of(display="d" * 80), **everything))
    assert len(html.encode()) < LARGEST_PAGE
    links = [value for _, found in Elements(html).seen for name, value in found.items() if name in ("src", "srcset")]
    assert links == []
    assert "url(" not in html
    assert "@import" not in html


def test_a_mark_is_drawn_by_browsers_that_know_no_alternative_text_too() -> None:
    """Safari before 17.4 drops a whole `content` with one."""
    marks = re.findall(r'content:("[^"]+");content:("[^"]+")/""', STYLE.replace('" / "', '"/"'))
    assert len(marks) == STYLE.count('/ ""') > 0
    assert all(plain == with_alternative for plain, with_alternative in marks)


def test_the_inventory_of_scripts_has_the_one_that_is_sent() -> None:
    response = show()
    (script,) = re.findall(r"<script>(.*?)</script>", text_of(response), re.DOTALL)
    assert policy_of(response)["script-src"] == hash_source(script) == hash_source(SCRIPT)
    for document in ("card-form.md", "ko/card-form.md"):
        assert f"`{hash_source(SCRIPT)}`" in (PROJECT / "docs" / document).read_text("utf-8"), "make page-hash"


def test_its_headers_are_strict() -> None:
    response = show()
    policy = policy_of(response)
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == SHOP
    assert policy["connect-src"] == policy["form-action"] == "'self'"
    assert policy["base-uri"] == "'none'"
    assert "unsafe" not in str(policy)
    assert response.headers["Referrer-Policy"] == "strict-origin", "under no-referrer its form posts `Origin: null`"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert int(str(response.headers["Strict-Transport-Security"]).removeprefix("max-age=")) >= 31_536_000
    assert "camera=()" in str(response.headers["Permissions-Policy"])
    assert "Cross-Origin-Opener-Policy" not in response.headers, "it breaks checkouts in popups"


@pytest.mark.parametrize("origins", ["*", "*,https://shop.example;script-src", "https://a;b"])
def test_only_named_origins_may_frame_it_or_get_the_result(origins: str) -> None:
    response = show({"customer_uid": "a", "return_url": f"{SHOP}/"}, ALLOWED_ORIGINS=origins)
    assert policy_of(response)["frame-ancestors"] == "'none'"
    assert page_data(response)["origins"] == []
    assert "return_url" not in text_of(response).split("<script>")[0]


def test_the_consent_links_to_the_privacy_policy_where_there_is_one() -> None:
    assert 'class="policy"' not in text_of(show())
    assert f'href="{SHOP}/privacy?a=1&amp;b"' in text_of(show(PRIVACY_POLICY_URL=f"{SHOP}/privacy?a=1&b"))


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize(("setting", "asked_for"), CARD_FIELDS.items(), ids=CARD_FIELDS)
def test_it_asks_for_what_the_contract_wants_and_for_nothing_else(
    setting: str, asked_for: frozenset[str], language: Language
) -> None:
    html = text_of(show(language=language, CARD_FIELDS=setting))
    inputs = {found["name"] for tag, found in Elements(html).seen if tag == "input" and found.get("type") != "hidden"}
    kind = {"card_kind"} if "birth" in asked_for else set()
    assert inputs == {"card_number", "expiry", *asked_for, *kind}
    described = " ".join(
        str(found["aria-describedby"]) for _, found in Elements(html).seen if "aria-describedby" in found
    )
    assert set(described.split()) <= {found.get("id") for _, found in Elements(html).seen}


@pytest.mark.parametrize(("setting", "asked_for"), CARD_FIELDS.items(), ids=CARD_FIELDS)
def test_a_password_that_nobody_asks_for_is_not_spoken_of(setting: str, asked_for: frozenset[str]) -> None:
    safety = text_of(show(CARD_FIELDS=setting)).split('<p class="safety">')[1].split("</p>")[0]
    assert "카드번호" in safety
    assert ("비밀번호" in safety) is ("pwd_2digit" in asked_for)


LOGO = "https://cdn.shop.example/logo.png"


class TestWhosePageItIs:
    def test_without_settings_it_names_nobody(self) -> None:
        html = text_of(show())
        assert 'class="shop"' not in html
        assert 'class="contact"' not in html
        assert "<img" not in html
        assert "<title>카드 등록</title>" in html

    def test_the_shop_is_named_at_the_head_and_in_the_title(self) -> None:
        html = text_of(show(SHOP_NAME="별빛 <상점>"))
        assert "<span>별빛 &lt;상점&gt;</span>" in html
        assert "<title>카드 등록 – 별빛 &lt;상점&gt;</title>" in html

    def test_the_logo_is_the_one_picture_that_may_be_loaded(self) -> None:
        response = show(SHOP_LOGO_URL=LOGO, SHOP_NAME="별빛")
        assert policy_of(response)["img-src"] == f"data: {LOGO}"
        assert policy_of(show())["img-src"] == "data:"
        (logo,) = (found for tag, found in Elements(text_of(response)).seen if tag == "img")
        assert (logo["src"], logo["alt"], logo["referrerpolicy"]) == (LOGO, "", "no-referrer")

    def test_a_logo_alone_is_told_to_who_does_not_see_it(self) -> None:
        (logo,) = (found for tag, found in Elements(text_of(show(SHOP_LOGO_URL=LOGO))).seen if tag == "img")
        assert logo["alt"] == "판매자 로고"

    def test_a_line_says_how_to_reach_the_shop(self) -> None:
        assert '<p class="contact">문의: 1588-0000</p>' in text_of(show(SHOP_CONTACT="1588-0000"))

    @pytest.mark.parametrize("query", [{}, {"theme": "dark"}, {"theme": "light"}])
    def test_the_shops_colour_is_in_the_style_that_the_policy_allows(self, query: dict[str, str]) -> None:
        response = show({"customer_uid": "gildong", **query}, ACCENT_COLOR="#03c75a")
        style = text_of(response).split("<style>")[1].split("</style>")[0]
        assert "--button:#03c75a;" in style
        assert policy_of(response)["style-src"] == hash_source(style)

    def test_a_theme_in_the_address_stays_in_the_other_languages(self) -> None:
        html = text_of(show({"customer_uid": "gildong", "theme": "dark"}))
        assert '<meta name="color-scheme" content="dark">' in html
        assert "theme=dark&amp;lang=en" in html
        assert "prefers-color-scheme" not in html
        assert "prefers-color-scheme" in text_of(show({"customer_uid": "gildong", "theme": "blue"}))


PAYMENT = Payment("order-1", 9900, "정기배송 <11월>", details=())


def claim_of(payment: Payment | None = PAYMENT, display: str = "") -> Claim:
    return Claim("customer-1", may_replace=False, payment=payment, display=display)


def show_signed(
    query: Mapping[str, str],
    answer: dict[str, Any] | None = None,
    language: Language = "ko",
    claim: Claim | None = None,
) -> Response[str]:
    return show(query, answer, language, claim, CUSTOMER_IDENTITY="signed", SHOP_NAME="별빛 상점")


def told_before_typing(response: Response[str]) -> dict[str, str]:
    told = re.search(r'<dl class="what-for">(.*?)</dl>', text_of(response), re.DOTALL)
    return dict(re.findall(r"<div><dt>(.*?)</dt><dd>(.*?)</dd></div>", told[1])) if told else {}


class TestWhatIsPaid:
    def test_a_payment_is_told_before_anything_is_typed(self) -> None:
        response = show_signed({"customer_token": "a.b.c"}, claim=claim_of(display="gildong@shop.example"))
        assert told_before_typing(response) == {
            "계정": "gildong@shop.example",
            "결제 내용": "정기배송 &lt;11월&gt;",
            "판매자": "별빛 상점",
            "결제 금액": "9,900원",
        }
        assert '<span id="submit-words">9,900원 결제하고 카드 등록</span>' in text_of(response)
        assert "<title>결제 및 카드 등록 – 별빛 상점</title>" in text_of(response)

    def test_in_english_and_in_another_currency(self) -> None:
        token = {"customer_token": "a.b.c"}
        assert told_before_typing(show_signed(token, language="en", claim=claim_of()))["Amount"] == "₩9,900"
        dollars = Payment("order-1", 1200, "box", details=(("currency", Sensitive("USD")),))
        assert told_before_typing(show_signed(token, claim=claim_of(dollars)))["결제 금액"] == "USD 1,200"

    def test_without_a_payment_nothing_is_said_of_one(self) -> None:
        response = show_signed({"customer_token": "a.b.c"}, claim=claim_of(None, display="길동"))
        assert told_before_typing(response) == {"계정": "길동"}
        assert "카드 등록하기" in text_of(response)
        assert told_before_typing(show()) == {}

    @pytest.mark.parametrize("query", [{"customer_uid": "gildong"}, {"customer_token": "a.b.c"}, {}])
    def test_without_a_token_that_works_there_is_no_form(self, query: dict[str, str]) -> None:
        assert "<form" not in text_of(show_signed({"lang": "ko", **query}))

    def test_where_the_browser_may_say_it_a_token_alone_names_nobody(self) -> None:
        assert "<form" not in text_of(show({"customer_token": "a.b.c"}))

    def test_where_a_card_is_declined_it_says_that_nothing_was_charged(self) -> None:
        token, declined = {"customer_token": "a.b.c"}, {"status": "failed", "code": "declined", "message": "한도초과"}
        paying, registering = claim_of(), claim_of(None)
        shown = '<p id="outcome-next">결제된 금액은 없습니다.</p>'
        assert shown in text_of(show_signed(token, declined, claim=paying))
        assert shown not in text_of(show_signed(token, declined, claim=registering))
        by_script = page_data(show_signed(token, claim=paying))["outcomes"]["declined"]
        assert by_script["next_step"] == "결제된 금액은 없습니다."

    @pytest.mark.parametrize("receipt", ["https://pay.example/1?a&b", None])
    def test_the_outcome_shows_what_was_paid_and_the_receipt(self, receipt: str | None) -> None:
        payment = {"merchant_uid": "order-1", "imp_uid": "imp_1", "amount": 9900, "receipt_url": receipt}
        answer = {"status": "success", "message": messages.SUCCESS, "customer_uid": "a", "payment": payment}
        html = text_of(show_signed({"customer_token": "a.b.c"}, answer, claim=claim_of()))
        assert '<strong id="outcome-amount">9,900원</strong>' in html
        link = next(found for _, found in Elements(html).seen if found.get("id") == "receipt")
        assert link["href"] == (receipt or "")
        assert ("hidden" in link) is (receipt is None)


RECIPIENT = {
    "DATA_RECIPIENT": "주식회사 <결제>",
    "DATA_RECIPIENT_RETENTION": "5년",
    "DATA_RECIPIENT_TERMS_URL": "https://pg.example/terms",
}


class TestNoticeAndConsent:
    def page(self, **changes: str) -> str:
        return text_of(show(None, None, "ko", None, **changes))

    def consents(self, **changes: str) -> dict[str, str]:
        """The checkboxes that have to be ticked, each with its version."""
        seen = Elements(self.page(**changes)).seen
        boxes = [found for tag, found in seen if tag == "input" and found.get("type") == "checkbox"]
        assert all("required" in box for box in boxes)
        return {str(box["name"]): str(box["value"]) for box in boxes}

    def test_by_default_it_tells_what_is_collected_and_asks_for_nothing(self) -> None:
        assert self.consents() == {}
        html = text_of(show())
        assert "개인정보 수집·이용 안내" in html
        assert "<dd>카드번호, 유효기간, 생년월일 (사업자등록번호), 카드 비밀번호 앞 2자리</dd>" in html
        assert "제공받는 자" not in html
        assert "보유·이용 기간" not in html, "none is invented"

    def test_no_more_of_the_password_is_told_as_collected_than_is(self) -> None:
        html = text_of(show(language="en"))
        assert "Birth date (Business registration number), First 2 digits of the card password</dd>" in html

    def test_what_nobody_asks_for_is_not_told_as_collected(self) -> None:
        assert "<dd>카드번호, 유효기간</dd>" in text_of(show(CARD_FIELDS="none"))

    def test_a_recipient_brings_a_consent_with_all_that_the_law_names(self) -> None:
        assert self.consents(**RECIPIENT).keys() == {"consent_to_provision"}
        html = self.page(**RECIPIENT)
        for told in ("주식회사 &lt;결제&gt;", "5년", 'href="https://pg.example/terms"', "동의를 거부할 수 있습니다"):
            assert told in html

    def test_the_operator_chooses_for_each_part(self) -> None:
        assert self.consents(DATA_COLLECTION="consent").keys() == {"consent"}
        assert self.consents(DATA_COLLECTION="consent", **RECIPIENT).keys() == {"consent", "consent_to_provision"}
        assert self.consents(DATA_PROVISION="notice", **RECIPIENT) == {}
        assert "개인정보 제공 안내" in self.page(DATA_PROVISION="notice", **RECIPIENT)

    def test_another_text_is_another_version(self) -> None:
        versions = {
            self.consents(DATA_COLLECTION="consent", DATA_RETENTION=period, CARD_FIELDS=fields)["consent"]
            for period in ("", "5년")
            for fields in ("none", "birth")
        }
        assert len(versions) == 4
        assert all(re.fullmatch("[0-9a-f]{12}", version) for version in versions)

    def test_a_consent_that_is_missing_is_told_beside_its_box(self) -> None:
        query = {"customer_uid": "a", "outcome": "invalid_request", "wrong": "consent.required"}
        assert '<p class="error" id="consent-error">필수 항목입니다.</p>' in text_of(
            show(query, DATA_COLLECTION="consent")
        )


class TestTheAddress:
    @pytest.mark.parametrize("url", [SHOP, f"{SHOP}/", f"{SHOP}/cards?order=1#top", f"{SHOP}?order=1"])
    def test_a_return_url_at_a_named_origin_counts(self, url: str) -> None:
        assert read_visit({"return_url": url}, "ko", (SHOP,)).return_url == url

    @pytest.mark.parametrize("written", ["https://Shop.Example", "https://shop.example:443", "https://SHOP.example/"])
    def test_an_origin_counts_however_its_operator_writes_it(self, written: str) -> None:
        """page.js compares origins with what browsers say, and they say it in small letters without a default port."""
        for url in (f"{SHOP}/cards", f"{written.rstrip('/')}/cards"):
            response = show({"customer_uid": "a", "return_url": url}, ALLOWED_ORIGINS=written)
            assert policy_of(response)["frame-ancestors"] == SHOP
            assert page_data(response)["origins"] == [SHOP]
            assert "return_url=" in text_of(response)

    @pytest.mark.parametrize(
        "url",
        [
            "javascript:alert(1)",
            "//shop.example/",
            "http://shop.example/",
            "https://shop.example.evil.example/",
            "https://shop.example@evil.example/",
            "https://shop.example:8443/",
            "https://shop.example\\@evil.example/",
            "https://shop.example/\r\nSet-Cookie: a=b",
            "https://shop.example/\t",
            " https://shop.example/",
            'https://shop.example/"><script>',
            "https://shop.example/" + "x" * 10_000,
        ],
    )
    def test_any_other_return_url_counts_as_none(self, url: str) -> None:
        assert read_visit({"return_url": url}, "ko", (SHOP,)).return_url == ""

    def test_the_result_replaces_what_the_return_url_had_of_the_same_name(self) -> None:
        visit = read_visit({"return_url": f"{SHOP}/?status=old&order=%EA%B0%80#top"}, "ko", (SHOP,))
        assert visit.return_url_with({"status": "success"}) == f"{SHOP}/?order=%EA%B0%80&status=success#top"

    @pytest.mark.parametrize("query", [{}, {"customer_uid": " a"}, {"customer_uid": "a" * 81}, {"customer_token": "<"}])
    def test_without_a_customer_there_is_no_form(self, query: dict[str, str]) -> None:
        response = show({"lang": "ko", **query})
        assert response.status_code == 400
        assert "<form" not in text_of(response)

    @pytest.mark.parametrize("name", ["customer_uid", "customer_token", "return_url", "lang", "other"])
    @pytest.mark.parametrize(
        "value", ['"><script>alert(1)</script>', "</script><script>", "' onload='alert(1)", "$title"]
    )
    def test_hostile_values_stay_text(self, name: str, value: str) -> None:
        response = show({"customer_uid": "gildong", name: value})
        expected = show({"customer_uid": "gildong"})
        tags = [tag for tag, _ in Elements(text_of(response)).seen]
        assert tags == [tag for tag, _ in Elements(text_of(expected)).seen]
        assert "<script>alert" not in text_of(response)
        assert all(not name.startswith("on") for _, found in Elements(text_of(response)).seen for name in found)


class TestAfterAPostWithoutJavaScript:
    def answer(self, code: str) -> dict[str, Any]:
        return {"status": "failed", "code": code, "message": "거절 <b>"}

    def test_a_success_is_told_with_the_masked_card(self) -> None:
        card = {"name": "국민<KB>", "number": "00001000****0001", "type": "credit"}
        answer = {"status": "success", "message": messages.SUCCESS, "customer_uid": "a", "card": card}
        html = text_of(show(answer=answer))
        assert "국민&lt;KB&gt; 00001000****0001" in html
        assert "<form" not in html

    @pytest.mark.parametrize("code", ["in_progress", "outcome_unknown"])
    def test_who_has_to_wait_gets_the_page_again_until_it_is_known(self, code: str) -> None:
        """The page keeps no card to send: it asks after the attempt. With JavaScript page.js does."""
        html = text_of(show({"customer_uid": "a", "attempt": "0123-abc"}, self.answer(code)))
        assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in html
        assert "몇 초마다 새로고침됩니다" in html
        assert "http-equiv" not in text_of(show({"customer_uid": "a", "attempt": "0123-abc"}, self.answer("declined")))
        assert "http-equiv" not in text_of(show({"customer_uid": "a", "outcome": code}))
        ask_again = next(found for _, found in Elements(html).seen if found.get("id") == "ask-again")
        assert "hidden" in ask_again

    @pytest.mark.parametrize("code", sorted(messages.BY_CODE))
    def test_the_form_is_there_again_only_where_another_try_can_do_no_harm(self, code: str) -> None:
        response = show(answer=self.answer(code))
        assert response.status_code == HTTP_STATUS[code]
        assert ("<form" in text_of(response)) is (code in outcomes.ANOTHER_TRY)

    @pytest.mark.parametrize("code", ["unknown_attempt", "invalid_customer_token", "invalid_request", "forbidden"])
    def test_an_answer_that_says_nothing_of_the_attempt_denies_no_card_and_no_payment(self, code: str) -> None:
        """Who opens the address of a registration again when its token has expired."""
        response = show({"customer_uid": "a", "attempt": "0123-abc"}, self.answer(code))
        assert response.status_code == HTTP_STATUS[code]
        assert "<form" not in text_of(response)
        shown = text_of(response).split("<script")[0]
        assert "이 페이지에서는 결과를 확인할 수 없습니다" in shown
        assert "등록되지 않았습니다" not in shown
        assert "등록할 수 없습니다" not in shown

    def test_iamports_words_are_escaped(self) -> None:
        assert "거절 &lt;b&gt;" in text_of(show(answer=self.answer("declined")))

    @pytest.mark.parametrize("setting", CARD_FIELDS)
    def test_an_error_of_a_field_that_is_not_there_leaves_the_form_as_it_is(self, setting: str) -> None:
        """A page of the merchant's own may have posted it."""
        errors = [{"field": name, "message": "틀림"} for name in ("birth", "pwd_2digit")]
        html = text_of(show(answer=self.answer("invalid_request") | {"errors": errors}, CARD_FIELDS=setting))
        assert html.count(">틀림</p>") == len(CARD_FIELDS[setting])
        assert "<form" in html

    def test_errors_stand_beside_their_fields(self) -> None:
        answer = self.answer("invalid_request") | {"errors": [{"field": "birth", "message": "생일"}]}
        html = text_of(show(answer=answer))
        assert '<p class="error" id="birth-error">생일</p>' in html
        inputs = {found["name"]: found for tag, found in Elements(html).seen if tag == "input" and "name" in found}
        assert inputs["birth"]["aria-invalid"] == "true"
        assert "autofocus" in inputs["birth"]
        assert "aria-invalid" not in inputs["expiry"]


class TestWords:
    def test_every_text_is_there_in_both_languages(self) -> None:
        texts = [
            *words.LABELS.values(),
            *words.ERRORS.values(),
            *outcomes.TEXTS.values(),
            *outcomes.NEXT_STEPS.values(),
        ]
        for text in (*texts, *(heading for _, heading in outcomes.HEADINGS.values())):
            assert set(text) == set(get_args(Language))
            assert all(text.values())

    @pytest.mark.parametrize(
        "code", sorted({"success", "not_sent", "opaque_origin", "asking", "incomplete", *messages.BY_CODE})
    )
    def test_a_heading_says_no_more_and_no_less_than_its_code(self, code: str) -> None:
        """`internal_error` says that nothing was sent: what breaks afterwards is `outcome_unknown`."""
        expected: dict[str, tuple[outcomes.Kind, str, str]] = {
            "success": ("good", "카드가 등록되었습니다", "Your card is registered"),
            "declined": ("bad", "카드가 거절되었습니다", "The card was declined"),
            "in_progress": ("unsure", "이미 처리하고 있습니다", "This is already under way"),
            "outcome_unknown": ("unsure", "아직 결과를 알 수 없습니다", "The result is not known yet"),
            "paid_without_key": ("unsure", "결제만 완료되었습니다", "Only the payment was taken"),
            "asking": ("unsure", "결과를 확인하고 있습니다", "Checking the result"),
            "opaque_origin": ("bad", "이 화면에서는 카드를 등록할 수 없습니다", "No card can be registered here"),
            "unknown_attempt": (
                "unsure",
                "이 페이지에서는 결과를 확인할 수 없습니다",
                "The result can’t be shown here",
            ),
            "already_registered": ("unsure", "이미 등록된 카드가 있습니다", "A card is registered already"),
        }
        for no_way in ("incomplete", "invalid_customer_token"):
            here = ("이 주소로는 카드를 등록할 수 없습니다", "No card can be registered at this address")
            expected[no_way] = ("bad", *here)
        for after_a_key in ("gateway_error", "gateway_refused", "unavailable"):
            expected[after_a_key] = ("bad", "카드 등록을 마치지 못했습니다", "The card could not be registered")
        nothing_registered = ("bad", "카드가 등록되지 않았습니다", "The card was not registered")
        korean, english = outcomes.outcome(code, "ko"), outcomes.outcome(code, "en")
        assert korean.kind == english.kind
        assert (korean.kind, korean.heading, english.heading) == expected.get(code, nothing_registered)

    def test_of_a_code_that_nobody_knows_the_result_is_not_known(self) -> None:
        outcome = outcomes.outcome("a code of next year", "en")
        assert (outcome.kind, outcome.heading) == ("unsure", "The result is not known yet")

    def test_what_was_paid_is_said_first_and_nobody_is_sent_to_pay_again(self) -> None:
        outcome = outcomes.outcome("paid_without_key", "ko")
        assert (outcome.kind, outcome.another_try, outcome.ask_again) == ("unsure", False, False)
        assert "결제는 완료" in outcome.text
        assert not outcomes.outcome("already_paid", "ko").another_try

    @pytest.mark.parametrize("code", sorted({*messages.BY_CODE, "a code of next year", "not_sent", "incomplete"}))
    def test_the_same_request_is_offered_again_where_its_outcome_will_be_known(self, code: str) -> None:
        outcome = outcomes.outcome(code, "en")
        assert outcome.ask_again is (code in ("in_progress", "outcome_unknown"))
        assert not (outcome.ask_again and (outcome.another_try or outcome.settles))

    def test_only_what_says_how_the_first_ended_ends_the_asking(self) -> None:
        """`unavailable` at the second request says that nothing was sent now, not what became of the first."""
        codes = {code for code in ("success", *messages.BY_CODE) if outcomes.outcome(code, "ko").settles}
        assert codes == {"success", "declined", "already_registered", "already_paid", "paid_without_key"}

    @pytest.mark.parametrize(
        "code",
        [
            *("in_progress", "outcome_unknown", "internal_error", "already_paid", "paid_without_key"),
            "a code of next year",
        ],
    )
    def test_where_a_key_may_exist_nobody_is_told_to_try_again(self, code: str) -> None:
        for language in get_args(Language):
            outcome = outcomes.outcome(code, language)
            told = " ".join((outcome.heading, outcome.text, outcome.next_step)).lower()
            assert not outcome.another_try
            assert "다시 시도해" not in told
            assert "please try again" not in told
