"""The table of readings."""

from collections.abc import Collection, Sequence

import attrs
import numpy as np
from sqlalchemy import select, tuple_

from energycore.protocols.records import AppendResult
from energycore.protocols.scope import Scope, tenant_of
from energycore.quantities.units import MISSING, IntArray
from energycore.storage.sql.session import AnyRow, Session
from energycore.storage.sql.tables import reading
from energycore.telemetry.readings import ReadingBatch

__all__ = ["SqlTelemetry"]

_KEYS_PER_STATEMENT = 1_000
_COLUMNS = reading.c.device_id, reading.c.at_us, reading.c.power_mw, reading.c.stored_mwh

Key = tuple[int, int]
"""A device and an instant."""
Value = tuple[int, int | None]
"""Power [mW] and stored energy [mWh]."""


@attrs.frozen
class SqlTelemetry:
    """Keeps readings."""

    _session: Session

    def append(self, scope: Scope, batch: ReadingBatch) -> AppendResult:
        """Store readings of known devices; (device, instant) is unique, the first one stays."""
        tenant = tenant_of(scope)
        self._session.check_writable()
        if not len(batch):
            return AppendResult(accepted=0, duplicates=0, conflicts=np.empty(0, dtype=np.int64))
        self._session.check_devices(tenant, batch.device_id.tolist())
        first, again = _first_of_each_key(batch)
        inserted = self._insert(tenant, batch.take(first))
        if len(inserted) == len(first) == len(batch):
            return AppendResult(
                accepted=len(batch), duplicates=0, conflicts=np.empty(0, dtype=np.int64)
            )
        return self._count(tenant, batch, first, again, inserted)

    def read(
        self, scope: Scope, ids: Collection[int], *, start_us: int, end_us: int
    ) -> ReadingBatch:
        """The readings of these devices with start <= instant < end, by device and instant."""
        tenant = tenant_of(scope)
        statement = (
            select(*_COLUMNS)
            .where(reading.c.tenant_id == tenant)
            .where(self._session.is_among(reading.c.device_id, ids))
            .where(reading.c.at_us >= start_us, reading.c.at_us < end_us)
            .order_by(reading.c.device_id, reading.c.at_us)
        )
        return _batch(self._session.read(statement).all())

    def _insert(self, tenant: str, batch: ReadingBatch) -> set[Key]:
        """Store readings whose keys are free; the keys of those that were stored."""
        columns = batch.device_id.tolist(), batch.at_us.tolist(), batch.power_mw.tolist()
        rows = [
            {
                "tenant_id": tenant,
                "device_id": device_id,
                "at_us": at_us,
                "power_mw": power_mw,
                "stored_mwh": stored_mwh,
            }
            for device_id, at_us, power_mw, stored_mwh in zip(
                *columns, batch.stored_or_none(), strict=True
            )
        ]
        insert = self._session.insert(reading).on_conflict_do_nothing()
        stored = insert.returning(reading.c.device_id, reading.c.at_us)
        return {(row[0], row[1]) for row in self._session.change(stored, rows)}

    def _count(
        self, tenant: str, batch: ReadingBatch, first: IntArray, again: IntArray, inserted: set[Key]
    ) -> AppendResult:
        """Tell duplicates from conflicts by what is stored now under the keys of the batch."""
        keys: list[Key] = list(zip(batch.device_id.tolist(), batch.at_us.tolist(), strict=True))
        values: list[Value] = list(
            zip(batch.power_mw.tolist(), batch.stored_or_none(), strict=True)
        )
        stored = {keys[row]: values[row] for row in first.tolist() if keys[row] in inserted}
        refused = [row for row in first.tolist() if keys[row] not in inserted]
        stored |= self._values(tenant, [keys[row] for row in refused])
        others = sorted([*refused, *again.tolist()])
        conflicts = [row for row in others if stored[keys[row]] != values[row]]
        return AppendResult(
            accepted=len(inserted),
            duplicates=len(others) - len(conflicts),
            conflicts=np.array(conflicts, dtype=np.int64),
        )

    def _values(self, tenant: str, keys: Sequence[Key]) -> dict[Key, Value]:
        found: dict[Key, Value] = {}
        for begin in range(0, len(keys), _KEYS_PER_STATEMENT):
            part = keys[begin : begin + _KEYS_PER_STATEMENT]
            statement = select(*_COLUMNS).where(
                reading.c.tenant_id == tenant,
                tuple_(reading.c.device_id, reading.c.at_us).in_(part),
            )
            found |= {(row[0], row[1]): (row[2], row[3]) for row in self._session.read(statement)}
        return found


def _first_of_each_key(batch: ReadingBatch) -> tuple[IntArray, IntArray]:
    """Positions of the first reading of each key, ordered by instant and device, and the others.

    Batches that insert in one order cannot lock each other out.
    """
    order = np.lexsort((batch.device_id, batch.at_us))
    devices, instants = batch.device_id[order], batch.at_us[order]
    is_first = np.append(True, (devices[1:] != devices[:-1]) | (instants[1:] != instants[:-1]))
    return order[is_first], order[~is_first]


def _batch(rows: Sequence[AnyRow]) -> ReadingBatch:
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    stored = [MISSING if value is None else value for value in columns[3]]
    return ReadingBatch(
        device_id=np.array(columns[0], dtype=np.int64),
        at_us=np.array(columns[1], dtype=np.int64),
        power_mw=np.array(columns[2], dtype=np.int64),
        stored_mwh=np.array(stored, dtype=np.int64),
    )
