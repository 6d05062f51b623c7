"""`energycore upkeep`: totals brought up to date, old readings archived, what is over let go."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
import typer

from energycore.cli.consoles import note, screen, stages_bar
from energycore.cli.database import check_is_there, is_partitioned
from energycore.cli.durations import parse_kept
from energycore.errors import InvalidValue
from energycore.jobs.sentences import upkeep_sentences
from energycore.jobs.stopping import INTERRUPTED, StopRequested, StopSignals
from energycore.services.upkeep import UpkeepProgress, UpkeepReport
from energycore.telemetry.tiers import Retention
from energycore.wiring.connect import connect
from energycore.wiring.energy import Energy

if TYPE_CHECKING:
    from energycore.protocols.archive import Archive
    from energycore.storage.sql.partitions import Partitioning

__all__ = ["UpkeepOptions", "keep_up"]

_OPTIONS: Final = {
    "raw": "keep-raw",
    "quarter_hour": "keep-quarter-hours",
    "day": "keep-days",
    "month": "keep-months",
}


@attrs.frozen(kw_only=True)
class UpkeepOptions:
    """What to keep up and how; see `energycore upkeep --help`."""

    database: str
    archive: str | None
    keep: Mapping[str, str]
    """For how long, by the name of the resolution, as it was written."""
    hash_partitions: int | None
    brin: bool
    dry_run: bool
    roll_up_only: bool


def keep_up(options: UpkeepOptions) -> None:
    """Do all that is due, and say what was done; a wish to stop is heeded between two steps.

    Raises:
        InvalidValue: a time, or the archive's URL, cannot be one.
        EnergycoreError: the database or the archive cannot be used.
    """
    retention = _retention(options.keep)
    check_is_there(options.database)
    stop = StopSignals()
    with (
        stop.caught(),
        connect(
            options.database,
            archive=_archive(options),
            retention=retention,
            partitioning=_partitioning(options),
        ) as energy,
    ):
        for line in upkeep_sentences(_run(energy, options, stop), dry_run=options.dry_run):
            screen().print(line, markup=False, soft_wrap=True)


def _run(energy: Energy, options: UpkeepOptions, stop: StopSignals) -> UpkeepReport:
    try:
        with stages_bar("looking for what is due") as progress:
            return energy.upkeep(
                dry_run=options.dry_run,
                retain=not options.roll_up_only,
                progress=_unless(stop, progress),
            )
    except StopRequested:
        note("stopped: run it again to go on from here")
        raise typer.Exit(INTERRUPTED) from None


def _unless(stop: StopSignals, progress: UpkeepProgress) -> UpkeepProgress:
    def show(stage: str, done: int, total: int) -> None:
        stop.check()
        progress(stage, done, total)

    return show


def _retention(keep: Mapping[str, str]) -> Retention:
    times = {name: parse_kept(text, _OPTIONS[name]) for name, text in keep.items()}
    try:
        return Retention(**times)
    except InvalidValue as error:
        raise InvalidValue(_OPTIONS[error.field], keep[error.field], error.limit) from None


def _archive(options: UpkeepOptions) -> "str | Archive | None":
    """The archive that is named, by a name that means the same in every folder."""
    url = options.archive
    if url is None:
        return None
    if url and "://" not in url:
        url = str(Path(url).absolute())
    if not options.dry_run:
        return url
    from energycore.archive import open_archive

    # What is given by its URL is remembered; a dry run changes nothing.
    return open_archive(url)


def _partitioning(options: UpkeepOptions) -> "Partitioning | None":
    """How the partitions of the days to come are made, where anything is said of that."""
    if options.hash_partitions is None and not options.brin:
        return None
    if not is_partitioned(options.database):
        raise typer.BadParameter(
            "only a PostgreSQL database has partitions", param_hint="--hash-partitions, --brin"
        )
    from energycore.storage.sql.partitions import Partitioning

    try:
        return Partitioning(hash_parts=options.hash_partitions or 0, brin=options.brin)
    except InvalidValue as error:
        raise InvalidValue("hash-partitions", error.value, error.limit) from None
