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
    "every_fault",
    "number",
    "power",
    "text",
]

ABOUT = "energycore.about"
MAX_TEXT = 200

Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]


def about(sentence: str) -> Mapping[str, str]:
    """Metadata that says what a field means, for the schema, forms and reference pages."""
    return {ABOUT: sentence}


def number(value: float) -> float:
    """A converter of numbers from any package to float.

    What is no finite number is left as it is: the validator, which knows the field, refuses it.
    """
    if isinstance(value, bool | str) or not hasattr(value, "__float__"):
        return value
    try:
        return float(value)
    except (OverflowError, TypeError, ValueError):
        return value


def between(low: float, high: float, unit: str, *, above: bool = False) -> Validator:
    """A validator of low <= value <= high, or low < value <= high with `above`."""
    least = f"{'above' if above else 'at least'} {_shown(low)}"
    limit = f"{least} and at most {_shown(high)} {unit}".strip()

    def check(instance: Any, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if not isinstance(value, float) or not math.isfinite(value):
            raise InvalidValue(attribute.name, value, "a finite number")
        if not (low < value <= high if above else low <= value <= high):
            raise InvalidValue(attribute.name, value, limit)

    return check


def every_fault(kind: type, given: Mapping[str, object]) -> tuple[InvalidValue, ...]:
    """Everything that is wrong with the fields of a class, where making it tells the first only.

    A check that needs another field than its own is left out where that one is wrong.

    Args:
        kind: an attrs class, such as a kind of device, whose validators raise `InvalidValue`.
        given: its arguments by name; those with a default may be absent.

    Returns:
        In the order of the fields; empty if `kind(**given)` checks no more than its fields and
        would not raise.
    """
    draft: Any = object.__new__(kind)
    fields = attrs.fields(kind)
    for field in fields:
        if field.name in given:
            value = given[field.name]
            held = value if field.converter is None else field.converter(value)
            object.__setattr__(draft, field.name, held)
        elif not isinstance(field.default, attrs.Factory):  # type: ignore[arg-type] # a class
            object.__setattr__(draft, field.name, field.default)
    faults = []
    for field in fields:
        if field.validator is None or not hasattr(draft, field.name):
            continue
        try:
            field.validator(draft, field, getattr(draft, field.name))
        except InvalidValue as fault:
            faults.append(fault)
            object.__delattr__(draft, field.name)
        except AttributeError:
            # It reads a field that was wrong itself.
            if not faults:
                raise
    return tuple(faults)


def _shown(bound: float) -> str:
    return f"{bound:,.0f}" if bound == round(bound) else f"{bound:g}"


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
