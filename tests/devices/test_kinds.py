"""The kinds that ship: what each is, and the largest power that it may have."""

import attrs
import pytest

import energycore as ec
from energycore.devices.registry import device_kind, device_kinds
from energycore.errors import UnknownDeviceKind
from energycore.quantities.units import Unit


def test_four_kinds_ship_and_are_found_by_name():
    own = {"appliance", "battery", "electric_vehicle", "solar_panel"}
    assert own <= set(device_kinds())
    assert list(device_kinds()) == sorted(device_kinds())
    assert device_kind("battery") is ec.Battery


def test_an_unknown_kind_is_refused_with_those_that_there_are():
    with pytest.raises(UnknownDeviceKind, match="one of appliance, battery") as refusal:
        device_kind("toaster")
    assert (refusal.value.field, refusal.value.value) == ("kind", "toaster")


@pytest.mark.parametrize("kind", device_kinds().values(), ids=lambda kind: kind.kind)
def test_a_kind_is_frozen_and_each_rating_has_a_unit_and_a_sentence(kind):
    for field in attrs.fields(kind):
        assert field.kw_only
        assert field.metadata["energycore.about"].endswith(".")
        if field.name not in ("name", "noise_key"):
            assert any(isinstance(part, Unit) for part in field.type.__metadata__), field.name


def test_a_device_never_changes():
    roof = ec.SolarPanel(name="Roof", rated_power_w=5_000)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        roof.rated_power_w = 1.0  # type: ignore[misc] # what is proven


@pytest.mark.parametrize(
    ("device", "largest_power_w", "role"),
    [
        (ec.SolarPanel(name="x", rated_power_w=5_000), 5_000.0, ec.Role.SOURCE),
        (ec.Appliance(name="x", average_power_w=600), 1_500.0, ec.Role.LOAD),
        (
            ec.Battery(name="x", capacity_wh=10_000, max_charge_w=5_000, max_discharge_w=4_000),
            5_000.0,
            ec.Role.STORAGE,
        ),
        (
            ec.ElectricVehicle(name="x", capacity_wh=1, max_charge_w=3_000, max_discharge_w=9_000),
            9_000.0,
            ec.Role.STORAGE,
        ),
    ],
)
def test_each_kind_has_its_role_and_its_largest_power(device, largest_power_w, role):
    assert device.largest_power_w == largest_power_w
    assert device.role is role


def test_only_meters_are_left_out_of_totals():
    assert [role for role in ec.Role if not role.is_counted] == [ec.Role.METER]
