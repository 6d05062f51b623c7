"""Exact sums of a quantity times its duration, in two whole numbers each.

A power of milliwatts held for milliseconds is energy. A hundred megawatts for a day nearly fill 64
bits of milliwatt-milliseconds, so sums are kept as whole hours' worth (for power: whole
milliwatt-hours) and a rest below it. Adding such pairs is exact in any order. They hold 4,611 TWh,
or stored TWh times hours; beyond that they are refused.
"""

from typing import Final, Self

import attrs
import numpy as np

from energycore.errors import InvalidValue
from energycore.quantities.units import IntArray

__all__ = ["MS_PER_HOUR", "Amounts"]

MS_PER_HOUR: Final = 3_600_000
_MOST: Final = 1 << 62
"""Half of what 64 bits hold: a sum in floating point tells the difference for certain."""


@attrs.frozen(eq=False)
class Amounts:
    """n sums of a quantity x times milliseconds.

    Args:
        whole: shape (n,), int64, whole x-hours, at most 2**62 in magnitude.
        rest: shape (n,), int64, x-milliseconds, 0 <= rest < 3,600,000.
    """

    whole: IntArray
    rest: IntArray

    @classmethod
    def of(cls, amounts: IntArray) -> Self:
        """Amounts [x ms] that 64 bits hold, in two numbers each."""
        return cls(*np.divmod(amounts, MS_PER_HOUR))

    @classmethod
    def sums_of_products(cls, values: IntArray, durations_ms: IntArray, starts: IntArray) -> Self:
        """Sum values times durations within groups of consecutive rows.

        Args:
            values: shape (n,), at most 2.5e12 in magnitude: 2.5 GW or GWh in thousandths.
            durations_ms: shape (n,), not negative, within two centuries in each group.
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

        The arguments are those of `sums_of_products`.
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
        """Sum these sums within groups of consecutive rows.

        Args:
            starts: shape (g,), the first row of each group; n > 0.

        Raises:
            InvalidValue: a sum exceeds 2**62 x-hours.
        """
        largest = np.abs(np.add.reduceat(self.whole.astype(np.float64), starts)).max()
        if largest > _MOST:
            raise InvalidValue("total", f"{largest:.6g}", "at most 2**62 mWh, or mWh h")
        return Amounts.normal(
            np.add.reduceat(self.whole, starts), np.add.reduceat(self.rest, starts)
        )

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
    return largest * longest_ms <= _MOST
