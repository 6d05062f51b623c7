"""One transaction on a connection, and the few things that databases write differently."""

import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any, Final, TypeAlias

import numpy as np
from sqlalchemy import (
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    CursorResult,
    Executable,
    Row,
    Select,
    String,
    Table,
    any_,
    func,
    literal,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.selectable import Subquery

from energycore.errors import NotAllowed, NotFound
from energycore.quantities.units import IntArray
from energycore.storage.rules import MAX_INT64, MIN_INT64, is_storable
from energycore.storage.sql.arrays import as_arrays, from_array, given, number_array
from energycore.storage.sql.copying import Values, encoded, tuples
from energycore.storage.sql.engine import BINARY
from energycore.storage.sql.faults import translated
from energycore.storage.sql.tables import device

__all__ = ["AnyRow", "Rows", "Session", "Upsert"]

AnyRow: TypeAlias = "Row[*tuple[Any, ...]]"
"""A row of columns that only its statement knows."""

Rows: TypeAlias = "Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]"
"""A statement that selects."""

Upsert: TypeAlias = postgresql.Insert | sqlite.Insert
"""An INSERT that can say what happens to rows that are there already."""


_ROWS_AT_ONCE: Final = 10_000
_WATERMARK: Final = 0x656E_6572
_TOTALS: Final = 0x656E_6573
"""The class of advisory locks on the watermarks of tenants."""


class Session:
    """Executes the statements of one unit of work.

    Args:
        connection: with a transaction begun.
        write: whether the unit of work may change anything.
    """

    def __init__(self, connection: Connection, *, write: bool) -> None:
        self._connection = connection
        self.is_writable: Final = write
        self.is_postgresql: Final = connection.dialect.name == "postgresql"

    def read(
        self, statement: Executable, given: Mapping[str, Any] | None = None
    ) -> "CursorResult[*tuple[Any, ...]]":
        """Execute a statement that changes nothing, with these parameters if it has any."""
        with translated():
            return self._connection.execute(statement, given)

    def change(
        self, statement: Executable, rows: Sequence[Mapping[str, Any]] | None = None
    ) -> "CursorResult[*tuple[Any, ...]]":
        """Execute a statement that changes something, once or for each of these rows.

        Raises:
            NotAllowed: this unit of work only reads.
        """
        self.check_writable()
        with translated():
            return self._connection.execute(statement, rows)

    def load(self, table: Table, columns: Mapping[str, Values]) -> None:
        """Store many rows, none of which is there yet, from whole columns.

        Raises:
            NotAllowed: this unit of work only reads.
            Conflict: one of them is there; only a savepoint makes that good.
        """
        self.check_writable()
        with translated():
            if self.is_postgresql:
                self._copy(table, columns)
            else:
                insert = table.insert().compile(
                    dialect=self._connection.dialect, column_keys=list(columns)
                )
                in_order = {name: columns[name] for name in insert.positiontup or ()}
                for rows in tuples(table, in_order):
                    self._connection.exec_driver_sql(str(insert), rows)

    def plain(
        self, statement: Rows, given: Mapping[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """The rows of a statement that selects texts and whole numbers, as the driver has them.

        Rows that know their columns take a tenth longer.
        """
        with translated(), self._raw(statement):
            return list(self._connection.execute(statement, given).cursor.fetchall())

    def numbers(self, statement: Rows) -> list[IntArray]:
        """The whole numbers that a statement selects, as an array for each of its columns."""
        if self.is_postgresql:
            sent = self.read(as_arrays(statement).execution_options(**{BINARY: True})).one()
            return [from_array(column) for column in sent]
        # The driver's own tuples: rows that know their columns take as long again.
        with translated(), self._connection.execute(statement) as result, self._raw(statement):
            parts = iter(partial(result.cursor.fetchmany, _ROWS_AT_ONCE), [])
            numbers = chain.from_iterable(chain.from_iterable(parts))
            flat = np.fromiter(numbers, dtype=np.int64)
        return list(flat.reshape(-1, len(statement.selected_columns)).T)

    def numbers_and(self, statement: Rows, value: ColumnElement[Any]) -> tuple[list[IntArray], Any]:
        """The same on PostgreSQL, with a value that comes along."""
        both = as_arrays(statement).add_columns(value).execution_options(**{BINARY: True})
        *sent, told = self.read(both).one()
        return [from_array(column) for column in sent], told

    def given(self, **columns: IntArray) -> Subquery:
        """Rows that come with a statement, as a table; its `ordinal` counts them from 0."""
        return given(columns, is_postgresql=self.is_postgresql)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of the transaction that leaves nothing behind if it raises."""
        self.check_writable()
        with translated(), self._connection.begin_nested():
            yield

    def attempt(self, statement: Executable) -> "CursorResult[*tuple[Any, ...]]":
        """The same; if it breaks a constraint, the transaction goes on as if it had not run.

        Raises:
            Conflict: it broke a constraint.
        """
        self.check_writable()
        with translated(), self._connection.begin_nested():
            return self._connection.execute(statement)

    def check_writable(self) -> None:
        """Refuse to write where only reading was asked for.

        Raises:
            NotAllowed: this unit of work only reads.
        """
        if not self.is_writable:
            raise NotAllowed("this transaction only reads: ask for transaction(write=True)")

    def insert(self, table: Table) -> Upsert:
        """An INSERT of the database's own kind."""
        return postgresql.insert(table) if self.is_postgresql else sqlite.insert(table)

    def is_among(self, column: Column[Any], values: Collection[int | str]) -> ColumnElement[bool]:
        """Whether a column holds one of these; any number of them is one parameter."""
        texts = isinstance(column.type, String)
        wanted = [value for value in values if _can_be_there(value)]
        if len(wanted) == 1:
            # PostgreSQL finds it by the key even before it has counted what its tables hold.
            return column == wanted[0]
        if self.is_postgresql:
            of_texts = literal(wanted, postgresql.ARRAY(String()))
            return column == any_(of_texts if texts else number_array(list(map(int, wanted))))
        listed = func.json_each(json.dumps(wanted)).table_valued("value")
        return column.in_(select(listed.c.value))

    def has(self, column: Column[str], needle: str) -> ColumnElement[bool]:
        """Whether a text contains another one, code point by code point."""
        find = func.strpos if self.is_postgresql else func.instr
        return find(column, needle) > 0

    def hold_watermark(self, tenant: str, *, alone: bool) -> None:
        """Keep a tenant's watermark, and what days it has, as they are until the transaction ends.

        Whoever stores readings holds it together with others, whoever moves it holds it alone.
        The writers of SQLite take turns anyway.
        """
        self.check_writable()
        if self.is_postgresql:
            lock = func.pg_advisory_xact_lock if alone else func.pg_advisory_xact_lock_shared
            self.read(select(lock(_WATERMARK, _number_of(tenant))))

    def hold_totals(self, tenant: str) -> None:
        """Be the only one that computes totals of a tenant until the transaction ends.

        The writers of SQLite take turns anyway.
        """
        self.check_writable()
        if self.is_postgresql:
            self.read(select(func.pg_advisory_xact_lock(_TOTALS, _number_of(tenant))))

    def check_devices(self, tenant: str, ids: Iterable[int]) -> None:
        """Refuse identities that no device of the tenant has; none that it has ever goes.

        Raises:
            NotFound: names the first of them.
        """
        wanted = list(dict.fromkeys(ids))
        known = select(device.c.id).where(
            device.c.tenant_id == tenant, self.is_among(device.c.id, wanted)
        )
        found = set(self.read(known).scalars())
        for device_id in wanted:
            if device_id not in found:
                raise NotFound("device", device_id)

    def _copy(self, table: Table, columns: Mapping[str, Values]) -> None:
        statement = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
        cursor: Any = self._connection.connection.cursor()
        with self._raw(statement), cursor, cursor.copy(statement) as copy:
            for piece in encoded(table, columns):
                copy.write(piece)

    @contextmanager
    def _raw(self, statement: object) -> Iterator[None]:
        """Use the driver itself: its errors become those of SQLAlchemy."""
        driver = self._connection.dialect.loaded_dbapi
        try:
            yield
        except driver.Error as error:
            raise DBAPIError.instance(str(statement), None, error, driver.Error) from error


def _can_be_there(value: int | str) -> bool:
    return is_storable(value) if isinstance(value, str) else MIN_INT64 <= value <= MAX_INT64


def _number_of(tenant: str) -> int:
    """A number of 32 bits, as advisory locks have it; tenants that share one wait more often."""
    return zlib.crc32(tenant.encode()) - (1 << 31)
