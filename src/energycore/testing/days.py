"""The contract of the days of readings: which there are, which are marked, which are dropped."""

from collections.abc import Sequence
from typing import Any

import attrs
import hypothesis
import pytest
from hypothesis import strategies as st

from energycore.errors import NotAllowed
from energycore.protocols.archive import ArchivedFile
from energycore.protocols.records import DeviceFilter
from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage, UnitOfWork
from energycore.protocols.telemetry import ConflictPolicy, ReadingDay
from energycore.telemetry.tiers import US_PER_DAY
from energycore.testing.contract import (
    ALL_DAYS,
    ALWAYS,
    LAW,
    Contract,
    add_device,
    at_the_same_time,
    new_device,
    new_scope,
    panel,
    readings,
    rows_of,
)

__all__ = ["DayContract"]

FILE = ArchivedFile(name="a/2.parquet", day=0, rows=2, size_bytes=2**40)
HOUR_US = US_PER_DAY // 24


class DayContract(Contract):
    """The promises of `TelemetryStore` about days."""

    def test_days_are_those_of_readings_in_order(self, storage: Storage, scope: Scope) -> None:
        """UTC days, before 1970 as well; the range excludes its end."""
        device_id = add_device(storage, scope).id
        instants = (2 * US_PER_DAY, US_PER_DAY - 1_000, -1_000, -US_PER_DAY, -US_PER_DAY - 1_000)
        with storage.transaction(write=True) as work:
            assert list(work.telemetry.days(scope, **ALL_DAYS)) == []
            batch = readings(*((device_id, at_us, 1, None) for at_us in instants))
            work.telemetry.append(scope, batch)
        with storage.transaction(write=False) as work:
            found = work.telemetry.days(scope, **ALL_DAYS)
            part = work.telemetry.days(scope, start_day=-1, end_day=2)
        assert list(found) == [stored_day(day) for day in (-2, -1, 0, 2)]
        assert list(part) == [stored_day(day) for day in (-1, 0)]

    def test_without_a_watermark_nothing_is_marked(self, storage: Storage, scope: Scope) -> None:
        """There are no totals that could be wrong."""
        device_id = add_device(storage, scope).id
        with storage.transaction(write=True) as work:
            append(work, scope, (device_id, 0), reach_us=(HOUR_US, HOUR_US))
            assert marked(work, scope) == set()

    @pytest.mark.parametrize(
        ("at_hour", "days"),
        [
            (0, {-1, 0}),
            (1, {0}),
            (12, {0, 1}),
            (24 + 13, {1, 2}),
            (48, {1, 2}),
            (48 + 12, {2}),
            (48 + 12 + 1, set()),
            (72, set()),
        ],
    )
    def test_a_reading_marks_the_days_that_it_reaches_before_the_watermark(
        self, storage: Storage, scope: Scope, at_hour: int, days: set[int]
    ) -> None:
        """From an hour before it to twelve hours after; the watermark stands at noon of day 2."""
        device_id = add_device(storage, scope).id
        rolled_us = 60 * HOUR_US
        with storage.transaction(write=True) as work:
            work.rollups.advance(scope, rolled_us=rolled_us)
            append(work, scope, (device_id, at_hour * HOUR_US), reach_us=(HOUR_US, 12 * HOUR_US))
            assert marked(work, scope) == {(day, device_id) for day in days}

    @LAW
    @hypothesis.given(
        st.integers(-40, 40),
        st.integers(0, 60),
        st.integers(0, 60),
        st.lists(st.tuples(st.integers(0, 1), st.integers(-60, 60)), max_size=8),
    )
    def test_marks_are_those_of_every_single_reading(
        self,
        storage: Storage,
        rolled: int,
        before: int,
        after: int,
        rows: list[tuple[int, int]],
    ) -> None:
        """However many come at once: every instant below the watermark that one reaches counts."""
        scope = new_scope()
        unit_us = US_PER_DAY // 8
        with storage.transaction(write=True) as work:
            # Of old, so that no reading moves the beginning of a series back.
            old = {"registered_at_us": -100 * US_PER_DAY}
            ids = [work.devices.add(scope, new_device(panel(n), **old)).id for n in "ab"]
            work.rollups.advance(scope, rolled_us=rolled * unit_us)
            batch = [(ids[which], at * unit_us) for which, at in rows]
            append(work, scope, *batch, reach_us=(before * unit_us, after * unit_us))
            found = marked(work, scope)
        assert found == {
            (instant // 8, ids[which])
            for which, at in rows
            for instant in range(at - before, at + after + 1)
            if instant < rolled
        }

    def test_only_readings_that_change_something_mark(self, storage: Storage, scope: Scope) -> None:
        """Not those that are there already, nor those that are refused."""
        device_id = add_device(storage, scope).id
        found = []
        with storage.transaction(write=True) as work:
            append(work, scope, (device_id, 0))
            work.rollups.advance(scope, rolled_us=US_PER_DAY)
            work.rollups.take_marks(scope, 0)
            for policy in ConflictPolicy:
                for power_mw in (1, 2):
                    batch = readings((device_id, 0, power_mw, None))
                    work.telemetry.append(scope, batch, policy=policy)
                    found.append(marked(work, scope))
        assert found == [set()] * 5 + [{(0, device_id)}]

    def test_a_marked_day_may_be_marked_again(self, storage: Storage, scope: Scope) -> None:
        """It is marked once."""
        device_id = add_device(storage, scope).id
        with storage.transaction(write=True) as work:
            work.rollups.advance(scope, rolled_us=US_PER_DAY)
            for at_us in (0, 1_000):
                append(work, scope, (device_id, at_us))
            assert len(work.rollups.marks(scope, **ALL_DAYS)) == 1

    @pytest.mark.parametrize("file", [FILE, None], ids=["archived", "lost"])
    def test_a_dropped_day_has_no_readings_any_more(
        self, storage: Storage, scope: Scope, file: ArchivedFile | None
    ) -> None:
        """It says which file holds them, or that they are lost; other days keep theirs."""
        with storage.transaction(write=True) as work:
            ids = three_days(work, scope)
        with storage.transaction(write=True) as work:
            assert work.telemetry.drop_day(scope, 0, revision=1, file=file)
        with storage.transaction(write=False) as work:
            assert list(work.telemetry.days(scope, **ALL_DAYS)) == [
                stored_day(-1, revision=1),
                stored_day(0, has_rows=False, file=file, is_lost=file is None, revision=1),
                stored_day(1, revision=1),
            ]
            lost = work.telemetry.days(scope, **ALL_DAYS, only_lost=True)
            assert [day.day for day in lost] == ([] if file else [0])
            assert stored_instants(work, scope, ids) == [
                (device_id, at_us) for device_id in ids for at_us in (-1_000, US_PER_DAY)
            ]

    def test_a_day_is_not_dropped_at_another_revision(self, storage: Storage, scope: Scope) -> None:
        """It was changed since it was archived; neither is a day without readings."""
        with storage.transaction(write=True) as work:
            three_days(work, scope)
            assert not_dropped(work, scope, 0, revision=0)
            assert not_dropped(work, scope, 0, revision=2)
            assert not_dropped(work, scope, 7, revision=0)

    def test_a_marked_day_is_not_dropped(self, storage: Storage, scope: Scope) -> None:
        """Its totals do not hold its readings yet, whichever device is marked."""
        with storage.transaction(write=True) as work:
            ids = three_days(work, scope)
            append(work, scope, (ids[1], 5_000))
            assert not_dropped(work, scope, 0, revision=1)
            assert list(work.rollups.take_marks(scope, 0)) == [ids[1]]
            assert not_dropped(work, scope, 0, revision=1)
            assert work.telemetry.drop_day(scope, 0, revision=2, file=FILE)

    def test_a_day_that_reaches_beyond_the_watermark_is_not_dropped(
        self, storage: Storage, scope: Scope
    ) -> None:
        """Readings of it may still come, which would mark nothing."""
        device_id = add_device(storage, scope).id
        with storage.transaction(write=True) as work:
            append(work, scope, (device_id, 0))
            assert not_dropped(work, scope, 0, revision=0)
            work.rollups.advance(scope, rolled_us=US_PER_DAY - 1)
            work.rollups.take_marks(scope, 0)
            assert not_dropped(work, scope, 0, revision=1)
            work.rollups.advance(scope, rolled_us=US_PER_DAY)
            work.rollups.take_marks(scope, 0)
            assert work.telemetry.drop_day(scope, 0, revision=2, file=FILE)

    def test_a_day_is_not_dropped_while_readings_of_it_are_stored(
        self, storage: Storage, scope: Scope
    ) -> None:
        """They stay, and so do all others of the day."""
        with storage.transaction(write=True) as work:
            (device_id, _) = three_days(work, scope)
        dropped: list[bool] = []

        def drop(work: UnitOfWork) -> None:
            dropped.append(work.telemetry.drop_day(scope, 0, revision=1, file=FILE))

        at_the_same_time(storage, lambda work: append(work, scope, (device_id, 7_000)), drop)
        with storage.transaction(write=False) as work:
            found = stored_instants(work, scope, [device_id])
        assert dropped == [False]
        assert [at_us for _, at_us in found[1:4]] == [0, 7_000, US_PER_DAY - 1_000]

    def test_readings_that_come_after_their_day_was_dropped_are_stored_beside_the_file(
        self, storage: Storage, scope: Scope
    ) -> None:
        """They mark the day; once it was lost, it stays a day of which something is lost."""
        later = attrs.evolve(FILE, name="a/3.parquet", rows=3)
        with storage.transaction(write=True) as work:
            (device_id, _) = three_days(work, scope)
            work.telemetry.drop_day(scope, 0, revision=1, file=FILE)
            append(work, scope, (device_id, 7_000), (device_id, 0))
            assert day_of(work, scope, 0) == stored_day(0, file=FILE, revision=1)
            assert marked(work, scope) == {(0, device_id)}
            work.rollups.take_marks(scope, 0)
            assert work.telemetry.drop_day(scope, 0, revision=2, file=None)
            lost = stored_day(0, has_rows=False, is_lost=True, revision=2)
            assert day_of(work, scope, 0) == lost
            append(work, scope, (device_id, 8_000))
            assert stored_instants(work, scope, [device_id])[1] == (device_id, 8_000)
            work.rollups.take_marks(scope, 0)
            assert work.telemetry.drop_day(scope, 0, revision=3, file=later)
            assert day_of(work, scope, 0) == attrs.evolve(lost, file=later, revision=3)

    def test_a_day_is_dropped_for_one_tenant_only(self, storage: Storage, scope: Scope) -> None:
        """Readings of others on the same day stay."""
        other = new_scope()
        with storage.transaction(write=True) as work:
            three_days(work, scope)
            ids = three_days(work, other)
            before = stored_instants(work, other, ids), day_of(work, other, 0)
            assert work.telemetry.drop_day(scope, 0, revision=1, file=None)
        with storage.transaction(write=False) as work:
            assert (stored_instants(work, other, ids), day_of(work, other, 0)) == before
            assert len(before[0]) == 8

    def test_a_series_that_moves_back_marks_the_days_on_which_it_is_expected_now(
        self, storage: Storage, scope: Scope
    ) -> None:
        """Totals of several devices depend on which of them are expected."""
        one = add_device(storage, scope, panel("a")).id
        late = add_device(storage, scope, panel("b"), registered_at_us=13 * US_PER_DAY).id
        with storage.transaction(write=True) as work:
            rows = [(one, day * US_PER_DAY, 1, None) for day in (10, 11, 13)]
            work.telemetry.append(scope, readings(*rows))
            work.rollups.advance(scope, rolled_us=14 * US_PER_DAY)
            for day in range(10, 15):
                work.rollups.take_marks(scope, day)
            work.telemetry.append(scope, readings((late, 11 * US_PER_DAY, 1, None)))
            found = work.rollups.marks(scope, start_day=0, end_day=20)
        assert list(zip(found.device_id.tolist(), found.day.tolist(), strict=True)) == [
            (late, 11),
            (late, 13),
        ]

    def test_who_computes_totals_holds_their_state_alone(
        self, storage: Storage, scope: Scope
    ) -> None:
        """It is a right of writers; the state is the same."""
        with storage.transaction(write=True) as work:
            work.rollups.advance(scope, rolled_us=US_PER_DAY)
            assert work.rollups.state(scope, hold=True) == work.rollups.state(scope)
        with storage.transaction(write=False) as work, pytest.raises(NotAllowed):
            work.rollups.state(scope, hold=True)

    def test_totals_are_computed_by_one_at_a_time(self, storage: Storage, scope: Scope) -> None:
        """Whoever comes second sees what the first one did."""
        seen: list[int | None] = []

        def compute(work: UnitOfWork) -> None:
            rolled_us = work.rollups.state(scope, hold=True).rolled_us
            seen.append(rolled_us)
            work.rollups.advance(scope, rolled_us=(rolled_us or 0) + 1_000)

        at_the_same_time(storage, compute, compute)
        assert seen == [None, 1_000]


def stored_day(day: int, **more: Any) -> ReadingDay:
    """A day whose readings are in the store."""
    usual = ReadingDay(day=day, has_rows=True, file=None, is_lost=False, revision=0)
    return attrs.evolve(usual, **more)


def append(
    work: UnitOfWork, scope: Scope, *rows: tuple[int, int], reach_us: tuple[int, int] = (0, 0)
) -> None:
    """Store readings of devices and instants."""
    batch = readings(*((device_id, at_us, 1, None) for device_id, at_us in rows))
    work.telemetry.append(scope, batch, reach_us=reach_us)


def three_days(work: UnitOfWork, scope: Scope) -> list[int]:
    """Give two devices readings on days -1, 0 and 1, which are in the totals."""
    ids = [work.devices.add(scope, new_device(panel(name))).id for name in "ab"]
    instants = (-1_000, 0, US_PER_DAY - 1_000, US_PER_DAY)
    append(work, scope, *((device_id, at_us) for device_id in ids for at_us in instants))
    work.rollups.advance(scope, rolled_us=2 * US_PER_DAY)
    for day in (-1, 0, 1):
        work.rollups.take_marks(scope, day)
    return ids


def marked(work: UnitOfWork, scope: Scope) -> set[tuple[int, int]]:
    """All marked days with their devices."""
    marks = work.rollups.marks(scope, **ALL_DAYS)
    return set(zip(marks.day.tolist(), marks.device_id.tolist(), strict=True))


def stored_instants(work: UnitOfWork, scope: Scope, ids: Sequence[int]) -> list[tuple[int, int]]:
    """The devices and instants of all stored readings."""
    found = work.telemetry.read(scope, ids, **ALWAYS)
    return [row[:2] for row in rows_of(found)]


def day_of(work: UnitOfWork, scope: Scope, day: int) -> ReadingDay:
    """One day that has, or had, readings."""
    (found,) = work.telemetry.days(scope, start_day=day, end_day=day + 1)
    return found


def not_dropped(work: UnitOfWork, scope: Scope, day: int, *, revision: int) -> bool:
    """Whether dropping a day is refused and changes nothing."""
    ids = work.devices.ids(scope, DeviceFilter())
    before = stored_instants(work, scope, ids), work.telemetry.days(scope, **ALL_DAYS)
    refused = not work.telemetry.drop_day(scope, day, revision=revision, file=FILE)
    after = stored_instants(work, scope, ids), work.telemetry.days(scope, **ALL_DAYS)
    return refused and after == before
