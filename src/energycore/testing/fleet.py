"""The contract of states, shards and what ticks load and save."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import TypeVar

import attrs
import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from energycore.devices.base import DataSource, Role
from energycore.devices.site import Site
from energycore.errors import InvalidValue, NotFound, StorageUnavailable
from energycore.protocols.records import DeviceFilter, ShardRecord, StateRecord
from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage
from energycore.quantities.units import MISSING
from energycore.simulation.dispatch import Manual, SelfConsumption
from energycore.telemetry.readings import ReadingBatch
from energycore.testing.contract import (
    LAW,
    MINUTE_US,
    Contract,
    add_device,
    add_site,
    appliance,
    battery,
    new_scope,
    new_site,
    panel,
    readings,
)

__all__ = ["FleetContract"]

Answer = TypeVar("Answer")
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)


def add_shard(storage: Storage, scope: Scope) -> ShardRecord:
    """Give the tenant its shard."""
    with storage.transaction(write=True) as work:
        return work.fleet.add_shard(scope, step_us=MINUTE_US, seed=3)


def at_once(count: int, act: Callable[[], Answer]) -> list[Answer]:
    """Do the same in several threads that start together; all answers."""
    barrier, answers = Barrier(count), []

    def run() -> None:
        barrier.wait()
        answers.append(act())

    threads = [Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


class FleetContract(Contract):
    """The promises of `FleetStore`."""

    def test_a_tenant_has_one_shard(self, storage: Storage, scope: Scope) -> None:
        """Asking again gives the first one, whatever is asked for."""
        shard = add_shard(storage, scope)
        assert attrs.evolve(shard, id=0) == ShardRecord(
            id=0, step_us=MINUTE_US, seed=3, last_tick_us=None
        )
        with storage.transaction(write=True) as work:
            assert work.fleet.add_shard(scope, step_us=1, seed=-(2**62)) == shard
            assert list(work.fleet.shards(scope)) == [shard]
            assert list(work.fleet.shards(scope, hold=True)) == [shard]
        with storage.transaction(write=False) as work:
            assert list(work.fleet.shards(new_scope())) == []

    def test_a_seed_that_not_every_backend_can_keep_is_refused(
        self, storage: Storage, scope: Scope
    ) -> None:
        """Seeds are signed numbers of 64 bits."""
        with storage.transaction(write=True) as work:
            with pytest.raises(InvalidValue, match="seed"):
                work.fleet.add_shard(scope, step_us=MINUTE_US, seed=2**63)
            assert list(work.fleet.shards(scope)) == []

    def test_several_at_once_give_a_tenant_one_shard(self, storage: Storage, scope: Scope) -> None:
        """All of them get the same."""
        assert len(set(at_once(4, lambda: add_shard(storage, scope).id))) == 1
        with storage.transaction(write=False) as work:
            assert len(work.fleet.shards(scope)) == 1

    def test_the_watermark_moves_only_from_where_it_is_expected(
        self, storage: Storage, scope: Scope
    ) -> None:
        """Elsewhere the answer is False and nothing changes, before the first tick as after it."""
        shard = add_shard(storage, scope)
        stood: int | None = None
        for expected_us, last_tick_us in (
            (0, 60),
            (None, 60),
            (None, 120),
            (120, 180),
            (60, 120),
            (60, 120),
        ):
            with storage.transaction(write=True) as work:
                moved = work.fleet.advance(
                    scope, shard.id, expected_us=expected_us, last_tick_us=last_tick_us
                )
            with storage.transaction(write=False) as work:
                stands = work.fleet.shards(scope)[0].last_tick_us
            assert moved is (expected_us == stood)
            stood = last_tick_us if moved else stood
            assert stands == stood
        assert stood == 120
        with storage.transaction(write=True) as work:
            assert not work.fleet.advance(scope, 2**70, expected_us=120, last_tick_us=180)

    def test_of_several_that_advance_at_once_one_wins(self, storage: Storage, scope: Scope) -> None:
        """The others are told so, or that the database is busy; none of them commits."""
        shard = add_shard(storage, scope)
        expected_us: int | None = None
        for last_tick_us in (60, 120, 180):

            def advance(expected: int | None = expected_us, to_us: int = last_tick_us) -> bool:
                try:
                    with storage.transaction(write=True) as work:
                        return work.fleet.advance(
                            scope, shard.id, expected_us=expected, last_tick_us=to_us
                        )
                except StorageUnavailable:
                    return False

            assert sum(at_once(4, advance)) == 1
            expected_us = last_tick_us
        with storage.transaction(write=False) as work:
            assert work.fleet.shards(scope)[0].last_tick_us == 180

    def test_a_shard_that_is_held_is_advanced_by_nobody_else(
        self, storage: Storage, scope: Scope
    ) -> None:
        """Whoever holds it moves it first; the other then finds it moved."""
        shard = add_shard(storage, scope)
        answers: dict[str, bool] = {}

        def advance(name: str) -> None:
            with storage.transaction(write=True) as work:
                answers[name] = work.fleet.advance(
                    scope, shard.id, expected_us=None, last_tick_us=60
                )

        other = Thread(target=advance, args=("other",))
        with storage.transaction(write=True) as work:
            work.fleet.shards(scope, hold=True)
            other.start()
            # Long enough for the other to overtake, if the shard were not held.
            other.join(timeout=0.2)
            answers["holder"] = work.fleet.advance(
                scope, shard.id, expected_us=None, last_tick_us=60
            )
        other.join()
        assert answers == {"holder": True, "other": False}

    @LAW
    @hypothesis.given(st.dictionaries(st.text("abc_", min_size=1), NUMBERS))
    def test_an_internal_state_returns_as_it_was(
        self, storage: Storage, state: dict[str, int | float]
    ) -> None:
        """Integers stay integers and floats floats, to the last bit."""
        scope = new_scope()
        device_id = add_device(storage, scope).id
        with storage.transaction(write=True) as work:
            work.fleet.save(scope, {device_id: {"old": 1}})
            work.fleet.save(scope, {device_id: state})
            work.fleet.save(scope, {})
        with storage.transaction(write=False) as work:
            found = work.fleet.internal_states(scope, [device_id])[device_id]
        assert [(n, type(v), repr(v)) for n, v in found.items()] == [
            (n, type(v), repr(v)) for n, v in state.items()
        ]

    def test_states_of_unknown_devices_are_refused(self, storage: Storage, scope: Scope) -> None:
        """Internal ones as those of readings; without one a device is left out."""
        device_id = add_device(storage, scope).id
        with storage.transaction(write=True) as work:
            with pytest.raises(NotFound):
                work.fleet.save(scope, {device_id + 1_000_000: {"x": 1}})
            with pytest.raises(NotFound):
                work.fleet.observe(scope, readings((device_id + 1_000_000, 0, 1, None)))
            assert work.fleet.internal_states(scope, [device_id, 2**70]) == {}
            assert work.fleet.states(scope, [device_id, 2**70]) == {}

    def test_the_newest_reading_becomes_the_state(self, storage: Storage, scope: Scope) -> None:
        """An older one never does; one of the same instant does, in one batch or in several."""
        device_id = add_device(storage, scope, battery()).id
        other_id = add_device(storage, scope, panel()).id
        newest = StateRecord(device_id=device_id, at_us=2_000, power_mw=-7, stored_mwh=9)
        with storage.transaction(write=True) as work:
            work.fleet.observe(
                scope,
                readings(
                    (device_id, 2_000, 1, 1),
                    (device_id, 2_000, 2, 2),
                    (device_id, 1_000, 5, 5),
                    (other_id, -1_000, 3, None),
                ),
            )
            assert work.fleet.states(scope, [device_id])[device_id].power_mw == 2
            work.fleet.observe(scope, readings((device_id, 1_500, 1, 1)))
            work.fleet.observe(scope, readings((device_id, 2_000, -7, 9)))
            work.fleet.observe(scope, ReadingBatch.empty())
        with storage.transaction(write=False) as work:
            assert work.fleet.states(scope, [device_id, other_id]) == {
                device_id: newest,
                other_id: StateRecord(
                    device_id=other_id, at_us=-1_000, power_mw=3, stored_mwh=None
                ),
            }
        with storage.transaction(write=True) as work:
            work.fleet.observe(scope, readings((device_id, 3_000, 1, None)))
            assert work.fleet.states(scope, [device_id])[device_id].stored_mwh is None

    def test_a_fleet_is_the_active_simulated_devices_that_have_joined(
        self, storage: Storage, scope: Scope
    ) -> None:
        """With their ratings, states, noise keys, dispatch, sites and time zones."""
        site = add_site(storage, scope, new_site(site=Site(name="T", time_zone="Asia/Tokyo")))
        shard = add_shard(storage, scope)
        wall = add_device(
            storage,
            scope,
            battery(),
            site_id=site.id,
            noise_key=2**64 - 1,
            dispatch=SelfConsumption(priority=2),
        )
        car = add_device(storage, scope, battery("Car"), simulated_from_us=50, noise_key=5)
        kettle = add_device(storage, scope, appliance(), simulated_from_us=100)
        add_device(storage, scope, panel("late"), simulated_from_us=101)
        add_device(storage, scope, panel("off"), is_active=False)
        add_device(storage, scope, panel("real"), data_source=DataSource.REPORTED)
        state = {"stored_nwh": 2**60 + 1, "setpoint_w": -0.1, "mode": -1}
        with storage.transaction(write=True) as work:
            work.fleet.save(scope, {wall.id: state})
        with storage.transaction(write=False) as work:
            fleet = work.fleet.load(scope, shard.id, at_us=100, default_zone="Europe/Paris")
            none = work.fleet.load(scope, shard.id + 1_000_000, at_us=100, default_zone="UTC")
        appliances, batteries = fleet.kinds
        assert (len(fleet), fleet.site_count, len(none)) == (3, 1, 0)
        assert appliances.device_id.tolist() == [kettle.id]
        assert batteries.device_id.tolist() == [wall.id, car.id]
        assert batteries.noise_key.tolist() == [2**64 - 1, 5]
        assert batteries.site_index.tolist() == [0, 1]
        assert [fleet.zones[i].key for i in batteries.zone_index] == ["Asia/Tokyo", "Europe/Paris"]
        dispatches = [batteries.dispatches[index] for index in batteries.dispatch_index]
        assert dispatches == [SelfConsumption(priority=2), Manual()]
        assert fleet.device_states()[wall.id] == state
        assert fleet.device_states()[car.id]["setpoint_w"] == 0.0

    def test_the_next_to_join_is_the_first_after_an_instant(
        self, storage: Storage, scope: Scope
    ) -> None:
        """Only active simulated devices join."""
        shard = add_shard(storage, scope)
        for name, joins, more in (
            ("a", 100, {}),
            ("b", 200, {}),
            ("c", 150, {"is_active": False}),
            ("d", 160, {"data_source": DataSource.REPORTED}),
        ):
            add_device(storage, scope, panel(name), simulated_from_us=joins, **more)
        with storage.transaction(write=False) as work:
            joins_us = [
                work.fleet.next_join_us(scope, shard.id, after_us=at) for at in (99, 100, 200)
            ]
            stranger = work.fleet.next_join_us(scope, shard.id + 1_000_000, after_us=0)
        assert joins_us == [100, 200, None]
        assert stranger is None

    def test_the_table_shows_active_devices_with_what_is_known(
        self, storage: Storage, scope: Scope
    ) -> None:
        """What is not known is marked as missing, never zero."""
        site = add_site(storage, scope)
        roof = add_device(storage, scope, panel(), site_id=site.id, max_gap_us=7)
        wall = add_device(
            storage, scope, battery("Wall", 13_500.0005), data_source=DataSource.REPORTED
        )
        add_device(storage, scope, panel("off"), is_active=False)
        with storage.transaction(write=True) as work:
            work.fleet.observe(scope, readings((roof.id, 10, 2_000, None)))
            table = work.fleet.table(scope, DeviceFilter())
            nothing = work.fleet.table(scope, DeviceFilter(ids=()))
        kinds = [table.kinds[index] for index in table.kind_index]
        assert kinds == ["solar_panel", "battery"]
        assert dict(zip(table.kinds, table.roles, strict=True)) == {
            "solar_panel": Role.SOURCE,
            "battery": Role.STORAGE,
        }
        columns = [
            (table.device_id, [roof.id, wall.id]),
            (table.site_id, [site.id, MISSING]),
            (table.at_us, [10, MISSING]),
            (table.power_mw, [2_000, MISSING]),
            (table.stored_mwh, [MISSING, MISSING]),
            (table.capacity_mwh, [MISSING, 13_500_000]),
            (table.silent_after_us, [14, 2 * MINUTE_US]),
        ]
        for column, expected in columns:
            assert column.dtype == np.int64
            assert column.tolist() == expected
        assert len(nothing) == 0

    def test_tags_are_listed_in_alphabetical_order_with_their_active_devices(
        self, storage: Storage, scope: Scope
    ) -> None:
        """Alphabetical is by code point; devices come by identity."""
        tags = ("B", "a", "\uffee", "\U0001f50c")
        first = add_device(storage, scope, panel("1"), tags=tags)
        second = add_device(storage, scope, panel("2"), tags=("a", "é"))
        add_device(storage, scope, panel("3"), tags=("a", "gone"), is_active=False)
        with storage.transaction(write=False) as work:
            tagged = work.fleet.tagged(scope, DeviceFilter())
        assert [(tag, list(ids)) for tag, ids in tagged.items()] == [
            ("B", [first.id]),
            ("a", [first.id, second.id]),
            ("é", [second.id]),
            ("\uffee", [first.id]),
            ("\U0001f50c", [first.id]),
        ]
