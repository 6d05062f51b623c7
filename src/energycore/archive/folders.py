"""Writing a file into a folder of this computer so that no crash leaves half of it."""

import os
from pathlib import Path

__all__ = ["put_in_folder", "remove_from_folder"]


def put_in_folder(root: Path, name: str, content: bytes) -> None:
    """Write a file to the disk under another name, and only then give it its own.

    Args:
        root: the folder that names start from; made where it is missing.
        name: path below it, with slashes.
        content: of the whole file.
    """
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    part = _part_of(path)
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:  # even an interruption leaves nothing behind
        part.unlink(missing_ok=True)
        raise
    for folder in (path.parent, *path.parent.parents):
        _sync(folder)
        if folder == root:
            break


def remove_from_folder(root: Path, name: str) -> None:
    """Remove a file if it is there, and what was written of it if its writer died."""
    path = root / name
    path.unlink(missing_ok=True)
    _part_of(path).unlink(missing_ok=True)


def _part_of(path: Path) -> Path:
    # Query engines pass over names that begin with a dot.
    return path.with_name(f".{path.name}.part")


def _sync(folder: Path) -> None:
    """Write the names in a folder to the disk, where the system has a way to ask for it."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
