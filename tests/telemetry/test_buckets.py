"""Merging buckets is exact, and the same under any grouping and in any order."""

from itertools import groupby
from random import Random

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energycore.errors import InvalidValue
from energycore.quantities.units import MISSING
from energycore.telemetry.amounts import MS_PER_HOUR
from energycore.telemetry.buckets import BUCKET_COLUMNS, NOT_KEPT, Buckets
from tests.telemetry.oracle import Numbers, rows_of

QUARTER_US = 900_000_000
CELLS = 12
SUMS = ("covered_ms", "reading_count", "stored_ms")
LIMBS = (
    ("produced_mwh", "produced_rest_mwms"),
    ("consumed_mwh", "consumed_rest_mwms"),
    ("stored_mwh_h", "stored_rest_mwh_ms"),
    ("room_mwh_h", "room_rest_mwh_ms"),
)
FIRST = ("first_at_us", "first_mw", "first_mwh")
LAST = ("last_at_us", "last_mw", "last_mwh")
LARGEST = 10**17


def bucket(series, cell, numbers):
    """A bucket of a quarter-hour, as a row by name."""
    row = {"series": series, "start_us": cell * QUARTER_US, "end_us": (cell + 1) * QUARTER_US}
    row |= {name: numbers.between(0, 255) for name in SUMS}
    row["reading_count"] = numbers.between(0, 2)
    for whole, rest in LIMBS:
        row[whole] = numbers.any_of((0, 1, 255, LARGEST)) * numbers.between(0, 1)
        row[rest] = MS_PER_HOUR - 1 - numbers.between(0, 255) * numbers.any_of((1, 10_000))
    low = numbers.between(-100, 100)
    known = low, low + numbers.between(0, 100)
    row["min_mw"], row["max_mw"] = numbers.any_of(
        (known, known, known, (MISSING, MISSING), (MISSING, NOT_KEPT))
    )
    row |= dict.fromkeys((*FIRST, *LAST), MISSING)
    if row["reading_count"]:
        row |= {name: numbers.between(-100, 100) for name in (*FIRST, *LAST)}
        row["first_at_us"] = row["start_us"] + numbers.between(0, 99)
        row["last_at_us"] = row["first_at_us"] + numbers.between(0, 99)
    return row


def some_rows(data):
    numbers = Numbers(iter(data))
    keys = sorted({(numbers.between(1, 3), numbers.between(0, CELLS - 1)) for _ in range(12)})
    return [bucket(*key, numbers) for key in keys[: numbers.between(0, 12)]]


def some_edges(number):
    """Edges between the cells: those whose bit is set, and the outermost."""
    cells = {0, CELLS, *(cell for cell in range(1, CELLS) if number >> cell & 1)}
    return np.array(sorted(cells)) * QUARTER_US


ROWS = st.binary(min_size=330, max_size=330).map(some_rows)
EDGES = st.integers(0, 2**CELLS - 1).map(some_edges)
SEEDS = st.integers(0, 1_000_000)


def buckets_of(rows):
    return Buckets(
        **{name: np.array([r[name] for r in rows], dtype=np.int64) for name in BUCKET_COLUMNS}
    )


def in_order(rows):
    return [tuple(row[name] for name in BUCKET_COLUMNS) for row in rows]


def merged_row(rows):
    """What one bucket instead of these is, in plain integers; they are in order of time."""
    row = dict(rows[0], end_us=rows[-1]["end_us"])
    row |= {name: sum(r[name] for r in rows) for name in SUMS}
    for whole, rest in LIMBS:
        exact = sum(r[whole] * MS_PER_HOUR + r[rest] for r in rows)
        row[whole], row[rest] = divmod(exact, MS_PER_HOUR)
    known = [r for r in rows if r["min_mw"] != MISSING]
    if any(r["max_mw"] == NOT_KEPT for r in rows):
        row["min_mw"], row["max_mw"] = MISSING, NOT_KEPT
    elif known:
        row["min_mw"] = min(r["min_mw"] for r in known)
        row["max_mw"] = max(r["max_mw"] for r in known)
    read = [r for r in rows if r["reading_count"]] or rows
    row |= {name: read[0][name] for name in FIRST} | {name: read[-1][name] for name in LAST}
    return row


def merged_rows(rows, edges_us):
    def key(row):
        return row["series"], int(np.searchsorted(edges_us, row["start_us"], side="right"))

    groups = groupby(sorted(rows, key=lambda r: (r["series"], r["start_us"])), key=key)
    return [
        merged_row(list(group)) | {"start_us": int(edges_us[i - 1]), "end_us": int(edges_us[i])}
        for (_, i), group in groups
    ]


@settings(max_examples=1_000)
@given(ROWS, EDGES, SEEDS)
def test_a_merged_bucket_holds_the_exact_sums_and_what_came_first_and_last(rows, edges_us, seed):
    Random(seed).shuffle(rows)
    assert rows_of(buckets_of(rows).merged(edges_us)) == in_order(merged_rows(rows, edges_us))


