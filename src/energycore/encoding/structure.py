"""Plain mappings to attrs values, strictly: no text passes for a number, no key is overlooked."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, TypeVar, cast

import attrs
import cattrs
from cattrs.errors import AttributeValidationNote, ClassValidationError

from energycore.devices.fields import number
from energycore.errors import InvalidValue

__all__ = ["structure", "unstructure"]

Value = TypeVar("Value")


class _WrongType(TypeError):
    """A value is not of its field's type; says what the field takes."""


@cache
def _fast() -> cattrs.Converter:
    """Stops at the first fault without saying where it is."""
    return _strict(detailed=False)


@cache
def _detailed() -> cattrs.Converter:
    """Slower, and knows the field that each fault belongs to."""
    return _strict(detailed=True)


def structure(plain: Mapping[str, Any], target: type[Value]) -> Value:
    """Make an attrs value from its fields by name.

    Raises:
        InvalidValue: a key is unknown, a required one missing, or a value of a wrong type or
            outside of its limits; names the field.
    """
    required, known = _keys(cast(Any, target))
    if not plain.keys() <= known:
        unknown = min(map(str, plain.keys() - known))
        names = ", ".join(sorted(known)) or "no parameters"
        raise InvalidValue(unknown, plain.get(unknown), f"a known name ({names})")
    if not required <= plain.keys():
        raise InvalidValue(min(required - plain.keys()), None, "given")
    try:
        return _fast().structure(plain, target)
    except InvalidValue:
        raise
    except (TypeError, ValueError, KeyError):
        pass
    try:
        return _detailed().structure(plain, target)
    except ClassValidationError as fault:
        raise _named(fault, plain) from None


def unstructure(value: Any) -> dict[str, Any]:
    """The fields of an attrs value by name, as plain data."""
    plain: dict[str, Any] = _fast().unstructure(value)
    return plain


# The target is Any because mypy takes the classes of attrs for unhashable.
@cache
def _keys(target: Any) -> tuple[frozenset[str], frozenset[str]]:
    """The names of the required fields and of all fields."""
    fields = [field for field in attrs.fields(target) if field.init]
    required = (field.name for field in fields if field.default is attrs.NOTHING)
    return frozenset(required), frozenset(field.name for field in fields)


def _strict(*, detailed: bool) -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=detailed)
    for kind, check in _CHECKS.items():
        converter.register_structure_hook(kind, check)
    return converter


def _number(value: Any, _: object) -> float:
    found = number(value)
    if not isinstance(found, float):
        raise _WrongType("a number")
    return found


def _checked(kind: type, meaning: str) -> Callable[[Any, object], Any]:
    def check(value: Any, _: object) -> Any:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise _WrongType(meaning)
        return value

    return check


_CHECKS: Final[Mapping[type, Callable[[Any, object], Any]]] = {
    bool: _checked(bool, "true or false"),
    int: _checked(int, "a whole number"),
    str: _checked(str, "text"),
    float: _number,
}


def _named(fault: ClassValidationError, plain: Mapping[str, Any]) -> InvalidValue:
    """The first fault of a detailed validation, with the field that it belongs to."""
    for inner in fault.exceptions:
        if isinstance(inner, InvalidValue):
            return inner
        for note in getattr(inner, "__notes__", ()):
            if isinstance(note, AttributeValidationNote):
                limit = str(inner) if isinstance(inner, _WrongType) else "of its declared type"
                return InvalidValue(note.name, plain.get(note.name), limit)
    return InvalidValue("value", dict(plain), "of its declared type")
