"""The newest readings of a device, without counting or reading all of them."""

from datetime import datetime
from typing import Any, Final

import attrs

from energycore.quantities.instants import US_PER_MS, from_epoch_us
from energycore.quantities.units import MILLI_PER_UNIT
from energycore.services.histories import Histories
from energycore.telemetry.readings import ReadingBatch
from energycore.wiring.energy import Energy

__all__ = ["MOST_READINGS", "ReadingRow", "newest_readings"]

MOST_READINGS: Final = 50

_US_PER_MINUTE: Final = 60_000_000
_REACHES_MIN: Final = (10, 60, 6 * 60, 36 * 60, 7 * 24 * 60)
"""How far before the newest reading is looked for others, one reach after the other."""


@attrs.frozen(kw_only=True)
class ReadingRow:
    """One reading."""

    at: datetime
    power_w: float
    stored_wh: float | None


def newest_readings(energy: Energy, device: Any, newest_us: int | None) -> list[ReadingRow]:
    """The newest readings of a device, the newest first, of at most a week.

    Looks back in steps that grow until there are enough, so that it reads a few times as many as
    it shows however often the device reports.

    Args:
        energy: the tenant's.
        device: as a model.
        newest_us: the instant of its newest reading; None while there is none.

    Raises:
        ArchiveUnavailable: some are in an archive that cannot be reached.
    """
    if newest_us is None:
        return []
    histories: Histories = energy.services.histories
    end_us = newest_us + US_PER_MS
    found = ReadingBatch.empty()
    for reach_min in _REACHES_MIN:
        found = histories.readings(
            energy.scope, [device.pk], start_us=end_us - reach_min * _US_PER_MINUTE, end_us=end_us
        )
        if len(found) >= MOST_READINGS:
            break
    columns = zip(
        found.at_us.tolist(), found.power_mw.tolist(), found.stored_or_none(), strict=True
    )
    rows = [
        ReadingRow(
            at=from_epoch_us(at_us),
            power_w=power_mw / MILLI_PER_UNIT,
            stored_wh=None if stored_mwh is None else stored_mwh / MILLI_PER_UNIT,
        )
        for at_us, power_mw, stored_mwh in columns
    ]
    return rows[: -MOST_READINGS - 1 : -1]
