"""Instants are whole microseconds in steps of a millisecond, and come back as they went."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energycore.errors import InstantOutOfRange, InstantWithoutZone, InvalidValue
from energycore.quantities.instants import duration_us, floor_to, from_epoch_us, to_epoch_us

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
INSTANTS = st.datetimes(
    datetime(1900, 1, 2),  # noqa: DTZ001 - hypothesis adds the offset
    datetime(2299, 12, 30),  # noqa: DTZ001
    timezones=OFFSETS,
)


@given(INSTANTS)
def test_an_instant_is_kept_to_the_millisecond_and_a_kept_one_comes_back_as_it_is(at):
    at_us = to_epoch_us(at)
    assert at_us % 1_000 == 0
    assert abs(from_epoch_us(at_us) - at) <= timedelta(microseconds=500)
    assert to_epoch_us(from_epoch_us(at_us)) == at_us
    assert from_epoch_us(at_us).tzinfo is UTC


@pytest.mark.parametrize(
    ("microsecond", "kept"), [(499, 0), (500, 0), (501, 1_000), (1_500, 2_000), (2_500, 2_000)]
)
def test_half_a_millisecond_goes_to_the_even_one(microsecond, kept):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    at = start + timedelta(microseconds=microsecond)
    assert to_epoch_us(at) - to_epoch_us(start) == kept


def test_a_datetime_without_an_offset_is_refused():
    with pytest.raises(InstantWithoutZone) as refusal:
        to_epoch_us(datetime(2026, 1, 1), "since")  # noqa: DTZ001 - that is what is refused
    assert refusal.value.code == "INSTANT_WITHOUT_ZONE"
    assert refusal.value.field == "since"


@pytest.mark.parametrize("year", [1899, 2300])
def test_an_instant_before_1900_or_from_2300_on_is_refused(year):
    with pytest.raises(InstantOutOfRange, match="between the years 1900 and 2300"):
        to_epoch_us(datetime(year, 6, 1, tzinfo=UTC))


@pytest.mark.parametrize("seconds", [1, 60, 900, 86_400, 1.5])
def test_a_step_from_a_second_to_a_day_is_counted_in_microseconds(seconds):
    assert duration_us(timedelta(seconds=seconds)) == seconds * 1_000_000


@pytest.mark.parametrize("seconds", [0, -60, 0.999, 86_400.001, 1.0005])
def test_a_step_that_is_shorter_longer_or_finer_is_refused(seconds):
    with pytest.raises(InvalidValue, match="a timedelta of whole milliseconds, 1 s to 24 h"):
        duration_us(timedelta(seconds=seconds))


@given(st.integers(-(10**18), 10**18), st.integers(1, 10**12))
def test_the_floor_is_the_newest_multiple_that_is_not_later(at_us, step_us):
    floor = floor_to(at_us, step_us)
    assert floor % step_us == 0
    assert floor <= at_us < floor + step_us
