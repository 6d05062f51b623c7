"""What the charts of the admin show, as plain data for the script that draws them.

Power is drawn with its sign: + produces, - consumes. Time without readings is a gap.
"""

from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import attrs

from energycore.quantities.instants import US_PER_SECOND, to_epoch_us
from energycore.telemetry.history import EnergyBucket, EnergyHistory

__all__ = ["Chart", "Line", "charge_of_day", "energy_by_day", "power_of_day"]

_LARGE: Final = 10_000.0
_KILO: Final = 1_000.0


@attrs.frozen(kw_only=True)
class Line:
    """One line, or one row of bars."""

    label: str
    role: str
    """What it shows, of which its colour follows: production, consumption, net, charge, or
    device-1 to device-8."""
    values: Sequence[float | None]
    """One for each instant; None where nothing is known."""


@attrs.frozen(kw_only=True)
class Chart:
    """Lines or bars over time."""

    key: str
    """Its identity in the page."""
    title: str
    unit: str
    zone: ZoneInfo
    """Whose clocks the axis shows."""
    start_us: int
    end_us: int
    at_us: Sequence[int]
    lines: Sequence[Line]
    is_bars: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known."""
        return all(value is None for line in self.lines for value in line.values)

    @property
    def data(self) -> dict[str, Any]:
        """The same for the script, in seconds, and in kilo-units where the numbers are large."""
        known = [abs(v) for line in self.lines for v in line.values if v is not None]
        kilo = self.unit != "%" and max(known, default=0.0) >= _LARGE
        factor, unit = (_KILO, f"k{self.unit}") if kilo else (1.0, self.unit)
        return {
            "unit": unit,
            "zone": self.zone.key,
            "range": [self.start_us / US_PER_SECOND, self.end_us / US_PER_SECOND],
            "bars": self.is_bars,
            "at": [at_us / US_PER_SECOND for at_us in self.at_us],
            "lines": [
                {
                    "label": line.label,
                    "role": line.role,
                    "values": [None if v is None else round(v / factor, 4) for v in line.values],
                }
                for line in self.lines
            ],
        }


def power_of_day(history: EnergyHistory, title: str, now_us: int, *, parts: bool) -> Chart:
    """Mean power of each bucket of a day, as steps.

    Args:
        history: of a device or a site, in its zone.
        title: above the chart.
        now_us: where the bucket that is under way ends.
        parts: whether production and consumption are shown beside the net.
    """
    rows = [("Net" if parts else "Power", "net", [b.mean_power_w for b in history.buckets])]
    if parts:
        rows = [
            ("Production", "production", [_mean(b, b.produced_wh) for b in history.buckets]),
            (
                "Consumption",
                "consumption",
                [_minus(_mean(b, b.consumed_wh)) for b in history.buckets],
            ),
            *rows,
        ]
    return _steps(history, "power-of-day", title, "W", rows, now_us)


def charge_of_day(history: EnergyHistory, title: str, now_us: int) -> Chart:
    """Mean state of charge of each bucket of a day."""
    charge = [b.mean_state_of_charge for b in history.buckets]
    values = [None if value is None else 100 * value for value in charge]
    return _steps(history, "charge-of-day", title, "%", [("Charge", "charge", values)], now_us)


def energy_by_day(history: EnergyHistory, title: str) -> Chart:
    """Energy of each day: what was produced upwards, what was consumed downwards."""
    buckets = history.buckets
    lines = [
        Line(label="Produced", role="production", values=[b.produced_wh for b in buckets]),
        Line(label="Consumed", role="consumption", values=[_minus(b.consumed_wh) for b in buckets]),
    ]
    return Chart(
        key="energy-by-day",
        title=title,
        unit="Wh",
        zone=ZoneInfo(history.time_zone),
        start_us=to_epoch_us(buckets[0].start),
        end_us=to_epoch_us(buckets[-1].end),
        at_us=[to_epoch_us(bucket.start) for bucket in buckets],
        lines=[line for line in lines if any(line.values)] or lines[:1],
        is_bars=True,
    )


def _steps(
    history: EnergyHistory,
    key: str,
    title: str,
    unit: str,
    rows: Sequence[tuple[str, str, Sequence[float | None]]],
    now_us: int,
) -> Chart:
    """Each bucket as a level from its start to its end, or to now."""
    buckets = history.buckets
    at_us: list[int] = []
    for bucket in buckets:
        start_us, end_us = to_epoch_us(bucket.start), to_epoch_us(bucket.end)
        last_us = min(end_us - US_PER_SECOND, max(now_us, start_us + US_PER_SECOND))
        at_us += [start_us, last_us]
    return Chart(
        key=key,
        title=title,
        unit=unit,
        zone=ZoneInfo(history.time_zone),
        start_us=to_epoch_us(buckets[0].start),
        end_us=to_epoch_us(buckets[-1].end),
        at_us=at_us,
        lines=[
            Line(label=label, role=role, values=[v for value in values for v in (value, value)])
            for label, role, values in rows
        ],
    )


def _mean(bucket: EnergyBucket, energy_wh: float | None) -> float | None:
    """The mean power that makes this much of a bucket's energy, as its mean power makes its net."""
    if energy_wh is None:
        return None
    return energy_wh * 3_600_000 * bucket.expected_ms / (bucket.covered_ms * bucket.spanned_ms)


def _minus(value: float | None) -> float | None:
    return -value if value else value
