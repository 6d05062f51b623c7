"""A device that cannot be is refused with a code, the field, the value and the limit."""

import math
from decimal import Decimal

import numpy as np
import pytest

import energycore as ec
from energycore.devices.base import fields_of_kind
from energycore.devices.fields import every_fault
from energycore.errors import InvalidValue, StoredEnergyOutOfBounds, UnknownTimeZone
from energycore.quantities.units import MAX_CAPACITY_WH, MAX_POWER_W

GOOD: dict = {
    ec.SolarPanel: {"rated_power_w": 5_000},
    ec.Battery: {"capacity_wh": 13_500, "max_charge_w": 5_000, "max_discharge_w": 4_000},
    ec.ElectricVehicle: {"capacity_wh": 60_000, "max_charge_w": 11_000, "max_discharge_w": 3_700},
    ec.Appliance: {"average_power_w": 600},
}
RATINGS = [(kind, field.name) for kind in GOOD for field in fields_of_kind(kind)]


def make(kind, **changed):
    return kind(**({"name": "It"} | GOOD[kind] | changed))


@pytest.mark.parametrize(("kind", "field"), RATINGS)
@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, "5", None, True, [], 10**400, 1j, Decimal("NaN")],
    ids=repr,
)
def test_a_rating_that_is_no_finite_number_is_refused(kind, field, value):
    with pytest.raises(InvalidValue) as refusal:
        make(kind, **{field: value})
    assert refusal.value.code == "INVALID_VALUE"
    assert refusal.value.field == field
    assert refusal.value.limit == "a finite number"
    shown = refusal.value.value
    assert shown is value or str(shown).lower() == str(value).lower()


@pytest.mark.parametrize(("kind", "field"), RATINGS)
def test_a_negative_rating_is_refused(kind, field):
    with pytest.raises(InvalidValue) as refusal:
        make(kind, **{field: -1.0})
    assert refusal.value.field == field
    assert refusal.value.value == -1.0
    assert "at most" in refusal.value.limit


@pytest.mark.parametrize(
    ("kind", "field"),
    [each for each in RATINGS if each[1].endswith(("_w", "_wh"))],
)
def test_a_power_or_capacity_of_zero_or_beyond_the_limit_is_refused(kind, field):
    limit = MAX_CAPACITY_WH if field.endswith("_wh") else MAX_POWER_W
    for value in (0, -0.0, math.nextafter(limit, math.inf)):
        with pytest.raises(InvalidValue, match=f"{field} must be above 0 and at most"):
            make(kind, **{field: value})


@pytest.mark.parametrize(
    ("kind", "field", "value", "limit"),
    [
        (ec.Battery, "charge_efficiency", 0.29, "at least 0.3 and at most 1"),
        (ec.Battery, "discharge_efficiency", 1.01, "at least 0.3 and at most 1"),
        (ec.ElectricVehicle, "min_state_of_charge", 1.1, "at least 0 and at most 1"),
        (ec.Appliance, "duty_cycle", 0.0, "at least 0.001 and at most 1"),
        (ec.Appliance, "mean_on_time_s", 0.5, "at least 1 and at most 86,400 s"),
    ],
)
def test_each_limit_is_named_as_it_is(kind, field, value, limit):
    with pytest.raises(InvalidValue) as refusal:
        make(kind, **{field: value})
    assert (refusal.value.field, refusal.value.value) == (field, value)
    assert refusal.value.limit == limit


def test_bounds_of_charge_that_leave_no_room_are_refused():
    with pytest.raises(InvalidValue, match=r"max_state_of_charge must be above min_.* \(0.5\)"):
        make(ec.Battery, min_state_of_charge=0.5, max_state_of_charge=0.5)


def test_an_appliance_that_would_run_beyond_the_largest_power_is_refused():
    with pytest.raises(InvalidValue) as refusal:
        make(ec.Appliance, average_power_w=MAX_POWER_W, duty_cycle=0.5)
    assert refusal.value.field == "duty_cycle"


@pytest.mark.parametrize("name", ["", " ", " Roof", "Roof ", "a\nb", "x" * 201, None, 5, "\x00"])
def test_a_name_that_nobody_could_read_is_refused(name):
    for refused in (lambda: make(ec.SolarPanel, name=name), lambda: ec.Site(name=name)):
        with pytest.raises(InvalidValue) as refusal:
            refused()
        assert refusal.value.field == "name"
        assert refusal.value.value == name
        assert refusal.value.limit == "1 to 200 printable characters without blanks around them"


@pytest.mark.parametrize("key", [-1, 2**64, 1.0, "7"])
def test_a_noise_key_that_is_no_64_bit_number_is_refused(key):
    with pytest.raises(InvalidValue, match="noise_key"):
        make(ec.SolarPanel, noise_key=key)


@pytest.mark.parametrize("zone", ["", "Europe/Berlim", "../UTC", None, 5])
def test_a_site_in_an_unknown_time_zone_is_refused(zone):
    with pytest.raises(UnknownTimeZone) as refusal:
        ec.Site(name="Home", time_zone=zone)
    assert refusal.value.code == "UNKNOWN_TIME_ZONE"
    assert refusal.value.field == "time_zone"
    assert refusal.value.value == zone


