"""The contract of filters, orders and pages."""

from typing import Any

import attrs
import hypothesis
import pytest
from hypothesis import strategies as st

from energycore.devices.base import DataSource
from energycore.errors import InvalidCursor
from energycore.protocols.records import (
    Cursor,
    DeviceFilter,
    DeviceOrder,
    DeviceOrderField,
    DeviceRecord,
    Page,
    PageRequest,
)
from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage, UnitOfWork
from energycore.testing.contract import (
    LAW,
    Contract,
    add_device,
    add_site,
    battery,
    new_device,
    new_scope,
    new_site,
    panel,
)

__all__ = ["PagingContract"]

ALL = DeviceFilter()
ORDERS = [
    DeviceOrder(field=field, descending=descending)
    for field in DeviceOrderField
    for descending in (False, True)
]
# Letter case, letters that fold to several, wildcards, and characters beyond 16 bits.
NAMES = st.text("aAßsZzÄä_%\\'.\u00e9\u4e2d\uffee\U0001f50c\U00010400\U00010428", max_size=3)


def key_of(record: DeviceRecord, field: DeviceOrderField) -> Any:
    """What a device is ordered by, as the protocol says."""
    return {
        DeviceOrderField.NAME: record.device.name.casefold(),
        DeviceOrderField.REGISTERED_AT: record.registered_at_us,
        DeviceOrderField.RATED_POWER: record.device.largest_power_w,
    }[field]


def in_order(records: list[DeviceRecord], order: DeviceOrder) -> list[DeviceRecord]:
    """The whole list as the protocol orders it."""
    return sorted(records, key=lambda r: (key_of(r, order.field), r.id), reverse=order.descending)


