"""What the storm takes for wrong, and what it does not."""

import pytest

from infra.local.iamport.history import Happening
from tests.chaos.truth import judge

PAID = Happening(1.0, "paid", "mine", "00001111****3333", "api", "order-1", "imp_1")
SENT_NOTHING = {"customer_uid": "mine", "state": "not_issued", "merchant_uid": "order-1"}


@pytest.mark.parametrize(
    ("events", "disagreements"),
    [
        pytest.param([], ["order-1: imp_1 left as 0 events"], id="a payment that was closed as none"),
        pytest.param([("payment.paid", "imp_1")], [], id="an earlier attempt's, which told of it"),
        pytest.param([("payment.paid", "imp_1")] * 2, ["order-1: imp_1 left as 2 events"], id="told of twice"),
    ],
)
def test_every_payment_leaves_as_one_event(events: list[tuple[str, str]], disagreements: list[str]) -> None:
    assert judge([], [PAID], [], [SENT_NOTHING], events).disagreements == disagreements


def test_an_attempt_that_says_paid_is_paid() -> None:
    says_paid = {**SENT_NOTHING, "state": "paid_without_key"}
    assert judge([], [], [], [says_paid], []).disagreements == ["mine: order-1 is paid_without_key, and not paid"]
