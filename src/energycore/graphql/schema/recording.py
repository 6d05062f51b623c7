"""The mutation that takes in readings, each of which is stored, known or rejected by itself."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from energycore.graphql.schema.charges import MAX_DETAILED_ERRORS
from energycore.graphql.schema.context import Operation
from energycore.graphql.schema.ids import IdKind, number_of
from energycore.graphql.schema.payloads import RecordPayload
from energycore.graphql.schema.refusals import Places, refusal
from energycore.protocols.telemetry import ConflictPolicy
from energycore.services.ingestion import NewReading

__all__ = ["record_readings"]

_READING_PLACES: Final[Places] = {
    "device": ("deviceId",),
    "at": ("at",),
    "power_w": ("powerW",),
    "stored_wh": ("storedWh",),
}


def record_readings(context: Operation, given: Mapping[str, Any]) -> RecordPayload:
    """Store readings; each that is refused is told with its position in the input."""
    readings = given["readings"]
    result = context.services.ingestion.record(
        context.scope,
        [
            NewReading(
                device_id=number_of(IdKind.DEVICE, reading["deviceId"]),
                at=reading["at"],
                power_w=reading["powerW"],
                stored_wh=reading.get("storedWh"),
            )
            for reading in readings
        ],
        on_conflict=given.get("onConflict") or ConflictPolicy.REJECT,
    )
    errors = []
    for rejection in result.rejected[:MAX_DETAILED_ERRORS]:
        error = refusal(rejection.error, readings[rejection.index], _READING_PLACES)
        path = ("input", "readings", str(rejection.index))
        errors.append(attrs.evolve(error, path=path))
    return RecordPayload(result=result, user_errors=tuple(errors))
