"""Bytes of an archived reading: a day of 20,000 devices at one minute."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.fleets import fleet_of
from benchmarks.measure import Line
from energycore.archive import open_archive
from energycore.fleet.tick import step_fleet
from energycore.protocols.scope import Scope
from energycore.simulation.behaviour import Window
from energycore.simulation.dispatch import SelfConsumption
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.tiers import US_PER_DAY

__all__ = ["lines"]

_PER_KIND: Final = 5_000
_STEP_US: Final = 60_000_000
_DAY: Final = 20_605
_TICKS_AT_ONCE: Final = 120
_SCOPE: Final = Scope("default")


def lines() -> Iterator[Line]:
    """The file's size as it is, and as if power were rounded to 1 W."""
    batch = _day()
    with tempfile.TemporaryDirectory() as folder:
        size, seconds = _written(Path(folder), batch)
        yield Line(
            name="archive",
            figure=f"{len(batch) / seconds / 1e6:.1f} M readings/s, {len(batch) / 1e6:.1f} M",
            ratio=size / len(batch),
            limit=2.2,
            note="bytes a reading, lossless at 1 mW",
        )
        rounded = ReadingBatch(
            device_id=batch.device_id,
            at_us=batch.at_us,
            power_mw=np.rint(batch.power_mw / 1_000).astype(np.int64),
            stored_mwh=batch.stored_mwh,
        )
        size, _ = _written(Path(folder), rounded)
        yield Line(
            name="archive-1-watt",
            figure=f"{size / 1e6:.1f} MB",
            ratio=size / len(batch),
            limit=None,
            note="bytes a reading if power were rounded to 1 W",
        )


def _day() -> ReadingBatch:
    fleet = fleet_of(_PER_KIND, SelfConsumption())
    ticks = _DAY * US_PER_DAY + np.arange(US_PER_DAY // _STEP_US) * _STEP_US
    parts = []
    for first in range(0, len(ticks), _TICKS_AT_ONCE):
        window = Window(ticks[first : first + _TICKS_AT_ONCE], _STEP_US, 7, fleet.zones)
        step = step_fleet(fleet, window)
        parts.append(step.readings())
        fleet = step.fleet
    return ReadingBatch.concatenate(parts)


def _written(folder: Path, batch: ReadingBatch) -> tuple[int, float]:
    archive = open_archive(str(folder))
    begin = time.perf_counter()
    file = archive.write(_SCOPE, _DAY, batch, name=archive.new_name(_SCOPE, _DAY))
    return file.size_bytes, time.perf_counter() - begin
