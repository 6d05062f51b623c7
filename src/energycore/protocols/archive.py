"""What an archive promises: a day of a tenant's readings as one immutable file, in cold storage."""

from collections.abc import Collection, Sequence
from typing import Protocol

import attrs

from energycore.protocols.scope import Scope
from energycore.telemetry.readings import ReadingBatch

__all__ = ["Archive", "ArchivedFile"]


@attrs.frozen(kw_only=True)
class ArchivedFile:
    """A file that an archive has written."""

    name: str
    """Its path below the archive's root; opaque to all but the archive."""
    day: int
    """The UTC day of its readings, counted from 1970-01-01."""
    rows: int
    size_bytes: int


class Archive(Protocol):
    """Keeps days of readings. A file never changes: a changed day is a new file.

    Errors of the file system or object store arrive as `ArchiveUnavailable`, a file that is not
    what was written as `ArchiveDamaged`.
    """

    def new_name(self, scope: Scope, day: int) -> str:
        """A name for a file of a day that no file has had or will have."""
        ...

    def write(self, scope: Scope, day: int, batch: ReadingBatch, *, name: str) -> ArchivedFile:
        """Write a day's readings; the file is complete or not there.

        Args:
            scope: whose they are.
            day: the UTC day, counted from 1970-01-01.
            batch: its readings, in any order; at least one.
            name: from `new_name`, of the same tenant and day.
        """
        ...

    def read(self, scope: Scope, name: str, *, ids: Collection[int] | None = None) -> ReadingBatch:
        """The readings of a file, by device and instant; of these devices only, where given.

        Raises:
            ArchiveUnavailable: it cannot be reached, or there is no such file.
            ArchiveDamaged: the file cannot be read.
        """
        ...

    def names(self, scope: Scope) -> Sequence[str]:
        """The names of all files of the tenant, those that nothing refers to included."""
        ...

    def delete(self, scope: Scope, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        ...
