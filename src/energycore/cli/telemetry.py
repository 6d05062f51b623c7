"""The commands about what was recorded: `history`, `import` and `upkeep`, with their options."""

from pathlib import Path
from typing import Annotated

import typer

from energycore.cli.options import DATABASE, Channel

__all__ = ["history", "import_readings", "upkeep"]


def history(
    database: Annotated[str, typer.Option(metavar="URL", help="The database to ask.")] = DATABASE,
    device: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="One device: its name, external id or number."),
    ] = None,
    site: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="One site, with what its devices did while they were there."
        ),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help="All devices of a kind; may be repeated."),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(metavar="TAG", help="All devices that carry a tag; may be repeated."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="DATE", help="First day, such as 2026-06-01, or an instant."
        ),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", metavar="DATE", help="Day or instant that ends it; by default now."),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=36_500,
            metavar="N",
            help="Instead: from midnight N days ago until now; 7 by default.",
        ),
    ] = None,
    interval: Annotated[
        str, typer.Option(metavar="INTERVAL", help="quarter_hour, hour, day, week or month.")
    ] = "day",
    zone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE", help="Whose calendar, such as Europe/Berlin; by default the site's."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print it as CSV.")] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw it into a file, such as out.png.")
    ] = None,
) -> None:
    """Print what devices did, by hour, day, week or month; without a choice all of them together.

    Production is counted above zero and consumption below; the net is their difference. Energy is
    that of the time that is known, and the mean power is that over this time. What is not known is
    blank. Where only coarser totals are left than were asked for, those lines say so.
    """
    from energycore.cli.history import HistoryOptions, show_history

    options = HistoryOptions(
        database=database,
        device=device,
        site=site,
        kinds=tuple(kind or ()),
        tags=tuple(tag or ()),
        start=start,
        end=end,
        days=days,
        interval=interval,
        zone=zone,
        as_json=as_json,
        as_csv=as_csv,
        plot=plot,
    )
    show_history(options)


def import_readings(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", exists=True, dir_okay=False, help="Ends in .csv or .parquet."
        ),
    ],
    database: Annotated[
        str, typer.Option(metavar="URL", help="The database to store into.")
    ] = DATABASE,
    mapped: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN",
            help="Which column is device_id, at, power_w or stored_wh, where it is not called so; "
            "FIELD= where none is to be read. Repeated for each.",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The device of all rows, for a file without a column of devices: its name, "
            "external id or number, as such a column has them.",
        ),
    ] = None,
    site: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Whose devices, where names alone are not enough."),
    ] = None,
    unit: Annotated[str, typer.Option(metavar="UNIT", help="Of power: mW, W, kW or MW.")] = "W",
    energy_unit: Annotated[
        str, typer.Option(metavar="UNIT", help="Of stored energy and counters: Wh, kWh or MWh.")
    ] = "Wh",
    sign: Annotated[
        str,
        typer.Option(
            metavar="SIGN",
            help="What a positive power, or a counter that goes up, means: production_positive, "
            "consumption_positive, export_positive, import_positive, discharge_positive or "
            "charge_positive.",
        ),
    ] = "production_positive",
    zone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            help="Whose clocks the times were read from that have no offset, such as "
            "Europe/Berlin.",
        ),
    ] = None,
    time: Annotated[
        str,
        typer.Option(
            metavar="FORMAT",
            help="How times are written: iso, s, ms, us or ns since 1970, or a pattern such as "
            "'%d.%m.%Y %H:%M'.",
        ),
    ] = "iso",
    interval_end: Annotated[
        str | None,
        typer.Option(
            metavar="LENGTH",
            help="Each row tells the mean of an interval of this length, such as 15min, that ends "
            "at its time.",
        ),
    ] = None,
    decimal: Annotated[
        str, typer.Option(metavar="MARK", help="Decimal mark of a CSV file, . or a comma.")
    ] = ".",
    delimiter: Annotated[
        str, typer.Option(metavar="MARK", help="What stands between the cells of a CSV file.")
    ] = ",",
    counter: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="The column of an energy counter that goes up, which is read instead of a power.",
        ),
    ] = None,
    counter_resolution: Annotated[
        float | None,
        typer.Option(
            metavar="STEP", help="Smallest step of the counter, in its unit. Needed for one."
        ),
    ] = None,
    rated_power: Annotated[
        float | None,
        typer.Option(
            metavar="WATTS",
            help="What the counter can rise by at most; by default the device's largest power.",
        ),
    ] = None,
    rolls_over_at: Annotated[
        float | None,
        typer.Option(
            metavar="VALUE", help="Where the counter shows 0 again, in its unit; by default never."
        ),
    ] = None,
    reset: Annotated[
        str, typer.Option(metavar="POLICY", help="A counter that fell: gap, restart or refuse.")
    ] = "gap",
    dip: Annotated[
        str,
        typer.Option(metavar="POLICY", help="One that fell by a step: hold, gap or refuse."),
    ] = "hold",
    on_conflict: Annotated[
        str,
        typer.Option(
            metavar="POLICY",
            help="Another value for a device and instant that is known: reject, first or last.",
        ),
    ] = "reject",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Store nothing, and say what would become of each.")
    ] = False,
    channel: Channel = None,
) -> None:
    """Store the readings of a file for devices that are registered as reported.

    Units, signs and time zones are what is said here, and never guessed. Each row is accepted,
    counted as a duplicate of what is stored, or rejected with the reason; with rejected rows the
    command ends with 1, and the others are stored all the same. It may be run again and again: the
    same file a second time gives duplicates only.

    A counter is turned into the power between its values; resets, rollovers and dips are told.
    """
    from energycore.cli.import_counters import CounterOptions
    from energycore.cli.importing import ImportOptions, import_file

    counting = None
    if counter is not None:
        if counter_resolution is None:
            raise typer.BadParameter("goes with --counter-resolution", param_hint="--counter")
        counting = CounterOptions(
            column=counter,
            resolution=counter_resolution,
            rated_power_w=rated_power,
            rolls_over_at=rolls_over_at,
            reset=reset,
            dip=dip,
        )
    options = ImportOptions(
        file=file,
        database=database,
        mapped=tuple(mapped or ()),
        device=device,
        site=site,
        unit=unit,
        energy_unit=energy_unit,
        zone=zone,
        time=time,
        sign=sign,
        decimal=decimal,
        delimiter=delimiter,
        interval_end=interval_end,
        counter=counting,
        on_conflict=on_conflict,
        dry_run=dry_run,
        channel=channel,
    )
    import_file(options)


