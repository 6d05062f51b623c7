"""Homes and fleets for the laws: any devices, in any zone, steered in any way."""

from collections.abc import Mapping
from typing import ClassVar
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from hypothesis import strategies as st

import energycore as ec
from energycore.devices.base import Device
from energycore.fleet.columns import Fleet, Member
from energycore.fleet.tick import step_fleet
from energycore.simulation.behaviour import (
    Behaviour,
    Columns,
    Conditions,
    StateColumn,
    Step,
    Window,
)

__all__ = [
    "MINUTE_US",
    "NOON_US",
    "FixedMeter",
    "battery",
    "households",
    "load",
    "member",
    "readings",
    "run",
    "source",
]

MINUTE_US = 60_000_000
NOON_US = 1_780_315_200_000_000
"""2026-06-01 12:00 UTC."""
ZONES = tuple(ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Asia/Kathmandu"))


@attrs.frozen
class Fixed:
    """Always the same power, so that a balance can be worked out by hand."""

    @property
    def state_columns(self) -> Mapping[str, StateColumn]:
        return {}

    def prepare(self, ratings: Columns) -> Columns:
        return ratings

    def step(self, ratings: Columns, state: Columns, conditions: Conditions) -> Step:
        ticks = len(conditions.window.at_us)
        return Step(power_w=np.tile(ratings["power_w"], (ticks, 1)), state={})


@attrs.frozen(kw_only=True)
class FixedMeter(Device):
    kind: ClassVar[str] = "fixed_meter"
    role: ClassVar[ec.Role] = ec.Role.METER
    behaviour: ClassVar[Behaviour] = Fixed()
    power_w: float


@attrs.frozen(kw_only=True)
class FixedSource(FixedMeter):
    kind: ClassVar[str] = "fixed_source"
    role: ClassVar[ec.Role] = ec.Role.SOURCE


@attrs.frozen(kw_only=True)
class FixedLoad(FixedMeter):
    kind: ClassVar[str] = "fixed_load"
    role: ClassVar[ec.Role] = ec.Role.LOAD


def source(power_w, name="source"):
    return FixedSource(name=name, power_w=power_w)


def load(power_w, name="load"):
    return FixedLoad(name=name, power_w=-power_w)


def battery(name="battery", kind=ec.Battery, **ratings):
    """10 kWh and 5 kW without losses, unless told otherwise."""
    lossless = {"charge_efficiency": 1.0, "discharge_efficiency": 1.0}
    sizes = {"capacity_wh": 10_000, "max_charge_w": 5_000, "max_discharge_w": 5_000}
    return kind(name=name, **(lossless | sizes | ratings))


def member(device_id, device, *, site=0, zone=ZONES[0], charge=0.5, setpoint_w=0.0, dispatch=None):
    """A device on its way into a fleet; `charge` is its share of the way between its bounds."""
    state = {}
    if isinstance(device, ec.StorageDevice):
        stored_nwh = device.lower_nwh + round(charge * (device.upper_nwh - device.lower_nwh))
        state = {
            "stored_nwh": min(stored_nwh, device.upper_nwh),
            "setpoint_w": setpoint_w,
            "mode": int(np.sign(setpoint_w)),
        }
        dispatch = dispatch or ec.Manual()
    return Member(
        device_id=device_id,
        device=device,
        noise_key=device_id if device.noise_key is None else device.noise_key,
        site=site,
        zone=zone,
        state=state,
        dispatch=dispatch,
    )


POWERS = st.floats(100.0, 11_000.0)
EFFICIENCIES = st.floats(0.3, 1.0)
STORAGE = {
    "capacity_wh": st.floats(50.0, 20_000.0),
    "max_charge_w": POWERS,
    "max_discharge_w": POWERS,
    "charge_efficiency": EFFICIENCIES,
    "discharge_efficiency": EFFICIENCIES,
    "min_state_of_charge": st.floats(0.0, 0.4),
    "max_state_of_charge": st.floats(0.6, 1.0),
}
DEVICES: dict[type[Device], dict] = {
    ec.SolarPanel: {"rated_power_w": POWERS},
    ec.Appliance: {
        "average_power_w": POWERS,
        "duty_cycle": st.floats(0.05, 1.0),
        "mean_on_time_s": st.floats(30.0, 7_200.0),
    },
    ec.Battery: STORAGE,
    ec.ElectricVehicle: STORAGE,
}
DISPATCHES = st.one_of(
    st.just(ec.Manual()),
    st.integers(-1, 1).map(lambda priority: ec.SelfConsumption(priority=priority)),
)


@st.composite
def households(draw, max_devices=12):
    """Members of a few sites in several zones, some of them of no site."""
    members = []
    for device_id in range(draw(st.integers(1, max_devices))):
        kind = draw(st.sampled_from(sorted(DEVICES, key=lambda kind: kind.kind)))
        ratings = {name: draw(values) for name, values in DEVICES[kind].items()}
        # Few keys, so that two devices of a site may share one.
        key = draw(st.one_of(st.integers(0, 3), st.integers(0, 2**64 - 1)))
        device = kind(name=f"device {device_id}", noise_key=key, **ratings)
        site = draw(st.sampled_from([None, 0, 1, 2]))
        steered = {}
        if isinstance(device, ec.StorageDevice):
            steered["charge"] = draw(st.floats(0.0, 1.0))
            steered["dispatch"] = draw(DISPATCHES)
            if steered["dispatch"] == ec.Manual():
                limits = -device.max_charge_w, device.max_discharge_w
                steered["setpoint_w"] = draw(st.sampled_from([0.0, *limits, 0.4 * limits[0]]))
        members.append(member(device_id, device, site=site, zone=ZONES[site or 0], **steered))
    return members


def run(fleet, ticks=1, *, at_us=NOON_US, step_us=MINUTE_US, seed=7):
    """Move members or a fleet through ticks in one window."""
    columns = fleet if isinstance(fleet, Fleet) else Fleet.of(fleet)
    instants = at_us + step_us * np.arange(ticks, dtype=np.int64)
    return step_fleet(columns, Window(instants, step_us, seed, columns.zones))


def readings(*steps):
    """Each reading of these steps by device and instant: power [mW] and energy stored [mWh]."""
    found = {}
    for step in steps:
        batch = step.readings()
        columns = (batch.device_id, batch.at_us, batch.power_mw, batch.stored_mwh)
        for device, at_us, power_mw, stored_mwh in zip(*(c.tolist() for c in columns), strict=True):
            assert (device, at_us) not in found
            found[device, at_us] = power_mw, stored_mwh
    return found
