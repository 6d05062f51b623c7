"""Converters and validators of device fields: each refusal names field, value and limit."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from energycore.errors import InvalidValue
from energycore.quantities.units import MAX_CAPACITY_WH, MAX_POWER_W, MIN_EFFICIENCY

__all__ = [
    "ABOUT",
    "MAX_TEXT",
    "about",
    "between",
    "capacity",
    "efficiency",
    "number",
    "optional_number",
    "power",
    "text",
]

ABOUT = "energycore.about"
MAX_TEXT = 200

Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]


def about(sentence: str) -> Mapping[str, str]:
    """Metadata that says what a field means, for the schema, forms and reference pages."""
    return {ABOUT: sentence}


def number(value: object, field: "attrs.Attribute[Any]") -> float:
    """A converter of numbers, from any package, to finite floats; refuses text and booleans."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        if hasattr(value, "__float__") and not isinstance(value, bool | str | int | float):
            return number(float(value), field)
        raise InvalidValue(field.name, value, "a finite number")
    return float(value)


def optional_number(value: object, field: "attrs.Attribute[Any]") -> float | None:
    """The same for fields that may be None."""
    return None if value is None else number(value, field)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def between(
    low: float, high: float, unit: str, *, above: bool = False
) -> Callable[[Any, "attrs.Attribute[Any]", float], None]:
    """A validator of low <= value <= high, or low < value <= high with `above`."""
    limit = f"{'above' if above else 'at least'} {low:g} and at most {high:g} {unit}".strip()

    def check(instance: Any, attribute: "attrs.Attribute[Any]", value: float) -> None:
        if not (low < value <= high if above else low <= value <= high):
            raise InvalidValue(attribute.name, value, limit)

    return check


power = between(0.0, MAX_POWER_W, "W", above=True)
capacity = between(0.0, MAX_CAPACITY_WH, "Wh", above=True)
efficiency = between(MIN_EFFICIENCY, 1.0, "")


def text(instance: Any, attribute: "attrs.Attribute[Any]", value: object) -> None:
    """A validator of names: 1 to 200 printable characters, not blank at either end."""
    if (
        not isinstance(value, str)
        or not value
        or len(value) > MAX_TEXT
        or value != value.strip()
        or not value.isprintable()
    ):
        limit = f"1 to {MAX_TEXT} printable characters without blanks around them"
        raise InvalidValue(attribute.name, value, limit)
