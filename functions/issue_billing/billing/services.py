"""What an attempt talks to; opened once per container."""

from dataclasses import dataclass

from billing.credentials import CredentialsStore
from billing.iamport import Iamport
from billing.ledger import Ledger
from billing.settings import Settings


@dataclass(frozen=True)
class Services:
    credentials: CredentialsStore
    iamport: Iamport
    ledger: Ledger


def open_services(settings: Settings) -> Services:
    """Nothing is sent yet."""
    credentials = CredentialsStore(settings)
    return Services(credentials, Iamport(settings, credentials), Ledger(settings))
