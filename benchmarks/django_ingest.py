"""20,000 readings into a Django project's PostgreSQL within `atomic`, against `bulk_create`."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import make_url

from benchmarks.measure import Line
from tests.support import postgresql

__all__ = ["lines", "measure"]

_LIMITS: Final = {"direct": 8.0, "idempotent": 2.5}
_READINGS: Final = 20_000
_DEVICES: Final = 200
_ROUNDS: Final = 5
_FIRST_US: Final = 1_780_272_000_000_000
_STEP_US: Final = 60_000_000


def lines() -> Iterator[Line]:
    """A line for readings that are new, and one where every second is there already."""
    try:
        with postgresql.server() as server, postgresql.new_database(server) as url:
            command = f"from benchmarks.django_ingest import measure; measure({url!r})"
            done = subprocess.run(
                [sys.executable, "-c", command], check=True, capture_output=True, text=True
            )
    except postgresql.NoServer as reason:
        yield Line(name="django-ingest", figure="", ratio=0.0, limit=None, note=str(reason))
        return
    seconds = dict(line.split() for line in done.stdout.splitlines())
    for name, limit in _LIMITS.items():
        own, bulk = float(seconds[name]), float(seconds["bulk"])
        yield Line(
            name=f"django-ingest-{name}",
            figure=f"{own * 1e3:.0f} ms, {_READINGS / own / 1e6:.2f} M readings/s",
            ratio=bulk / own,
            limit=limit,
            at_most=False,
            note=f"times as fast as bulk_create ({bulk * 1e3:.0f} ms)",
        )


def measure(url: str) -> None:
    """Print the median wall time of each way [s]; in a process of its own, for Django is global."""
    import statistics
    import time

    project = _project(url)
    batch, half = _batches(project)

    def wall(work: Any) -> float:
        begin = time.perf_counter()
        work()
        return time.perf_counter() - begin

    times: dict[str, list[float]] = {"direct": [], "idempotent": [], "bulk": []}
    for _ in range(_ROUNDS):
        project.clear()
        times["direct"].append(wall(lambda: project.append(batch)))
        project.clear()
        project.append(half)
        times["idempotent"].append(wall(lambda: project.append(batch)))
        project.clear()
        times["bulk"].append(wall(lambda: project.bulk_create(batch)))
    for name, each in times.items():
        print(name, statistics.median(each))


def _project(url: str) -> Any:
    from benchmarks.django_project import configure, postgresql_database

    configure(postgresql_database(make_url(url)))
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from benchmarks.django_bulk import Project

    return Project(_DEVICES)


def _batches(project: Any) -> tuple[Any, Any]:
    import numpy as np

    from energycore.quantities.units import MISSING
    from energycore.telemetry.readings import ReadingBatch

    number = np.arange(_READINGS, dtype=np.int64)
    batch = ReadingBatch(
        device_id=np.array(project.ids, dtype=np.int64)[number % _DEVICES],
        at_us=_FIRST_US + number // _DEVICES * _STEP_US,
        power_mw=number * 7_919 % 5_000_000,
        stored_mwh=np.full(_READINGS, MISSING),
    )
    return batch, batch.take(number[::2])
