"""Histories: what devices, sites and fleets did in a range, by hour, day, week or month."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

import attrs

from energycore.errors import (
    InvalidValue,
    NotFound,
    ResolutionNotKept,
    TimeZoneRequired,
    TooManyBuckets,
)
from energycore.protocols.archive import Archive
from energycore.protocols.clock import Clock
from energycore.protocols.histories import Basis
from energycore.protocols.records import DeviceFilter
from energycore.protocols.scope import Scope, tenant_of
from energycore.protocols.storage import Storage
from energycore.quantities.instants import to_epoch_us
from energycore.quantities.zones import load_zone
from energycore.services.answering import Question, answer, of_devices, of_selection, of_sums
from energycore.services.recorded import Recorded
from energycore.services.settings import ROLLUP_ZONE_SETTING
from energycore.services.totals import FLEET_ID, Totals, Unsettled, counted_kinds, site_grids
from energycore.telemetry.buckets import Buckets
from energycore.telemetry.calendar import Interval, interval_of, most_buckets
from energycore.telemetry.history import EnergyHistory, history_of
from energycore.telemetry.plans import Grid, Kept, Plan, make_plan
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.series import SeriesTable
from energycore.telemetry.sums import Membership
from energycore.telemetry.tiers import US_PER_DAY, SeriesKind

__all__ = ["MAX_BUCKETS", "Histories", "HistoryRequest"]

MAX_BUCKETS: Final = 10_000
"""Most buckets of one history, unless configured otherwise."""

Key = TypeVar("Key")


@attrs.frozen(kw_only=True)
class HistoryRequest:
    """A range and how it is divided."""

    start_us: int
    end_us: int
    interval: Interval
    zone: ZoneInfo | None
    """Whose calendar counts; None for that of the site."""

    @classmethod
    def of(
        cls,
        start: datetime,
        end: datetime,
        interval: Interval | str,
        time_zone: str | None = None,
        *,
        max_buckets: int = MAX_BUCKETS,
    ) -> "HistoryRequest":
        """Check what is asked for.

        Raises:
            InvalidValue: the end is not after the start, or there is no such interval.
            InstantWithoutZone, InstantOutOfRange: an instant cannot be meant.
            UnknownTimeZone: there is no such zone.
            TooManyBuckets: the range has more of these intervals than an answer may.
        """
        start_us, end_us = to_epoch_us(start, "start"), to_epoch_us(end, "end")
        if end_us <= start_us:
            raise InvalidValue("end", end, f"after the start ({start.isoformat()})")
        kind = interval_of(interval)
        if (count := most_buckets(start_us, end_us, kind)) > max_buckets:
            limit = f"of at most {max_buckets} buckets: ask for a shorter range or longer ones"
            raise TooManyBuckets("range", f"{count} {kind.value}s", limit)
        return cls(
            start_us=start_us,
            end_us=end_us,
            interval=kind,
            zone=None if time_zone is None else load_zone(time_zone),
        )


@attrs.frozen(kw_only=True)
class Histories:
    """Answers what happened; changes nothing.

    Args:
        storage: where readings and totals are.
        clock: no power is held beyond its now.
        default_zone: IANA time zone of devices without a site.
        archive: where old readings are; None if there is none.
        max_buckets: most buckets of one history.
    """

    storage: Storage
    clock: Clock
    default_zone: str = "UTC"
    archive: Archive | None = None
    max_buckets: int = MAX_BUCKETS

    def request(
        self,
        start: datetime,
        end: datetime,
        interval: Interval | str,
        time_zone: str | None = None,
    ) -> HistoryRequest:
        """Check what is asked for, within the limits of this service.

        Raises:
            InvalidValue, TooManyBuckets, UnknownTimeZone: see `HistoryRequest.of`.
        """
        return HistoryRequest.of(start, end, interval, time_zone, max_buckets=self.max_buckets)

    def of_devices(
        self, scope: Scope, ids: Collection[int], request: HistoryRequest
    ) -> Mapping[int, EnergyHistory]:
        """The history of each of these devices, in its site's zone unless one is named.

        Raises:
            NotFound: there is no such device.
            ResolutionNotKept: only totals of another calendar are left.
        """
        now_us = self._now_us()
        with self._known(scope, DeviceFilter(ids=tuple(ids)), request) as known:
            table = known.basis.table
            _check_found("device", ids, table.device_ids)
            asked, plans = [], []
            for grid, group in _grouped(known.grids()).items():
                part = table.select(group)
                zone = request.zone or _newest(grid)
                plan = _plan(known.kept(part, grid), zone, request)
                asked.append(of_devices(plan, part, group))
                plans.append((group, plan, zone))
            answers: dict[int, EnergyHistory] = {}
            found = known.answer(SeriesKind.DEVICE, asked)
            for buckets, (group, plan, zone) in zip(found, plans, strict=True):
                for device_id in group:
                    mine = buckets.take((buckets.series == device_id).nonzero()[0])
                    expected = table.spans(device_id)
                    answers[device_id] = _answer(mine, plan, expected, zone, request, now_us)
            return answers

    def of_sites(
        self, scope: Scope, ids: Collection[int], request: HistoryRequest
    ) -> Mapping[int, EnergyHistory]:
        """What the counted devices of each site did while they were its members.

        Raises:
            NotFound: there is no such site.
            ResolutionNotKept: only totals of another calendar are left.
        """
        now_us = self._now_us()
        counted = counted_kinds(DeviceFilter())
        with self._known(scope, counted, request, members_of=tuple(ids)) as known:
            wanted = set(ids)
            every = site_grids(known.basis.zones)
            grids = {key: grid for key, grid in every.items() if key in wanted}
            _check_found("site", ids, list(grids))
            table = known.basis.table
            asked, plans = [], []
            for grid, group in _grouped(grids).items():
                zone = request.zone or _newest(grid)
                sites = {s: Membership.of_site(table, s, table.device_ids) for s in group}
                part = table.select([i for m in sites.values() for i in m.stays])
                plan = _plan(known.kept(part, grid), zone, request)
                asked.append(of_sums(plan, part, sites))
                plans.append((sites, plan, zone))
            answers: dict[int, EnergyHistory] = {}
            found = known.answer(SeriesKind.SITE, asked)
            for buckets, (sites, plan, zone) in zip(found, plans, strict=True):
                for site, membership in sites.items():
                    mine = buckets.take((buckets.series == site).nonzero()[0])
                    expected = membership.expected
                    answers[site] = _answer(mine, plan, expected, zone, request, now_us)
            return answers

    def of_filter(
        self,
        scope: Scope,
        filter_: DeviceFilter,
        request: HistoryRequest,
        *,
        extremes: bool = True,
    ) -> EnergyHistory:
        """What the counted devices that match now did together, wherever they were then.

        Args:
            scope: the tenant.
            filter_: which devices; none in particular is all of them.
            request: the range.
            extremes: whether least and greatest power are wanted of a part of the fleet. They
                need all readings, and are None where those are gone; without them it is quicker.

        Raises:
            TimeZoneRequired: no zone is named, and the devices are in several.
            ResolutionNotKept: only totals of another calendar are left.
        """
        now_us = self._now_us()
        with self._known(scope, counted_kinds(filter_), request) as known:
            table = known.basis.table
            groups = _grouped(known.grids()) or {known.totals.fleet_grid(): []}
            zone = request.zone or _common_zone(groups)
            answer = None
            if filter_ == DeviceFilter():
                answer = _of_fleet(known, zone, request)
            plan, found = answer or _selected(known, groups, zone, request, extremes)
            expected = Membership.of_all(table, table.device_ids).expected
            return _answer(found, plan, expected, zone, request, now_us)

    def readings(
        self,
        scope: Scope,
        ids: Collection[int],
        *,
        start_us: int,
        end_us: int,
    ) -> ReadingBatch:
        """The readings of devices with start <= instant < end, by device and instant."""
        tenant_of(scope)
        with self.storage.transaction(write=False) as work:
            recorded = Recorded(archive=self.archive)
            return recorded.read(work, scope, ids, start_us=start_us, end_us=end_us)

    def first_readings(
        self, scope: Scope, ids: Collection[int], *, start_us: int, end_us: int, count: int
    ) -> ReadingBatch:
        """The first so many readings of each device with start <= instant < end, in order."""
        tenant_of(scope)
        with self.storage.transaction(write=False) as work:
            return Recorded(archive=self.archive).first(
                work, scope, ids, start_us=start_us, end_us=end_us, count=count
            )

    @contextmanager
    def _known(
        self,
        scope: Scope,
        filter_: DeviceFilter,
        request: HistoryRequest,
        *,
        members_of: Collection[int] | None = None,
    ) -> Iterator["_Known"]:
        """What a plan needs to know, and the transaction that it is carried out in."""
        tenant_of(scope)
        now_us = self._now_us()
        with self.storage.transaction(write=False) as work:
            # A month may begin before the range, and readings reach over a day at most.
            basis = work.histories.basis(
                scope,
                filter_,
                members_of=members_of,
                start_day=request.start_us // US_PER_DAY - 33,
                end_day=request.end_us // US_PER_DAY + 34,
                setting=ROLLUP_ZONE_SETTING,
            )
            recorded = Recorded(archive=self.archive)
            totals = Totals.at(
                work, scope, recorded, now_us, self.default_zone, basis.state, basis.setting
            )
            yield _Known(totals=totals, basis=basis)

    def _now_us(self) -> int:
        return to_epoch_us(self.clock.now(), "clock")


@attrs.frozen(kw_only=True)
class _Known:
    """What is known of the devices of a request, in one transaction."""

    totals: Totals
    basis: Basis

    def grids(self) -> dict[int, Grid]:
        return self.totals.grids(self.basis.table, self.basis.zones)

    def kept(self, table: SeriesTable, grid: Grid) -> Kept:
        lost_days = [day.day for day in self.basis.days if day.is_lost]
        unsettled = Unsettled(marks=self.basis.marks, lost_days=lost_days)
        return self.totals.kept(table, grid, unsettled)

    def answer(self, kind: SeriesKind | None, asked: Sequence[Question]) -> list[Buckets]:
        return answer(self.totals, self.basis.days, kind, asked)


def _of_fleet(
    known: _Known, zone: ZoneInfo, request: HistoryRequest
) -> tuple[Plan, Buckets] | None:
    """All devices, which are a series of their own; None where its calendar is another."""
    table = known.basis.table
    try:
        plan = _plan(known.kept(table, known.totals.fleet_grid()), zone, request)
    except ResolutionNotKept:
        return None
    fleet = {FLEET_ID: Membership.of_all(table, table.device_ids)}
    (found,) = known.answer(SeriesKind.FLEET, [of_sums(plan, table, fleet)])
    return plan, found


def _selected(
    known: _Known,
    groups: Mapping[Grid, Sequence[int]],
    zone: ZoneInfo,
    request: HistoryRequest,
    extremes: bool,
) -> tuple[Plan, Buckets]:
    """Any devices together: where their calendars differ, each group by its own plan."""
    table = known.basis.table
    plans: dict[Grid, Plan] = {}
    for grid, group in groups.items():
        kept = known.kept(table.select(group), grid)
        plans[grid] = _plan(kept, zone, request, prefer_readings=extremes)
    first, *others = plans.values()
    if not any(span for plan in plans.values() for span in plan.totals.values()):
        everyone = Membership.of_all(table, table.device_ids)
        (found,) = known.answer(None, [of_selection(first, table, everyone)])
        return first, found
    if any(plan.intervals != first.intervals for plan in others) or any(
        plan.edges_us.tolist() != first.edges_us.tolist() for plan in others
    ):
        raise ResolutionNotKept(
            "the devices are in several time zones, and of some of that time only the days or"
            " months of each are kept: ask for each site"
        )
    asked = []
    for grid, plan in plans.items():
        part = table.select(groups[grid])
        asked.append(of_selection(plan, part, Membership.of_all(part, groups[grid])))
    parts = known.answer(None, asked)
    if len(parts) == 1:
        return first, parts[0]
    return first, Buckets.concatenate(parts).summed()


def _plan(
    kept: Kept, zone: ZoneInfo, request: HistoryRequest, *, prefer_readings: bool = False
) -> Plan:
    return make_plan(
        kept,
        zone,
        request.start_us,
        request.end_us,
        request.interval,
        prefer_readings=prefer_readings,
    )


def _answer(
    found: Buckets,
    plan: Plan,
    expected: Sequence[tuple[int, int]],
    zone: ZoneInfo,
    request: HistoryRequest,
    now_us: int,
) -> EnergyHistory:
    return history_of(
        found,
        edges_us=plan.edges_us,
        intervals=plan.intervals,
        expected=expected,
        zone=zone,
        requested=request.interval,
        now_us=now_us,
    )


def _grouped(grids: Mapping[int, Grid]) -> dict[Grid, list[int]]:
    groups: dict[Grid, list[int]] = {}
    for key, grid in grids.items():
        groups.setdefault(grid, []).append(key)
    return groups


def _newest(grid: Grid) -> ZoneInfo:
    return ZoneInfo(grid.zones[-1][1])


def _common_zone(grids: Collection[Grid]) -> ZoneInfo:
    keys = {grid.zones[-1][1] for grid in grids}
    if len(keys) > 1:
        raise TimeZoneRequired("time_zone", None, "named: the devices are in several time zones")
    return ZoneInfo(*keys)


def _check_found(noun: str, wanted: Collection[int], found: Collection[int]) -> None:
    for key in wanted:
        if key not in found:
            raise NotFound(noun, key)
