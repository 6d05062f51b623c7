"""The readings that crash tests send: the same ones wherever they are made."""

from datetime import UTC, datetime

import numpy as np

import energycore as ec
from energycore.services.ingestion import ReadingColumns
from energycore.wiring.energy import Energy

__all__ = ["BATCH", "DEVICES", "NOW", "Standing", "batch", "prepare"]

BATCH = 1_000
DEVICES = 20
NOW = datetime(2026, 6, 15, tzinfo=UTC)
_BEGIN_US = int(datetime(2026, 6, 10, tzinfo=UTC).timestamp()) * 1_000_000
_STEP_US = 20_000_000


class Standing:
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOW

    @staticmethod
    def first() -> datetime:
        """Before the first reading."""
        return datetime(2026, 6, 1, tzinfo=UTC)


def prepare(energy: Energy) -> list[int]:
    """Register the devices, or find them."""
    site = energy.register_site(ec.Site(name="Home", time_zone="Europe/Berlin"), external_id="s")
    return [
        energy.register(
            ec.Appliance(name=f"Meter {number}", average_power_w=100),
            site=site,
            external_id=f"meter/{number}",
            data_source=ec.DataSource.REPORTED,
        ).id
        for number in range(DEVICES)
    ]


def batch(ids: list[int], number: int) -> ReadingColumns:
    """The n-th batch: the next 50 readings of each device; every fifth batch comes early."""
    rows = np.arange(BATCH) + number * BATCH
    at_us = _BEGIN_US + rows // DEVICES * _STEP_US
    return ReadingColumns(
        device_id=np.array(ids, dtype=np.int64)[rows % DEVICES],
        at_us=at_us,
        power_w=np.round(-100.0 - 50.0 * np.sin(rows * 0.37), 3),
        stored_wh=np.full(BATCH, np.nan),
    )
