"""Coarser totals are kept at least as long as finer ones."""

from datetime import timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energycore.errors import InvalidValue
from energycore.telemetry.tiers import US_PER_DAY, US_PER_QUARTER, Retention

NAMES = [field.name for field in attrs.fields(Retention)]
TIMES = st.none() | st.integers(1, 5).map(lambda days: timedelta(days=days))


def test_by_default_months_are_kept_for_ever_and_readings_for_a_week():
    assert attrs.astuple(Retention()) == (
        timedelta(days=7),
        timedelta(days=90),
        timedelta(days=730),
        None,
    )


@given(st.lists(TIMES, min_size=4, max_size=4))
def test_a_resolution_is_kept_at_least_as_long_as_a_finer_one(times):
    ever = timedelta.max
    grow = times == sorted(times, key=lambda time: time or ever)
    kept = dict(zip(NAMES, times, strict=True))
    if grow:
        assert attrs.asdict(Retention(**kept)) == kept
    else:
        with pytest.raises(InvalidValue, match="at least as long as a finer resolution is kept"):
            Retention(**kept)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("time", [timedelta(hours=23), timedelta(0), timedelta(days=-1), 7, "7d"])
def test_less_than_a_day_or_no_duration_is_refused_by_name(name, time):
    with pytest.raises(InvalidValue, match=f"^{name} must be a timedelta of a day or more"):
        Retention(**{name: time})


def test_a_day_of_utc_has_96_quarter_hours():
    assert timedelta(microseconds=US_PER_DAY) == timedelta(days=1)
    assert US_PER_DAY == 96 * US_PER_QUARTER
