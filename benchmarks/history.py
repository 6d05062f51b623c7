"""A year of minutes by local day and month: from kept totals, against SQL over the readings."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs
import numpy as np
from sqlalchemy import text

import energycore as ec
from benchmarks.measure import Line, interleaved
from energycore.quantities.units import MISSING
from energycore.telemetry.history import EnergyHistory
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.tiers import US_PER_DAY
from energycore.wiring.energy import Energy
from tests.support import postgresql

__all__ = ["lines"]

_DEVICES: Final = 10
_DAYS: Final = 365
_STEP_US: Final = 60_000_000
_ROUNDS: Final = 5
_ZONE: Final = "Europe/Berlin"
_FIRST: Final = datetime(2024, 12, 31, 23, tzinfo=UTC)
"""The beginning of 2025 in Berlin."""
_LAST: Final = _FIRST + timedelta(days=_DAYS)

_BY: Final = """
    SELECT date_trunc(:unit, to_timestamp(at_us / 1000000), :zone) AS bucket,
           sum(greatest(power_mw, 0)::numeric) * 60000 AS produced_mwms
    FROM energycore_reading
    WHERE tenant_id = 'default' AND device_id = ANY(:ids)
      AND at_us >= :first_us AND at_us < :last_us
    GROUP BY bucket ORDER BY bucket
"""


@attrs.frozen
class _Clock:
    at: datetime

    def now(self) -> datetime:
        """An instant after the year."""
        return self.at


def lines() -> Iterator[Line]:
    """A device by day, and a site by month."""
    try:
        with (
            postgresql.server() as server,
            postgresql.new_database(server) as url,
            ec.connect(url, clock=_Clock(_LAST + timedelta(days=1))) as energy,
        ):
            site = energy.register_site(ec.Site(name="Home", time_zone=_ZONE))
            devices = _devices(energy, site.id)
            _fill(energy, devices)
            energy.upkeep(retain=False)
            yield _line(
                "history-device-day",
                energy,
                lambda: energy.services.histories.of_devices(
                    energy.scope, devices[:1], _request(energy, "day")
                )[devices[0]],
                ("day", devices[:1]),
                "guide 10 ms",
            )
            yield _line(
                "history-site-month",
                energy,
                lambda: energy.services.histories.of_sites(
                    energy.scope, [site.id], _request(energy, "month")
                )[site.id],
                ("month", devices),
                "guide 20 ms",
            )
    except postgresql.NoServer as reason:
        yield Line(name="history", figure="", ratio=0.0, limit=None, note=str(reason))


def _devices(energy: Energy, site: int) -> list[int]:
    return [
        energy.register(
            ec.SolarPanel(name=f"Roof {number}", rated_power_w=5_000),
            site=site,
            data_source=ec.DataSource.REPORTED,
            max_gap=timedelta(minutes=1),
        ).id
        for number in range(_DEVICES)
    ]


def _fill(energy: Energy, devices: Sequence[int]) -> None:
    first_us = int(_FIRST.timestamp()) * 1_000_000
    ids = np.array(devices, dtype=np.int64)
    for day in range(_DAYS):
        at_us = first_us + day * US_PER_DAY + np.arange(1_440) * _STEP_US
        rows = np.arange(1_440 * _DEVICES)
        batch = ReadingBatch(
            device_id=np.repeat(ids, 1_440),
            at_us=np.tile(at_us, _DEVICES),
            power_mw=(rows * 7_919 + day * 104_729) % 5_000_000,
            stored_mwh=np.full(len(rows), MISSING),
        )
        with energy.services.storage.transaction(write=True) as work:
            work.telemetry.append(energy.scope, batch, reach_us=(0, _STEP_US))


def _request(energy: Energy, interval: str) -> Any:
    return energy.services.histories.request(_FIRST, _LAST, interval, _ZONE)


def _line(
    name: str,
    energy: Energy,
    ours: Callable[[], EnergyHistory],
    asked: tuple[str, Sequence[int]],
    guide: str,
) -> Line:
    def sql() -> list[int]:
        unit, ids = asked
        first_us, last_us = (int(at.timestamp()) * 1_000_000 for at in (_FIRST, _LAST))
        storage: Any = energy.services.storage
        with storage.connection(write=False) as connection:
            rows = connection.execute(
                text(_BY),
                {
                    "unit": unit,
                    "zone": _ZONE,
                    "ids": list(ids),
                    "first_us": first_us,
                    "last_us": last_us,
                },
            )
            return [int(row.produced_mwms) for row in rows]

    assert [bucket.produced_mwms for bucket in ours().buckets] == sql()
    seconds = interleaved({"ours": ours, "sql": sql}, rounds=_ROUNDS, seconds=_wall_seconds)
    return Line(
        name=name,
        figure=f"{seconds['ours'] * 1e3:.1f} ms ({guide})",
        ratio=seconds["sql"] / seconds["ours"],
        limit=20.0,
        at_most=False,
        note=f"times faster than date_trunc over the readings ({seconds['sql'] * 1e3:.0f} ms)",
    )


def _wall_seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
