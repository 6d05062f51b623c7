"""Files of an archive, in a folder or an object store, and what errors of reaching them mean."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs

from energycore.archive.folders import put_in_folder, remove_from_folder
from energycore.errors import ArchiveUnavailable

__all__ = ["Files", "Source"]

_ADDRESS: Final = re.compile(r"\w+://[^\s'\"]*")


@attrs.frozen(kw_only=True)
class Files:
    """Files by their names, which are paths below a root.

    Every method raises `ArchiveUnavailable` where the file system or object store does not do it.
    """

    filesystem: Any = attrs.field(repr=False)
    """Of fsspec."""
    root: str
    is_folder: bool
    """Whether the root is a folder that this computer has; else it is a prefix in a store."""

    def put(self, name: str, content: bytes) -> None:
        """Write a new file; it appears with all of its content or not at all."""
        with _reaching():
            if self.is_folder:
                put_in_folder(self._folder, name, content)
            else:
                self.filesystem.pipe_file(self._path(name), content)

    @contextmanager
    def opened(self, name: str) -> Iterator["Source"]:
        """A file of which parts will be read."""
        with _reaching(name):
            # What is asked for are whole ranges: reading ahead would fetch what nobody wants.
            file = self.filesystem.open(self._path(name), "rb", cache_type="none")
        with file:
            yield Source(file, name)

    def names(self, folder: str) -> list[str]:
        """All files of a folder and of those below it; none where there is no such folder."""
        path = self._path(folder)
        with _reaching():
            found = (
                _in_folder(self.filesystem, path) if self.is_folder else self.filesystem.find(path)
            )
        return [path[len(self.root) + 1 :] for path in found]

    def remove(self, name: str) -> None:
        """Remove a file if it is there, and what is there of it if it is not complete."""
        path = self._path(name)
        with _reaching():
            if self.is_folder:
                remove_from_folder(self._folder, name)
                return
            try:
                self.filesystem.rm_file(path)
            except FileNotFoundError:
                # So says a store whose bucket is not there as well: listing it tells them apart.
                self.filesystem.find(path)

    @property
    def _folder(self) -> Path:
        return Path(f"{self.root}/")

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}"


class Source:
    """An open file for pyarrow, out of which errors come as what they mean."""

    def __init__(self, file: Any, name: str) -> None:
        self._file = file
        self._name = name

    @property
    def closed(self) -> bool:
        """Never: it is closed by who opened it."""
        return False

    def read(self, size: int = -1) -> bytes:
        """That many bytes from where it stands, or all."""
        with _reaching(self._name):
            content: bytes = self._file.read(size)
            return content

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to another place; the new one."""
        with _reaching(self._name):
            place: int = self._file.seek(offset, whence)
            return place

    def tell(self) -> int:
        """Where it stands."""
        place: int = self._file.tell()
        return place


def _in_folder(filesystem: Any, path: str) -> list[str]:
    # Without being told to raise, fsspec shows a folder that it may not read as an empty one.
    try:
        found: list[str] = filesystem.find(path, on_error="raise")
    except FileNotFoundError:
        return []
    return found


@contextmanager
def _reaching(name: str | None = None) -> Iterator[None]:
    """Turn what a file system or object store raises into `ArchiveUnavailable`.

    Args:
        name: the file that must be there, if one must.
    """
    try:
        yield
    except Exception as error:  # each file system has errors of its own
        is_missing = name is not None and isinstance(error, FileNotFoundError)
        problem = f"has no file {name!r}" if is_missing else f"cannot do this now: {_reason(error)}"
        raise ArchiveUnavailable(f"the archive {problem}") from error


def _reason(error: Exception) -> str:
    """The first line of what was said, without addresses: they are not for everybody to know."""
    said = getattr(error, "strerror", None) or str(error)
    return _ADDRESS.sub("...", said.strip().partition("\n")[0]) or type(error).__name__
