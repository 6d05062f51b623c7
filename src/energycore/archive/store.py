"""The archive itself: each day of a tenant's readings is a Parquet file."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import attrs
import numpy as np

from energycore.archive.columns import decode, encode
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

    A file is called by the digest of its content. Reading all of it compares the two; reading
    some devices checks the pages that are read against their checksums.
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
        name = file_name(tenant, iso_day(day), content)
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
        if ids is not None:
            with self._files.opened(name) as source, _undamaged(name):
                return decode(source, tenant, day, ids)
        content = self._files.fetch(name)
        with _undamaged(name):
            if digest_of(content) != digest:
                raise ValueError("its content has another digest")
            return decode(content, tenant, day)

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
    foreign = np.flatnonzero(batch.at_us // _US_PER_DAY != day)
    if len(foreign):
        at = np.datetime64(int(batch.at_us[foreign[0]]), "us")
        raise InvalidValue("readings", str(at), f"of {iso_day(day)} in UTC")


@contextmanager
def _undamaged(name: str) -> Iterator[None]:
    try:
        yield
    except ArchiveUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - damage is met anywhere in a decoder
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ArchiveDamaged(f"{name} does not hold what was written: {reason}") from error
