"""What docs/contracts.md gives a merchant's server for the day after does at Iamport what the page says."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.local.iamport import CONTRACTS, LENIENT, LOCAL_IMP_KEY, LOCAL_IMP_SECRET, Simulator, faults, number_of
from infra.local.iamport.contracts import with_all_others
from infra.local.template import PROJECT

PAGES = ("contracts.md", "ko/contracts.md")
NOW = 1_800_000_000
LATER = NOW + 60
AMOUNT = 9900


def lines_of(page: str) -> str:
    return "\n".join(re.findall(r"```python\n(.*?)```", (PROJECT / "docs" / page).read_text("utf-8"), re.DOTALL))


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def simulator(clock: Clock) -> Iterator[Simulator]:
    with Simulator(clock=clock, contracts=with_all_others("lenient")) as simulator:
        yield simulator


class Merchant:
    """The merchant's server, with the lines of the page."""

    def __init__(self, lines: str) -> None:
        self._names: dict[str, Any] = {}
        exec(lines, self._names)  # noqa: S102 (our own page)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function: Callable[..., Any] = self._names[name]
        return function

    def refusal(self, ask: Callable[[], object]) -> tuple[Any, ...]:
        with pytest.raises(self._names["Refused"]) as refused:
            ask()
        args: tuple[Any, ...] = refused.value.args
        return args


@pytest.fixture
def merchant(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Merchant:
    environment = {"IAMPORT_BASE_URL": simulator.url, "IMP_KEY": LOCAL_IMP_KEY, "IMP_SECRET": LOCAL_IMP_SECRET}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Merchant(lines_of("contracts.md"))


def test_both_pages_have_the_same_lines() -> None:
    def code_of(page: str) -> list[str]:
        without_texts = re.sub(r'""".*?"""|#[^\n]*', "", lines_of(page), flags=re.DOTALL)
        return [line.strip() for line in without_texts.split("\n") if line.strip()]

    first, second = map(code_of, PAGES)
    assert first == second


def test_every_contract_of_the_simulator_stands_on_the_page() -> None:
    for page in PAGES:
        text = (PROJECT / "docs" / page).read_text("utf-8")
        for contract in (LENIENT, *CONTRACTS):
            assert f"`{contract.name}`" in text, (page, contract.name)
            assert f"`{contract.pg_provider}`" in text, (page, contract.pg_provider)


def test_a_key_is_charged_and_what_was_paid_is_found(merchant: Merchant, simulator: Simulator) -> None:
    simulator.register("member-1", number_of("issued_credit"))

    payment = merchant.charge("member-1", "order/1", AMOUNT, "구독", buyer_name="홍길동")
    assert (payment["amount"], payment["buyer_name"]) == (AMOUNT, "홍길동")
    assert merchant.payment_of("order/1") == payment
    assert merchant.payment_of("order-2") is None
    used_up = merchant.refusal(lambda: merchant.charge("member-1", "order/1", AMOUNT, "구독"))
    assert used_up[:2] == (200, -1)
    assert used_up[2].startswith("이미 주문이 이루어진 건입니다")


@pytest.mark.parametrize("scenario", ["payment_failed", "payment_refused_with_key"])
def test_a_refused_charge_is_no_payment(merchant: Merchant, simulator: Simulator, scenario: str) -> None:
    simulator.register("member-1", number_of(scenario))

    assert "[F113]" in merchant.refusal(lambda: merchant.charge("member-1", "order-1", AMOUNT, "구독"))[2]
    assert merchant.payment_of("order-1") is None


def test_what_a_look_up_can_not_say_is_not_taken_for_nothing(merchant: Merchant, simulator: Simulator) -> None:
    simulator.fail_next("find_payments", faults.refusing(403, -1, "허용되지 않은 IP"))
    simulator.fail_next("look_up", faults.refusing(403, -1, "허용되지 않은 IP"))

    assert merchant.refusal(lambda: merchant.payment_of("order-1"))[0] == 403
    assert merchant.refusal(lambda: merchant.has_key("member-1"))[0] == 403


def test_a_charge_is_put_off_and_called_off(merchant: Merchant, simulator: Simulator, clock: Clock) -> None:
    simulator.register("member-1", number_of("issued_credit"))
    for order in ("order-1", "order-2", "order-3"):
        merchant.charge_later("member-1", order, AMOUNT, "구독", LATER)
    merchant.call_off("member-1", "order-2")

    clock.now = LATER
    became = {order: merchant.what_became_of(order)["schedule_status"] for order in ("order-1", "order-2", "order-3")}
    assert became == {"order-1": "executed", "order-2": "revoked", "order-3": "executed"}
    assert merchant.payment_of("order-1")["amount"] == AMOUNT
    nobody = merchant.refusal(lambda: merchant.charge_later("nobody", "order-4", AMOUNT, "구독", LATER + 1))
    assert nobody[2] == "등록된 고객정보가 없습니다."


def test_a_payment_is_cancelled_in_part_and_whole_and_the_key_stays(merchant: Merchant, simulator: Simulator) -> None:
    simulator.register("member-1", number_of("issued_credit"))
    imp_uid = merchant.charge("member-1", "order-1", AMOUNT, "구독")["imp_uid"]

    assert merchant.cancel(imp_uid, "변심", 900)["cancel_amount"] == 900
    assert merchant.cancel(imp_uid, "변심")["status"] == "cancelled"
    assert merchant.has_key("member-1")
    assert merchant.refusal(lambda: merchant.charge("member-1", "order-1", AMOUNT, "구독"))[1] == -1


def test_a_key_is_deleted_with_what_is_scheduled_for_it(merchant: Merchant, simulator: Simulator, clock: Clock) -> None:
    for uid in ("회원/1", "회원/2"):
        simulator.register(uid, number_of("issued_credit"))
    merchant.charge_later("회원/1", "order-1", AMOUNT, "구독", LATER)
    assert merchant.has_key("회원/1")

    for uid in ("회원/1", "회원/2"):
        merchant.delete_key(uid, "탈퇴")
    clock.now = LATER
    assert not merchant.has_key("회원/1")
    assert (simulator.customers, simulator.payments) == ({}, [])
    assert merchant.what_became_of("order-1")["schedule_status"] == "revoked"


def test_the_channels_are_listed_each_with_its_pg(merchant: Merchant) -> None:
    listed = merchant.channels()

    assert listed["channel-key-local-settle"] == "settle.nxca_ks_gu"
    assert len(listed) == len(CONTRACTS) + 1
