"""Rows from whole columns: tuples, or the binary form of PostgreSQL's COPY made without a loop."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from typing import Final, TypeAlias

import numpy as np
from sqlalchemy import BigInteger, Column, Integer, SmallInteger, Table

from energycore.quantities.units import MISSING, IntArray

__all__ = ["Values", "encoded", "tuples"]

Values: TypeAlias = IntArray | int | str
"""A column: whole numbers, `MISSING` for NULL, or what is the same in every row."""

_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER: Final = b"\xff\xff"
_NULL: Final = -1
_ROWS_AT_ONCE: Final = 1 << 16
# Few enough to be made and forgotten within the caches of a processor.
_TUPLES_AT_ONCE: Final = 1 << 12
_WIDTHS: Final[dict[type, str]] = {SmallInteger: ">i2", Integer: ">i4", BigInteger: ">i8"}


def tuples(table: Table, columns: Mapping[str, Values]) -> Iterator[list[tuple[object, ...]]]:
    """The rows of these columns of a table, in pieces; at least one column is an array."""
    for part in _pieces(columns, _TUPLES_AT_ONCE):
        yield list(zip(*(_objects(table.c[name], part[name]) for name in part), strict=False))


def encoded(table: Table, columns: Mapping[str, Values]) -> Iterator[bytes]:
    """The bytes that COPY ... (FORMAT BINARY) takes for these columns of a table, in pieces.

    The format is described under "Binary Format" of COPY in PostgreSQL's manual: each row is the
    number of its fields and for each field its length and its bytes, big-endian; NULL has the
    length -1 and no bytes.
    """
    yield _HEADER
    for part in _pieces(columns, _ROWS_AT_ONCE):
        yield _rows(table, part)
    yield _TRAILER


def _pieces(columns: Mapping[str, Values], size: int) -> Iterator[dict[str, Values]]:
    for begin in range(0, _count(columns), size):
        yield {
            name: values[begin : begin + size] if isinstance(values, np.ndarray) else values
            for name, values in columns.items()
        }


def _count(columns: Mapping[str, Values]) -> int:
    return next(len(values) for values in columns.values() if isinstance(values, np.ndarray))


def _objects(column: Column[object], values: Values) -> Iterable[object]:
    if not isinstance(values, np.ndarray):
        return repeat(values)
    if column.nullable:
        return [None if value == MISSING else value for value in values.tolist()]
    objects: list[object] = values.tolist()
    return objects


def _rows(table: Table, columns: Mapping[str, Values]) -> bytes:
    given = {
        name: values.encode() if isinstance(values, str) else values
        for name, values in columns.items()
    }
    layout = np.dtype(
        [("fields", ">i2")]
        + [
            part
            for name, values in given.items()
            for part in ((f"length of {name}", ">i4"), (name, _form(table.c[name], values)))
        ]
    )
    rows = np.empty(_count(columns), dtype=layout)
    rows["fields"] = len(given)
    kept = np.ones((len(rows), layout.itemsize), dtype=np.bool_)
    for name, values in given.items():
        rows[name] = values
        size = layout[name].itemsize
        rows[f"length of {name}"] = size
        if table.c[name].nullable:
            is_missing = np.asarray(values) == MISSING
            rows[f"length of {name}"][is_missing] = _NULL
            offset = layout.fields[name][1] if layout.fields else 0
            kept[is_missing, offset : offset + size] = False
    flat = rows.view(np.uint8)
    return flat.tobytes() if kept.all() else flat[kept.ravel()].tobytes()


def _form(column: Column[object], values: IntArray | int | bytes) -> str:
    return f"S{len(values)}" if isinstance(values, bytes) else _WIDTHS[type(column.type)]
