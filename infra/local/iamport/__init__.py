"""A simulator of the Iamport (PortOne V1) REST API, as far as billing keys and what is paid with them go.

    with Simulator() as simulator:
        requests.post(f"{simulator.url}/users/getToken", json={"imp_key": …, "imp_secret": …}, timeout=5)

It keeps and prints masked card numbers only. What is inferred and not known of the real one is marked unverified.
"""

from infra.local.iamport.cards import Card, Timing, number_of
from infra.local.iamport.contracts import CONTRACTS, LENIENT, Contract
from infra.local.iamport.customers import Customer
from infra.local.iamport.envelope import Raw
from infra.local.iamport.faults import Fault
from infra.local.iamport.oddities import LEFT_OUT
from infra.local.iamport.payments import Payment
from infra.local.iamport.routes import Endpoint
from infra.local.iamport.schedules import Scheduled
from infra.local.iamport.simulator import LOCAL_IMP_KEY, LOCAL_IMP_SECRET, Call, Simulator

__all__ = [
    "CONTRACTS",
    "LEFT_OUT",
    "LENIENT",
    "LOCAL_IMP_KEY",
    "LOCAL_IMP_SECRET",
    "Call",
    "Card",
    "Contract",
    "Customer",
    "Endpoint",
    "Fault",
    "Payment",
    "Raw",
    "Scheduled",
    "Simulator",
    "Timing",
    "number_of",
]
