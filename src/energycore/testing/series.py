"""The contract of the versions of series and zones."""

from collections.abc import Mapping, Sequence

import attrs
import hypothesis
import pytest
from hypothesis import strategies as st

from energycore.errors import NotFound
from energycore.protocols.records import DeviceFilter, DeviceRecord
from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage
from energycore.protocols.telemetry import ZoneVersion
from energycore.protocols.versions import series_version
from energycore.telemetry.series import BEGINNING_US, GapPolicy, SeriesVersion
from energycore.testing.contract import (
    LAW,
    Contract,
    add_device,
    add_site,
    battery,
    new_scope,
    new_site,
    panel,
)

__all__ = ["SeriesContract"]


class SeriesContract(Contract):
    """The promises of `SeriesStore`."""

    @pytest.mark.parametrize("policy", GapPolicy)
    def test_a_device_keeps_how_its_gaps_are_filled(
        self, storage: Storage, scope: Scope, policy: GapPolicy
    ) -> None:
        """It returns as it was given, and changes with an update."""
        record = add_device(storage, scope, gap_policy=policy)
        with storage.transaction(write=True) as work:
            assert work.devices.get_many(scope, [record.id]) == {record.id: record}
            changed = work.devices.update(scope, attrs.evolve(record, gap_policy=GapPolicy.HOLD))
            assert work.devices.get_many(scope, [record.id]) == {record.id: changed}
        assert (record.gap_policy, changed.gap_policy) == (policy, GapPolicy.HOLD)

    def test_the_series_of_a_device_begins_with_its_registration(
        self, storage: Storage, scope: Scope
    ) -> None:
        """The first version says what the device is."""
        site = add_site(storage, scope)
        stored = [
            add_device(storage, scope, battery(), site_id=site.id, gap_policy=GapPolicy.LINEAR),
            add_device(storage, scope, panel(), is_active=False, registered_at_us=-7),
        ]
        assert versions(storage, scope) == [first_version(record) for record in stored]
        assert [version.capacity_mwh for version in versions(storage, scope)] == [13_500_000, None]

    def test_series_of_some_devices_are_those_of_no_others(
        self, storage: Storage, scope: Scope
    ) -> None:
        """Unknown identities are left out, however large."""
        ids = [add_device(storage, scope, panel(name)).id for name in "abc"]
        with storage.transaction(write=False) as work:
            found = work.series.table(scope, [ids[2], ids[0], ids[2], ids[2] + 1_000_000, 2**70])
            assert work.series.table(scope, []).device_ids == ()
            assert work.series.table(scope).device_ids == tuple(ids)
        assert found.device_ids == (ids[0], ids[2])

    def test_a_version_that_begins_later_is_added(self, storage: Storage, scope: Scope) -> None:
        """What held before it stays."""
        record = add_device(storage, scope)
        first = first_version(record)
        second = attrs.evolve(
            first, valid_from_us=9_000, is_active=False, gap_policy=GapPolicy.NONE, capacity_mwh=5
        )
        put(storage, scope, second)
        assert versions(storage, scope) == [first, second]

    def test_a_version_that_does_not_begin_later_replaces_the_content_of_the_newest(
        self, storage: Storage, scope: Scope
    ) -> None:
        """The newest keeps its beginning, and what held before it stays."""
        record = add_device(storage, scope, registered_at_us=1_000)
        first = first_version(record)
        put(storage, scope, attrs.evolve(first, valid_from_us=-5, max_gap_us=2))
        corrected = attrs.evolve(first, max_gap_us=2)
        assert versions(storage, scope) == [corrected]
        put(storage, scope, attrs.evolve(first, valid_from_us=5_000, max_gap_us=3))
        for begins_us in (5_000, 4_000, 0):
            newest = attrs.evolve(first, valid_from_us=begins_us, max_gap_us=begins_us + 4)
            put(storage, scope, newest)
            assert versions(storage, scope) == [
                corrected,
                attrs.evolve(newest, valid_from_us=5_000),
            ]

    @LAW
    @hypothesis.given(
        st.lists(
            st.tuples(st.integers(0, 1), st.integers(-5, 5), st.sampled_from(GapPolicy)),
            max_size=8,
        )
    )
    def test_versions_are_those_of_a_plain_list(
        self, storage: Storage, puts: list[tuple[int, int, GapPolicy]]
    ) -> None:
        """Whatever their order, each device has its own."""
        scope = new_scope()
        records = [
            add_device(storage, scope, panel(name), registered_at_us=0) for name in ("a", "b")
        ]
        kept = {record.id: [first_version(record)] for record in records}
        for which, begins_us, policy in puts:
            version = attrs.evolve(
                first_version(records[which]), valid_from_us=begins_us, gap_policy=policy
            )
            put(storage, scope, version)
            own = kept[version.device_id]
            if begins_us <= own[-1].valid_from_us:
                version = attrs.evolve(version, valid_from_us=own.pop().valid_from_us)
            own.append(version)
        assert versions(storage, scope) == [version for own in kept.values() for version in own]

    @pytest.mark.parametrize("beyond", [1_000_000, 2**70])
    def test_a_version_of_an_unknown_device_is_refused(
        self, storage: Storage, scope: Scope, beyond: int
    ) -> None:
        """The transaction goes on as if nothing had been tried."""
        version = first_version(add_device(storage, scope))
        with storage.transaction(write=True) as work:
            with pytest.raises(NotFound):
                work.series.put(scope, attrs.evolve(version, device_id=version.device_id + beyond))
            assert work.devices.count(scope, DeviceFilter()) == 1

    def test_a_device_that_has_left_a_site_remains_a_member_of_it(
        self, storage: Storage, scope: Scope
    ) -> None:
        """Members are asked for by any of their sites, and each is there once, in order."""
        here, there, empty = (add_site(storage, scope, new_site(name)).id for name in "abc")
        stays = add_device(storage, scope, panel("stays"), site_id=here)
        moves = add_device(storage, scope, panel("moves"), site_id=here)
        add_device(storage, scope, panel("nowhere"))
        put(storage, scope, attrs.evolve(first_version(moves), valid_from_us=5_000, site_id=there))
        with storage.transaction(write=False) as work:
            assert list(work.series.members(scope, [here])) == [stays.id, moves.id]
            assert list(work.series.members(scope, [there])) == [moves.id]
            assert list(work.series.members(scope, [there, here])) == [stays.id, moves.id]
            assert list(work.series.members(scope, [empty, 2**70])) == []
            assert list(work.series.members(scope, [])) == []

    def test_the_zone_of_a_site_holds_from_the_beginning(
        self, storage: Storage, scope: Scope
    ) -> None:
        """Before every reading that there may be."""
        site_id = add_site(storage, scope).id
        with storage.transaction(write=False) as work:
            assert zones(work.series.zones(scope)) == {
                site_id: [ZoneVersion(valid_from_us=BEGINNING_US, time_zone="Europe/Berlin")]
            }

    def test_a_zone_is_added_or_replaces_the_newest(self, storage: Storage, scope: Scope) -> None:
        """As versions of series are: each site has its own."""
        first, second = (add_site(storage, scope, new_site(name)).id for name in "ab")
        berlin = ZoneVersion(valid_from_us=BEGINNING_US, time_zone="Europe/Berlin")
        tokyo = ZoneVersion(valid_from_us=5, time_zone="Asia/Tokyo")
        utc = ZoneVersion(valid_from_us=5, time_zone="UTC")
        with storage.transaction(write=True) as work:
            work.series.put_zone(scope, first, tokyo)
            assert zones(work.series.zones(scope)) == {first: [berlin, tokyo], second: [berlin]}
            work.series.put_zone(scope, first, attrs.evolve(utc, valid_from_us=-5))
        with storage.transaction(write=False) as work:
            assert zones(work.series.zones(scope)) == {first: [berlin, utc], second: [berlin]}

    @pytest.mark.parametrize("beyond", [1_000_000, 2**70])
    def test_a_zone_of_an_unknown_site_is_refused(
        self, storage: Storage, scope: Scope, beyond: int
    ) -> None:
        """No site is made by a zone."""
        site_id = add_site(storage, scope).id
        zone = ZoneVersion(valid_from_us=5, time_zone="UTC")
        with storage.transaction(write=True) as work:
            with pytest.raises(NotFound):
                work.series.put_zone(scope, site_id + beyond, zone)
            assert len(work.series.zones(scope)) == 1


def first_version(record: DeviceRecord) -> SeriesVersion:
    """What a device's series begins with."""
    return series_version(record, record.registered_at_us)


def put(storage: Storage, scope: Scope, version: SeriesVersion) -> None:
    """Store a version in a transaction of its own."""
    with storage.transaction(write=True) as work:
        work.series.put(scope, version)


def versions(storage: Storage, scope: Scope) -> list[SeriesVersion]:
    """All versions of the tenant's devices, by device and instant."""
    with storage.transaction(write=False) as work:
        table = work.series.table(scope)
    return [version for device_id in table.device_ids for version in table.versions(device_id)]


def zones(found: Mapping[int, Sequence[ZoneVersion]]) -> dict[int, list[ZoneVersion]]:
    """Zones as plain lists, which compare."""
    return {site_id: list(versions) for site_id, versions in found.items()}
