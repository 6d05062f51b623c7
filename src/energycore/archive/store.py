"""The archive itself: each day of a tenant's readings is a Parquet file."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Final

import attrs
import numpy as np

from energycore.archive.columns import decode, encode, footer_of
from energycore.archive.files import Files
from energycore.archive.names import day_and_digest, digest_of, file_name, iso_day, tenant_folder
from energycore.errors import ArchiveDamaged, ArchiveUnavailable, InvalidValue
from energycore.protocols.archive import ArchivedFile
from energycore.protocols.scope import Scope, tenant_of
from energycore.quantities.instants import US_PER_SECOND
from energycore.telemetry.readings import ReadingBatch

__all__ = ["ParquetArchive"]

_US_PER_DAY: Final = 86_400 * US_PER_SECOND


@attrs.frozen
class ParquetArchive:
    """Keeps days of readings as files; `open_archive` makes one.

    Nothing is read from a damaged file: its name is the digest of its footer, and each page that
    the footer points at has a checksum.
    """

    _files: Files

    def write(self, scope: Scope, day: int, batch: ReadingBatch) -> ArchivedFile:
        """Write a day's readings under a name that no file has; it is complete or not there.

        Raises:
            InvalidValue: there is no reading, one is of another day, or there is no such day.
            ArchiveUnavailable: it cannot be written.
        """
        tenant = tenant_of(scope)
        _check_day(day, batch)
        content = encode(tenant, iso_day(day), batch)
        name = file_name(tenant, iso_day(day), footer_of(BytesIO(content)))
        self._files.put(name, content)
        return ArchivedFile(name=name, day=day, rows=len(batch), size_bytes=len(content))

    def read(self, scope: Scope, name: str, *, ids: Collection[int] | None = None) -> ReadingBatch:
        """The readings of a file, by device and instant; of these devices only, where given.

        Raises:
            ArchiveUnavailable: it cannot be reached, or there is no such file.
            ArchiveDamaged: it does not hold what was written into it.
        """
        tenant = tenant_of(scope)
        named = day_and_digest(tenant, name)
        if named is None:
            raise ArchiveUnavailable(f"the archive has no file {name!r}")
        day, digest = named
        with self._files.opened(name) as file, _undamaged(name):
            footer = footer_of(file)
            if digest_of(footer) != digest:
                raise ValueError("its footer is another")
            return decode(file, footer, tenant, day, ids)

    def names(self, scope: Scope) -> Sequence[str]:
        """The names of all files of the tenant, those that nothing refers to included."""
        tenant = tenant_of(scope)
        found = self._files.names(tenant_folder(tenant))
        return [name for name in found if day_and_digest(tenant, name)]

    def delete(self, scope: Scope, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        if day_and_digest(tenant_of(scope), name):
            self._files.remove(name)


def _check_day(day: int, batch: ReadingBatch) -> None:
    if not len(batch):
        raise InvalidValue("readings", 0, "at least one")
    first_us = day * _US_PER_DAY
    for at_us in int(batch.at_us.min()), int(batch.at_us.max()):
        if not first_us <= at_us < first_us + _US_PER_DAY:
            at = str(np.datetime64(at_us, "us"))
            raise InvalidValue("readings", at, f"of {iso_day(day)} in UTC")


@contextmanager
def _undamaged(name: str) -> Iterator[None]:
    try:
        yield
    except ArchiveUnavailable:
        raise
    except Exception as error:  # damage shows anywhere in a decoder
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ArchiveDamaged(f"{name} does not hold what was written: {reason}") from error
