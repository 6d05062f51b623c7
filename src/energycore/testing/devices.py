"""The contract of the repository of devices."""

from collections.abc import Callable
from threading import Thread

import attrs
import hypothesis
import pytest
from hypothesis import strategies as st

from energycore.devices.base import DataSource, Device
from energycore.errors import NameTaken, NotFound, StorageUnavailable, VersionConflict
from energycore.protocols.records import DeviceFilter, DeviceRecord
from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage
from energycore.simulation.dispatch import SelfConsumption
from energycore.testing.contract import (
    LAW,
    Contract,
    add_device,
    add_site,
    appliance,
    battery,
    new_device,
    new_scope,
    panel,
)

__all__ = ["DeviceContract"]

INT64 = st.integers(-(2**63) + 1, 2**63 - 1)


class DeviceContract(Contract):
    """The promises of `DeviceRepository`, but for its pages."""

    @LAW
    @hypothesis.given(
        rated_power_w=st.floats(0.001, 1e8),
        noise_key=st.integers(0, 2**64 - 1),
        has_own_key=st.booleans(),
        instants=st.tuples(INT64, INT64),
        is_active=st.booleans(),
        source=st.sampled_from(DataSource),
    )
    def test_a_stored_device_is_what_was_given_with_an_identity(
        self,
        storage: Storage,
        rated_power_w: float,
        noise_key: int,
        has_own_key: bool,
        instants: tuple[int, int],
        is_active: bool,
        source: DataSource,
    ) -> None:
        """Every field returns as it was, numbers to the last bit."""
        scope = new_scope()
        own_key = noise_key if has_own_key else None
        device = attrs.evolve(panel(rated_power_w=rated_power_w), noise_key=own_key)
        new = new_device(
            device,
            noise_key=noise_key,
            tags=("b", "Ä", "\U0001f50c"),
            external_id="roof-1",
            is_active=is_active,
            data_source=source,
            registered_at_us=instants[0],
            simulated_from_us=instants[1],
        )
        with storage.transaction(write=True) as work:
            record = work.devices.add(scope, new)
        with storage.transaction(write=False) as work:
            assert work.devices.get_many(scope, [record.id]) == {record.id: record}
            assert work.devices.by_external_id(scope, "roof-1") == record
        given = {field.name: getattr(new, field.name) for field in attrs.fields(type(new))}
        assert record == DeviceRecord(id=record.id, version=1, **given)

    @pytest.mark.parametrize("make", [panel, battery, appliance])
    def test_every_kind_of_device_returns_as_it_was(
        self, storage: Storage, scope: Scope, make: Callable[[], Device]
    ) -> None:
        """So does the dispatch of a storage, with its parameters."""
        device = make()
        dispatch = SelfConsumption(priority=-3) if device.kind == "battery" else None
        record = add_device(storage, scope, device, dispatch=dispatch)
        with storage.transaction(write=False) as work:
            stored = work.devices.get_many(scope, [record.id])[record.id]
        assert (stored.device, stored.dispatch) == (device, dispatch)

    def test_missing_devices_are_left_out(self, storage: Storage, scope: Scope) -> None:
        """An identity that nobody has is no error, however large."""
        record = add_device(storage, scope)
        with storage.transaction(write=False) as work:
            found = work.devices.get_many(scope, [record.id, record.id + 1_000_000, 2**70])
            assert work.devices.get_many(scope, []) == {}
            assert work.devices.by_external_id(scope, "nobody") is None
        assert found == {record.id: record}

    def test_an_identity_is_never_used_again(self, storage: Storage, scope: Scope) -> None:
        """Later devices have larger identities, also across tenants."""
        first = add_device(storage, scope)
        second = add_device(storage, new_scope())
        third = add_device(storage, scope, panel("Barn"))
        assert first.id < second.id < third.id

    def test_a_device_of_a_site_that_is_not_there_is_refused(
        self, storage: Storage, scope: Scope
    ) -> None:
        """Nothing is stored, and the transaction goes on."""
        with storage.transaction(write=True) as work:
            with pytest.raises(NotFound):
                work.devices.add(scope, new_device(site_id=2**40))
            assert work.devices.count(scope, DeviceFilter()) == 0
            work.devices.add(scope, new_device())

    def test_a_name_is_unique_within_its_site(self, storage: Storage, scope: Scope) -> None:
        """Other sites, and devices without a site, may use it once each."""
        home, barn = add_site(storage, scope), add_site(storage, scope)
        at_home = add_device(storage, scope, site_id=home.id)
        nowhere = add_device(storage, scope)
        add_device(storage, scope, site_id=barn.id)
        for site_id, holder in ((home.id, at_home), (None, nowhere)):
            with storage.transaction(write=True) as work:
                with pytest.raises(NameTaken) as refused:
                    work.devices.add(scope, new_device(site_id=site_id))
                assert refused.value.current == holder
                assert work.devices.count(scope, DeviceFilter()) == 3

    def test_an_external_id_is_unique_within_the_tenant(
        self, storage: Storage, scope: Scope
    ) -> None:
        """The refusal carries the device that has it."""
        first = add_device(storage, scope, external_id="x")
        with storage.transaction(write=True) as work:
            with pytest.raises(NameTaken) as refused:
                work.devices.add(scope, new_device(panel("Barn"), external_id="x"))
            assert refused.value.current == first
            work.devices.add(scope, new_device(panel("Barn"), external_id="y"))

    def test_an_update_replaces_everything_and_the_version_grows_by_one(
        self, storage: Storage, scope: Scope
    ) -> None:
        """What is returned is what is stored, under the old identity."""
        site = add_site(storage, scope)
        record = add_device(storage, scope, battery(), tags=("a", "b"), external_id="x")
        changed = attrs.evolve(
            record,
            device=battery("New", 9_000.5),
            site_id=site.id,
            tags=("b", "c"),
            external_id=None,
            is_active=False,
            simulated_from_us=5,
            dispatch=SelfConsumption(priority=7),
        )
        with storage.transaction(write=True) as work:
            updated = work.devices.update(scope, changed)
        assert updated == attrs.evolve(changed, version=2)
        with storage.transaction(write=False) as work:
            assert work.devices.get_many(scope, [record.id]) == {record.id: updated}
            assert work.devices.by_external_id(scope, "x") is None
        add_device(storage, scope, battery(), external_id="x")

    def test_an_update_of_another_version_is_refused_with_the_device_as_stored(
        self, storage: Storage, scope: Scope
    ) -> None:
        """The slower of two changes learns what the faster one made."""
        record = add_device(storage, scope, tags=("a",))
        with storage.transaction(write=True) as work:
            current = work.devices.update(scope, attrs.evolve(record, tags=("b",)))
            with pytest.raises(VersionConflict) as refused:
                work.devices.update(scope, attrs.evolve(record, tags=("c",)))
            assert work.devices.get_many(scope, [record.id]) == {record.id: current}
        assert refused.value.current == current

    def test_an_update_of_nothing_or_to_nowhere_is_not_found(
        self, storage: Storage, scope: Scope
    ) -> None:
        """Neither a device nor a site is made by an update."""
        record = add_device(storage, scope)
        with storage.transaction(write=True) as work:
            missing = attrs.evolve(record, id=record.id + 1_000_000)
            for changed in (missing, attrs.evolve(record, site_id=2**40)):
                with pytest.raises(NotFound):
                    work.devices.update(scope, changed)
            assert work.devices.get_many(scope, [record.id]) == {record.id: record}

    def test_an_update_cannot_take_a_name(self, storage: Storage, scope: Scope) -> None:
        """The refusal leaves the device as it was and the transaction in order."""
        first = add_device(storage, scope, panel("A"))
        second = add_device(storage, scope, panel("B"))
        with storage.transaction(write=True) as work:
            with pytest.raises(NameTaken) as refused:
                work.devices.update(scope, attrs.evolve(second, device=panel("A")))
            assert work.devices.get_many(scope, [second.id]) == {second.id: second}
            work.devices.update(scope, attrs.evolve(first, device=panel("C")))
            work.devices.update(scope, attrs.evolve(second, device=panel("A")))
        assert refused.value.current == first

    def test_concurrent_updates_lose_nothing(self, storage: Storage, scope: Scope) -> None:
        """Whoever reads, changes and writes with the version ends up in the result."""
        record = add_device(storage, scope)
        wanted = {f"tag-{number}" for number in range(6)}

        def add_tag(tag: str) -> None:
            while True:
                try:
                    with storage.transaction(write=False) as work:
                        seen = work.devices.get_many(scope, [record.id])[record.id]
                    with storage.transaction(write=True) as work:
                        tags = tuple(sorted({*seen.tags, tag}))
                        work.devices.update(scope, attrs.evolve(seen, tags=tags))
                except (VersionConflict, StorageUnavailable):
                    continue
                return

        threads = [Thread(target=add_tag, args=(tag,)) for tag in wanted]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with storage.transaction(write=False) as work:
            stored = work.devices.get_many(scope, [record.id])[record.id]
        assert set(stored.tags) == wanted
        assert stored.version == 1 + len(wanted)
