"""What became of the rows of a file, counted and told."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

import numpy as np

from energycore.cli.import_values import Rows
from energycore.cli.lookups import Directory
from energycore.errors import EnergycoreError
from energycore.services.ingestion import RecordResult

__all__ = ["Report", "wide_gaps"]

_MOST: Final = 10
_FEWEST: Final = 5


class Report:
    """Counts what became of each row; those that are refused are told with their reasons.

    Args:
        unit: what rows are counted in.
    """

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._counts: Counter[str] = Counter()
        self._codes: Counter[str] = Counter()
        self._first: list[tuple[int, EnergycoreError]] = []
        self.events: list[str] = []
        """What was made of counters."""
        self.notes: list[str] = []
        """What else whoever reads this should know."""

    @property
    def rejected(self) -> int:
        """How many rows were refused."""
        return self._codes.total()

    def add(self, result: RecordResult, numbers: Sequence[int]) -> None:
        """Count what became of the rows of these numbers."""
        self._counts["accepted"] += result.accepted
        self._counts["duplicates"] += result.duplicates
        self._counts["conflicts"] += result.conflicts
        self.refuse({numbers[one.index]: one.error for one in result.rejected})

    def refuse(self, refused: dict[int, EnergycoreError]) -> None:
        """Count rows that were refused, by their numbers."""
        self._codes.update(error.code for error in refused.values())
        self._first = sorted([*self._first, *refused.items()], key=_number)[:_MOST]

    def lines(self) -> Iterator[str]:
        """What happened, the counts, and why the first rows were refused."""
        yield from self.events
        names = "accepted", "duplicates", "conflicts"
        counts = [f"{name} {self._counts[name]:,}" for name in names]
        yield f"{', '.join(counts)}, rejected {self.rejected:,}"
        for number, error in self._first:
            message = " ".join(error.message.split())
            yield f"  {self._unit} {number}: {message} ({error.code})"
        if (more := self.rejected - len(self._first)) > 0:
            codes = ", ".join(f"{count:,} {code}" for code, count in self._codes.most_common())
            yield f"  and {more:,} more; of all: {codes}"


def wide_gaps(rows: Rows, directory: Directory) -> Iterator[str]:
    """Devices whose readings come less often than their power is held."""
    for device_id in np.unique(rows.device_id).tolist():
        record = directory.devices[device_id]
        at_us = np.unique(rows.at_us[rows.device_id == device_id])
        usual_us = int(np.median(np.diff(at_us))) if len(at_us) >= _FEWEST else 0
        if usual_us > record.max_gap_us:
            usual = timedelta(microseconds=usual_us)
            held = timedelta(microseconds=record.max_gap_us)
            yield (
                f"{record.device.name} is read every {usual}, but a power of it is held for {held}"
                " only: the time between is unknown, unless it is updated with a longer max_gap"
            )


def _number(refused: tuple[int, EnergycoreError]) -> int:
    return refused[0]
