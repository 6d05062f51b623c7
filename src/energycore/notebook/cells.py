"""What the cells of a frame mean: instants, numbers and devices, and which of them mean nothing."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import NDArray

from energycore.errors import (
    EnergycoreError,
    InstantOutOfRange,
    InstantWithoutZone,
    InvalidValue,
    NotFound,
)
from energycore.notebook.instants import local_offsets_us, read_instant
from energycore.notebook.raw import RawColumn
from energycore.quantities.instants import (
    FIRST_US,
    LAST_US,
    US_PER_MS,
    US_PER_SECOND,
    from_epoch_us,
)
from energycore.quantities.units import IntArray

__all__ = ["Cells", "device_ids", "instants", "numbers"]

_PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NOT_A_TIME: Final = np.iinfo(np.int64).min
_GREATEST: Final = np.iinfo(np.int64).max
_EXACT: Final = 2**53
"""Below it a float64 holds every whole number."""
_WITH_OFFSET: Final = "a datetime with an offset"


@attrs.frozen(kw_only=True, eq=False)
class Cells:
    """n values, and the cells that could not be read, by their position."""

    values: NDArray[Any]
    refused: dict[int, EnergycoreError]


def numbers(column: RawColumn, field: str, limit: str) -> Cells:
    """Numbers as float64; NaN where there is none.

    Args:
        column: numbers, or objects that are numbers or texts of numbers.
        field: what it is called in a refusal.
        limit: what a cell must be.

    Raises:
        InvalidValue: it is a column of instants.
    """
    if column.values.dtype.kind == "M":
        raise InvalidValue(field, column.kind, "a column of numbers")
    if column.values.dtype.kind != "O":
        return Cells(values=column.values.astype(np.float64), refused={})
    cells = column.values.tolist()
    values = [_number(cell) for cell in cells]
    refused: dict[int, EnergycoreError] = {
        row: InvalidValue(field, cells[row], limit)
        for row, value in enumerate(values)
        if value is None
    }
    return Cells(values=np.array(values, dtype=np.float64), refused=refused)


def _number(cell: object) -> float | None:
    """A cell as a number, NaN if it is empty, None if it is none."""
    if cell is None:
        return np.nan
    if isinstance(cell, bool) or not isinstance(cell, str | int | float | np.number | Decimal):
        return None
    try:
        return float(cell)
    except (ValueError, OverflowError):
        return None


def device_ids(column: RawColumn) -> Cells:
    """Identities of devices as int64; what cannot be one is refused as an unknown device.

    Raises:
        InvalidValue: it is a column of instants.
    """
    values = column.values
    if values.dtype.kind in "iu":
        possible = (values >= 0) & (values <= _GREATEST)
    else:
        values = numbers(column, "device_id", "the id of a device").values
        possible = (values >= 0) & (values < _EXACT) & (values == np.floor(values))
    refused: dict[int, EnergycoreError] = {
        row: NotFound("device", None if isinstance(cell, float) and np.isnan(cell) else cell)
        for row, cell in _at(column.values, ~possible)
    }
    return Cells(values=np.where(possible, values, 0).astype(np.int64), refused=refused)


def instants(column: RawColumn, zone: ZoneInfo | None) -> Cells:
    """Instants as epoch microseconds in whole milliseconds, halves to even.

    A local time without an offset that the clocks skipped or showed twice is refused.

    Args:
        column: instants, or objects that are datetimes, dates or ISO 8601 texts of them.
        zone: where local times without an offset were read from a clock.

    Raises:
        InstantWithoutZone: none of them has an offset, and no zone is given.
        InvalidValue: it is a column of numbers, which do not say what they count.
    """
    kind, unit = column.values.dtype.kind, "us"
    if kind == "O":
        raw, is_local, refused = _parsed(column.values.tolist())
    elif kind == "M":
        unit, _ = np.datetime_data(column.values.dtype)
        raw = column.values.view(np.int64)
        is_local = np.full(len(raw), not column.has_zone)
        refused = {
            row: InvalidValue("at", None, _WITH_OFFSET) for row, _ in _at(raw, raw == _NOT_A_TIME)
        }
    else:
        limit = "a column of instants, such as datetime64, or of ISO 8601 texts"
        raise InvalidValue("at", column.kind, limit)
    told = is_local[raw != _NOT_A_TIME]
    if zone is None and len(told) and told.all():
        limit = "instants with an offset, or time_zone must name the zone that they are in"
        raise InstantWithoutZone("at", column.kind, limit)
    return _settled(raw, is_local, refused, unit, zone)


def _parsed(cells: list[Any]) -> tuple[IntArray, NDArray[np.bool_], dict[int, EnergycoreError]]:
    """Microseconds of each cell, whether they count on a local clock, and what is no instant."""
    raw = np.full(len(cells), _NOT_A_TIME)
    is_local = np.zeros(len(cells), dtype=np.bool_)
    refused: dict[int, EnergycoreError] = {}
    # Many devices report at the same instants.
    known: dict[str, tuple[int, bool]] = {}
    for row, cell in enumerate(cells):
        found = known.get(cell) if isinstance(cell, str) else None
        if found is None:
            try:
                found = _counted(cell)
            except InvalidValue as error:
                refused[row] = error
                continue
            if isinstance(cell, str):
                known[cell] = found
        raw[row], is_local[row] = found
    return raw, is_local, refused


def _counted(cell: object) -> tuple[int, bool]:
    """Microseconds since 1970, and whether they count on a local clock instead of in UTC."""
    if cell is None:
        raise InvalidValue("at", None, _WITH_OFFSET)
    value = read_instant(cell, "at")
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    is_local = value.utcoffset() is None
    since = (value.replace(tzinfo=UTC) if is_local else value) - _EPOCH
    return since // _MICROSECOND, is_local


def _settled(
    raw: IntArray,
    is_local: NDArray[np.bool_],
    refused: dict[int, EnergycoreError],
    unit: str,
    zone: ZoneInfo | None,
) -> Cells:
    """Instants in any unit as whole milliseconds in UTC.

    Args:
        raw: shape (n,), units since 1970; `_NOT_A_TIME` where the cell is refused already.
        is_local: shape (n,), whether they were counted on a local clock.
        refused: what is refused already; the others are added to it.
        unit: s, ms, us or ns.
        zone: where local clocks stand.
    """
    first, last = (at_us * _PER_SECOND[unit] // US_PER_SECOND for at_us in (FIRST_US, LAST_US))
    possible = (raw >= first) & (raw < min(last, _GREATEST))
    for row, value in _at(raw, ~possible & (raw != _NOT_A_TIME)):
        written = str(np.datetime_as_string(np.array(value, dtype=f"datetime64[{unit}]")))
        refused[row] = InstantOutOfRange("at", written, "between the years 1900 and 2300")
    clock_us, at_us = _in_us(np.where(possible, raw, 0), _PER_SECOND[unit])
    local = np.flatnonzero(is_local & possible)
    if zone is None or not len(local):
        limit, unclear = _WITH_OFFSET, local
    else:
        limit = f"a time that the clocks of {zone.key} show once, or one with an offset"
        offsets_us, is_clear = local_offsets_us(zone, clock_us[local])
        # Offsets are whole seconds: what is rounded already would be rounded to the same.
        at_us[local] -= offsets_us
        unclear = local[~is_clear]
    for row in unclear.tolist():
        shown = from_epoch_us(int(clock_us[row])).replace(tzinfo=None)
        refused[row] = InstantWithoutZone("at", shown, limit)
    return Cells(values=at_us, refused=refused)


def _in_us(raw: IntArray, per_second: int) -> tuple[IntArray, IntArray]:
    """Epoch microseconds, rounded down, and in whole milliseconds, halves to even."""
    if per_second <= _PER_SECOND["ms"]:
        at_us = raw * (US_PER_SECOND // per_second)
        return at_us, at_us.copy()
    per_ms = per_second // _PER_SECOND["ms"]
    whole, rest = np.divmod(raw, per_ms)
    whole += (2 * rest > per_ms) | ((2 * rest == per_ms) & (whole % 2 == 1))
    return raw // (per_second // US_PER_SECOND), whole * US_PER_MS


def _at(values: NDArray[Any], chosen: NDArray[np.bool_]) -> Iterable[tuple[int, Any]]:
    """The positions and values of the chosen cells."""
    return zip(np.flatnonzero(chosen).tolist(), values[chosen].tolist(), strict=True)
