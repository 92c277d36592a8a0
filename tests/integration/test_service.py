"""The whole local service over HTTP: many callers at once, both identities, the settler."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from infra.local.iamport import Simulator
from infra.local.service import LocalService, run_service
from tests.integration.door import SINGULAR, form_fields, signed_fields
from tests.waiting import eventually


def test_of_fifty_identical_requests_at_once_one_reaches_iamport(service: LocalService, simulator: Simulator) -> None:
    fields = form_fields()

    def post(fields: dict[str, str]) -> str:
        answer = requests.post(service.url + SINGULAR, data=fields, timeout=60).json()
        return str(answer.get("code", "issued"))

    with ThreadPoolExecutor(50) as threads:
        # Eight containers that start at once have a small machine to themselves for seconds: not what this is about.
        list(threads.map(post, [form_fields() for _ in range(8)]))
        outcomes = Counter(threads.map(post, [fields] * 50))
    assert outcomes.keys() <= {"issued", "in_progress"}
    assert outcomes["issued"] >= 1
    sent = [call for call in simulator.calls if call.customer_uid == fields["customer_uid"]]
    assert Counter(str(call.endpoint) for call in sent)["issue"] == 1


def test_in_signed_identity_the_service_takes_tokens_and_the_settler_runs(tmp_path: Path) -> None:
    log = tmp_path / "function.log"
    with (
        log.open("ab") as output,
        run_service(parameters={"CustomerIdentity": "signed"}, settle_every=0.2, log=output) as service,
    ):
        url = service.url + SINGULAR
        refused = requests.post(url, data=form_fields(), timeout=60)
        issued = requests.post(url, data=signed_fields("mine"), timeout=60)
        assert refused.status_code == 401
        assert issued.json()["customer_uid"] == "mine"
        assert eventually(lambda: "OldestOpenAttempt" in log.read_text("utf-8"), seconds=30)
