"""Declarations of device kinds are checked once, and each fault names the package it is in."""

from importlib import metadata
from typing import ClassVar

import attrs
import pytest

import energycore as ec
from energycore.devices import registry
from energycore.devices.base import Device
from energycore.devices.registry import collect
from energycore.devices.storage_device import StorageDevice
from energycore.errors import DeviceKindConflict
from energycore.simulation.solar import SolarDay


@attrs.frozen(kw_only=True)
class Mill(Device):
    """A usable declaration, from which the faulty ones derive."""

    kind: ClassVar[str] = "water_mill"
    role: ClassVar[ec.Role] = ec.Role.SOURCE
    behaviour: ClassVar[SolarDay] = SolarDay()

    @property
    def largest_power_w(self) -> float:
        return 1.0


def declared(name="Faulty", bases=(Mill,), **members):
    return attrs.frozen(kw_only=True)(type(name, bases, members))


def test_a_usable_declaration_is_listed_beside_the_others():
    kinds = collect([("mills", Mill), ("energycore", ec.Battery)])
    assert dict(kinds) == {"battery": ec.Battery, "water_mill": Mill}
    assert list(kinds) == ["battery", "water_mill"]


def test_a_name_that_is_declared_twice_names_both_packages():
    with pytest.raises(DeviceKindConflict) as refusal:
        collect([("mills", Mill), ("more-mills", declared())])
    assert "'water_mill' is declared by both mills and more-mills" in str(refusal.value)
    assert refusal.value.code == "DEVICE_KIND_CONFLICT"


class NotDecorated(Mill):
    """A plain subclass: attrs never saw it."""


class WithoutLargestPower(Device):
    kind = "water_mill"
    role = ec.Role.SOURCE
    behaviour = SolarDay()


FAULTY = {
    "text": ("is no Device class", "a text"),
    "another class": ("is no Device class", dict),
    "plain subclass": ("is no Device class", NotDecorated),
    "camel case": ("must be a name in lower_snake_case", declared(kind="WaterMill")),
    "empty": ("must be a name in lower_snake_case", declared(kind="")),
    "double underscore": ("must be a name in lower_snake_case", declared(kind="water__mill")),
    "number": ("must be a name in lower_snake_case", declared(kind=7)),
    "nameless": ("must be a name in lower_snake_case", declared(bases=(Device,))),
    "bare": ("lacks role, behaviour, largest_power_w", declared(bases=(Device,), kind="bare")),
    "weak": ("lacks largest_power_w", attrs.frozen(kw_only=True)(WithoutLargestPower)),
    "storage by role": ("if and only if", declared(role=ec.Role.STORAGE)),
    "storage by class": (
        "if and only if",
        declared(bases=(StorageDevice,), kind="tank", role=ec.Role.LOAD),
    ),
}


@pytest.mark.parametrize("name", FAULTY)
def test_an_unusable_declaration_names_its_package_and_its_fault(name):
    fault, thing = FAULTY[name]
    with pytest.raises(DeviceKindConflict, match="mills") as refusal:
        collect([("mills", thing)])
    assert fault in str(refusal.value)


def test_a_plugin_that_cannot_be_loaded_is_named(monkeypatch):
    broken = metadata.EntryPoint(
        "mill", "energycore_no_such_module:Mill", "energycore.device_kinds"
    )
    monkeypatch.setattr(metadata, "entry_points", lambda group: [broken])
    with pytest.raises(DeviceKindConflict, match="energycore_no_such_module:Mill, which cannot"):
        registry.device_kinds.__wrapped__()
