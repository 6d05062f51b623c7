"""The ledger of large batches: one that comes again is answered without a look at its readings."""

from hashlib import blake2b
from typing import Final

import numpy as np
from sqlalchemy import ColumnElement, delete, exists, select

from energycore.storage.sql.session import Session
from energycore.storage.sql.tables import ledger
from energycore.telemetry.readings import ReadingBatch

__all__ = ["LARGE", "Ledger", "digest_of"]

LARGE: Final = 1_000
"""From so many readings on a batch is worth an entry."""
_DIGEST_BYTES: Final = 16


class Ledger:
    """The large batches of a tenant that were stored without a conflict."""

    def __init__(self, session: Session, tenant: str) -> None:
        self._session = session
        self._tenant = tenant

    def knows(self, digest: bytes | None) -> bool:
        """Whether a batch of this digest was entered."""
        if digest is None:
            return False
        entered = exists().where(ledger.c.tenant_id == self._tenant, ledger.c.digest == digest)
        return bool(self._session.read(select(entered)).scalar_one())

    def enter(self, digest: bytes | None, batch: ReadingBatch) -> None:
        """Enter a batch all of whose readings are stored now."""
        if digest is None:
            return
        row = {
            "tenant_id": self._tenant,
            "digest": digest,
            "readings": len(batch),
            "newest_us": int(batch.at_us.max()),
        }
        self._session.change(self._session.insert(ledger).values(row).on_conflict_do_nothing())

    def forget_from(self, at_us: int) -> None:
        """Forget the batches that may hold readings from an instant on."""
        self._forget(ledger.c.newest_us >= at_us)

    def forget_before(self, at_us: int) -> None:
        """Forget the batches that hold only readings before an instant."""
        self._forget(ledger.c.newest_us < at_us)

    def _forget(self, which: ColumnElement[bool]) -> None:
        self._session.change(delete(ledger).where(ledger.c.tenant_id == self._tenant, which))


def digest_of(batch: ReadingBatch) -> bytes | None:
    """What a large batch is known by; None for a small one, which is not entered."""
    if len(batch) < LARGE:
        return None
    digest = blake2b(digest_size=_DIGEST_BYTES)
    for column in (batch.device_id, batch.at_us, batch.power_mw, batch.stored_mwh):
        digest.update(np.ascontiguousarray(column).data)
    return digest.digest()
