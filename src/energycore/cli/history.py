"""`energycore history`: what a device, a site or a fleet did, by hour, day, week or month."""

from datetime import timedelta
from pathlib import Path
from typing import Final

import attrs
import typer

from energycore.cli.consoles import note
from energycore.cli.database import check_is_there
from energycore.cli.history_views import print_csv, print_json, print_table
from energycore.cli.lookups import Directory
from energycore.errors import InvalidValue, TimeZoneRequired
from energycore.notebook.history import History
from energycore.notebook.instants import Spelling
from energycore.protocols.records import DeviceFilter, DeviceRecord, SiteRecord
from energycore.quantities.zones import load_zone
from energycore.services.insight import ALL_DEVICES
from energycore.telemetry.calendar import Interval, interval_of
from energycore.wiring.connect import connect
from energycore.wiring.energy import Energy

__all__ = ["HistoryOptions", "show_history"]

_DAYS: Final = 7
_OPTIONS: Final = {"start": "from", "end": "to", "time_zone": "zone"}

Subject = DeviceRecord | SiteRecord | DeviceFilter


@attrs.frozen(kw_only=True)
class HistoryOptions:
    """What to show and how; see `energycore history --help`."""

    database: str
    device: str | None
    site: str | None
    kinds: tuple[str, ...]
    tags: tuple[str, ...]
    start: str | None
    end: str | None
    days: int | None
    interval: str
    zone: str | None
    as_json: bool
    as_csv: bool
    plot: Path | None


def show_history(options: HistoryOptions) -> None:
    """Print a history, or draw it.

    Raises:
        InvalidValue: an option cannot be used.
        NotFound: there is no such device or site.
        EnergycoreError: the database, or its archive, cannot be used.
    """
    _check(options)
    check_is_there(options.database)
    with connect(options.database) as energy:
        name, subject = _subject(energy, options)
        try:
            history = attrs.evolve(_history(energy, options, subject), name=name)
        except TimeZoneRequired:
            limit = "named with --zone: the devices are in several time zones"
            raise TimeZoneRequired("zone", None, limit) from None
        except InvalidValue as error:
            field = _OPTIONS.get(error.field, error.field)
            raise type(error)(field, error.value, error.limit) from None
    if options.as_json:
        print_json(history)
    elif options.as_csv:
        print_csv(history)
    elif options.plot is not None:
        _draw(history, options.plot)
    else:
        print_table(history)


def _check(options: HistoryOptions) -> None:
    """Refuse options that do not go together, before anything is asked."""
    interval_of(options.interval)
    chosen = options.as_json, options.as_csv, options.plot is not None
    if sum(chosen) > 1:
        raise typer.BadParameter("give one of them", param_hint="--json, --csv, --plot")
    if options.days is not None and (options.start or options.end):
        raise typer.BadParameter("goes without --from and --to", param_hint="--days")
    if options.end is not None and options.start is None:
        raise typer.BadParameter("goes with --from", param_hint="--to")
    if options.device is not None and (options.kinds or options.tags):
        raise typer.BadParameter("goes without --kind and --tag", param_hint="--device")


def _subject(energy: Energy, options: HistoryOptions) -> tuple[str, Subject]:
    """Whose history is meant: what it is called, and what it is."""
    directory = Directory.of(energy)
    site = None if options.site is None else directory.site(options.site)
    if options.device is not None:
        device = directory.device(options.device, site)
        return device.device.name, device
    if site is not None and not options.kinds and not options.tags:
        return site.site.name, site
    filter_ = DeviceFilter(
        kinds=options.kinds or None,
        tags=options.tags or None,
        site_ids=None if site is None else (site.id,),
    )
    where = "" if site is None else f" of {site.site.name}"
    return f"{_described(filter_)}{where}", filter_


def _described(filter_: DeviceFilter) -> str:
    if filter_ == ALL_DEVICES:
        return "All devices"
    kinds = ", ".join(kind.replace("_", " ") for kind in filter_.kinds or ())
    tags = ", ".join(filter_.tags or ())
    named = f"Devices: {kinds}" if kinds else "Devices"
    return f"{named} tagged {tags}" if tags else named


def _history(energy: Energy, options: HistoryOptions, subject: Subject) -> History:
    now = energy.clock.now()
    start: Spelling
    if options.start is not None:
        start = options.start
    else:
        zone = options.zone
        if zone is None:
            # Whose calendar it is, says who answers.
            hour = timedelta(hours=1)
            zone = energy.history(now - hour, now, Interval.HOUR, of=subject).time_zone
        days = timedelta(days=_DAYS if options.days is None else options.days)
        start = (now.astimezone(load_zone(zone, "zone")) - days).date()
    end: Spelling = now if options.end is None else options.end
    return energy.history(start, end, options.interval, of=subject, time_zone=options.zone)


def _draw(history: History, path: Path) -> None:
    try:
        history.plot().savefig(path)
    except OSError as error:
        raise typer.BadParameter(
            f"{path} cannot be written: {error.strerror or error}", param_hint="--plot"
        ) from None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--plot") from None
    note(f"{len(history)} buckets drawn into {path}")
