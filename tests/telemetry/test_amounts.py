"""Sums of products are those of Python's integers, which cannot overflow."""

import numpy as np
import pytest
from hypothesis import given, settings

from energycore.errors import InvalidValue
from energycore.telemetry.amounts import MS_PER_HOUR, Amounts
from tests.telemetry.oracle import whole_numbers

HALF = 1 << 61
SIZES = (1, 3, 6)
STARTS = np.array([0, 1, 4])


def groups(value_bits, rest_bits):
    """Pairs of numbers with at most so many bits, in groups of these sizes; the second is >= 0."""

    def paired(numbers):
        values = [number >> (63 - value_bits) for number in numbers[::2]]
        rests = [abs(number >> (63 - rest_bits)) for number in numbers[1::2]]
        rows = iter(zip(values, rests, strict=True))
        return [[next(rows) for _ in range(size)] for size in SIZES]

    return whole_numbers(2 * sum(SIZES)).map(paired)


# Values up to 2.2 GW, for up to 9 years each.
PRODUCTS = groups(41, 38)


def columns(groups):
    rows = np.array([row for group in groups for row in group], dtype=np.int64)
    return rows[:, 0], rows[:, 1]


def is_normal(amounts):
    return bool(((amounts.rest >= 0) & (amounts.rest < MS_PER_HOUR)).all())


@settings(max_examples=300)
@given(PRODUCTS)
def test_sums_of_products_are_exact(groups):
    values, durations_ms = columns(groups)
    sums = Amounts.sums_of_products(values, durations_ms, STARTS)
    assert sums.exact() == [sum(value * ms for value, ms in group) for group in groups]
    assert is_normal(sums)


@settings(max_examples=300)
@given(PRODUCTS)
def test_products_of_each_sign_are_summed_apart(groups):
    values, durations_ms = columns(groups)
    positive, negative = Amounts.halves_of_products(values, durations_ms, STARTS)
    assert positive.exact() == [sum(max(v, 0) * ms for v, ms in group) for group in groups]
    assert negative.exact() == [sum(max(-v, 0) * ms for v, ms in group) for group in groups]
    assert is_normal(positive)
    assert is_normal(negative)


@settings(max_examples=300)
@given(groups(59, 21))
def test_sums_of_sums_are_exact(groups):
    sums = Amounts(*columns(groups)).sums(STARTS)
    assert sums.exact() == [sum(w * MS_PER_HOUR + r for w, r in group) for group in groups]
    assert is_normal(sums)


@given(whole_numbers(8))
def test_what_64_bits_hold_becomes_two_numbers_of_the_same_value(amounts):
    pair = Amounts.of(np.array(amounts, dtype=np.int64))
    assert pair.exact() == amounts
    assert is_normal(pair)


@given(groups(60, 60))
def test_a_rest_above_an_hour_is_carried(groups):
    normal = Amounts.normal(*columns(groups))
    assert normal.exact() == [w * MS_PER_HOUR + r for group in groups for w, r in group]
    assert is_normal(normal)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("count", [3, 5, 9])
def test_a_sum_that_64_bits_cannot_hold_is_refused_and_does_not_wrap_around(sign, count):
    whole = np.full(count, sign * HALF)
    with pytest.raises(InvalidValue, match="total must be at most"):
        Amounts(whole, np.zeros(count, dtype=np.int64)).sums(np.array([0]))


def test_the_largest_sum_is_exact():
    whole = np.full(2, HALF)
    rest = np.full(2, MS_PER_HOUR - 1)
    (total,) = Amounts(whole, rest).sums(np.array([0])).exact()
    assert total == 2 * (HALF * MS_PER_HOUR + MS_PER_HOUR - 1)
