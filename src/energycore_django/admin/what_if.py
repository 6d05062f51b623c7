"""What chosen devices would do on a day: simulated from what is stored, and stored nowhere."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

import attrs
import numpy as np

from energycore.devices.base import StorageMode
from energycore.devices.site import Site
from energycore.devices.storage_device import StorageDevice, StorageState
from energycore.notebook.instants import instant_in
from energycore.notebook.run import Run
from energycore.notebook.simulation import simulate
from energycore.protocols.records import DeviceRecord
from energycore.quantities.instants import from_epoch_us
from energycore.quantities.units import NWH_PER_WH, FloatArray
from energycore.services.insight import ObservedState
from energycore.simulation.dispatch import Dispatch, Manual, as_dispatch
from energycore.wiring.energy import Energy
from energycore_django.admin.charts import Chart, Line
from energycore_django.conf import current

__all__ = ["MOST_DEVICES", "WhatIf", "rows_of", "simulated_days"]

MOST_DEVICES: Final = 50
"""Most devices of one simulation."""

_TICKS_PER_POINT: Final = 5
_COLOURS: Final = 8


@attrs.frozen(kw_only=True)
class WhatIf:
    """The simulated day of the chosen devices of one site."""

    key: str
    title: str
    run: Run

    @property
    def charts(self) -> list[Chart]:
        """The power of each device and of all, and the charge of the storage among them."""
        lines = [
            Line(label=device.name, role=_role(position), values=_points(column))
            for position, (device, column) in enumerate(
                zip(self.run.devices, self.run.power_w.T, strict=True)
            )
        ]
        if len(lines) > 1:
            lines.append(Line(label="Net", role="net", values=_points(self.run.net_power_w)))
        charts = [self._chart("power", "Power", "W", lines)]
        charge = [
            Line(label=device.name, role=_role(position), values=_points(100 * column))
            for position, (device, column) in enumerate(
                zip(self.run.devices, self.run.state_of_charge.T, strict=True)
            )
            if isinstance(device, StorageDevice)
        ]
        return [*charts, self._chart("charge", "Charge", "%", charge)] if charge else charts

    def _chart(self, key: str, title: str, unit: str, lines: Sequence[Line]) -> Chart:
        run = self.run
        return Chart(
            key=f"{key}-{self.key}",
            title=title,
            unit=unit,
            zone=run.site.zone,
            start_us=int(run.at_us[0]),
            end_us=int(run.at_us[-1]) + run.step_us,
            at_us=run.at_us[::_TICKS_PER_POINT].tolist(),
            lines=lines,
        )


def simulated_days(
    own: Energy, ids: Sequence[int], day: date, dispatch: str | None = None
) -> list[WhatIf]:
    """Simulate a day of devices, the chosen ones of each site together.

    Storage begins with the charge of its newest reading, or half full, and goes on with what it
    does; reported devices are simulated by their ratings.

    Args:
        own: the tenant's.
        ids: of the devices; those that are not there are left out.
        day: from midnight to midnight on the clocks of the site.
        dispatch: the strategy of all storage; that of each unless given.
    """
    insight = own.services.insight
    records = insight.devices_by_id(own.scope, ids)
    states = insight.states(own.scope, records.values())
    modes = insight.modes(own.scope, records.values())
    site_ids = {record.site_id for record in records.values() if record.site_id is not None}
    sites = insight.sites_by_id(own.scope, site_ids)
    by_site: dict[int | None, list[DeviceRecord]] = {}
    for record in sorted(records.values(), key=lambda r: (r.site_id or 0, r.device.name)):
        by_site.setdefault(record.site_id, []).append(record)
    seed = _seed(own)
    found = []
    for site_id, chosen in by_site.items():
        if site_id is None:
            site = Site(name="No site", time_zone=current().default_time_zone)
        else:
            site = sites[site_id].site
        begin = {
            record.device.name: _begin(record.device, states.get(record.id), modes[record.id])
            for record in chosen
            if isinstance(record.device, StorageDevice)
        }
        run = _simulated(
            site, chosen, day, begin, as_dispatch(dispatch) if dispatch else None, seed
        )
        found.append(WhatIf(key=str(site_id or 0), title=site.name, run=run))
    return found


def rows_of(found: Sequence[WhatIf]) -> Iterator[tuple[object, ...]]:
    """Every minute of every device: at, site, device, power_w, stored_wh."""
    for what_if in found:
        run = what_if.run
        instants = [
            from_epoch_us(at_us).astimezone(run.site.zone).isoformat()
            for at_us in run.at_us.tolist()
        ]
        for position, device in enumerate(run.devices):
            powers = run.power_w[:, position].tolist()
            stored = run.stored_wh[:, position].tolist()
            for at, power_w, stored_wh in zip(instants, powers, stored, strict=True):
                known = None if np.isnan(stored_wh) else stored_wh
                yield at, run.site.name, device.name, power_w, known


def _seed(own: Energy) -> int:
    """The seed of the tenant's ticks, which may be older than the settings."""
    with own.services.storage.transaction(write=False) as work:
        shards = work.fleet.shards(own.scope)
    return shards[0].seed if shards else current().seed


def _simulated(
    site: Site,
    records: Sequence[DeviceRecord],
    day: date,
    begin: Mapping[str, StorageState],
    chosen: Dispatch | None,
    seed: int,
) -> Run:
    steering: dict[str, Dispatch] = {}
    initial: dict[str, StorageState] = {}
    for record in records:
        name = record.device.name
        if name in begin:
            steering[name] = chosen or record.dispatch or Manual()
            # Who follows the home has no command of its own.
            is_manual = isinstance(steering[name], Manual)
            initial[name] = begin[name] if is_manual else _idle(begin[name])
    return simulate(
        [attrs.evolve(record.device, noise_key=record.noise_key) for record in records],
        site=site,
        start=instant_in(site.zone, day, "day"),
        end=instant_in(site.zone, day + timedelta(days=1), "day"),
        step="1min",
        seed=seed,
        initial=initial,
        dispatch=steering,
    )


def _begin(device: StorageDevice, state: ObservedState | None, mode: StorageMode) -> StorageState:
    """How a storage begins its day."""
    if state is None or state.stored_wh is None:
        return StorageState(mode=mode)
    stored_wh = min(
        max(state.stored_wh, device.lower_nwh / NWH_PER_WH), device.upper_nwh / NWH_PER_WH
    )
    power_w = abs(state.power_w)
    limit_w = device.max_charge_w if mode is StorageMode.CHARGING else device.max_discharge_w
    goes_on = mode is not StorageMode.IDLE and state.mode is mode and power_w <= limit_w
    return StorageState(stored_wh=stored_wh, mode=mode, power_w=power_w if goes_on else None)


def _idle(state: StorageState) -> StorageState:
    return StorageState(stored_wh=state.stored_wh)


def _points(column: FloatArray) -> list[float | None]:
    """Means over a few ticks each, fewer than a screen has pixels."""
    means = column.reshape(-1, _TICKS_PER_POINT).mean(axis=1)
    return [None if np.isnan(mean) else mean for mean in means.tolist()]


def _role(position: int) -> str:
    return f"device-{position % _COLOURS + 1}"
