"""A card comes in, a billing key is issued, and the answer is the contract's."""

import pytest

from infra.local.iamport import Simulator
from infra.local.iamport.cards import number_of
from infra.local.service import IMP_KEY, IMP_SECRET
from tests.integration.door import FORM, JSON, PLURAL, SINGULAR, Door, form_fields


def in_camel_case(fields: dict[str, str]) -> dict[str, str]:
    names = {"customer_uid": "customerUid", "card_number": "cardNumber", "pwd_2digit": "pwd2Digit"}
    return {names.get(name, name): value for name, value in fields.items()}


@pytest.mark.parametrize("path", [SINGULAR, PLURAL])
def test_the_guides_form_and_its_react_sample_get_the_same_answer(door: Door, path: str) -> None:
    form, react = form_fields(customer_uid="form"), in_camel_case(form_fields(customer_uid="react"))
    answers = [door.post_form(form, path=path), door.post_json(react, path=path)]
    for answer, uid in zip(answers, ("form", "react"), strict=True):
        assert answer.status == 200
        assert answer.body == {
            "status": "success",
            "message": "Billing has successfully issued",
            "customer_uid": uid,
            "card": {"name": "국민KB카드", "number": "000011******3333", "type": "credit"},
            "attempt_id": answer.body["attempt_id"],
            "request_id": answer.body["request_id"],
        }


@pytest.mark.parametrize(
    ("scenario", "card_type"), [("issued_debit", "debit"), ("issued_unknown_type", None), ("issued_amex", "credit")]
)
def test_the_card_is_described_as_iamport_describes_it(door: Door, scenario: str, card_type: str | None) -> None:
    answer = door.post_json(form_fields(card_number=number_of(scenario)))
    assert answer.status == 200
    assert answer.body["card"]["type"] == card_type


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        (
            "unknown_bin",
            "카드정보 인증 및 빌키 발급에 실패하였습니다. "
            "[F112]유효하지않은 카드번호를 입력하셨습니다. (card_bin 없음)",
        ),
    ],
)
def test_a_refusal_is_handed_on_in_iamports_own_words(door: Door, scenario: str, message: str) -> None:
    answer = door.post_json(form_fields(card_number=number_of(scenario)))
    assert (answer.status, answer.body["status"], answer.body["code"]) == (200, "failed", "declined")
    assert answer.body["message"] == message


def test_the_merchants_own_trouble_is_told_as_no_declined_card(door: Door) -> None:
    answer = door.post_json(form_fields(card_number=number_of("no_channel")))
    assert answer.outcome == (502, "gateway_refused")
    assert "비인증결제모듈" not in answer.body["message"], "that is for the operator's log"
    assert "판매자에게 문의" in answer.body["message"]


def test_a_card_number_that_a_refusal_quotes_is_masked(door: Door) -> None:
    number = number_of("refusal_echoes_card")
    answer = door.post_json(form_fields(card_number=number))
    assert answer.body["code"] == "declined"
    assert number not in answer.body["message"]
    assert number.replace("-", "") not in answer.body["message"]


def test_a_uid_that_holds_a_card_is_refused_and_its_card_stays(door: Door, iamport: Simulator) -> None:
    mine = form_fields()
    assert door.post_json(mine).status == 200
    answer = door.post_json({**mine, "card_number": "0000-9999-9999-9999"})
    assert (answer.status, answer.body["code"]) == (409, "already_registered")
    assert iamport.issue_count(mine["customer_uid"]) == 1
    assert iamport.customers[mine["customer_uid"]].card_number == "00001111****3333"


@pytest.mark.usefixtures("door")
@pytest.mark.parametrize("as_404", [False, True])
def test_an_unknown_uid_may_be_told_in_either_of_iamports_ways(monkeypatch: pytest.MonkeyPatch, as_404: bool) -> None:
    with Simulator(IMP_KEY, IMP_SECRET, unknown_uid_as_404=as_404) as iamport:
        monkeypatch.setenv("IAMPORT_BASE_URL", iamport.url)
        assert Door().post_json(form_fields()).status == 200


