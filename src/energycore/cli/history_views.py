"""A history on the standard output: as a table for people, as JSON, as CSV."""

import csv
import json
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

import attrs
import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from energycore.cli.consoles import screen
from energycore.notebook.history import History
from energycore.telemetry.history import EnergyBucket

__all__ = ["print_csv", "print_json", "print_table"]

_WIDEST: Final = 1_000
_FIELDS: Final = (
    "interval",
    "start",
    "end",
    "coverage",
    "reading_count",
    "mean_power_w",
    "min_power_w",
    "max_power_w",
    "produced_wh",
    "consumed_wh",
    "net_wh",
    "mean_state_of_charge",
)


def print_json(history: History) -> None:
    """Print what a program needs, as one object; what is not known is null."""
    plain = {
        "name": history.name,
        "time_zone": history.time_zone,
        "requested_interval": history.requested_interval.value,
        "interval": history.interval.value,
        "buckets": [_plain(bucket) for bucket in history],
    }
    typer.echo(json.dumps(plain, indent=2, ensure_ascii=False))


def print_csv(history: History) -> None:
    """Print a line for each bucket; what is not known is empty."""
    writer = csv.DictWriter(sys.stdout, _FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_plain(bucket) for bucket in history)


def _plain(bucket: EnergyBucket) -> dict[str, Any]:
    plain = {name: getattr(bucket, name) for name in _FIELDS}
    return plain | {
        "interval": bucket.interval.value,
        "start": bucket.start.isoformat(),
        "end": bucket.end.isoformat(),
    }


@attrs.frozen
class _Column:
    """A column of the table: its heading, and what stands in it."""

    heading: str
    cell: Callable[[EnergyBucket], str]
    total: str = ""
    align: Any = "right"


def print_table(history: History) -> None:
    """Print a line for each bucket, as wide as it needs; what is not known is blank."""
    start, end = history[0].start, history[-1].end
    kind = history.requested_interval.value.replace("_", "-")
    console = screen()
    console.print(f"[bold]{escape(history.name)}[/bold] ({history.time_zone})", soft_wrap=True)
    console.print(f"{_shown(start)} to {_shown(end)} by {kind}", soft_wrap=True)
    console.print()
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        padding=(0, 1, 0, 0),
        show_footer=len(history) > 1,
    )
    columns = list(_columns(history))
    for column in columns:
        table.add_column(column.heading, column.total, justify=column.align, no_wrap=True)
    for bucket in history:
        is_coarser = bucket.interval is not history.requested_interval
        table.add_row(
            *(column.cell(bucket) for column in columns), style="yellow" if is_coarser else None
        )
    # A number that is cut off would be another number.
    needed = console.measure(table, options=console.options.update(width=_WIDEST)).maximum
    console.width = max(console.width, needed)
    console.print(table)
    if history.interval is not history.requested_interval:
        console.print(
            f"\nOf some of that time only totals of each {history.interval.value} are left."
        )


def _columns(history: History) -> Iterable[_Column]:
    offsets = {bucket.start.utcoffset() for bucket in history}
    is_whole = all(bucket.start.time() == datetime.min.time() for bucket in history)
    yield _Column("Start", _start(is_whole, len(offsets) > 1), "Sum", "left")
    if history.interval is not history.requested_interval:
        yield _Column(
            "Interval", lambda bucket: bucket.interval.value.replace("_", "-"), "", "left"
        )
    yield _Column("Known", _coverage)
    yield _Column("Mean\nW", lambda bucket: _number(bucket.mean_power_w))
    yield _Column("Least\nW", lambda bucket: _number(bucket.min_power_w))
    yield _Column("Greatest\nW", lambda bucket: _number(bucket.max_power_w))
    yield from _energies(history)
    if any(bucket.mean_state_of_charge is not None for bucket in history):
        yield _Column("Charge\n%", lambda bucket: _number(_percent(bucket)))


def _energies(history: History) -> Iterable[_Column]:
    largest_wh = max(max(b.produced_wh or 0.0, b.consumed_wh or 0.0) for b in history)
    unit, scale, digits = ("kWh", 1_000, 2) if largest_wh >= 1_000 else ("Wh", 1, 1)

    def shown(energy_wh: float | None) -> str:
        return "" if energy_wh is None else f"{energy_wh / scale:z,.{digits}f}"

    def column(heading: str, name: str, total_wh: float) -> _Column:
        total = shown(total_wh) if is_known else ""
        return _Column(f"{heading}\n{unit}", lambda bucket: shown(getattr(bucket, name)), total)

    is_known = any(bucket.is_covered for bucket in history)
    produced_wh, consumed_wh = history.produced_wh, history.consumed_wh
    yield column("Produced", "produced_wh", produced_wh)
    yield column("Consumed", "consumed_wh", consumed_wh)
    yield column("Net", "net_wh", produced_wh - consumed_wh)


def _start(is_whole: bool, with_offset: bool) -> Callable[[EnergyBucket], str]:
    def cell(bucket: EnergyBucket) -> str:
        if is_whole:
            return f"{bucket.start:%Y-%m-%d}"
        offset = bucket.start.isoformat()[-6:] if with_offset else ""
        return f"{bucket.start:%Y-%m-%d %H:%M}{offset}"

    return cell


def _coverage(bucket: EnergyBucket) -> str:
    """How much of the time is known, never rounded up to all of it."""
    if not bucket.expected_ms:
        return ""
    permille = bucket.covered_ms * 1_000 // bucket.expected_ms
    return f"{permille / 10:g} %"


def _percent(bucket: EnergyBucket) -> float | None:
    charge = bucket.mean_state_of_charge
    return None if charge is None else 100 * charge


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:z,.1f}"


def _shown(at: datetime) -> str:
    return at.isoformat(" ", "minutes" if at.second == 0 else "seconds")[:-6]
