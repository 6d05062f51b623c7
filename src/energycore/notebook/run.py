"""The result of a simulation: exact columns, totals, and a tidy frame."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np

from energycore.devices.base import Device
from energycore.devices.site import Site
from energycore.devices.storage_device import StorageDevice
from energycore.fleet.columns import DeviceState
from energycore.fleet.tick import nwh_to_mwh
from energycore.notebook.tables import Table, Words
from energycore.quantities.instants import from_epoch_us
from energycore.quantities.units import MILLI_PER_UNIT, MISSING, FloatArray, IntArray, from_milli
from energycore.telemetry.calendar import Interval

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from matplotlib.figure import Figure

    from energycore.notebook.history import History

__all__ = ["DeviceTotals", "FinalState", "Run", "RunSummary"]

_MWMS_PER_WH = 3_600_000_000


@attrs.frozen(kw_only=True)
class DeviceTotals:
    """What one device did in a run; energy in whole milliwatt-milliseconds (1 uJ)."""

    name: str
    kind: str
    is_counted: bool
    """False for meters, which are in no total of the home."""
    produced_mwms: int
    consumed_mwms: int
    stored_start_mwh: int | None
    stored_end_mwh: int | None

    def __repr__(self) -> str:
        stored = ""
        if self.stored_start_mwh is not None:
            stored = f", stored_wh={self.stored_start_wh} to {self.stored_end_wh}"
        return (
            f"DeviceTotals({self.name!r}, {self.kind}, produced_wh={self.produced_wh:.3f}, "
            f"consumed_wh={self.consumed_wh:.3f}{stored})"
        )

    @property
    def produced_wh(self) -> float:
        """Energy produced or discharged [Wh]."""
        return self.produced_mwms / _MWMS_PER_WH

    @property
    def consumed_wh(self) -> float:
        """Energy consumed or charged [Wh]."""
        return self.consumed_mwms / _MWMS_PER_WH

    @property
    def net_wh(self) -> float:
        """Produced - consumed [Wh]."""
        return (self.produced_mwms - self.consumed_mwms) / _MWMS_PER_WH

    @property
    def stored_start_wh(self) -> float | None:
        """Energy stored at the start [Wh]; None without storage."""
        return None if self.stored_start_mwh is None else self.stored_start_mwh / MILLI_PER_UNIT

    @property
    def stored_end_wh(self) -> float | None:
        """Energy stored at the end [Wh]; None without storage."""
        return None if self.stored_end_mwh is None else self.stored_end_mwh / MILLI_PER_UNIT


@attrs.frozen(kw_only=True)
class RunSummary:
    """Totals of a run: of each device, and of the home at its meter."""

    start: datetime
    end: datetime
    devices: tuple[DeviceTotals, ...]
    """All devices, meters included, which are in none of the home's totals."""
    exported_mwms: int
    """What crossed the meter outwards, tick by tick."""
    imported_mwms: int

    def __repr__(self) -> str:
        return (
            f"RunSummary(produced_wh={self.produced_wh:.3f}, consumed_wh={self.consumed_wh:.3f}, "
            f"exported_wh={self.exported_wh:.3f}, imported_wh={self.imported_wh:.3f}, "
            f"devices={list(self.devices)})"
        )

    @property
    def produced_wh(self) -> float:
        """Sum of all counted devices' production, discharge included [Wh]."""
        return sum(d.produced_mwms for d in self.devices if d.is_counted) / _MWMS_PER_WH

    @property
    def consumed_wh(self) -> float:
        """Sum of all counted devices' consumption, charge included [Wh]."""
        return sum(d.consumed_mwms for d in self.devices if d.is_counted) / _MWMS_PER_WH

    @property
    def net_wh(self) -> float:
        """Produced - consumed = exported - imported [Wh]."""
        return (self.exported_mwms - self.imported_mwms) / _MWMS_PER_WH

    @property
    def exported_wh(self) -> float:
        """Energy given to the grid [Wh]."""
        return self.exported_mwms / _MWMS_PER_WH

    @property
    def imported_wh(self) -> float:
        """Energy taken from the grid [Wh]."""
        return self.imported_mwms / _MWMS_PER_WH


@attrs.frozen(kw_only=True)
class FinalState:
    """A storage at the end of a run."""

    stored_wh: float
    state_of_charge: float


