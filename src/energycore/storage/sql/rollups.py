"""The tables of kept totals."""

from collections.abc import Collection, Sequence
from typing import Final

import attrs
import numpy as np
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    case,
    cast,
    delete,
    func,
    literal,
    select,
    true,
    update,
)

from energycore.protocols.scope import Scope, tenant_of
from energycore.protocols.telemetry import Marks, RollupState
from energycore.quantities.units import MISSING, IntArray
from energycore.storage.sql.copying import Values
from energycore.storage.sql.session import Session
from energycore.storage.sql.tables import bucket, device, mark, reading_day, rollup
from energycore.telemetry.amounts import Amounts
from energycore.telemetry.buckets import BUCKET_COLUMNS, NOT_KEPT, Buckets
from energycore.telemetry.tiers import US_PER_DAY, SeriesKind, Tier

__all__ = ["ADDED", "KINDS", "SELECTED", "SUMMANDS", "TIERS", "SqlRollups", "summed_buckets"]

TIERS: Final = {Tier.QUARTER_HOUR: 1, Tier.DAY: 2, Tier.MONTH: 3}
KINDS: Final = {SeriesKind.DEVICE: 1, SeriesKind.SITE: 2, SeriesKind.FLEET: 3}
_KEPT_FROM: Final = {
    Tier.QUARTER_HOUR: rollup.c.quarter_hour_from_us,
    Tier.DAY: rollup.c.day_from_us,
    Tier.MONTH: rollup.c.month_from_us,
}
_COLUMNS: Final = {
    name: bucket.c["series_id" if name == "series" else name] for name in BUCKET_COLUMNS
}
SELECTED: Final = select(
    *(
        func.coalesce(column, MISSING).label(name) if column.nullable else column.label(name)
        for name, column in _COLUMNS.items()
    )
)
_KEY: Final = ("series", "start_us", "end_us")
_OPTIONAL: Final = tuple(name for name, column in _COLUMNS.items() if column.nullable)
ADDED: Final = tuple(name for name in BUCKET_COLUMNS if name not in (*_KEY, *_OPTIONAL))
SUMMANDS: Final = select(*(_COLUMNS[name].label(name) for name in ("start_us", "end_us", *ADDED)))
_LIMBS: Final = (
    ("produced_mwh", "produced_rest_mwms"),
    ("consumed_mwh", "consumed_rest_mwms"),
    ("stored_mwh_h", "stored_rest_mwh_ms"),
    ("room_mwh_h", "room_rest_mwh_ms"),
)


