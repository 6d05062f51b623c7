"""Finds the line of a TOML text that a table or key stands on, for messages that point at it."""

import bisect
import tomllib
from collections.abc import Sequence
from typing import Any

__all__ = ["KeyPath", "line_of"]

KeyPath = Sequence[str | int]
"""Keys of tables and positions in arrays, from the outside in."""


def line_of(text: str, path: KeyPath) -> int | None:
    """The line, counted from 1, where the statement begins that brings a path into a document.

    The parser itself is asked: the shortest beginning of the text that holds the path ends with
    that statement. Only whole statements parse, so a value may span several lines.

    Args:
        text: a whole TOML document without faults.
        path: for example ("devices", 2, "capacity_wh").

    Returns:
        The line, or None if the document has no such path.
    """
    lines = text.splitlines(keepends=True)
    ends = range(len(lines) + 1)
    last = bisect.bisect_left(ends, True, key=lambda end: _holds(_document(lines, end)[0], path))
    if last > len(lines):
        return None
    return _document(lines, last - 1)[1] + 1


def _document(lines: Sequence[str], end: int) -> tuple[Any, int]:
    """The longest beginning of at most `end` lines that parses, and how many lines it has."""
    for count in range(end, 0, -1):
        try:
            return tomllib.loads("".join(lines[:count])), count
        except tomllib.TOMLDecodeError:
            continue
    return {}, 0


def _holds(document: Any, path: KeyPath) -> bool:
    try:
        for step in path:
            document = document[step]
    except (IndexError, KeyError, TypeError):
        return False
    return True
