"""Fair comparisons: contestants take turns, the median counts, every line has a limit."""

import statistics
import time
from collections.abc import Callable, Mapping

import attrs

__all__ = ["Line", "cpu_seconds", "interleaved"]


@attrs.frozen(kw_only=True)
class Line:
    """One measured figure and what it is held to.

    Args:
        name: what was measured.
        figure: the absolute value, for people, with its unit.
        ratio: the value that the limit binds.
        limit: the bound of `ratio`; None for a line that only informs.
        note: what the ratio compares.
        at_most: whether the limit is the largest allowed ratio, else the least.
    """

    name: str
    figure: str
    ratio: float
    limit: float | None
    note: str
    at_most: bool = True

    @property
    def passed(self) -> bool:
        """Whether the limit holds."""
        if self.limit is None:
            return True
        return self.ratio <= self.limit if self.at_most else self.ratio >= self.limit

    @property
    def bound(self) -> str:
        """The limit as it is printed."""
        return "-" if self.limit is None else f"{'<=' if self.at_most else '>='} {self.limit:g}"


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time [s] of this process for one call: other programs do not count."""
    begin = time.process_time_ns()
    work()
    return (time.process_time_ns() - begin) / 1e9


def interleaved(
    contestants: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    seconds: Callable[[Callable[[], object]], float] = cpu_seconds,
) -> dict[str, float]:
    """Median time [s] of each contestant: one call each to warm up, then they take turns.

    Args:
        contestants: what to call, by name.
        rounds: how often each is measured.
        seconds: measures one call.
    """
    for work in contestants.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, work in contestants.items():
            times[name].append(seconds(work))
    return {name: statistics.median(values) for name, values in times.items()}