@attrs.frozen
class SqlRollups:
    """Keeps totals, and knows which of them are still to be computed."""

    _session: Session

    def state(self, scope: Scope, *, hold: bool = False) -> RollupState:
        """How far the totals have come; `hold` takes a lock that only those who compute take."""
        tenant = tenant_of(scope)
        if hold:
            self._session.hold_totals(tenant)
        statement = select(rollup).where(rollup.c.tenant_id == tenant)
        row = self._session.read(statement).one_or_none()
        if row is None:
            return RollupState()
        kept = {tier: getattr(row, column.name) for tier, column in _KEPT_FROM.items()}
        return RollupState(
            rolled_us=row.rolled_us,
            kept_from_us={tier: from_us for tier, from_us in kept.items() if from_us is not None},
        )

    def advance(self, scope: Scope, *, rolled_us: int) -> None:
        """Move the watermark forward, and mark what lies between for all devices."""
        tenant = tenant_of(scope)
        self._session.hold_watermark(tenant, alone=True)
        old_us = self.state(scope).rolled_us
        if old_us is not None and old_us >= rolled_us:
            return
        self._mark_all(tenant, None if old_us is None else old_us // US_PER_DAY, rolled_us)
        self._put_state(tenant, "rolled_us", rolled_us)

    def marks(
        self, scope: Scope, *, ids: Collection[int] | None = None, start_day: int, end_day: int
    ) -> Marks:
        """The marked days in [start, end) of these devices, or of all; by day and device."""
        tenant = tenant_of(scope)
        statement = select(mark.c.device_id, mark.c.day).where(
            mark.c.tenant_id == tenant, mark.c.day >= start_day, mark.c.day < end_day
        )
        if ids is not None:
            statement = statement.where(self._session.is_among(mark.c.device_id, ids))
        device_id, day = self._session.numbers(statement)
        order = np.lexsort((device_id, day))
        return Marks(device_id=device_id[order], day=day[order])

    def take_marks(self, scope: Scope, day: int) -> Sequence[int]:
        """Remove the marks of a day, whose revision grows; the devices that were marked."""
        tenant = tenant_of(scope)
        self._session.check_writable()
        of_day = mark.c.tenant_id == tenant, mark.c.day == day
        # Who stores readings locks marks in this order, and is waited for here. Marks that come
        # between the two statements stay.
        held = select(mark.c.device_id).where(*of_day).order_by(mark.c.device_id).with_for_update()
        taken = list(self._session.read(held).scalars())
        if taken:
            among = self._session.is_among(mark.c.device_id, taken)
            self._session.change(delete(mark).where(*of_day, among))
            revision = reading_day.c.revision
            self._session.change(
                update(reading_day)
                .where(reading_day.c.tenant_id == tenant, reading_day.c.day == day)
                .values(revision=revision + 1)
            )
        return taken

    def replace(
        self,
        scope: Scope,
        tier: Tier,
        kind: SeriesKind,
        ids: Collection[int],
        *,
        start_us: int,
        end_us: int,
        buckets: Buckets,
    ) -> None:
        """Let these be the only buckets of these series that begin in [start, end)."""
        tenant = tenant_of(scope)
        wanted = self._wanted(tenant, tier, kind, ids, start_us, end_us)
        self._session.change(delete(bucket).where(*wanted))
        columns: dict[str, Values] = {
            "tenant_id": tenant,
            "tier": TIERS[tier],
            "kind": KINDS[kind],
        }
        for name, values in buckets.columns().items():
            columns[_COLUMNS[name].name] = values
        self._session.load(bucket, columns)

    def read(
        self,
        scope: Scope,
        tier: Tier,
        kind: SeriesKind,
        ids: Collection[int],
        *,
        start_us: int,
        end_us: int,
    ) -> Buckets:
        """The buckets of these series that begin in [start, end), by series and start."""
        tenant = tenant_of(scope)
        wanted = self._wanted(tenant, tier, kind, ids, start_us, end_us)
        columns = self._session.numbers(SELECTED.where(*wanted))
        return Buckets(**dict(zip(BUCKET_COLUMNS, columns, strict=True))).by_time()

    def sums(
        self, scope: Scope, tier: Tier, ids: Collection[int], *, start_us: int, end_us: int
    ) -> Buckets:
        """The buckets of these devices that begin in [start, end), added up by interval."""
        tenant = tenant_of(scope)
        interval = bucket.c.start_us, bucket.c.end_us
        # PostgreSQL adds whole numbers up to decimal ones.
        totals = [cast(func.sum(_COLUMNS[name]), BigInteger).label(name) for name in ADDED]
        statement = (
            select(*interval, *totals)
            .where(*self._wanted(tenant, tier, SeriesKind.DEVICE, ids, start_us, end_us))
            .group_by(*interval)
        )
        names = "start_us", "end_us", *ADDED
        return summed_buckets(dict(zip(names, self._session.numbers(statement), strict=True)))

    def drop(self, scope: Scope, tier: Tier, *, end_us: int) -> int:
        """Remove the buckets that end at or before an instant; how many they were."""
        tenant = tenant_of(scope)
        statement = delete(bucket).where(
            bucket.c.tenant_id == tenant,
            bucket.c.tier == TIERS[tier],
            bucket.c.end_us <= end_us,
        )
        dropped = self._session.change(statement).rowcount
        self._put_state(tenant, _KEPT_FROM[tier].name, end_us)
        return dropped

    def _wanted(
        self,
        tenant: str,
        tier: Tier,
        kind: SeriesKind,
        ids: Collection[int],
        start_us: int,
        end_us: int,
    ) -> list[ColumnElement[bool]]:
        return [
            bucket.c.tenant_id == tenant,
            bucket.c.tier == TIERS[tier],
            bucket.c.kind == KINDS[kind],
            self._session.is_among(bucket.c.series_id, ids),
            bucket.c.start_us >= start_us,
            bucket.c.start_us < end_us,
        ]

    def _mark_all(self, tenant: str, from_day: int | None, rolled_us: int) -> None:
        """Mark the days that have readings, and those that follow one, for all devices."""
        has_readings = reading_day.c.tenant_id == tenant
        days = (
            select(reading_day.c.day)
            .where(has_readings)
            .union(select(reading_day.c.day + 1).where(has_readings))
            .subquery()
        )
        rows = (
            select(literal(tenant), days.c.day, device.c.id, literal(1))
            .join_from(device, days, true())
            .where(device.c.tenant_id == tenant, days.c.day <= (rolled_us - 1) // US_PER_DAY)
        )
        if from_day is not None:
            rows = rows.where(days.c.day >= from_day)
        insert = self._session.insert(mark).from_select(
            ["tenant_id", "day", "device_id", "marks"], rows
        )
        self._session.change(
            insert.on_conflict_do_update(
                index_elements=[mark.c.tenant_id, mark.c.day, mark.c.device_id],
                set_={"marks": mark.c.marks + 1},
            )
        )

    def _put_state(self, tenant: str, name: str, value_us: int) -> None:
        """Move an instant of the state forward, never back."""
        insert = self._session.insert(rollup).values({"tenant_id": tenant, name: value_us})
        stored, new = rollup.c[name], insert.excluded[name]
        self._session.change(
            insert.on_conflict_do_update(
                index_elements=[rollup.c.tenant_id],
                set_={name: case((stored > new, stored), else_=new)},
            )
        )


def summed_buckets(columns: dict[str, IntArray]) -> Buckets:
    """Buckets of which the start, the end and the sums of `ADDED` are known, by start."""
    for whole, rest in _LIMBS:
        amounts = Amounts.normal(columns[whole], columns[rest])
        columns[whole], columns[rest] = amounts.whole, amounts.rest
    count = len(columns["start_us"])
    nothing = np.full(count, MISSING, dtype=np.int64)
    not_kept = np.full(count, NOT_KEPT, dtype=np.int64)
    return Buckets(
        series=np.zeros(count, dtype=np.int64),
        **columns,
        **dict.fromkeys(_OPTIONAL, nothing) | {"max_mw": not_kept},
    ).by_time()
