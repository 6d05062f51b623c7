"""A history as Python sees it: buckets, frames, Arrow tables and a picture."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, overload
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import NDArray

from energycore.notebook.tables import Table, Words
from energycore.quantities.instants import to_epoch_us
from energycore.telemetry.calendar import Interval
from energycore.telemetry.history import EnergyBucket, EnergyHistory

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from matplotlib.figure import Figure

__all__ = ["History"]

_ENDS: Final = 12
_NUMBERS: Final = (
    "mean_power_w",
    "min_power_w",
    "max_power_w",
    "produced_wh",
    "consumed_wh",
    "net_wh",
    "mean_state_of_charge",
)
_SHOWN: Final = ("produced_wh", "consumed_wh", "net_wh", "mean_power_w")


@attrs.frozen(kw_only=True, repr=False)
class History:
    """What one or more devices did in a range, in buckets that follow the calendar.

    It has the length of its buckets and gives them by position or in a loop.
    """

    answer: EnergyHistory
    """The exact totals."""
    name: str = ""
    """What it is the history of."""

    @property
    def buckets(self) -> tuple[EnergyBucket, ...]:
        """The buckets in order, without a gap between them."""
        return self.answer.buckets

    @property
    def requested_interval(self) -> Interval:
        """What was asked for."""
        return self.answer.requested_interval

    @property
    def interval(self) -> Interval:
        """The coarsest interval in it: coarser than asked for where nothing finer is kept."""
        return self.answer.interval

    @property
    def time_zone(self) -> str:
        """IANA name of the time zone whose calendar it follows."""
        return self.answer.time_zone

    @property
    def produced_wh(self) -> float:
        """Energy of positive power in all buckets [Wh]."""
        return self.answer.produced_wh

    @property
    def consumed_wh(self) -> float:
        """Energy of negative power in all buckets, as a positive number [Wh]."""
        return self.answer.consumed_wh

    def __len__(self) -> int:
        return len(self.buckets)

    def __iter__(self) -> Iterator[EnergyBucket]:
        return iter(self.buckets)

    @overload
    def __getitem__(self, position: int) -> EnergyBucket: ...
    @overload
    def __getitem__(self, position: slice) -> tuple[EnergyBucket, ...]: ...
    def __getitem__(self, position: int | slice) -> EnergyBucket | tuple[EnergyBucket, ...]:
        return self.buckets[position]

    def __repr__(self) -> str:
        name = f"{self.name!r}, " if self.name else ""
        kind = self.requested_interval.value
        lines = [f"History({name}{len(self)} buckets by {kind}, {self.time_zone})"]
        if self.interval is not self.requested_interval:
            lines.append(f"of some of the time only totals by {self.interval.value} are kept")
        return "\n".join([*lines, *_lines(self.buckets)])

    def to_pandas(self) -> "pd.DataFrame":
        """A frame with one row for each bucket, by its start in the time zone of the history.

        Its columns are end, interval, coverage, reading_count, mean_power_w, min_power_w,
        max_power_w, produced_wh, consumed_wh, net_wh and mean_state_of_charge. What is not known
        is NaN and never 0.

        Raises:
            MissingExtra: pandas is not installed.
        """
        return self._table().to_pandas().set_index("start")

    def to_polars(self) -> "pl.DataFrame":
        """The same for polars: start is the first column, and what is not known is null.

        Raises:
            MissingExtra: polars or pyarrow is not installed.
        """
        return self._table().to_polars()

    def to_arrow(self) -> "pa.Table":
        """The same as an Arrow table.

        Raises:
            MissingExtra: pyarrow is not installed.
        """
        return self._table().to_arrow()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The same for any library that reads Arrow: `duckdb`, `polars.DataFrame(history)`, ...

        Raises:
            MissingExtra: pyarrow is not installed.
        """
        stream: Any = self._table().to_arrow("__arrow_c_stream__()")
        return stream.__arrow_c_stream__(requested_schema)

    def plot(self) -> "Figure":
        """A matplotlib figure: energy of each bucket, production upwards, consumption downwards.

        The net energy is a line; time of which nothing is known is hatched. Hours and
        quarter-hours show the power as well, and storages their charge.

        Raises:
            MissingExtra: matplotlib is not installed.
        """
        from energycore.notebook.plots import plot_history

        return plot_history(self)

    def _table(self) -> Table:
        kinds = list(Interval)
        codes = np.array([kinds.index(bucket.interval) for bucket in self], dtype=np.int64)
        return Table(
            zone=ZoneInfo(self.time_zone),
            columns={
                "start": _instants([bucket.start for bucket in self]),
                "end": _instants([bucket.end for bucket in self]),
                "interval": Words(codes, [kind.value for kind in kinds]),
                "coverage": np.array([bucket.coverage for bucket in self]),
                "reading_count": np.array([bucket.reading_count for bucket in self], np.int64),
                **{
                    name: np.array([getattr(bucket, name) for bucket in self], np.float64)
                    for name in _NUMBERS
                },
            },
        )


def _instants(instants: Sequence[datetime]) -> NDArray[np.datetime64]:
    at_us = np.array([to_epoch_us(at) for at in instants], dtype=np.int64)
    return at_us.astype("datetime64[us]")


def _lines(buckets: Sequence[EnergyBucket]) -> list[str]:
    """A table in plain text; of many rows the first and the last ones."""
    first, last = buckets, buckets[:0]
    if len(buckets) > 2 * _ENDS:
        first, last = buckets[:_ENDS], buckets[-_ENDS:]
    rows = [("start", "coverage", *_SHOWN), *map(_cells, first), *map(_cells, last)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    ]
    if last:
        lines.insert(1 + _ENDS, f"... {len(buckets) - 2 * _ENDS} more ...")
    return lines


def _cells(bucket: EnergyBucket) -> tuple[str, ...]:
    numbers = [getattr(bucket, name) for name in _SHOWN]
    start = bucket.start.isoformat(" ", "minutes")
    return start, f"{bucket.coverage:.3f}", *("-" if n is None else f"{n:,.1f}" for n in numbers)
