"""The commands and their options; what each does is in a module that is loaded when it runs."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from energycore.cli.options import DATABASE, Channel
from energycore.cli.telemetry import history, import_readings, upkeep
from energycore.errors import EnergycoreError

__all__ = ["app"]


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
    ] = DATABASE,
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
    channel: Channel = None,
) -> None:
    """Serve a database over GraphQL, with a tick every minute; Ctrl-C stops.

    Totals are brought up to date every quarter-hour. Nothing is archived or removed by this: let
    cron run `energycore upkeep` for that.
    """
    if demo and home is not None:
        raise typer.BadParameter("goes without a HOME.toml", param_hint="--demo")
    from energycore.cli.serving import ServeOptions, serve_home

    options = ServeOptions(
        database=database,
        host=host,
        port=port,
        ticks=not no_tick,
        speed=speed,
        channel=channel,
    )
    serve_home(home, demo=demo, options=options)


@app.command()
def tick(
    database: Annotated[
        str, typer.Option(metavar="URL", help="The database whose devices move.")
    ] = DATABASE,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANT",
            help="Whole minute to tick at, such as 2026-06-01T12:00Z; by default the newest.",
        ),
    ] = None,
    channel: Channel = None,
) -> None:
    """Run one tick, and those before it that are missing."""
    from energycore.cli.database import tick_once

    tick_once(database, at, channel=channel)


app.command()(history)
app.command("import")(import_readings)
app.command()(upkeep)


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
            help=f"A database to look at; by default {DATABASE} if there is one.",
        ),
    ] = None,
) -> None:
    """Say what is installed, and what is reachable."""
    from energycore.cli.doctor import examine

    examine(database, default=DATABASE)
