"""Writing a file into a folder of this computer so that no crash leaves half of it."""

import os
from pathlib import Path
from typing import Final

__all__ = ["put_in_folder"]

_ABANDONED_AFTER_S: Final = 3_600


def put_in_folder(root: Path, name: str, content: bytes) -> None:
    """Write a file under another name, to the disk, and only then give it its own.

    Query engines skip names that begin with a dot. What a writer left that died is removed when
    the next one comes by.

    Args:
        root: the folder that names start from; made where it is missing.
        name: path below it, with slashes.
        content: of the whole file.
    """
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:  # even an interruption leaves nothing behind
        part.unlink(missing_ok=True)
        raise
    _remove_abandoned(path)
    for folder in (path.parent, *path.parent.parents):
        _sync(folder)
        if folder == root:
            break


def _remove_abandoned(path: Path) -> None:
    written_s = path.stat().st_mtime
    for part in path.parent.glob(".*.part"):
        if written_s - part.stat().st_mtime > _ABANDONED_AFTER_S:
            part.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Write the names in a folder to the disk, where the system has a way to ask for it."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
