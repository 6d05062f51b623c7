"""What `import energycore` costs, against the two libraries that it needs."""

import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

from benchmarks.measure import Line

__all__ = ["lines"]

_ROUNDS: Final = 15


_NEEDED: Final = "import attrs, numpy"
_OWN: Final = {
    "import": ("import energycore", 1.4),
    "import-simulate": ("from energycore import simulate", None),
}


def lines() -> Iterator[Line]:
    """CPU time of fresh interpreters that take turns."""
    statements = [_NEEDED, *(statement for statement, _ in _OWN.values())]
    times: dict[str, list[float]] = {statement: [] for statement in statements}
    for statement in statements:
        _cpu_seconds(statement)
    for _ in range(_ROUNDS):
        for statement in statements:
            times[statement].append(_cpu_seconds(statement))
    median = {statement: statistics.median(times[statement]) for statement in statements}
    for name, (statement, limit) in _OWN.items():
        yield Line(
            name=name,
            figure=f"{median[statement] * 1e3:.0f} ms for `{statement}`",
            ratio=median[statement] / median[_NEEDED],
            limit=limit,
            note=f"times `{_NEEDED}` ({median[_NEEDED] * 1e3:.0f} ms), CPU of whole processes",
        )


def _cpu_seconds(statement: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", statement], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
