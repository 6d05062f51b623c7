"""The contract of the repository of sites."""

import attrs
import pytest

from energycore.devices.site import Site
from energycore.errors import InvalidValue, NameTaken, NotFound, VersionConflict
from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage
from energycore.testing.contract import Contract, add_site, new_site

__all__ = ["SiteContract"]


class SiteContract(Contract):
    """The promises of `SiteRepository`."""

    def test_a_stored_site_is_what_was_given_with_an_identity(
        self, storage: Storage, scope: Scope
    ) -> None:
        """What is read back equals what was given."""
        new = new_site(external_id="home-1")
        record = add_site(storage, scope, new)
        assert (record.site, record.registered_at_us, record.external_id, record.version) == (
            new.site,
            new.registered_at_us,
            "home-1",
            1,
        )
        with storage.transaction(write=False) as work:
            assert work.sites.get_many(scope, [record.id]) == {record.id: record}
            assert work.sites.by_external_id(scope, "home-1") == record

    def test_a_site_without_a_place_has_none(self, storage: Storage, scope: Scope) -> None:
        """Absent coordinates and external ids stay absent."""
        record = add_site(storage, scope, new_site(site=Site(name="Somewhere")))
        with storage.transaction(write=False) as work:
            stored = work.sites.get_many(scope, [record.id])[record.id]
        assert (stored.site.latitude, stored.site.longitude, stored.external_id) == (None,) * 3

    def test_coordinates_return_to_the_last_bit(self, storage: Storage, scope: Scope) -> None:
        """Floats are stored as they are."""
        place = Site(name="Bit", latitude=0.1 + 0.2, longitude=-179.99999999999997)
        record = add_site(storage, scope, new_site(site=place))
        with storage.transaction(write=False) as work:
            assert work.sites.get_many(scope, [record.id])[record.id].site == place

    def test_missing_sites_are_left_out(self, storage: Storage, scope: Scope) -> None:
        """An identity that nobody has is no error, however large."""
        record = add_site(storage, scope)
        with storage.transaction(write=False) as work:
            found = work.sites.get_many(scope, [record.id, record.id + 1_000_000, 2**70, -1])
            assert work.sites.get_many(scope, []) == {}
            assert work.sites.by_external_id(scope, "nobody") is None
            assert work.sites.by_external_id(scope, "no\0body\ud800") is None
        assert found == {record.id: record}

    def test_two_sites_may_have_one_name_but_not_one_external_id(
        self, storage: Storage, scope: Scope
    ) -> None:
        """The refusal carries the site that has it, and the transaction goes on."""
        first = add_site(storage, scope, new_site(external_id="home-1"))
        with storage.transaction(write=True) as work:
            with pytest.raises(NameTaken) as refused:
                work.sites.add(scope, new_site("Other", external_id="home-1"))
            second = work.sites.add(scope, new_site())
        assert refused.value.current == first
        with storage.transaction(write=False) as work:
            assert work.sites.get_many(scope, [second.id]) == {second.id: second}

    def test_an_update_replaces_the_site_and_its_version_grows_by_one(
        self, storage: Storage, scope: Scope
    ) -> None:
        """What is returned is what is stored."""
        record = add_site(storage, scope, new_site(external_id="home-1"))
        changed = attrs.evolve(record, site=Site(name="Moved", time_zone="Asia/Tokyo"))
        with storage.transaction(write=True) as work:
            updated = work.sites.update(scope, changed)
        assert updated == attrs.evolve(changed, version=2)
        with storage.transaction(write=False) as work:
            assert work.sites.by_external_id(scope, "home-1") == updated

    def test_an_update_of_another_version_is_refused_with_the_site_as_stored(
        self, storage: Storage, scope: Scope
    ) -> None:
        """The slower of two changes learns what the faster one made."""
        record = add_site(storage, scope)
        with storage.transaction(write=True) as work:
            current = work.sites.update(scope, record)
            with pytest.raises(VersionConflict) as refused:
                work.sites.update(scope, record)
            assert work.sites.get_many(scope, [record.id]) == {record.id: current}
        assert refused.value.current == current

    def test_an_update_of_nothing_is_not_found(self, storage: Storage, scope: Scope) -> None:
        """No site is made by an update."""
        record = add_site(storage, scope)
        with storage.transaction(write=True) as work:
            with pytest.raises(NotFound):
                work.sites.update(scope, attrs.evolve(record, id=record.id + 1_000_000))
            assert work.sites.count(scope) == 1

    def test_an_update_cannot_take_an_external_id(self, storage: Storage, scope: Scope) -> None:
        """The refusal leaves the site as it was and the transaction in order."""
        first = add_site(storage, scope, new_site(external_id="a"))
        second = add_site(storage, scope, new_site(external_id="b"))
        with storage.transaction(write=True) as work:
            with pytest.raises(NameTaken) as refused:
                work.sites.update(scope, attrs.evolve(second, external_id="a"))
            assert work.sites.get_many(scope, [second.id]) == {second.id: second}
            freed = work.sites.update(scope, attrs.evolve(first, external_id=None))
            moved = work.sites.update(scope, attrs.evolve(second, external_id="a"))
        assert refused.value.current == first
        with storage.transaction(write=False) as work:
            assert work.sites.by_external_id(scope, "a") == moved
            assert work.sites.by_external_id(scope, "b") is None
            assert work.sites.get_many(scope, [first.id]) == {first.id: freed}

    @pytest.mark.parametrize("text", ["nul\0", "half \ud800", "x" * 201])
    def test_an_external_id_that_not_every_backend_can_keep_is_refused(
        self, storage: Storage, scope: Scope, text: str
    ) -> None:
        """The refusal names the field."""
        with storage.transaction(write=True) as work:
            with pytest.raises(InvalidValue, match="external_id"):
                work.sites.add(scope, new_site(external_id=text))
            assert work.sites.count(scope) == 0
