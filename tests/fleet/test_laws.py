"""The laws of a fleet: energy is conserved, limits hold, and no way of cutting changes a bit."""

from itertools import pairwise

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import energycore as ec
from energycore.fleet import tick
from energycore.fleet.columns import Fleet
from energycore.quantities.units import MISSING, NWH_PER_WH
from tests.fleet.homes import MINUTE_US, NOON_US, households, member, readings, run

STEPS_US = st.sampled_from([1_000_000, MINUTE_US, 15 * MINUTE_US, 1_440 * MINUTE_US])
SEEDS = st.integers(-(2**64), 2**64)


def storages(step):
    """Each storage of a step: its device columns, powers [W] and stored energy [nWh] by tick."""
    for kind, after in zip(step.kinds, step.fleet.kinds, strict=True):
        if kind.stored_nwh is None:
            continue
        stored = np.vstack([kind.stored_nwh, after.state["stored_nwh"]])
        for row in range(len(after)):
            rated = {name: column[row].item() for name, column in after.ratings.items()}
            yield after.device_id[row], rated, kind.power_w[:, row], stored[:, row].tolist()


@given(households(), st.integers(1, 20), STEPS_US, SEEDS)
def test_energy_in_is_energy_out_plus_stored_plus_lost(members, ticks, step_us, seed):
    """To 1e-9 on the state of the simulation, before anything is quantised."""
    hours = step_us / 3.6e9
    for _, rated, power_w, stored in storages(run(members, ticks, step_us=step_us, seed=seed)):
        drawn_wh, given_wh = np.maximum(-power_w, 0) * hours, np.maximum(power_w, 0) * hours
        lost_wh = drawn_wh * (1 - rated["stored_per_drawn"])
        lost_wh += given_wh * (rated["stored_per_given"] - 1)
        gained_wh = np.diff(np.array(stored)) / NWH_PER_WH
        scale = np.maximum(np.maximum(drawn_wh, given_wh), np.abs(gained_wh))
        assert (lost_wh >= 0).all()
        assert (np.abs(drawn_wh - given_wh - lost_wh - gained_wh) <= 1e-9 * scale).all()


@given(households(), st.integers(1, 20), STEPS_US, SEEDS)
def test_readings_add_up_to_the_change_of_storage_within_their_resolution(
    members, ticks, step_us, seed
):
    """1 mWh for the two stored values, and 0.5 mW times the step for each reading."""
    step = run(members, ticks, step_us=step_us, seed=seed)
    found = readings(step)
    hours = step_us / 3.6e9
    instants = [NOON_US + step_us * tick for tick in range(ticks)]
    for device, rated, _, stored in storages(step):
        gained_mwh = 0.0
        for at_us in instants:
            power_mw = found[device, at_us][0]
            efficiency = rated["stored_per_drawn" if power_mw < 0 else "stored_per_given"]
            gained_mwh -= power_mw * efficiency * hours
        # What a reading lacks of the power is stored with the efficiency of its direction.
        slack_mwh = 1 + 0.5 * hours * ticks * max(1.0, rated["stored_per_given"])
        end_mwh = round(stored[-1] / 1e6)
        assert abs(end_mwh - found[device, NOON_US][1] - gained_mwh) <= slack_mwh * (1 + 1e-9)


@given(households(), st.integers(1, 20), STEPS_US, SEEDS)
def test_charge_and_power_stay_within_their_limits(members, ticks, step_us, seed):
    devices = {each.device_id: each.device for each in members}
    step = run(members, ticks, step_us=step_us, seed=seed)
    for device_id, _, power_w, stored in storages(step):
        device = devices[device_id]
        assert all(device.lower_nwh <= nwh <= device.upper_nwh for nwh in stored)
        assert power_w.min() >= -device.max_charge_w
        assert power_w.max() <= device.max_discharge_w
    for kind in step.kinds:
        assert np.isfinite(kind.power_w).all()
        for row, device_id in enumerate(kind.columns.device_id.tolist()):
            column = kind.power_w[:, row]
            if isinstance(devices[device_id], ec.SolarPanel):
                assert column.min() >= 0.0
                assert column.max() <= 1.15 * devices[device_id].rated_power_w
            elif isinstance(devices[device_id], ec.Appliance):
                assert column.max() <= 0.0
                assert column.min() >= -devices[device_id].largest_power_w


