"""Exact sums of a quantity times its duration, in two whole numbers that no range overflows.

A power of milliwatts held for milliseconds is energy. A hundred megawatts for a day nearly fill 64
bits of milliwatt-milliseconds, so sums are kept as whole hours' worth (for power: whole
milliwatt-hours) and a rest below it. Adding such pairs is exact in any order.
"""

from typing import Final, Self

import attrs
import numpy as np

from energycore.quantities.units import IntArray

__all__ = ["MS_PER_HOUR", "Amounts"]

MS_PER_HOUR: Final = 3_600_000
_SAFE: Final = 1 << 62


@attrs.frozen(eq=False)
class Amounts:
    """n sums of a quantity x times milliseconds.

    Args:
        whole: shape (n,), int64, whole x-hours.
        rest: shape (n,), int64, x-milliseconds, 0 <= rest < 3,600,000.
    """

    whole: IntArray
    rest: IntArray

    def __len__(self) -> int:
        return len(self.whole)

    @classmethod
    def zeros(cls, count: int) -> Self:
        """n sums of nothing."""
        return cls(np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64))

    @classmethod
    def of(cls, amounts: IntArray) -> Self:
        """Amounts [x ms] that 64 bits hold, in two numbers each."""
        return cls(*np.divmod(amounts, MS_PER_HOUR))

    @classmethod
    def sums_of_products(cls, values: IntArray, durations_ms: IntArray, starts: IntArray) -> Self:
        """Sum values times durations within groups of consecutive rows.

        Args:
            values: shape (n,), at most 2.5e12 in magnitude.
            durations_ms: shape (n,), not negative.
            starts: shape (g,), the first row of each group; n > 0.
        """
        if _fits(values, durations_ms, starts):
            return cls.of(np.add.reduceat(values * durations_ms, starts))
        hours, rest_ms = np.divmod(durations_ms, MS_PER_HOUR)
        whole, rest = np.divmod(values * rest_ms, MS_PER_HOUR)
        return cls.normal(
            np.add.reduceat(whole + values * hours, starts), np.add.reduceat(rest, starts)
        )

    @classmethod
    def halves_of_products(
        cls, values: IntArray, durations_ms: IntArray, starts: IntArray
    ) -> tuple[Self, Self]:
        """Sum the products of positive and those of negative values apart, both as >= 0.

        Args:
            values: as for `sums_of_products`.
            durations_ms: likewise.
            starts: likewise.
        """
        if not _fits(values, durations_ms, starts):
            return (
                cls.sums_of_products(np.maximum(values, 0), durations_ms, starts),
                cls.sums_of_products(np.maximum(-values, 0), durations_ms, starts),
            )
        products = values * durations_ms
        net = np.add.reduceat(products, starts)
        positive = np.add.reduceat(np.maximum(products, 0, out=products), starts)
        return cls.of(positive), cls.of(positive - net)

    @classmethod
    def normal(cls, whole: IntArray, rest: IntArray) -> Self:
        """Carry what is above an hour's worth from the rest to the whole."""
        carry, rest = np.divmod(rest, MS_PER_HOUR)
        return cls(whole + carry, rest)

    def sums(self, starts: IntArray) -> "Amounts":
        """Sum these sums within groups of consecutive rows; n > 0."""
        return Amounts.normal(
            np.add.reduceat(self.whole, starts), np.add.reduceat(self.rest, starts)
        )

    def minus(self, other: "Amounts") -> "Amounts":
        """The differences of these sums and others."""
        return Amounts.normal(self.whole - other.whole, self.rest - other.rest)

    def take(self, rows: IntArray) -> "Amounts":
        """The sums at these positions."""
        return Amounts(self.whole[rows], self.rest[rows])

    def exact(self) -> list[int]:
        """The sums in x-milliseconds as Python integers, which cannot overflow."""
        return [
            whole * MS_PER_HOUR + rest
            for whole, rest in zip(self.whole.tolist(), self.rest.tolist(), strict=True)
        ]


def _fits(values: IntArray, durations_ms: IntArray, starts: IntArray) -> bool:
    """Whether 63 bits hold each sum of products within groups of consecutive rows."""
    longest_ms = int(np.add.reduceat(durations_ms, starts).max())
    largest = max(-int(values.min()), int(values.max()))
    return largest * longest_ms < _SAFE
