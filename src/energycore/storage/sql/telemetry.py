"""The table of readings, and the days of it that there are."""

from collections.abc import Collection, Iterator, Sequence

import attrs
import numpy as np
from sqlalchemy import (
    String,
    exists,
    false,
    func,
    literal,
    not_,
    select,
    true,
    update,
)
from sqlalchemy import delete as delete_from

from energycore.errors import NotFound
from energycore.protocols.archive import ArchivedFile
from energycore.protocols.scope import Scope, tenant_of
from energycore.protocols.telemetry import AppendResult, ConflictPolicy, ReadingDay
from energycore.quantities.units import MISSING, IntArray
from energycore.storage.rules import MAX_INT64, MIN_INT64, marked_days
from energycore.storage.sql.firsts import first_of_each
from energycore.storage.sql.keyed import KeyedBatch, Stored
from energycore.storage.sql.ledger import Ledger, digest_of
from energycore.storage.sql.partitions import (
    Partitioning,
    drop_partition,
    ensure_partitions,
    unchanged_numbers,
)
from energycore.storage.sql.session import AnyRow, Session
from energycore.storage.sql.storing import replace, store
from energycore.storage.sql.tables import mark, reading, reading_day, rollup, series
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.tiers import US_PER_DAY

__all__ = ["SqlTelemetry"]

Moved = tuple[int, int, int]
"""A device, where its series begins now, and where it began before."""


