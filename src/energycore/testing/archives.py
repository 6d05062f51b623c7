"""The contract of an archive as a pytest class, for archives of third parties as well.

Subclass `ArchiveContract` and give it a fixture called `archive`. The archive may be shared by
tests: each works in tenants of its own.
"""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from energycore.errors import ArchiveUnavailable, InvalidValue, ScopeRequired
from energycore.protocols.archive import Archive, ArchivedFile
from energycore.protocols.scope import Scope
from energycore.telemetry.readings import ReadingBatch
from energycore.testing.contract import LAW, new_scope, readings, rows_of

__all__ = ["ArchiveContract"]

DAY_US = 86_400_000_000
DAY = 20_605
INT64 = st.integers(-(2**63), 2**63 - 1)
"""Of stored energy the lowest one means that there is none."""

# Names that lead out of a folder, into a neighbour's, or that some file systems fold into one.
AWKWARD = [
    *("..", ".", "../x", "a/b", "a\\b", "C:x", "tenant=1", "day=2026-06-01", "a%2Fb", "~", "con"),
    *("Home", "home", "home.", "HOME", "*", "a?b#c", "s3://b/c", "ü", "u\u0308"),
    *("\U0001f50c" * 200, "\U0001f50c" * 199, "a" * 200, "a" * 199 + "b"),
]


def put(archive: Archive, scope: Scope, day: int, batch: ReadingBatch) -> ArchivedFile:
    """Write a file under a new name."""
    return archive.write(scope, day, batch, name=archive.new_name(scope, day))


