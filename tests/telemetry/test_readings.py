"""Batches of readings: columns of whole numbers that stay together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energycore.errors import InvalidValue
from energycore.quantities.units import MISSING
from energycore.telemetry.readings import ReadingBatch

ROWS = st.lists(
    st.tuples(
        st.integers(1, 5),
        st.integers(0, 6).map(lambda minute: minute * 60_000_000),
        st.integers(-(10**11), 10**11),
        st.one_of(st.just(MISSING), st.integers(0, 10**12)),
    ),
    max_size=30,
)


def batch(rows):
    columns = zip(*rows, strict=True) if rows else [[]] * 4
    device_id, at_us, power_mw, stored_mwh = (np.array(c, dtype=np.int64) for c in columns)
    return ReadingBatch(device_id=device_id, at_us=at_us, power_mw=power_mw, stored_mwh=stored_mwh)


def rows_of(readings):
    columns = readings.device_id, readings.at_us, readings.power_mw, readings.stored_mwh
    return list(zip(*(column.tolist() for column in columns), strict=True))


@given(ROWS)
def test_the_newest_reading_of_each_device_is_the_one_with_its_latest_instant(rows):
    newest = rows_of(batch(rows).newest())
    expected: dict = {}
    for row in rows:
        if row[0] not in expected or row[1] >= expected[row[0]][1]:
            expected[row[0]] = row
    assert newest == [expected[device] for device in sorted(expected)]


@given(st.lists(ROWS, max_size=4))
def test_batches_are_put_one_after_the_other(parts):
    whole = ReadingBatch.concatenate([batch(part) for part in parts])
    assert rows_of(whole) == [row for part in parts for row in part]
    assert len(whole) == sum(len(part) for part in parts)


@given(ROWS, st.data())
def test_readings_are_taken_by_position_in_the_order_asked_for(rows, data):
    positions = st.lists(st.integers(0, len(rows) - 1)) if rows else st.just([])
    chosen = data.draw(positions)
    taken = batch(rows).take(np.array(chosen, dtype=np.int64))
    assert rows_of(taken) == [rows[position] for position in chosen]


def test_values_are_quantised_once_where_they_enter():
    readings = ReadingBatch.quantise(
        np.array([1, 2]),
        np.array([0, 0]),
        np.array([1234.5675, -0.0004]),
        np.array([1.0005, np.nan]),
    )
    assert readings.power_mw.tolist() == [1_234_568, 0]
    assert readings.stored_mwh.tolist() == [1_000, MISSING]
    assert readings.stored_or_none() == [1_000, None]
    assert readings.power_w.tolist() == [1234.568, 0.0]
    assert np.isnan(readings.stored_wh).tolist() == [False, True]


def test_columns_of_different_lengths_are_refused():
    one, two = np.zeros(1, dtype=np.int64), np.zeros(2, dtype=np.int64)
    with pytest.raises(InvalidValue, match="columns of one length"):
        ReadingBatch(device_id=one, at_us=one, power_mw=two, stored_mwh=one)


def test_an_empty_batch_has_no_newest_reading():
    assert len(ReadingBatch.empty()) == len(ReadingBatch.empty().newest()) == 0