@attrs.frozen
class SqlTelemetry:
    """Keeps readings."""

    _session: Session
    _partitioning: Partitioning

    def append(
        self,
        scope: Scope,
        batch: ReadingBatch,
        *,
        policy: ConflictPolicy = ConflictPolicy.REJECT,
        reach_us: tuple[int, int] = (0, 0),
    ) -> AppendResult:
        """Store readings of known devices, one for each device and instant."""
        tenant = tenant_of(scope)
        self._session.check_writable()
        ledger, digest = Ledger(self._session, tenant), digest_of(batch)
        if not len(batch) or ledger.knows(digest):
            none = np.empty(0, dtype=np.int64)
            return AppendResult(accepted=0, duplicates=len(batch), conflicts=none)
        self._session.hold_watermark(tenant, alone=False)
        moved = self._admit(tenant, batch)
        new_days = self._new_days(tenant, batch)
        if self._session.is_postgresql and len(new_days):
            ensure_partitions(self._session, new_days.tolist(), self._partitioning)
        keyed = KeyedBatch.of(batch, by_device=self._session.is_postgresql)
        candidates = keyed.candidates(policy)
        before = store(self._session, tenant, candidates)
        result, changed = keyed.outcome(before, policy)
        self._enter_days(tenant, new_days)
        self._mark(tenant, changed, reach_us, moved)
        if policy is ConflictPolicy.LAST:
            self._overwrite(tenant, candidates, before)
            if len(result.conflicts):
                ledger.forget_from(int(batch.at_us[result.conflicts].min()))
        elif not len(result.conflicts):
            ledger.enter(digest, batch)
        return result

    def read(
        self,
        scope: Scope,
        ids: Collection[int],
        *,
        start_us: int,
        end_us: int,
        limit: int | None = None,
    ) -> ReadingBatch:
        """The stored readings of these devices with start <= instant < end, by device and instant.

        On PostgreSQL at most 67 million.
        """
        tenant = tenant_of(scope)
        statement = select(
            reading.c.device_id,
            reading.c.at_us,
            reading.c.power_mw,
            func.coalesce(reading.c.stored_mwh, MISSING).label("stored_mwh"),
        ).where(
            reading.c.tenant_id == tenant,
            reading.c.at_us >= start_us,
            reading.c.at_us < end_us,
        )
        if limit is None:
            of_these = self._session.is_among(reading.c.device_id, ids)
            statement = statement.where(of_these)
            columns = unchanged_numbers(self._session, statement, start_us=start_us, end_us=end_us)
        else:
            columns = first_of_each(
                self._session, statement, ids, limit, start_us=start_us, end_us=end_us
            )
        device_id, at_us, power_mw, stored_mwh = columns
        return ReadingBatch(
            device_id=device_id, at_us=at_us, power_mw=power_mw, stored_mwh=stored_mwh
        ).by_time()

    def days(
        self,
        scope: Scope,
        *,
        start_day: int,
        end_day: int,
        hold: bool = False,
        only_lost: bool = False,
    ) -> Sequence[ReadingDay]:
        """The days in [start, end) of which there are or were readings, in order."""
        tenant = tenant_of(scope)
        if hold:
            self._session.check_writable()
            self._session.hold_watermark(tenant, alone=False)
        statement = (
            select(reading_day)
            .where(reading_day.c.tenant_id == tenant)
            .where(reading_day.c.day >= start_day, reading_day.c.day < end_day)
            .order_by(reading_day.c.day)
        )
        if only_lost:
            statement = statement.where(reading_day.c.is_lost)
        return [_day_of(row) for row in self._session.read(statement)]

    def prepare(self, scope: Scope, *, start_day: int, end_day: int) -> None:
        """Make the partitions of these days, where the database has any."""
        tenant_of(scope)
        self._session.check_writable()
        if self._session.is_postgresql:
            ensure_partitions(self._session, range(start_day, end_day), self._partitioning)

    def drop_day(self, scope: Scope, day: int, *, revision: int, file: ArchivedFile | None) -> bool:
        """Remove a day's readings from the store; from now on they are in `file`, or lost."""
        tenant = tenant_of(scope)
        self._session.hold_watermark(tenant, alone=True)
        own = reading_day.c.tenant_id == tenant, reading_day.c.day == day
        row = self._session.read(select(reading_day).where(*own)).one_or_none()
        if row is None or row.revision != revision or not self._is_settled(tenant, day):
            return False
        if not (self._session.is_postgresql and drop_partition(self._session, tenant, day)):
            first_us = max(day * US_PER_DAY, MIN_INT64)
            last_us = min((day + 1) * US_PER_DAY - 1, MAX_INT64)
            self._session.change(
                delete_from(reading).where(
                    reading.c.tenant_id == tenant, reading.c.at_us.between(first_us, last_us)
                )
            )
        self._session.change(
            update(reading_day)
            .where(*own)
            .values(
                has_rows=False,
                file_name=file and file.name,
                file_rows=file and file.rows,
                file_size_bytes=file and file.size_bytes,
                is_lost=row.is_lost or file is None,
            )
        )
        Ledger(self._session, tenant).forget_before(day * US_PER_DAY)
        return True

    def _admit(self, tenant: str, batch: ReadingBatch) -> list[Moved]:
        """Refuse unknown devices, and move the series back that begin after their first reading."""
        oldest = batch.oldest()
        given = self._session.given(device_id=oldest.device_id, at_us=oldest.at_us)
        first_us = (
            select(func.min(series.c.valid_from_us))
            .where(series.c.tenant_id == tenant, series.c.device_id == given.c.device_id)
            .scalar_subquery()
        )
        begun = func.coalesce(first_us <= given.c.at_us, false())
        others = self._session.read(
            select(given.c.ordinal, first_us.label("first_us")).where(not_(begun))
        ).all()
        unknown = {int(oldest.device_id[row.ordinal]) for row in others if row.first_us is None}
        if unknown:
            raise NotFound(
                "device", next(one for one in batch.device_id.tolist() if one in unknown)
            )
        if others:
            self._move_back(tenant, oldest.take(np.array([row.ordinal for row in others])))
        return [
            (
                int(oldest.device_id[row.ordinal]),
                int(oldest.at_us[row.ordinal]),
                int(row.first_us),
            )
            for row in others
        ]

    def _move_back(self, tenant: str, oldest: ReadingBatch) -> None:
        """Let the series of devices begin at these readings."""
        given = self._session.given(device_id=oldest.device_id, at_us=oldest.at_us)
        earlier = series.alias("earlier")
        is_first = not_(
            exists().where(
                earlier.c.tenant_id == tenant,
                earlier.c.device_id == series.c.device_id,
                earlier.c.valid_from_us < series.c.valid_from_us,
            )
        )
        self._session.change(
            update(series)
            .where(
                series.c.tenant_id == tenant,
                series.c.device_id == given.c.device_id,
                series.c.valid_from_us > given.c.at_us,
                is_first,
            )
            .values(valid_from_us=given.c.at_us)
        )

    def _new_days(self, tenant: str, batch: ReadingBatch) -> IntArray:
        """The days of a batch that have no readings yet."""
        days = np.unique(batch.at_us // US_PER_DAY)
        known = select(reading_day.c.day).where(
            reading_day.c.tenant_id == tenant,
            self._session.is_among(reading_day.c.day, days.tolist()),
            reading_day.c.has_rows,
        )
        found = self._session.read(known).scalars().all()
        return np.setdiff1d(days, np.array(found, dtype=np.int64))

    def _enter_days(self, tenant: str, days: IntArray) -> None:
        if not len(days):
            return
        given = self._session.given(day=days)
        rows = select(literal(tenant, String), given.c.day, true(), false(), literal(0))
        insert = self._session.insert(reading_day).from_select(
            ["tenant_id", "day", "has_rows", "is_lost", "revision"],
            rows.where(true()).order_by(given.c.ordinal),
        )
        self._session.change(
            insert.on_conflict_do_update(
                index_elements=reading_day.primary_key.columns, set_={"has_rows": True}
            )
        )

    def _mark(
        self,
        tenant: str,
        changed: ReadingBatch,
        reach_us: tuple[int, int],
        moved: Sequence[Moved],
    ) -> None:
        """Mark the days whose kept totals do not hold these readings, or know of the device."""
        watermark = select(rollup.c.rolled_us).where(rollup.c.tenant_id == tenant)
        rolled_us = self._session.read(watermark).scalar_one_or_none()
        if rolled_us is None:
            return
        pairs = set(marked_days(changed, reach_us, rolled_us))
        if moved:
            pairs.update(self._days_between(tenant, moved, rolled_us))
        if not pairs:
            return
        marked = np.array(sorted(pairs), dtype=np.int64)
        given = self._session.given(device_id=marked[:, 0], day=marked[:, 1])
        # In one order, so that none who mark can lock out another.
        rows = select(literal(tenant, String), given.c.day, given.c.device_id, literal(1))
        insert = self._session.insert(mark).from_select(
            ["tenant_id", "day", "device_id", "marks"],
            rows.where(true()).order_by(given.c.ordinal),
        )
        self._session.change(
            insert.on_conflict_do_update(
                index_elements=mark.primary_key.columns, set_={"marks": mark.c.marks + 1}
            )
        )

    def _days_between(
        self, tenant: str, moved: Sequence[Moved], rolled_us: int
    ) -> Iterator[tuple[int, int]]:
        """The days on which devices are expected now, and were not when they were totalled."""
        statement = select(reading_day.c.day).where(
            reading_day.c.tenant_id == tenant, not_(reading_day.c.is_lost)
        )
        days = self._session.read(statement).scalars().all()
        for device_id, start_us, end_us in moved:
            last = min(end_us, rolled_us - 1) // US_PER_DAY
            yield from ((device_id, day) for day in days if start_us // US_PER_DAY <= day <= last)

    def _overwrite(self, tenant: str, candidates: ReadingBatch, before: Stored) -> None:
        """Let the readings of a batch take the place of what was stored under their keys."""
        new = candidates.take(before.key)
        differs = (new.power_mw != before.power_mw) | (new.stored_mwh != before.stored_mwh)
        if differs.any():
            replace(self._session, tenant, new.take(np.flatnonzero(differs)))

    def _is_settled(self, tenant: str, day: int) -> bool:
        """Whether the kept totals hold all readings of a day."""
        marked = exists().where(mark.c.tenant_id == tenant, mark.c.day == day)
        watermark = select(rollup.c.rolled_us).where(
            rollup.c.tenant_id == tenant,
            rollup.c.rolled_us >= (day + 1) * US_PER_DAY,
            not_(marked),
        )
        return self._session.read(watermark).first() is not None


def _day_of(row: AnyRow) -> ReadingDay:
    file = None
    if row.file_name is not None:
        file = ArchivedFile(
            name=row.file_name, day=row.day, rows=row.file_rows, size_bytes=row.file_size_bytes
        )
    return ReadingDay(
        day=row.day, has_rows=row.has_rows, file=file, is_lost=row.is_lost, revision=row.revision
    )
