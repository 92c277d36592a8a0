"""Iamport on one machine: started, looked into and made to fail by tests and by `make run`."""

import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self, TypeVar

from infra.local.iamport import others
from infra.local.iamport import parameters as schema
from infra.local.iamport.cards import Card, Timing, test_cards
from infra.local.iamport.contracts import LENIENT, Contract
from infra.local.iamport.customers import Customer
from infra.local.iamport.envelope import RejectedError, Reply
from infra.local.iamport.faults import Fault
from infra.local.iamport.history import Happening
from infra.local.iamport.merchant_account import AnswersInDoubt, MerchantAccount, Work
from infra.local.iamport.payments import Payment
from infra.local.iamport.routes import Endpoint, Route, find_route
from infra.local.iamport.schedules import Scheduled
from infra.local.iamport.server import Exchange, FaultyServer, Request

# Made up, and accepted unless others are given.
LOCAL_IMP_KEY = "local_imp_key"
LOCAL_IMP_SECRET = "local_imp_secret"


@dataclass(frozen=True)
class Call:
    """One request that reached Iamport. `parameters` are those it sent, without card data and credentials."""

    method: str
    path: str
    endpoint: Endpoint
    customer_uid: str | None = None
    merchant_uid: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    tier: str | None = None


Waiting = TypeVar("Waiting")
ChooseFault = Callable[[Call], Fault | None]


def no_fault(_call: Call) -> Fault | None:
    return None


