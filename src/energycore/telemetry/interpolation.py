"""Power that changes evenly between two readings, integrated exactly.

With power p0 at 0 and p1 at D, p(t) = p0 + (p1 - p0) t / D. The energy of its positive part from 0
to t is a rational number F(t), which is rounded once to whole milliwatt-milliseconds, halves to
even. The energy of a part is F(b) - F(a), so that parts of any size add up to the whole.
"""

from collections.abc import Iterator

import numpy as np

from energycore.quantities.units import IntArray

__all__ = ["linear_energy", "linear_power"]


def linear_energy(
    first_mw: IntArray, last_mw: IntArray, length_ms: IntArray, begin_ms: IntArray, end_ms: IntArray
) -> tuple[IntArray, IntArray]:
    """Energy of the positive and of the negative part of n lines, between two times of each.

    Args:
        first_mw: shape (n,), power at the beginning of the line, up to 100 MW.
        last_mw: power at its end.
        length_ms: how long the line is, above 0 and up to 25 hours.
        begin_ms: where the part begins, counted from the line's beginning.
        end_ms: where it ends, 0 <= begin <= end <= length.

    Returns:
        Produced and consumed energy, both >= 0, shape (n,) [mW ms].
    """
    produced = _whole_lines(np.maximum(first_mw, 0) + np.maximum(last_mw, 0), length_ms)
    consumed = _whole_lines(np.maximum(-first_mw, 0) + np.maximum(-last_mw, 0), length_ms)
    is_part = (begin_ms > 0) | (end_ms < length_ms)
    crosses = np.sign(first_mw) * np.sign(last_mw) < 0
    rows = np.flatnonzero(is_part | crosses)
    for row, (p0, p1, length, begin, end) in zip(
        rows.tolist(), _rows(rows, first_mw, last_mw, length_ms, begin_ms, end_ms), strict=True
    ):
        produced[row] = _positive(p0, p1, length, end) - _positive(p0, p1, length, begin)
        consumed[row] = _positive(-p0, -p1, length, end) - _positive(-p0, -p1, length, begin)
    return produced, consumed


def linear_power(
    first_mw: IntArray, last_mw: IntArray, length_ms: IntArray, at_ms: IntArray
) -> IntArray:
    """Power of n lines at one time of each, rounded to whole milliwatts, halves to even.

    Args:
        first_mw: as for `linear_energy`.
        last_mw: likewise.
        length_ms: likewise.
        at_ms: the time, counted from the line's beginning.
    """
    power_mw = np.where(at_ms == 0, first_mw, last_mw)
    rows = np.flatnonzero((at_ms > 0) & (at_ms < length_ms))
    for row, (p0, p1, length, at) in zip(
        rows.tolist(), _rows(rows, first_mw, last_mw, length_ms, at_ms), strict=True
    ):
        power_mw[row] = _rounded(p0 * length + (p1 - p0) * at, length)
    return power_mw


def _rows(rows: IntArray, *columns: IntArray) -> Iterator[tuple[int, ...]]:
    """Rows as Python integers, whose products cannot overflow."""
    return zip(*(column[rows].tolist() for column in columns), strict=True)


def _whole_lines(sum_mw: IntArray, length_ms: IntArray) -> IntArray:
    """Half of sum times length, halves to even, without a product above 63 bits."""
    energy = sum_mw * (length_ms // 2)
    odd = length_ms % 2 == 1
    whole, rest = np.divmod(sum_mw, 2)
    # With an odd length the total is energy + sum / 2.
    half = energy + whole
    rounded: IntArray = half + rest * (half % 2)
    return np.where(odd, rounded, energy)


def _positive(p0: int, p1: int, length: int, at: int) -> int:
    """The integral of the positive part from 0 to `at`, rounded."""
    change = p1 - p0
    if p0 >= 0 and p0 * length + change * at >= 0:
        return _rounded(2 * p0 * length * at + change * at * at, 2 * length)
    if p0 > 0:
        return _rounded(p0 * p0 * length, -2 * change)
    reached = p0 * length + change * at
    return _rounded(reached * reached, 2 * length * change) if reached > 0 else 0


def _rounded(numerator: int, denominator: int) -> int:
    quotient, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and quotient % 2):
        quotient += 1
    return quotient
