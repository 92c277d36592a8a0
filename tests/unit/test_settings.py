"""The operator's settings: what is wrong is refused at the start, by its variable's name."""

import pytest

from billing.settings import WrongSetting, read_settings

NEEDED = {"IAMPORT_SECRET_ID": "secret", "FINGERPRINT_SECRET_ID": "key", "ATTEMPTS_TABLE": "table"}


def test_what_is_not_set_has_a_default() -> None:
    settings = read_settings(NEEDED)
    assert (settings.iamport_base_url, settings.allowed_origins) == ("https://api.iamport.kr", ("*",))
    assert (settings.customer_identity, settings.attempts_per_customer, settings.attempts_per_card) == ("open", 10, 10)
    assert settings.attempts_per_card_per_day == 20
    assert settings.card_fields == {"birth", "pwd_2digit"}
    assert settings.iamport_tier == ""
    assert settings.first_payment == "onetime"


def test_a_first_payment_can_be_issued_and_then_charged() -> None:
    assert read_settings({**NEEDED, "FIRST_PAYMENT": "again"}).first_payment == "again"


@pytest.mark.parametrize(
    ("value", "asked_for"),
    [
        ("birth,pwd_2digit", {"birth", "pwd_2digit"}),
        ("birth", {"birth"}),
        ("pwd_2digit", {"pwd_2digit"}),
        ("none", set()),
    ],
)
def test_the_contract_says_which_card_fields_are_asked_for(value: str, asked_for: set[str]) -> None:
    assert read_settings({**NEEDED, "CARD_FIELDS": value}).card_fields == asked_for


@pytest.mark.parametrize("tier", ["ABC", "A1Z", "000"])
def test_a_tier_is_three_letters_or_digits(tier: str) -> None:
    assert read_settings({**NEEDED, "IAMPORT_TIER": tier}).iamport_tier == tier


@pytest.mark.parametrize(
    "name",
    ["ALLOWED_ORIGINS", "CUSTOMER_IDENTITY", "ATTEMPTS_PER_CARD", "CARD_FIELDS", "FIRST_PAYMENT", "IAMPORT_BASE_URL"],
)
def test_an_empty_variable_is_one_that_is_not_set(name: str) -> None:
    assert read_settings({**NEEDED, name: ""}) == read_settings(NEEDED)


def test_origins_are_a_list_with_commas() -> None:
    origins = " https://shop.example/, http://localhost:5173 ,"
    settings = read_settings({**NEEDED, "ALLOWED_ORIGINS": origins})
    assert settings.allowed_origins == ("https://shop.example", "http://localhost:5173")


@pytest.mark.parametrize(
    ("written", "as_browsers_do"),
    [
        ("https://Shop.Example", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://localhost:80", "http://localhost"),
        ("https://shop.example:80", "https://shop.example:80"),
        ("https://별빛.kr", "https://xn--bm3b42a.kr"),
        ("https://m.별빛.kr:8443", "https://m.xn--bm3b42a.kr:8443"),
    ],
)
def test_an_origin_is_kept_as_browsers_write_it(written: str, as_browsers_do: str) -> None:
    """They say a Korean name in ASCII (URL Standard, "domain to ASCII"), and no header holds anything else."""
    assert read_settings({**NEEDED, "ALLOWED_ORIGINS": written}).allowed_origins == (as_browsers_do,)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IAMPORT_SECRET_ID", ""),
        ("FINGERPRINT_SECRET_ID", ""),
        ("ATTEMPTS_TABLE", ""),
        ("ALLOWED_ORIGINS", "https://" + "가" * 64 + ".kr"),
        ("IAMPORT_BASE_URL", "api.iamport.kr"),
        ("IAMPORT_BASE_URL", "ftp://api.iamport.kr"),
        ("IAMPORT_BASE_URL", "https://api.iamport.kr/"),
        ("IAMPORT_BASE_URL", "https://api.iamport.kr/v1"),
        ("IAMPORT_BASE_URL", "http://api.iamport.kr"),
        ("IAMPORT_BASE_URL", "http://localhost.example"),
        ("IAMPORT_BASE_URL", "http://localhost@api.iamport.kr"),
        ("IAMPORT_BASE_URL", "https://user@api.iamport.kr"),
        ("IAMPORT_CHANNEL_KEY", "channel key"),
        ("IAMPORT_CHANNEL_KEY", "k" * 56),
        ("IAMPORT_PG", "p" * 81),
        ("IAMPORT_TIER", "AB"),
        ("IAMPORT_TIER", "ABCD"),
        ("IAMPORT_TIER", "abc"),
        ("IAMPORT_TIER", "ＡＢＣ"),
        ("CARD_FIELDS", "pwd_2digit,birth"),
        ("CARD_FIELDS", "birth, pwd_2digit"),
        ("CARD_FIELDS", "None"),
        ("CARD_FIELDS", "cvc"),
        ("ALLOWED_ORIGINS", "shop.example"),
        ("ALLOWED_ORIGINS", "https://shop.example/form"),
        ("ALLOWED_ORIGINS", "https://shop.example, everywhere"),
        ("ALLOWED_ORIGINS", "*,https://shop.example;script-src *"),
        ("ALLOWED_ORIGINS", "https://a b"),
        ("ALLOWED_ORIGINS", "http://shop.example"),
        ("ALLOWED_ORIGINS", "http://host.docker.internal"),
        ("ALLOWED_ORIGINS", "https://shop.example,http://m.shop.example"),
        ("ALLOWED_ORIGINS", ","),
        ("CUSTOMER_IDENTITY", "Signed"),
        ("FIRST_PAYMENT", "twice"),
        ("ATTEMPTS_PER_CUSTOMER", "0"),
        ("ATTEMPTS_PER_CUSTOMER", "-1"),
        ("ATTEMPTS_PER_CARD", "-1"),
        ("ATTEMPTS_PER_CARD_PER_DAY", "0"),
        ("ATTEMPTS_PER_CARD", "ten"),
        ("ATTEMPTS_PER_CARD", "1.5"),
        ("ATTEMPTS_PER_CARD", "1_0"),
        ("ATTEMPTS_PER_CARD", "१०"),
        ("ATTEMPTS_PER_CARD", "10000000000"),
        ("SHOP_NAME", "n" * 41),
        ("SHOP_NAME", "one\ntwo"),
        ("SHOP_LOGO_URL", "http://shop.example/logo.png"),
        ("SHOP_LOGO_URL", "https://shop.example/logo.png?size=2"),
        ("SHOP_LOGO_URL", "https://shop.example/"),
        ("SHOP_LOGO_URL", "https://shop.example/logos/"),
        ("SHOP_LOGO_URL", "https://shop.example"),
        ("SHOP_LOGO_URL", "https://*.shop.example/logo.png"),
        ("SHOP_LOGO_URL", "https://shop.example/logo.png; script-src *"),
        ("SHOP_CONTACT", "c" * 101),
        ("ACCENT_COLOR", "red"),
        ("ACCENT_COLOR", "#fff"),
        ("ACCENT_COLOR", "#1f4fd8;"),
        ("PRIVACY_POLICY_URL", "http://shop.example/privacy"),
        ("PRIVACY_POLICY_URL", "javascript:alert(1)"),
    ],
)
def test_what_is_out_of_bounds_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(WrongSetting, match=f"^{name} "):
        read_settings({**NEEDED, name: value})
