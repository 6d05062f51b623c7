"""Least and greatest power of several devices together: of the sum of their step functions."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from energycore.quantities.instants import US_PER_MS
from energycore.quantities.units import MISSING, IntArray
from energycore.telemetry.coverage import Pieces

__all__ = ["sum_extremes"]

_GREATEST: Final = np.iinfo(np.int64).max


def sum_extremes(
    pieces: Pieces,
    power_mw: IntArray,
    expected: Iterable[tuple[int, int]],
    edges_us: IntArray,
) -> tuple[IntArray, IntArray]:
    """The extremes of the summed power over the time in which all expected devices are covered.

    Args:
        pieces: the covered time of n stretches, cut at the edges; power is constant in each.
        power_mw: shape (n,), the power of each stretch.
        expected: when each device is expected, one [from, to) in epoch microseconds each.
        edges_us: shape (m+1,), strictly ascending.

    Returns:
        Least and greatest power, shape (m,) [mW]; `MISSING` where there is no such time.
    """
    count = len(edges_us) - 1
    spans = np.array(list(expected), dtype=np.int64).reshape(-1, 2)
    spans = np.clip(spans, edges_us[0], edges_us[-1]) // US_PER_MS
    edges_ms = edges_us // US_PER_MS
    starts, ends, nothing = pieces.start_ms, pieces.end_ms, np.zeros_like(pieces.start_ms)
    times = np.concatenate([starts, ends, spans[:, 0], spans[:, 1], edges_ms])
    no_power = np.zeros(len(times) - 2 * len(starts), dtype=np.int64)
    power = np.concatenate([power_mw, -power_mw, no_power])
    ones, span_ones = nothing + 1, np.ones(len(spans), dtype=np.int64)
    # How many are covered beyond those expected; equal numbers leave 0.
    surplus = np.concatenate([ones, -ones, -span_ones, span_ones, np.zeros_like(edges_ms)])
    wanted = np.concatenate([nothing, nothing, span_ones, -span_ones, np.zeros_like(edges_ms)])
    order = np.argsort(times, kind="stable")
    times = times[order]
    last = np.flatnonzero(np.append(times[1:] != times[:-1], True))[:-1]
    counts = np.cumsum(surplus[order])[last], np.cumsum(wanted[order])[last]
    full = (counts[0] == 0) & (counts[1] > 0)
    total = np.cumsum(power[order])[last][full]
    interval = np.searchsorted(edges_ms, times[last][full], side="right") - 1
    least = np.full(count, _GREATEST, dtype=np.int64)
    greatest = np.full(count, MISSING, dtype=np.int64)
    np.minimum.at(least, interval, total)
    np.maximum.at(greatest, interval, total)
    least[greatest == MISSING] = MISSING
    return least, greatest