class Simulator:
    """A context manager that serves in the background, requests side by side.

    `port` 0 asks for a free one. `clock` gives UNIX seconds. `log` gets one line per call. With `unknown_uid_as_404`
    an unknown customer_uid answers HTTP 404, as the schema has it, and not HTTP 200, as captured. With
    `no_payments_as_empty_list` an order without payments has an empty list of them, and is not HTTP 404, as the schema
    has it: both are unverified. Each of the `contracts` is a channel, the first one the default. `choose_fault` is
    asked at every call, in the thread that serves it, and may be set at any time.
    """

    def __init__(
        self,
        imp_key: str = LOCAL_IMP_KEY,
        imp_secret: str = LOCAL_IMP_SECRET,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], float] = time.time,
        tls_context: ssl.SSLContext | None = None,
        timing: Timing | None = None,
        unknown_uid_as_404: bool = False,
        no_payments_as_empty_list: bool = False,
        contracts: tuple[Contract, ...] = (LENIENT,),
        log: Callable[[str], None] | None = None,
    ) -> None:
        self.imp_key = imp_key
        self.timing = timing or Timing()
        self.choose_fault: ChooseFault = no_fault
        self._imp_secret = imp_secret
        self._clock = clock
        self._contracts = contracts
        self._answers_in_doubt = AnswersInDoubt(unknown_uid_as_404, no_payments_as_empty_list)
        self._log = log
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._next_faults: list[tuple[Endpoint, Fault]] = []
        self._next_events: list[tuple[Endpoint, Callable[[], object]]] = []
        self._account = self._new_account()
        self._server = FaultyServer(host, port, tls_context, self._exchange)

    # Serving

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        """Within a second, whatever is still under way; what is not yet done by then stays undone."""
        self._server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return self._server.url

    # Making things happen

    def fail_next(self, endpoint: Endpoint | str, fault: Fault, times: int = 1) -> None:
        """The next calls of an endpoint end in `fault`; this goes before `choose_fault`."""
        with self._lock:
            self._next_faults += [(Endpoint(endpoint), fault)] * times

    def before(self, endpoint: Endpoint | str, what: Callable[[], object]) -> None:
        """`what` happens once, just before the next call of an endpoint is performed, in the thread that serves it.

        Meanwhile others are served. Calls that are rejected, or fail without being processed, do not count.
        """
        with self._lock:
            self._next_events.append((Endpoint(endpoint), what))

    def rotate(self, imp_secret: str) -> None:
        """A new secret: the old one is refused from now on, and its tokens are dead."""
        with self._account.lock:
            self._account.tokens.rotate(imp_secret)

    def register(self, customer_uid: str, card_number: str, updated: int | None = None) -> Customer:
        """Somebody else registers a card, by payment window, say. `issue_count` does not count it."""
        with self._account.lock:
            return others.register(self._account, customer_uid, card_number, updated)

    def revoke(self, customer_uid: str) -> Customer:
        """Somebody else revokes a key. Raises LookupError."""
        with self._account.lock:
            return others.revoke(self._account, customer_uid)

    def pay(
        self,
        merchant_uid: str,
        amount: int | float,
        customer_uid: str | None = None,
        status: others.Tried = "paid",
        started_at: int | None = None,
    ) -> Payment:
        """Somebody else pays an order, fails to, or has only opened the payment window for it ("ready")."""
        with self._account.lock:
            return others.pay(self._account, merchant_uid, amount, customer_uid, status, started_at)

    def cancel(self, uid: str) -> Payment:
        """Somebody else gives back a payment, named by its imp_uid or its merchant_uid. Raises LookupError."""
        with self._account.lock:
            return others.cancel(self._account, uid)

    def show_oddly(self, customer_uid: str, /, **fields: object) -> None:
        """From now on look-ups of the customer_uid show these fields so; without any, as they are.

        `Raw` is for what no encoder writes, `LEFT_OUT` for a field that is not there.
        """
        with self._account.lock:
            self._account.odd_customers.show(customer_uid, fields)

    def show_payments_oddly(self, merchant_uid: str, /, **fields: object) -> None:
        """The same of each payment of an order, found alone or in a list."""
        with self._account.lock:
            self._account.odd_payments.show(merchant_uid, fields)

    def wait_until_idle(self, seconds: float = 30.0) -> None:
        """Until everything is done that was asked by clients which have hung up since, what is landing included.

        Answers that nobody waits for may still be under way. Raises TimeoutError.
        """
        self._server.wait_until_idle(seconds)

    def reset(self) -> None:
        """As just started: no calls, customers, payments, tokens or faults, nothing landing, and the first secret."""
        with self._lock:
            self._calls.clear()
            self._next_faults.clear()
            self._next_events.clear()
            self.choose_fault = no_fault
            self._account = self._new_account()
            self._server.connections = 0
            self._server.background.start_anew()

    # Looking into it

    @property
    def calls(self) -> list[Call]:
        with self._lock:
            return list(self._calls)

    @property
    def endpoints(self) -> list[str]:
        """Of the calls, one after the other."""
        return [call.endpoint for call in self.calls]

    @property
    def connections(self) -> int:
        """How many TCP connections have been accepted."""
        return self._server.connections

    @property
    def customers(self) -> dict[str, Customer]:
        with self._account.lock:
            return self._account.customers.snapshot()

    @property
    def payments(self) -> list[Payment]:
        """All of them, oldest first."""
        with self._account.lock:
            return self._account.payments.snapshot()

    @property
    def schedules(self) -> list[Scheduled]:
        """All that were ever asked for, in their order."""
        with self._account.lock:
            return self._account.schedules.snapshot()

    @property
    def history(self) -> list[Happening]:
        """All that became true, oldest first."""
        with self._account.lock:
            return self._account.history.snapshot()

    def issue_count(self, customer_uid: str) -> int:
        with self._account.lock:
            return self._account.customers.issue_count(customer_uid)

    @property
    def cards(self) -> tuple[Card, ...]:
        return test_cards(self.timing)

    # One call

    def _new_account(self) -> MerchantAccount:
        return MerchantAccount(
            self.imp_key, self._imp_secret, self._clock, self.timing, self._answers_in_doubt, self._contracts
        )

    def _exchange(self, request: Request) -> Exchange:
        """Take a request in: note the call, check it, and settle which fault strikes."""
        account = self._account
        route = find_route(request.method, request.path)
        sent: dict[str, str] = {}
        try:
            sent = schema.read(route.endpoint, request)
            work = account.check(route, request.authorization, request.tier, sent)
            work = replace(work, before=lambda: self._happen_before(route.endpoint))
        except RejectedError as rejected:
            work = _reply_with(rejected.reply)
        call = _call(request, route, sent)
        fault = self._note(call) or self.choose_fault(call) or work.fault
        return Exchange(lambda: account.perform(work), fault, lambda ending: self._log_line(call, ending))

    def _note(self, call: Call) -> Fault | None:
        with self._lock:
            self._calls.append(call)
            return _take_first(self._next_faults, call.endpoint)

    def _happen_before(self, endpoint: Endpoint) -> None:
        with self._lock:
            what = _take_first(self._next_events, endpoint)
        if what is not None:
            what()

    def _log_line(self, call: Call, ending: str) -> None:
        if self._log is not None:
            self._log(f"{call.method} {call.path} {ending}")


def _take_first(waiting: list[tuple[Endpoint, Waiting]], endpoint: Endpoint) -> Waiting | None:
    """What has waited longest for this endpoint."""
    for index, (waited_for, what) in enumerate(waiting):
        if waited_for is endpoint:
            del waiting[index]
            return what
    return None


def _reply_with(reply: Reply) -> Work:
    return Work(lambda: reply)


def _call(request: Request, route: Route, sent: dict[str, str]) -> Call:
    parameters = schema.public(route.endpoint, sent | route.values)
    return Call(
        method=request.method,
        path=request.path,
        endpoint=route.endpoint,
        customer_uid=parameters.get("customer_uid"),
        merchant_uid=parameters.get("merchant_uid"),
        parameters=parameters,
        tier=request.tier,
    )
