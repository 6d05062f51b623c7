"""Cursors: a place in a list, in an opaque text that holds for one tenant, list and order only."""

import json
import math
from hashlib import blake2b
from hmac import compare_digest
from typing import Any, Final

from energycore.errors import InvalidCursor
from energycore.graphql.schema.opaque import reveal_bytes, seal_bytes
from energycore.protocols.records import Cursor
from energycore.protocols.scope import Scope, tenant_of
from energycore.quantities.instants import FIRST_US, LAST_US

__all__ = [
    "Listing",
    "decode_cursor",
    "decode_instant",
    "decode_key",
    "encode_cursor",
    "encode_key",
]

_LIMIT: Final = "a cursor of this list in this order"
_DIGEST_BYTES: Final = 9
# One for all: json.dumps makes an encoder for each call.
_ENCODE: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


class Listing:
    """A list of one tenant in one order: its cursors are refused by every other one.

    Args:
        scope: whose list it is.
        order: names the list and its order.

    Raises:
        ScopeRequired: there is no scope.
    """

    def __init__(self, scope: Scope, order: str) -> None:
        # No name of a tenant or an order has such a character: it shows where one ends.
        head = f"{tenant_of(scope)}\0{order}\0"
        self._hash = blake2b(head.encode("utf-8"), digest_size=_DIGEST_BYTES)

    def encode(self, parts: list[Any]) -> str:
        """Write a place in the list."""
        content = _ENCODE(parts).encode("utf-8")
        return seal_bytes(self._digest(content) + content)

    def decode(self, argument: str, text: str, length: int) -> list[Any]:
        """Read a place of so many parts back.

        Raises:
            InvalidCursor: the text is no cursor of this list.
        """
        try:
            sealed = reveal_bytes(text)
            digest, content = sealed[:_DIGEST_BYTES], sealed[_DIGEST_BYTES:]
            parts = json.loads(content) if compare_digest(self._digest(content), digest) else None
        except (ValueError, RecursionError):
            parts = None
        # The digest keeps mistakes out; who makes one up on purpose is held to the form as well.
        if not isinstance(parts, list) or len(parts) != length:
            raise InvalidCursor(argument, text, _LIMIT)
        if any(isinstance(part, float) and not math.isfinite(part) for part in parts):
            raise InvalidCursor(argument, text, _LIMIT)
        return parts

    def _digest(self, content: bytes) -> bytes:
        own = self._hash.copy()
        own.update(content)
        return own.digest()


def encode_cursor(listing: Listing, place: Cursor) -> str:
    """Write a place in a list of records."""
    return listing.encode([place.key, place.id])


def decode_cursor(listing: Listing, argument: str, text: str) -> Cursor:
    """Read a place back.

    Raises:
        InvalidCursor: the text is no cursor of this list.
    """
    key, number = listing.decode(argument, text, 2)
    if type(key) not in (str, int, float) or type(number) is not int:
        raise InvalidCursor(argument, text, _LIMIT)
    return Cursor(key, number)


def encode_key(listing: Listing, key: str | int | None) -> str:
    """Write a place in a list of what has a key and no identity: a group, or an instant."""
    return listing.encode([key])


def decode_key(
    listing: Listing, argument: str, text: str, key_type: type[str | int]
) -> str | int | None:
    """Read the key of a group back.

    Raises:
        InvalidCursor: the text is no cursor of this list.
    """
    (key,) = listing.decode(argument, text, 1)
    if key is not None and type(key) is not key_type:
        raise InvalidCursor(argument, text, _LIMIT)
    return key


def decode_instant(listing: Listing, argument: str, text: str) -> int:
    """Read an instant back, in epoch microseconds.

    Raises:
        InvalidCursor: the text is no cursor of this list.
    """
    at_us = decode_key(listing, argument, text, int)
    if not isinstance(at_us, int) or not FIRST_US <= at_us < LAST_US:
        raise InvalidCursor(argument, text, _LIMIT)
    return at_us
