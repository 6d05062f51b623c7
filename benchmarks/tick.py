"""A tick of two million devices, against a copy of the same bytes and against a Python loop."""

import gc
import tracemalloc
from collections.abc import Iterator
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from benchmarks.fleets import ZONES, columns_of_tick, fleet_of
from benchmarks.loop import LoopDevice, OnOffLoad, Panel, Store, tick_key
from benchmarks.measure import Line, interleaved
from energycore.fleet.columns import Fleet, KindColumns
from energycore.fleet.tick import FleetStep, step_fleet
from energycore.simulation.behaviour import Window
from energycore.simulation.dispatch import SelfConsumption

__all__ = ["lines"]

_DEVICES_PER_KIND: Final = 500_000
_LOOP_PER_KIND: Final = 5_000
_ROUNDS: Final = 9
_SEED: Final = 7
_STEP_US: Final = 60_000_000
# Noon in Berlin on a day in June, and daylight in the other zones of the fleet.
_AT_US: Final = 1_781_085_600_000_000


def lines() -> Iterator[Line]:
    """The tick's lines: time, memory, the loop; and, to inform, a fleet that follows its sites."""
    fleet = fleet_of(_DEVICES_PER_KIND)
    step = _tick(fleet)
    columns = columns_of_tick(fleet, step)
    copies = [np.empty_like(column) for column in columns]
    followers = fleet_of(_DEVICES_PER_KIND, SelfConsumption())
    small = fleet_of(_LOOP_PER_KIND)
    loop = _loop_over(small)
    _check(_tick(small), loop)

    def copy() -> None:
        for target, column in zip(copies, columns, strict=True):
            np.copyto(target, column)

    def run_loop() -> None:
        key = tick_key(_SEED, _AT_US)
        for device in loop:
            device.step(_AT_US, _STEP_US, key)

    seconds = interleaved(
        {
            "tick": lambda: _tick(fleet),
            "copy": copy,
            "followers": lambda: _tick(followers),
            "loop": run_loop,
        },
        rounds=_ROUNDS,
    )
    count = len(fleet)
    ns = {name: value / count * 1e9 for name, value in seconds.items()}
    ns["loop"] = seconds["loop"] / len(loop) * 1e9
    per_device = sum(column.nbytes for column in columns) / count
    same = f"copy of its {per_device:.0f} B a device ({ns['copy']:.1f} ns)"
    yield Line(
        name="tick-copy",
        figure=f"{ns['tick']:.1f} ns a device, {seconds['tick'] * 1e3:.0f} ms for {count:,}",
        ratio=seconds["tick"] / seconds["copy"],
        limit=8.0,
        note=f"times a {same}: all columns it reads and writes; goal 6",
    )
    yield Line(
        name="tick-followers",
        figure=f"{ns['followers']:.1f} ns a device",
        ratio=seconds["followers"] / seconds["copy"],
        limit=None,
        note="times that copy, when all storages follow the balance of their site",
    )
    yield Line(
        name="tick-loop",
        figure=f"{ns['loop']:.0f} ns a device in the loop",
        ratio=ns["loop"] / ns["tick"],
        limit=20.0,
        at_most=False,
        note=f"times faster than a Python loop over {len(loop):,} attrs objects",
    )
    yield _memory("tick-memory", fleet)
    yield _memory("tick-followers-memory", followers)


def _tick(fleet: Fleet) -> FleetStep:
    at_us = np.array([_AT_US], dtype=np.int64)
    return step_fleet(fleet, Window(at_us, _STEP_US, _SEED, fleet.zones))


def _memory(name: str, fleet: Fleet) -> Line:
    gc.collect()
    tracemalloc.start()
    step = _tick(fleet)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(step.kinds) == len(fleet.kinds)
    mib = (peak - kept) / 2**20
    return Line(
        name=name,
        figure=f"{mib:.1f} MiB",
        ratio=mib,
        limit=64.0,
        note=f"MiB at the peak beyond the columns of input and output ({kept / 2**20:.0f} MiB out)",
    )


def _loop_over(fleet: Fleet) -> list[LoopDevice]:
    return [device for columns in fleet.kinds for device in _objects(columns)]


def _objects(columns: KindColumns) -> Iterator[LoopDevice]:
    zones = [ZoneInfo(name) for name in ZONES]
    ratings = {name: column.tolist() for name, column in columns.ratings.items()}
    state = {name: column.tolist() for name, column in columns.state.items()}
    keys = columns.noise_key.tolist()
    for row in range(len(columns)):
        if columns.is_storage:
            yield Store(
                max_charge_w=-ratings["lowest_power_w"][row],
                max_discharge_w=ratings["highest_power_w"][row],
                charge_efficiency=ratings["stored_per_drawn"][row],
                discharge_efficiency=1.0 / ratings["stored_per_given"][row],
                lower_nwh=ratings["lower_nwh"][row],
                upper_nwh=ratings["upper_nwh"][row],
                stored_nwh=state["stored_nwh"][row],
                setpoint_w=state["setpoint_w"][row],
            )
        elif columns.state:
            yield OnOffLoad(
                noise_key=keys[row],
                average_power_w=-ratings["power_when_on_w"][row] * ratings["duty_cycle"][row],
                duty_cycle=ratings["duty_cycle"][row],
                mean_on_time_s=1
                / ratings["mixing_rate_hz"][row]
                / (1 - ratings["duty_cycle"][row]),
                is_on=bool(state["is_on"][row]),
            )
        else:
            yield Panel(
                zone=zones[columns.zone_index[row]],
                noise_key=keys[row],
                rated_power_w=ratings["rated_power_w"][row],
            )


def _check(step: FleetStep, loop: list[LoopDevice]) -> None:
    """Both do the same: their powers agree to the rounding of floating point."""
    for device in loop:
        device.step(_AT_US, _STEP_US, tick_key(_SEED, _AT_US))
    power_w = np.concatenate([kind.power_w[0] for kind in step.kinds])
    np.testing.assert_allclose([device.power_w for device in loop], power_w, rtol=1e-9, atol=1e-6)
