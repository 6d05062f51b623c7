"""Pages by key: each begins where another ended, however the list has changed since."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import attrs
from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    String,
    Table,
    exists,
    literal,
    select,
    true,
    tuple_,
)

from energycore.protocols.records import Cursor, Page, PageRequest
from energycore.storage.sql.session import AnyRow, Session

__all__ = ["KeysetPager"]

Item = TypeVar("Item")


@attrs.frozen(kw_only=True, eq=False)
class KeysetPager:
    """Lists the rows of a table that match, ordered by a key column, equal ones by identity.

    Args:
        session: where to read.
        table: with an `id` column.
        key: the column that the list is ordered by.
        conditions: which rows belong to the list.
        descending: whether the list runs from the largest (key, id) to the smallest.
    """

    session: Session
    table: Table
    key: Column[Any]
    conditions: Sequence[ColumnElement[bool]]
    descending: bool = False

    def page(
        self, request: PageRequest, decode: Callable[[Sequence[AnyRow]], Sequence[Item]]
    ) -> Page[Item]:
        """The page; `decode` turns its rows into items. One statement, at most two more."""
        backwards = request.from_end
        bounds = []
        if request.after is not None:
            bounds.append(self._lies_after(request.after))
        if request.before is not None:
            bounds.append(self._lies_before(request.before))
        statement = self._ordered(select(self.table).where(*self.conditions, *bounds), backwards)
        rows = self.session.read(statement.limit(request.size + 1)).all()
        more = len(rows) > request.size
        rows = rows[: request.size]
        if backwards:
            rows = rows[::-1]
        places = tuple(Cursor(getattr(row, self.key.name), row.id) for row in rows)
        ahead, behind = self._surroundings(request, places, more)
        return Page(items=tuple(decode(rows)), cursors=places, has_next=ahead, has_previous=behind)

    def _surroundings(
        self, request: PageRequest, places: tuple[Cursor, ...], more: bool
    ) -> tuple[bool, bool]:
        """Whether anything lies after and before a page; `more`: beyond it, within its bounds.

        An empty page lies where its counting begins: just after `after`, or just before `before`.
        """
        backwards = request.from_end
        if places:
            ahead, behind = self._lies_after(places[-1]), self._lies_before(places[0])
            is_next = request.before is not None and self._any(ahead)
            is_previous = request.after is not None and self._any(behind)
            return (is_next, more or is_previous) if backwards else (more or is_next, is_previous)
        start = request.before if backwards else request.after
        if start is None:
            anything = more or self._any(true())
            return (False, anything) if backwards else (anything, False)
        ahead = ~self._lies_before(start) if backwards else self._lies_after(start)
        return self._any(ahead), self._any(~ahead)

    def _any(self, condition: ColumnElement[bool]) -> bool:
        found = exists(select(self.table.c.id).where(*self.conditions, condition))
        return bool(self.session.read(select(found)).scalar_one())

    def _ordered(self, statement: Select[Any], backwards: bool) -> Select[Any]:
        if self.descending is backwards:
            return statement.order_by(self.key, self.table.c.id)
        return statement.order_by(self.key.desc(), self.table.c.id.desc())

    def _lies_after(self, place: Cursor) -> ColumnElement[bool]:
        here, there = self._pair(place)
        later: ColumnElement[bool] = here < there if self.descending else here > there
        return later

    def _lies_before(self, place: Cursor) -> ColumnElement[bool]:
        here, there = self._pair(place)
        earlier: ColumnElement[bool] = here > there if self.descending else here < there
        return earlier

    def _pair(self, place: Cursor) -> tuple[Any, Any]:
        # A cast to a type with a length would cut the text.
        of_key = String() if isinstance(self.key.type, String) else self.key.type
        there = literal(place.key, of_key), literal(place.id, self.table.c.id.type)
        return tuple_(self.key, self.table.c.id), tuple_(*there)
