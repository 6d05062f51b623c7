"""Pages of lists that are held in memory."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from energycore.protocols.records import Cursor, Page, PageRequest

__all__ = ["page_of"]

Item = TypeVar("Item")


def page_of(
    items: Sequence[Item],
    place: Callable[[Item], Cursor],
    request: PageRequest,
    *,
    descending: bool = False,
) -> Page[Item]:
    """Cut a page out of a list.

    Args:
        items: all items, in any order.
        place: the cursor of an item.
        request: which page.
        descending: whether the list runs from the largest cursor to the smallest.
    """
    places = sorted(((_key(place(item)), item) for item in items), key=_first, reverse=descending)
    keys = [key for key, _ in places]
    start, end = 0, len(keys)
    if request.after is not None:
        start = _count_up_to(keys, _key(request.after), descending=descending)
    if request.before is not None:
        before = _key(request.before)
        end = _count_up_to(keys, before, descending=descending) - keys.count(before)
    if request.from_end:
        start = max(min(start, end), end - request.size)
    else:
        end = min(max(start, end), start + request.size)
    found = tuple(item for _, item in places[start:end])
    return Page(
        items=found,
        cursors=tuple(place(item) for item in found),
        has_next=end < len(keys),
        has_previous=start > 0,
    )


Key = tuple[str | int | float, int]


def _first(pair: tuple[Key, object]) -> Key:
    return pair[0]


def _key(cursor: Cursor) -> Key:
    return cursor.key, cursor.id


def _count_up_to(keys: Sequence[Key], key: Key, *, descending: bool) -> int:
    """How many keys stand at or before a place."""
    if descending:
        return sum(other >= key for other in keys)
    return sum(other <= key for other in keys)
