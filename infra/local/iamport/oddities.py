"""What look-ups show other than it is: fields of other types and values, or none."""

LEFT_OUT = object()
"""Instead of a value: the field is not there."""


class Oddities:
    """The fields that are shown oddly, by the uid that is looked up."""

    def __init__(self) -> None:
        self._fields: dict[str, dict[str, object]] = {}

    def show(self, uid: str, fields: dict[str, object]) -> None:
        self._fields[uid] = fields

    def shown(self, uid: str, response: dict[str, object]) -> dict[str, object]:
        odd = response | self._fields.get(uid, {})
        return {name: value for name, value in odd.items() if value is not LEFT_OUT}
