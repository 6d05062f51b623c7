"""The contract of readings."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from energycore.errors import NotFound
from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage
from energycore.telemetry.readings import ReadingBatch
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

    def test_the_first_reading_of_an_instant_stays(self, storage: Storage, scope: Scope) -> None:
        """Others are duplicates or conflicts, by their values, wherever the first one stands."""
        device_id = add_device(storage, scope, battery()).id
        with storage.transaction(write=True) as work:
            work.telemetry.append(scope, readings((device_id, 0, 1, 1)))
            result = work.telemetry.append(
                scope,
                readings(
                    (device_id, 0, 1, None),  # conflicts with what is stored
                    (device_id, 0, 1, 1),  # equals it
                    (device_id, 1_000, 5, 5),  # new
                    (device_id, 1_000, 5, 5),  # equals the one before
                    (device_id, 1_000, 6, 5),  # conflicts with it
                    (device_id, 0, 2, 1),  # conflicts with what is stored
                ),
            )
            found = work.telemetry.read(scope, [device_id], start_us=0, end_us=2_000)
        assert (result.accepted, result.duplicates) == (1, 2)
        assert result.conflicts.tolist() == [0, 4, 5]
        assert rows_of(found) == [(device_id, 0, 1, 1), (device_id, 1_000, 5, 5)]

    @LAW
    @hypothesis.given(
        st.lists(
            st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3), st.integers(0, 1))),
            max_size=4,
        )
    )
    def test_every_reading_is_accepted_a_duplicate_or_a_conflict(
        self, storage: Storage, batches: list[list[tuple[int, int, int]]]
    ) -> None:
        """The counts are those of a plain dictionary that keeps what comes first."""
        scope = new_scope()
        with storage.transaction(write=True) as work:
            ids = [work.devices.add(scope, new_device(panel(name))).id for name in "ab"]
        kept: dict[tuple[int, int], int] = {}
        for batch in batches:
            rows = [(ids[device], at * 1_000, power, None) for device, at, power in batch]
            with storage.transaction(write=True) as work:
                result = work.telemetry.append(scope, readings(*rows))
            known = len(kept)
            stays = [kept.setdefault(row[:2], row[2]) == row[2] for row in rows]
            assert result.accepted == len(kept) - known
            assert result.conflicts.tolist() == [i for i, same in enumerate(stays) if not same]
            assert result.accepted + result.duplicates + len(result.conflicts) == len(rows)
        with storage.transaction(write=False) as work:
            found = work.telemetry.read(scope, ids, start_us=0, end_us=10_000)
        assert rows_of(found) == sorted((*key, power, None) for key, power in kept.items())

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
