"""A counter becomes power without losing energy, and what it did wrong becomes an event."""

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energycore.errors import InvalidValue
from energycore.quantities.units import MISSING
from energycore.telemetry.counters import (
    CounterDirection,
    CounterEventKind,
    DipPolicy,
    EnergyCounter,
    ResetPolicy,
    RisePolicy,
    power_from_counter,
)

START_US = 1_780_272_000_000_000
MINUTE_MS = 60_000
MONTH_MS = 30 * 24 * 60 * MINUTE_MS
MWMS_PER_MWH = 3_600_000
RATED_W = 5_000
MARGIN = 1.25


def counter(**changes):
    known = {"direction": CounterDirection.PRODUCTION, "rated_power_w": RATED_W, "resolution_wh": 1}
    return EnergyCounter(**{**known, **changes})


def instants(lengths_ms):
    return np.cumsum([START_US, *(1_000 * length for length in lengths_ms)], dtype=np.int64)


def at_minutes(values_wh, minutes=5, **changes):
    """A counter that is read at equal intervals."""
    lengths_ms = [minutes * MINUTE_MS] * (len(values_wh) - 1)
    return power_from_counter(instants(lengths_ms), np.array(values_wh), counter(**changes))


def powers_w(power):
    return [None if value == MISSING else value / 1_000 for value in power.power_mw.tolist()]


