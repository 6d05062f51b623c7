"""Solar power is exactly the documented curve of local time, with noise of at most 15 %."""

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energycore.quantities.instants import from_epoch_us, to_epoch_us
from energycore.simulation.behaviour import Conditions, Window
from energycore.simulation.noise import tick_keys, uniforms
from energycore.simulation.solar import SolarDay, bell_curve

MINUTE_US = 60_000_000
PANELS = SolarDay()


def power_w(at_us, step_us, zone, rated_w=(5_000.0,), keys=None, seed=7):
    """Shape (k, n): panels of one zone in a window."""
    count = len(rated_w)
    keys = np.arange(count, dtype=np.uint64) if keys is None else keys
    conditions = Conditions(
        window=Window(np.asarray(at_us, dtype=np.int64), step_us, seed, (ZoneInfo(zone),)),
        zone_index=np.zeros(count, dtype=np.int32),
        noise_key=keys,
    )
    ratings = PANELS.prepare({"rated_power_w": np.array(rated_w, dtype=np.float64)})
    return PANELS.step(ratings, {}, conditions).power_w


def day_of(year, month, day, zone, step_us=MINUTE_US):
    """The ticks of a local day."""
    start = datetime(year, month, day, tzinfo=ZoneInfo(zone))
    end = (start + timedelta(days=1)).replace(tzinfo=ZoneInfo(zone))
    return np.arange(to_epoch_us(start), to_epoch_us(end), step_us)


@pytest.mark.parametrize(
    ("hour", "share"),
    [
        (12.0, 1.0),
        (8.0, math.exp(-0.5)),
        (16.0, math.exp(-0.5)),
        (6.0, math.exp(-36 / 32)),
        (20.0, math.exp(-2.0)),
        (5.999999, 0.0),
        (20.000001, 0.0),
        (0.0, 0.0),
        (23.99, 0.0),
    ],
)
def test_the_curve_is_the_bell_between_six_and_twenty(hour, share):
    assert bell_curve(np.array([hour]))[0] == pytest.approx(share, rel=1e-15)


@pytest.mark.parametrize(
    ("zone", "year", "month", "day", "ticks"),
    [
        ("Europe/Berlin", 2026, 3, 29, 23 * 60),
        ("Europe/Berlin", 2026, 10, 25, 25 * 60),
        ("Europe/Berlin", 2026, 6, 21, 24 * 60),
        ("Pacific/Auckland", 2026, 4, 5, 25 * 60),
        ("Pacific/Auckland", 2026, 9, 27, 23 * 60),
        ("Asia/Kathmandu", 2026, 1, 1, 24 * 60),
    ],
)
def test_a_day_of_minutes_follows_the_wall_clock_at_the_middle_of_each(
    zone, year, month, day, ticks
):
    at_us = day_of(year, month, day, zone)
    assert len(at_us) == ticks
    noise = uniforms(np.zeros(1, dtype=np.uint64), tick_keys(7, at_us))[:, 0]
    found = power_w(at_us, MINUTE_US, zone)[:, 0]
    for at, draw, power in zip(at_us.tolist(), noise.tolist(), found.tolist(), strict=True):
        middle = from_epoch_us(at + MINUTE_US // 2).astimezone(ZoneInfo(zone))
        hour = middle.hour + middle.minute / 60 + middle.second / 3_600
        expected = 0.0
        if 6 <= hour <= 20:
            expected = 5_000 * math.exp(-((hour - 12) ** 2) / (2 * 4**2)) * (0.85 + 0.3 * draw)
        assert power == pytest.approx(expected, rel=1e-12, abs=0)


def test_the_sun_rises_in_the_tick_whose_middle_is_past_six():
    six = to_epoch_us(datetime(2026, 6, 1, 6, tzinfo=ZoneInfo("Europe/Berlin")))
    hour_us = 60 * MINUTE_US
    before, at, after = six - hour_us // 2 - 1_000, six - hour_us // 2, six
    found = power_w([before, at, after], hour_us, "Europe/Berlin")[:, 0]
    assert found[0] == 0.0
    assert (found[1:] > 0.0).all()


@given(
    st.floats(1e-3, 1e8),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**40).map(lambda ms: ms * 1_000),
    st.sampled_from([1_000_000, MINUTE_US, 15 * MINUTE_US]),
)
def test_power_is_never_negative_and_at_most_115_percent_of_rated(rated_w, key, at_us, step_us):
    keys = np.array([key], dtype=np.uint64)
    found = power_w([at_us, at_us + 43_200_000_000], step_us, "UTC", (rated_w,), keys)
    assert (found >= 0.0).all()
    assert (found <= 1.15 * rated_w).all()


def test_the_greatest_draw_gives_no_more_than_115_percent():
    greatest = 1.0 - 2.0**-53
    assert greatest * (2 * 0.15) + (1 - 0.15) <= 1.15


def test_noise_spreads_evenly_over_the_fifteen_percent_and_averages_out():
    noon = to_epoch_us(datetime(2026, 6, 1, 12, tzinfo=ZoneInfo("UTC"))) - MINUTE_US // 2
    factor = power_w([noon], MINUTE_US, "UTC", rated_w=np.ones(40_000))[0]
    assert 0.85 <= factor.min() < 0.8502
    assert 1.1498 < factor.max() <= 1.15
    # The mean of 40,000 such numbers lies within five standard errors.
    assert factor.mean() == pytest.approx(1.0, abs=5 * 0.3 / math.sqrt(12 * 40_000))
