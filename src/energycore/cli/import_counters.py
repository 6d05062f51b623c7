"""A file of counter values: the power between them, and what was wrong with the counters."""

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final, TypeVar

import attrs
import numpy as np

from energycore.cli.import_values import Rows
from energycore.cli.lookups import Directory
from energycore.cli.refusals import InvalidOption
from energycore.errors import EnergycoreError, InvalidValue
from energycore.jobs.sentences import counted
from energycore.protocols.records import DeviceRecord
from energycore.quantities.signs import SignConvention, to_energy_wh
from energycore.quantities.units import to_milli
from energycore.telemetry.counters import (
    CounterDirection,
    CounterPower,
    DipPolicy,
    EnergyCounter,
    ResetPolicy,
    power_from_counter,
)

__all__ = ["CounterOptions", "Counters"]

_MOST_EVENTS: Final = 20
_GREATEST_WH: Final = 1e12
_OPTIONS: Final = {
    "resolution_wh": "counter-resolution",
    "rated_power_w": "rated-power",
    "rolls_over_at_wh": "rolls-over-at",
}

Policy = TypeVar("Policy", bound=Enum)


@attrs.frozen(kw_only=True)
class CounterOptions:
    """What is known of the counters; see `energycore import --help`."""

    column: str
    resolution: float
    """In the unit of the column, as is `rolls_over_at`."""
    rated_power_w: float | None
    rolls_over_at: float | None
    reset: str
    dip: str


class Counters:
    """Collects the values of counters, and tells the power between them.

    Args:
        options: what is known of the counters.
        unit: of the column.
        sign: what it means when they go up.
    """

    def __init__(self, options: CounterOptions, unit: str, sign: SignConvention) -> None:
        self._options = options
        self._unit = unit
        self._direction = (
            CounterDirection.PRODUCTION if sign.sign > 0 else CounterDirection.CONSUMPTION
        )
        self._reset = _member(ResetPolicy, options.reset, "reset")
        self._dip = _member(DipPolicy, options.dip, "dip")
        self._parts: list[Rows] = []

    def collect(self, rows: Rows) -> None:
        """Keep some rows for later: a value means something beside the one before it only."""
        self._parts.append(rows)

    def powers(self, directory: Directory) -> Iterator[tuple[Rows, Sequence[str]]]:
        """For each device the power between its values, and what to say of it.

        Raises:
            InvalidValue: what is known of a counter cannot be, or a policy refuses what it did.
        """
        if not self._parts:
            return
        rows = _joined(self._parts)
        for device_id in np.unique(rows.device_id).tolist():
            record = directory.devices[device_id]
            yield self._power(record, rows.take(np.flatnonzero(rows.device_id == device_id)))

    def _power(self, record: DeviceRecord, rows: Rows) -> tuple[Rows, Sequence[str]]:
        counter = self._counter(record)
        rows, refused = _single_values(rows, counter)
        try:
            power = power_from_counter(rows.at_us, rows.counter_wh, counter)
        except InvalidValue as error:
            problem = f"{record.device.name}: {error.message}"
            raise InvalidOption("counter", error.value, problem) from None
        batch = power.readings(record.id)
        found = rows.take(np.searchsorted(rows.at_us, batch.at_us))
        found = attrs.evolve(found, power_w=batch.power_w, refused=refused)
        return found, [*_told(record, len(rows), len(batch), power)]

    def _counter(self, record: DeviceRecord) -> EnergyCounter:
        given = self._options
        rated_w, top = given.rated_power_w, given.rolls_over_at
        try:
            return EnergyCounter(
                direction=self._direction,
                rated_power_w=record.device.largest_power_w if rated_w is None else rated_w,
                resolution_wh=self._in_wh(given.resolution),
                rolls_over_at_wh=None if top is None else self._in_wh(top),
                reset=self._reset,
                dip=self._dip,
            )
        except InvalidValue as error:
            option = _OPTIONS.get(error.field, error.field)
            raise InvalidValue(option, error.value, error.limit) from None

    def _in_wh(self, value: float) -> float:
        return float(to_energy_wh(np.array(value), self._unit))


def _member(policies: type[Policy], text: str, option: str) -> Policy:
    for policy in policies:
        if policy.value == text:
            return policy
    raise InvalidValue(option, text, f"one of {', '.join(policy.value for policy in policies)}")


def _joined(parts: Sequence[Rows]) -> Rows:
    columns = [name for name in attrs.fields_dict(Rows) if name != "refused"]
    return Rows(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in columns},
        refused={},
    )


def _single_values(rows: Rows, counter: EnergyCounter) -> tuple[Rows, dict[int, EnergycoreError]]:
    """The rows by instant, with one possible value each, and those that are none or are second."""
    below_wh = min(_GREATEST_WH, counter.rolls_over_at_wh or _GREATEST_WH)
    refused: dict[int, EnergycoreError] = {}
    good = (rows.counter_wh >= 0) & (rows.counter_wh < below_wh)
    limit = f"a number of at least 0 and below {below_wh:,.0f} Wh"
    for row in np.flatnonzero(~good).tolist():
        value = float(rows.counter_wh[row])
        refused[int(rows.number[row])] = InvalidValue("counter", value, limit)
    kept = np.flatnonzero(good)
    rows = rows.take(kept[np.argsort(rows.at_us[kept], kind="stable")])
    values_mwh = to_milli(rows.counter_wh)
    first = np.searchsorted(rows.at_us, rows.at_us)
    second = values_mwh != values_mwh[first]
    for row in np.flatnonzero(second).tolist():
        value = float(rows.counter_wh[row])
        limit = f"{rows.counter_wh[first[row]]:g} Wh, as another row of that instant says"
        refused[int(rows.number[row])] = InvalidValue("counter", value, limit)
    return rows.take(np.flatnonzero(~second)), refused


def _told(record: DeviceRecord, values: int, readings: int, power: CounterPower) -> Iterator[str]:
    name = record.device.name
    gave = f"{counted(readings, 'reading')}, {power.energy_wh / 1_000:,.3f} kWh"
    yield f"{name}: {counted(values, 'counter value')} gave {gave}"
    for event in power.events[:_MOST_EVENTS]:
        at = np.datetime64(event.at_us, "us").astype("datetime64[s]")
        yield f"{name} at {at}Z: {event.sentence}"
    if (more := len(power.events) - _MOST_EVENTS) > 0:
        yield f"{name}: {counted(more, 'more event')} of this counter"
