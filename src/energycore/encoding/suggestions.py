"""What somebody may have meant by a wrong key or word, unit prefixes included."""

import difflib
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Final

from energycore.devices.base import Device
from energycore.quantities.units import Unit

__all__ = ["close_to", "key_meant", "units_of_kind"]

# How a key may end instead, and how many of the unit that energycore uses that is.
_CONVERSIONS: Final[Mapping[str, Mapping[str, float]]] = {
    "w": {"w": 1, "watt": 1, "watts": 1, "kw": 1e3, "mw": 1e6, "kwp": 1e3, "wp": 1},
    "wh": {"wh": 1, "kwh": 1e3, "mwh": 1e6},
    "s": {"s": 1, "sec": 1, "seconds": 1, "min": 60, "minutes": 60, "h": 3_600, "hours": 3_600},
    "": {"percent": 0.01, "pct": 0.01},
}


def units_of_kind(kind: type[Device]) -> Mapping[str, Unit]:
    """The unit of each rating of a kind that has one, by the name of its field."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return {
        name: part
        for name, hint in hints.items()
        for part in getattr(hint, "__metadata__", ())
        if isinstance(part, Unit)
    }


def close_to(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like this one, if any is like it at all."""
    words = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), words, n=1, cutoff=0.6)
    return words[found[0]] if found else None


def key_meant(key: str, value: Any, known: Iterable[str], units: Mapping[str, Unit]) -> str | None:
    """The known key that is meant, with the value in its unit and the unit's name, as a phrase.

    `capacity_kwh = 13.5` becomes `capacity_wh = 13500, in watt-hours`.
    """
    names = list(known)
    converted = _in_another_unit(key, names)
    name = close_to(key, names) if converted is None else converted[0]
    if name is None:
        return None
    meaning = _meaning(units.get(name))
    if converted is None or isinstance(value, bool) or not isinstance(value, int | float):
        return f"{name}{meaning}"
    return f"{name} = {value * converted[1]:.12g}{meaning}"


def _meaning(unit: Unit | None) -> str:
    if unit is None:
        return ""
    return f", a {unit.meaning}" if unit.symbol == "1" else f", in {unit.meaning}"


def _in_another_unit(key: str, names: Iterable[str]) -> tuple[str, float] | None:
    """The name that says the same in the right unit, and the factor to get there."""
    stem, _, ending = key.lower().rpartition("_")
    for unit, endings in _CONVERSIONS.items():
        name = f"{stem}_{unit}" if unit else stem
        if ending in endings and name in names and name != key:
            return name, endings[ending]
    return None
