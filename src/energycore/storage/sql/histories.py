"""What histories are made of, in one statement for each question."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import attrs
import numpy as np
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)

from energycore.protocols.archive import ArchivedFile
from energycore.protocols.histories import Basis, BucketPart, ReadingPart
from energycore.protocols.records import DeviceFilter
from energycore.protocols.scope import Scope, tenant_of
from energycore.protocols.telemetry import Marks, ReadingDay, RollupState, ZoneVersion
from energycore.quantities.units import MISSING, IntArray
from energycore.storage.sql.filters import conditions_of
from energycore.storage.sql.partitions import unchanged_numbers
from energycore.storage.sql.rollups import ADDED, KINDS, SELECTED, SUMMANDS, TIERS, summed_buckets
from energycore.storage.sql.session import Rows, Session
from energycore.storage.sql.tables import (
    bucket,
    device,
    mark,
    reading,
    reading_day,
    rollup,
    series,
    setting,
    site_zone,
)
from energycore.storage.sql.windows import Branch, Windows
from energycore.telemetry.buckets import BUCKET_COLUMNS, Buckets
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.series import GapPolicy, SeriesTable, SeriesVersion
from energycore.telemetry.tiers import SeriesKind, Tier

__all__ = ["SqlHistories"]

_SERIES, _ZONE, _MARK, _DAY, _STATE, _SETTING = range(6)
"""What a row of a basis tells."""
_NUMBERS: Final = 6
"""A row of a basis has so many numbers, and a text."""
_READ: Final = ("device_id", "at_us", "power_mw", "stored_mwh")

Row = tuple[Any, ...]


@attrs.frozen
class SqlHistories:
    """Reads what histories are made of."""

    _session: Session

    def basis(
        self,
        scope: Scope,
        filter_: DeviceFilter,
        *,
        members_of: Collection[int] | None = None,
        start_day: int,
        end_day: int,
        setting: str,
    ) -> Basis:
        """What is known of the devices that match, and of the days in [start, end)."""
        tenant = tenant_of(scope)
        wanted = select(device.c.id).where(*conditions_of(self._session, tenant, filter_))
        if members_of is not None:
            stays = series.alias("stays")
            among = self._session.is_among(stays.c.site_id, members_of)
            wanted = wanted.where(
                device.c.id.in_(select(stays.c.device_id).where(stays.c.tenant_id == tenant, among))
            )
        rows: list[list[Row]] = [[] for _ in range(6)]
        statement = _basis(tenant, wanted, start_day, end_day, setting)
        for kind, *told in self._session.plain(statement):
            rows[kind].append(tuple(told))
        return Basis(
            table=SeriesTable.of([_version(row) for row in rows[_SERIES]]),
            zones=_zones(rows[_ZONE]),
            state=_state(rows[_STATE]),
            setting=next((row[-1] for row in rows[_SETTING]), None),
            marks=_marks(rows[_MARK]),
            days=[_day(row) for row in sorted(rows[_DAY], key=lambda row: int(row[0]))],
        )

    def buckets(
        self, scope: Scope, kind: SeriesKind, parts: Sequence[BucketPart]
    ) -> Sequence[Buckets]:
        """The kept totals of each part, by series and start."""
        tenant = tenant_of(scope)
        if not (branches := _bucket_branches(parts)):
            return [Buckets.empty() for _ in parts]
        columns = self._session.numbers(self._buckets(SELECTED, tenant, kind, parts, branches))
        *values, part = columns
        found = Buckets(**dict(zip(BUCKET_COLUMNS, values, strict=True)))
        return [found.take(rows).by_time() for rows in _rows_of_parts(part, len(parts))]

    def sums(self, scope: Scope, parts: Sequence[BucketPart]) -> Sequence[Buckets]:
        """Those of each part, which is of devices, added up by interval."""
        tenant = tenant_of(scope)
        if not (branches := _bucket_branches(parts)):
            return [Buckets.empty() for _ in parts]
        each = self._buckets(SUMMANDS, tenant, SeriesKind.DEVICE, parts, branches).subquery("each")
        interval = each.c.part, each.c.start_us, each.c.end_us
        # PostgreSQL adds whole numbers up to decimal ones.
        totals = [cast(func.sum(each.c[name]), BigInteger).label(name) for name in ADDED]
        statement = select(*interval, *totals).group_by(*interval)
        part, *values = self._session.numbers(statement)
        columns = dict(zip(("start_us", "end_us", *ADDED), values, strict=True))
        return [
            summed_buckets({name: column[rows] for name, column in columns.items()})
            for rows in _rows_of_parts(part, len(parts))
        ]

    def readings(self, scope: Scope, parts: Sequence[ReadingPart]) -> Sequence[ReadingBatch]:
        """The stored readings of each part, by device and instant."""
        tenant = tenant_of(scope)
        branches = [
            Branch(part=place, tier=0, start_us=start_us, end_us=end_us)
            for place, part in enumerate(parts)
            if part.ids
            for start_us, end_us in part.stretches
        ]
        if not branches:
            return [ReadingBatch.empty() for _ in parts]
        statement = select(
            reading.c.device_id,
            reading.c.at_us,
            reading.c.power_mw,
            func.coalesce(reading.c.stored_mwh, MISSING).label("stored_mwh"),
        ).where(reading.c.tenant_id == tenant)
        windows = Windows(session=self._session, key=reading.c.device_id, at=reading.c.at_us)
        *values, part = unchanged_numbers(
            self._session,
            windows.rows(statement, [one.ids for one in parts], branches),
            start_us=min(one.start_us for one in branches),
            end_us=max(one.end_us for one in branches),
        )
        found = ReadingBatch(**dict(zip(_READ, values, strict=True)))
        return [found.take(rows).by_time() for rows in _rows_of_parts(part, len(parts))]

    def _buckets(
        self,
        selected: "Select[*tuple[Any, ...]]",
        tenant: str,
        kind: SeriesKind,
        parts: Sequence[BucketPart],
        branches: Sequence[Branch],
    ) -> Rows:
        windows = Windows(
            session=self._session,
            key=bucket.c.series_id,
            at=bucket.c.start_us,
            tier=bucket.c.tier,
        )
        statement = selected.where(bucket.c.tenant_id == tenant, bucket.c.kind == KINDS[kind])
        return windows.rows(statement, [one.series for one in parts], branches)


def _bucket_branches(parts: Sequence[BucketPart]) -> list[Branch]:
    return [
        Branch(part=place, tier=TIERS[window.tier], start_us=window.start_us, end_us=window.end_us)
        for place, part in enumerate(parts)
        if part.series
        for window in part.windows
    ]


def _rows_of_parts(part: IntArray, count: int) -> Iterable[IntArray]:
    """Where the rows of each part are."""
    if count == 1:
        return [np.arange(len(part))]
    return [np.flatnonzero(part == place) for place in range(count)]


def _basis(
    tenant: str,
    wanted: "Select[*tuple[Any, ...]]",
    start_day: int,
    end_day: int,
    name: str,
) -> Rows:
    """One statement for all, whose rows are of several kinds."""
    day = reading_day.c
    # Found once: as a subquery PostgreSQL may look for them again for every row.
    known = wanted.cte("known")
    ids = select(known.c.id)
    return union_all(
        _told(
            _SERIES,
            series,
            series.c.device_id,
            series.c.valid_from_us,
            series.c.site_id,
            _number(series.c.is_active),
            series.c.max_gap_us,
            series.c.capacity_mwh,
            text=series.c.gap_policy,
        ).where(series.c.tenant_id == tenant, series.c.device_id.in_(ids)),
        _told(
            _ZONE,
            site_zone,
            site_zone.c.site_id,
            site_zone.c.valid_from_us,
            text=site_zone.c.time_zone,
        ).where(site_zone.c.tenant_id == tenant),
        _told(_MARK, mark, mark.c.device_id, mark.c.day).where(
            mark.c.tenant_id == tenant,
            mark.c.day >= start_day,
            mark.c.day < end_day,
            mark.c.device_id.in_(ids),
        ),
        _told(
            _DAY,
            reading_day,
            day.day,
            _number(day.has_rows),
            _number(day.is_lost),
            day.revision,
            day.file_rows,
            day.file_size_bytes,
            text=day.file_name,
        ).where(
            day.tenant_id == tenant,
            day.day >= start_day,
            day.day < end_day,
            day.is_lost | day.file_name.is_not(None),
        ),
        _told(
            _STATE,
            rollup,
            rollup.c.rolled_us,
            rollup.c.quarter_hour_from_us,
            rollup.c.day_from_us,
            rollup.c.month_from_us,
        ).where(rollup.c.tenant_id == tenant),
        _told(_SETTING, setting, text=setting.c.value).where(
            setting.c.tenant_id == tenant, setting.c.name == name
        ),
    )


def _told(
    kind: int,
    table: FromClause,
    *numbers: ColumnElement[Any],
    text: ColumnElement[Any] | None = None,
) -> "Select[*tuple[Any, ...]]":
    filled = [*numbers, *[cast(null(), BigInteger)] * (_NUMBERS - len(numbers))]
    told = cast(null(), Text) if text is None else cast(text, Text)
    columns = [cast(literal(kind), BigInteger), *filled, told]
    return select(*(c.label(f"c{place}") for place, c in enumerate(columns))).select_from(table)


def _number(flag: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(case((flag, 1), else_=0), BigInteger)


def _version(row: Row) -> SeriesVersion:
    device_id, valid_from_us, site_id, is_active, max_gap_us, capacity_mwh, gap_policy = row
    return SeriesVersion(
        device_id=device_id,
        valid_from_us=valid_from_us,
        site_id=site_id,
        is_active=bool(is_active),
        gap_policy=GapPolicy(gap_policy),
        max_gap_us=max_gap_us,
        capacity_mwh=capacity_mwh,
    )


def _zones(rows: Sequence[Row]) -> dict[int, list[ZoneVersion]]:
    zones: dict[int, list[ZoneVersion]] = {}
    for site_id, valid_from_us, *_, time_zone in sorted(rows, key=lambda row: row[:2]):
        version = ZoneVersion(valid_from_us=valid_from_us, time_zone=time_zone)
        zones.setdefault(site_id, []).append(version)
    return zones


def _state(rows: Sequence[Row]) -> RollupState:
    if not rows:
        return RollupState()
    rolled_us, *kept = rows[0][:4]
    tiers = Tier.QUARTER_HOUR, Tier.DAY, Tier.MONTH
    return RollupState(
        rolled_us=rolled_us,
        kept_from_us={
            tier: from_us for tier, from_us in zip(tiers, kept, strict=True) if from_us is not None
        },
    )


def _marks(rows: Sequence[Row]) -> Marks:
    marked = np.array([row[:2] for row in rows], dtype=np.int64).reshape(-1, 2)
    order = np.lexsort((marked[:, 0], marked[:, 1]))
    return Marks(device_id=marked[order, 0], day=marked[order, 1])


def _day(row: Row) -> ReadingDay:
    day, has_rows, is_lost, revision, file_rows, file_size_bytes, name = row
    file = None
    if name is not None:
        file = ArchivedFile(name=name, day=day, rows=file_rows, size_bytes=file_size_bytes)
    return ReadingDay(
        day=day, has_rows=bool(has_rows), file=file, is_lost=bool(is_lost), revision=revision
    )
