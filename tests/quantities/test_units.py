"""Readings are whole milli-units: rounded once, halves to even, and back without a change."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energycore.quantities.units import MISSING, from_milli, to_milli


def column(*values):
    return np.array(values, dtype=np.float64)


@given(st.lists(st.integers(-(2**52), 2**52)))
def test_a_value_read_back_is_the_value_written(whole):
    kept = np.array(whole, dtype=np.int64)
    assert to_milli(from_milli(kept)).tolist() == whole


@given(st.floats(-1e9, 1e9))
def test_a_value_moves_by_no_more_than_half_a_milli_unit(value):
    (kept,) = to_milli(column(value)).tolist()
    error = abs(Fraction(value) * 1_000 - kept)
    assert error <= Fraction(1, 2) + Fraction(abs(value)) / 2**40


def test_a_value_with_three_decimals_stays_as_it_is():
    assert to_milli(column(1234.567)).tolist() == [1_234_567]
    assert from_milli(np.array([1_234_567])).tolist() == [1234.567]


def test_halves_go_to_the_even_neighbour():
    assert to_milli(column(0.0005, 0.0015, 0.0025, -0.0005, -0.0015)).tolist() == [0, 2, 2, 0, -2]


def test_an_absent_value_stays_absent_and_is_not_zero():
    kept = to_milli(column(1.0, math.nan, 0.0))
    assert kept.tolist() == [1_000, MISSING, 0]
    back = from_milli(kept)
    assert back[[0, 2]].tolist() == [1.0, 0.0]
    assert math.isnan(back[1])


@pytest.mark.parametrize("turn", [to_milli, from_milli])
def test_the_column_that_is_turned_is_not_changed(turn):
    given_ = (
        np.array([1, MISSING, 3], dtype=np.int64) if turn is from_milli else column(1, math.nan)
    )
    before = given_.copy()
    turn(given_)
    assert np.array_equal(given_, before, equal_nan=turn is to_milli)
