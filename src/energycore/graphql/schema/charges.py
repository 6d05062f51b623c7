"""What the fields of the schema cost, in the one unit that limits count in.

A unit is the time that a plain value takes on its way into a response: some 3 microseconds of CPU
where graphql-core executes, a tenth of that where a plan does. `benchmarks/graphql_limits.py`
holds the sum to its limit. Statements are those on a database of SQL, for all parents together.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from energycore.errors import EnergycoreError
from energycore.graphql.costs import FieldCost
from energycore.graphql.schema.scalars import parse_instant
from energycore.protocols.records import DEFAULT_PAGE, MAX_PAGE
from energycore.quantities.instants import to_epoch_us
from energycore.telemetry.calendar import Interval, most_buckets

__all__ = [
    "BUCKET_VALUE",
    "CHANGE",
    "COUNTED",
    "DEVICES",
    "DEVICE_HISTORY",
    "FILTER_HISTORY",
    "GROUPED_DEVICES",
    "GROUPS",
    "MAX_DETAILED_ERRORS",
    "MODE",
    "NODE",
    "NODES",
    "READINGS",
    "RECORD",
    "REJECTED_READINGS",
    "SITES",
    "SITE_HISTORY",
    "SITE_OF_DEVICE",
    "STATE",
    "STATES",
    "SUMMARY",
    "SUMMARY_OF_SITE",
    "USER_ERRORS",
]

MAX_DETAILED_ERRORS: Final = 100
"""So many rejected readings of a mutation are told one by one."""

_PAGE: Final = ("first", "last")
_RANGE: Final = ("from", "to", "interval")


def _page_size(first: Any, last: Any = None) -> int:
    """The length of a page; one that is too long is refused before anything is loaded."""
    sizes = [_whole(given) for given in (first, last) if given is not None]
    return min(MAX_PAGE, max(sizes)) if sizes else DEFAULT_PAGE


def _whole(given: Any) -> int:
    if isinstance(given, int | float):
        return max(0, int(given))
    return DEFAULT_PAGE  # it is refused when it is coerced


def _length(given: Any) -> int:
    """The length of a list; one that is too long is refused before anything is loaded."""
    return min(MAX_PAGE, len(given)) if isinstance(given, Sequence | list) else 1


def _reading_count(given: Any) -> int:
    readings = given.get("readings") if isinstance(given, dict) else None
    return len(readings) if isinstance(readings, list) else 1


def _bucket_count(start: Any, end: Any, interval: Any) -> int:
    """How many buckets a range has at most; what is no range is refused when it is resolved."""
    try:
        kind = Interval[str(interval)]
        begin, finish = parse_instant(start), parse_instant(end)
        if not isinstance(begin, datetime) or not isinstance(finish, datetime):
            return 1
        start_us, end_us = to_epoch_us(begin, "from"), to_epoch_us(finish, "to")
    except (EnergycoreError, KeyError):
        return 1
    return most_buckets(start_us, end_us, kind) if start_us < end_us else 1


def _paged(*, call: int, each: int, statements: int, backward: bool = True) -> FieldCost:
    return FieldCost(
        call=call,
        each=each,
        arguments=_PAGE if backward else _PAGE[:1],
        size=_page_size,
        statements=statements,
    )


def _by_range(*, call: int, each: int, statements: int) -> FieldCost:
    return FieldCost(
        call=call, each=each, arguments=_RANGE, size=_bucket_count, statements=statements
    )


NODE: Final = FieldCost(call=200, statements=1)
NODES: Final = FieldCost(call=200, each=65, arguments=("ids",), size=_length, statements=2)
DEVICES: Final = _paged(call=200, each=20, statements=2)
STATES: Final = FieldCost(call=200, each=20, size=lambda: MAX_PAGE, statements=2)
GROUPED_DEVICES: Final = _paged(call=40, each=20, statements=2)
SITES: Final = _paged(call=200, each=10, statements=2)
COUNTED: Final = FieldCost(call=5, statements=1)
STATE: Final = FieldCost(call=7, statements=1)
MODE: Final = FieldCost(call=4, statements=2)
SITE_OF_DEVICE: Final = FieldCost(call=5, statements=1)
SUMMARY: Final = FieldCost(call=300, statements=1)
SUMMARY_OF_SITE: Final = FieldCost(call=10, statements=1)
GROUPS: Final = _paged(call=300, each=10, statements=2, backward=False)
DEVICE_HISTORY: Final = _by_range(call=120, each=4, statements=3)
SITE_HISTORY: Final = _by_range(call=1_000, each=6, statements=3)
FILTER_HISTORY: Final = _by_range(call=2_000, each=9, statements=5)
BUCKET_VALUE: Final = FieldCost(call=1)
READINGS: Final = _paged(call=30, each=3, statements=4, backward=False)
CHANGE: Final = FieldCost(call=1_300)
RECORD: Final = FieldCost(call=1_300, each=5, arguments=("input",), size=_reading_count)
USER_ERRORS: Final = FieldCost(size=lambda: 15)
REJECTED_READINGS: Final = FieldCost(size=lambda: MAX_DETAILED_ERRORS)