@pytest.mark.parametrize("uid", ["../users/getToken", "a/b?c=d#e", "홍길동", "%2e%2e", "a b", "x" * 80, "..."])
def test_no_uid_reaches_another_endpoint(door: Door, iamport: Simulator, uid: str) -> None:
    assert door.post_json(form_fields(customer_uid=uid)).status == 200
    assert list(iamport.customers) == [uid]


def test_the_words_follow_accept_language_and_the_header_may_be_in_any_case(door: Door) -> None:
    korean, english = (
        door.post_json({}, headers={"aCCept-LANGuage": language}) for language in ("ko-KR", "en-US,en;q=0.9")
    )
    assert korean.body["message"] == "입력한 내용을 확인해 주세요."
    assert english.body["message"] == "Please check what you entered."
    assert english.body["errors"][0] == {"field": "card_number", "message": "This is required."}


def test_a_content_type_in_any_case_with_a_charset_is_understood(door: Door) -> None:
    body = "&".join(f"{name}={value}" for name, value in form_fields().items())
    answer = door.post(body.encode(), content_type="", headers={"content-TYPE": FORM.upper() + "; Charset=UTF-8"})
    assert answer.status == 200


def test_every_answer_is_json_that_any_page_may_read_and_nobody_may_keep(door: Door) -> None:
    for answer in (
        door.post_json(form_fields()),
        door.post_json({}),
        door.post("", content_type="text/plain"),
        door.post("", path="/elsewhere"),
    ):
        assert answer.headers["content-type"] == f"{JSON}; charset=utf-8"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.body["request_id"]
        assert answer.body["status"]
        assert answer.body["message"]


@pytest.mark.usefixtures("door")
def test_where_origins_are_named_only_they_may_read_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_ORIGINS", "https://shop.example, https://m.shop.example/")
    door = Door()
    for origin, allowed in (
        ("https://shop.example", "https://shop.example"),
        ("https://m.shop.example", "https://m.shop.example"),
    ):
        answer = door.post_json({}, headers={"Origin": origin})
        assert answer.code == "invalid_request"
        assert answer.headers["access-control-allow-origin"] == allowed
        assert answer.headers["vary"] == "Origin"
    assert door.post_json({}, headers={"Origin": "https://evil.example"}).outcome == (403, "forbidden")


@pytest.mark.usefixtures("door")
@pytest.mark.parametrize(
    ("card_fields", "missing"),
    [
        ("birth,pwd_2digit", ["birth", "pwd_2digit"]),
        ("birth", ["birth"]),
        ("pwd_2digit", ["pwd_2digit"]),
        ("none", []),
    ],
)
def test_the_operators_contract_says_what_a_card_takes(
    monkeypatch: pytest.MonkeyPatch, iamport: Simulator, card_fields: str, missing: list[str]
) -> None:
    monkeypatch.setenv("CARD_FIELDS", card_fields)
    door, number_and_expiry = Door(), form_fields(birth=None, pwd_2digit=None)
    answer = door.post_json(number_and_expiry)
    assert [error["field"] for error in answer.body.get("errors", [])] == missing
    assert (number_and_expiry["customer_uid"] in iamport.customers) is (not missing)
    assert door.post_json(form_fields()).outcome == (200, "issued")


@pytest.mark.usefixtures("door")
def test_the_operators_channel_is_sent_and_the_browsers_is_not(
    monkeypatch: pytest.MonkeyPatch, iamport: Simulator
) -> None:
    monkeypatch.setenv("IAMPORT_PG", "nice.MID1")
    monkeypatch.setenv("IAMPORT_CHANNEL_KEY", "channel-key-1")
    assert Door().post_json({**form_fields(), "pg": "evil", "channel_key": "evil"}).status == 200
    [sent] = [call.parameters for call in iamport.calls if call.endpoint == "issue"]
    assert (sent["pg"], sent["channel_key"]) == ("nice.MID1", "channel-key-1")
