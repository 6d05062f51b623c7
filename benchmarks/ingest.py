"""Two million readings into a database and out of it, against psql, bulk inserts and sqlite3."""

import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np
from sqlalchemy import make_url

from benchmarks.measure import Line
from energycore.devices.kinds.battery import Battery
from energycore.protocols.records import NewDevice
from energycore.protocols.scope import Scope
from energycore.quantities.units import MISSING
from energycore.storage.sql import SqlStorage, open_sql_storage
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.tiers import US_PER_DAY
from tests.support import postgresql

__all__ = ["lines"]

_DEVICES: Final = 2_000
_TICKS: Final = 1_000
_STEP_US: Final = 60_000_000
_ROUNDS: Final = 3
_BULK_BATCH: Final = 1_000
_BULK_READINGS: Final = 100_000
_SCATTER: Final = 2_654_435_761
_FIRST_US: Final = 20_605 * US_PER_DAY
_SCOPE: Final = Scope("default")
_COLUMNS: Final = ("tenant_id", "device_id", "at_us", "power_mw", "stored_mwh")
_INTO: Final = f"energycore_reading ({', '.join(_COLUMNS)})"


def lines() -> Iterator[Line]:
    """The lines of SQLite, and those of PostgreSQL where there is a server and psql."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _sqlite(Path(folder))
        try:
            with postgresql.server() as server, postgresql.new_database(server) as url:
                if shutil.which("psql") is None:
                    raise postgresql.NoServer("no psql on the PATH")
                yield from _postgresql(url, Path(folder))
        except postgresql.NoServer as reason:
            yield Line(name="ingest-pg", figure="", ratio=0.0, limit=None, note=str(reason))


@attrs.frozen
class Contestant:
    """What is done before it is measured, and what is measured."""

    prepare: Callable[[], object]
    work: Callable[[], object]


def _wall_seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _medians(
    contestants: dict[str, Contestant], seconds: Callable[[Callable[[], object]], float]
) -> dict[str, float]:
    """Median time [s] of each: they take turns, and each begins with what it prepares."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(_ROUNDS):
        for name, contestant in contestants.items():
            contestant.prepare()
            times[name].append(seconds(contestant.work))
    return {name: statistics.median(values) for name, values in times.items()}


def _batch(ids: list[int]) -> ReadingBatch:
    """Readings of all devices, minute after minute, as they arrive; half have storage."""
    count = len(ids) * _TICKS
    scattered = np.arange(count, dtype=np.int64) * _SCATTER
    return ReadingBatch(
        device_id=np.tile(np.array(ids, dtype=np.int64), _TICKS),
        at_us=np.repeat(_FIRST_US + np.arange(_TICKS) * _STEP_US, len(ids)),
        power_mw=scattered % 10_000_000 - 5_000_000,
        stored_mwh=np.where(np.arange(count) % 2, scattered % 13_500_000, MISSING),
    )


def _register(storage: SqlStorage) -> list[int]:
    with storage.transaction(write=True) as work:
        return [work.devices.add(_SCOPE, _new_device(number)).id for number in range(_DEVICES)]


def _new_device(number: int) -> NewDevice:
    wall = Battery(
        name=f"Wall {number}", capacity_wh=13_500, max_charge_w=5_000, max_discharge_w=5_000
    )
    return NewDevice(
        device=wall,
        noise_key=number,
        max_gap_us=_STEP_US,
        registered_at_us=_FIRST_US,
        simulated_from_us=_FIRST_US,
    )


def _append(storage: SqlStorage, batch: ReadingBatch, *, accepted: int) -> None:
    with storage.transaction(write=True) as work:
        result = work.telemetry.append(_SCOPE, batch)
    if (result.accepted, result.duplicates) != (accepted, len(batch) - accepted):
        raise AssertionError(f"unexpected {result}")


def _read(storage: SqlStorage, ids: list[int]) -> ReadingBatch:
    with storage.transaction(write=False) as work:
        return work.telemetry.read(_SCOPE, ids, start_us=_FIRST_US, end_us=_FIRST_US + US_PER_DAY)


