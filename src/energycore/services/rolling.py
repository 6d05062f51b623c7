"""Rolling up: the kept totals of a day are computed from its readings, and held against them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs
import numpy as np

from energycore.errors import VerificationFailed
from energycore.protocols.records import DeviceFilter
from energycore.quantities.instants import from_epoch_us
from energycore.quantities.units import IntArray
from energycore.services.totals import FLEET_ID, Totals, counted_kinds, site_grids
from energycore.telemetry.buckets import BUCKET_COLUMNS, Buckets
from energycore.telemetry.plans import Grid
from energycore.telemetry.series import BEGINNING_US, SeriesTable
from energycore.telemetry.spans import Spans
from energycore.telemetry.sums import Membership, sum_buckets
from energycore.telemetry.tiers import US_PER_DAY, US_PER_QUARTER, SeriesKind, Tier

__all__ = ["Rolling"]

_FINER: Final = {Tier.DAY: Tier.QUARTER_HOUR, Tier.MONTH: Tier.DAY}

Group = tuple[SeriesKind, Grid, list[int]]
"""Series of one kind that follow one calendar."""


@attrs.frozen(kw_only=True)
class Rolling:
    """Computes kept totals within one transaction.

    Args:
        totals: what the transaction tells.
        table: the versions of all devices of the tenant.
        counted: the devices that belong into totals of several.
    """

    totals: Totals
    table: SeriesTable
    counted: Sequence[int]

    @classmethod
    def within(cls, totals: Totals) -> "Rolling":
        """Roll up within the transaction of these totals."""
        work, scope = totals.work, totals.scope
        return cls(
            totals=totals,
            table=work.series.table(scope),
            counted=work.devices.ids(scope, counted_kinds(DeviceFilter())),
        )

    def recompute(self, day: int) -> bool:
        """Bring the totals of the marked devices of a day up to date, and those they are part of.

        Returns False if no device was marked.
        """
        ids = self.totals.work.rollups.take_marks(self.totals.scope, day)
        if ids:
            self.compute(day, ids)
        return bool(ids)

    def compute(self, day: int, ids: Sequence[int]) -> None:
        """Compute the totals of a day: of these devices, their sites and the fleet."""
        start_us, end_us = day * US_PER_DAY, (day + 1) * US_PER_DAY
        kinds = list(self._quarters(day, ids))
        for kind, series, buckets in kinds:
            self._replace(Tier.QUARTER_HOUR, kind, series, start_us, end_us, buckets)
        for tier in (Tier.DAY, Tier.MONTH):
            for kind, grid, series in self.groups({kind: list(s) for kind, s, _ in kinds}):
                # Also those that are not over: nothing may come that makes us compute them again.
                edges_us = grid.edges(tier, start_us, end_us)
                known_us = edges_us[edges_us < self._rolled_us]
                edges_us = np.append(known_us, min(edges_us[-1], self._rolled_us))
                if len(known_us):
                    buckets = self._coarser(tier, kind, series, np.unique(edges_us))
                    self._replace(tier, kind, series, edges_us[0], edges_us[-1], buckets)

    def check(self, day: int) -> bool:
        """Whether the quarter-hours of a day are what its readings give, to the last unit.

        Those that readings reach into which are gone already were compared before these went.
        """
        start_us, end_us = day * US_PER_DAY, (day + 1) * US_PER_DAY
        told = self.told(day)
        return all(
            _same(
                _inside(told, buckets),
                _inside(told, self.read(Tier.QUARTER_HOUR, kind, series, start_us, end_us)),
            )
            for kind, series, buckets in self._quarters(day, self.table.device_ids)
        )

    def told(self, day: int) -> Spans:
        """The time of a day that the readings which are left tell everything about."""
        start_us, end_us = day * US_PER_DAY, (day + 1) * US_PER_DAY
        unsettled = self.totals.unsettled(self.table, start_us, end_us)
        kept = self.totals.kept(self.table, self.totals.fleet_grid(), unsettled)
        return kept.readings().within(Spans.of([(start_us, end_us)]))

    def check_coarser(self, tier: Tier, start_us: int, end_us: int) -> None:
        """Hold days, or months, against what they were merged from.

        Raises:
            VerificationFailed: they differ.
        """
        sites = list(self.totals.zones())
        everything = {
            SeriesKind.DEVICE: list(self.table.device_ids),
            SeriesKind.SITE: sites,
            SeriesKind.FLEET: [FLEET_ID],
        }
        finer_us = self.totals.state.kept_from_us.get(_FINER[tier], BEGINNING_US)
        for kind, grid, series in self.groups(everything):
            edges_us = self._whole_cells(grid, tier, start_us, end_us)
            # The first one may have lost its beginning to an earlier run, which compared it.
            edges_us = edges_us[edges_us >= finer_us]
            if len(edges_us) < 2:
                continue
            first_us, last_us = int(edges_us[0]), int(edges_us[-1])
            fine = self.read(_FINER[tier], kind, series, first_us, last_us).merged(edges_us)
            coarse = self.read(tier, kind, series, first_us, last_us).merged(edges_us)
            if not _same(fine, coarse):
                raise VerificationFailed(
                    f"the {tier.value}s of a {kind.value} from {_shown(first_us)} to "
                    f"{_shown(last_us)} are not the sum of their parts, which are kept"
                )

    def groups(self, series: Mapping[SeriesKind, Sequence[int]]) -> Iterator[Group]:
        """These series by the calendar that they follow."""
        zones = self.totals.zones()
        wanted = self.table.select(series.get(SeriesKind.DEVICE, ()))
        grids = {
            SeriesKind.DEVICE: self.totals.grids(wanted, zones),
            SeriesKind.SITE: site_grids(zones),
            SeriesKind.FLEET: {FLEET_ID: self.totals.fleet_grid()},
        }
        for kind, keys in series.items():
            by_grid: dict[Grid, list[int]] = {}
            for key in keys:
                by_grid.setdefault(grids[kind][key], []).append(key)
            for grid, group in by_grid.items():
                yield kind, grid, group

    def read(
        self, tier: Tier, kind: SeriesKind, series: Sequence[int], start_us: int, end_us: int
    ) -> Buckets:
        """The kept totals of these series."""
        totals = self.totals
        return totals.work.rollups.read(
            totals.scope, tier, kind, series, start_us=int(start_us), end_us=int(end_us)
        )

    def _quarters(
        self, day: int, ids: Sequence[int]
    ) -> Iterator[tuple[SeriesKind, Sequence[int], Buckets]]:
        """The quarter-hours of a day up to the watermark, as its readings give them."""
        start_us = day * US_PER_DAY
        end_us = min(start_us + US_PER_DAY, self._rolled_us)
        edges_us = np.arange(start_us, end_us + 1, US_PER_QUARTER, dtype=np.int64)
        if len(edges_us) < 2:
            return
        needed = sorted({*ids, *self.counted})
        coverage = self.totals.coverage(self.table.select(needed), needed, start_us, end_us)
        devices = coverage.of_devices(ids).buckets(edges_us)
        yield SeriesKind.DEVICE, ids, devices
        sites = sorted(
            {v.site_id for i in ids for v in self.table.versions(i) if v.site_id is not None}
        )
        sums = [
            sum_buckets(coverage, Membership.of_site(self.table, s, self.counted), edges_us, s)
            for s in sites
        ]
        yield SeriesKind.SITE, sites, Buckets.concatenate(sums)
        fleet = Membership.of_all(self.table, self.counted)
        yield SeriesKind.FLEET, [FLEET_ID], sum_buckets(coverage, fleet, edges_us, FLEET_ID)

    @property
    def _rolled_us(self) -> int:
        rolled_us = self.totals.state.rolled_us
        return BEGINNING_US if rolled_us is None else rolled_us

    def _whole_cells(self, grid: Grid, tier: Tier, start_us: int, end_us: int) -> IntArray:
        """Edges of the days or months around a range that end by the watermark."""
        edges_us = grid.edges(tier, start_us, end_us)
        return edges_us[edges_us <= self._rolled_us]

    def _coarser(
        self, tier: Tier, kind: SeriesKind, series: Sequence[int], edges_us: IntArray
    ) -> Buckets:
        first_us, last_us = int(edges_us[0]), int(edges_us[-1])
        kept_us = self.totals.state.kept_from_us.get(_FINER[tier], BEGINNING_US)
        if kept_us <= first_us:
            return self.read(_FINER[tier], kind, series, first_us, last_us).merged(edges_us)
        # The parts are gone: late readings of archived days come back to the readings themselves.
        if kind is SeriesKind.DEVICE:
            table = self.table.select(series)
            return self.totals.coverage(table, series, first_us, last_us).buckets(edges_us)
        table = self.table.select(self.counted)
        coverage = self.totals.coverage(table, self.counted, first_us, last_us)
        of_all = Membership.of_all(self.table, self.counted)
        return Buckets.concatenate(
            [
                sum_buckets(
                    coverage,
                    of_all
                    if kind is SeriesKind.FLEET
                    else Membership.of_site(self.table, key, self.counted),
                    edges_us,
                    key,
                )
                for key in series
            ]
        )

    def _replace(
        self,
        tier: Tier,
        kind: SeriesKind,
        series: Sequence[int],
        start_us: int,
        end_us: int,
        buckets: Buckets,
    ) -> None:
        self.totals.work.rollups.replace(
            self.totals.scope,
            tier,
            kind,
            series,
            start_us=int(start_us),
            end_us=int(end_us),
            buckets=buckets,
        )


def _inside(spans: Spans, buckets: Buckets) -> Buckets:
    return buckets.take(np.flatnonzero(spans.contains(buckets.start_us, buckets.end_us)))


def _same(one: Buckets, other: Buckets) -> bool:
    one, other = one.by_time(), other.by_time()
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in BUCKET_COLUMNS)


def _shown(at_us: int) -> str:
    return from_epoch_us(at_us).isoformat(timespec="seconds")
