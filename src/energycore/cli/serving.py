"""`energycore serve`: a database over GraphQL, with its jobs beside it, until it is stopped."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import attrs

from energycore.cli.consoles import note, progress_bar, screen
from energycore.cli.database import is_kept, shown_url
from energycore.cli.sockets import listening, url_of
from energycore.cli.stopping import CutOffRequests
from energycore.encoding.home import Home, load_home
from energycore.extras import load_extra
from energycore.jobs.homes import HISTORY, settle_home, simulate_history
from energycore.jobs.sentences import pace
from energycore.jobs.stopping import StopSignals
from energycore.jobs.threads import LAST_RUN_S, JobThreads
from energycore.jobs.ticks import run_ticks
from energycore.jobs.upkeep import SHORTEST_REST_S, run_upkeep
from energycore.protocols.records import DeviceFilter
from energycore.quantities.instants import US_PER_SECOND
from energycore.services.ticking import MAX_CATCH_UP, Progress
from energycore.telemetry.tiers import US_PER_QUARTER
from energycore.wiring.connect import connect
from energycore.wiring.energy import Energy

__all__ = ["DEMO_HOME", "ServeOptions", "serve_home"]

DEMO_HOME: Final = Path(__file__).with_name("home.toml")
"""The home of the examples, as the package carries it."""

_FEATURE: Final = "energycore serve"
_LAST_ANSWERS_S: Final = 5
_MAX_MESSAGE_BYTES: Final = 262_144
_QUERY: Final = '{"query": "{ energySummary { netPowerW storage { storedWh } } }"}'


@attrs.frozen(kw_only=True)
class ServeOptions:
    """How to serve; see `energycore serve --help`."""

    database: str
    host: str
    port: int
    ticks: bool
    speed: float | None
    channel: str | None = None


def serve_home(path: Path | None, *, demo: bool, options: ServeOptions) -> None:
    """Serve a database until SIGINT or SIGTERM, after bringing a home into it, if there is one.

    Raises:
        EnergycoreError: the file, the database, the address or an option cannot be used.
    """
    stop = StopSignals()
    with stop.caught():
        uvicorn = load_extra("uvicorn", feature=_FEATURE, extra="fastapi")
        adapter = load_extra("energycore_fastapi.app", feature=_FEATURE, extra="fastapi")
        chosen = DEMO_HOME if demo else path
        home = None if chosen is None else load_home(chosen)
        logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
        stop.check()
        with (
            listening(options.host, options.port) as socket,
            connect(
                options.database,
                seed=0 if home is None else home.seed,
                channel=options.channel,
            ) as database,
        ):
            energy = _prepared(database, home, options, stop)
            address = url_of(options.host, socket.getsockname()[1])
            app = adapter.create_app(
                energy,
                lifespan=_lifespan(
                    energy,
                    options,
                    max_catch_up=_catch_up(home),
                    started=lambda: _welcome(energy, home, address, options),
                ),
            )
            _run(uvicorn, app, socket, stop)
    note("stopped")


def _run(uvicorn: Any, app: object, socket: object, stop: StopSignals) -> None:
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="on",
        # A longer message is refused as it arrives, not when it is complete.
        ws_max_size=_MAX_MESSAGE_BYTES,
        timeout_graceful_shutdown=_LAST_ANSWERS_S,
    )
    server = uvicorn.Server(config)
    # Its own handlers would leave a moment before and after them in which a signal is lost.
    server.capture_signals = nullcontext
    stop.ends_by(partial(setattr, server, "should_exit", True))
    cut_off = CutOffRequests()
    with cut_off.watched():
        server.run(sockets=[socket])
    if not server.started:
        raise SystemExit(1)
    if cut_off.count:
        what = "1 request was" if cut_off.count == 1 else f"{cut_off.count} requests were"
        note(f"{what} cut off after {_LAST_ANSWERS_S} s")


def _prepared(
    energy: Energy, home: Home | None, options: ServeOptions, stop: StopSignals
) -> Energy:
    """Set the clock, bring the home in, run the ticks that are missing."""
    stop.check()
    if options.speed is not None:
        energy.accelerate(options.speed)
    services, scope = energy.services, energy.scope
    if home is not None:
        settled = settle_home(services, scope, home)
        for name in settled.differing:
            note(f"{name} is not as in the file: the database keeps what it has")
        stop.check()
        with progress_bar(f"simulating the last {HISTORY.days} days") as progress:
            result = simulate_history(services, scope, progress=_unless(stop, progress))
        if result is not None:
            note(f"simulated the last {HISTORY.days} days: {result.readings} readings")
    stop.check()
    if options.ticks:
        with progress_bar("catching up") as progress:
            late = energy.tick(max_catch_up=_catch_up(home), progress=_unless(stop, progress))
        if late.skipped:
            note(f"{late.skipped} ticks are too long ago to be made up for")
    return energy.by_running_clock()


def _unless(stop: StopSignals, progress: Progress) -> Progress:
    """Show the progress, and end between two transactions when it is asked for."""

    def show(done: int, total: int) -> None:
        stop.check()
        progress(done, total)

    return show


def _catch_up(home: Home | None) -> timedelta:
    return MAX_CATCH_UP if home is None else HISTORY


def _lifespan(
    energy: Energy, options: ServeOptions, *, max_catch_up: timedelta, started: Callable[[], None]
) -> Any:
    """What runs beside the application: ticks and roll-ups, in threads that end with it."""

    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        jobs = JobThreads(_jobs(energy, max_catch_up) if options.ticks else {})
        jobs.start()
        started()
        try:
            yield
        finally:
            for name in await asyncio.to_thread(jobs.stop):
                note(f"a {name} was cut off after {LAST_RUN_S:g} s: the next start runs it again")

    return lifespan


def _jobs(energy: Energy, max_catch_up: timedelta) -> dict[str, Callable[[threading.Event], None]]:
    """The jobs, by the name of one run of each."""
    given = energy.services, energy.scope
    speed = energy.speed or 1.0
    return {
        "tick": partial(run_ticks, *given, speed=speed, max_catch_up=max_catch_up),
        "roll-up": partial(run_upkeep, *given, speed=speed),
    }


def _welcome(energy: Energy, home: Home | None, address: str, options: ServeOptions) -> None:
    speed = energy.speed
    now = f"now {energy.clock.now():%Y-%m-%d %H:%M:%S} UTC"
    clock = f"real time, {now}" if speed is None else f"{pace(speed)}, {now}"
    every = "every 60 s by that clock" if options.ticks else "none"
    totals = _rolled_up(speed or 1.0) if options.ticks else "left to others"
    kept = is_kept(options.database)
    end = (
        "everything is kept in the database" if kept else "the database is in memory, and ends too"
    )
    lines = (
        f"energycore {version('energycore')} serves {_served(energy, home)}",
        "",
        f"  GraphQL   {address}/graphql",
        f"  Live      {address.replace('http', 'ws', 1)}/graphql (graphql-transport-ws)",
        f"  GraphiQL  {address}/",
        f"  Database  {shown_url(options.database)}",
        f"  Clock     {clock}",
        f"  Ticks     {every}",
        f"  Totals    {totals}",
        "",
        "Try:",
        f"  curl {address}/graphql -H 'content-type: application/json' \\",
        f"    -d '{_QUERY}'",
        "",
        f"Ctrl-C stops; {end}.",
    )
    screen().print("\n".join(lines), markup=False, soft_wrap=True)


def _rolled_up(speed: float) -> str:
    if speed * SHORTEST_REST_S > US_PER_QUARTER / US_PER_SECOND:
        return f"rolled up every {SHORTEST_REST_S:g} s"
    return "rolled up every 15 min by that clock"


def _served(energy: Energy, home: Home | None) -> str:
    with energy.services.storage.transaction(write=False) as work:
        stored = work.devices.count(energy.scope, DeviceFilter())
    if home is None:
        return f"a database ({_devices(stored)})"
    described = len(home.devices)
    more = "" if stored == described else f", {stored} in the database"
    return f"{home.site.name} ({_devices(described)}{more})"


def _devices(count: int) -> str:
    return "1 device" if count == 1 else f"{count} devices"
