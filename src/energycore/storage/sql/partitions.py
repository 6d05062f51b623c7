"""Partitions of PostgreSQL's table of readings: one for each UTC day.

A partition is made by whoever needs it first, and goes when no tenant has readings of its day.
Both hold the table itself, so that no reading is ever on its way to a partition that is dropped:
who stores readings holds it together with others, who drops a partition alone.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

import attrs
from sqlalchemy import BigInteger, Text, column, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from energycore.errors import InvalidValue, StorageUnavailable
from energycore.quantities.units import IntArray
from energycore.storage.rules import MAX_INT64, MIN_INT64
from energycore.storage.sql.session import Rows, Session
from energycore.storage.sql.tables import reading, reading_day
from energycore.telemetry.tiers import US_PER_DAY

__all__ = [
    "Partitioning",
    "drop_partition",
    "ensure_partitions",
    "partition_name",
    "unchanged_numbers",
]

_FIRST_DAY: Final = MIN_INT64 // US_PER_DAY
_LAST_DAY: Final = MAX_INT64 // US_PER_DAY
_DAY_OF_1970: Final = date(1970, 1, 1).toordinal()
# Days whose names are in the order of time.
_FIRST_NAMED: Final = date(1000, 1, 1).toordinal() - _DAY_OF_1970
_LAST_NAMED: Final = date.max.toordinal() - _DAY_OF_1970
_MOST_HASH_PARTS: Final = 1_024


@attrs.frozen(kw_only=True)
class Partitioning:
    """How the partitions are made that are still to come; those that are there stay as they are.

    Args:
        hash_parts: so many parts of each day, by device; 0 for none.
        brin: whether each day has a block range index on the instant.

    Raises:
        InvalidValue: there is no such number of parts.
    """

    hash_parts: int = 0
    brin: bool = False

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.hash_parts <= _MOST_HASH_PARTS:
            raise InvalidValue("hash_parts", self.hash_parts, f"from 0 to {_MOST_HASH_PARTS}")


def partition_name(day: int) -> str:
    """The name of the partition of a UTC day, counted from 1970-01-01."""
    try:
        return f"{reading.name}_d{date.fromordinal(_DAY_OF_1970 + day):%Y%m%d}"
    except (ValueError, OverflowError):  # not in the years 1 to 9999
        return f"{reading.name}_y{day}"


def ensure_partitions(session: Session, days: Collection[int], how: Partitioning) -> None:
    """Make the partitions of these days that are not there, and let none go for now."""
    _hold(session, "ROW EXCLUSIVE")
    names = {partition_name(day): day for day in sorted(days)}
    if _missing(session, list(names)):
        # Of several that need one the first makes it, the others wait and find it.
        _hold(session, "SHARE UPDATE EXCLUSIVE")
        for name in _missing(session, list(names)):
            _make(session, name, names[name], how)


def drop_partition(session: Session, tenant: str, day: int) -> bool:
    """Drop the partition of a day; False if other tenants have readings in it."""
    if _is_shared(session, tenant, day):
        return False
    _hold(session, "ACCESS EXCLUSIVE")
    # Somebody may have come meanwhile, and nobody comes from now on.
    if _is_shared(session, tenant, day):
        return False
    session.change(text(f'DROP TABLE IF EXISTS "{partition_name(day)}"'))
    return True


def unchanged_numbers(
    session: Session, statement: Rows, *, start_us: int, end_us: int
) -> list[IntArray]:
    """The whole numbers that a statement selects of the readings in [start, end).

    A partition that was dropped has no rows for anyone, also for those who began before. So who
    only reads is refused, in the same statement, if one was dropped after the transaction began:
    from its planning on a statement holds what it reads of.

    Raises:
        StorageUnavailable: ask again.
    """
    if not session.is_postgresql or session.is_writable:
        return session.numbers(statement)
    days = [min(max(us // US_PER_DAY, _FIRST_NAMED), _LAST_NAMED) for us in (start_us, end_us)]
    first, last = map(partition_name, days)
    # A statement sees the catalog as its transaction does, a function as it is now.
    gone = text(
        "SELECT count(*) AS gone FROM pg_catalog.pg_class"
        " WHERE relname >= :first AND relname <= :last AND relkind IN ('r', 'p')"
        " AND relnamespace = (SELECT relnamespace FROM pg_catalog.pg_class"
        " WHERE oid = CAST(:table AS regclass))"
        " AND to_regclass(quote_ident(relname)) IS DISTINCT FROM oid"
    ).bindparams(first=first, last=last, table=reading.name)
    count = gone.columns(column("gone", BigInteger)).scalar_subquery()
    numbers, is_gone = session.numbers_and(statement, count)
    if is_gone:
        raise StorageUnavailable("readings of a day were let go meanwhile: try again")
    return numbers


def _hold(session: Session, mode: str) -> None:
    session.change(text(f"LOCK TABLE ONLY {reading.name} IN {mode} MODE"))


def _missing(session: Session, names: list[str]) -> Sequence[str]:
    wanted = func.unnest(literal(names, ARRAY(Text))).column_valued("name")
    found = select(wanted).where(func.to_regclass(func.quote_ident(wanted)).is_(None))
    return session.read(found).scalars().all()


def _make(session: Session, name: str, day: int, how: Partitioning) -> None:
    """Make a partition beside the table and attach it: who reads the table is not waited for."""
    parts = " PARTITION BY HASH (device_id)" if how.hash_parts else ""
    session.change(text(f'CREATE TABLE "{name}" (LIKE {reading.name} INCLUDING ALL){parts}'))
    for part in range(how.hash_parts):
        session.change(
            text(
                f'CREATE TABLE "{name}_p{part}" PARTITION OF "{name}"'
                f" FOR VALUES WITH (MODULUS {how.hash_parts}, REMAINDER {part})"
            )
        )
    if how.brin:
        session.change(text(f'CREATE INDEX ON "{name}" USING brin (at_us)'))
    start = "MINVALUE" if day == _FIRST_DAY else day * US_PER_DAY
    end = "MAXVALUE" if day == _LAST_DAY else (day + 1) * US_PER_DAY
    session.change(
        text(
            f'ALTER TABLE {reading.name} ATTACH PARTITION "{name}"'
            f" FOR VALUES FROM ({start}) TO ({end})"
        )
    )


def _is_shared(session: Session, tenant: str, day: int) -> bool:
    own = func.bool_and(reading_day.c.tenant_id == tenant)
    alone = select(own).where(reading_day.c.day == day, reading_day.c.has_rows)
    return session.read(alone).scalar_one() is False
