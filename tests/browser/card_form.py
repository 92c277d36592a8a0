"""The hosted form as a card holder uses it."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, expect

from infra.local.iamport import number_of

PATH = "/subscription/issue-billing"

LONGEST_LOOK = 20_000
"""Milliseconds. Where Iamport's answer is lost, the service looks for the outcome for ten seconds."""


class CardForm:
    def __init__(self, page: Page, api_url: str) -> None:
        self.page = page
        self.url = api_url + PATH
        self.customer_uid = f"customer_{uuid.uuid4().hex[:12]}"

    def open(self, query: dict[str, str] | None = None) -> CardForm:
        self.page.goto(f"{self.url}?{urlencode({'customer_uid': self.customer_uid} | (query or {}))}")
        return self

    def field(self, name: str) -> Locator:
        return self.page.locator(f"[name={name}]:not([type=hidden])")

    @property
    def button(self) -> Locator:
        return self.page.locator("#submit")

    @property
    def ask_again(self) -> Locator:
        """The button that sends the same request again."""
        return self.page.locator("#ask-again")

    @property
    def outcome(self) -> Locator:
        return self.page.locator("#outcome")

    def error(self, name: str) -> Locator:
        return self.page.locator(f"#{name}-error")

    def fill(self, scenario: str = "issued_credit", *, without: Collection[str] = (), **changes: str) -> CardForm:
        """Types a test card of the simulator, and consents. `without`: fields that the form doesn't have."""
        card = {
            "card_number": number_of(scenario),
            "expiry": "12 / 99",
            "pwd_2digit": "07",
            "birth": "900101",
        }
        for name, text in (card | changes).items():
            if name not in without:
                self.field(name).fill(text)
        self.field("consent").check()
        return self

    def submit(self) -> CardForm:
        self.button.click()
        return self

    def expect_outcome(self, *texts: str) -> CardForm:
        expect(self.outcome).to_be_visible(timeout=LONGEST_LOOK)
        for text in texts:
            expect(self.outcome).to_contain_text(text, timeout=LONGEST_LOOK)
        return self

    def answer_with(self, status: int, body: Any, retry_after: int | None = None) -> CardForm:
        """Stands in for the service, for the answers that it can't be brought to give. The newest stand-in counts."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self.page.route(
            f"{self.url}*",
            lambda route: (
                route.fulfill(status=status, json=body, headers={"Content-Type": "application/json", **headers})
                if route.request.method == "POST"
                else route.continue_()
            ),
        )
        return self
