"""The contract of kept totals."""

from collections.abc import Sequence
from contextlib import suppress

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage, UnitOfWork
from energycore.protocols.telemetry import Marks, RollupState
from energycore.quantities.units import MISSING
from energycore.telemetry.amounts import MS_PER_HOUR
from energycore.telemetry.buckets import BUCKET_COLUMNS, Buckets
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.tiers import US_PER_DAY, US_PER_QUARTER, SeriesKind, Tier
from energycore.testing.contract import (
    ALL_DAYS,
    ALWAYS,
    LAW,
    Contract,
    Span,
    at_the_same_time,
    buckets,
    columns_of,
    new_device,
    new_scope,
    panel,
    readings,
)

__all__ = ["RollupContract"]

QUARTER = Tier.QUARTER_HOUR
DEVICE = SeriesKind.DEVICE

SERIES = st.integers(1, 3)
QUARTERS = st.integers(-2, 5)
ROWS = st.dictionaries(st.tuples(SERIES, QUARTERS), st.integers(0, 2**32), max_size=10)


class RollupContract(Contract):
    """The promises of `RollupStore`."""

    def test_the_watermark_moves_forward_only(self, storage: Storage, scope: Scope) -> None:
        """There is none before the first; one that stands further on stays."""
        found = []
        for rolled_us in (None, 5_000, 7_000, 6_000):
            with storage.transaction(write=True) as work:
                if rolled_us is not None:
                    work.rollups.advance(scope, rolled_us=rolled_us)
            with storage.transaction(write=False) as work:
                found.append(work.rollups.state(scope))
        assert found == [
            RollupState(),
            RollupState(rolled_us=5_000),
            RollupState(rolled_us=7_000),
            RollupState(rolled_us=7_000),
        ]

    def test_a_watermark_marks_the_days_that_have_readings_and_those_after_them(
        self, storage: Storage, scope: Scope
    ) -> None:
        """For all devices: from the day of the old watermark on, up to the new one."""
        with storage.transaction(write=True) as work:
            ids = add_devices(work, scope, "ab")
            work.telemetry.append(scope, on_days(ids[0], -3, 0, 1, 5, 9))
            work.rollups.advance(scope, rolled_us=6 * US_PER_DAY)
            assert marked(work, scope) == pairs(ids, -3, -2, 0, 1, 2, 5)
            for day in (-3, -2, 0, 1, 2, 5):
                work.rollups.take_marks(scope, day)
            work.rollups.advance(scope, rolled_us=6 * US_PER_DAY)
            assert marked(work, scope) == []
            work.rollups.advance(scope, rolled_us=6 * US_PER_DAY + 1)
            assert marked(work, scope) == pairs(ids, 6)
            work.rollups.take_marks(scope, 6)
            work.rollups.advance(scope, rolled_us=9 * US_PER_DAY)
            assert marked(work, scope) == pairs(ids, 6)
            work.rollups.advance(scope, rolled_us=11 * US_PER_DAY)
            assert marked(work, scope) == pairs(ids, 6, 9, 10)

    @LAW
    @hypothesis.given(
        st.lists(st.integers(-5, 5), max_size=5), st.lists(st.integers(-25, 25), max_size=4)
    )
    def test_no_day_is_left_between_two_watermarks(
        self, storage: Storage, days: list[int], watermarks: list[int]
    ) -> None:
        """Wherever they stand, the marks are those of a plain set."""
        scope = new_scope()
        wanted: set[int] = set()
        step_us = US_PER_DAY // 4
        with storage.transaction(write=True) as work:
            (device_id,) = add_devices(work, scope, "a")
            work.telemetry.append(scope, on_days(device_id, *days))
            old_day = -(2**40)
            for rolled in watermarks:
                work.rollups.advance(scope, rolled_us=rolled * step_us)
                wanted |= {
                    day
                    for day in {*days, *(day + 1 for day in days)}
                    if day >= old_day and day * US_PER_DAY < rolled * step_us
                }
                old_day = max(old_day, rolled * step_us // US_PER_DAY)
            assert marked(work, scope) == pairs([device_id], *sorted(wanted))

    def test_marks_are_those_of_the_devices_and_days_that_are_asked_for(
        self, storage: Storage, scope: Scope
    ) -> None:
        """By day and device; unknown identities are left out, however large."""
        with storage.transaction(write=True) as work:
            ids = add_devices(work, scope, "abc")
            work.telemetry.append(scope, on_days(ids[0], 0, 1, 2))
            work.rollups.advance(scope, rolled_us=3 * US_PER_DAY)
            some = work.rollups.marks(scope, ids=[ids[2], ids[0], 2**70], start_day=0, end_day=2)
            none = work.rollups.marks(scope, ids=[], **ALL_DAYS)
        assert rows_of_marks(some) == pairs([ids[0], ids[2]], 0, 1)
        assert len(none) == 0

    def test_marks_are_taken_once_and_the_revision_of_their_day_grows(
        self, storage: Storage, scope: Scope
    ) -> None:
        """What was taken can be marked again; a day without marks keeps its revision."""
        with storage.transaction(write=True) as work:
            ids = add_devices(work, scope, "ab")
            work.telemetry.append(scope, on_days(ids[1], 0, 1))
            work.rollups.advance(scope, rolled_us=3 * US_PER_DAY)
            assert list(work.rollups.take_marks(scope, 0)) == ids
            assert list(work.rollups.take_marks(scope, 0)) == []
            assert marked(work, scope) == pairs(ids, 1, 2)
            assert revisions(work, scope) == {0: 1, 1: 0}
            # A day without readings of its own has no revision.
            assert list(work.rollups.take_marks(scope, 2)) == ids
            assert revisions(work, scope) == {0: 1, 1: 0}
            work.telemetry.append(scope, readings((ids[1], 7, 1, None)))
            assert list(work.rollups.take_marks(scope, 0)) == [ids[1]]
            assert revisions(work, scope) == {0: 2, 1: 0}

    def test_a_reading_that_is_being_stored_is_seen_or_marks_its_day_again(
        self, storage: Storage, scope: Scope
    ) -> None:
        """Whoever takes its mark meanwhile has no old totals for new ones."""
        with storage.transaction(write=True) as work:
            (device_id,) = add_devices(work, scope, "a")
            work.telemetry.append(scope, on_days(device_id, 0))
            work.rollups.advance(scope, rolled_us=US_PER_DAY)
        seen: list[int] = []

        def store(work: UnitOfWork) -> None:
            work.telemetry.append(scope, readings((device_id, 7_000, 1, None)))

        def take(work: UnitOfWork) -> None:
            assert list(work.rollups.take_marks(scope, 0)) == [device_id]
            seen.append(len(work.telemetry.read(scope, [device_id], **ALWAYS)))

        at_the_same_time(storage, store, take)
        with storage.transaction(write=False) as work:
            assert seen == [2] or marked(work, scope) == [(0, device_id)]

    @pytest.mark.parametrize("stored_first", [True, False])
    def test_readings_that_are_stored_while_the_watermark_moves_are_marked(
        self, storage: Storage, scope: Scope, stored_first: bool
    ) -> None:
        """By whoever comes second."""
        with storage.transaction(write=True) as work:
            (device_id,) = add_devices(work, scope, "a")

        def store(work: UnitOfWork) -> None:
            work.telemetry.append(scope, on_days(device_id, 0))

        def advance(work: UnitOfWork) -> None:
            work.rollups.advance(scope, rolled_us=US_PER_DAY)

        both = (store, advance) if stored_first else (advance, store)
        at_the_same_time(storage, *both)
        with storage.transaction(write=False) as work:
            assert marked(work, scope) == [(0, device_id)]

    def test_totals_of_a_block_that_raises_are_as_they_were(
        self, storage: Storage, scope: Scope
    ) -> None:
        """So are marks, revisions and the watermark."""
        given = buckets((1, 0, 1))
        with storage.transaction(write=True) as work:
            ids = add_devices(work, scope, "ab")
            work.telemetry.append(scope, on_days(ids[0], 0))
            work.rollups.advance(scope, rolled_us=US_PER_DAY)
            work.rollups.replace(scope, QUARTER, DEVICE, [1], **ALWAYS, buckets=given)
            state = work.rollups.state(scope)
        with suppress(ZeroDivisionError), storage.transaction(write=True) as work:
            assert list(work.rollups.take_marks(scope, 0)) == ids
            work.rollups.replace(scope, QUARTER, DEVICE, [1], **ALWAYS, buckets=buckets((1, 0, 2)))
            assert work.rollups.drop(scope, QUARTER, end_us=2**60) == 1
            work.rollups.advance(scope, rolled_us=2 * US_PER_DAY)
            raise ZeroDivisionError
        with storage.transaction(write=False) as work:
            found = work.rollups.read(scope, QUARTER, DEVICE, [1], **ALWAYS)
            assert columns_of(found) == columns_of(given)
            assert marked(work, scope) == pairs(ids, 0)
            assert revisions(work, scope) == {0: 0}
            assert work.rollups.state(scope) == state

    @pytest.mark.parametrize("tier", Tier)
    @pytest.mark.parametrize("kind", SeriesKind)
    def test_buckets_return_by_series_and_start_as_they_were_given(
        self, storage: Storage, scope: Scope, tier: Tier, kind: SeriesKind
    ) -> None:
        """Every column of them, each tier and kind for itself; ranges exclude their end."""
        given = buckets((2, 0, 1), (1, 1, 3), (1, 0, 2), (0, -1, 4))
        with storage.transaction(write=True) as work:
            work.rollups.replace(scope, tier, kind, [0, 1, 2], **ALWAYS, buckets=given)
        with storage.transaction(write=False) as work:
            every = work.rollups.read(scope, tier, kind, [2, 1, 0, 1, 9, 2**70], **ALWAYS)
            some = work.rollups.read(
                scope, tier, kind, [1, 0], start_us=-US_PER_QUARTER, end_us=US_PER_QUARTER
            )
            elsewhere = [
                len(work.rollups.read(scope, *other, [0, 1, 2], **ALWAYS))
                for other in [(t, k) for t in Tier for k in SeriesKind]
                if other != (tier, kind)
            ]
            assert len(work.rollups.read(scope, tier, kind, [], **ALWAYS)) == 0
        assert columns_of(every) == columns_of(given.by_time())
        assert columns_of(some) == columns_of(given.take(np.array([3, 2])))
        assert elsewhere == [0] * 8

    def test_extreme_numbers_return_as_they_were(self, storage: Storage, scope: Scope) -> None:
        """Absent values as well."""
        rows = np.array([[2**63 - 1], [MISSING + 1], [MISSING]]).repeat(len(BUCKET_COLUMNS), axis=1)
        optional = ("min_", "max_", "first_", "last_")
        for place, name in enumerate(BUCKET_COLUMNS):
            if not name.startswith(optional):
                rows[2, place] = 0
        rows[:, 1] = (3, 4, 5)
        given = Buckets(**dict(zip(BUCKET_COLUMNS, rows.T, strict=True)))
        ids = given.series.tolist()
        with storage.transaction(write=True) as work:
            work.rollups.replace(scope, QUARTER, DEVICE, ids, **ALWAYS, buckets=given)
            found = work.rollups.read(scope, QUARTER, DEVICE, ids, **ALWAYS)
        assert columns_of(found) == columns_of(given.by_time())

    @LAW
    @hypothesis.given(
        st.lists(
            st.tuples(
                st.sampled_from([DEVICE, SeriesKind.SITE]),
                st.sets(SERIES),
                QUARTERS,
                QUARTERS,
                ROWS,
            ),
            max_size=5,
        )
    )
    def test_buckets_are_those_of_a_plain_dictionary(
        self,
        storage: Storage,
        steps: list[tuple[SeriesKind, set[int], int, int, dict[tuple[int, int], int]]],
    ) -> None:
        """Whatever replaces what, other series, ranges and kinds stay as they were."""
        scope = new_scope()
        kept: dict[SeriesKind, dict[tuple[int, int], int]] = {DEVICE: {}, SeriesKind.SITE: {}}
        for kind, ids, start, end, given in steps:
            new = {
                key: number
                for key, number in given.items()
                if key[0] in ids and start <= key[1] < end
            }
            with storage.transaction(write=True) as work:
                work.rollups.replace(
                    scope,
                    QUARTER,
                    kind,
                    ids,
                    start_us=start * US_PER_QUARTER,
                    end_us=end * US_PER_QUARTER,
                    buckets=buckets(*((*key, number) for key, number in new.items())),
                )
            stays = {
                key: number
                for key, number in kept[kind].items()
                if key[0] not in ids or not start <= key[1] < end
            }
            kept[kind] = stays | new
        for kind, own in kept.items():
            with storage.transaction(write=False) as work:
                found = work.rollups.read(scope, QUARTER, kind, [1, 2, 3], **ALWAYS)
            wanted = buckets(*((*key, number) for key, number in sorted(own.items())))
            assert columns_of(found) == columns_of(wanted)

    @LAW
    @hypothesis.given(ROWS, st.sets(SERIES), QUARTERS, QUARTERS)
    def test_sums_are_those_of_the_buckets_that_are_read(
        self,
        storage: Storage,
        given: dict[tuple[int, int], int],
        ids: set[int],
        start: int,
        end: int,
    ) -> None:
        """Rests are carried into the wholes."""
        scope = new_scope()
        stored = buckets(*((*key, number) for key, number in given.items()))
        between: Span = {"start_us": start * US_PER_QUARTER, "end_us": end * US_PER_QUARTER}
        with storage.transaction(write=True) as work:
            work.rollups.replace(scope, QUARTER, DEVICE, [1, 2, 3], **ALWAYS, buckets=stored)
            other = buckets((1, 0, 1))
            for kind in (SeriesKind.SITE, SeriesKind.FLEET):
                work.rollups.replace(scope, QUARTER, kind, [1], **ALWAYS, buckets=other)
        with storage.transaction(write=False) as work:
            parts = work.rollups.read(scope, QUARTER, DEVICE, ids, **between)
            found = work.rollups.sums(scope, QUARTER, ids, **between)
        assert columns_of(found) == columns_of(parts.summed())
        assert not len(found) or found.produced_rest_mwms.max() < MS_PER_HOUR

    def test_any_number_of_series_is_replaced_and_read_at_once(
        self, storage: Storage, scope: Scope
    ) -> None:
        """More than a statement can have parameters."""
        ids = range(1, 40_001)
        given = buckets(*((series, 0, series) for series in ids[::20]))
        with storage.transaction(write=True) as work:
            for _ in range(2):
                work.rollups.replace(scope, QUARTER, DEVICE, ids, **ALWAYS, buckets=given)
            found = work.rollups.read(scope, QUARTER, DEVICE, ids, **ALWAYS)
            total = work.rollups.sums(scope, QUARTER, ids, **ALWAYS)
        assert columns_of(found) == columns_of(given)
        assert columns_of(total) == columns_of(given.summed())

    def test_buckets_that_end_by_an_instant_are_dropped(
        self, storage: Storage, scope: Scope
    ) -> None:
        """Those of one tier, of all kinds; from where on it is kept moves forward only."""
        given = buckets((1, 0, 1), (1, 1, 1), (2, 1, 1), (2, 2, 1))
        with storage.transaction(write=True) as work:
            for tier in (QUARTER, Tier.DAY):
                for kind in (DEVICE, SeriesKind.SITE):
                    work.rollups.replace(scope, tier, kind, [1, 2], **ALWAYS, buckets=given)
            work.rollups.advance(scope, rolled_us=7)
        dropped = []
        for end_us in (2 * US_PER_QUARTER - 1, 2 * US_PER_QUARTER, US_PER_QUARTER):
            with storage.transaction(write=True) as work:
                dropped.append(work.rollups.drop(scope, QUARTER, end_us=end_us))
        with storage.transaction(write=True) as work:
            work.rollups.drop(scope, Tier.MONTH, end_us=-5)
        with storage.transaction(write=False) as work:
            left = [
                len(work.rollups.read(scope, tier, kind, [1, 2], **ALWAYS))
                for tier in (QUARTER, Tier.DAY)
                for kind in (DEVICE, SeriesKind.SITE)
            ]
            state = work.rollups.state(scope)
        assert dropped == [2, 4, 0]
        assert left == [1, 1, 4, 4]
        assert state == RollupState(
            rolled_us=7, kept_from_us={QUARTER: 2 * US_PER_QUARTER, Tier.MONTH: -5}
        )


def add_devices(work: UnitOfWork, scope: Scope, names: str) -> list[int]:
    """Store a device for each letter."""
    return [work.devices.add(scope, new_device(panel(name))).id for name in names]


def on_days(device_id: int, *days: int) -> ReadingBatch:
    """A reading of a device on each of these days."""
    return readings(*((device_id, day * US_PER_DAY + 1_000, 5, None) for day in days))


def pairs(ids: Sequence[int], *days: int) -> list[tuple[int, int]]:
    """Days and devices, by day and device."""
    return [(day, device_id) for day in days for device_id in ids]


def rows_of_marks(marks: Marks) -> list[tuple[int, int]]:
    """Marks as rows of day and device."""
    return list(zip(marks.day.tolist(), marks.device_id.tolist(), strict=True))


def marked(work: UnitOfWork, scope: Scope) -> list[tuple[int, int]]:
    """All marked days and devices."""
    return rows_of_marks(work.rollups.marks(scope, **ALL_DAYS))


def revisions(work: UnitOfWork, scope: Scope) -> dict[int, int]:
    """The revision of each day."""
    return {day.day: day.revision for day in work.telemetry.days(scope, **ALL_DAYS)}
