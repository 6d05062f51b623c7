"""The contract of readings."""

from collections.abc import Sequence

import attrs
import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from energycore.errors import NotFound
from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage
from energycore.protocols.telemetry import AppendResult, ConflictPolicy
from energycore.protocols.versions import series_version
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.series import SeriesTable
from energycore.testing.contract import (
    LAW,
    MINUTE_US,
    Contract,
    add_device,
    battery,
    new_device,
    new_scope,
    panel,
    readings,
    rows_of,
)

__all__ = ["TelemetryContract"]

POLICIES = st.sampled_from(ConflictPolicy)
KEEPING = (ConflictPolicy.REJECT, ConflictPolicy.FIRST)
INT63 = st.integers(-(2**63) + 1, 2**63 - 1)


class TelemetryContract(Contract):
    """The promises of `TelemetryStore`."""

    def test_readings_return_by_device_and_instant_within_the_range(
        self, storage: Storage, scope: Scope
    ) -> None:
        """The range includes its start and excludes its end; values are those that were given."""
        first = add_device(storage, scope, panel("A")).id
        second = add_device(storage, scope, battery("B")).id
        rows = [(first, at_us, 1_000_003 + at_us, None) for at_us in (-MINUTE_US, 0, MINUTE_US)] + [
            (second, at_us, -5, 7) for at_us in (0, MINUTE_US, 2 * MINUTE_US)
        ]
        with storage.transaction(write=True) as work:
            result = work.telemetry.append(scope, readings(*reversed(rows)))
        assert (result.accepted, result.duplicates, result.conflicts.tolist()) == (6, 0, [])
        with storage.transaction(write=False) as work:
            everything = work.telemetry.read(
                scope, [second, first, 2**70], start_us=-(2**60), end_us=2**60
            )
            part = work.telemetry.read(scope, [first], start_us=0, end_us=MINUTE_US)
            none = work.telemetry.read(scope, [], start_us=-(2**60), end_us=2**60)
        assert rows_of(everything) == rows
        assert rows_of(part) == [rows[1]]
        assert len(none) == 0

    @LAW
    @hypothesis.given(st.dictionaries(INT63, st.tuples(INT63, st.none() | INT63), max_size=20))
    def test_a_reading_that_is_read_is_the_one_that_was_written(
        self, storage: Storage, values: dict[int, tuple[int, int | None]]
    ) -> None:
        """Whatever its instant, power and stored energy."""
        scope = new_scope()
        device_id = add_device(storage, scope).id
        rows = [(device_id, at_us, *value) for at_us, value in values.items()]
        with storage.transaction(write=True) as work:
            assert work.telemetry.append(scope, readings(*rows)).accepted == len(rows)
            found = work.telemetry.read(scope, [device_id], start_us=-(2**63), end_us=2**63 - 1)
        assert rows_of(found) == sorted(row for row in rows if row[1] < 2**63 - 1)

    def test_a_batch_that_comes_twice_changes_nothing(self, storage: Storage, scope: Scope) -> None:
        """Every reading of the replay counts as a duplicate."""
        device_id = add_device(storage, scope).id
        batch = readings(*((device_id, at_us, at_us, None) for at_us in range(0, 2_500_000, 1_000)))
        for accepted, duplicates in ((2_500, 0), (0, 2_500)):
            with storage.transaction(write=True) as work:
                result = work.telemetry.append(scope, batch)
            assert (result.accepted, result.duplicates, len(result.conflicts)) == (
                accepted,
                duplicates,
                0,
            )
        with storage.transaction(write=False) as work:
            assert rows_of(
                work.telemetry.read(scope, [device_id], start_us=0, end_us=2**60)
            ) == rows_of(batch)

    def test_a_large_batch_is_compared_with_what_is_stored_now(
        self, storage: Storage, scope: Scope
    ) -> None:
        """What took the place of one of its readings is not forgotten when it comes again."""
        device_id = add_device(storage, scope).id
        batch = readings(*((device_id, at_us, 5, None) for at_us in range(0, 1_500_000, 1_000)))
        other = readings((device_id, 7_000, 6, None))
        with storage.transaction(write=True) as work:
            work.telemetry.append(scope, batch)
            work.telemetry.append(scope, other, policy=ConflictPolicy.LAST)
        for policy in (*KEEPING, ConflictPolicy.LAST):
            with storage.transaction(write=True) as work:
                result = work.telemetry.append(scope, batch, policy=policy)
            assert (result.accepted, result.duplicates) == (0, 1_499)
            assert result.conflicts.tolist() == [7]
        with storage.transaction(write=False) as work:
            found = work.telemetry.read(scope, [device_id], start_us=0, end_us=2**60)
        assert rows_of(found) == rows_of(batch)

    @pytest.mark.parametrize("policy", KEEPING)
    def test_the_first_reading_of_an_instant_stays(
        self, storage: Storage, scope: Scope, policy: ConflictPolicy
    ) -> None:
        """Others are duplicates or conflicts, by their values, wherever the first one stands."""
        device_id = add_device(storage, scope, battery()).id
        with storage.transaction(write=True) as work:
            work.telemetry.append(scope, readings((device_id, 0, 1, 1)))
            batch = readings(
                (device_id, 0, 1, None),  # conflicts with what is stored
                (device_id, 0, 1, 1),  # equals it
                (device_id, 1_000, 5, 5),  # new
                (device_id, 1_000, 5, 5),  # equals the one before
                (device_id, 1_000, 6, 5),  # conflicts with it
                (device_id, 0, 2, 1),  # conflicts with what is stored
            )
            result = work.telemetry.append(scope, batch, policy=policy)
            found = work.telemetry.read(scope, [device_id], start_us=0, end_us=2_000)
        assert (result.accepted, result.duplicates) == (1, 2)
        assert result.conflicts.tolist() == [0, 4, 5]
        assert rows_of(found) == [(device_id, 0, 1, 1), (device_id, 1_000, 5, 5)]

    def test_the_last_reading_of_an_instant_takes_its_place(
        self, storage: Storage, scope: Scope
    ) -> None:
        """Each that differs from the one before is counted as a conflict, in order."""
        device_id = add_device(storage, scope, battery()).id
        with storage.transaction(write=True) as work:
            work.telemetry.append(scope, readings((device_id, 0, 1, 1)))
            batch = readings(
                (device_id, 0, 1, None),  # takes the place of what is stored
                (device_id, 0, 1, None),  # equals it now
                (device_id, 1_000, 5, 5),  # new
                (device_id, 1_000, 6, 5),  # takes its place
                (device_id, 1_000, 5, 5),  # and back again
                (device_id, 0, 2, 1),  # the third at this instant
            )
            result = work.telemetry.append(scope, batch, policy=ConflictPolicy.LAST)
            found = work.telemetry.read(scope, [device_id], start_us=0, end_us=2_000)
        assert (result.accepted, result.duplicates) == (1, 1)
        assert result.conflicts.tolist() == [0, 3, 4, 5]
        assert rows_of(found) == [(device_id, 0, 2, 1), (device_id, 1_000, 5, 5)]

    @LAW
    @hypothesis.given(
        st.lists(
            st.tuples(
                POLICIES,
                st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3), st.integers(0, 2))),
            ),
            max_size=4,
        )
    )
    def test_every_reading_is_accepted_a_duplicate_or_a_conflict(
        self,
        storage: Storage,
        batches: list[tuple[ConflictPolicy, list[tuple[int, int, int]]]],
    ) -> None:
        """Results and readings are those of a plain dictionary."""
        scope = new_scope()
        with storage.transaction(write=True) as work:
            ids = [work.devices.add(scope, new_device(panel(name))).id for name in "ab"]
        kept: dict[tuple[int, int], tuple[int, int | None]] = {}
        for policy, batch in batches:
            rows = [(ids[device], at * 1_000, power, None) for device, at, power in batch]
            with storage.transaction(write=True) as work:
                result = work.telemetry.append(scope, readings(*rows), policy=policy)
            assert result == keep(kept, rows, policy)
        with storage.transaction(write=False) as work:
            found = work.telemetry.read(scope, ids, start_us=0, end_us=10_000)
        assert rows_of(found) == sorted((*key, *value) for key, value in kept.items())

    @pytest.mark.parametrize("limit", [0, 1, 3, 9])
    def test_the_first_readings_of_each_device_can_be_asked_for(
        self, storage: Storage, scope: Scope, limit: int
    ) -> None:
        """Of those in the range, in order; fewer where there are no more, of one or of many."""
        first, second, third, empty = (
            add_device(storage, scope, panel(name)).id for name in "abcd"
        )
        half_day_us = 43_200_000_000
        rows = [(first, at * half_day_us, at, None) for at in range(6)]
        others = [(second, at * half_day_us, at, None) for at in range(3, 8)]
        start_us, end_us = rows[1][1], rows[5][1]
        with storage.transaction(write=True) as work:
            rest = [(third, end_us, 1, None)]
            work.telemetry.append(scope, readings(*reversed([*rows, *others, *rest])))
            found = [
                work.telemetry.read(scope, ids, start_us=start_us, end_us=end_us, limit=limit)
                for ids in ([first], [third, second, empty, first])
            ]
        assert rows_of(found[0]) == rows[1:5][:limit]
        assert rows_of(found[1]) == [*rows[1:5][:limit], *others[:2][:limit]]

    def test_a_series_begins_with_its_first_reading_if_that_is_before_its_registration(
        self, storage: Storage, scope: Scope
    ) -> None:
        """Later versions stay as they are, and so do series that have later readings."""
        early = add_device(storage, scope, panel("early"), registered_at_us=5_000)
        late = add_device(storage, scope, panel("late"), registered_at_us=5_000)
        first, other = (series_version(record, 5_000) for record in (early, late))
        second = attrs.evolve(first, valid_from_us=9_000, is_active=False)
        begins, table = [], SeriesTable.of([])
        with storage.transaction(write=True) as work:
            work.series.put(scope, second)
            for at_us in (7_000, 4_000, -3_000, 1_000):
                batch = readings(
                    (late.id, at_us + 5_000, 1, None),
                    (early.id, 8_000, at_us, None),
                    (early.id, at_us, 1, None),
                )
                work.telemetry.append(scope, batch)
                table = work.series.table(scope)
                begins.append(table.versions(early.id)[0].valid_from_us)
        assert begins == [5_000, 4_000, -3_000, -3_000]
        assert list(table.versions(early.id)) == [attrs.evolve(first, valid_from_us=-3_000), second]
        assert list(table.versions(late.id)) == [attrs.evolve(other, valid_from_us=2_000)]

    def test_readings_of_an_unknown_device_are_refused(
        self, storage: Storage, scope: Scope
    ) -> None:
        """All or none: the others of the batch are not stored."""
        device_id = add_device(storage, scope).id
        with storage.transaction(write=True) as work:
            with pytest.raises(NotFound):
                work.telemetry.append(
                    scope, readings((device_id, 0, 1, None), (device_id + 1_000_000, 0, 1, None))
                )
            assert not len(work.telemetry.read(scope, [device_id], start_us=0, end_us=1))

    def test_an_empty_batch_is_stored_at_once(self, storage: Storage, scope: Scope) -> None:
        """It counts nothing."""
        with storage.transaction(write=True) as work:
            result = work.telemetry.append(scope, ReadingBatch.empty())
        assert (result.accepted, result.duplicates) == (0, 0)
        assert np.array_equal(result.conflicts, [])


def keep(
    kept: dict[tuple[int, int], tuple[int, int | None]],
    rows: Sequence[tuple[int, int, int, int | None]],
    policy: ConflictPolicy,
) -> AppendResult:
    """What a store of one value for each device and instant says, and does."""
    accepted = duplicates = 0
    conflicts = []
    for position, (device_id, at_us, power_mw, stored_mwh) in enumerate(rows):
        key, new = (device_id, at_us), (power_mw, stored_mwh)
        if key not in kept:
            accepted += 1
            kept[key] = new
        elif kept[key] == new:
            duplicates += 1
        else:
            conflicts.append(position)
            if policy is ConflictPolicy.LAST:
                kept[key] = new
    return AppendResult(
        accepted=accepted,
        duplicates=duplicates,
        conflicts=np.array(conflicts, dtype=np.int64),
    )