@attrs.frozen(kw_only=True, eq=False)
class Run:
    """n devices through k ticks.

    Args:
        site: where they stand.
        devices: length n.
        at_us: shape (k,), the ticks' instants in epoch microseconds.
        step_us: length of a tick in microseconds.
        power_mw: shape (k, n), signed mean power of each tick [mW].
        stored_mwh: shape (k, n), energy stored at the beginning of each tick [mWh], or `MISSING`.
        internal_states: simulation state after the last tick, by position of the device.
    """

    site: Site
    devices: tuple[Device, ...]
    at_us: IntArray
    step_us: int
    power_mw: IntArray
    stored_mwh: IntArray
    internal_states: Mapping[int, DeviceState] = attrs.field(repr=False)

    def __repr__(self) -> str:
        return (
            f"Run({self.site.name!r}, {len(self.devices)} devices, {len(self.at_us)} ticks "
            f"from {self.start.isoformat()} to {self.end.isoformat()})"
        )

    @property
    def start(self) -> datetime:
        """The first tick's instant, in the site's time zone."""
        return from_epoch_us(int(self.at_us[0])).astimezone(self.site.zone)

    @property
    def end(self) -> datetime:
        """Where the last tick ends, in the site's time zone."""
        return from_epoch_us(int(self.at_us[-1]) + self.step_us).astimezone(self.site.zone)

    @property
    def at(self) -> "np.ndarray[tuple[int], np.dtype[np.datetime64]]":
        """Shape (k,): the ticks' instants, datetime64[us] in UTC."""
        return self.at_us.astype("datetime64[us]")

    @property
    def power_w(self) -> FloatArray:
        """Shape (k, n): signed mean power of each tick [W]; + produces, - consumes."""
        return from_milli(self.power_mw)

    @property
    def stored_wh(self) -> FloatArray:
        """Shape (k, n): energy stored at the beginning of each tick [Wh]; NaN without storage."""
        return from_milli(self.stored_mwh)

    @property
    def state_of_charge(self) -> FloatArray:
        """Shape (k, n): stored energy as a fraction of capacity; NaN without storage."""
        return self.stored_wh / self._capacity_wh()

    @property
    def net_power_w(self) -> FloatArray:
        """Shape (k,): sum over the counted devices [W]; + exports, - imports."""
        return from_milli(self._net_mw())

    @property
    def final_state(self) -> Mapping[str, FinalState]:
        """Each storage, by name, where the last tick ends."""
        return {
            device.name: FinalState(
                stored_wh=self._end_mwh(position) / MILLI_PER_UNIT,
                state_of_charge=self._end_mwh(position) / MILLI_PER_UNIT / device.capacity_wh,
            )
            for position, device in enumerate(self.devices)
            if isinstance(device, StorageDevice)
        }

    def summary(self) -> RunSummary:
        """Energy of each device and of the home, added up in whole numbers."""
        step_ms = self.step_us // 1_000
        devices = tuple(
            self._totals(position, device, step_ms) for position, device in enumerate(self.devices)
        )
        net_mw = self._net_mw()
        return RunSummary(
            start=self.start,
            end=self.end,
            devices=devices,
            exported_mwms=_total(net_mw, step_ms),
            imported_mwms=_total(-net_mw, step_ms),
        )

    def to_pandas(self) -> "pd.DataFrame":
        """A tidy frame: at, device_id, name, power_w, stored_wh, state_of_charge.

        One row for each device and tick, by device, then by instant. `at` is in UTC; `device_id`
        is the position of the device.

        Raises:
            MissingExtra: pandas is not installed.
        """
        return self._table().to_pandas()

    def to_polars(self) -> "pl.DataFrame":
        """The same for polars; what is NaN there is null here.

        Raises:
            MissingExtra: polars or pyarrow is not installed.
        """
        return self._table().to_polars()

    def to_arrow(self) -> "pa.Table":
        """The same as an Arrow table; what is NaN there is null here.

        Raises:
            MissingExtra: pyarrow is not installed.
        """
        return self._table().to_arrow()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The same for any library that reads Arrow.

        Raises:
            MissingExtra: pyarrow is not installed.
        """
        stream: Any = self._table().to_arrow("__arrow_c_stream__()")
        return stream.__arrow_c_stream__(requested_schema)

    def history(
        self,
        interval: Interval | str = "day",
        device: Device | str | None = None,
        time_zone: str | None = None,
    ) -> "History":
        """Energy, power and charge in buckets that follow the calendar, cut where the run is.

        Args:
            interval: quarter_hour, hour, day, week or month.
            device: one of the run, or its name; by default the counted devices together, with the
                extremes of their summed power.
            time_zone: IANA name of the zone whose calendar counts; the site's unless given.

        Raises:
            InvalidValue: there is no such interval, or no such device in the run.
            UnknownTimeZone: there is no such zone.
        """
        from energycore.notebook.run_history import history_of_run

        return history_of_run(self, interval, device, time_zone)

    def plot(self) -> "Figure":
        """A matplotlib figure: power of each device and of the home, and charge beneath.

        Raises:
            MissingExtra: matplotlib is not installed.
        """
        from energycore.notebook.plots import plot_run

        return plot_run(self)

    def _table(self) -> Table:
        ticks, count = self.power_mw.shape
        positions = np.repeat(np.arange(count), ticks)
        return Table(
            zone=ZoneInfo("UTC"),
            columns={
                "at": np.tile(self.at, count),
                "device_id": positions,
                "name": Words(positions, [device.name for device in self.devices]),
                "power_w": self.power_w.ravel(order="F"),
                "stored_wh": self.stored_wh.ravel(order="F"),
                "state_of_charge": self.state_of_charge.ravel(order="F"),
            },
        )

    def _net_mw(self) -> IntArray:
        counted = [device.role.is_counted for device in self.devices]
        net_mw: IntArray = self.power_mw[:, counted].sum(axis=1)
        return net_mw

    def _capacity_wh(self) -> FloatArray:
        return np.array(
            [
                device.capacity_wh if isinstance(device, StorageDevice) else np.nan
                for device in self.devices
            ]
        )

    def _end_mwh(self, position: int) -> int:
        nwh = np.array([self.internal_states[position]["stored_nwh"]], dtype=np.int64)
        return int(nwh_to_mwh(nwh)[0])

    def _totals(self, position: int, device: Device, step_ms: int) -> DeviceTotals:
        power_mw = self.power_mw[:, position]
        stores = isinstance(device, StorageDevice)
        start = int(self.stored_mwh[0, position])
        return DeviceTotals(
            name=device.name,
            kind=device.kind,
            is_counted=device.role.is_counted,
            produced_mwms=_total(power_mw, step_ms),
            consumed_mwms=_total(-power_mw, step_ms),
            stored_start_mwh=None if start == MISSING else start,
            stored_end_mwh=self._end_mwh(position) if stores else None,
        )


def _total(power_mw: IntArray, step_ms: int) -> int:
    """Energy of the positive part, as a Python integer that cannot overflow."""
    return int(power_mw[power_mw > 0].sum()) * step_ms
