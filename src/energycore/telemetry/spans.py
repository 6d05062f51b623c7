"""Sets of time as sorted stretches [from, to) that neither touch nor overlap."""

from collections.abc import Iterable

import attrs
import numpy as np
from numpy.typing import NDArray

from energycore.quantities.units import IntArray

__all__ = ["Spans"]


@attrs.frozen(eq=False)
class Spans:
    """A set of time, shape (n,) each; instants are whole numbers of any one unit."""

    starts: IntArray
    ends: IntArray

    @classmethod
    def of(cls, stretches: Iterable[tuple[int, int]]) -> "Spans":
        """The union of stretches in any order; empty ones do not count."""
        rows = np.array(sorted(s for s in stretches if s[0] < s[1]), dtype=np.int64)
        rows = rows.reshape(-1, 2)
        if not len(rows):
            return cls(rows[:, 0], rows[:, 1])
        reach = np.maximum.accumulate(rows[:, 1])
        begins = np.flatnonzero(np.append(True, rows[1:, 0] > reach[:-1]))
        return cls(rows[begins, 0], reach[np.append(begins[1:], len(rows)) - 1])

    def __len__(self) -> int:
        return len(self.starts)

    def __bool__(self) -> bool:
        return len(self.starts) > 0

    def stretches(self) -> list[tuple[int, int]]:
        """The stretches in order."""
        return list(zip(self.starts.tolist(), self.ends.tolist(), strict=True))

    def union(self, other: "Spans") -> "Spans":
        """What lies in either."""
        return Spans.of([*self.stretches(), *other.stretches()])

    def minus(self, other: "Spans") -> "Spans":
        """What lies in this one and not in the other."""
        left: list[tuple[int, int]] = []
        cuts = other.stretches()
        for start, end in self.stretches():
            first = int(np.searchsorted(other.ends, start, side="right"))
            at = start
            for cut_start, cut_end in cuts[first:]:
                if cut_start >= end:
                    break
                left.append((at, cut_start))
                at = max(at, cut_end)
            left.append((at, end))
        return Spans.of(left)

    def within(self, other: "Spans") -> "Spans":
        """What lies in both."""
        return self.minus(self.minus(other))

    def contains(self, starts: IntArray, ends: IntArray) -> NDArray[np.bool_]:
        """Whether each of k stretches lies in the set as a whole."""
        if not len(self):
            return np.zeros(len(starts), dtype=np.bool_)
        position = np.searchsorted(self.starts, starts, side="right") - 1
        found: NDArray[np.bool_] = (position >= 0) & (ends <= self.ends[np.maximum(position, 0)])
        return found
