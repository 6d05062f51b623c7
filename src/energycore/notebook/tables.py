"""Columns as a frame of pandas or polars, or as an Arrow table; what is absent stays absent."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import attrs
from numpy.typing import NDArray

from energycore.extras import load_extra
from energycore.quantities.units import IntArray

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

__all__ = ["Table", "Words"]


@attrs.frozen(eq=False)
class Words:
    """n words out of a few.

    Args:
        codes: shape (n,), positions in `words`.
        words: the different words.
    """

    codes: IntArray
    words: Sequence[str]


@attrs.frozen(kw_only=True, eq=False)
class Table:
    """Columns of n rows by name.

    Args:
        zone: the time zone in which instants are shown.
        columns: words, or arrays of shape (n,): instants as datetime64[us] in UTC, whole numbers,
            or numbers of which NaN is an absent one.
    """

    zone: ZoneInfo
    columns: Mapping[str, NDArray[Any] | Words]

    def to_pandas(self) -> "pd.DataFrame":
        """A frame in which absent numbers are NaN.

        Raises:
            MissingExtra: pandas is not installed.
        """
        pandas: Any = load_extra("pandas", feature="to_pandas()", extra="pandas")
        columns = {}
        for name, column in self.columns.items():
            if isinstance(column, Words):
                columns[name] = pandas.Categorical.from_codes(column.codes, column.words)
            elif column.dtype.kind == "M":
                in_utc = pandas.DatetimeIndex(column).tz_localize("UTC")
                columns[name] = in_utc.tz_convert(self.zone)
            else:
                columns[name] = column
        frame: pd.DataFrame = pandas.DataFrame(columns)
        return frame

    def to_polars(self) -> "pl.DataFrame":
        """A frame in which absent numbers are null.

        Raises:
            MissingExtra: polars or pyarrow is not installed.
        """
        polars: Any = load_extra("polars", feature="to_polars()", extra="polars")
        arrow: Any = load_extra("pyarrow", feature="to_polars()", extra="polars")
        frame: pl.DataFrame = polars.from_arrow(self._arrow(arrow))
        return frame

    def to_arrow(self, feature: str = "to_arrow()") -> "pa.Table":
        """An Arrow table in which absent numbers are null.

        Raises:
            MissingExtra: pyarrow is not installed; the message says what needs it.
        """
        return self._arrow(load_extra("pyarrow", feature=feature, extra="arrow"))

    def _arrow(self, arrow: Any) -> "pa.Table":
        columns = {}
        for name, column in self.columns.items():
            if isinstance(column, Words):
                codes = arrow.array(column.codes, arrow.int32())
                columns[name] = arrow.DictionaryArray.from_arrays(codes, list(column.words))
            elif column.dtype.kind == "M":
                columns[name] = arrow.array(column, arrow.timestamp("us", tz=self.zone.key))
            else:
                columns[name] = arrow.array(column, from_pandas=True)
        table: pa.Table = arrow.table(columns)
        return table
