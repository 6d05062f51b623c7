"""The contract of what histories are made of: the same as of the other repositories, at once."""

import attrs
import hypothesis
from hypothesis import strategies as st

from energycore.protocols.histories import BucketPart, ReadingPart, Window
from energycore.protocols.records import DeviceFilter
from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage, UnitOfWork
from energycore.protocols.telemetry import ZoneVersion
from energycore.protocols.versions import series_version
from energycore.telemetry.buckets import Buckets
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.tiers import US_PER_DAY, US_PER_QUARTER, SeriesKind, Tier
from energycore.testing.contract import (
    ALL_DAYS,
    ALWAYS,
    LAW,
    Contract,
    add_site,
    battery,
    buckets,
    columns_of,
    new_device,
    new_scope,
    panel,
    readings,
    rows_of,
)

__all__ = ["HistoryContract"]

DEVICE = SeriesKind.DEVICE
TIERS = Tier.QUARTER_HOUR, Tier.DAY
LATER = 100
"""Totals of different tiers are of different times, as those of a plan are."""

CUTS = st.lists(st.integers(0, 24), unique=True, max_size=24).map(sorted)
"""The starts and ends, in turn, of stretches that do not overlap."""
MEMBERS = st.lists(st.integers(0, 3), max_size=4)


class HistoryContract(Contract):
    """The promises of `HistoryStore`."""

    @LAW
    @hypothesis.given(parts=st.lists(st.tuples(MEMBERS, CUTS, CUTS), max_size=4))
    def test_totals_and_readings_of_parts_are_those_of_each_stretch(
        self, storage: Storage, parts: list[tuple[list[int], list[int], list[int]]]
    ) -> None:
        """However many parts and stretches there are, and whoever stands in several of them."""
        scope = new_scope()
        with storage.transaction(write=True) as work:
            ids = self._fill(work, scope)
        asked = [
            ([ids[m] for m in members] + [2**70], _stretches(fine), _stretches(coarse, LATER))
            for members, fine, coarse in parts
        ]
        of_buckets = [
            BucketPart(
                series=series,
                windows=[
                    Window(tier, *stretch)
                    for tier, stretches in zip(TIERS, (fine, coarse), strict=True)
                    for stretch in stretches
                ],
            )
            for series, fine, coarse in asked
        ]
        of_readings = [ReadingPart(ids=series, stretches=fine) for series, fine, _ in asked]
        with storage.transaction(write=False) as work:
            kept = work.histories.buckets(scope, DEVICE, of_buckets)
            sums = work.histories.sums(scope, of_buckets)
            read = work.histories.readings(scope, of_readings)
            expected = [_buckets_of(work, scope, part) for part in of_buckets]
            batches = [_readings_of(work, scope, part) for part in of_readings]
        assert [columns_of(one) for one in kept] == [columns_of(one) for one in expected]
        assert [columns_of(one) for one in sums] == [columns_of(one.summed()) for one in expected]
        assert [rows_of(one) for one in read] == [rows_of(one) for one in batches]

    def test_a_basis_tells_what_the_other_repositories_tell(
        self, storage: Storage, scope: Scope
    ) -> None:
        """Of all devices, of some, of those of a site and of those that were its members once."""
        here, there = add_site(storage, scope).id, add_site(storage, scope).id
        with storage.transaction(write=True) as work:
            first = work.devices.add(scope, new_device(battery("a"), site_id=here))
            other = work.devices.add(scope, new_device(panel("b"), site_id=there))
            work.devices.add(scope, new_device(panel("c")))
            work.series.put(
                scope, series_version(attrs.evolve(other, site_id=here), 9 * US_PER_DAY)
            )
            zone = ZoneVersion(valid_from_us=9, time_zone="Asia/Tokyo")
            work.series.put_zone(scope, there, zone)
            work.settings.put(scope, "name", "value")
            for day in range(3):
                at_us = day * US_PER_DAY
                work.telemetry.append(
                    scope, readings((first.id, at_us, 1, None), (other.id, at_us, 2, None))
                )
            work.rollups.advance(scope, rolled_us=2 * US_PER_DAY)
            work.rollups.take_marks(scope, 0)
            work.rollups.drop(scope, Tier.DAY, end_us=7)
        with storage.transaction(write=True) as work:
            oldest = work.telemetry.days(scope, **ALL_DAYS)[0]
            assert work.telemetry.drop_day(scope, 0, revision=oldest.revision, file=None)
        cases = [
            (DeviceFilter(), None),
            (DeviceFilter(ids=(other.id, 2**70)), None),
            (DeviceFilter(site_ids=(here,)), None),
            (DeviceFilter(kinds=("solar_panel",)), [here, there]),
            (DeviceFilter(), [here]),
            (DeviceFilter(), []),
        ]
        with storage.transaction(write=False) as work:
            for filter_, members_of in cases:
                found = work.histories.basis(
                    scope, filter_, members_of=members_of, start_day=0, end_day=2, setting="name"
                )
                ids = list(work.devices.ids(scope, filter_))
                if members_of is not None:
                    members = work.series.members(scope, members_of)
                    ids = [one for one in ids if one in members]
                table = work.series.table(scope, ids)
                marks = work.rollups.marks(scope, ids=ids, start_day=0, end_day=2)
                days = work.telemetry.days(scope, start_day=0, end_day=2, only_lost=True)
                assert found.table.device_ids == table.device_ids
                for one in ids:
                    assert list(found.table.versions(one)) == list(table.versions(one))
                assert found.zones == work.series.zones(scope)
                assert found.state == work.rollups.state(scope)
                assert found.setting == "value"
                assert found.marks.day.tolist() == marks.day.tolist()
                assert found.marks.device_id.tolist() == marks.device_id.tolist()
                assert list(found.days) == list(days)
                assert len(days) == 1

    def _fill(self, work: UnitOfWork, scope: Scope) -> list[int]:
        ids = [work.devices.add(scope, new_device(panel(f"d{n}"))).id for n in range(4)]
        rows = [
            (one, place * US_PER_QUARTER, one % 7 + place, None)
            for one in ids
            for place in range(24)
        ]
        work.telemetry.append(scope, readings(*rows))
        for tier, first in zip(TIERS, (0, LATER), strict=True):
            for one in ids:
                kept = buckets(*((one, first + n, one % 5 + n) for n in range(24)))
                work.rollups.replace(scope, tier, DEVICE, [one], **ALWAYS, buckets=kept)
        return ids


def _stretches(cuts: list[int], first: int = 0) -> list[tuple[int, int]]:
    starts = [(first + cut) * US_PER_QUARTER for cut in cuts]
    return list(zip(starts[::2], starts[1::2], strict=False))


def _buckets_of(work: UnitOfWork, scope: Scope, part: BucketPart) -> Buckets:
    found = [
        work.rollups.read(scope, w.tier, DEVICE, part.series, start_us=w.start_us, end_us=w.end_us)
        for w in part.windows
    ]
    return Buckets.concatenate(found).by_time()


def _readings_of(work: UnitOfWork, scope: Scope, part: ReadingPart) -> ReadingBatch:
    found = [
        work.telemetry.read(scope, part.ids, start_us=start_us, end_us=end_us)
        for start_us, end_us in part.stretches
    ]
    return ReadingBatch.concatenate(found).by_time()
