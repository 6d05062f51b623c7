"""Storage that follows the balance of its site stores what is left over and covers what lacks."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import energycore as ec
from tests.fleet.homes import (
    NOON_US,
    FixedMeter,
    battery,
    households,
    load,
    member,
    readings,
    run,
    source,
)

FOLLOW = ec.SelfConsumption()


def powers(members, ticks=1):
    """Power [W] of each device in the last tick, by identity."""
    found = readings(run(members, ticks))
    newest = max(at_us for _, at_us in found)
    return {device: mw / 1_000 for (device, at_us), (mw, _) in found.items() if at_us == newest}


def home(*devices):
    """Members of one site; storages follow its balance unless they are given otherwise."""
    return [
        member(number, device, **({"dispatch": FOLLOW} if hasattr(device, "capacity_wh") else {}))
        for number, device in enumerate(devices)
    ]


def test_a_surplus_is_stored():
    assert powers(home(source(3_000), load(1_000), battery())) == {0: 3_000, 1: -1_000, 2: -2_000}


def test_a_deficit_is_covered():
    assert powers(home(source(500), load(1_700), battery())) == {0: 500, 1: -1_700, 2: 1_200}


def test_what_is_beyond_the_limit_crosses_the_meter():
    assert powers(home(source(9_000), battery()))[1] == -5_000
    assert powers(home(load(9_000), battery()))[1] == 5_000


def test_a_home_in_balance_leaves_its_storage_alone():
    assert powers(home(source(1_000), load(1_000), battery()))[2] == 0


def test_several_storages_of_one_priority_take_turns_by_kind_then_by_noise_key():
    car = battery("car", ec.ElectricVehicle)
    first, second = battery("b", noise_key=1), battery("a", noise_key=2)
    members = home(source(8_000), car, second, first)
    assert powers(members) == {0: 8_000, 1: 0, 2: -3_000, 3: -5_000}


def test_storages_that_share_a_noise_key_take_turns_by_name_whatever_their_number():
    for first, second in ((1, 2), (2, 1)):
        members = [
            member(0, source(7_000)),
            member(first, battery("a", noise_key=5), dispatch=FOLLOW),
            member(second, battery("b", noise_key=5), dispatch=FOLLOW),
        ]
        assert powers(members) == {0: 7_000, first: -5_000, second: -2_000}


def test_the_lowest_priority_goes_first_whatever_its_kind_and_key():
    members = [
        member(0, source(7_000)),
        member(1, battery("a", noise_key=1), dispatch=ec.SelfConsumption(priority=3)),
        member(2, battery("b", noise_key=2), dispatch=ec.SelfConsumption(priority=-1)),
        member(3, battery("c", ec.ElectricVehicle), dispatch=ec.SelfConsumption(priority=2)),
    ]
    assert powers(members) == {0: 7_000, 1: 0, 2: -5_000, 3: -2_000}


def test_storage_that_is_steered_by_hand_goes_before_all_that_follow():
    """Whatever its kind: what it draws is covered, what it gives is stored."""
    for setpoint_w in (-2_000.0, 2_000.0):
        for manual, follower in (
            (ec.Battery, ec.ElectricVehicle),
            (ec.ElectricVehicle, ec.Battery),
        ):
            members = [
                member(0, battery("hand", manual), setpoint_w=setpoint_w),
                member(1, battery("follow", follower), dispatch=FOLLOW),
            ]
            assert powers(members) == {0: setpoint_w, 1: -setpoint_w}


def test_sites_do_not_see_each_other():
    alone = [member(0, battery(), site=0, dispatch=FOLLOW)]
    neighbours = [member(1, source(4_000), site=1), member(2, load(3_000), site=2)]
    assert powers(alone + neighbours)[0] == 0


def test_devices_without_a_site_share_nothing_with_each_other():
    members = [
        member(0, source(4_000), site=None),
        member(1, battery("a"), site=None, dispatch=FOLLOW),
        member(2, battery("b"), site=None, dispatch=FOLLOW),
    ]
    assert powers(members) == {0: 4_000, 1: 0, 2: 0}


def test_a_meter_measures_and_is_no_part_of_the_balance():
    meter = FixedMeter(name="meter", power_w=9_000.0)
    assert powers(home(meter, source(1_000), battery())) == {0: 9_000, 1: 1_000, 2: -1_000}


def test_a_storage_that_fills_within_a_tick_exports_the_rest():
    full = attrs.evolve(
        home(source(3_000), battery())[1],
        state={"stored_nwh": 9_980 * 10**9, "setpoint_w": 0.0, "mode": 0},
    )
    members = [member(0, source(3_000)), full]
    # 20 of the 50 Wh of the tick fit.
    assert powers(members)[1] == pytest.approx(-1_200, abs=0.001)
    assert powers(members, ticks=2)[1] == 0


def test_a_window_follows_the_balance_in_each_of_its_ticks():
    roof = ec.SolarPanel(name="Roof", rated_power_w=3_000)
    found = readings(run(home(roof, battery()), ticks=20))
    for tick in range(20):
        at_us = NOON_US + tick * 60_000_000
        assert abs(found[0, at_us][0] + found[1, at_us][0]) <= 1
    assert len({found[0, NOON_US + tick * 60_000_000][0] for tick in range(20)}) == 20


@given(households(), st.integers(1, 8), st.integers(0, 2**32))
def test_nothing_crosses_the_meter_that_a_follower_could_have_taken_or_given(members, ticks, seed):
    """Per site and tick: what is left over finds each follower full or at its limit."""
    devices = {each.device_id: each for each in members}
    step = run(members, ticks, seed=seed)
    found = readings(step)
    for tick in range(ticks):
        at_us = NOON_US + tick * 60_000_000
        for site in (0, 1, 2):
            here = [each.device_id for each in members if each.site == site]
            net_w = sum(found[device, at_us][0] for device in here) / 1_000
            for device in here:
                if devices[device].dispatch in (None, ec.Manual()):
                    continue
                check_follower(devices[device].device, step, device, tick, net_w)


def check_follower(device, step, device_id, tick, net_w):
    (kind, row, after) = next(
        (kind, kind.columns.device_id.tolist().index(device_id), after)
        for kind, after in zip(step.kinds, step.fleet.kinds, strict=True)
        if device_id in kind.columns.device_id
    )
    power_w = kind.power_w[tick, row]
    last = tick + 1 == len(kind.power_w)
    end_nwh = after.state["stored_nwh"][row] if last else kind.stored_nwh[tick + 1, row]
    # One milliwatt for each reading that is summed, and for the whole nanowatt-hours of a step.
    if net_w > 0.02:
        assert end_nwh == device.upper_nwh or power_w <= -device.max_charge_w + 0.001
        assert power_w <= 0.0
    if net_w < -0.02:
        assert end_nwh == device.lower_nwh or power_w >= device.max_discharge_w - 0.001
        assert power_w >= 0.0
