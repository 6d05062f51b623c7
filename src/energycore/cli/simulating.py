"""`energycore simulate`: a home through some days, as a table, as JSON, as CSV."""

import csv as csv_format
import json
import math
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, TextIO

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from energycore.cli.consoles import note, progress_bar, screen
from energycore.devices.base import Role
from energycore.devices.registry import device_kind
from energycore.devices.site import Site
from energycore.encoding.home import Home, checked_seed, load_home
from energycore.notebook.run import DeviceTotals, Run, RunSummary
from energycore.notebook.simulation import simulate
from energycore.quantities.instants import from_epoch_us
from energycore.quantities.units import MISSING
from energycore.wiring.clocks import SystemClock

__all__ = ["simulate_home"]

_MWMS_PER_WH: Final = 3_600_000_000
_FLOWS: Final = {False: ("generation", "load"), True: ("discharge", "charge")}


def simulate_home(
    path: Path,
    *,
    days: float,
    start: str | None,
    step: str,
    seed: int | None,
    as_json: bool,
    csv: Path | None,
) -> None:
    """Simulate the home of a file and print its totals; `energycore simulate --help` says more.

    Raises:
        InvalidHomeFile: the file has a fault.
        InvalidValue: a value of an option cannot be used.
    """
    home = load_home(path)
    seed = home.seed if seed is None else checked_seed(seed)
    readings = None if csv is None else _opened(csv)
    try:
        with progress_bar(f"simulating {home.site.name}") as progress:
            run = simulate(
                [entry.device for entry in home.devices],
                site=home.site,
                start=_first_day(home.site, days) if start is None else start,
                days=days,
                step=step,
                seed=seed,
                initial=home.initial,
                dispatch=home.dispatch,
                progress=progress,
            )
        if readings is not None:
            _write_readings(run, readings)
    finally:
        if readings is not None:
            readings.close()
    if as_json:
        typer.echo(json.dumps(_plain(home, run, seed), indent=2, ensure_ascii=False))
    else:
        _print_table(home, run, seed)
    if csv is not None:
        note(f"{run.power_mw.size} readings written to {csv}")


def _first_day(site: Site, days: float) -> date:
    """The day that so many days end with yesterday from."""
    today = SystemClock().now().astimezone(site.zone).date()
    return today - timedelta(days=math.ceil(days)) if 0 < days < 36_525 else today


def _opened(path: Path) -> TextIO:
    try:
        # What is there stays until the run is done.
        return path.open("a", encoding="utf-8", newline="")
    except OSError as error:
        raise typer.BadParameter(
            f"{path} cannot be written: {error.strerror}", param_hint="--csv"
        ) from None


def _write_readings(run: Run, file: TextIO) -> None:
    """One line for each tick and device: by instant, then in the order of the file."""
    file.seek(0)
    file.truncate()
    writer = csv_format.writer(file, lineterminator="\n")
    writer.writerow(("at", "device", "power_w", "stored_wh"))
    names = [device.name for device in run.devices]
    rows = zip(run.at_us.tolist(), run.power_mw.tolist(), run.stored_mwh.tolist(), strict=True)
    for at_us, powers, charges in rows:
        at = from_epoch_us(at_us).isoformat().replace("+00:00", "Z")
        for name, power_mw, stored_mwh in zip(names, powers, charges, strict=True):
            stored = "" if stored_mwh == MISSING else stored_mwh / 1_000
            writer.writerow((at, name, power_mw / 1_000, stored))


def _plain(home: Home, run: Run, seed: int) -> dict[str, Any]:
    totals = run.summary()
    flows = _flows(totals)
    return {
        "site": home.site.name,
        "time_zone": home.site.time_zone,
        "start": run.start.isoformat(),
        "end": run.end.isoformat(),
        "step_s": run.step_us / 1_000_000,
        "seed": seed,
        "devices": [
            {
                "name": device.name,
                "kind": device.kind,
                "produced_wh": device.produced_wh,
                "consumed_wh": device.consumed_wh,
                "net_wh": device.net_wh,
                "stored_start_wh": device.stored_start_wh,
                "stored_end_wh": device.stored_end_wh,
            }
            for device in totals.devices
        ],
        "totals": {
            "produced_wh": totals.produced_wh,
            "consumed_wh": totals.consumed_wh,
            **flows,
            "net_wh": totals.net_wh,
            "exported_wh": totals.exported_wh,
            "imported_wh": totals.imported_wh,
        },
    }


def _flows(totals: RunSummary) -> dict[str, float]:
    """Energy by what it is: generation and load apart from what storage gave and took [Wh]."""
    flows = dict.fromkeys(("generation", "load", "discharge", "charge"), 0)
    for device in totals.devices:
        role = device_kind(device.kind).role
        if role.is_counted:
            given, taken = _FLOWS[role is Role.STORAGE]
            flows[given] += device.produced_mwms
            flows[taken] += device.consumed_mwms
    return {f"{name}_wh": mwms / _MWMS_PER_WH for name, mwms in flows.items()}


def _print_table(home: Home, run: Run, seed: int) -> None:
    totals = run.summary()
    step = timedelta(microseconds=run.step_us)
    console = screen()
    console.print(f"[bold]{escape(home.site.name)}[/bold] ({home.site.time_zone})", soft_wrap=True)
    console.print(
        f"{run.start:%Y-%m-%d %H:%M} to {run.end:%Y-%m-%d %H:%M}, step {step}, seed {seed}",
        soft_wrap=True,
    )
    console.print()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("Energy in kWh")
    table.add_column("Kind")
    for heading in ("Produced", "Consumed", "Net", "Stored\nat start", "\nat end"):
        table.add_column(heading, justify="right", no_wrap=True)
    for device in totals.devices:
        table.add_row(escape(device.name), device.kind.replace("_", " "), *_cells(device))
    table.add_section()
    table.add_row("All devices", "", *_cells(totals), style="bold")
    console.print(table)
    console.print()
    for label, energy_wh in _balance(totals):
        console.print(f"{label:<26}{_kwh(energy_wh):>10} kWh", soft_wrap=True)


def _cells(energy: DeviceTotals | RunSummary) -> list[str]:
    stored = [_stored_wh(energy, name) for name in ("stored_start_wh", "stored_end_wh")]
    return [_kwh(wh) for wh in (energy.produced_wh, energy.consumed_wh, energy.net_wh, *stored)]


def _stored_wh(energy: DeviceTotals | RunSummary, name: str) -> float | None:
    if isinstance(energy, DeviceTotals):
        found: float | None = getattr(energy, name)
        return found
    stored = [_stored_wh(device, name) for device in energy.devices]
    known = [wh for wh in stored if wh is not None]
    return sum(known) if known else None


def _kwh(energy_wh: float | None) -> str:
    return "" if energy_wh is None else f"{energy_wh / 1_000:,.2f}"


def _balance(totals: RunSummary) -> list[tuple[str, float]]:
    flows = _flows(totals)
    return [
        ("Generated", flows["generation_wh"]),
        ("Used by loads", flows["load_wh"]),
        ("Taken from storage", flows["discharge_wh"]),
        ("Put into storage", flows["charge_wh"]),
        ("Exported to the grid", totals.exported_wh),
        ("Imported from the grid", totals.imported_wh),
        ("Net (exported - imported)", totals.net_wh),
    ]
