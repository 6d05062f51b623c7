"""The page of the Python names: every public one with its signature and what it says of itself."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import attrs

import energycore
from energycore.services.control import Control
from energycore.services.histories import Histories
from energycore.services.ingestion import Ingestion
from energycore.services.insight import Insight
from energycore.services.registration import Registration
from energycore.services.ticking import Ticking
from energycore.services.upkeep import Upkeep
from tools.reference_pages.markdown import NOTE
from tools.reference_pages.names import entry

__all__ = ["page"]


@attrs.frozen
class Group:
    """A part of the page: names of `energycore`, or `module:name` where one lives deeper."""

    title: str
    about: str
    names: tuple[str, ...]


GROUPS = (
    Group(
        "Sites and devices",
        "Values that describe a home. [Device kinds](devices.md) has the unit and meaning of each "
        "field.",
        (
            "Site",
            "SolarPanel",
            "Battery",
            "ElectricVehicle",
            "Appliance",
            "StorageState",
            "StorageMode",
            "DataSource",
            "Role",
            "Device",
            "StorageDevice",
            "device_kinds",
        ),
    ),
    Group("What steers a storage", "Given as `dispatch=`.", ("Manual", "SelfConsumption")),
    Group(
        "Simulate a home",
        "Nothing is stored; see the [tutorial](../tutorial/index.md).",
        (
            "simulate",
            "Run",
            "energycore.notebook.run:RunSummary",
            "energycore.notebook.run:DeviceTotals",
            "energycore.notebook.run:FinalState",
        ),
    ),
    Group(
        "Home files",
        "[Home files](home-file.md) has every key.",
        ("load_home", "Home", "energycore.encoding.home:HomeDevice"),
    ),
    Group("Databases", "", ("connect", "Energy", "Scope")),
    Group(
        "Filters and pages",
        "What `Energy.devices` and `Energy.summary` take, and what they answer.",
        (
            "DeviceFilter",
            "DeviceOrder",
            "DeviceOrderField",
            "PageRequest",
            "energycore.protocols.records:Cursor",
            "energycore.protocols.records:Page",
            "energycore.protocols.records:SiteRecord",
            "energycore.protocols.records:DeviceRecord",
        ),
    ),
    Group(
        "Ticks, readings and totals",
        "",
        (
            "energycore.services.ticking:TickResult",
            "NewReading",
            "energycore.services.ingestion:RecordResult",
            "energycore.services.ingestion:Rejection",
            "ReadingBatch",
            "energycore.services.insight:ObservedState",
            "EnergySummary",
            "energycore.fleet.summary:StorageTotals",
        ),
    ),
    Group(
        "Histories",
        "What `Energy.history` and `Run.history` answer, and what is kept for how long. [What a "
        "history says](../explanation/histories.md) has the equations.",
        (
            "History",
            "Interval",
            "GapPolicy",
            "Retention",
            "energycore.telemetry.history:EnergyBucket",
            "energycore.services.upkeep:UpkeepReport",
        ),
    ),
    Group(
        "Counters and signs",
        "For sources that count energy, or count the other way round; see the [how-to]"
        "(../how-to/use-energy-counters.md).",
        (
            "power_from_counter",
            "EnergyCounter",
            "CounterDirection",
            "energycore.telemetry.counters:CounterPower",
            "energycore.telemetry.counters:CounterEvent",
            "SignConvention",
        ),
    ),
    Group(
        "Fleets",
        "Devices as columns, for who writes a behaviour or a storage backend.",
        ("Fleet", "Member"),
    ),
    Group("Errors", "[Errors](errors.md) has every class and code.", ("EnergycoreError",)),
    Group(
        "Beside the top",
        "Imported from the module that is named. There is more for [FastAPI](fastapi.md) and "
        "[Django](django.md).",
        (
            "energycore.jobs.ticks:run_ticks",
            "energycore.jobs.ticks:run_ticks_of",
            "energycore.jobs.rounds:Tenancy",
            "energycore.testing:StorageContract",
        ),
    ),
)

SERVICES = (Registration, Control, Ticking, Ingestion, Insight, Histories, Upkeep)
SERVICE_NAMES = {"register": "register_device", "update": "update_device", "devices": "find"}

PAGE = """# Python names

{note}

The names of `import energycore as ec`, and the values that their methods take and return. Arguments
behind `*` are given by name. Every array is of numpy; (k, n) means k ticks of n devices.

{contents}

{groups}
"""


def page() -> str:
    """The whole page.

    Raises:
        ValueError: a public name stands in no group, or a group names one that is not public.
    """
    grouped = {name for group in GROUPS for name in group.names if ":" not in name}
    if differing := grouped ^ set(energycore.__all__):
        raise ValueError(f"GROUPS and energycore.__all__ differ: {sorted(differing)}")
    contents = "\n".join(f"- {group.title}: {_links(group)}" for group in GROUPS)
    groups = "\n\n".join(map(_group, GROUPS))
    return PAGE.format(note=NOTE, contents=contents, groups=groups)


def _links(group: Group) -> str:
    names = (path.rpartition(":")[2] for path in group.names)
    return ", ".join(f"[{name}](#{name.lower()})" for name in names)


def _group(group: Group) -> str:
    return "\n\n".join([f"## {group.title}", *_parts(group)])


def _parts(group: Group) -> Iterator[str]:
    if group.about:
        yield group.about
    for path in group.names:
        module, _, name = path.rpartition(":")
        thing = getattr(import_module(module or "energycore"), name)
        yield entry(thing, name, module, _behind if thing is energycore.Energy else lambda _: None)


def _behind(method: str) -> Callable[..., Any] | None:
    """The method of a service that a method of `Energy` calls."""
    found = (getattr(service, SERVICE_NAMES.get(method, method), None) for service in SERVICES)
    return next((working for working in found if working is not None), None)
