"""Appliances run and rest for plausible times, and draw their average in the long run."""

import math
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energycore.simulation.behaviour import Conditions, Window
from energycore.simulation.noise import tick_keys, uniforms
from energycore.simulation.onoff import OnOff, switch_probabilities, switch_states

SWITCH = OnOff()
STEPS = pytest.mark.parametrize("step_s", [10, 60, 900])


def run(step_s, ticks, devices=1, duty=0.4, on_time_s=1_200.0, average_w=600.0, seed=1):
    """Shape (k, n): whether each appliance runs, and its power."""
    ratings = SWITCH.prepare(
        {
            "average_power_w": np.full(devices, average_w),
            "duty_cycle": np.full(devices, duty),
            "mean_on_time_s": np.full(devices, on_time_s),
        }
    )
    at_us = step_s * 1_000_000 * np.arange(ticks, dtype=np.int64)
    conditions = Conditions(
        window=Window(at_us, step_s * 1_000_000, seed, (ZoneInfo("UTC"),)),
        zone_index=np.zeros(devices, dtype=np.int32),
        noise_key=np.arange(devices, dtype=np.uint64),
    )
    unknown = {"is_on": np.full(devices, -1, dtype=np.int8)}
    power_w = SWITCH.step(ratings, unknown, conditions).power_w
    return power_w < 0.0, power_w


def run_lengths(on):
    """Lengths in ticks of the complete runs of one column."""
    edges = np.flatnonzero(np.diff(on.astype(np.int8)))
    lengths = np.diff(edges)
    return lengths[0 if not on[0] else 1 :: 2]


@STEPS
@pytest.mark.parametrize("duty", [0.1, 0.4, 0.9])
def test_the_long_run_mean_is_the_average_power(step_s, duty):
    ticks, devices = 4_000, 100
    on, power_w = run(step_s, ticks, devices, duty)
    # The autocorrelation decays with rate r, so n ticks are worth about n tanh(r step / 2) draws.
    rate = 1 / (1_200.0 * (1 - duty))
    draws = ticks * devices * math.tanh(rate * step_s / 2)
    error = math.sqrt(duty * (1 - duty) / draws)
    if step_s <= 300:
        assert on.mean() == pytest.approx(duty, abs=4.5 * error)
    assert power_w.mean() == pytest.approx(-600.0, abs=4.5 * error * 600.0 / duty)


def test_a_long_tick_reports_the_mean_of_what_happens_in_it_and_no_coin_flip():
    _, minutes_w = run(60, 60 * 4_000, devices=4)
    _, hours_w = run(3_600, 4_000, devices=4)
    spread_w = minutes_w.reshape(4_000, 60, 4).mean(axis=1).std()
    assert hours_w.std() == pytest.approx(spread_w, rel=0.1)
    switched = np.isin(hours_w, [0.0, hours_w.min()]).mean()
    assert switched < 0.3  # the others are part of an hour on


@pytest.mark.parametrize("step_s", [10, 60])
def test_runs_are_as_long_as_the_mean_on_time_and_end_without_memory(step_s):
    on, _ = run(step_s, 60_000, devices=4)
    lengths_s = step_s * np.concatenate([run_lengths(column) for column in on.T])
    # Seen at ticks, a run lasts 1 / P(switched off) of them, a geometric number.
    rate = 1 / (1_200.0 * 0.6)
    mean_s = step_s / (0.6 * -math.expm1(-rate * step_s))
    assert mean_s == pytest.approx(1_200.0, rel=0.05)
    error_s = mean_s / math.sqrt(len(lengths_s))
    assert lengths_s.mean() == pytest.approx(mean_s, abs=4.5 * error_s)
    assert lengths_s.std() == pytest.approx(mean_s, rel=0.15)
    for multiple in (0.5, 1.0, 2.0):
        survivors = (lengths_s > multiple * mean_s).mean()
        assert survivors == pytest.approx(math.exp(-multiple), abs=0.05)


def test_an_appliance_is_no_coin_that_is_thrown_at_each_tick():
    on, _ = run(60, 40_000)
    switches = np.count_nonzero(np.diff(on[:, 0].astype(np.int8)))
    coin = 40_000 * 2 * 0.4 * 0.6
    expected = 40_000 * 2 * 0.4 * 0.6 * -math.expm1(-60 / 720)
    assert switches == pytest.approx(expected, rel=0.1)
    assert switches < coin / 10


def test_a_duty_cycle_of_one_never_rests():
    on, power_w = run(60, 500, devices=20, duty=1.0)
    assert on.all()
    assert (power_w == -600.0).all()


def test_the_first_tick_is_drawn_with_the_chance_of_the_duty_cycle():
    on, _ = run(60, 1, devices=20_000, duty=0.3)
    assert on.mean() == pytest.approx(0.3, abs=5 * math.sqrt(0.3 * 0.7 / 20_000))


def test_while_running_it_draws_average_by_duty_cycle():
    on, power_w = run(60, 300, devices=10, duty=0.25, average_w=100.0)
    assert set(power_w[on].tolist()) == {-400.0}
    assert set(power_w[~on].tolist()) == {0.0}


@given(st.floats(0.001, 1.0), st.floats(1.0, 86_400.0), st.floats(1.0, 86_400.0))
def test_switching_keeps_the_duty_cycle_in_balance(duty, on_time_s, step_s):
    """Detailed balance: as many switch on as off when the share D is on."""
    with np.errstate(divide="ignore"):
        rate_hz = 1.0 / (on_time_s * (1.0 - np.array([duty])))
    to_on, to_off = switch_probabilities(np.array([duty]), rate_hz, step_s)
    assert 0.0 <= to_on[0] <= 1.0
    assert 0.0 <= to_off[0] <= 1.0
    assert to_on[0] + to_off[0] <= 1.0 + 1e-15
    assert (1 - duty) * to_on[0] == pytest.approx(duty * to_off[0], rel=1e-9, abs=1e-15)


@given(st.floats(0.01, 0.99), st.floats(1.0, 86_400.0), st.floats(1.0, 3_600.0))
def test_two_steps_switch_as_one_of_twice_the_length(duty, on_time_s, step_s):
    """Chapman and Kolmogorov: the process does not depend on how finely it is looked at."""
    share, rate_hz = np.array([duty]), 1.0 / (on_time_s * (1.0 - np.array([duty])))
    (to_on,), (to_off,) = switch_probabilities(share, rate_hz, step_s)
    (both,), _ = switch_probabilities(share, rate_hz, 2 * step_s)
    assert (1 - to_on) * to_on + to_on * (1 - to_off) == pytest.approx(both, rel=1e-9)


@given(st.integers(1, 60), st.integers(1, 5), st.integers(0, 2**32), st.data())
def test_a_window_of_switching_equals_its_ticks_one_by_one(ticks, devices, seed, data):
    at_us = np.arange(ticks, dtype=np.int64)
    draws = uniforms(np.arange(devices, dtype=np.uint64), tick_keys(seed, at_us))
    to_on = np.array(data.draw(st.lists(st.floats(0, 0.5), min_size=devices, max_size=devices)))
    to_off = np.array(data.draw(st.lists(st.floats(0, 0.5), min_size=devices, max_size=devices)))
    before = np.array(data.draw(st.lists(st.booleans(), min_size=devices, max_size=devices)))
    whole = switch_states(before, draws, to_on, to_off)
    for tick in range(ticks):
        for device in range(devices):
            if draws[tick, device] < to_on[device]:
                before[device] = True
            elif draws[tick, device] >= 1.0 - to_off[device]:
                before[device] = False
        assert whole[tick].tolist() == before.tolist()