class PagingContract(Contract):
    """The promises of `page` and `count`."""

    @LAW
    @hypothesis.given(
        rows=st.lists(st.tuples(NAMES, st.integers(0, 2), st.integers(1, 3)), max_size=7),
        order=st.sampled_from(ORDERS),
        size=st.integers(1, 4),
    )
    def test_walking_forwards_and_backwards_shows_the_whole_list(
        self,
        storage: Storage,
        rows: list[tuple[str, int, int]],
        order: DeviceOrder,
        size: int,
    ) -> None:
        """Every device once, in order, equal ones by identity; and it says where the list ends."""
        scope = new_scope()
        with storage.transaction(write=True) as work:
            records = [
                work.devices.add(
                    scope,
                    new_device(
                        panel(f"{name}.{row}", float(power)), registered_at_us=registered_at_us
                    ),
                )
                for row, (name, registered_at_us, power) in enumerate(rows)
            ]
        whole = in_order(records, order)
        with storage.transaction(write=False) as work:
            forwards = list(walk(work, scope, order, size, backwards=False))
            backwards = list(walk(work, scope, order, size, backwards=True))
        assert [record for page in forwards for record in page.items] == whole
        assert [record for page in reversed(backwards) for record in page.items] == whole
        for pages in (forwards, backwards[::-1]):
            assert [page.has_previous for page in pages] == [False] + [True] * (len(pages) - 1)
            assert [page.has_next for page in pages] == [True] * (len(pages) - 1) + [False]

    @LAW
    @hypothesis.given(
        count=st.integers(0, 5),
        order=st.sampled_from(ORDERS),
        bounds=st.tuples(*[st.none() | st.integers(0, 6)] * 2),
        size=st.integers(0, 6),
        from_end=st.booleans(),
    )
    def test_a_page_between_two_places_is_that_slice_of_the_list(
        self,
        storage: Storage,
        count: int,
        order: DeviceOrder,
        bounds: tuple[int | None, int | None],
        size: int,
        from_end: bool,
    ) -> None:
        """Places of items that are gone, or crossed, are places all the same."""
        scope = new_scope()
        with storage.transaction(write=True) as work:
            records = [
                work.devices.add(
                    scope,
                    new_device(
                        panel(f"n{row // 2}{row}", 1.0 + row // 2), registered_at_us=row // 2
                    ),
                )
                for row in range(count)
            ]
        whole = in_order(records, order)
        after, before = (
            None if bound is None else self._place(whole, order, bound) for bound in bounds
        )
        asked = {"last": size} if from_end else {"first": size}
        with storage.transaction(write=False) as work:
            page = work.devices.page(
                scope, ALL, order, PageRequest(after=after, before=before, **asked)
            )
        start, end = expected_slice(whole, order, after, before, size, from_end=from_end)
        assert list(page.items) == whole[start:end]
        assert (page.has_previous, page.has_next) == (start > 0, end < len(whole))
        assert [(c.key, c.id) for c in page.cursors] == [
            (key_of(record, order.field), record.id) for record in page.items
        ]

    @staticmethod
    def _place(whole: list[DeviceRecord], order: DeviceOrder, row: int) -> Cursor:
        """The place of an item, or one beyond them all."""
        if row < len(whole):
            return Cursor(key_of(whole[row], order.field), whole[row].id)
        beyond: Any = "zzz" if order.field is DeviceOrderField.NAME else 99
        return Cursor(beyond, 1)

    def test_a_page_that_asks_for_nothing_gives_the_beginning(
        self, storage: Storage, scope: Scope
    ) -> None:
        """The usual order is that of registration."""
        records = [
            add_device(storage, scope, panel(str(row)), registered_at_us=-row) for row in range(3)
        ]
        with storage.transaction(write=False) as work:
            page = work.devices.page(scope, ALL, DeviceOrder(), PageRequest())
        assert list(page.items) == records[::-1]

    def test_sites_are_listed_by_identity(self, storage: Storage, scope: Scope) -> None:
        """In both directions, with their count."""
        sites = [add_site(storage, scope, new_site(f"site {row}")) for row in range(5)]
        with storage.transaction(write=False) as work:
            first = work.sites.page(scope, PageRequest(first=2))
            second = work.sites.page(scope, PageRequest(first=2, after=first.cursors[-1]))
            last = work.sites.page(scope, PageRequest(last=2))
            assert work.sites.count(scope) == 5
        assert list(first.items + second.items) == sites[:4]
        assert first.cursors[0] == Cursor(sites[0].id, sites[0].id)
        assert (first.has_previous, first.has_next) == (False, True)
        assert (second.has_previous, second.has_next) == (True, True)
        assert list(last.items) == sites[3:]
        assert (last.has_previous, last.has_next) == (True, False)

    @pytest.mark.parametrize("order", ORDERS)
    def test_a_cursor_of_another_list_is_refused(
        self, storage: Storage, scope: Scope, order: DeviceOrder
    ) -> None:
        """A key of another type, or one that no list makes, is no place."""
        by_name = order.field is DeviceOrderField.NAME
        wrong = [Cursor(1 if by_name else "1", 1), Cursor("a" if by_name else 1, 2**64)]
        wrong += [Cursor("\ud800" if by_name else float("nan"), 1)]
        with storage.transaction(write=False) as work:
            for cursor in wrong:
                for request in (PageRequest(after=cursor), PageRequest(before=cursor)):
                    with pytest.raises(InvalidCursor):
                        work.devices.page(scope, ALL, order, request)
            with pytest.raises(InvalidCursor):
                work.sites.page(scope, PageRequest(after=Cursor("1", 1)))

    def test_every_given_field_of_a_filter_must_match(self, storage: Storage, scope: Scope) -> None:
        """None matches all, an empty tuple matches nothing."""
        site = add_site(storage, scope)
        a = add_device(storage, scope, panel("100% Solar"), tags=("x", "y"), site_id=site.id)
        b = add_device(storage, scope, battery("Groß_\\"), tags=("y",))
        c = add_device(
            storage,
            scope,
            panel("\U00010400 cafe\u0301"),
            is_active=False,
            data_source=DataSource.REPORTED,
        )
        cases = [
            (DeviceFilter(), {a, b, c}),
            (DeviceFilter(ids=(a.id, c.id, 2**70)), {a, c}),
            (DeviceFilter(ids=()), set()),
            (DeviceFilter(kinds=("battery",)), {b}),
            (DeviceFilter(kinds=("battery", "solar_panel", "appliance")), {a, b, c}),
            (DeviceFilter(kinds=()), set()),
            (DeviceFilter(site_ids=(site.id,)), {a}),
            (DeviceFilter(site_ids=()), set()),
            (DeviceFilter(tags=("x", "z")), {a}),
            (DeviceFilter(tags=("x", "y")), {a, b}),
            (DeviceFilter(tags=("x\0", "Y")), set()),
            (DeviceFilter(tags=()), set()),
            (DeviceFilter(name_contains="SOLAR"), {a}),
            (DeviceFilter(name_contains="0%"), {a}),
            (DeviceFilter(name_contains="1%0"), set()),
            (DeviceFilter(name_contains="GROSS_"), {b}),
            (DeviceFilter(name_contains="gro_"), set()),
            (DeviceFilter(name_contains="_\\"), {b}),
            (DeviceFilter(name_contains="\U00010428"), {c}),
            (DeviceFilter(name_contains="caf\u00e9"), set()),
            (DeviceFilter(name_contains=""), {a, b, c}),
            (DeviceFilter(name_contains="\0"), set()),
            (DeviceFilter(name_contains="\ud800"), set()),
            (DeviceFilter(is_active=True), {a, b}),
            (DeviceFilter(is_active=False), {c}),
            (DeviceFilter(data_sources=(DataSource.REPORTED,)), {c}),
            (DeviceFilter(data_sources=()), set()),
            (DeviceFilter(tags=("y",), kinds=("solar_panel",), is_active=True), {a}),
            (DeviceFilter(tags=("y",), is_active=False), set()),
        ]
        with storage.transaction(write=False) as work:
            for filter_, expected in cases:
                page = work.devices.page(scope, filter_, DeviceOrder(), PageRequest())
                assert set(page.items) == expected, filter_
                assert work.devices.count(scope, filter_) == len(expected), filter_
                active = sorted(record.id for record in expected if record.is_active)
                assert work.fleet.table(scope, filter_).device_id.tolist() == active, filter_
                tagged = work.fleet.tagged(scope, filter_)
                assert {i for ids in tagged.values() for i in ids} == {
                    record.id for record in expected if record.is_active and record.tags
                }, filter_

    def test_a_place_whose_item_has_moved_continues_where_it_stood(
        self, storage: Storage, scope: Scope
    ) -> None:
        """No item is shown twice or left out because another one was renamed."""
        records = [add_device(storage, scope, panel(name)) for name in "acde"]
        order = DeviceOrder(field=DeviceOrderField.NAME)
        with storage.transaction(write=False) as work:
            page = work.devices.page(scope, ALL, order, PageRequest(first=2))
        with storage.transaction(write=True) as work:
            work.devices.update(scope, attrs.evolve(records[1], device=panel("z")))
            rest = work.devices.page(scope, ALL, order, PageRequest(after=page.cursors[-1]))
        assert [record.device.name for record in rest.items] == ["d", "e", "z"]


def walk(
    work: UnitOfWork, scope: Scope, order: DeviceOrder, size: int, *, backwards: bool
) -> list[Page[DeviceRecord]]:
    """All pages of a list, in the order in which they are asked for."""
    pages: list[Page[DeviceRecord]] = []
    place: Cursor | None = None
    while len(pages) < 50:
        request = (
            PageRequest(last=size, before=place)
            if backwards
            else PageRequest(first=size, after=place)
        )
        page = work.devices.page(scope, ALL, order, request)
        pages.append(page)
        if not (page.has_previous if backwards else page.has_next):
            return pages
        place = page.cursors[0 if backwards else -1]
    raise AssertionError("the walk over a few devices does not come to an end")


def expected_slice(
    whole: list[DeviceRecord],
    order: DeviceOrder,
    after: Cursor | None,
    before: Cursor | None,
    size: int,
    *,
    from_end: bool,
) -> tuple[int, int]:
    """Where a page lies in the whole list; an empty one where its counting begins."""
    sign = -1 if order.descending else 1

    def stands(record: DeviceRecord, place: Cursor) -> int:
        here, there = (key_of(record, order.field), record.id), (place.key, place.id)
        return sign * ((here > there) - (here < there))

    start = 0 if after is None else sum(stands(record, after) <= 0 for record in whole)
    end = len(whole) if before is None else sum(stands(record, before) < 0 for record in whole)
    if from_end:
        return max(min(start, end), end - size), end
    return start, min(max(start, end), start + size)
