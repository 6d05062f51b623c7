"""Exact totals of devices, sites and whole fleets, from what is kept of them."""

from collections.abc import Iterable, Mapping, Sequence

import attrs
import numpy as np

from energycore.devices.registry import device_kinds
from energycore.protocols.records import DeviceFilter
from energycore.protocols.scope import Scope
from energycore.protocols.storage import UnitOfWork
from energycore.protocols.telemetry import Marks, RollupState, ZoneVersion
from energycore.services.recorded import Recorded
from energycore.services.settings import ROLLUP_ZONE_SETTING
from energycore.telemetry.coverage import Coverage, cover
from energycore.telemetry.plans import Grid, Kept
from energycore.telemetry.series import BEGINNING_US, SeriesTable
from energycore.telemetry.tiers import US_PER_DAY, US_PER_QUARTER

__all__ = ["FLEET_ID", "Totals", "Unsettled", "Zones", "counted_kinds", "site_grids"]

FLEET_ID = 0

Zones = Mapping[int, Sequence[ZoneVersion]]
"""The time zones of each site, oldest first."""


@attrs.frozen(kw_only=True)
class Unsettled:
    """What the kept totals of a range do not hold."""

    marks: Marks
    """Days whose totals are not up to date, of each device."""
    lost_days: Sequence[int]
    """Days whose readings are gone."""


@attrs.frozen(kw_only=True)
class Totals:
    """What one transaction can tell about totals.

    Args:
        work: the transaction.
        scope: whose totals.
        recorded: where readings come from.
        now_us: no power is held beyond it.
        state: how far the totals have come.
        default_zone: IANA time zone of devices without a site.
    """

    work: UnitOfWork
    scope: Scope
    recorded: Recorded
    now_us: int
    state: RollupState
    default_zone: str

    @classmethod
    def of(
        cls,
        work: UnitOfWork,
        scope: Scope,
        recorded: Recorded,
        now_us: int,
        default_zone: str,
        *,
        hold: bool = False,
    ) -> "Totals":
        """The totals of a tenant, in the default zone in which they are kept.

        With `hold`, in a writing transaction, they are computed by nobody else meanwhile.
        """
        state = work.rollups.state(scope, hold=hold)
        kept_zone = work.settings.get(scope, ROLLUP_ZONE_SETTING)
        return cls.at(work, scope, recorded, now_us, default_zone, state, kept_zone)

    @classmethod
    def at(
        cls,
        work: UnitOfWork,
        scope: Scope,
        recorded: Recorded,
        now_us: int,
        default_zone: str,
        state: RollupState,
        kept_zone: str | None,
    ) -> "Totals":
        """The same of a state that is known, and of the text of the setting of its zone."""
        return cls(
            work=work,
            scope=scope,
            recorded=recorded,
            # Somebody's clock has passed the watermark, even if this one has not.
            now_us=now_us if state.rolled_us is None else max(now_us, state.rolled_us),
            state=state,
            default_zone=kept_zone or default_zone,
        )

    def zones(self) -> Zones:
        """The time zones of each site, oldest first."""
        return self.work.series.zones(self.scope)

    def grids(self, table: SeriesTable, zones: Zones) -> dict[int, Grid]:
        """The calendar that each device's days and months follow."""
        by_site = {
            site_id: [(version.valid_from_us, version.time_zone) for version in versions]
            for site_id, versions in zones.items()
        }
        return {
            device_id: _device_grid(table, device_id, by_site, self.default_zone)
            for device_id in table.device_ids
        }

    def fleet_grid(self) -> Grid:
        """The calendar of the fleet's days and months."""
        return Grid(zones=((BEGINNING_US, self.default_zone),))

    def unsettled(self, table: SeriesTable, start_us: int, end_us: int) -> Unsettled:
        """What is not up to date of these devices, or gone, in and around a range."""
        # A month may begin before the range, and readings reach over a day at most.
        first, last = start_us // US_PER_DAY - 32, end_us // US_PER_DAY + 33
        marks = self.work.rollups.marks(
            self.scope, ids=table.device_ids, start_day=first, end_day=last
        )
        lost = self.work.telemetry.days(self.scope, start_day=first, end_day=last, only_lost=True)
        return Unsettled(marks=marks, lost_days=[day.day for day in lost])

    def kept(self, table: SeriesTable, grid: Grid, unsettled: Unsettled) -> Kept:
        """What is kept of these devices, or of their sums, which are among the unsettled."""
        marks = unsettled.marks
        return Kept(
            rolled_us=self.state.rolled_us,
            kept_from_us=self.state.kept_from_us,
            marked_days=np.unique(marks.day[np.isin(marks.device_id, table.device_ids)]).tolist(),
            lost_days=unsettled.lost_days,
            reach_us=table.reach_us,
            grid=grid,
        )

    def coverage(
        self, table: SeriesTable, ids: Sequence[int], start_us: int, end_us: int
    ) -> Coverage:
        """What readings say about a range."""
        before_us, after_us = table.reach_us
        readings = self.recorded.read(
            self.work,
            self.scope,
            ids,
            start_us=start_us - after_us,
            end_us=end_us + before_us + (1 if before_us else 0),
        )
        return cover(readings, table, self.now_us)


def counted_kinds(filter_: DeviceFilter) -> DeviceFilter:
    """The same filter without the kinds that belong into no totals."""
    counted = [name for name, kind in device_kinds().items() if kind.role.is_counted]
    wanted = counted if filter_.kinds is None else filter_.kinds
    return attrs.evolve(filter_, kinds=tuple(name for name in counted if name in wanted))


def site_grids(zones: Zones) -> dict[int, Grid]:
    """The calendar that each site's days and months follow."""
    return {
        site_id: _grid((version.valid_from_us, version.time_zone) for version in versions)
        for site_id, versions in zones.items()
    }


def _device_grid(
    table: SeriesTable,
    device_id: int,
    zones: Mapping[int, Sequence[tuple[int, str]]],
    default_zone: str,
) -> Grid:
    versions = table.versions(device_id)
    ends = [*(version.valid_from_us for version in versions[1:]), None]
    changes: list[tuple[int, str]] = []
    for version, end_us in zip(versions, ends, strict=True):
        begin_us = version.valid_from_us if changes else BEGINNING_US
        site = version.site_id
        keys = [(BEGINNING_US, default_zone)] if site is None else zones[site]
        in_force = [key for key in keys if key[0] <= begin_us][-1:]
        changes += [(begin_us, zone) for _, zone in in_force]
        changes += [k for k in keys if k[0] > begin_us and (end_us is None or k[0] < end_us)]
    return _grid(changes)


def _grid(changes: Iterable[tuple[int, str]]) -> Grid:
    """The calendar of these changes, each from the next quarter-hour on: totals are not cut."""
    in_force: dict[int, str] = {}
    for at_us, zone in changes:
        in_force[-(-at_us // US_PER_QUARTER) * US_PER_QUARTER] = zone
    distinct: list[tuple[int, str]] = []
    for at_us, zone in in_force.items():
        if not distinct or distinct[-1][1] != zone:
            distinct.append((at_us, zone))
    return Grid(zones=tuple(distinct))
