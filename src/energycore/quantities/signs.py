"""Powers and energies of other systems, whatever their sign and unit, as watts and watt-hours here.

Inside, a power is seen from the home's bus: + produces, - consumes. Others count otherwise, and one
system may use several conventions. What some of them do:

| system | grid | panels | battery | loads |
|---|---|---|---|---|
| energycore | `export_positive` | + produces | `discharge_positive` | - consumes |
| Home Assistant | `import_positive` | + produces | `discharge_positive` | + consumes |
| evcc | `import_positive` | + produces | `discharge_positive` | + consumes |
| OpenEMS | `import_positive` | + produces | `discharge_positive` | + consumes |
| Victron GX | `import_positive` | + produces | `charge_positive` | + consumes |
| Huawei SUN2000 | `export_positive` | + produces | `charge_positive` | |
| pandapower | | + produces | `charge_positive` | + consumes |
| PyPSA | | + produces | `discharge_positive` | + consumes |

"+ produces" is `production_positive`, "+ consumes" is `consumption_positive`. A meter can be
mounted the other way round: look at a value whose meaning you know before you trust a table.
"""

from enum import Enum
from fractions import Fraction
from types import MappingProxyType

import numpy as np

from energycore.errors import InvalidValue
from energycore.quantities.units import FloatArray

__all__ = [
    "SignConvention",
    "convention_of",
    "scale_of_energy",
    "scale_of_power",
    "to_energy_wh",
    "to_power_w",
]

_POWER_UNITS = MappingProxyType(
    {"mW": Fraction(1, 1_000), "W": Fraction(1), "kW": Fraction(1_000), "MW": Fraction(1_000_000)}
)
_ENERGY_UNITS = MappingProxyType(
    {"Wh": Fraction(1), "kWh": Fraction(1_000), "MWh": Fraction(1_000_000)}
)


class SignConvention(Enum):
    """What a positive power of another system means."""

    PRODUCTION_POSITIVE = "production_positive"
    """Of any device: it produces. The convention of energycore."""
    CONSUMPTION_POSITIVE = "consumption_positive"
    """Of any device, mostly of loads: it consumes."""
    EXPORT_POSITIVE = "export_positive"
    """Of the grid meter: the home exports, as in `net_power_w`."""
    IMPORT_POSITIVE = "import_positive"
    """Of the grid meter: the home imports."""
    DISCHARGE_POSITIVE = "discharge_positive"
    """Of a storage: it discharges."""
    CHARGE_POSITIVE = "charge_positive"
    """Of a storage: it charges."""

    @property
    def sign(self) -> int:
        """What a value is multiplied with to be one of energycore: 1 or -1."""
        return 1 if self in _AS_HERE else -1


_AS_HERE = frozenset(
    {
        SignConvention.PRODUCTION_POSITIVE,
        SignConvention.EXPORT_POSITIVE,
        SignConvention.DISCHARGE_POSITIVE,
    }
)


def convention_of(text: str) -> SignConvention:
    """A convention by its name, such as `import_positive`.

    Raises:
        InvalidValue: there is none of that name; the message lists the names.
    """
    for convention in SignConvention:
        if text == convention.value:
            return convention
    names = ", ".join(convention.value for convention in SignConvention)
    raise InvalidValue("sign", text, f"one of {names}")


def scale_of_power(unit: str) -> Fraction:
    """How many watts one mW, W, kW or MW is, exactly; small and capital letters differ.

    Raises:
        InvalidValue: it is no unit of power.
    """
    return _scale("power_unit", unit, _POWER_UNITS)


def scale_of_energy(unit: str) -> Fraction:
    """How many watt-hours one Wh, kWh or MWh is, exactly.

    Raises:
        InvalidValue: it is no unit of energy.
    """
    return _scale("energy_unit", unit, _ENERGY_UNITS)


def to_power_w(values: FloatArray, convention: SignConvention, unit: str = "W") -> FloatArray:
    """Turn powers of another system into watts of energycore.

    Args:
        values: any shape [unit]; NaN stays NaN.
        convention: what a positive value means there.
        unit: mW, W, kW or MW.

    Returns:
        Same shape [W]; + produces, - consumes.

    Raises:
        InvalidValue: the unit is unknown.

    Example:
        >>> to_power_w(np.array([1.5, -0.25]), SignConvention.IMPORT_POSITIVE, "kW").tolist()
        [-1500.0, 250.0]
    """
    power_w = _scaled(values, scale_of_power(unit))
    # Taken from 0 instead of negated: nothing stays 0.0 and does not become -0.0.
    return power_w if convention.sign > 0 else np.subtract(0.0, power_w)


def to_energy_wh(values: FloatArray, unit: str = "Wh") -> FloatArray:
    """Turn energies, such as the values of a counter, into watt-hours.

    Args:
        values: any shape [unit]; NaN stays NaN.
        unit: Wh, kWh or MWh.

    Returns:
        Same shape [Wh].

    Raises:
        InvalidValue: the unit is unknown.
    """
    return _scaled(values, scale_of_energy(unit))


def _scale(field: str, unit: str, units: MappingProxyType[str, Fraction]) -> Fraction:
    scale = units.get(unit)
    if scale is None:
        raise InvalidValue(field, unit, f"one of {', '.join(units)}")
    return scale


def _scaled(values: FloatArray, scale: Fraction) -> FloatArray:
    """Multiply or divide by a whole number, so that a value is rounded once."""
    if scale.denominator > 1:
        return np.true_divide(values, scale.denominator)
    return np.multiply(values, float(scale.numerator))
