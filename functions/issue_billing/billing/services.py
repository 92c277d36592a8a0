"""What an attempt talks to; opened once per container."""

from dataclasses import dataclass

from billing.aws_clients import AwsClients
from billing.credentials import CredentialsStore
from billing.fingerprints import Fingerprints
from billing.iamport.client import Iamport
from billing.ledger.ledger import Ledger
from billing.settings import Settings


@dataclass(frozen=True)
class Services:
    settings: Settings
    aws: AwsClients
    credentials: CredentialsStore
    iamport: Iamport
    ledger: Ledger
    fingerprints: Fingerprints


def open_services(settings: Settings) -> Services:
    """Nothing is sent yet."""
    aws = AwsClients()
    credentials = CredentialsStore(settings, aws)
    return Services(
        settings=settings,
        aws=aws,
        credentials=credentials,
        iamport=Iamport(settings, credentials),
        ledger=Ledger(settings, aws),
        fingerprints=Fingerprints(settings, aws),
    )
