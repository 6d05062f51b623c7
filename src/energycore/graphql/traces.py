"""Where an exception came from, without a word of what it says.

The text of an exception may hold what a client sent, the SQL that failed, a host or a file. The
names of its types and the lines of code that it passed do not.
"""

from collections.abc import Iterator
from traceback import walk_tb

__all__ = ["trace"]


def trace(error: BaseException) -> str:
    """Name the types of an exception and of its causes, and the lines that each passed."""
    return "\n".join(_lines(error))


def _lines(error: BaseException) -> Iterator[str]:
    seen: set[int] = set()
    current: BaseException | None = error
    leads = ""
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        kind = type(current)
        yield f"{leads}{kind.__module__}.{kind.__qualname__}"
        for frame, line in walk_tb(current.__traceback__):
            module = frame.f_globals.get("__name__", "?")
            yield f"  {module}:{line} in {frame.f_code.co_name}"
        cause, context = current.__cause__, current.__context__
        current = cause or (None if current.__suppress_context__ else context)
        leads = "caused by " if cause is not None else "while dealing with "
