"""Storing readings each of which has its own key: those whose key is taken are found, not stored.

They are written as if all keys were free, for they almost always are. If one is taken, a savepoint
takes the attempt back; the taken ones are looked up, and the others are tried again. PostgreSQL
logs such an attempt as an error: of it, few readings ask to be passed over where they are taken.
"""

from typing import Any, Final

import numpy as np
from sqlalchemy import Select, String, func, literal, select, true

from energycore.errors import Conflict
from energycore.quantities.units import MISSING, IntArray
from energycore.storage.sql.keyed import Stored
from energycore.storage.sql.ledger import LARGE
from energycore.storage.sql.session import Session
from energycore.storage.sql.tables import reading
from energycore.telemetry.readings import ReadingBatch

__all__ = ["replace", "store"]

_COLUMNS: Final = ("tenant_id", "device_id", "at_us", "power_mw", "stored_mwh")


def store(session: Session, tenant: str, batch: ReadingBatch) -> Stored:
    """Store the readings whose keys are free; what is there already of the others.

    Args:
        session: writes.
        tenant: whose readings they are.
        batch: of each device and instant one reading; all batches in the same order, so that none
            can lock out another.
    """
    if session.is_postgresql and len(batch) < LARGE:
        return _store_few(session, tenant, batch)
    return _store_many(session, tenant, batch)


def replace(session: Session, tenant: str, batch: ReadingBatch) -> None:
    """Store readings in the place of those of the same keys."""
    insert = session.insert(reading).from_select(_COLUMNS, _rows(session, tenant, batch))
    values = {name: insert.excluded[name] for name in ("power_mw", "stored_mwh")}
    session.change(
        insert.on_conflict_do_update(index_elements=reading.primary_key.columns, set_=values)
    )


def _store_few(session: Session, tenant: str, batch: ReadingBatch) -> Stored:
    insert = session.insert(reading).from_select(_COLUMNS, _rows(session, tenant, batch))
    key = reading.c.device_id, reading.c.at_us
    done = session.change(insert.on_conflict_do_nothing().returning(*key)).all()
    stored = {(device_id, at_us) for device_id, at_us in done}
    keys = zip(batch.device_id.tolist(), batch.at_us.tolist(), strict=True)
    refused = [place for place, key in enumerate(keys) if key not in stored]
    return _find(session, tenant, batch, np.array(refused, dtype=np.int64))


def _store_many(session: Session, tenant: str, batch: ReadingBatch) -> Stored:
    found: list[Stored] = []
    free = np.arange(len(batch))
    while len(free):
        try:
            with session.savepoint():
                _load(session, tenant, batch.take(free))
            break
        except Conflict:
            taken = _find(session, tenant, batch, free)
            if not len(taken):
                raise
            found.append(taken)
            free = np.setdiff1d(free, taken.key, assume_unique=True)
    return Stored.concatenate(found)


def _load(session: Session, tenant: str, batch: ReadingBatch) -> None:
    session.load(
        reading,
        {
            "tenant_id": tenant,
            "at_us": batch.at_us,
            "device_id": batch.device_id,
            "power_mw": batch.power_mw,
            "stored_mwh": batch.stored_mwh,
        },
    )


def _find(session: Session, tenant: str, batch: ReadingBatch, places: IntArray) -> Stored:
    """What is stored under the keys at these places."""
    if not len(places):
        return Stored.concatenate([])
    given = session.given(device_id=batch.device_id[places], at_us=batch.at_us[places])
    # The range spares the other days of a partitioned table.
    oldest_us, newest_us = int(batch.at_us.min()), int(batch.at_us.max())
    ordinal, power_mw, stored_mwh = session.numbers(
        select(
            given.c.ordinal,
            reading.c.power_mw,
            func.coalesce(reading.c.stored_mwh, MISSING).label("stored_mwh"),
        ).where(
            reading.c.tenant_id == tenant,
            reading.c.at_us.between(oldest_us, newest_us),
            reading.c.device_id == given.c.device_id,
            reading.c.at_us == given.c.at_us,
        )
    )
    return Stored(key=places[ordinal], power_mw=power_mw, stored_mwh=stored_mwh)


def _rows(session: Session, tenant: str, batch: ReadingBatch) -> Select[Any]:
    given = session.given(
        device_id=batch.device_id,
        at_us=batch.at_us,
        power_mw=batch.power_mw,
        stored_mwh=batch.stored_mwh,
    )
    stored_mwh = func.nullif(given.c.stored_mwh, MISSING)
    return (
        select(
            literal(tenant, String),
            given.c.device_id,
            given.c.at_us,
            given.c.power_mw,
            stored_mwh,
        )
        .where(true())  # without it SQLite takes ON for the beginning of a join
        .order_by(given.c.ordinal)
    )
