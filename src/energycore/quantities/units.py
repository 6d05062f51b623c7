"""Annotated units, and the exact integers that energy and power are counted in.

Stored energy inside a simulation is a whole number of nanowatt-hours, readings are whole
milliwatts and milliwatt-hours, and the balance of a site is summed in whole microwatts: whole
numbers add up to the same total in any order.
"""

from typing import Annotated, Final

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MAX_CAPACITY_WH",
    "MAX_POWER_W",
    "MILLI_PER_UNIT",
    "MIN_EFFICIENCY",
    "MISSING",
    "NWH_PER_WH",
    "UW_PER_W",
    "FloatArray",
    "Fraction",
    "IntArray",
    "Seconds",
    "Unit",
    "WattHours",
    "Watts",
    "from_milli",
    "to_milli",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@attrs.frozen
class Unit:
    """The unit of an annotated number, as code, docs and schema print it."""

    symbol: str
    meaning: str


Watts = Annotated[float, Unit("W", "watts")]
WattHours = Annotated[float, Unit("Wh", "watt-hours")]
Fraction = Annotated[float, Unit("1", "fraction, 0 to 1")]
Seconds = Annotated[float, Unit("s", "seconds")]

NWH_PER_WH: Final = 1_000_000_000
UW_PER_W: Final = 1_000_000
MILLI_PER_UNIT: Final = 1_000

MAX_POWER_W: Final = 1e8
"""Largest rating [W]: 100 MW for a day at `MIN_EFFICIENCY` stays within int64 nanowatt-hours."""
MAX_CAPACITY_WH: Final = 1e9
"""Largest capacity [Wh]: 1 GWh, and such a day on top of it, stays within them too."""
MIN_EFFICIENCY: Final = 0.3
"""Least efficiency of a storage, one way."""
MISSING: Final = int(np.iinfo(np.int64).min)
"""Marks an absent value in a column of milli-units."""


def to_milli(values: FloatArray) -> IntArray:
    """Quantise watts or watt-hours to whole milli-units, halves to even.

    Args:
        values: any shape [W or Wh]; NaN stands for an absent value.

    Returns:
        Same shape, int64 [mW or mWh], with `MISSING` where the value was NaN.
    """
    scaled = np.multiply(values, MILLI_PER_UNIT)
    np.rint(scaled, out=scaled)
    absent = np.isnan(scaled)
    if absent.any():
        scaled[absent] = 0.0
        whole = scaled.astype(np.int64)
        whole[absent] = MISSING
        return whole
    return scaled.astype(np.int64)


def from_milli(values: IntArray) -> FloatArray:
    """Turn whole milli-units back into watts or watt-hours; `MISSING` becomes NaN."""
    result: FloatArray = np.true_divide(values, MILLI_PER_UNIT)
    absent = values == MISSING
    if absent.any():
        result[absent] = np.nan
    return result
