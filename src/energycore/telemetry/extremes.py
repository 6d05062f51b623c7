"""Least and greatest power of several devices together: of the sum of their step functions."""

from collections.abc import Iterable

import numpy as np

from energycore.quantities.instants import US_PER_MS
from energycore.quantities.units import MISSING, IntArray
from energycore.telemetry.coverage import Pieces
from energycore.telemetry.groups import group_starts

__all__ = ["sum_extremes"]


def sum_extremes(
    pieces: Pieces,
    power_mw: IntArray,
    expected: Iterable[tuple[int, int]],
    edges_us: IntArray,
) -> tuple[IntArray, IntArray]:
    """The extremes of the summed power over the time in which all expected devices are covered.

    Args:
        pieces: the covered time of n stretches, within the edges and each within the time in which
            its device is expected; power is constant in each.
        power_mw: shape (n,), the power of each stretch.
        expected: when each device is expected, as [from, to) in epoch microseconds.
        edges_us: shape (m+1,), strictly ascending.

    Returns:
        Least and greatest power, shape (m,) [mW]; `MISSING` where there is no such time.
    """
    edges_ms = edges_us // US_PER_MS
    spans = np.array(list(expected), dtype=np.int64).reshape(-1, 2)
    spans_ms = np.clip(spans, edges_us[0], edges_us[-1]) // US_PER_MS
    instants = np.concatenate(
        [pieces.start_ms, pieces.end_ms, spans_ms[:, 0], spans_ms[:, 1], edges_ms]
    )
    # What changes there: the summed power, how many devices are expected, how many are unknown.
    counts = np.array([len(power_mw), len(power_mw), len(spans), len(spans), len(edges_ms)])
    changes = (
        np.append([power_mw, -power_mw], np.zeros(counts[2:].sum(), dtype=np.int64)),
        np.repeat([0, 0, 1, -1, 0], counts),
        np.repeat([-1, 1, 1, -1, 0], counts),
    )
    order = np.argsort(instants, kind="stable")
    instants = instants[order]
    # What holds from an instant on is the sum up to the last change there; nothing after the end.
    last = np.flatnonzero(instants[1:] != instants[:-1])
    power, wanted, unknown = (np.cumsum(change[order])[last] for change in changes)
    known = (wanted > 0) & (unknown == 0)
    power = power[known]
    interval = np.searchsorted(edges_ms, instants[last[known]], side="right") - 1
    least, greatest = np.full((2, len(edges_ms) - 1), MISSING)
    if len(interval):
        starts = group_starts(interval)
        least[interval[starts]] = np.minimum.reduceat(power, starts)
        greatest[interval[starts]] = np.maximum.reduceat(power, starts)
    return least, greatest
