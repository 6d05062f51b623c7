"""Pages by key: each begins where another ended, however the list has changed since."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import attrs
from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    String,
    Table,
    exists,
    false,
    func,
    literal,
    select,
    true,
    tuple_,
)

from energycore.protocols.records import Cursor, Page, PageRequest
from energycore.storage.sql.session import AnyRow, Session

__all__ = ["KeysetPager"]

_PART, _RANK, _LENGTH = "part_key", "part_rank", "part_length"

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
        details: a further column of the rows of a page, for decoding.
    """

    session: Session
    table: Table
    key: Column[Any]
    conditions: Sequence[ColumnElement[bool]]
    descending: bool = False
    details: Callable[[FromClause], ColumnElement[Any]] | None = None

    def page(
        self, request: PageRequest, decode: Callable[[Sequence[AnyRow]], Sequence[Item]]
    ) -> Page[Item]:
        """The page; `decode` turns its rows into items. One statement, at most one more."""
        backwards = request.from_end
        statement = select(self.table, *self._details(self.table)).where(
            *self.conditions, *self._bounds(request)
        )
        statement = statement.order_by(*self._order(backwards))
        rows = self.session.read(statement.limit(request.size + 1)).all()
        more = len(rows) > request.size
        rows = rows[: request.size]
        if backwards:
            rows = rows[::-1]
        places = tuple(Cursor(getattr(row, self.key.name), row.id) for row in rows)
        ahead, behind = self._surroundings(request, places, more)
        return Page(items=tuple(decode(rows)), cursors=places, has_next=ahead, has_previous=behind)

    def pages(
        self,
        part: ColumnElement[Any],
        source: FromClause,
        keys: Iterable[Any],
        request: PageRequest,
        decode: Callable[[Sequence[AnyRow]], Sequence[Item]],
    ) -> Mapping[Any, Page[Item]]:
        """The same page of each part of the list. One statement for any number of parts, or two.

        Args:
            part: tells which part a row belongs to.
            source: the table, joined with what `part` needs.
            keys: the parts, which the conditions already keep to.
            request: which page.
            decode: turns rows into items.
        """
        backwards = request.from_end
        rank = func.row_number().over(partition_by=part, order_by=self._order(backwards))
        length = func.count().over(partition_by=part)
        ranked = (
            select(self.table, part.label(_PART), rank.label(_RANK), length.label(_LENGTH))
            .select_from(source)
            .where(*self.conditions, *self._bounds(request))
            .subquery()
        )
        place = ranked.c[_RANK]
        rows = self.session.read(
            select(ranked, *self._details(ranked))
            .where(place <= request.size)
            .order_by(place.desc() if backwards else place)
        ).all()
        found: dict[Any, list[tuple[AnyRow, Item]]] = {key: [] for key in keys}
        for row, item in zip(rows, decode(rows), strict=True):
            found[getattr(row, _PART)].append((row, item))
        if request.size and request.after is None and request.before is None:
            # Then each part that has rows shows some.
            extents = {key: _whole(own) for key, own in found.items() if own}
        else:
            extents = self._extents(part, source, request)
        nothing = 0, 0, 0
        return {
            key: self._part_page(own, request, *extents.get(key, nothing))
            for key, own in found.items()
        }

    def counts(self, part: ColumnElement[Any], source: FromClause) -> Mapping[Any, int]:
        """How many rows each part has that has any."""
        statement = select(part, func.count()).select_from(source).where(*self.conditions)
        return {row[0]: row[1] for row in self.session.read(statement.group_by(part))}

    def _details(self, rows: FromClause) -> list[ColumnElement[Any]]:
        return [] if self.details is None else [self.details(rows)]

    def _extents(
        self, part: ColumnElement[Any], source: FromClause, request: PageRequest
    ) -> dict[Any, tuple[int, int, int]]:
        """Of each part: its rows, those up to `after`, and those ahead of `before`, in number."""
        total = func.count()
        skipped: Any = literal(0)
        if request.after is not None:
            skipped = total - total.filter(self._lies_after(request.after))
        ahead = total if request.before is None else total.filter(self._lies_before(request.before))
        statement = select(part, total, skipped, ahead).select_from(source)
        rows = self.session.read(statement.where(*self.conditions).group_by(part))
        return {key: (length, after, before) for key, length, after, before in rows}

    def _part_page(
        self,
        found: Sequence[tuple[AnyRow, Item]],
        request: PageRequest,
        total: int,
        skipped: int,
        ahead: int,
    ) -> Page[Item]:
        start = ahead - len(found) if request.from_end else skipped
        return Page(
            items=tuple(item for _, item in found),
            cursors=tuple(Cursor(getattr(row, self.key.name), row.id) for row, _ in found),
            has_next=start + len(found) < total,
            has_previous=start > 0,
            total=total,
        )

    def _bounds(self, request: PageRequest) -> list[ColumnElement[bool]]:
        bounds = []
        if request.after is not None:
            bounds.append(self._lies_after(request.after))
        if request.before is not None:
            bounds.append(self._lies_before(request.before))
        return bounds

    def _surroundings(
        self, request: PageRequest, places: tuple[Cursor, ...], more: bool
    ) -> tuple[bool, bool]:
        """Whether anything lies after and before a page; `more`: beyond it, within its bounds.

        An empty page lies where its counting begins: just after `after`, or just before `before`.
        """
        backwards = request.from_end
        if places:
            is_next, is_previous = self._any(
                None if request.before is None else self._lies_after(places[-1]),
                None if request.after is None else self._lies_before(places[0]),
            )
            return (is_next, more or is_previous) if backwards else (more or is_next, is_previous)
        start = request.before if backwards else request.after
        if start is None:
            anything = more or self._any(true())[0]
            return (False, anything) if backwards else (anything, False)
        ahead = ~self._lies_before(start) if backwards else self._lies_after(start)
        is_next, is_previous = self._any(ahead, ~ahead)
        return is_next, is_previous

    def _any(self, *conditions: ColumnElement[bool] | None) -> list[bool]:
        """Whether there is a row that fulfils each of these, False for None; in one statement."""
        found = [
            false() if one is None else exists(select(self.table.c.id).where(*self.conditions, one))
            for one in conditions
        ]
        if all(one is None for one in conditions):
            return [False] * len(found)
        row = self.session.read(select(*(one.label(f"c{i}") for i, one in enumerate(found)))).one()
        return [bool(value) for value in row]

    def _order(self, backwards: bool) -> Sequence[ColumnElement[Any]]:
        if self.descending is backwards:
            return self.key, self.table.c.id
        return self.key.desc(), self.table.c.id.desc()

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


def _whole(rows: Sequence[tuple[AnyRow, object]]) -> tuple[int, int, int]:
    """The extent of a part of which no place bounds the page."""
    length = int(getattr(rows[0][0], _LENGTH))
    return length, 0, length
