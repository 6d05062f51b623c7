"""`energycore import`: readings out of a file, each stored, known already, or refused and told."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

import attrs
import numpy as np
import typer

from energycore.cli.consoles import note, progress_bar, screen
from energycore.cli.database import check_is_there
from energycore.cli.import_columns import chosen_columns
from energycore.cli.import_counters import CounterOptions, Counters
from energycore.cli.import_files import ROWS, Part, ReadingFile, opened
from energycore.cli.import_report import Report, wide_gaps
from energycore.cli.import_values import Declared, DeviceColumn, Rows, read_rows, read_time
from energycore.cli.lookups import Directory
from energycore.cli.refusals import InvalidOption
from energycore.devices.base import DataSource
from energycore.errors import DeviceIsSimulated, InstantWithoutZone, InvalidValue
from energycore.jobs.stopping import INTERRUPTED, StopRequested, StopSignals
from energycore.notebook.simulation import parse_step
from energycore.protocols.storage import UnitOfWork
from energycore.quantities.instants import duration_us
from energycore.quantities.signs import convention_of, scale_of_energy, scale_of_power
from energycore.quantities.zones import load_zone
from energycore.services.ingestion import Ingestion, ReadingColumns, conflict_policy
from energycore.wiring.connect import connect
from energycore.wiring.energy import Energy

__all__ = ["ImportOptions", "import_file"]

_DECIMAL_MARKS: Final = (".", ",")


@attrs.frozen(kw_only=True)
class ImportOptions:
    """What to read and how to understand it; see `energycore import --help`."""

    file: Path
    database: str
    mapped: tuple[str, ...]
    device: str | None
    site: str | None
    unit: str
    energy_unit: str
    zone: str | None
    time: str
    sign: str
    decimal: str
    delimiter: str
    interval_end: str | None
    counter: CounterOptions | None
    on_conflict: str
    dry_run: bool
    channel: str | None = None


def import_file(options: ImportOptions) -> None:
    """Store the readings of a file, and say what became of each.

    Raises:
        InvalidValue: an option or the file cannot be used.
        DeviceIsSimulated: the device that is named takes no readings.
        EnergycoreError: the database cannot be used.
    """
    declared = _declared(options)
    counters = None
    if options.counter is not None:
        counters = Counters(options.counter, options.energy_unit, declared.sign)
    conflict_policy(options.on_conflict)
    check_is_there(options.database)
    stop = StopSignals()
    with (
        stop.caught(),
        connect(options.database, channel=options.channel) as energy,
        opened(options.file, options.delimiter) as file,
        _ingestion(energy, dry_run=options.dry_run) as ingestion,
    ):
        store = _Store(ingestion, energy, options.on_conflict, Report(file.unit))
        try:
            _read(file, options, declared, store, counters, stop)
            if counters is not None:
                store.counters(counters, stop)
        except StopRequested:
            note("stopped: run it again to go on; what is stored by then counts as duplicates")
            raise typer.Exit(INTERRUPTED) from None
        for line in (_heading(options), *store.report.lines()):
            screen().print(line, markup=False, soft_wrap=True)
        for line in store.report.notes:
            note(line)
        if store.report.rejected:
            raise typer.Exit(1)


def _declared(options: ImportOptions) -> Declared:
    """Everything that the file does not say, checked before anything is read."""
    for option, unit, scale in (
        ("unit", options.unit, scale_of_power),
        ("energy-unit", options.energy_unit, scale_of_energy),
    ):
        try:
            scale(unit)
        except InvalidValue as error:
            raise InvalidValue(option, unit, error.limit) from None
    if options.decimal not in _DECIMAL_MARKS:
        raise InvalidValue("decimal", options.decimal, "a point or a comma")
    shift_us = 0
    if options.interval_end is not None:
        if options.counter is not None:
            raise typer.BadParameter("goes without --counter", param_hint="--interval-end")
        shift_us = duration_us(_length(options.interval_end), "interval-end")
    return Declared(
        zone=None if options.zone is None else load_zone(options.zone, "zone"),
        time=read_time(options.time),
        power_unit=options.unit,
        energy_unit=options.energy_unit,
        sign=convention_of(options.sign),
        has_decimal_comma=options.decimal == ",",
        shift_us=shift_us,
    )


def _length(text: str) -> timedelta:
    try:
        return parse_step(text)
    except InvalidValue as error:
        raise InvalidValue("interval-end", text, error.limit) from None


def _heading(options: ImportOptions) -> str:
    """How the file is understood, for whoever let a default decide."""
    if options.counter is None:
        what = f"power in {options.unit}, energy in {options.energy_unit}"
    else:
        what = f"a counter in {options.energy_unit}"
    where = "times with an offset" if options.zone is None else f"times of {options.zone}"
    dry = "; dry run, nothing is stored" if options.dry_run else ""
    return f"{options.file.name}: {what}, {options.sign}, {where}{dry}"


@contextmanager
def _ingestion(energy: Energy, *, dry_run: bool) -> Iterator[Ingestion]:
    """What takes the readings in; in a dry run all of it is taken back at the end."""
    service = energy.services.ingestion
    if not dry_run:
        yield service
        return
    with (
        suppress(_TakenBack),
        energy.services.storage.transaction(write=True) as work,
    ):
        yield attrs.evolve(service, storage=_Held(work))
        raise _TakenBack


class _TakenBack(Exception):
    """Ends a transaction that only tried."""


@attrs.frozen
class _Held:
    """A storage that stays in one transaction, which whoever began it ends."""

    _work: UnitOfWork

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[UnitOfWork]:
        """The same unit of work again and again."""
        yield self._work

    def close(self) -> None:
        """Nothing: the connection is not its own."""


class _Store:
    """Takes rows into the database, and counts what became of them."""

    def __init__(
        self, ingestion: Ingestion, energy: Energy, on_conflict: str, report: Report
    ) -> None:
        self.report = report
        self.directory = Directory.of(energy)
        self._ingestion = ingestion
        self._scope = energy.scope
        self._on_conflict = on_conflict

    def rows(self, rows: Rows) -> None:
        """Store what can be stored."""
        self.report.refuse(rows.refused)
        if not len(rows):
            return
        columns = ReadingColumns(
            device_id=rows.device_id,
            at_us=rows.at_us,
            power_w=rows.power_w,
            stored_wh=rows.stored_wh,
        )
        result = self._ingestion.record(self._scope, columns, on_conflict=self._on_conflict)
        self.report.add(result, rows.number.tolist())

    def counters(self, counters: Counters, stop: StopSignals) -> None:
        """Store the powers of all counters, after all of them were understood."""
        found = list(counters.powers(self.directory))
        self.report.events = [line for _, told in found for line in told]
        with progress_bar("storing") as progress:
            for done, (rows, _) in enumerate(found):
                stop.check()
                progress(done, len(found))
                self.note_gaps(rows)
                self.report.refuse(rows.refused)
                for first in range(0, len(rows), ROWS):
                    self.rows(rows.take(np.arange(first, min(first + ROWS, len(rows)))))

    def note_gaps(self, rows: Rows) -> None:
        """Say where readings come less often than their power is held."""
        self.report.notes.extend(wide_gaps(rows, self.directory))


def _read(
    file: ReadingFile,
    options: ImportOptions,
    declared: Declared,
    store: _Store,
    counters: Counters | None,
    stop: StopSignals,
) -> None:
    """Read a file part by part, each of which is stored, or collected where it holds counters."""
    columns = chosen_columns(
        options.mapped,
        file.names,
        counter=None if options.counter is None else options.counter.column,
        has_device=options.device is not None,
    )
    if declared.shift_us and "stored_wh" in columns:
        problem = "a stored energy is of an instant and cannot be shifted: say --map stored_wh="
        raise InvalidOption("interval-end", options.interval_end, problem)
    devices = _devices(store.directory, options)
    with progress_bar(f"reading {options.file.name}") as progress:
        for position, part in enumerate(file.parts(columns.values())):
            stop.check()
            rows = _understood(part, columns, declared, devices)
            if counters is not None:
                store.report.refuse(rows.refused)
                counters.collect(rows)
            else:
                if not position:
                    store.note_gaps(rows)
                store.rows(rows)
            progress(part.done, file.size)


def _devices(directory: Directory, options: ImportOptions) -> DeviceColumn:
    site = None if options.site is None else directory.site(options.site)
    if options.device is None:
        return DeviceColumn(directory, site=site)
    record = directory.device(options.device, site)
    if record.data_source is DataSource.SIMULATED:
        raise DeviceIsSimulated(
            f"{record.device.name} is simulated, so that only ticks move it: readings can be"
            " imported for devices that are registered as reported"
        )
    return DeviceColumn(directory, fixed=record.id)


def _understood(
    part: Part, columns: Mapping[str, str], declared: Declared, devices: DeviceColumn
) -> Rows:
    """The rows of a part, unless its first time needs a zone that was not declared."""
    limit = "an instant with an offset, or --zone must say which clock it was read from"
    try:
        rows = read_rows(part, columns, declared, devices)
    except InstantWithoutZone as error:
        raise InstantWithoutZone("at", error.value, limit) from None
    first = rows.refused.get(part.numbers[0])
    if declared.zone is None and isinstance(first, InstantWithoutZone):
        raise InstantWithoutZone("at", first.value, limit)
    return rows
