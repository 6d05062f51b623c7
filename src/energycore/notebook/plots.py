"""A picture of a run: power of each device above and below zero, and charge beneath."""

from typing import TYPE_CHECKING, Any

import numpy as np

from energycore.devices.storage_device import StorageDevice
from energycore.extras import load_extra

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from energycore.notebook.run import Run

__all__ = ["plot_run"]

_MAX_POINTS = 1_500


def plot_run(run: "Run") -> "Figure":
    """Draw a run as a matplotlib figure.

    Power is stacked by device, production upwards and consumption downwards, with the net power as
    a line; long runs are drawn as means over several ticks. Storage shows its state of charge.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    figures: Any = load_extra("matplotlib.figure", feature="plot()", extra="plot")
    storages = [i for i, device in enumerate(run.devices) if isinstance(device, StorageDevice)]
    figure: Figure = figures.Figure(figsize=(10, 6 if storages else 4), layout="constrained")
    panels: Any = figure.subplots(
        2 if storages else 1, sharex=True, squeeze=False, height_ratios=[2, 1][: 1 + bool(storages)]
    )[:, 0]
    ticks = -(-len(run.at_us) // _MAX_POINTS)
    starts = np.arange(0, len(run.at_us), ticks)
    counts = np.diff(np.append(starts, len(run.at_us)))
    at = run.at[starts]
    power_kw = np.add.reduceat(run.power_w, starts, axis=0) / counts[:, np.newaxis] / 1_000
    _stack(panels[0], at, power_kw, [device.name for device in run.devices])
    counted = [device.role.is_counted for device in run.devices]
    net = power_kw[:, counted].sum(axis=1)
    panels[0].step(at, net, where="post", color="black", linewidth=0.8, label="net")
    panels[0].set_ylabel("power [kW]\n+ produces, - consumes")
    panels[0].axhline(0, color="black", linewidth=0.5)
    panels[0].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    panels[0].set_title(f"{run.site.name}, {run.start:%Y-%m-%d %H:%M} to {run.end:%Y-%m-%d %H:%M}")
    if storages:
        for position in storages:
            percent = 100 * run.state_of_charge[starts, position]
            panels[1].plot(at, percent, color=f"C{position % 10}", label=run.devices[position].name)
        panels[1].set_ylabel("state of charge [%]")
        panels[1].set_ylim(-3, 103)
        panels[1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    _label_time(panels[-1], run)
    return figure


def _stack(panel: Any, at: Any, power_kw: Any, names: list[str]) -> None:
    """Stack positive power upwards and negative power downwards, one colour for each device."""
    for sign in (1, -1):
        base = np.zeros(len(at))
        for position, name in enumerate(names):
            part = np.maximum(sign * power_kw[:, position], 0)
            top = base + part
            panel.fill_between(
                at,
                sign * base,
                sign * top,
                step="post",
                color=f"C{position % 10}",
                alpha=0.75,
                linewidth=0,
                label=name if sign == 1 else None,
            )
            base = top


def _label_time(panel: Any, run: "Run") -> None:
    dates: Any = load_extra("matplotlib.dates", feature="plot()", extra="plot")
    locator = dates.AutoDateLocator(tz=run.site.zone)
    panel.xaxis.set_major_locator(locator)
    panel.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=run.site.zone))
    panel.set_xlabel(f"local time, {run.site.time_zone}")
