"""Versions of series and zones in memory."""

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

import attrs

from energycore.errors import NotFound
from energycore.protocols.scope import Scope, tenant_of
from energycore.protocols.telemetry import ZoneVersion
from energycore.storage.memory.tables import Work
from energycore.telemetry.series import SeriesTable, SeriesVersion

__all__ = ["MemorySeries"]

Version = TypeVar("Version", SeriesVersion, ZoneVersion)


@attrs.frozen
class MemorySeries:
    """Keeps what was true of each device's series, and when."""

    _work: Work

    def table(self, scope: Scope, ids: Collection[int] | None = None) -> SeriesTable:
        """The versions of these devices, or of all."""
        tenant = tenant_of(scope)
        series = self._work.see(tenant).series
        wanted = series.keys() if ids is None else set(ids) & series.keys()
        return SeriesTable.of([version for device_id in wanted for version in series[device_id]])

    def members(self, scope: Scope, site_ids: Collection[int]) -> Sequence[int]:
        """The devices that belong to any of these sites or ever did, in order."""
        tenant = tenant_of(scope)
        series = self._work.see(tenant).series
        return sorted(
            device_id
            for device_id, versions in series.items()
            if any(version.site_id in site_ids for version in versions)
        )

    def put(self, scope: Scope, version: SeriesVersion) -> None:
        """Add a version; one that begins at or before the newest replaces that one's content."""
        tenant = tenant_of(scope)
        tables = self._work.own(tenant, "series")
        if version.device_id not in tables.series:
            raise NotFound("device", version.device_id)
        tables.series[version.device_id] = _with(tables.series[version.device_id], version)

    def zones(self, scope: Scope) -> Mapping[int, Sequence[ZoneVersion]]:
        """The time zones of each site, oldest first."""
        tenant = tenant_of(scope)
        return dict(self._work.see(tenant).zones)

    def put_zone(self, scope: Scope, site_id: int, version: ZoneVersion) -> None:
        """Add a zone of a site; one that begins at or before the newest replaces its content."""
        tenant = tenant_of(scope)
        tables = self._work.own(tenant, "zones")
        if site_id not in tables.zones:
            raise NotFound("site", site_id)
        tables.zones[site_id] = _with(tables.zones[site_id], version)


def _with(versions: Sequence[Version], new: Version) -> tuple[Version, ...]:
    result = list(versions)
    if new.valid_from_us <= versions[-1].valid_from_us:
        new = attrs.evolve(new, valid_from_us=result.pop().valid_from_us)
    result.append(new)
    return tuple(result)
