"""The archive itself: each day of a tenant's readings is a Parquet file."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import attrs
import numpy as np

from energycore.archive.columns import decode, encode
from energycore.archive.files import Files
from energycore.archive.names import FileName, tenant_folder
from energycore.errors import ArchiveDamaged, ArchiveUnavailable, InvalidValue
from energycore.protocols.archive import ArchivedFile
from energycore.protocols.scope import Scope, tenant_of
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.tiers import US_PER_DAY

__all__ = ["ParquetArchive"]


@attrs.frozen
class ParquetArchive:
    """Keeps days of readings as files; `open_archive` makes one.

    Nothing is read from a damaged file: its footer and its pages have checksums.
    """

    _files: Files

    def new_name(self, scope: Scope, day: int) -> str:
        """A name for a file of a day that no file has had or will have.

        Raises:
            InvalidValue: the calendar does not reach to that day.
        """
        return str(FileName.new(tenant_of(scope), day))

    def write(self, scope: Scope, day: int, batch: ReadingBatch, *, name: str) -> ArchivedFile:
        """Write a day's readings; the file is complete or not there.

        Raises:
            InvalidValue: the name is for other readings, one reading is of another day, or there
                is none.
            ArchiveUnavailable: it cannot be written.
        """
        named = FileName.parse(tenant_of(scope), name)
        if named is None or not named.is_of(day):
            raise InvalidValue("name", name, "a new name of this tenant and day")
        _check_day(day, batch)
        content = encode(named, batch)
        self._files.put(name, content)
        return ArchivedFile(name=name, day=day, rows=len(batch), size_bytes=len(content))

    def read(self, scope: Scope, name: str, *, ids: Collection[int] | None = None) -> ReadingBatch:
        """The readings of a file, by device and instant; of these devices only, where given.

        Raises:
            ArchiveUnavailable: it cannot be reached, or there is no such file.
            ArchiveDamaged: it does not hold what was written into it.
        """
        named = FileName.parse(tenant_of(scope), name)
        if named is None:
            raise ArchiveUnavailable(f"the archive has no file {name!r}")
        with self._files.opened(name) as file, _undamaged(name):
            return decode(file, named, ids)

    def names(self, scope: Scope) -> Sequence[str]:
        """The names of all files of the tenant, those that nothing refers to included."""
        tenant = tenant_of(scope)
        found = self._files.names(tenant_folder(tenant))
        return [name for name in found if FileName.parse(tenant, name)]

    def delete(self, scope: Scope, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        if FileName.parse(tenant_of(scope), name):
            self._files.remove(name)


def _check_day(day: int, batch: ReadingBatch) -> None:
    if not len(batch):
        raise InvalidValue("readings", 0, "at least one")
    for at_us in int(batch.at_us.min()), int(batch.at_us.max()):
        if at_us // US_PER_DAY != day:
            at = str(np.datetime64(at_us, "us"))
            raise InvalidValue("readings", at, f"of {np.datetime64(day, 'D')} in UTC")


@contextmanager
def _undamaged(name: str) -> Iterator[None]:
    try:
        yield
    except ArchiveUnavailable:
        raise
    except Exception as error:  # damage shows anywhere in a decoder
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ArchiveDamaged(f"{name} does not hold what was written: {reason}") from error