def upkeep(
    database: Annotated[
        str, typer.Option(metavar="URL", help="The database to keep in order.")
    ] = DATABASE,
    archive: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where readings go when their time is over: a folder or s3://bucket/prefix. The "
            "database remembers it; name it once.",
        ),
    ] = None,
    keep_raw: Annotated[
        str, typer.Option(metavar="TIME", help="How long readings stay in the database.")
    ] = "7d",
    keep_quarter_hours: Annotated[
        str, typer.Option(metavar="TIME", help="How long totals of quarter-hours are kept.")
    ] = "90d",
    keep_days: Annotated[
        str, typer.Option(metavar="TIME", help="How long totals of days are kept.")
    ] = "2y",
    keep_months: Annotated[
        str, typer.Option(metavar="TIME", help="How long totals of months are kept.")
    ] = "forever",
    hash_partitions: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="PostgreSQL: divide each day that is still to come into N parts, by device.",
        ),
    ] = None,
    brin: Annotated[
        bool,
        typer.Option("--brin", help="PostgreSQL: give each such day a block range index as well."),
    ] = False,
    roll_up_only: Annotated[
        bool, typer.Option("--roll-up-only", help="Archive nothing and remove nothing.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing, and say what would be done.")
    ] = False,
) -> None:
    """Bring totals up to date, archive old readings, and remove what its time is over.

    Meant for cron, once a day. Nothing is removed before its totals are computed and compared and,
    with an archive, before it is written there and read back. Without an archive old readings are
    gone for good. Killed at any moment, it loses nothing: run it again, and it goes on.

    A TIME is days, weeks or years of 365 days, such as 7d, 12w or 2y, or forever.
    """
    from energycore.cli.upkeep import UpkeepOptions, keep_up

    keep = {"raw": keep_raw, "quarter_hour": keep_quarter_hours}
    options = UpkeepOptions(
        database=database,
        archive=archive,
        keep=keep | {"day": keep_days, "month": keep_months},
        hash_partitions=hash_partitions,
        brin=brin,
        dry_run=dry_run,
        roll_up_only=roll_up_only,
    )
    keep_up(options)
