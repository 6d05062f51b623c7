"""The archive of a tenant: the one that is named, or the one that the database remembers."""

from collections.abc import Collection, Sequence
from functools import cached_property
from pathlib import Path

from energycore.protocols.archive import Archive, ArchivedFile
from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage
from energycore.services.settings import ARCHIVE_SETTING
from energycore.telemetry.readings import ReadingBatch

__all__ = ["DeferredArchive", "archive_url", "tenant_archive"]


def tenant_archive(
    storage: Storage, scope: Scope, known: str | None, given: str | Archive | None = None
) -> Archive | None:
    """The archive of a tenant.

    Args:
        storage: remembers the URL of an archive that is named.
        scope: the tenant.
        known: the URL that the storage remembers.
        given: an archive, or its URL; by default the one that the storage remembers.

    Raises:
        InvalidValue: the URL cannot be one.
        MissingExtra: the packages of archives are not installed.
    """
    if given is None:
        return None if known is None else DeferredArchive(known)
    if not isinstance(given, str):
        return given
    from energycore.archive import open_archive

    archive = open_archive(given)
    url = archive_url(given)
    if url != known:
        with storage.transaction(write=True) as work:
            work.settings.put(scope, ARCHIVE_SETTING, url)
    return archive


def archive_url(given: str) -> str:
    """The URL that is remembered: whoever opens the database next may stand in another folder."""
    return given if "://" in given else str(Path(given).absolute())


class DeferredArchive:
    """An archive that is opened when it is first needed.

    Args:
        url: as for `open_archive`.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def _archive(self) -> Archive:
        from energycore.archive import open_archive

        return open_archive(self._url)

    def new_name(self, scope: Scope, day: int) -> str:
        """A name that no file has or will have."""
        return self._archive.new_name(scope, day)

    def write(self, scope: Scope, day: int, batch: ReadingBatch, *, name: str) -> ArchivedFile:
        """Write a day's readings; the file is complete or not there."""
        return self._archive.write(scope, day, batch, name=name)

    def read(self, scope: Scope, name: str, *, ids: Collection[int] | None = None) -> ReadingBatch:
        """The readings of a file, by device and instant."""
        return self._archive.read(scope, name, ids=ids)

    def names(self, scope: Scope) -> Sequence[str]:
        """The names of all files of the tenant."""
        return self._archive.names(scope)

    def delete(self, scope: Scope, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        self._archive.delete(scope, name)
