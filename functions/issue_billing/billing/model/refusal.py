"""Why a value is not taken."""


class Refusal(ValueError):
    """A value that is not as the contract wants it; `reason` is the key of a text in `web.messages`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
