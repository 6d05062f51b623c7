"""Storage keeps to its limits and bounds, and every nanowatt-hour is accounted for."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from energycore.quantities.units import MAX_CAPACITY_WH, MAX_POWER_W, MIN_EFFICIENCY
from energycore.simulation.behaviour import Conditions, Window
from energycore.simulation.noise import tick_keys, uniforms
from energycore.simulation.storage import ModeCode, StoragePhysics, clamped_walk

PHYSICS = StoragePhysics()
WH = 1_000_000_000
MAX_INT64 = 2**63 - 1


def ratings(**changed):
    """Shape (1,): a battery of 10 kWh and 5 kW without losses, unless changed."""
    given_ = {
        "capacity_wh": 10_000.0,
        "max_charge_w": 5_000.0,
        "max_discharge_w": 5_000.0,
        "charge_efficiency": 1.0,
        "discharge_efficiency": 1.0,
        "min_state_of_charge": 0.0,
        "max_state_of_charge": 1.0,
    } | changed
    return PHYSICS.prepare({name: np.array([value]) for name, value in given_.items()})


def state(stored_wh, setpoint_w=0.0):
    return {
        "stored_nwh": np.array([round(stored_wh * WH)]),
        "setpoint_w": np.array([setpoint_w]),
        "mode": np.array([np.sign(setpoint_w)], dtype=np.int8),
    }


def step(rated, before, requested_w, step_s=60, ticks=None):
    """Run one storage; `requested_w` is one power, or one for each tick."""
    asked = np.atleast_1d(np.array(requested_w, dtype=np.float64))[:, np.newaxis]
    count = len(asked) if ticks is None else ticks
    step_us = round(step_s * 1e6)
    at_us = step_us * np.arange(count, dtype=np.int64)
    conditions = Conditions(
        window=Window(at_us, step_us, 0, (ZoneInfo("UTC"),)),
        zone_index=np.zeros(1, dtype=np.int32),
        noise_key=np.zeros(1, dtype=np.uint64),
        requested_w=asked,
    )
    return PHYSICS.step(rated, before, conditions)


def test_a_battery_that_fills_after_20_of_60_seconds_reports_the_mean_and_goes_idle():
    room_wh = 5_000 * 20 / 3_600
    done = step(ratings(), state(10_000 - room_wh, -5_000.0), -5_000.0)
    assert done.power_w[0, 0] == pytest.approx(-5_000 / 3, abs=1e-7)
    assert done.state["stored_nwh"].tolist() == [10_000 * WH]
    assert done.state["mode"].tolist() == [ModeCode.IDLE]
    assert done.state["setpoint_w"].tolist() == [0.0]


def test_a_battery_that_empties_within_a_tick_reports_the_mean_and_goes_idle():
    done = step(ratings(min_state_of_charge=0.1), state(1_010.0, 4_000.0), 4_000.0)
    assert done.power_w[0, 0] == pytest.approx(10 * 60, abs=1e-7)
    assert done.state["stored_nwh"].tolist() == [1_000 * WH]
    assert done.state["mode"].tolist() == [ModeCode.IDLE]
    assert done.state["setpoint_w"].tolist() == [0.0]


def test_a_storage_between_its_bounds_does_what_it_is_asked_and_its_mode_says_so():
    for asked_w, mode in ((-3_000.0, ModeCode.CHARGING), (2_000.0, ModeCode.DISCHARGING)):
        done = step(ratings(), state(5_000.0, asked_w), asked_w)
        assert done.power_w[0, 0] == pytest.approx(asked_w, abs=1e-7)
        assert done.state["mode"].tolist() == [mode]
        assert done.state["setpoint_w"].tolist() == [asked_w]


def test_a_storage_that_is_asked_for_nothing_keeps_its_energy_and_reports_a_plain_zero():
    done = step(ratings(), state(5_000.0), 0.0)
    assert done.power_w.tolist() == [[0.0]]
    assert not np.signbit(done.power_w[0, 0])
    assert done.state["stored_nwh"].tolist() == [5_000 * WH]
    assert done.state["mode"].tolist() == [ModeCode.IDLE]


def test_a_request_beyond_a_limit_gets_the_limit():
    rated = ratings(max_charge_w=3_000.0, max_discharge_w=4_000.0)
    assert step(rated, state(5_000.0), -9e9).power_w[0, 0] == pytest.approx(-3_000, abs=1e-7)
    assert step(rated, state(5_000.0), 9e9).power_w[0, 0] == pytest.approx(4_000, abs=1e-7)


def test_rounding_lifts_no_power_past_its_limit():
    """Multiplied by a factor and divided by it again, a float may come out greater."""
    count = 20_000
    share = uniforms(np.arange(count, dtype=np.uint64), tick_keys(1, np.arange(3)))
    limit_w = 1e6 + 1e7 * share[0]
    rated = PHYSICS.prepare(
        {
            "capacity_wh": np.full(count, MAX_CAPACITY_WH),
            "max_charge_w": limit_w,
            "max_discharge_w": limit_w,
            "charge_efficiency": 0.3 + 0.7 * share[1],
            "discharge_efficiency": 0.3 + 0.7 * share[2],
            "min_state_of_charge": np.zeros(count),
            "max_state_of_charge": np.ones(count),
        }
    )
    before = {
        "stored_nwh": np.full(count, 5 * 10**17),
        "setpoint_w": np.zeros(count),
        "mode": np.zeros(count, dtype=np.int8),
    }
    conditions = Conditions(
        window=Window(np.zeros(1, dtype=np.int64), 3_600_000_000, 0, (ZoneInfo("UTC"),)),
        zone_index=np.zeros(count, dtype=np.int32),
        noise_key=np.zeros(count, dtype=np.uint64),
        requested_w=np.where(share[:1] < 0.5, -np.inf, np.inf),
    )
    power_w = PHYSICS.step(rated, before, conditions).power_w[0]
    assert (np.abs(power_w) <= limit_w).all()
    assert (np.abs(power_w) > 0.999999 * limit_w).all()


def test_efficiency_is_applied_once_each_way():
    rated = ratings(charge_efficiency=0.9, discharge_efficiency=0.8)
    charged = step(rated, state(5_000.0), -1_000.0, step_s=3_600)
    assert charged.state["stored_nwh"][0] == pytest.approx(5_900 * WH, abs=1)
    given_ = step(rated, state(5_000.0), 1_000.0, step_s=3_600)
    assert given_.state["stored_nwh"][0] == pytest.approx(3_750 * WH, abs=1)
    # What is taken out to give 0.8 of it is all that there is: the power is the mean that fits.
    emptied = step(rated, state(100.0), 5_000.0, step_s=3_600)
    assert emptied.power_w[0, 0] == pytest.approx(80.0, abs=1e-7)


def test_a_command_that_ended_at_a_bound_stays_ended_when_room_comes_back():
    asked = [-5_000.0, 5_000.0]
    whole = step(ratings(), state(9_990.0, -5_000.0), asked)
    first = step(ratings(), state(9_990.0, -5_000.0), asked[:1])
    second = step(ratings(), first.state, asked[1:])
    assert first.state["setpoint_w"].tolist() == [0.0]
    assert second.state["setpoint_w"].tolist() == [0.0]
    assert whole.state["setpoint_w"].tolist() == [0.0]
    assert whole.state["stored_nwh"].tolist() == second.state["stored_nwh"].tolist()


def test_a_reading_says_what_is_stored_at_its_instant_and_the_state_what_is_stored_at_the_end():
    done = step(ratings(), state(5_000.0), [-60.0, -60.0, 120.0])
    assert [round(nwh / WH, 6) for nwh in done.stored_nwh[:, 0].tolist()] == [5_000, 5_001, 5_002]
    assert done.state["stored_nwh"][0] == pytest.approx(5_000 * WH, abs=3)


POWERS = st.floats(0.1, MAX_POWER_W)
STORAGES: st.SearchStrategy[dict[str, float]] = st.builds(
    dict,
    capacity_wh=st.floats(0.1, MAX_CAPACITY_WH),
    max_charge_w=POWERS,
    max_discharge_w=POWERS,
    charge_efficiency=st.floats(MIN_EFFICIENCY, 1.0),
    discharge_efficiency=st.floats(MIN_EFFICIENCY, 1.0),
    min_state_of_charge=st.floats(0.0, 0.45),
    max_state_of_charge=st.floats(0.55, 1.0),
)
EXTREME = {
    "capacity_wh": MAX_CAPACITY_WH,
    "max_charge_w": MAX_POWER_W,
    "max_discharge_w": MAX_POWER_W,
    "charge_efficiency": 1.0,
    "discharge_efficiency": MIN_EFFICIENCY,
}


@given(
    STORAGES,
    st.floats(0.0, 1.0),
    st.lists(st.floats(-2 * MAX_POWER_W, 2 * MAX_POWER_W), min_size=1, max_size=30),
    st.integers(1_000, 86_400_000).map(lambda ms: ms / 1_000),
    st.floats(-MAX_POWER_W, MAX_POWER_W),
)
@example(EXTREME, 1.0, [MAX_POWER_W] * 3, 86_400, 0.0)
@example(EXTREME, 0.0, [-MAX_POWER_W] * 3, 86_400, 0.0)
@example(
    EXTREME | {"capacity_wh": 19_117_700.0, "discharge_efficiency": 0.46875},
    1.0,
    [14_634_815.0],
    2_204.409,
    0.0,
)
def test_limits_and_bounds_hold_and_energy_is_conserved(rated, charge, asked, step_s, setpoint_w):
    prepared = ratings(**rated)
    lower, upper = int(prepared["lower_nwh"][0]), int(prepared["upper_nwh"][0])
    start = min(upper, max(lower, lower + round(charge * (upper - lower))))
    before = state(0.0, setpoint_w) | {"stored_nwh": np.array([start])}
    done = step(prepared, before, asked, step_s)
    stored = [*done.stored_nwh[:, 0].tolist(), int(done.state["stored_nwh"][0])]
    hours = round(step_s * 1e6) / 3.6e9
    for tick, power_w in enumerate(done.power_w[:, 0].tolist()):
        assert lower <= stored[tick + 1] <= upper
        assert -rated["max_charge_w"] <= power_w <= rated["max_discharge_w"]
        # The limit holds to the last bit, what was asked for to the rounding of a float.
        assert abs(power_w) <= abs(asked[tick]) * (1 + 2**-52)
        gained_wh = (stored[tick + 1] - stored[tick]) / WH
        drawn_wh, given_wh = max(0.0, -power_w) * hours, max(0.0, power_w) * hours
        efficiency = rated["charge_efficiency"], rated["discharge_efficiency"]
        lost_wh = drawn_wh * (1 - efficiency[0]) + given_wh * (1 / efficiency[1] - 1)
        assert lost_wh >= 0.0
        scale = max(drawn_wh, given_wh, abs(gained_wh))
        assert drawn_wh - given_wh - lost_wh == pytest.approx(gained_wh, rel=0, abs=2e-9 * scale)


@given(
    STORAGES,
    st.lists(st.floats(-20_000, 20_000), min_size=1, max_size=40),
    st.sampled_from([-3_000.0, 0.0, 3_000.0]),
    st.integers(0, 40),
)
def test_a_window_equals_its_parts_in_state_and_power(rated, asked, setpoint_w, cut):
    prepared = ratings(**rated)
    middle = int(prepared["lower_nwh"][0] + prepared["upper_nwh"][0]) // 2
    before = state(0.0, setpoint_w) | {"stored_nwh": np.array([middle])}
    whole = step(prepared, before, asked)
    powers, stored = [], []
    for part in (asked[:cut], asked[cut:]):
        if part:
            done = step(prepared, before, part)
            powers += done.power_w.tolist()
            stored += done.stored_nwh.tolist()
            before = done.state
    assert whole.power_w.tolist() == powers
    assert whole.stored_nwh.tolist() == stored
    for name, column in whole.state.items():
        assert column.dtype == PHYSICS.state_columns[name].dtype
        assert column.tolist() == before[name].tolist(), name


def test_one_command_for_a_window_is_the_same_as_one_for_each_tick():
    once = step(ratings(), state(5_000.0, -5_000.0), -5_000.0, ticks=90)
    each = step(ratings(), state(5_000.0, -5_000.0), [-5_000.0] * 90)
    assert once.power_w.tolist() == each.power_w.tolist()
    assert once.state["stored_nwh"].tolist() == each.state["stored_nwh"].tolist()


def plain_walk(start, change, lower, upper):
    values, rows = list(start), []
    for row in change:
        values = [
            min(high, max(low, value + delta))
            for value, delta, low, high in zip(values, row, lower, upper, strict=True)
        ]
        rows.append(values)
    return rows


@given(
    st.integers(1, 1_200),
    st.integers(1, 3),
    st.sampled_from([3, 10**6, 10**12, 8 * 10**18]),
    st.sampled_from([1, 10**6, 10**13, 10**18]),
    st.integers(0, 2**32),
)
@example(1_200, 1, 8 * 10**18, 10**18, 0)
def test_a_clamped_walk_equals_the_plain_loop(ticks, devices, largest, room, seed):
    """Also where the sum of the changes leaves 64 bits, far beyond what a bound lets pass."""
    keys = tick_keys(seed, np.arange(ticks + 2, dtype=np.int64))
    drawn = 2.0 * uniforms(np.arange(devices, dtype=np.uint64), keys) - 1.0
    # A drift of the whole walk makes it stay at a bound, or never meet one.
    change = (np.clip(drawn[:ticks] + drawn[-1], -1, 1) * largest).astype(np.int64)
    lower = np.arange(devices, dtype=np.int64) * 10**15
    upper = lower + room
    start = lower + (np.abs(drawn[-2]) * room).astype(np.int64)
    found = clamped_walk(start, change, lower, upper)
    columns = (column.tolist() for column in (start, change, lower, upper))
    assert found.tolist() == plain_walk(*columns)


def test_the_largest_change_of_a_step_stays_within_64_bits():
    day_nwh = MAX_POWER_W * 24 / MIN_EFFICIENCY * WH
    assert day_nwh + MAX_CAPACITY_WH * WH < MAX_INT64