class ArchiveContract:
    """The promises of `energycore.protocols.archive`, one test each."""

    @pytest.fixture
    def archive(self) -> Archive:
        """The archive under test; it may hold files of other tenants."""
        raise NotImplementedError("give the class a fixture that is called archive")

    @pytest.fixture
    def scope(self) -> Scope:
        """A tenant that has nothing yet."""
        return new_scope()

    def test_readings_return_by_device_and_instant(self, archive: Archive, scope: Scope) -> None:
        """Whatever order they come in."""
        rows = [
            (device_id, DAY * DAY_US + minute * 60_000_000, 7 - device_id % minute, stored)
            for device_id, stored in ((-7, None), (1, 0), (2**63 - 1, 13_500_000))
            for minute in range(1, 1_440)
        ]
        order = np.argsort([hash(row[:2]) for row in rows])
        file = put(archive, scope, DAY, readings(*(rows[i] for i in order)))
        assert (file.day, file.rows) == (DAY, len(rows))
        assert file.size_bytes > 0
        assert rows_of(archive.read(scope, file.name)) == rows

    @LAW
    @hypothesis.given(
        st.sampled_from([0, DAY, -1, -700_000]),
        st.dictionaries(
            st.tuples(INT64, st.integers(0, DAY_US - 1)), st.tuples(INT64, INT64), min_size=1
        ),
        st.sampled_from([1, 1_000]),
    )
    def test_a_file_that_is_read_holds_what_was_written(
        self,
        archive: Archive,
        day: int,
        values: dict[tuple[int, int], tuple[int, int]],
        unit_us: int,
    ) -> None:
        """Whatever the device, instant, power and stored energy."""
        rows = {
            (device_id, day * DAY_US + offset_us // unit_us * unit_us): value
            for (device_id, offset_us), value in values.items()
        }
        batch = readings(*((*key, *value) for key, value in sorted(rows.items())))
        scope = new_scope()
        name = put(archive, scope, day, batch).name
        assert rows_of(archive.read(scope, name)) == rows_of(batch)
        ids = batch.device_id[::2].tolist()
        chosen = batch.take(np.flatnonzero(np.isin(batch.device_id, ids)))
        assert rows_of(archive.read(scope, name, ids=ids)) == rows_of(chosen)

    def test_some_devices_of_a_file_are_read_alone(self, archive: Archive, scope: Scope) -> None:
        """Those that it does not hold are left out."""
        rows = [
            (device_id, second * 1_000_000, 5, None)
            for device_id in (3, 4, 6, 9)
            for second in (0, 1)
        ]
        name = put(archive, scope, 0, readings(*rows)).name

        def found(*ids: int) -> list[tuple[int, int, int, int | None]]:
            return rows_of(archive.read(scope, name, ids=ids))

        assert found(6) == rows[4:6]
        assert found(9, 3, 3, 5) == rows[:2] + rows[6:]
        assert found(2**70, -(2**70), 4) == rows[2:4]
        assert found(1, 5, 99) == found() == []

    def test_a_day_that_is_written_again_is_another_file(
        self, archive: Archive, scope: Scope
    ) -> None:
        """Even where it is the same; the first one stays as it was."""
        first = readings((1, 0, 5, None))
        names = [
            put(archive, scope, 0, batch).name
            for batch in (first, first, readings((1, 0, 5, None), (1, 1_000, 6, None)))
        ]
        assert sorted(archive.names(scope)) == sorted(set(names))
        assert [len(archive.read(scope, name)) for name in names] == [1, 1, 2]

    def test_a_file_that_is_deleted_is_gone(self, archive: Archive, scope: Scope) -> None:
        """The others stay; deleting it again is no error."""
        names = [put(archive, scope, day, readings((1, day * DAY_US, 5, 6))).name for day in (3, 4)]
        archive.delete(scope, names[0])
        archive.delete(scope, names[0])
        assert list(archive.names(scope)) == names[1:]
        for ids in (None, [1]):
            with pytest.raises(ArchiveUnavailable, match="no file"):
                archive.read(scope, names[0], ids=ids)
        assert len(archive.read(scope, names[1])) == 1

    def test_a_tenant_without_files_has_no_names(self, archive: Archive, scope: Scope) -> None:
        """It is no error to ask."""
        assert list(archive.names(scope)) == []

    def test_each_tenant_has_its_own_files_whatever_it_is_called(self, archive: Archive) -> None:
        """No name leads to another tenant's files or out of the archive."""
        scopes = [Scope(name) for name in AWKWARD]
        written = {
            scope: put(archive, scope, 0, readings((number, 0, 5, None))).name
            for number, scope in enumerate(scopes)
        }
        assert len(set(written.values())) == len(scopes)
        for number, scope in enumerate(scopes):
            assert set(archive.names(scope)) & set(written.values()) == {written[scope]}
            assert archive.read(scope, written[scope]).device_id.tolist() == [number]
        for scope, name in written.items():
            archive.delete(scope, name)

    def test_a_foreign_file_looks_like_one_that_is_not_there(
        self, archive: Archive, scope: Scope
    ) -> None:
        """It cannot be read, and deleting it deletes nothing."""
        owner = new_scope()
        foreign = put(archive, owner, 0, readings((1, 0, 5, None))).name
        own = put(archive, scope, 0, readings((1, 0, 6, None))).name
        step_aside = f"{own.rpartition('/')[0]}/../../{foreign}"
        for name in (foreign, f"/{own}", f"{own}x", f"{own}\n", step_aside, "../x", ".", ""):
            for ids in (None, [1]):
                with pytest.raises(ArchiveUnavailable, match="no file"):
                    archive.read(scope, name, ids=ids)
            archive.delete(scope, name)
        assert rows_of(archive.read(owner, foreign)) == [(1, 0, 5, None)]
        assert rows_of(archive.read(scope, own)) == [(1, 0, 6, None)]

    def test_a_name_is_new_and_for_one_day_of_one_tenant(
        self, archive: Archive, scope: Scope
    ) -> None:
        """Under any other nothing is written; one that was not used yet is no file."""
        batch = readings((1, 0, 5, None))
        names = [archive.new_name(scope, 0) for _ in range(3)]
        assert len(set(names)) == 3
        foreign = archive.new_name(new_scope(), 0)
        for name in (foreign, archive.new_name(scope, 1), "", "a/b", f"{names[0]}x"):
            with pytest.raises(InvalidValue, match="name"):
                archive.write(scope, 0, batch, name=name)
        with pytest.raises(ArchiveUnavailable, match="no file"):
            archive.read(scope, names[0])
        archive.delete(scope, names[0])
        assert archive.write(scope, 0, batch, name=names[1]).name == names[1]
        assert list(archive.names(scope)) == [names[1]]

    def test_a_file_holds_readings_of_its_day_and_at_least_one(
        self, archive: Archive, scope: Scope
    ) -> None:
        """Anything else is refused, and leaves no file."""
        for batch in (
            ReadingBatch.empty(),
            readings((1, DAY_US - 1, 5, None)),
            readings((1, DAY_US, 5, None), (1, 2 * DAY_US, 5, None)),
            readings((1, -(2**63), 5, None)),
        ):
            with pytest.raises(InvalidValue, match="readings"):
                put(archive, scope, 1, batch)
        for day in (10**7, -(10**7), 2**70):
            with pytest.raises(InvalidValue, match="day"):
                archive.new_name(scope, day)
        assert list(archive.names(scope)) == []

    def test_every_call_needs_a_scope(self, archive: Archive, scope: Scope) -> None:
        """Absence never means everything, and is noticed before anything else."""
        name = put(archive, scope, 0, readings((1, 0, 5, None))).name
        nobody: Scope = None  # type: ignore[assignment] # what a caller may forget
        for call in (
            lambda: archive.new_name(nobody, 10**7),
            lambda: archive.write(nobody, 10**7, ReadingBatch.empty(), name="no such file"),
            lambda: archive.read(nobody, name),
            lambda: archive.read(nobody, "no such file"),
            lambda: archive.names(nobody),
            lambda: archive.delete(nobody, name),
        ):
            with pytest.raises(ScopeRequired):
                call()
        assert list(archive.names(scope)) == [name]
