"""The channels of a merchant, the default one first, and which of them a request goes to."""

from collections.abc import Mapping

from infra.local.iamport.contracts import Contract


class Channels:
    def __init__(self, contracts: tuple[Contract, ...]) -> None:
        self._contracts = contracts

    @property
    def default(self) -> Contract:
        return self._contracts[0]

    def for_issuing(self, values: Mapping[str, str]) -> Contract | None:
        """The one that `channel_key` names, else `pg`, else the default one. None: the named one does not exist.

        A `pg` that is none falls to the default one by the schema, and is refused as captured. That an unknown
        channel_key is refused, too, and that it goes before `pg`, is unverified.
        """
        named = values.get("channel_key"), values.get("pg")
        if named == (None, None) or self.default.answers_to_any_channel:
            return self._by_key(named[0]) or self._by_pg(named[1]) or self.default
        return self._by_key(named[0]) if named[0] is not None else self._by_pg(named[1])

    def for_paying(self, values: Mapping[str, str]) -> Contract:
        """`onetime` knows no channel_key, and without a valid `pg` the default one is charged, silently (schema)."""
        return self._by_pg(values.get("pg")) or self.default

    def response(self) -> list[dict[str, object]]:
        """As GET /users/pg lists them."""
        return [
            {
                "pg_provider": contract.pg_provider,
                "pg_id": contract.pg_id,
                "sandbox": True,
                "type": "api_payment",
                "channel_name": contract.name,
                "channel_key": contract.channel_key,
            }
            for contract in self._contracts
        ]

    def _by_key(self, channel_key: str | None) -> Contract | None:
        return next((contract for contract in self._contracts if contract.channel_key == channel_key), None)

    def _by_pg(self, pg: str | None) -> Contract | None:
        """`{PG}` is the first one of the PG, `{PG}.{MID}` the very one."""
        names = ((contract, contract.pg_provider, contract.pg_id) for contract in self._contracts)
        return next((contract for contract, code, mid in names if pg in (code, f"{code}.{mid}")), None)
