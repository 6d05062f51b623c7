"""Stretches of time of many series, of several parts of a question, in one statement."""

from collections.abc import Sequence
from typing import Any, Final

import attrs
import numpy as np
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Select,
    cast,
    literal,
    union_all,
)

from energycore.quantities.units import IntArray
from energycore.storage.rules import MAX_INT64, MIN_INT64
from energycore.storage.sql.session import Rows, Session

__all__ = ["Branch", "Windows"]

_WRITTEN_OUT: Final = 32


@attrs.frozen(kw_only=True)
class Branch:
    """Some time of some series.

    Args:
        part: the part of the question that they belong to.
        tier: the number of the tier; 0 where there are none.
        start_us: from when on.
        end_us: until when.
    """

    part: int
    tier: int
    start_us: int
    end_us: int


@attrs.frozen(kw_only=True, eq=False)
class Windows:
    """Selects the rows of a table that lie in any branch.

    Args:
        session: the transaction.
        key: the column that holds the series.
        at: the column that holds the instant.
        tier: the column that holds the tier, where there is one.
    """

    session: Session
    key: Column[Any]
    at: Column[Any]
    tier: Column[Any] | None = None

    def rows(
        self,
        statement: "Select[*tuple[Any, ...]]",
        members: Sequence[Sequence[int]],
        branches: Sequence[Branch],
    ) -> Rows:
        """What a statement selects, with the part as a further column, the last one.

        Args:
            statement: selects from the table.
            members: the series of each part.
            branches: at least one.
        """
        if len(branches) <= _WRITTEN_OUT:
            # Each as if it were asked for alone, which databases plan best.
            written = [self._written(statement, members[one.part], one) for one in branches]
            return written[0] if len(written) == 1 else union_all(*written)
        return self._joined(statement, members, branches)

    def _written(
        self, statement: "Select[*tuple[Any, ...]]", ids: Sequence[int], branch: Branch
    ) -> "Select[*tuple[Any, ...]]":
        conditions: list[ColumnElement[bool]] = [
            self.session.is_among(self.key, ids),
            self.at >= branch.start_us,
            self.at < branch.end_us,
        ]
        if self.tier is not None:
            conditions.append(self.tier == branch.tier)
        part = cast(literal(branch.part), BigInteger).label("part")
        return statement.add_columns(part).where(*conditions)

    def _joined(
        self,
        statement: "Select[*tuple[Any, ...]]",
        members: Sequence[Sequence[int]],
        branches: Sequence[Branch],
    ) -> "Select[*tuple[Any, ...]]":
        time = self.session.given(
            part=_column([one.part for one in branches]),
            tier=_column([one.tier for one in branches]),
            start_us=_column([one.start_us for one in branches]),
            end_us=_column([one.end_us for one in branches]),
        ).alias("time")
        pairs = sorted(
            {
                (one.part, series)
                for one in branches
                for series in members[one.part]
                if MIN_INT64 <= series <= MAX_INT64
            }
        )
        of_parts = self.session.given(
            part=_column([part for part, _ in pairs]), series=_column([key for _, key in pairs])
        ).alias("of_parts")
        conditions: list[ColumnElement[bool]] = [
            self.key == of_parts.c.series,
            time.c.part == of_parts.c.part,
            self.at >= time.c.start_us,
            self.at < time.c.end_us,
            # Partitions that nobody asks for are not even opened.
            self.at >= min(one.start_us for one in branches),
            self.at < max(one.end_us for one in branches),
        ]
        if self.tier is not None:
            conditions.append(self.tier == time.c.tier)
        return statement.add_columns(time.c.part.label("part")).where(*conditions)


def _column(values: Sequence[int]) -> IntArray:
    return np.array(values, dtype=np.int64)
