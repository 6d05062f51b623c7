"""Plans of histories: which kept totals and which readings answer a question exactly.

A plan takes the coarsest totals that fit between the edges of the answer and fills what is left
with finer ones, down to readings. Where only coarser totals are left than were asked for, the
answer has those, marked as such; where they are of another calendar, it is refused.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import NDArray

from energycore.errors import ResolutionNotKept
from energycore.quantities.instants import from_epoch_us
from energycore.quantities.units import IntArray
from energycore.telemetry.calendar import Interval, calendar_edges, range_edges
from energycore.telemetry.series import BEGINNING_US, END_US
from energycore.telemetry.spans import Spans
from energycore.telemetry.tiers import US_PER_DAY, US_PER_QUARTER, Tier

__all__ = ["Grid", "Kept", "Plan", "make_plan"]

_INTERVALS: Final = {Tier.DAY: Interval.DAY, Tier.MONTH: Interval.MONTH}


@attrs.frozen(kw_only=True)
class Grid:
    """The calendar that the days and months of a series follow: its time zone at each time."""

    zones: tuple[tuple[int, str], ...]
    """Instants from which on a zone counts, ascending; the first one counts before as well."""

    def edges(self, tier: Tier, start_us: int, end_us: int) -> IntArray:
        """Edges of whole days or months that enclose a range, cut where the zone changes."""
        first, *later = self.zones
        spans = [(BEGINNING_US, first[1]), *later]
        ends = [*(begin for begin, _ in later), END_US]
        parts = []
        for (begin_us, key), limit_us in zip(spans, ends, strict=True):
            if begin_us < end_us and start_us < limit_us:
                parts.append(_enclosing(ZoneInfo(key), tier, start_us, end_us, begin_us, limit_us))
        return np.unique(np.concatenate(parts))


def _enclosing(
    zone: ZoneInfo, tier: Tier, start_us: int, end_us: int, begin_us: int, limit_us: int
) -> IntArray:
    edges = calendar_edges(zone, max(start_us, begin_us), min(end_us, limit_us), _INTERVALS[tier])
    return np.clip(edges, begin_us, limit_us)


@attrs.frozen(kw_only=True)
class Kept:
    """What storage keeps of the series that a question is about.

    Args:
        rolled_us: the watermark of totals, None before the first.
        kept_from_us: where each tier begins.
        marked_days: UTC days whose totals are not up to date for any of the series.
        lost_days: UTC days whose readings are gone.
        reach_us: how far before and after its instant a reading tells something.
        grid: the calendar of the days and months.
    """

    rolled_us: int | None
    kept_from_us: Mapping[Tier, int]
    marked_days: Sequence[int]
    lost_days: Sequence[int]
    reach_us: tuple[int, int]
    grid: Grid

    def readings(self) -> Spans:
        """The time that readings tell everything about."""
        before_us, after_us = self.reach_us
        lost = Spans.of(
            (day * US_PER_DAY - before_us, (day + 1) * US_PER_DAY + after_us)
            for day in self.lost_days
        )
        return _EVER.minus(lost)

    def totals(self, tier: Tier) -> Spans:
        """The time in which all buckets of a tier are there and up to date."""
        if self.rolled_us is None:
            return _NEVER
        rolled = Spans.of([(self.kept_from_us.get(tier, BEGINNING_US), self.rolled_us)])
        return rolled.minus(
            Spans.of((day * US_PER_DAY, (day + 1) * US_PER_DAY) for day in self.marked_days)
        )


_EVER: Final = Spans.of([(BEGINNING_US, END_US)])
_NEVER: Final = Spans.of([])


@attrs.frozen(kw_only=True)
class Plan:
    """What answers a question: buckets, and where their totals come from."""

    edges_us: IntArray
    """Shape (n+1,), ascending; may begin before and end after the range where that was coarser."""
    intervals: tuple[Interval, ...]
    """The kind of each bucket."""
    totals: Mapping[Tier, Spans]
    """Time whose buckets of a tier are read."""
    readings: Spans
    """Time whose readings are read."""


def make_plan(
    kept: Kept,
    zone: ZoneInfo,
    start_us: int,
    end_us: int,
    interval: Interval,
    *,
    prefer_readings: bool = False,
) -> Plan:
    """Plan a history.

    Args:
        kept: what there is.
        zone: whose calendar the buckets follow.
        start_us: the range's start.
        end_us: its end.
        interval: the kind of bucket asked for.
        prefer_readings: take totals only for buckets whose readings are gone: they tell less.

    Raises:
        ResolutionNotKept: only totals of another calendar are left, or of whole days or months
            of which a part was asked for by the day or month.
    """
    readings = kept.readings()
    fine = readings.union(kept.totals(Tier.QUARTER_HOUR))
    edges_us = range_edges(zone, start_us, end_us, interval)
    intervals = [interval] * (len(edges_us) - 1)
    missing = Spans.of([(start_us, end_us)]).minus(fine)
    if missing:
        cells = _coarse_cells(kept, missing)
        edges_us, intervals = _coarsened(edges_us, interval, cells, zone, kept.grid)
    left = whole = Spans.of([(int(edges_us[0]), int(edges_us[-1]))])
    if prefer_readings:
        told = readings.contains(edges_us[:-1], edges_us[1:])
        left = Spans.of(
            zip(edges_us[:-1][~told].tolist(), edges_us[1:][~told].tolist(), strict=True)
        )
    rest = whole.minus(left)
    totals: dict[Tier, Spans] = {}
    for tier in (Tier.MONTH, Tier.DAY):
        totals[tier] = _whole_cells(kept, tier, left, edges_us)
        left = left.minus(totals[tier])
    totals[Tier.QUARTER_HOUR] = _quarters(left.within(kept.totals(Tier.QUARTER_HOUR)), edges_us)
    left = left.minus(totals[Tier.QUARTER_HOUR])
    if lost := left.minus(readings):
        raise ResolutionNotKept(
            "what is kept cannot be cut at "
            f"{_shown(lost.starts[0])}: ask for whole quarter-hours, days or months"
        )
    return Plan(
        edges_us=edges_us, intervals=tuple(intervals), totals=totals, readings=left.union(rest)
    )


def _whole_cells(kept: Kept, tier: Tier, left: Spans, edges_us: IntArray) -> Spans:
    """The days or months that are up to date, still wanted, and cut by no edge of the answer."""
    usable = left.within(kept.totals(tier))
    if not usable:
        return _NEVER
    grid = kept.grid.edges(tier, int(usable.starts[0]), int(usable.ends[-1]))
    starts, ends = grid[:-1], grid[1:]
    chosen = usable.contains(starts, ends) & _in_one_bucket(starts, ends, edges_us)
    return Spans.of(zip(starts[chosen].tolist(), ends[chosen].tolist(), strict=True))


def _in_one_bucket(starts: IntArray, ends: IntArray, edges_us: IntArray) -> NDArray[np.bool_]:
    first = np.searchsorted(edges_us, starts, side="right")
    last = np.searchsorted(edges_us, ends, side="left")
    same: NDArray[np.bool_] = first == last
    return same


def _quarters(usable: Spans, edges_us: IntArray) -> Spans:
    """The whole quarter-hours of some time that are cut by no edge of the answer."""
    cut = edges_us[edges_us % US_PER_QUARTER != 0]
    torn = Spans.of(
        (edge - edge % US_PER_QUARTER, edge - edge % US_PER_QUARTER + US_PER_QUARTER)
        for edge in cut.tolist()
    )
    return Spans.of(
        (-(-start // US_PER_QUARTER) * US_PER_QUARTER, end // US_PER_QUARTER * US_PER_QUARTER)
        for start, end in usable.minus(torn).stretches()
    )


Cell = tuple[int, int, Interval]


def _coarse_cells(kept: Kept, missing: Spans) -> list[Cell]:
    """The days, and where they are gone the months, that hold some time."""
    days, months = kept.totals(Tier.DAY), kept.totals(Tier.MONTH)
    cells: set[Cell] = set()
    for start_us, end_us in missing.stretches():
        grid = kept.grid.edges(Tier.DAY, start_us, end_us)
        held = days.contains(grid[:-1], grid[1:])
        cells |= _cells(grid, held, Interval.DAY)
        for begin, end in zip(grid[:-1][~held].tolist(), grid[1:][~held].tolist(), strict=True):
            wide = kept.grid.edges(Tier.MONTH, begin, end)
            if not months.contains(wide[:-1], wide[1:]).all():
                raise ResolutionNotKept(f"nothing is kept of the day that begins {_shown(begin)}")
            cells |= _cells(wide, np.ones(len(wide) - 1, dtype=np.bool_), Interval.MONTH)
    wide_cells = Spans.of((c[0], c[1]) for c in cells if c[2] is Interval.MONTH)
    return sorted(
        cell
        for cell in cells
        if cell[2] is Interval.MONTH
        or not wide_cells.contains(np.array([cell[0]]), np.array([cell[1]]))[0]
    )


def _cells(grid: IntArray, held: NDArray[np.bool_], interval: Interval) -> set[Cell]:
    pairs = zip(grid[:-1][held].tolist(), grid[1:][held].tolist(), strict=True)
    return {(start, end, interval) for start, end in pairs}


def _coarsened(
    edges_us: IntArray, interval: Interval, cells: Sequence[Cell], zone: ZoneInfo, grid: Grid
) -> tuple[IntArray, list[Interval]]:
    """Replace buckets of an answer that are finer than what is left."""
    starts = np.array([cell[0] for cell in cells], dtype=np.int64)
    ends = np.array([cell[1] for cell in cells], dtype=np.int64)
    fits = (starts >= edges_us[0]) & (ends <= edges_us[-1])
    fits &= _in_one_bucket(starts, ends, edges_us)
    coarse = [cell for cell, inside in zip(cells, fits.tolist(), strict=True) if not inside]
    for cell in coarse:
        _check_coarser(cell, interval, edges_us, zone, grid)
    starts, ends = starts[~fits], ends[~fits]
    # An edge stays unless it lies within a cell.
    position = np.searchsorted(starts, edges_us, side="left") - 1
    shown = np.ones(len(edges_us), dtype=np.bool_)
    if coarse:
        shown = (position < 0) | (edges_us >= ends[np.maximum(position, 0)])
    edges = np.unique(np.concatenate([edges_us[shown], starts, ends]))
    kinds = {cell[0]: cell[2] for cell in coarse}
    return edges, [kinds.get(start, interval) for start in edges[:-1].tolist()]


def _check_coarser(
    cell: Cell, interval: Interval, edges_us: IntArray, zone: ZoneInfo, grid: Grid
) -> None:
    """Refuse a cell that is cut by an answer no finer than it, or lies in another calendar."""
    start, end, kind = cell
    held = f"of the time from {_shown(start)} to {_shown(end)} only the whole {kind.value} is kept"
    calendar = calendar_edges(zone, start, end, kind)
    known = {*calendar.tolist(), *(at_us for at_us, _ in grid.zones)}
    if not {start, end} <= known or ((calendar > start) & (calendar < end)).any():
        raise ResolutionNotKept(
            f"{held}, which is none of {zone.key}: ask for the time zone of the site"
        )
    if kind.nominal_us <= interval.nominal_us:
        cut = edges_us[(edges_us > start) & (edges_us < end)]
        raise ResolutionNotKept(f"{held}, which cannot be cut at {_shown(int(cut[0]))}")


def _shown(at_us: int) -> str:
    return from_epoch_us(int(at_us)).isoformat(timespec="seconds")
