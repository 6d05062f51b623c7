"""What all backends compute alike: keys of orders, and what a cursor may hold."""

import math
from typing import Final

import numpy as np

from energycore.devices.fields import MAX_TEXT
from energycore.errors import InvalidCursor, InvalidValue
from energycore.protocols.records import Cursor, DeviceOrderField, DeviceRecord, PageRequest
from energycore.quantities.units import MISSING
from energycore.telemetry.groups import group_starts
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.tiers import US_PER_DAY

__all__ = [
    "MAX_INT64",
    "MIN_INT64",
    "check_cursors",
    "check_seed",
    "check_storable",
    "check_text",
    "is_storable",
    "marked_days",
    "name_key",
    "order_key",
]

MIN_INT64: Final = -(1 << 63)
MAX_INT64: Final = (1 << 63) - 1


def name_key(name: str) -> str:
    """What names are ordered and searched by: case-folded, compared by code point."""
    return name.casefold()


def order_key(record: DeviceRecord, field: DeviceOrderField) -> str | int | float:
    """The key of a device in an order, as its cursor carries it."""
    if field is DeviceOrderField.NAME:
        return name_key(record.device.name)
    if field is DeviceOrderField.REGISTERED_AT:
        return record.registered_at_us
    return record.device.largest_power_w


def check_cursors(request: PageRequest, field: DeviceOrderField | None) -> None:
    """Refuse cursors that no list in this order makes; None stands for an order by identity.

    Raises:
        InvalidCursor: the key is of another type, or no number or text that can be stored.
    """
    for name, cursor in (("after", request.after), ("before", request.before)):
        if cursor is not None and not (_is_int64(cursor.id) and _fits(cursor, field)):
            raise InvalidCursor(name, cursor, "a cursor of this list in this order")


def check_seed(seed: int) -> None:
    """Refuse a seed that not every backend can keep.

    Raises:
        InvalidValue: it is no signed whole number of 64 bits.
    """
    if not _is_int64(seed):
        raise InvalidValue("seed", seed, f"a whole number from {MIN_INT64} to {MAX_INT64}")


def check_text(field: str, text: str | None) -> None:
    """Refuse a short text that not every backend can keep; None is no text.

    Raises:
        InvalidValue: it is longer than 200 characters, or not storable.
    """
    if text is not None:
        check_storable(field, text)
        if len(text) > MAX_TEXT:
            raise InvalidValue(field, text, f"at most {MAX_TEXT} characters")


def check_storable(field: str, text: str) -> None:
    """Refuse a text that not every backend can keep.

    Raises:
        InvalidValue: it holds NUL or half of a surrogate pair.
    """
    if not is_storable(text):
        raise InvalidValue(field, text, "text without NUL and lone surrogates")


def is_storable(text: str) -> bool:
    """Whether every backend can keep a text: neither NUL nor half of a surrogate pair in it."""
    return "\0" not in text and text.encode(errors="replace").decode() == text


def marked_days(
    changed: ReadingBatch, reach_us: tuple[int, int], rolled_us: int | None
) -> list[tuple[int, int]]:
    """The devices and days whose kept totals do not hold these readings, in order.

    Args:
        changed: readings that were stored.
        reach_us: how far before and after its instant a reading changes totals.
        rolled_us: the watermark.
    """
    if rolled_us is None:
        return []
    before_us, after_us = reach_us
    late = changed.take(np.flatnonzero(changed.at_us - before_us < rolled_us))
    first = (late.at_us - before_us) // US_PER_DAY
    last = np.minimum(late.at_us + after_us, rolled_us - 1) // US_PER_DAY
    order = np.lexsort((last, first, late.device_id))
    spans = [column[order] for column in (late.device_id, first, last)]
    different = group_starts(*spans)
    found = {
        (device_id, day)
        for device_id, from_day, to_day in zip(
            *(column[different].tolist() for column in spans), strict=True
        )
        for day in range(from_day, to_day + 1)
    }
    return sorted(found)


def _fits(cursor: Cursor, field: DeviceOrderField | None) -> bool:
    key = cursor.key
    if field is DeviceOrderField.NAME:
        return isinstance(key, str) and is_storable(key)
    if field is DeviceOrderField.RATED_POWER:
        return (isinstance(key, float) and not math.isnan(key)) or _is_int64(key)
    return _is_int64(key)


def _is_int64(value: object) -> bool:
    return (
        isinstance(value, int)
        and not isinstance(value, bool)
        # The least number stands for an absent value.
        and MISSING < value <= MAX_INT64
    )
