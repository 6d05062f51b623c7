"""Pictures of runs and of histories: what is produced above zero, what is consumed below."""

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from energycore.devices.storage_device import StorageDevice
from energycore.extras import load_extra
from energycore.quantities.instants import to_epoch_us
from energycore.quantities.units import FloatArray
from energycore.telemetry.calendar import Interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from energycore.notebook.history import History
    from energycore.notebook.run import Run

__all__ = ["plot_history", "plot_run"]

_MAX_POINTS = 1_500
_FEW = 100
"""So many buckets are told apart by the eye."""
_PRODUCED, _CONSUMED, _CHARGE = "#e3a32b", "#3a6ea5", "#4b9a6b"
_WITHIN_DAY = (Interval.QUARTER_HOUR, Interval.HOUR)


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
    _label_time(panels[-1], run.site.zone)
    return figure


def plot_history(history: "History") -> "Figure":
    """Draw a history as a matplotlib figure.

    Energy is a bar for each bucket, production upwards and consumption downwards, with the net
    energy as a line. Time of which nothing is known is hatched, and grey where part of it is. Hours
    and quarter-hours show the mean power in its range beneath, and storages their mean charge.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    figures: Any = load_extra("matplotlib.figure", feature="plot()", extra="plot")
    edges = _edges(history)
    draw = [_draw_energy]
    if history.interval in _WITHIN_DAY:
        draw.append(_draw_power)
    if any(bucket.mean_state_of_charge is not None for bucket in history):
        draw.append(_draw_charge)
    figure: Figure = figures.Figure(figsize=(10, 2.5 + 1.75 * len(draw)), layout="constrained")
    ratios = [2, 1, 1][: len(draw)]
    panels = figure.subplots(len(draw), sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
    for panel, draw_panel in zip(panels, draw, strict=True):
        _shade_gaps(panel, history, edges, label=panel is panels[0])
        draw_panel(panel, history, edges)
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(axis="y", color="0.9", linewidth=0.8)
        panel.set_axisbelow(True)
        if len(panel.get_legend_handles_labels()[0]) > 1:
            panel.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    panels[0].set_title(_title(history))
    panels[-1].set_xlim(edges[0], edges[-1])
    _label_time(panels[-1], ZoneInfo(history.time_zone))
    return figure


def _title(history: "History") -> str:
    name = f"{history.name}, " if history.name else ""
    start, end = history[0].start, history[-1].end
    kind = history.interval.value.replace("_", "-")
    return f"{name}{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}, by {kind}"


def _draw_energy(panel: Any, history: "History", edges: Any) -> None:
    produced, consumed = _column(history, "produced_wh"), _column(history, "consumed_wh")
    unit, scale = _unit_of(float(np.nan_to_num([produced, consumed]).max()))
    for label, sign, energy, color in (
        ("produced", 1, produced, _PRODUCED),
        ("consumed", -1, consumed, _CONSUMED),
    ):
        _draw_bars(panel, sign * energy / scale, edges, color=color, label=label)
    middles = edges[:-1] + np.diff(edges) // 2
    marker = "o" if len(history) <= _FEW else None
    net = (produced - consumed) / scale
    panel.plot(
        middles, net, color="black", linewidth=1.2, marker=marker, markersize=3.5, label="net"
    )
    panel.axhline(0, color="black", linewidth=0.6)
    panel.set_ylabel(f"energy [{unit}]\n+ produced, − consumed")


def _draw_power(panel: Any, history: "History", edges: Any) -> None:
    mean, least, greatest = (
        _column(history, name) / 1_000 for name in ("mean_power_w", "min_power_w", "max_power_w")
    )
    corners, lower = _steps(least, edges)
    panel.fill_between(
        corners,
        lower,
        _steps(greatest, edges)[1],
        color="0.8",
        linewidth=0,
        label="from least to greatest",
    )
    panel.plot(*_steps(mean, edges), color="black", linewidth=1.2, label="mean")
    panel.axhline(0, color="black", linewidth=0.6)
    panel.set_ylabel("power [kW]")


def _draw_charge(panel: Any, history: "History", edges: Any) -> None:
    percent = 100 * _column(history, "mean_state_of_charge")
    panel.plot(*_steps(percent, edges), color=_CHARGE, linewidth=1.5)
    panel.set_ylabel("mean charge [%]")
    panel.set_ylim(-3, 103)


def _shade_gaps(panel: Any, history: "History", edges: Any, *, label: bool) -> None:
    """Mark the stretches of which nothing, or not everything, is known."""
    coverage = _column(history, "coverage")
    for name, gaps, style in (
        ("nothing known", coverage == 0, {"facecolor": "0.93", "hatch": "////"}),
        ("partly known", (coverage > 0) & (coverage < 1), {"facecolor": "0.93"}),
    ):
        steps = np.diff(np.concatenate(([0], gaps.astype(int), [0])))
        stretches = zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True)
        for number, (first, end) in enumerate(stretches):
            panel.axvspan(
                edges[first],
                edges[end],
                edgecolor="0.75",
                linewidth=0,
                zorder=0,
                label=name if label and not number else None,
                **style,
            )


def _edges(history: "History") -> Any:
    at_us = [to_epoch_us(bucket.start) for bucket in history] + [to_epoch_us(history[-1].end)]
    return np.array(at_us, dtype="datetime64[us]")


def _draw_bars(panel: Any, heights: FloatArray, edges: Any, **style: str) -> None:
    """Draw a bar for each bucket, with room between them if they are few."""
    if len(heights) <= _FEW:
        lengths = np.diff(edges)
        panel.bar(edges[:-1] + lengths // 2, heights, 0.9 * lengths, linewidth=0, **style)
    else:
        panel.fill_between(*_steps(heights, edges), linewidth=0, **style)


def _steps(values: FloatArray, edges: Any) -> tuple[Any, FloatArray]:
    """Corners of a line that holds each value from one edge to the next."""
    return np.repeat(edges, 2)[1:-1], np.repeat(values, 2)


def _column(history: "History", name: str) -> FloatArray:
    """A number of each bucket, NaN where it is absent."""
    return np.array([getattr(bucket, name) for bucket in history], dtype=np.float64)


def _unit_of(largest_wh: float) -> tuple[str, float]:
    for unit, scale in (("MWh", 1e6), ("kWh", 1e3)):
        if largest_wh >= scale:
            return unit, scale
    return "Wh", 1.0


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


def _label_time(panel: Any, zone: ZoneInfo) -> None:
    dates: Any = load_extra("matplotlib.dates", feature="plot()", extra="plot")
    locator = dates.AutoDateLocator(tz=zone)
    panel.xaxis.set_major_locator(locator)
    panel.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=zone))
    panel.set_xlabel(f"local time, {zone.key}")
