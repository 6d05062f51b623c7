"""The history of a run: its readings, put into the buckets of a calendar."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from energycore.devices.base import Device
from energycore.devices.storage_device import capacity_mwh
from energycore.errors import InvalidValue
from energycore.notebook.history import History
from energycore.quantities.zones import load_zone
from energycore.telemetry.calendar import Interval, interval_of, range_edges
from energycore.telemetry.coverage import cover
from energycore.telemetry.history import history_of
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.series import GapPolicy, SeriesTable, SeriesVersion
from energycore.telemetry.sums import Membership, sum_buckets

if TYPE_CHECKING:
    from energycore.notebook.run import Run

__all__ = ["history_of_run"]

_SUM: Final = 0


def history_of_run(
    run: "Run", interval: Interval | str, device: Device | str | None, time_zone: str | None
) -> History:
    """What the counted devices of a run did together, or one of its devices.

    A reading of a run holds for exactly its step, and the last one ends with the run.

    Raises:
        InvalidValue: there is no such interval, or no such device in the run.
        UnknownTimeZone: there is no such zone.
    """
    kind = interval_of(interval)
    zone = run.site.zone if time_zone is None else load_zone(time_zone)
    if device is None:
        chosen = [i for i, one in enumerate(run.devices) if one.role.is_counted]
    else:
        chosen = [_position(run, device)]
    start_us = int(run.at_us[0])
    end_us = int(run.at_us[-1]) + run.step_us
    table = SeriesTable.of([_series(run, position, start_us) for position in chosen])
    coverage = cover(_readings(run, chosen), table, end_us)
    edges_us = range_edges(zone, start_us, end_us, kind)
    if device is None:
        totals = sum_buckets(coverage, Membership.of_all(table, chosen), edges_us, _SUM)
    else:
        totals = coverage.buckets(edges_us)
    answer = history_of(
        totals,
        edges_us=edges_us,
        intervals=[kind] * (len(edges_us) - 1),
        expected=[(start_us, end_us)] * len(chosen),
        zone=zone,
        requested=kind,
        now_us=end_us,
    )
    return History(
        answer=answer, name=run.site.name if device is None else run.devices[chosen[0]].name
    )


def _position(run: "Run", device: Device | str) -> int:
    for position, one in enumerate(run.devices):
        if device in (one, one.name):
            return position
    names = ", ".join(one.name for one in run.devices)
    raise InvalidValue("device", device, f"one of the run ({names})")


def _series(run: "Run", position: int, start_us: int) -> SeriesVersion:
    return SeriesVersion(
        device_id=position,
        valid_from_us=start_us,
        site_id=None,
        is_active=True,
        gap_policy=GapPolicy.HOLD,
        max_gap_us=run.step_us,
        capacity_mwh=capacity_mwh(run.devices[position]),
    )


def _readings(run: "Run", chosen: Sequence[int]) -> ReadingBatch:
    return ReadingBatch(
        device_id=np.repeat(np.array(chosen, dtype=np.int64), len(run.at_us)),
        at_us=np.tile(run.at_us, len(chosen)),
        power_mw=run.power_mw[:, chosen].ravel(order="F"),
        stored_mwh=run.stored_mwh[:, chosen].ravel(order="F"),
    )
