"""Breaks the storage on purpose: a tick does not look where its shard stands, nor hold it."""

from typing import Any

from sqlalchemy import update

from energycore.protocols.scope import Scope, tenant_of
from energycore.storage.sql.fleet import SqlFleet
from energycore.storage.sql.tables import shard

__all__ = ["break_storage"]


def break_storage() -> None:
    """From now on two ticks at once are both run."""
    of_tenant = SqlFleet.shards

    def shards(self: SqlFleet, scope: Scope, *, hold: bool = False) -> Any:
        return of_tenant(self, scope)

    def advance(
        self: SqlFleet, scope: Scope, shard_id: int, *, expected_us: int | None, last_tick_us: int
    ) -> bool:
        moved = update(shard).where(shard.c.tenant_id == tenant_of(scope))
        return self._session.change(moved.values(last_tick_us=last_tick_us)).rowcount == 1

    SqlFleet.shards = shards  # type: ignore[method-assign] # to break it
    SqlFleet.advance = advance  # type: ignore[method-assign] # to break it
