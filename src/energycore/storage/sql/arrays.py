"""Columns of whole numbers: into a statement as one parameter each, and out of it as arrays."""

from typing import Any, Final

import numpy as np
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    LargeBinary,
    Select,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.sql.selectable import Subquery
from sqlalchemy.types import UserDefinedType

from energycore.quantities.units import IntArray

__all__ = ["as_arrays", "from_array", "given", "number_array"]

# As PostgreSQL sends an array: a head of five numbers of 4 bytes, then each number after its size.
_HEAD_BYTES: Final = 20
_ELEMENT: Final = np.dtype([("size", ">i4"), ("value", ">i8")])


class _BigIntegers(UserDefinedType[str]):
    """An array of PostgreSQL, given as text: of a list the driver would look at each element."""

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **_: Any) -> str:
        return "BIGINT[]"


def number_array(values: list[int]) -> ColumnElement[Any]:
    """Whole numbers as one parameter: an array of PostgreSQL."""
    return literal("{" + str(values)[1:-1] + "}", _BigIntegers())


def given(columns: dict[str, IntArray], *, is_postgresql: bool) -> Subquery:
    """Rows that come with the statement, as a table of these columns.

    A further column `ordinal` counts them from 0.
    """
    names = list(columns)
    numbers: list[ColumnElement[Any]]
    if is_postgresql:
        arrays = [number_array(column.tolist()) for column in columns.values()]
        rows = func.unnest(*arrays).table_valued(*names, with_ordinality="ordinal", name="item")
        rows = rows.render_derived()
        ordinal, numbers = rows.c.ordinal - 1, [rows.c[name] for name in names]
    else:
        text = str(np.column_stack(list(columns.values())).tolist())
        rows = func.json_each(text).table_valued("key", "value", name="item")
        ordinal = rows.c.key
        numbers = [func.json_extract(rows.c.value, f"$[{place}]") for place in range(len(names))]
    labels = [number.label(name) for name, number in zip(names, numbers, strict=True)]
    table = select(ordinal.label("ordinal"), *labels).select_from(rows)
    # SQLite keeps what has an offset as a table of its own, and does not read the text again for
    # each row of another one.
    return (table if is_postgresql else table.offset(0)).subquery("given")


def as_arrays(
    statement: "Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]",
) -> "Select[*tuple[Any, ...]]":
    """The whole numbers that a statement selects, none of them NULL, as one array a column.

    Each column has a name.

    As a single row they come one and a half to two times as fast. PostgreSQL gives up at 67
    million.
    """
    rows = statement.subquery("sent")
    # Written out: of many columns, expressions take longer to build than the rows to come.
    texts = [f"array_send(array_agg(sent.{name}))" for name in rows.c.keys()]  # noqa: SIM118 - without it columns
    return select(*(literal_column(text, LargeBinary) for text in texts)).select_from(rows)


def from_array(sent: bytes | None) -> IntArray:
    """What PostgreSQL sends for an array of whole numbers; None stands for no rows."""
    if sent is None:
        return np.empty(0, dtype=np.int64)
    return np.frombuffer(sent, dtype=_ELEMENT, offset=_HEAD_BYTES)["value"].astype(np.int64)
