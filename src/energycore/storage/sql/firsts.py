"""The first readings of each of many devices, in one statement that reads little else."""

from collections.abc import Collection
from contextlib import closing
from typing import Any

import numpy as np
from sqlalchemy import Select, select, true

from energycore.quantities.units import IntArray
from energycore.storage.rules import MAX_INT64, MIN_INT64
from energycore.storage.sql.faults import translated
from energycore.storage.sql.partitions import unchanged_numbers
from energycore.storage.sql.session import Session
from energycore.storage.sql.tables import reading

__all__ = ["first_of_each"]

Readings = Select[*tuple[Any, ...]]


def first_of_each(
    session: Session,
    readings: Readings,
    ids: Collection[int],
    limit: int,
    *,
    start_us: int,
    end_us: int,
) -> list[IntArray]:
    """The first so many readings of each device, in any order, as an array for each column.

    Args:
        session: the transaction.
        readings: selects readings of all devices, as whole numbers, the device first.
        ids: the devices.
        limit: how many of each.
        start_us: where they begin, which they are already kept to.
        end_us: where they end, likewise.
    """
    wanted = sorted({one for one in ids if MIN_INT64 <= one <= MAX_INT64})
    if session.is_postgresql:
        own = _by_device(session, readings, wanted, limit)
        return unchanged_numbers(session, own, start_us=start_us, end_us=end_us)
    return _by_time(session, readings, wanted, limit)


def _by_device(session: Session, readings: Readings, ids: list[int], limit: int) -> Readings:
    """Each device's own, by the index that begins with the device."""
    given = session.given(device_id=np.array(ids, dtype=np.int64))
    own = (
        readings.where(reading.c.device_id == given.c.device_id)
        .order_by(reading.c.at_us)
        .limit(limit)
        .lateral("own")
    )
    return select(*own.c).select_from(given.join(own, true()))


def _by_time(session: Session, readings: Readings, ids: list[int], limit: int) -> list[IntArray]:
    """All in the order of time, which is that of the table, until every device has enough."""
    statement = readings.where(session.is_among(reading.c.device_id, ids))
    missing = dict.fromkeys(ids, limit)
    left = limit * len(ids)
    found = []
    with translated(), closing(session.read(statement.order_by(reading.c.at_us))) as rows:
        while left and (row := rows.fetchone()) is not None:
            if missing[row[0]]:
                missing[row[0]] -= 1
                left -= 1
                found.append(tuple(row))
    width = len(statement.selected_columns)
    return list(np.array(found, dtype=np.int64).reshape(-1, width).T)