def _rows(batch: ReadingBatch) -> Iterator[tuple[Any, ...]]:
    columns = batch.device_id.tolist(), batch.at_us.tolist(), batch.power_mw.tolist()
    return zip([_SCOPE.tenant] * len(batch), *columns, batch.stored_or_none(), strict=True)


# SQLite


def _sqlite(folder: Path) -> Iterator[Line]:
    file = folder / "home.db"
    with closing(open_sql_storage(f"sqlite:///{file}")) as storage:
        ids = _register(storage)
        batch = _batch(ids)

        def clear() -> None:
            with closing(sqlite3.connect(file)) as connection:
                for table in ("reading", "reading_day", "ledger"):
                    connection.execute(f"DELETE FROM energycore_{table}")
                connection.commit()
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        def bare() -> None:
            with closing(sqlite3.connect(file)) as connection, connection:
                connection.executemany(f"INSERT INTO {_INTO} VALUES (?, ?, ?, ?, ?)", _rows(batch))

        seconds = _medians(
            {
                "bare": Contestant(clear, bare),
                "append": Contestant(clear, lambda: _append(storage, batch, accepted=len(batch))),
                "replay": Contestant(int, lambda: _append(storage, batch, accepted=0)),
                "read": Contestant(int, lambda: _read(storage, ids)),
            },
            _wall_seconds,
        )
    yield Line(
        name="sqlite-append",
        figure=_rate(batch, seconds["append"]),
        ratio=seconds["bare"] / seconds["append"],
        limit=0.7,
        at_most=False,
        note=f"of a bare executemany of sqlite3 into the same table ({seconds['bare']:.1f} s)",
    )
    yield _replay("sqlite-replay", seconds)
    yield Line(
        name="sqlite-read",
        figure=_rate(batch, seconds["read"]),
        ratio=seconds["append"] / seconds["read"],
        limit=None,
        note="times as fast as storing them",
    )


# PostgreSQL


