"""The contract of the lists of several groups at once."""

import hypothesis
import pytest
from hypothesis import strategies as st

from energycore.errors import InvalidCursor
from energycore.protocols.groups import GroupKey, SummaryGroup, group_keys
from energycore.protocols.records import (
    Cursor,
    DeviceFilter,
    DeviceOrder,
    DeviceRecord,
    PageRequest,
)
from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage, UnitOfWork
from energycore.testing.contract import (
    LAW,
    Contract,
    add_site,
    battery,
    new_device,
    new_scope,
    panel,
)
from energycore.testing.paging import ORDERS, expected_slice, in_order, key_of

__all__ = ["GroupContract"]

ALL = DeviceFilter()


class GroupContract(Contract):
    """The promises of `pages` and `counts`."""

    @LAW
    @hypothesis.given(
        homes=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=8),
        order=st.sampled_from(ORDERS),
        bounds=st.tuples(*[st.none() | st.integers(0, 7)] * 2),
        size=st.integers(0, 4),
        from_end=st.booleans(),
        group=st.sampled_from(SummaryGroup),
    )
    def test_a_page_of_each_group_is_that_slice_of_the_list_of_the_group(
        self,
        storage: Storage,
        homes: list[tuple[int, int]],
        order: DeviceOrder,
        bounds: tuple[int | None, int | None],
        size: int,
        from_end: bool,
        group: SummaryGroup,
    ) -> None:
        """Also of a group of devices without site or tag, and of one that has nothing."""
        scope = new_scope()
        sites = [add_site(storage, scope).id for _ in range(3)]
        with storage.transaction(write=True) as work:
            records = [self._add(work, scope, sites, row, *home) for row, home in enumerate(homes)]
        whole = in_order(records, order)
        after, before = (
            Cursor(key_of(whole[bound], order.field), whole[bound].id)
            if bound is not None and bound < len(whole)
            else None
            for bound in bounds
        )
        keys_of: dict[SummaryGroup, list[GroupKey]] = {
            SummaryGroup.SITE: [*sites, None, 2**62],
            SummaryGroup.KIND: ["battery", "solar_panel", "appliance"],
            SummaryGroup.TAG: ["a", "b", None, "nobody"],
        }
        keys = keys_of[group]
        asked = {"last": size} if from_end else {"first": size}
        request = PageRequest(after=after, before=before, **asked)
        with storage.transaction(write=False) as work:
            pages = work.devices.pages(scope, group, keys, ALL, order, request)
            counts = work.devices.counts(scope, group, keys, ALL)
        assert set(pages) == set(counts) == set(keys)
        for key, page in pages.items():
            own = [record for record in whole if key in group_keys(record, group)]
            start, end = expected_slice(own, order, after, before, size, from_end=from_end)
            assert list(page.items) == own[start:end], key
            assert (page.has_previous, page.has_next) == (start > 0, end < len(own)), key
            assert [(place.key, place.id) for place in page.cursors] == [
                (key_of(record, order.field), record.id) for record in page.items
            ]
            assert counts[key] == len(own)

    @staticmethod
    def _add(
        work: UnitOfWork, scope: Scope, sites: list[int], row: int, home: int, marks: int
    ) -> DeviceRecord:
        """A device at one of two sites or none, with none to two tags, some of them alike."""
        return work.devices.add(
            scope,
            new_device(
                battery(f"n{row}") if row % 3 else panel(f"n{row}", 1.0 + row // 2),
                site_id=[None, *sites][home],
                tags=((), ("a",), ("b",), ("a", "b"))[marks],
                registered_at_us=row // 2,
            ),
        )

    def test_the_devices_of_a_group_must_match_the_filter_too(
        self, storage: Storage, scope: Scope
    ) -> None:
        """In their pages and in their counts."""
        with storage.transaction(write=True) as work:
            wanted = work.devices.add(scope, new_device(panel("a"), tags=("x", "y")))
            work.devices.add(scope, new_device(panel("b"), tags=("x",)))
            work.devices.add(scope, new_device(battery("c"), tags=("x", "y")))
        filter_ = DeviceFilter(tags=("y",), kinds=("solar_panel",))
        with storage.transaction(write=False) as work:
            pages = work.devices.pages(
                scope, SummaryGroup.TAG, ["x"], filter_, DeviceOrder(), PageRequest()
            )
            assert pages["x"].items == (wanted,)
            assert work.devices.counts(scope, SummaryGroup.TAG, ["x"], filter_) == {"x": 1}

    def test_no_groups_have_no_pages(self, storage: Storage, scope: Scope) -> None:
        """And a cursor of another list is refused as in any list."""
        with storage.transaction(write=False) as work:
            by_site = SummaryGroup.SITE
            assert work.devices.pages(scope, by_site, [], ALL, DeviceOrder(), PageRequest()) == {}
            assert work.devices.counts(scope, by_site, [], ALL) == {}
            wrong = PageRequest(after=Cursor("1", 1))
            with pytest.raises(InvalidCursor):
                work.devices.pages(scope, by_site, [None], ALL, DeviceOrder(), wrong)
