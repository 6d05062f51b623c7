"""The same two questions answered by strawberry on FastAPI, as its documentation shows it."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum

import strawberry
from fastapi import FastAPI
from starlette.types import ASGIApp
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.fastapi import GraphQLRouter

from energycore.fleet.summary import EnergySummary
from energycore.graphql.schema.ids import device_id
from energycore.protocols.records import DeviceRecord
from energycore.quantities.instants import from_epoch_us
from energycore.services.insight import ObservedState

__all__ = ["strawberry_app"]


@strawberry.enum
class Mode(Enum):
    """What a storage does."""

    CHARGING = "charging"
    DISCHARGING = "discharging"
    IDLE = "idle"


@strawberry.enum
class Kind(Enum):
    """A class of devices."""

    APPLIANCE = "appliance"
    BATTERY = "battery"
    ELECTRIC_VEHICLE = "electric_vehicle"
    SOLAR_PANEL = "solar_panel"


@strawberry.type
class State:
    """What a device did from an instant on."""

    at: datetime
    power_w: float
    stored_wh: float | None
    state_of_charge: float | None
    mode: Mode | None
    is_stale: bool


@strawberry.interface
class Device:
    """Anything registered."""

    id: strawberry.ID
    name: str
    kind: Kind
    is_active: bool
    version: int
    state: State | None


@strawberry.type
class Appliance(Device):
    """A load."""


@strawberry.type
class Battery(Device):
    """A storage."""


@strawberry.type
class ElectricVehicle(Device):
    """A vehicle."""


@strawberry.type
class SolarPanel(Device):
    """A source."""


@strawberry.type
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class Devices:
    """A page of devices."""

    nodes: list[Device]
    page_info: PageInfo


@strawberry.type
class Storage:
    """What storages hold."""

    capacity_wh: float
    stored_wh: float
    state_of_charge: float | None
    device_count: int


@strawberry.type
class Summary:
    """What devices add up to."""

    production_w: float
    consumption_w: float
    net_power_w: float
    device_count: int
    silent_count: int
    storage: Storage


def strawberry_app(
    records: Sequence[DeviceRecord],
    states: dict[int, ObservedState],
    totals: EnergySummary,
    end_cursor: str,
    *,
    cached: bool,
) -> ASGIApp:
    """An application that answers from objects made beforehand.

    Args:
        records: the devices.
        states: their newest readings.
        totals: what they add up to.
        end_cursor: the cursor of the last one.
        cached: whether documents are parsed and validated once only, which is not its default.
    """
    page = Devices(
        nodes=[_device(record, states[record.id]) for record in records],
        page_info=PageInfo(has_next_page=False, end_cursor=end_cursor),
    )
    summary = _summary(totals)

    @strawberry.type
    class Query:
        @strawberry.field
        def devices(self, first: int) -> Devices:
            return page

        @strawberry.field
        def energy_summary(self) -> Summary:
            return summary

    schema = strawberry.Schema(
        Query,
        types=[Appliance, Battery, ElectricVehicle, SolarPanel],
        extensions=[ParserCache, ValidationCache] if cached else [],
    )
    app = FastAPI()
    app.include_router(GraphQLRouter(schema), prefix="/graphql")
    return app


def _device(record: DeviceRecord, state: ObservedState) -> Device:
    types = {each.__name__: each for each in (Appliance, Battery, ElectricVehicle, SolarPanel)}
    return types[type(record.device).__name__](
        id=strawberry.ID(device_id(record.id)),
        name=record.device.name,
        kind=Kind(record.device.kind),
        is_active=record.is_active,
        version=record.version,
        state=State(
            at=from_epoch_us(state.at_us),
            power_w=state.power_w,
            stored_wh=state.stored_wh,
            state_of_charge=state.state_of_charge,
            mode=None if state.mode is None else Mode(state.mode.value),
            is_stale=state.is_stale,
        ),
    )


def _summary(totals: EnergySummary) -> Summary:
    storage = totals.storage
    return Summary(
        production_w=totals.production_w,
        consumption_w=totals.consumption_w,
        net_power_w=totals.net_power_w,
        device_count=totals.device_count,
        silent_count=totals.silent_count,
        storage=Storage(
            capacity_wh=storage.capacity_wh,
            stored_wh=storage.stored_wh,
            state_of_charge=storage.state_of_charge,
            device_count=storage.device_count,
        ),
    )
