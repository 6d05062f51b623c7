"""The commands and their options; what each does is in a module that is loaded when it runs."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from energycore.errors import EnergycoreError

__all__ = ["app"]

_DATABASE = "sqlite:///energycore.db"


class _Commands(TyperGroup):
    """Tells every error of energycore in one line, and ends with 1."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except EnergycoreError as error:
            message = " ".join(error.message.split())
            typer.echo(f"error: {message} ({error.code})", err=True)
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=_Commands,
    name="energycore",
    help="Home and distributed energy: simulate a home, or serve it over GraphQL.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

HomeFile = Annotated[
    Path, typer.Argument(metavar="HOME.toml", help="The home, such as examples/home.toml.")
]


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"energycore {version('energycore')}")
        raise typer.Exit


@app.callback()
def _energycore(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    pass


@app.command()
def simulate(
    home: HomeFile,
    days: Annotated[float, typer.Option(help="How many days of 24 hours.")] = 7.0,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="First day, such as 2026-06-01, or an instant; by default so many days ago.",
        ),
    ] = None,
    step: Annotated[
        str, typer.Option(metavar="STEP", help="Length of a tick: 30s, 1min, 15min, 1h.")
    ] = "1min",
    seed: Annotated[
        int | None, typer.Option(help="Seed of the noise; by default that of the file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the totals as JSON.")] = False,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the reading of every tick to a file.")
    ] = None,
) -> None:
    """Simulate a home and print what each device did; nothing is stored."""
    from energycore.cli.simulating import simulate_home

    simulate_home(home, days=days, start=start, step=step, seed=seed, as_json=as_json, csv=csv)


@app.command()
def serve(
    home: Annotated[
        Path | None,
        typer.Argument(
            metavar="HOME.toml",
            help="A home to register once and simulate; without one the database is served as it "
            "is, also a new and empty one.",
        ),
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Serve the home of the examples.")] = False,
    database: Annotated[
        str, typer.Option(metavar="URL", help="Where everything is kept.")
    ] = _DATABASE,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port to listen at; 0 picks a free one.")
    ] = 8000,
    no_tick: Annotated[
        bool,
        typer.Option("--no-tick", help="Only answer; another process ticks and rolls up, or none."),
    ] = False,
    speed: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            help="Let the database's clock run N times as fast: 60 is a minute a second. Kept in "
            "the database, for good.",
        ),
    ] = None,
) -> None:
    """Serve a database over GraphQL, with a tick every minute; Ctrl-C stops.

    Totals are brought up to date every quarter-hour. Nothing is archived or removed by this: let
    cron run `energycore upkeep` for that.
    """
    if demo and home is not None:
        raise typer.BadParameter("goes without a HOME.toml", param_hint="--demo")
    from energycore.cli.serving import ServeOptions, serve_home

    options = ServeOptions(database=database, host=host, port=port, ticks=not no_tick, speed=speed)
    serve_home(home, demo=demo, options=options)


@app.command()
def tick(
    database: Annotated[
        str, typer.Option(metavar="URL", help="The database whose devices move.")
    ] = _DATABASE,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANT",
            help="Whole minute to tick at, such as 2026-06-01T12:00Z; by default the newest.",
        ),
    ] = None,
) -> None:
    """Run one tick, and those before it that are missing."""
    from energycore.cli.database import tick_once

    tick_once(database, at)


@app.command()
def history(
    database: Annotated[str, typer.Option(metavar="URL", help="The database to ask.")] = _DATABASE,
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
            min=1, max=36_500, metavar="N", help="Instead: from midnight N days ago until now; 7 by default."
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


@app.command()
def upkeep(
    database: Annotated[
        str, typer.Option(metavar="URL", help="The database to keep in order.")
    ] = _DATABASE,
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
        dry_run=dry_run,
        roll_up_only=roll_up_only,
    )
    keep_up(options)


@app.command()
def migrate(
    database: Annotated[
        str, typer.Argument(metavar="URL", help="The database, such as sqlite:///energycore.db.")
    ],
) -> None:
    """Bring a database of an older version up to date; make a copy first."""
    from energycore.cli.database import migrate_database

    migrate_database(database)


@app.command()
def schema() -> None:
    """Print the GraphQL schema."""
    from energycore.graphql import sdl

    typer.echo(sdl(), nl=False)


@app.command()
def doctor(
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help=f"A database to look at; by default {_DATABASE} if there is one.",
        ),
    ] = None,
) -> None:
    """Say what is installed, and what is reachable."""
    from energycore.cli.doctor import examine

    examine(database, default=_DATABASE)
