"""What a user of the pool pump does, in an interpreter that has it installed; prints JSON.

Nothing here or in energycore names the plugin's module: it is there because it is installed.
"""

import json
import sys
from datetime import datetime
from typing import Any

import numpy as np
from graphql import GraphQLInputObjectType, GraphQLObjectType

import energycore as ec
from energycore.devices.registry import device_kinds
from energycore.fleet.columns import Fleet, Member
from energycore.fleet.tick import step_fleet
from energycore.graphql import GraphQLContext, HttpRequest, build_engine
from energycore.simulation.behaviour import Window

NOON = datetime.fromisoformat("2026-06-01T12:00:00+00:00")
SITE = ec.Site(name="Home", time_zone="Europe/Berlin")

REGISTER = """
  mutation ($spec: DeviceSpecInput!) {
    registerDevice(input: {name: "Pump", spec: $spec}) {
      device { __typename kind ... on PoolPump { runningPowerW startHour runHours } }
      userErrors { code message path }
    }
  }
"""
LIST = """
  query ($filter: DeviceFilter) {
    devices(filter: $filter) { nodes { name kind state { powerW storedWh mode } } totalCount }
    energySummary(filter: $filter) { consumptionW netPowerW loadW deviceCount silentCount }
  }
"""


class AtNoon:
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOON


def new_pump(**ratings: float) -> ec.Device:
    kind: Any = device_kinds()["pool_pump"]
    device: ec.Device = kind(name="Pump", **ratings)
    return device


def simulated() -> dict[str, Any]:
    pump = new_pump(running_power_w=800)
    run = ec.simulate([pump], site=SITE, start="2026-03-29", end="2026-03-30", step="1h")
    return {
        "hours": [at.astimezone(SITE.zone).hour for at in instants(run)],
        "power_w": run.power_w[:, 0].tolist(),
        "consumed_wh": run.summary().consumed_wh,
    }


def instants(run: ec.Run) -> list[datetime]:
    return [datetime.fromisoformat(f"{at}+00:00") for at in run.at.tolist()]


def ticked() -> dict[str, Any]:
    pump = new_pump(running_power_w=800)
    wall = ec.Battery(name="Wall", capacity_wh=9_000, max_charge_w=500, max_discharge_w=500)
    follow = ec.SelfConsumption()
    state = {"stored_nwh": 5 * 10**12}
    members = [
        Member(device_id=1, device=pump, noise_key=1, site=1, zone=SITE.zone, state={}),
        Member(
            device_id=2,
            device=wall,
            noise_key=2,
            site=1,
            zone=SITE.zone,
            state=state,
            dispatch=follow,
        ),
    ]
    fleet = Fleet.of(members)
    at_us = np.array([int(NOON.timestamp()) * 1_000_000])
    readings = step_fleet(fleet, Window(at_us, 60_000_000, 0, fleet.zones)).readings()
    return dict(zip(readings.device_id.tolist(), readings.power_w.tolist(), strict=True))


def stored(url: str) -> dict[str, Any]:
    pump = new_pump(running_power_w=750, run_hours=4)
    with ec.connect(url, clock=AtNoon()) as energy:
        energy.register(pump)
        energy.tick(NOON)
    with ec.connect(url, clock=AtNoon()) as energy:
        (record,) = energy.devices(ec.DeviceFilter(kinds=("pool_pump",))).items
        state = energy.state(record.id)
        assert state is not None
        return {
            "is_equal": record.device == pump,
            "power_w": state.power_w,
            "load_w": energy.summary().load_w,
        }


def asked(url: str) -> dict[str, Any]:
    engine = build_engine()
    spec = engine.schema.type_map["DeviceSpecInput"]
    pump = engine.schema.type_map["PoolPump"]
    assert isinstance(spec, GraphQLInputObjectType)
    assert isinstance(pump, GraphQLObjectType)
    with ec.connect(url, clock=AtNoon()) as energy:
        context = GraphQLContext(services=energy.services, scope=energy.scope)

        def ask(query: str, variables: dict[str, Any]) -> Any:
            body = json.dumps({"query": query, "variables": variables}).encode()
            headers = {"content-type": "application/json"}
            request = HttpRequest(method="POST", headers=headers, body=body)
            return json.loads(engine.respond(request, context).body)

        good = ask(REGISTER, {"spec": {"poolPump": {"runningPowerW": 800, "startHour": 8}}})
        bad = ask(REGISTER, {"spec": {"poolPump": {"runningPowerW": -1}}})
        two = {"poolPump": {"runningPowerW": 1}, "appliance": {"averagePowerW": 1}}
        both = ask(REGISTER, {"spec": two})
        energy.tick(NOON)
        listed = ask(LIST, {"filter": {"kinds": ["POOL_PUMP"]}})
    return {
        "is_one_of": spec.is_one_of,
        "inputs": sorted(spec.fields),
        "interfaces": sorted(each.name for each in pump.interfaces),
        "registered": good,
        "refused": bad,
        "both": both,
        "listed": listed,
    }


def main(folder: str) -> None:
    """Do it all, with databases in a folder."""
    used = {
        "kinds": list(device_kinds()),
        "simulated": simulated(),
        "ticked": ticked(),
        "stored": stored(f"sqlite:///{folder}/stored.db"),
        "asked": asked(f"sqlite:///{folder}/asked.db"),
    }
    print(json.dumps(used))  # noqa: T201 - how the test gets to know it


if __name__ == "__main__":
    main(sys.argv[1])
