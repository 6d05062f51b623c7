"""The tables of the memory backend, copied where a unit of work changes them.

What is committed is never changed again, so a reader keeps the state that it began with, and a
unit of work that fails leaves nothing behind.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from energycore.errors import NotAllowed, NotFound
from energycore.fleet.columns import DeviceState
from energycore.protocols.records import DeviceRecord, ShardRecord, SiteRecord, StateRecord
from energycore.protocols.telemetry import ReadingDay, RollupState, ZoneVersion
from energycore.telemetry.buckets import Buckets
from energycore.telemetry.series import SeriesVersion
from energycore.telemetry.tiers import SeriesKind, Tier

__all__ = ["Committed", "Identities", "Series", "TenantTables", "Work"]

Day = dict[int, tuple[int, int]]
"""The power [mW] and stored energy [mWh] of one device by instant."""
Series = dict[int, Day]
"""The readings of one device by UTC day, so that a change copies one day."""
Place = tuple[int | None, str]
"""A site, or none, and a name within it."""
SeriesKey = tuple[Tier, SeriesKind, int]
"""A resolution, what is totalled, and its identity."""


@attrs.frozen(kw_only=True)
class TenantTables:
    """Everything that is kept for one tenant."""

    sites: dict[int, SiteRecord] = attrs.field(factory=dict)
    site_of_key: dict[str, int] = attrs.field(factory=dict)
    devices: dict[int, DeviceRecord] = attrs.field(factory=dict)
    device_of_key: dict[str, int] = attrs.field(factory=dict)
    device_of_place: dict[Place, int] = attrs.field(factory=dict)
    internal: dict[int, DeviceState] = attrs.field(factory=dict)
    states: dict[int, StateRecord] = attrs.field(factory=dict)
    shards: dict[int, ShardRecord] = attrs.field(factory=dict)
    settings: dict[str, str] = attrs.field(factory=dict)
    readings: dict[int, Series] = attrs.field(factory=dict)
    days: dict[int, ReadingDay] = attrs.field(factory=dict)
    series: dict[int, tuple[SeriesVersion, ...]] = attrs.field(factory=dict)
    """The versions of each device, oldest first; never empty."""
    zones: dict[int, tuple[ZoneVersion, ...]] = attrs.field(factory=dict)
    marks: dict[int, frozenset[int]] = attrs.field(factory=dict)
    """The marked devices of each day."""
    buckets: dict[SeriesKey, Buckets] = attrs.field(factory=dict)
    rollup: RollupState = attrs.field(factory=RollupState)

    def check_devices(self, ids: Mapping[int, object]) -> None:
        """Refuse identities that no device of the tenant has.

        Raises:
            NotFound: names the first of them.
        """
        for device_id in ids:
            if device_id not in self.devices:
                raise NotFound("device", device_id)


Committed = Mapping[str, TenantTables]
"""The tables of each tenant."""

_NOTHING: Final = TenantTables()


@attrs.frozen
class Identities:
    """Counters of identities, which never go back."""

    site: Iterator[int] = attrs.field(factory=lambda: itertools.count(1))
    device: Iterator[int] = attrs.field(factory=lambda: itertools.count(1))
    shard: Iterator[int] = attrs.field(factory=lambda: itertools.count(1))


class Work:
    """What one unit of work sees: what was committed before it, and its own changes."""

    def __init__(self, committed: Committed, identities: Identities, *, write: bool) -> None:
        self.identities = identities
        self._committed = committed
        self._write = write
        self._changed: dict[str, TenantTables] = {}
        self._own: set[tuple[object, ...]] = set()

    def see(self, tenant: str) -> TenantTables:
        """The tables of a tenant, to read only."""
        return self._changed.get(tenant) or self._committed.get(tenant, _NOTHING)

    def own(self, tenant: str, *names: str) -> TenantTables:
        """The tables of a tenant, of which those named may be changed.

        Raises:
            NotAllowed: this unit of work only reads.
        """
        if not self._write:
            raise NotAllowed("this transaction only reads: ask for transaction(write=True)")
        tables = self.see(tenant)
        fresh = [name for name in names if self._first(tenant, name)]
        if fresh:
            copies: dict[str, Any] = {name: dict(getattr(tables, name)) for name in fresh}
            tables = self._changed[tenant] = attrs.evolve(tables, **copies)
        return tables

    def own_day(self, tenant: str, device_id: int, day: int) -> Day:
        """The readings of a device on a UTC day, which may be changed."""
        readings = self.own(tenant, "readings").readings
        if self._first(tenant, "readings", device_id):
            readings[device_id] = dict(readings.get(device_id, {}))
        series = readings[device_id]
        if self._first(tenant, "readings", device_id, day):
            series[day] = dict(series.get(day, {}))
        return series.setdefault(day, {})

    def put_rollup(self, tenant: str, state: RollupState) -> None:
        """Replace how far the totals of a tenant have come."""
        self._changed[tenant] = attrs.evolve(self.own(tenant), rollup=state)

    def result(self) -> Committed:
        """What is to be committed."""
        return {**self._committed, **self._changed}

    def _first(self, *path: object) -> bool:
        """Whether a table is asked for the first time, and so is still shared."""
        if path in self._own:
            return False
        self._own.add(path)
        return True
