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
    from energycore.notebook.history import History
    from energycore.notebook.run import Run
    from energycore.notebook.simulation import simulate
    from energycore.protocols.records import (
        DeviceFilter,
        DeviceOrder,
        DeviceOrderField,
        PageRequest,
    )
    from energycore.protocols.scope import Scope
    from energycore.quantities.signs import SignConvention
    from energycore.services.ingestion import NewReading
    from energycore.simulation.dispatch import Manual, SelfConsumption
    from energycore.telemetry.calendar import Interval
    from energycore.telemetry.counters import CounterDirection, EnergyCounter, power_from_counter
    from energycore.telemetry.readings import ReadingBatch
    from energycore.telemetry.series import GapPolicy
    from energycore.telemetry.tiers import Retention
    from energycore.wiring.connect import connect
    from energycore.wiring.energy import Energy

_HOMES = {
    "Appliance": "devices.kinds.appliance",
    "Battery": "devices.kinds.battery",
    "CounterDirection": "telemetry.counters",
    "DataSource": "devices.base",
    "Device": "devices.base",
    "DeviceFilter": "protocols.records",
    "DeviceOrder": "protocols.records",
    "DeviceOrderField": "protocols.records",
    "ElectricVehicle": "devices.kinds.electric_vehicle",
    "Energy": "wiring.energy",
    "EnergyCounter": "telemetry.counters",
    "EnergySummary": "fleet.summary",
    "EnergycoreError": "errors",
    "Fleet": "fleet.columns",
    "GapPolicy": "telemetry.series",
    "History": "notebook.history",
    "Home": "encoding.home",
    "Interval": "telemetry.calendar",
    "Manual": "simulation.dispatch",
    "Member": "fleet.columns",
    "NewReading": "services.ingestion",
    "PageRequest": "protocols.records",
    "ReadingBatch": "telemetry.readings",
    "Retention": "telemetry.tiers",
    "Role": "devices.base",
    "Run": "notebook.run",
    "Scope": "protocols.scope",
    "SelfConsumption": "simulation.dispatch",
    "SignConvention": "quantities.signs",
    "Site": "devices.site",
    "SolarPanel": "devices.kinds.solar_panel",
    "StorageDevice": "devices.storage_device",
    "StorageMode": "devices.base",
    "StorageState": "devices.storage_device",
    "connect": "wiring.connect",
    "device_kinds": "devices.registry",
    "load_home": "encoding.home",
    "power_from_counter": "telemetry.counters",
    "simulate": "notebook.simulation",
}

__all__ = [
    "Appliance",
    "Battery",
    "CounterDirection",
    "DataSource",
    "Device",
    "DeviceFilter",
    "DeviceOrder",
    "DeviceOrderField",
    "ElectricVehicle",
    "Energy",
    "EnergyCounter",
    "EnergySummary",
    "EnergycoreError",
    "Fleet",
    "GapPolicy",
    "History",
    "Home",
    "Interval",
    "Manual",
    "Member",
    "NewReading",
    "PageRequest",
    "ReadingBatch",
    "Retention",
    "Role",
    "Run",
    "Scope",
    "SelfConsumption",
    "SignConvention",
    "Site",
    "SolarPanel",
    "StorageDevice",
    "StorageMode",
    "StorageState",
    "connect",
    "device_kinds",
    "load_home",
    "power_from_counter",
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
