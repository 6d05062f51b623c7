"""Which column of a file holds what: by its name, or by what was mapped."""

from collections.abc import Mapping, Sequence
from typing import Final

from energycore.cli.refusals import InvalidOption
from energycore.errors import InvalidValue

__all__ = ["chosen_columns"]

_FIELDS: Final = ("device_id", "at", "power_w", "stored_wh")
_OTHER_NAMES: Final = {"device_id": "device"}
"""What `energycore simulate --csv` calls them."""


def chosen_columns(
    mapped: Sequence[str], names: Sequence[str], *, counter: str | None, has_device: bool
) -> Mapping[str, str]:
    """The column of each field that is read.

    Args:
        mapped: FIELD=COLUMN, or FIELD= where no column is to be read.
        names: of the columns that the file has.
        counter: the column with the values of a counter, instead of powers.
        has_device: whether the device of all rows is named, instead of a column.

    Raises:
        InvalidValue: there is no such field or column, or they do not fit together.
    """
    wanted = _mapped(mapped)
    for field in _FIELDS:
        if field not in wanted:
            usual = (field, _OTHER_NAMES.get(field, field))
            wanted[field] = next((name for name in usual if name in names), "")
    if counter is not None:
        _refuse_beside_counter(mapped)
        wanted |= {"power_w": "", "stored_wh": "", "counter_wh": counter}
    chosen = {field: name for field, name in wanted.items() if name}
    for field in ("at", "power_w" if counter is None else "counter_wh"):
        if field not in chosen:
            raise InvalidOption("map", field, _missing(field, names))
    for name in chosen.values():
        if list(names).count(name) != 1:
            raise InvalidValue("map", name, f"a column that the file has once ({_listed(names)})")
    if has_device and "device_id" in chosen:
        column = chosen["device_id"]
        problem = f"column {column!r} tells the device: leave --device away, or --map device_id="
        raise InvalidOption("device", column, problem)
    if not has_device and "device_id" not in chosen:
        problem = f"{_missing('device_id', names)}, or name the device of all rows with --device"
        raise InvalidOption("device", None, problem)
    return chosen


def _mapped(mapped: Sequence[str]) -> dict[str, str]:
    wanted: dict[str, str] = {}
    for text in mapped:
        field, equals, column = text.partition("=")
        if not equals or field not in _FIELDS or field in wanted:
            limit = f"FIELD=COLUMN, with each of {', '.join(_FIELDS)} once at most"
            raise InvalidValue("map", text, limit)
        wanted[field] = column
    return wanted


def _refuse_beside_counter(mapped: Sequence[str]) -> None:
    for text in mapped:
        field, _, column = text.partition("=")
        if field in ("power_w", "stored_wh") and column:
            raise InvalidValue("map", text, "at= or device_id= beside --counter")


def _missing(field: str, names: Sequence[str]) -> str:
    return f"the file has no column {field!r}, only {_listed(names)}: say --map {field}=COLUMN"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names)) or "none"