def _postgresql(url: str, folder: Path) -> Iterator[Line]:
    import psycopg

    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with (
        closing(open_sql_storage(url)) as storage,
        psycopg.connect(dsn, autocommit=True) as plain,
    ):
        plain.execute("SET statement_timeout = 0")
        ids = _register(storage)
        batch = _batch(ids)
        with storage.transaction(write=True) as work:
            day = _FIRST_US // US_PER_DAY
            work.telemetry.prepare(_SCOPE, start_day=day, end_day=day + 1)
        arriving, sorted_ = folder / "arriving.tsv", folder / "sorted.tsv"
        _write(arriving, batch)
        _write(sorted_, batch.by_time())
        middle = batch.by_time().take(np.array([len(batch) // 2]))
        every_second = batch.take(np.arange(0, len(batch), 2))

        def clear() -> None:
            for table in ("reading", "reading_day", "ledger"):
                plain.execute(f"TRUNCATE energycore_{table}")
            plain.execute("CHECKPOINT")

        def stored(before: ReadingBatch) -> Callable[[], None]:
            def prepare() -> None:
                clear()
                _append(storage, before, accepted=len(before))

            return prepare

        def append(accepted: int) -> Callable[[], None]:
            return lambda: _append(storage, batch, accepted=accepted)

        few = batch.take(np.arange(_BULK_READINGS))
        seconds = _medians(
            {
                "psql": Contestant(clear, lambda: _psql(dsn, arriving)),
                "psql-sorted": Contestant(clear, lambda: _psql(dsn, sorted_)),
                "one": Contestant(stored(middle), append(len(batch) - 1)),
                "half": Contestant(stored(every_second), append(len(batch) // 2)),
                "append": Contestant(clear, append(len(batch))),
                "replay": Contestant(int, append(0)),
                "read": Contestant(int, lambda: _read(storage, ids)),
                "fetch": Contestant(int, lambda: _fetch(plain, ids)),
                "bulk": Contestant(clear, lambda: _bulk_create(dsn, few)),
            },
            _wall_seconds,
        )
    seconds["bulk"] *= len(batch) / _BULK_READINGS
    yield from _postgresql_lines(batch, seconds)


def _postgresql_lines(batch: ReadingBatch, seconds: dict[str, float]) -> Iterator[Line]:
    psql = f"text \\copy of psql ({seconds['psql']:.1f} s; sorted {seconds['psql-sorted']:.1f} s)"
    for name, limit, note in (
        ("append", 1.3, f"times as fast as a {psql}; goal 1.75"),
        ("one", 0.6, "of that \\copy, when one reading in the middle is there already"),
        ("half", 0.6, "of that \\copy, when every second reading is there already"),
    ):
        yield Line(
            name=f"pg-{name}",
            figure=_rate(batch, seconds[name]),
            ratio=seconds["psql"] / seconds[name],
            limit=limit,
            at_most=False,
            note=note,
        )
    yield _replay("pg-replay", seconds)
    yield Line(
        name="pg-bulk",
        figure=_rate(batch, seconds["bulk"]),
        ratio=seconds["bulk"] / seconds["append"],
        limit=12.0,
        at_most=False,
        note=f"times as long as append takes INSERT of {_BULK_BATCH} objects, like bulk_create",
    )
    yield Line(
        name="pg-read",
        figure=_rate(batch, seconds["read"]),
        ratio=seconds["fetch"] / seconds["read"],
        limit=1.5,
        at_most=False,
        note=f"times as fast as fetching rows in order into arrays ({seconds['fetch']:.1f} s)",
    )


def _write(file: Path, batch: ReadingBatch) -> None:
    with file.open("w", encoding="utf-8") as out:
        for row in _rows(batch):
            out.write("\t".join("\\N" if value is None else str(value) for value in row) + "\n")


def _psql(dsn: str, file: Path) -> None:
    command = f"\\copy {_INTO} FROM '{file}'"
    subprocess.run(["psql", "--quiet", "--no-psqlrc", dsn, "--command", command], check=True)


@attrs.define(kw_only=True)
class Reading:
    """An object for each row, as an ORM has it."""

    tenant_id: str
    device_id: int
    at_us: int
    power_mw: int
    stored_mwh: int | None


def _bulk_create(dsn: str, batch: ReadingBatch) -> None:
    """As Django's bulk_create does with psycopg: objects, and parameters bound by the client."""
    import psycopg

    values = f"({', '.join(['%s'] * len(_COLUMNS))})"
    objects = [Reading(**dict(zip(_COLUMNS, row, strict=True))) for row in _rows(batch)]
    with psycopg.connect(dsn, cursor_factory=psycopg.ClientCursor) as connection:
        for begin in range(0, len(objects), _BULK_BATCH):
            part = objects[begin : begin + _BULK_BATCH]
            parameters = [getattr(one, name) for one in part for name in _COLUMNS]
            insert = f"INSERT INTO {_INTO} VALUES {', '.join([values] * len(part))}"
            connection.execute(insert, parameters)  # type: ignore[arg-type, unused-ignore] # made here


def _fetch(connection: Any, ids: list[int]) -> list[Any]:
    rows = connection.execute(
        "SELECT device_id, at_us, power_mw, stored_mwh FROM energycore_reading"
        " WHERE tenant_id = %s AND device_id = ANY(%s) AND at_us >= %s AND at_us < %s"
        " ORDER BY device_id, at_us",
        (_SCOPE.tenant, ids, _FIRST_US, _FIRST_US + US_PER_DAY),
    ).fetchall()
    stored = [MISSING if row[3] is None else row[3] for row in rows]
    columns = [np.array([row[place] for row in rows], dtype=np.int64) for place in range(3)]
    return [*columns, np.array(stored, dtype=np.int64)]


def _replay(name: str, seconds: dict[str, float]) -> Line:
    return Line(
        name=name,
        figure=f"{seconds['replay'] * 1e3:.0f} ms",
        ratio=seconds["replay"] / seconds["append"],
        limit=0.1,
        note="of the time of the first delivery",
    )


def _rate(batch: ReadingBatch, seconds: float) -> str:
    return f"{len(batch) / seconds / 1e6:.2f} M readings/s, {seconds:.1f} s"
