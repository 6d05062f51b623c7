"""Totals of several devices together: of a site while they are its members, or of a fleet."""

from collections.abc import Mapping, Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from energycore.quantities.instants import US_PER_MS
from energycore.quantities.units import MISSING, IntArray
from energycore.telemetry.buckets import NOT_KEPT, Buckets
from energycore.telemetry.coverage import Coverage
from energycore.telemetry.extremes import sum_extremes
from energycore.telemetry.series import BEGINNING_US, END_US, SeriesTable
from energycore.telemetry.spans import Spans

__all__ = ["EVER", "Membership", "sum_buckets"]

EVER: Final = Spans.of([(BEGINNING_US, END_US)])


@attrs.frozen(kw_only=True)
class Membership:
    """Which devices are added up, each for which time, and when they are expected."""

    stays: Mapping[int, Spans]
    """The time in which what a device does counts."""
    expected: Sequence[tuple[int, int]]
    """When each of them is in service meanwhile, one stretch after the other."""

    @classmethod
    def of_site(cls, table: SeriesTable, site_id: int, counted: Sequence[int]) -> "Membership":
        """The counted devices of a site, while they belong to it."""
        members = [i for i in counted if table.stays(i, site_id)]
        return cls(
            stays={i: Spans.of(table.stays(i, site_id)) for i in members},
            expected=[span for i in members for span in table.spans(i, site_id)],
        )

    @classmethod
    def of_all(cls, table: SeriesTable, counted: Sequence[int]) -> "Membership":
        """Devices wherever they belong."""
        return cls(
            stays=dict.fromkeys(counted, EVER),
            expected=[span for i in counted for span in table.spans(i)],
        )


def sum_buckets(
    coverage: Coverage, membership: Membership, edges_us: IntArray, series: int
) -> Buckets:
    """Exact totals of several devices together, with the extremes of their summed power.

    The extremes of an interval are not kept if the power of some device is interpolated in it.
    What the gap policies of other times are does not matter: totals are not computed again when
    one changes.

    Args:
        coverage: of at least the readings of these devices.
        membership: whose readings count, and when.
        edges_us: shape (m+1,), strictly ascending.
        series: the identity of the sum.

    Returns:
        One bucket for each interval that has anything, by start.
    """
    coverage = coverage.of_devices(membership.stays)
    moves = [
        at
        for stay in membership.stays.values()
        for at in (*stay.starts.tolist(), *stay.ends.tolist())
        if edges_us[0] < at < edges_us[-1]
    ]
    cuts = np.union1d(edges_us, np.array(moves, dtype=np.int64))
    parts = coverage.buckets(cuts)
    counts = _counts(parts.series, parts.start_us, parts.end_us, membership)
    totals = parts.take(np.flatnonzero(counts)).merged(edges_us).summed(series)
    if not len(totals):
        return totals
    least, greatest = _extremes(coverage, membership, edges_us, cuts)
    position = np.searchsorted(edges_us, totals.start_us)
    return totals.with_extremes(least[position], greatest[position])


def _extremes(
    coverage: Coverage, membership: Membership, edges_us: IntArray, cuts: IntArray
) -> tuple[IntArray, IntArray]:
    pieces = coverage.pieces(cuts)
    device_id = coverage.readings.device_id[pieces.reading]
    start_us, end_us = pieces.start_ms * US_PER_MS, pieces.end_ms * US_PER_MS
    counts = _counts(device_id, start_us, end_us, membership)
    pieces = pieces.take(np.flatnonzero(counts))
    power_mw = coverage.readings.power_mw[pieces.reading]
    least, greatest = sum_extremes(pieces, power_mw, membership.expected, edges_us)
    if coverage.is_line is not None:
        lines_ms = pieces.start_ms[coverage.is_line[pieces.reading]]
        unknown = np.searchsorted(edges_us // US_PER_MS, lines_ms, side="right") - 1
        least[unknown], greatest[unknown] = MISSING, NOT_KEPT
    return least, greatest


def _counts(
    device_id: IntArray, start_us: IntArray, end_us: IntArray, membership: Membership
) -> NDArray[np.bool_]:
    """Whether each stretch of a device, ordered by device, lies in the time that counts."""
    counts = np.zeros(len(device_id), dtype=np.bool_)
    for member, stay in membership.stays.items():
        rows = slice(*np.searchsorted(device_id, [member, member + 1]).tolist())
        counts[rows] = stay.contains(start_us[rows], end_us[rows])
    return counts
