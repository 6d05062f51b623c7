"""The project's own endpoints; whose homes they see is not their business."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.security import HTTPBearer
from pydantic import BaseModel

import energycore as ec
from energycore_fastapi import get_energy

__all__ = ["router"]

# Refuses nobody, for get_energy does; it makes the button "Authorize" at /docs.
router = APIRouter(tags=["homes"], dependencies=[Depends(HTTPBearer(auto_error=False))])

OwnEnergy = Annotated[ec.Energy, Depends(get_energy)]


class Now(BaseModel):
    """What all devices of a customer do right now."""

    device_count: int
    production_w: float | None
    consumption_w: float | None
    net_power_w: float | None


class Roof(BaseModel):
    """Solar panels to be registered."""

    name: str
    rated_power_w: float


class Registered(BaseModel):
    """A device that is known from now on."""

    device_id: int


class Hour(BaseModel):
    """What a device did in an hour."""

    start: str
    produced_wh: float | None
    consumed_wh: float | None


# No coroutines: what asks a database is a plain `def`, which FastAPI runs in a thread.
@router.get("/now")
def now(energy: OwnEnergy) -> Now:
    """What all devices do right now."""
    summary = energy.summary()
    return Now(
        device_count=summary.device_count,
        production_w=summary.production_w,
        consumption_w=summary.consumption_w,
        net_power_w=summary.net_power_w,
    )


@router.post("/roofs", status_code=201)
def add_roof(roof: Roof, energy: OwnEnergy) -> Registered:
    """Register solar panels; they move with the next tick."""
    panels = ec.SolarPanel(name=roof.name, rated_power_w=roof.rated_power_w)
    return Registered(device_id=energy.register(panels).id)


@router.get("/devices/{device_id}/hours")
def hours(device_id: int, energy: OwnEnergy) -> list[Hour]:
    """What a device did in the last six hours."""
    end = energy.clock.now()
    history = energy.history(end - timedelta(hours=6), end, "hour", of=device_id)
    return [
        Hour(
            start=bucket.start.isoformat(),
            produced_wh=bucket.produced_wh,
            consumed_wh=bucket.consumed_wh,
        )
        for bucket in history
    ]
