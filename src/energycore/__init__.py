"""Home and distributed energy: devices, exact telemetry and simulation, for one home or a fleet.

    >>> import energycore as ec
    >>> home = ec.Site(name="Home", time_zone="Europe/Berlin")
    >>> run = ec.simulate(
    ...     [ec.SolarPanel(name="Roof", rated_power_w=5_000)], site=home, start="2026-06-01", days=1
    ... )
    >>> round(run.summary().produced_wh / 1_000)
    46

Names load their modules when they are first used, so that `import energycore` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from energycore.devices.base import DataSource, Device, Role, StorageMode
    from energycore.devices.kinds.appliance import Appliance
    from energycore.devices.kinds.battery import Battery
    from energycore.devices.kinds.electric_vehicle import ElectricVehicle
    from energycore.devices.kinds.solar_panel import SolarPanel
    from energycore.devices.registry import device_kinds
    from energycore.devices.site import Site
    from energycore.devices.storage_device import StorageDevice, StorageState
    from energycore.encoding.home import Home, load_home
    from energycore.errors import EnergycoreError
    from energycore.fleet.columns import Fleet, Member
    from energycore.fleet.summary import EnergySummary
    from energycore.notebook.run import Run
    from energycore.notebook.simulation import simulate
    from energycore.protocols.records import (
        DeviceFilter,
        DeviceOrder,
        DeviceOrderField,
        PageRequest,
    )
    from energycore.protocols.scope import Scope
    from energycore.services.ingestion import NewReading
    from energycore.simulation.dispatch import Manual, SelfConsumption
    from energycore.telemetry.readings import ReadingBatch
    from energycore.wiring.connect import connect
    from energycore.wiring.energy import Energy

_HOMES = {
    "Appliance": "devices.kinds.appliance",
    "Battery": "devices.kinds.battery",
    "DataSource": "devices.base",
    "Device": "devices.base",
    "DeviceFilter": "protocols.records",
    "DeviceOrder": "protocols.records",
    "DeviceOrderField": "protocols.records",
    "ElectricVehicle": "devices.kinds.electric_vehicle",
    "Energy": "wiring.energy",
    "EnergySummary": "fleet.summary",
    "EnergycoreError": "errors",
    "Fleet": "fleet.columns",
    "Home": "encoding.home",
    "Manual": "simulation.dispatch",
    "Member": "fleet.columns",
    "NewReading": "services.ingestion",
    "PageRequest": "protocols.records",
    "ReadingBatch": "telemetry.readings",
    "Role": "devices.base",
    "Run": "notebook.run",
    "Scope": "protocols.scope",
    "SelfConsumption": "simulation.dispatch",
    "Site": "devices.site",
    "SolarPanel": "devices.kinds.solar_panel",
    "StorageDevice": "devices.storage_device",
    "StorageMode": "devices.base",
    "StorageState": "devices.storage_device",
    "connect": "wiring.connect",
    "device_kinds": "devices.registry",
    "load_home": "encoding.home",
    "simulate": "notebook.simulation",
}

__all__ = [
    "Appliance",
    "Battery",
    "DataSource",
    "Device",
    "DeviceFilter",
    "DeviceOrder",
    "DeviceOrderField",
    "ElectricVehicle",
    "Energy",
    "EnergySummary",
    "EnergycoreError",
    "Fleet",
    "Home",
    "Manual",
    "Member",
    "NewReading",
    "PageRequest",
    "ReadingBatch",
    "Role",
    "Run",
    "Scope",
    "SelfConsumption",
    "Site",
    "SolarPanel",
    "StorageDevice",
    "StorageMode",
    "StorageState",
    "connect",
    "device_kinds",
    "load_home",
    "simulate",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version(__name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