def energies_mwms(power):
    """Energy of each interval with power, as the readings say it."""
    lengths_ms = (np.diff(power.at_us) // 1_000).tolist()
    return [
        abs(value) * length
        for value, length in zip(power.power_mw.tolist()[:-1], lengths_ms, strict=True)
        if value != MISSING
    ]


def held_mwms(readings, max_gap):
    """Energy of readings, each of which holds until the next one and at most for `max_gap`."""
    longest_us = max_gap // timedelta(microseconds=1)
    ends_us = [*readings.at_us.tolist(), 1 << 62][1:]
    rows = zip(readings.at_us.tolist(), ends_us, readings.power_mw.tolist(), strict=True)
    return sum(power * (min(end - at, longest_us) // 1_000) for at, end, power in rows)


def rounded(power):
    """All that a result says, to be compared."""
    return (
        power.at_us.tolist(),
        power.power_mw.tolist(),
        power.events,
        power.energy_mwms,
        power.remainder_mwms,
        power.longest_interval,
    )


LENGTHS_MS = st.integers(1, 4_000_000)


@st.composite
def rising(draw, lengths_ms=LENGTHS_MS):
    """Lengths of intervals [ms] and the values [mWh] of a counter that only rises, as it may."""
    lengths = draw(st.lists(lengths_ms, max_size=12))
    values = [draw(st.integers(0, 10**9))]
    for length in lengths:
        values.append(values[-1] + draw(st.integers(0, RATED_W * length // 3_600)))
    return lengths, values


# What a counter says becomes power.


def test_the_power_of_an_interval_stands_at_its_beginning_and_none_at_the_last_instant():
    power = at_minutes([100.0, 350.0, 600.0, 700.0], minutes=15)
    assert powers_w(power) == [1_000.0, 1_000.0, 400.0, None]
    assert power.at_us.tolist() == instants([15 * MINUTE_MS] * 3).tolist()
    assert power.energy_wh == 600.0
    assert power.events == ()
    assert power.longest_interval == timedelta(minutes=15)


def test_a_counter_of_consumption_gives_negative_power_and_the_same_energy():
    power = at_minutes([100.0, 350.0, 600.0], 15, direction=CounterDirection.CONSUMPTION)
    assert powers_w(power) == [-1_000.0, -1_000.0, None]
    assert power.energy_wh == 500.0


@pytest.mark.parametrize("values", [[], [100.0]])
def test_no_interval_is_no_power(values):
    at_us = np.array([START_US] * len(values), dtype=np.int64)
    power = power_from_counter(at_us, np.array(values), counter())
    assert power.power_mw.tolist() == [MISSING] * len(values)
    assert len(power.readings(1)) == 0
    assert power.energy_mwms == power.remainder_mwms == 0
    assert power.longest_interval == timedelta(0)


@given(rising())
def test_a_counter_that_only_rises_gives_exactly_its_last_value_minus_its_first(values):
    lengths_ms, values_mwh = values
    power = power_from_counter(instants(lengths_ms), np.array(values_mwh) / 1_000, counter())
    assert power.events == ()
    assert power.energy_mwms == (values_mwh[-1] - values_mwh[0]) * MWMS_PER_MWH
    assert sum(energies_mwms(power)) + power.remainder_mwms == power.energy_mwms
    assert 0 <= power.remainder_mwms < max(lengths_ms, default=1)


@given(rising())
def test_each_power_is_within_a_milliwatt_of_the_mean_and_zero_where_nothing_was_counted(values):
    lengths_ms, values_mwh = values
    power = power_from_counter(instants(lengths_ms), np.array(values_mwh) / 1_000, counter())
    rises_mwh = [after - before for before, after in pairwise(values_mwh)]
    rows = zip(energies_mwms(power), rises_mwh, lengths_ms, strict=True)
    for energy_mwms, rise_mwh, length_ms in rows:
        assert abs(energy_mwms - rise_mwh * MWMS_PER_MWH) <= length_ms
        assert rise_mwh or not energy_mwms


@given(rising(lengths_ms=st.just(7_001)))
def test_at_equal_intervals_less_than_one_milliwatt_of_one_interval_is_left_over(values):
    lengths_ms, values_mwh = values
    power = power_from_counter(instants(lengths_ms), np.array(values_mwh) / 1_000, counter())
    assert power.remainder_mwms == power.energy_mwms % 7_001


@given(rising(lengths_ms=st.sampled_from([1_000, 15_000, MINUTE_MS, 15 * MINUTE_MS])))
def test_where_intervals_divide_the_hour_nothing_is_carried(values):
    lengths_ms, values_mwh = values
    power = power_from_counter(instants(lengths_ms), np.array(values_mwh) / 1_000, counter())
    assert power.remainder_mwms == 0
    rises_mwh = [after - before for before, after in pairwise(values_mwh)]
    assert energies_mwms(power) == [rise * MWMS_PER_MWH for rise in rises_mwh]


def test_the_remainder_of_a_long_interval_is_not_put_into_a_short_one():
    lengths_ms = [MONTH_MS - 1, 1_000, 1_000]
    values_wh = np.array([0.0, 1_000.0, 1_001.0, 1_002.0])
    power = power_from_counter(instants(lengths_ms), values_wh, counter())
    assert powers_w(power) == [1.388, 3_600.001, 3_600.001, None]
    assert power.remainder_mwms > 600_000_000


def test_values_are_quantised_so_that_fractions_of_kilowatt_hours_do_not_tremble():
    values_wh = np.array([215.6, 215.6 + 0.1, 215.8]) * 1_000
    power = power_from_counter(instants([MINUTE_MS] * 2), values_wh, counter(resolution_wh=100))
    assert powers_w(power) == [6_000.0, 6_000.0, None]


# The order of the rows, and rows that come twice.


@given(rising(), st.data())
def test_the_order_of_the_rows_and_rows_that_come_twice_change_no_bit(values, data):
    lengths_ms, values_mwh = values
    at_us, values_wh = instants(lengths_ms), np.array(values_mwh) / 1_000
    again = data.draw(st.lists(st.integers(0, len(values_wh) - 1)))
    rows = data.draw(st.permutations([*range(len(values_wh)), *again]))
    expected = power_from_counter(at_us, values_wh, counter())
    assert rounded(power_from_counter(at_us[rows], values_wh[rows], counter())) == rounded(expected)


def test_two_values_of_one_instant_are_refused():
    at_us = np.array([START_US, START_US], dtype=np.int64)
    with pytest.raises(InvalidValue, match=r"one value at 2026-06-01T00:00:00\+00:00") as refused:
        power_from_counter(at_us, np.array([2.0, 1.0]), counter())
    assert refused.value.value == [1.0, 2.0]


# Dips.


GROTT_99_WH = [215_600.0, 215_600.0, 215_700.0, 215_600.0, 215_600.0]


def test_a_dip_of_a_step_in_a_lifetime_counter_is_not_booked_as_its_lifetime():
    """Grott 99: 215.6, 215.7, 215.6 kWh was read as a reset and 215.6 kWh of production."""
    falls = at_minutes(GROTT_99_WH, resolution_wh=100)
    assert falls.energy_wh == 100.0
    climbs = at_minutes([*GROTT_99_WH, 215_700.0, 215_800.0], resolution_wh=100)
    assert climbs.energy_wh == falls.energy_wh + 100.0
    assert powers_w(climbs) == [0.0, 1_200.0, 0.0, 0.0, 0.0, 1_200.0, None]
    (dip,) = climbs.events
    assert (dip.kind, dip.energy_wh) == (CounterEventKind.DIP, 0.0)
    assert (dip.before_wh, dip.after_wh) == (215_700.0, 215_600.0)
    assert dip.at_us == climbs.at_us[3]
    assert dip.sentence == (
        "The counter fell by 100 Wh, a dip: no energy is counted until it passes 215,700 Wh again."
    )


@pytest.mark.parametrize("reset", [ResetPolicy.GAP, ResetPolicy.RESTART])
def test_even_where_no_dip_is_tolerated_a_lifetime_is_more_than_the_rated_power_allows(reset):
    power = at_minutes(GROTT_99_WH, resolution_wh=100, dip_tolerance_wh=0, reset=reset)
    assert power.energy_wh == 100.0
    assert [event.energy_wh for event in power.events] == [None]


def test_a_dip_without_power_is_unknown_until_the_counter_is_back_and_nothing_counts_twice():
    power = at_minutes([100.0, 110.0, 109.0, 109.0, 110.0, 120.0], dip=DipPolicy.GAP)
    assert powers_w(power) == [120.0, None, None, 0.0, 120.0, None]
    assert [event.energy_wh for event in power.events] == [None]
    assert power.energy_wh == 20.0


def test_each_dip_is_one_event_however_long_it_lasts():
    power = at_minutes([100.0, 99.0, 99.5, 99.0, 101.0, 100.0])
    assert [event.at_us for event in power.events] == power.at_us[[1, 5]].tolist()
    assert power.energy_wh == 1.0


def test_a_counter_that_sinks_by_small_steps_is_a_dip_only_as_far_as_the_tolerance():
    power = at_minutes([100.0, 99.0, 98.0])
    assert [event.kind for event in power.events] == [CounterEventKind.DIP, CounterEventKind.RESET]


@pytest.mark.parametrize("tolerance_wh", [2.3, 0.007, 1.001])
def test_a_fall_of_just_the_tolerance_is_a_dip(tolerance_wh):
    power = at_minutes([10.0, 10.0 - tolerance_wh], dip_tolerance_wh=tolerance_wh)
    assert [event.kind for event in power.events] == [CounterEventKind.DIP]


@given(rising(), st.data())
def test_a_counter_that_trembles_gives_the_energy_of_its_highest_values(values, data):
    lengths_ms, values_mwh = values
    tremble = st.integers(0, 1_000)
    said_mwh = [max(0, value - data.draw(tremble)) for value in values_mwh]
    power = power_from_counter(instants(lengths_ms), np.array(said_mwh) / 1_000, counter())
    assert power.energy_mwms == (max(said_mwh) - said_mwh[0]) * MWMS_PER_MWH
    assert {event.kind for event in power.events} <= {CounterEventKind.DIP}


# Resets.


@pytest.mark.parametrize("reset", [ResetPolicy.GAP, ResetPolicy.RESTART])
@pytest.mark.parametrize("back_wh", [1_400_000.0, 12_000.0, 100.0, 0.0])
def test_a_meter_that_comes_back_with_less_after_a_month_gives_no_negative_energy(back_wh, reset):
    """Home Assistant frontend 28177: -1,400 kWh when a heat pump came back after a month."""
    lengths_ms = [MINUTE_MS, MONTH_MS, MINUTE_MS]
    values_wh = np.array([1_499_990.0, 1_500_000.0, back_wh, back_wh + 10])
    power = power_from_counter(instants(lengths_ms), values_wh, counter(reset=reset))
    (event,) = power.events
    assert event.kind is CounterEventKind.RESET
    assert (event.before_wh, event.after_wh) == (1_500_000.0, back_wh)
    assert event.energy_wh == (back_wh if reset is ResetPolicy.RESTART else None)
    assert min(energies_mwms(power)) >= 0
    assert power.energy_wh == 20.0 + (event.energy_wh or 0.0)
    longest_ms = MONTH_MS if reset is ResetPolicy.RESTART else MINUTE_MS
    assert power.longest_interval == timedelta(milliseconds=longest_ms)


def test_a_meter_that_comes_back_with_the_same_value_after_a_month_counted_nothing():
    lengths_ms = [MINUTE_MS, MONTH_MS, MINUTE_MS]
    values_wh = np.array([1_499_990.0, 1_500_000.0, 1_500_000.0, 1_500_010.0])
    power = power_from_counter(instants(lengths_ms), values_wh, counter())
    assert powers_w(power) == [600.0, 0.0, 600.0, None]
    assert power.events == ()
    assert power.longest_interval == timedelta(days=30)


def test_after_a_reset_the_power_is_unknown_unless_the_counter_is_known_to_begin_from_0():
    values_wh = [900.0, 910.0, 4.0, 14.0]
    assert powers_w(at_minutes(values_wh)) == [120.0, None, 120.0, None]
    restarted = at_minutes(values_wh, reset=ResetPolicy.RESTART)
    assert powers_w(restarted) == [120.0, 48.0, 120.0, None]
    assert [event.sentence for event in restarted.events] == [
        "The counter fell from 910 Wh to 4 Wh, a reset: 4 Wh are counted, from 0 on."
    ]


def test_a_value_of_0_between_two_good_ones_costs_two_intervals_and_invents_nothing():
    power = at_minutes([215_600.0, 0.0, 215_600.0, 215_610.0], reset=ResetPolicy.RESTART)
    assert powers_w(power) == [0.0, None, 120.0, None]
    assert [event.kind for event in power.events] == [CounterEventKind.RESET, CounterEventKind.RISE]


# Rollovers.


def test_a_counter_that_goes_past_its_top_counts_on():
    power = at_minutes([99_999_900.0, 99_999_980.0, 70.0, 150.0], rolls_over_at_wh=100_000_000)
    assert powers_w(power) == [960.0, 1_080.0, 960.0, None]
    (event,) = power.events
    assert (event.kind, event.energy_wh) == (CounterEventKind.ROLLOVER, 90.0)
    assert event.sentence == (
        "The counter fell from 99,999,980 Wh to 70 Wh, past 100,000,000 Wh, a rollover: "
        "90 Wh are counted."
    )


def test_a_fall_from_far_below_the_top_is_no_rollover():
    power = at_minutes([50_000_000.0, 70.0], rolls_over_at_wh=100_000_000)
    assert [event.kind for event in power.events] == [CounterEventKind.RESET]


def test_a_fall_after_time_enough_for_a_whole_round_is_no_rollover():
    values_wh = np.array([60_000.0, 1_000.0])
    known = counter(rolls_over_at_wh=65_536)
    short, long_ = (
        power_from_counter(instants([hours * 60 * MINUTE_MS]), values_wh, known)
        for hours in (10, 11)
    )
    assert [event.kind for event in short.events] == [CounterEventKind.ROLLOVER]
    assert [event.kind for event in long_.events] == [CounterEventKind.RESET]


@given(rising(), st.integers(10_000_000, 30_000_000))
def test_a_counter_that_rolls_over_gives_the_power_of_one_that_does_not(values, top_mwh):
    lengths_ms, values_mwh = values
    at_us = instants(lengths_ms)
    straight = power_from_counter(at_us, np.array(values_mwh) / 1_000, counter())
    wrapped = np.array(values_mwh) % top_mwh / 1_000
    power = power_from_counter(at_us, wrapped, counter(rolls_over_at_wh=top_mwh / 1_000))
    assert power.power_mw.tolist() == straight.power_mw.tolist()
    assert power.energy_mwms == straight.energy_mwms
    rounds = values_mwh[-1] // top_mwh - values_mwh[0] // top_mwh
    assert [event.kind for event in power.events] == [CounterEventKind.ROLLOVER] * rounds


# Rises that cannot be.


def test_a_rise_that_the_rated_power_does_not_allow_is_a_gap_and_an_event():
    power = at_minutes([100.0, 620.0, 1_142.0, 1_242.0])
    assert powers_w(power) == [6_240.0, None, 1_200.0, None]
    (event,) = power.events
    assert (event.kind, event.energy_wh) == (CounterEventKind.RISE, None)
    assert "rose by 522 Wh, more than its rated power allows" in event.sentence


def test_a_coarse_counter_may_rise_by_a_step_in_a_short_time():
    power = at_minutes([215_600.0, 215_700.0], minutes=1, resolution_wh=100, rated_power_w=600)
    assert power.events == ()
    assert power.energy_wh == 100.0


# Whatever a counter says.


@st.composite
def counters(draw):
    return counter(
        direction=draw(st.sampled_from(CounterDirection)),
        resolution_wh=draw(st.sampled_from([0.001, 1, 100])),
        rolls_over_at_wh=draw(st.sampled_from([None, 30_000])),
        dip_tolerance_wh=draw(st.sampled_from([0, 50])),
        reset=draw(st.sampled_from([ResetPolicy.GAP, ResetPolicy.RESTART])),
        dip=draw(st.sampled_from([DipPolicy.GAP, DipPolicy.HOLD])),
    )


ANY_ROWS = st.lists(
    st.tuples(st.integers(1, 40_000_000), st.one_of(st.integers(0, 300), st.integers(0, 29_999))),
    max_size=12,
)


@given(ANY_ROWS, counters())
def test_energy_is_never_negative_never_above_the_rated_power_and_adds_up(rows, known):
    lengths_ms = [length for length, _ in rows[1:]]
    at_us = instants(lengths_ms)[: len(rows)]
    power = power_from_counter(at_us, np.array([float(value) for _, value in rows]), known)
    sign = 1 if known.direction is CounterDirection.PRODUCTION else -1
    for value, length_ms in zip(power.power_mw.tolist(), lengths_ms, strict=False):
        if value != MISSING:
            allowed_mwh = RATED_W * MARGIN * length_ms / 3_600 + known.resolution_wh * 1_000
            assert 0 <= sign * value <= allowed_mwh * MWMS_PER_MWH / length_ms + 1
    assert sum(energies_mwms(power)) + power.remainder_mwms == power.energy_mwms
    assert all(event.energy_wh is None or event.energy_wh >= 0 for event in power.events)


@given(ANY_ROWS, counters(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_no_event_either(rows, known, random):
    at_us = instants([length for length, _ in rows[1:]])[: len(rows)]
    values_wh = np.array([float(value) for _, value in rows])
    order = random.sample(range(len(rows)), len(rows))
    shuffled = power_from_counter(at_us[order], values_wh[order], known)
    assert rounded(shuffled) == rounded(power_from_counter(at_us, values_wh, known))


# Readings of a device.


@given(st.lists(st.integers(0, 29_999), min_size=2, max_size=30), counters())
def test_readings_that_hold_for_the_interval_have_exactly_the_energy_that_was_counted(
    values, known
):
    lengths_ms = [15 * MINUTE_MS] * (len(values) - 1)
    power = power_from_counter(instants(lengths_ms), np.array(values, dtype=np.float64), known)
    readings = power.readings(17)
    assert set(readings.device_id.tolist()) <= {17}
    assert np.isnan(readings.stored_wh).all()
    assert abs(held_mwms(readings, timedelta(minutes=15))) == power.energy_mwms


def test_an_interval_longer_than_the_readings_hold_loses_energy_and_the_result_says_so():
    lengths_ms = [15 * MINUTE_MS, 60 * MINUTE_MS]
    power = power_from_counter(instants(lengths_ms), np.array([0.0, 250.0, 1_250.0]), counter())
    assert power.longest_interval == timedelta(hours=1)
    readings = power.readings(1)
    assert held_mwms(readings, timedelta(minutes=15)) == 500_000 * MWMS_PER_MWH
    assert held_mwms(readings, power.longest_interval) == power.energy_mwms


# What is refused.


@pytest.mark.parametrize(
    ("value_wh", "policy", "limit"),
    [
        (99.5, {"dip": DipPolicy.REFUSE}, "at least 100 Wh at {} (a dip is refused)"),
        (5.0, {"reset": ResetPolicy.REFUSE}, "at least 100 Wh at {} (a reset is refused)"),
        (
            1_000.0,
            {"rise": RisePolicy.REFUSE},
            "at most 621.833 Wh at {} (a rise above the rated power is refused)",
        ),
    ],
)
def test_a_policy_can_refuse_with_the_value_its_limit_and_its_instant(value_wh, policy, limit):
    with pytest.raises(InvalidValue) as refused:
        at_minutes([100.0, value_wh], **policy)
    assert refused.value.field == "counter_wh"
    assert refused.value.value == value_wh
    assert refused.value.limit == limit.format("2026-06-01T00:05:00+00:00")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.001, 1.1e12])
def test_a_value_that_no_counter_shows_is_refused(value):
    with pytest.raises(InvalidValue, match="counter_wh must be finite, at least 0 and below"):
        at_minutes([100.0, value])


def test_a_value_at_the_top_of_a_counter_is_refused():
    with pytest.raises(InvalidValue, match="below 100,000 Wh, not 100000"):
        at_minutes([100_000.0], rolls_over_at_wh=100_000)


def test_an_instant_finer_than_a_millisecond_is_refused():
    with pytest.raises(InvalidValue, match="at_us must be whole milliseconds, not 1001"):
        power_from_counter(np.array([1_000, 1_001]), np.array([1.0, 2.0]), counter())


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(InvalidValue, match="as long as at_us, 2 values"):
        power_from_counter(np.array([0, 1_000]), np.array([1.0]), counter())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("direction", "production"),
        ("rated_power_w", 0),
        ("rated_power_w", float("nan")),
        ("resolution_wh", 0),
        ("rolls_over_at_wh", 0),
        ("dip_tolerance_wh", -1),
        ("reset", "restart"),
        ("dip", None),
        ("rise", DipPolicy.GAP),
    ],
)
def test_a_counter_that_cannot_be_is_refused_by_its_field(field, value):
    with pytest.raises(InvalidValue) as refused:
        counter(**{field: value})
    assert refused.value.field == field


def test_a_dip_is_one_step_of_the_counter_unless_given():
    assert counter(resolution_wh=100).dip_tolerance_wh == 100