@pytest.mark.parametrize(
    ("place", "field"),
    [
        ({"latitude": 90.1, "longitude": 0}, "latitude"),
        ({"latitude": 0, "longitude": -180.1}, "longitude"),
        ({"latitude": math.nan, "longitude": 0}, "latitude"),
        ({"latitude": 52.5}, "longitude"),
        ({"longitude": 13.4}, "latitude"),
    ],
)
def test_a_site_is_on_earth_and_has_both_coordinates_or_none(place, field):
    with pytest.raises(InvalidValue) as refusal:
        ec.Site(name="Home", **place)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    "number", [5_000, 5_000.0, np.float32(5_000), np.int64(5_000), Decimal(5000)]
)
def test_numbers_of_any_package_become_floats(number):
    panel = make(ec.SolarPanel, rated_power_w=number)
    assert type(panel.rated_power_w) is float
    assert panel == make(ec.SolarPanel, rated_power_w=5_000)


class TestTheInitialStateOfAStorage:
    battery = make(ec.Battery, capacity_wh=10_000, min_state_of_charge=0.1, max_state_of_charge=0.9)

    def test_is_half_full_and_idle_unless_given(self):
        state = ec.StorageState()
        assert state.stored_nwh(self.battery) == 5_000 * 10**9
        assert state.setpoint_w(self.battery) == 0.0

    def test_is_within_its_bounds_when_half_of_the_capacity_is_not(self):
        full = make(ec.Battery, min_state_of_charge=0.7)
        assert ec.StorageState().stored_nwh(full) == full.lower_nwh

    @pytest.mark.parametrize("stored_wh", [10_001.0, 9_000.001, 999.999, -1.0])
    def test_refuses_a_charge_above_capacity_or_outside_its_bounds(self, stored_wh):
        with pytest.raises(StoredEnergyOutOfBounds) as refusal:
            ec.StorageState(stored_wh=stored_wh).stored_nwh(self.battery)
        assert refusal.value.code == "STORED_ENERGY_OUT_OF_BOUNDS"
        assert refusal.value.field == "stored_wh"
        assert refusal.value.value == stored_wh
        assert refusal.value.limit == "at least 1000 and at most 9000 Wh"

    def test_takes_back_what_a_reading_shows_of_a_full_storage(self):
        odd = make(ec.Battery, capacity_wh=1_000.000_6, max_state_of_charge=0.9)
        shown_wh = round(odd.upper_nwh / 1e6) / 1e3
        assert ec.StorageState(stored_wh=shown_wh).stored_nwh(odd) <= odd.upper_nwh

    @pytest.mark.parametrize("value", [math.nan, math.inf, "1", True])
    def test_refuses_what_is_no_finite_number(self, value):
        with pytest.raises(InvalidValue, match="stored_wh must be a finite number"):
            ec.StorageState(stored_wh=value).stored_nwh(self.battery)
        with pytest.raises(InvalidValue, match="power_w must be a finite number"):
            ec.StorageState(mode=ec.StorageMode.CHARGING, power_w=value).setpoint_w(self.battery)

    @pytest.mark.parametrize(
        ("mode", "power_w", "setpoint_w"),
        [
            (ec.StorageMode.CHARGING, None, -5_000.0),
            (ec.StorageMode.CHARGING, 1_200, -1_200.0),
            (ec.StorageMode.DISCHARGING, None, 4_000.0),
            (ec.StorageMode.IDLE, None, 0.0),
        ],
    )
    def test_turns_a_command_into_signed_power(self, mode, power_w, setpoint_w):
        assert ec.StorageState(mode=mode, power_w=power_w).setpoint_w(self.battery) == setpoint_w

    @pytest.mark.parametrize(
        ("mode", "power_w", "limit"),
        [
            (ec.StorageMode.CHARGING, 5_001, "at least 0.001 and at most 5000 W"),
            (ec.StorageMode.DISCHARGING, 4_001, "at least 0.001 and at most 4000 W"),
            (ec.StorageMode.CHARGING, 0, "at least 0.001 and at most 5000 W"),
            (ec.StorageMode.DISCHARGING, -1, "at least 0.001 and at most 4000 W"),
            (ec.StorageMode.IDLE, 1, "absent when the mode is IDLE"),
        ],
    )
    def test_refuses_a_power_beyond_the_limit(self, mode, power_w, limit):
        with pytest.raises(InvalidValue) as refusal:
            ec.StorageState(mode=mode, power_w=power_w).setpoint_w(self.battery)
        assert (refusal.value.field, refusal.value.limit) == ("power_w", limit)


@pytest.mark.parametrize(("kind", "field"), RATINGS)
def test_the_faults_of_good_fields_are_none_and_of_one_wrong_field_are_it(kind, field):
    given = {"name": "It", **GOOD[kind]}
    assert every_fault(kind, given) == ()
    (fault,) = every_fault(kind, {**given, field: math.nan})
    with pytest.raises(InvalidValue) as refusal:
        make(kind, **{field: math.nan})
    assert str(fault) == str(refusal.value)


def test_every_fault_is_found_and_none_that_only_follows_from_another():
    given = {**GOOD[ec.Battery], "name": "", "capacity_wh": 0, "min_state_of_charge": 2}
    found = [fault.field for fault in every_fault(ec.Battery, given)]
    assert found == ["name", "capacity_wh", "min_state_of_charge"]
    crossed = {**GOOD[ec.Battery], "name": "x", "min_state_of_charge": 0.5}
    faults = every_fault(ec.Battery, {**crossed, "max_state_of_charge": 0.5})
    assert [fault.field for fault in faults] == ["max_state_of_charge"]
    one_coordinate = {"name": "", "time_zone": "Mars", "latitude": 1.0}
    faults = every_fault(ec.Site, one_coordinate)
    assert [fault.field for fault in faults] == ["name", "time_zone", "longitude"]