@given(households(), st.integers(2, 24), STEPS_US, SEEDS, st.data())
def test_any_split_of_the_time_gives_the_same_bits(members, ticks, step_us, seed, data):
    whole = run(members, ticks, step_us=step_us, seed=seed)
    cuts = data.draw(st.sets(st.integers(1, ticks - 1)))
    edges = [0, *sorted(cuts), ticks]
    fleet, parts = Fleet.of(members), []
    for first, last in pairwise(edges):
        start_us = NOON_US + first * step_us
        parts.append(run(fleet, last - first, at_us=start_us, step_us=step_us, seed=seed))
        fleet = parts[-1].fleet
    assert readings(*parts) == readings(whole)
    assert fleet.device_states() == whole.fleet.device_states()


@given(households(), st.integers(1, 6), SEEDS, st.data())
def test_any_split_of_the_fleet_by_sites_gives_the_same_bits(members, ticks, seed, data):
    whole = run(members, ticks, seed=seed)
    # Devices of one site share its balance; one without a site may go anywhere.
    side = {site: data.draw(st.booleans()) for site in (0, 1, 2)}
    halves: tuple[list, list] = [], []
    for each in members:
        which = side[each.site] if each.site is not None else data.draw(st.booleans())
        halves[which].append(each)
    parts = [run(half, ticks, seed=seed) for half in halves if half]
    assert readings(*parts) == readings(whole)
    states = [part.fleet.device_states() for part in parts]
    assert {k: v for state in states for k, v in state.items()} == whole.fleet.device_states()


@given(households(), st.integers(1, 6), SEEDS, st.data())
def test_any_order_of_devices_and_sites_gives_the_same_bits(members, ticks, seed, data):
    whole = readings(run(members, ticks, seed=seed))
    shuffled = data.draw(st.permutations(members))
    assert readings(run(shuffled, ticks, seed=seed)) == whole
    # Other numbers for sites and devices change the layout of the columns, and nothing else.
    count = len(members)
    renumbered = [
        attrs.evolve(
            each,
            device_id=count - 1 - each.device_id,
            site=None if each.site is None else 10 - each.site,
        )
        for each in shuffled
    ]
    found = readings(run(renumbered, ticks, seed=seed))
    assert {(count - 1 - device, at): value for (device, at), value in found.items()} == whole


@given(households(), st.integers(1, 6), st.integers(1, 40))
def test_no_size_of_a_block_changes_a_bit(members, ticks, cells):
    whole = run(members, ticks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tick, "_BLOCK_CELLS", cells)
        parts = run(members, ticks)
    assert readings(parts) == readings(whole)
    assert parts.fleet.device_states() == whole.fleet.device_states()


@given(households(), SEEDS)
def test_a_tick_changes_neither_the_fleet_nor_its_columns(members, seed):
    fleet = Fleet.of(members)
    before = [
        {name: column.copy() for name, column in [*kind.state.items(), *kind.ratings.items()]}
        for kind in fleet.kinds
    ]
    run(fleet, seed=seed)
    for kind, kept in zip(fleet.kinds, before, strict=True):
        for name, column in [*kind.state.items(), *kind.ratings.items()]:
            assert np.array_equal(column, kept[name]), name


@given(households(), SEEDS)
def test_only_storage_has_stored_energy_in_its_readings(members, seed):
    found = readings(run(members, seed=seed))
    for each in members:
        missing = found[each.device_id, NOON_US][1] == MISSING
        assert missing != isinstance(each.device, ec.StorageDevice)


def test_another_seed_key_or_instant_gives_other_noise():
    panel = ec.SolarPanel(name="Roof", rated_power_w=5_000)

    def power(key=1, seed=7, at_us=NOON_US):
        step = run([attrs.evolve(member(0, panel), noise_key=key)], seed=seed, at_us=at_us)
        return readings(step)[0, at_us][0]

    assert power() == power()
    assert len({power(), power(key=2), power(seed=8), power(at_us=NOON_US + MINUTE_US)}) == 4


def test_a_fleet_without_devices_ticks_too():
    step = run([], 3)
    assert len(step.readings()) == 0
    assert step.fleet.device_states() == {}