@settings(max_examples=1_000)
@given(ROWS, EDGES, EDGES, SEEDS)
def test_merges_of_any_parts_in_between_change_nothing(rows, one, other, seed):
    coarse, fine = np.intersect1d(one, other), np.union1d(one, other)
    random = Random(seed)

    def regrouped(buckets, edges_us):
        """Some parts of the buckets merged, the others not, in any order."""
        rows = random.sample(range(len(buckets)), len(buckets))
        count = random.randint(1, 3)
        parts = [buckets.take(np.array(rows[i::count], dtype=np.int64)) for i in range(count)]
        return Buckets.concatenate(
            [p.merged(edges_us) if random.random() < 0.7 else p for p in parts]
        )

    buckets = buckets_of(rows)
    expected = rows_of(buckets.merged(coarse))
    merged = regrouped(regrouped(buckets, fine), one).merged(coarse)
    assert rows_of(merged) == expected
    assert rows_of(merged.merged(coarse)) == expected


@settings(max_examples=1_000)
@given(ROWS, EDGES, SEEDS)
def test_a_sum_holds_the_exact_sums_of_all_series_and_neither_extremes_nor_readings(
    rows, edges_us, seed
):
    rows = merged_rows(rows, edges_us)
    Random(seed).shuffle(rows)
    by_interval = sorted(rows, key=lambda row: (row["start_us"], row["end_us"]))
    unknown = dict.fromkeys((*FIRST, *LAST, "min_mw"), MISSING) | {"max_mw": NOT_KEPT, "series": 7}
    expected = [
        merged_row(list(group)) | unknown
        for _, group in groupby(by_interval, key=lambda row: (row["start_us"], row["end_us"]))
    ]
    assert rows_of(buckets_of(rows).summed(7)) == in_order(expected)


def days(*ends):
    """Buckets of several devices that all begin at once and end after so many quarter-hours."""
    rows = [
        bucket(series, 0, Numbers(iter(()))) | {"end_us": end * QUARTER_US, "covered_ms": series}
        for series, end in enumerate(ends, start=1)
    ]
    return buckets_of(rows)


def test_days_of_one_start_and_several_lengths_are_not_added_up():
    """Where clocks are put forward on that day, and where they are not."""
    total = days(96, 92, 96).summed()
    assert total.end_us.tolist() == [92 * QUARTER_US, 96 * QUARTER_US]
    assert total.covered_ms.tolist() == [2, 1 + 3]


@pytest.mark.parametrize("edges", [(0, 40, 100), (1, 100), (0, 95), (-96, 0), (96, 200), (0,)])
def test_a_bucket_across_or_outside_of_the_edges_is_refused(edges):
    with pytest.raises(InvalidValue, match="bucket must be between two neighbouring edges"):
        days(96).merged(np.array(edges) * QUARTER_US)


def test_a_bucket_between_two_edges_takes_theirs():
    merged = days(96).merged(np.array([-4, 96, 200]) * QUARTER_US)
    assert (merged.start_us.tolist(), merged.end_us.tolist()) == (
        [-4 * QUARTER_US],
        [96 * QUARTER_US],
    )


def test_a_total_that_64_bits_cannot_hold_is_refused():
    fleet = days(*40 * [96])
    fleet = attrs.evolve(fleet, room_mwh_h=np.full(40, 1 << 57))
    with pytest.raises(InvalidValue, match="total must be at most"):
        fleet.summed()


def test_no_buckets_stay_none():
    none = Buckets.empty()
    assert len(none) == len(none.merged(np.array([0, 1]))) == len(none.summed()) == 0
    assert len(Buckets.concatenate([])) == len(Buckets.concatenate([none, none])) == 0


@given(ROWS, SEEDS)
def test_buckets_are_ordered_by_series_and_start(rows, seed):
    expected = in_order(rows)
    Random(seed).shuffle(rows)
    assert rows_of(buckets_of(rows).by_time()) == expected


@given(ROWS)
def test_two_numbers_of_an_amount_are_one(rows):
    buckets = buckets_of(rows)
    amounts = buckets.produced, buckets.consumed, buckets.stored, buckets.room
    for amount, (whole, rest) in zip(amounts, LIMBS, strict=True):
        assert amount.exact() == [row[whole] * MS_PER_HOUR + row[rest] for row in rows]


def test_extremes_are_replaced_and_nothing_else():
    buckets = days(96, 96)
    changed = buckets.with_extremes(np.array([1, 2]), np.array([3, 4]))
    assert (changed.min_mw.tolist(), changed.max_mw.tolist()) == ([1, 2], [3, 4])
    assert rows_of(changed.with_extremes(buckets.min_mw, buckets.max_mw)) == rows_of(buckets)
