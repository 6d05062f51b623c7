"""Cursors: a place in a list and the order of the list, in an opaque text."""

import json
import math
from typing import Any

from energycore.errors import InvalidCursor
from energycore.graphql.schema.opaque import reveal, seal
from energycore.protocols.records import Cursor
from energycore.quantities.instants import FIRST_US, LAST_US

__all__ = ["decode_cursor", "decode_instant", "decode_key", "encode_cursor", "encode_key"]

_LIMIT = "a cursor of this list in this order"


def encode_cursor(order: str, place: Cursor) -> str:
    """Write a place in a list of records; `order` names the list and its order."""
    return _encode([order, place.key, place.id])


def decode_cursor(order: str, argument: str, text: str) -> Cursor:
    """Read a place back.

    Raises:
        InvalidCursor: the text is no cursor of this order.
    """
    key, number = _decode(order, argument, text, 3)
    if type(key) not in (str, int, float) or type(number) is not int:
        raise InvalidCursor(argument, text, _LIMIT)
    return Cursor(key, number)


def encode_key(order: str, key: str | int | None) -> str:
    """Write a place in a list of what has a key and no identity: a group, or an instant."""
    return _encode([order, key])


def decode_key(order: str, argument: str, text: str, key_type: type[str | int]) -> str | int | None:
    """Read the key of a group back.

    Raises:
        InvalidCursor: the text is no cursor of this order.
    """
    (key,) = _decode(order, argument, text, 2)
    if key is not None and type(key) is not key_type:
        raise InvalidCursor(argument, text, _LIMIT)
    return key


def decode_instant(order: str, argument: str, text: str) -> int:
    """Read an instant back, in epoch microseconds.

    Raises:
        InvalidCursor: the text is no cursor of this order.
    """
    at_us = decode_key(order, argument, text, int)
    if not isinstance(at_us, int) or not FIRST_US <= at_us < LAST_US:
        raise InvalidCursor(argument, text, _LIMIT)
    return at_us


def _encode(parts: list[Any]) -> str:
    return seal(json.dumps(parts, separators=(",", ":"), ensure_ascii=False, allow_nan=False))


def _decode(order: str, argument: str, text: str, length: int) -> list[Any]:
    try:
        parts = json.loads(reveal(text))
    except (ValueError, RecursionError):
        parts = None
    if not isinstance(parts, list) or len(parts) != length or parts[0] != order:
        raise InvalidCursor(argument, text, _LIMIT)
    if any(isinstance(part, float) and not math.isfinite(part) for part in parts):
        raise InvalidCursor(argument, text, _LIMIT)
    return parts[1:]
