"""The contract of transactions."""

from contextlib import suppress
from threading import Thread, current_thread

import attrs
import pytest

from energycore.devices.kinds.solar_panel import SolarPanel
from energycore.errors import EnergycoreError, StorageUnavailable
from energycore.protocols.records import DeviceFilter
from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage
from energycore.testing.contract import (
    Contract,
    add_device,
    new_device,
    new_site,
    panel,
    readings,
)
from energycore.testing.tenants import World

__all__ = ["TransactionContract"]

ALL = DeviceFilter()


class Broken(Exception):
    """Raised by a test in the middle of a transaction."""


class TransactionContract(Contract):
    """The promises of `Storage`."""

    def test_a_block_that_raises_leaves_everything_as_it_was(self, storage: Storage) -> None:
        """Of each kind of change nothing remains."""
        with storage.transaction(write=True) as work:
            world = World.make(work)
            before = world.seen(work)
        scope, device_id = world.scope, world.device.id
        with suppress(Broken), storage.transaction(write=True) as work:
            work.sites.add(scope, new_site("Another"))
            work.sites.update(scope, attrs.evolve(world.site, external_id="moved"))
            work.devices.add(scope, new_device(panel("Another"), tags=("new",)))
            work.devices.update(scope, attrs.evolve(world.device, tags=("other",)))
            work.fleet.advance(scope, world.shard.id, expected_us=None, last_tick_us=60)
            work.fleet.save(scope, {device_id: {"stored_nwh": 9}})
            batch = readings((device_id, 1_000, 9, 9), (device_id, 500, 9, 9))
            work.telemetry.append(scope, batch)
            work.fleet.observe(scope, batch)
            work.settings.put(scope, "name", "other")
            assert world.seen(work) != before
            raise Broken
        with storage.transaction(write=False) as work:
            assert world.seen(work) == before

    def test_an_error_leaves_the_block_as_it_is(self, storage: Storage) -> None:
        """A storage neither swallows nor replaces what was raised by its user."""
        for write in (False, True):
            with pytest.raises(Broken), storage.transaction(write=write):
                raise Broken

    def test_a_transaction_sees_its_own_changes(self, storage: Storage, scope: Scope) -> None:
        """Before they are committed."""
        with storage.transaction(write=True) as work:
            record = work.devices.add(scope, new_device())
            assert work.devices.get_many(scope, [record.id]) == {record.id: record}

    def test_a_reader_sees_nothing_of_what_is_not_committed(
        self, storage: Storage, scope: Scope
    ) -> None:
        """A change that is rolled back was never there for anybody else."""
        counts: list[int] = []

        def count() -> None:
            try:
                with storage.transaction(write=False) as work:
                    counts.append(work.devices.count(scope, ALL))
            except StorageUnavailable:
                counts.append(0)

        reader = Thread(target=count)
        with suppress(Broken), storage.transaction(write=True) as work:
            work.devices.add(scope, new_device())
            reader.start()
            # A backend may make the reader wait for this transaction: it is not waited for.
            reader.join(timeout=0.2)
            raise Broken
        reader.join()
        assert counts == [0]

    def test_a_reading_transaction_sees_one_state(self, storage: Storage, scope: Scope) -> None:
        """What others commit meanwhile is seen by the next one."""
        writer = Thread(target=add_device, args=(storage, scope, panel("New")))
        with storage.transaction(write=False) as work:
            before = work.devices.count(scope, ALL)
            writer.start()
            # A backend may make the writer wait for this transaction: it is not waited for.
            writer.join(timeout=0.2)
            assert work.devices.count(scope, ALL) == before == 0
        writer.join()
        with storage.transaction(write=False) as work:
            assert work.devices.count(scope, ALL) == 1

    def test_a_reading_transaction_writes_or_refuses(self, storage: Storage, scope: Scope) -> None:
        """But it never loses what it was given without a word."""
        try:
            with storage.transaction(write=False) as work:
                work.devices.add(scope, new_device())
            written = 1
        except EnergycoreError:
            written = 0
        with storage.transaction(write=False) as work:
            assert work.devices.count(scope, ALL) == written

    def test_writers_from_several_threads_all_get_their_turn(
        self, storage: Storage, scope: Scope
    ) -> None:
        """Nothing of what they stored is lost."""

        def add(first: int) -> None:
            for number in range(first, first + 5):
                device = SolarPanel(name=f"Panel {number}", rated_power_w=1.0)
                add_device(storage, scope, device)

        threads = [Thread(target=add, args=(first,)) for first in (0, 5, 10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with storage.transaction(write=False) as work:
            assert work.devices.count(scope, ALL) == 15

    def test_a_closed_storage_is_not_available(self, storage: Storage) -> None:
        """It says so, rather than opening itself again."""
        storage.close()
        for write in (False, True):
            with pytest.raises(StorageUnavailable), storage.transaction(write=write):
                pass
        storage.close()

    def test_what_is_to_happen_after_a_commit_sees_what_was_written(
        self, storage: Storage, scope: Scope
    ) -> None:
        """In order, in the same thread, with the transaction over: it may begin another one."""
        seen: list[tuple[str, int, Thread]] = []

        def look(name: str) -> None:
            with storage.transaction(write=True) as work:
                seen.append((name, work.devices.count(scope, ALL), current_thread()))

        with storage.transaction(write=True) as work:
            work.after_commit(lambda: look("first"))
            work.devices.add(scope, new_device())
            work.after_commit(lambda: look("second"))
            assert seen == []
        assert seen == [("first", 1, current_thread()), ("second", 1, current_thread())]

    def test_nothing_happens_after_what_is_rolled_back(self, storage: Storage) -> None:
        """Not then, and not after the next transaction."""
        called: list[str] = []
        with suppress(Broken), storage.transaction(write=True) as work:
            work.after_commit(lambda: called.append("rolled back"))
            raise Broken
        with storage.transaction(write=True) as work:
            work.after_commit(lambda: called.append("committed"))
        assert called == ["committed"]

    def test_what_fails_after_a_commit_is_logged_and_disturbs_nobody(
        self, storage: Storage, scope: Scope, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What was stored is stored, and what else was to happen happens."""
        called: list[str] = []

        def fail() -> None:
            raise Broken("the reason")

        with caplog.at_level("ERROR"), storage.transaction(write=True) as work:
            work.devices.add(scope, new_device())
            work.after_commit(fail)
            work.after_commit(lambda: called.append("next"))
        assert called == ["next"]
        assert "the reason" in caplog.text
        with storage.transaction(write=False) as work:
            assert work.devices.count(scope, ALL) == 1
