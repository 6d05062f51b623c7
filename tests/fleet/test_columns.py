"""A fleet's columns: ordered by site, one set for each kind, and back to plain numbers."""

from fractions import Fraction

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import energycore as ec
from energycore.fleet.columns import Fleet
from energycore.fleet.tick import nwh_to_mwh
from tests.fleet.homes import ZONES, battery, member, run


def test_devices_stand_by_kind_then_by_site_and_those_without_one_come_last():
    members = [
        member(1, battery("a"), site=None),
        member(2, battery("b"), site=70, zone=ZONES[1]),
        member(3, ec.SolarPanel(name="c", rated_power_w=1.0), site=5, zone=ZONES[2]),
        member(4, battery("d"), site=5, zone=ZONES[2]),
    ]
    fleet = Fleet.of(members)
    assert [columns.kind.kind for columns in fleet.kinds] == ["battery", "solar_panel"]
    assert fleet.kinds[0].device_id.tolist() == [4, 2, 1]
    assert fleet.kinds[0].site_index.tolist() == [0, 1, 2]
    assert fleet.site_count == 2
    assert len(fleet) == 4
    zones = [fleet.zones[index].key for index in fleet.kinds[0].zone_index]
    assert zones == ["Asia/Kathmandu", "America/New_York", "Europe/Berlin"]


def test_a_state_that_is_not_given_begins_as_its_kind_says():
    fleet = Fleet.of([member(1, ec.Appliance(name="a", average_power_w=1.0))])
    assert fleet.device_states() == {1: {"is_on": -1}}
    assert run(fleet).fleet.device_states()[1]["is_on"] in (0, 1)


def test_states_are_plain_numbers_by_device():
    state = Fleet.of([member(9, battery(), setpoint_w=-100.0)]).device_states()[9]
    assert state == {"stored_nwh": 5_000 * 10**9, "setpoint_w": -100.0, "mode": -1}
    assert [type(value) for value in state.values()] == [int, float, int]


def test_a_storage_that_is_given_no_strategy_is_steered_by_hand():
    bare = attrs.evolve(member(1, battery()), dispatch=None)
    assert Fleet.of([bare]).kinds[0].dispatches == (ec.Manual(),)


@given(st.lists(st.integers(-(10**18), 10**18)))
def test_stored_energy_is_rounded_in_whole_numbers_with_halves_to_even(stored):
    found = nwh_to_mwh(np.array(stored, dtype=np.int64)).tolist()
    assert found == [round(Fraction(nwh, 1_000_000)) for nwh in stored]


@pytest.mark.parametrize(
    ("nwh", "mwh"), [(500_000, 0), (1_500_000, 2), (2_500_000, 2), (2_500_001, 3)]
)
def test_half_a_milliwatt_hour_goes_to_the_even_one(nwh, mwh):
    assert nwh_to_mwh(np.array([nwh], dtype=np.int64)).tolist() == [mwh]
