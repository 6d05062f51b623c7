"""Columns of a frame of any library as arrays of numpy, as they are, before they mean anything."""

import sys
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

from energycore.errors import InvalidValue
from energycore.extras import load_extra

__all__ = ["ArrowStream", "RawColumn", "RawFrame", "is_frame", "load_arrow"]

_USABLE = "a column of instants, numbers or text"


class ArrowStream(Protocol):
    """Whatever hands out its rows as an Arrow stream: most frames, and Arrow tables."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """A PyCapsule of the stream."""
        ...


@attrs.frozen(kw_only=True, eq=False)
class RawColumn:
    """n cells of one column.

    Args:
        values: shape (n,): instants as datetime64, whole numbers, numbers in which NaN is an absent
            one, or objects in which None is an absent one.
        has_zone: whether instants are in UTC; else they are readings of some clock.
        kind: what its library calls its type.
    """

    values: NDArray[Any]
    has_zone: bool = False
    kind: str


@attrs.frozen(kw_only=True, eq=False)
class RawFrame:
    """Columns by name, each of them read when it is asked for."""

    names: Sequence[Hashable]
    _length: int
    _read: Callable[[str, bool], RawColumn]

    @classmethod
    def of(cls, frame: object) -> "RawFrame":
        """The columns of a frame of pandas, or of anything that has an Arrow stream.

        Raises:
            InvalidValue: it is neither, or its rows have no columns.
            MissingExtra: it is not of pandas, and pyarrow is not installed.
        """
        if _is_pandas(frame):
            return _of_pandas(frame)
        if not is_frame(frame):
            limit = "a frame of pandas or polars, an Arrow table, or anything with an Arrow stream"
            raise InvalidValue("frame", type(frame).__name__, limit)
        return _of_arrow(frame)

    def __len__(self) -> int:
        return self._length

    def column(self, name: str, *, of_instants: bool = False) -> RawColumn:
        """A column by its name.

        Args:
            name: as it is called in the frame.
            of_instants: what its text is meant to say, instants or numbers. Text that says nothing
                else is given as what it says.

        Raises:
            InvalidValue: there is none of that name, or more than one, or none that can be read.
        """
        if list(self.names).count(name) != 1:
            names = ", ".join(map(str, self.names))
            raise InvalidValue("columns", name, f"names of columns, each there once ({names})")
        return self._read(name, of_instants)


def is_frame(given: object) -> bool:
    """Whether something is a frame of any library."""
    return _is_pandas(given) or hasattr(given, "__arrow_c_stream__")


def load_arrow(feature: str) -> Any:
    """The module `pyarrow`.

    Raises:
        MissingExtra: it is not installed; the message says what needs it.
    """
    return load_extra("pyarrow", feature=feature, extra="arrow")


def _is_pandas(given: object) -> bool:
    # Whoever has a frame has loaded pandas.
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(given, pandas.DataFrame)


def _of_pandas(frame: Any) -> RawFrame:
    levels = [name for name in frame.index.names if name is not None]

    def read(name: str, of_instants: bool) -> RawColumn:
        is_level = name in levels
        series = frame.index.get_level_values(name).to_series() if is_level else frame[name]
        return _pandas_column(name, series, of_instants)

    return RawFrame(names=[*frame.columns, *levels], length=len(frame), read=read)


def _pandas_column(name: str, series: Any, of_instants: bool) -> RawColumn:
    pandas, dtype = sys.modules["pandas"], series.dtype
    if isinstance(dtype, pandas.CategoricalDtype):
        return _pandas_column(name, series.astype(dtype.categories.dtype), of_instants)
    if isinstance(dtype, pandas.ArrowDtype) or getattr(dtype, "storage", "") == "pyarrow":
        return _arrow_column(name, series.array.__arrow_array__(), of_instants)
    if isinstance(dtype, pandas.DatetimeTZDtype):
        in_utc = series.dt.tz_convert("UTC").dt.tz_localize(None)
        return RawColumn(values=in_utc.to_numpy(), has_zone=True, kind=str(dtype))
    if dtype.kind == "M":
        values = series.to_numpy()
    elif dtype.kind in "iu" and not series.hasnans:
        values = series.to_numpy(dtype=f"{dtype.kind}8")
    elif dtype.kind in "iuf":
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    elif dtype.kind == "O":
        values = series.astype(object).to_numpy(copy=True)
        values[series.isna().to_numpy()] = None
    else:
        raise InvalidValue(name, str(dtype), _USABLE)
    return RawColumn(values=values, kind=str(dtype))


def _of_arrow(frame: Any) -> RawFrame:
    arrow = load_arrow("record(frame)")
    try:
        table = arrow.table(frame)
    except (arrow.ArrowException, TypeError, ValueError) as error:
        raise InvalidValue("frame", type(frame).__name__, f"columns by name ({error})") from error

    def read(name: str, of_instants: bool) -> RawColumn:
        return _arrow_column(name, table.column(name), of_instants)

    return RawFrame(names=table.column_names, length=len(table), read=read)


def _arrow_column(name: str, column: Any, of_instants: bool) -> RawColumn:
    arrow = load_arrow("record(frame)")
    types = arrow.types
    if types.is_dictionary(column.type):
        column = _decoded(arrow, column)
    if types.is_string_view(column.type):
        column = column.cast(arrow.large_string())
    if types.is_string(column.type) or types.is_large_string(column.type):
        column = _understood(arrow, column, of_instants)
    kind = column.type
    if types.is_date(kind):
        column = column.cast(arrow.timestamp("s" if types.is_date32(kind) else "ms"))
    elif types.is_decimal(kind):
        column = column.cast(arrow.float64(), safe=False)
    elif types.is_null(kind):
        return RawColumn(values=np.full(len(column), None), kind=str(kind))
    elif not any(is_kind(kind) for is_kind in _readable(types)):
        raise InvalidValue(name, str(kind), _USABLE)
    has_zone = types.is_timestamp(kind) and kind.tz is not None
    return RawColumn(values=column.to_numpy(), has_zone=has_zone, kind=str(kind))


def _readable(types: Any) -> Sequence[Callable[[Any], bool]]:
    return (
        types.is_timestamp,
        types.is_integer,
        types.is_floating,
        types.is_string,
        types.is_large_string,
    )


def _decoded(arrow: Any, column: Any) -> Any:
    """The values of a dictionary-encoded column."""
    kind = column.type.value_type
    # Arrow can look up in all types but this one.
    kind = arrow.string() if arrow.types.is_string_view(kind) else kind
    parts = [part.dictionary.cast(kind).take(part.indices) for part in column.chunks]
    return arrow.chunked_array(parts, kind)


def _understood(arrow: Any, column: Any, of_instants: bool) -> Any:
    """A text column as what all its cells say; as text if one of them says something else."""
    kinds = [arrow.float64()]
    if of_instants:
        kinds = [arrow.timestamp(unit, zone) for zone in ("UTC", None) for unit in ("us", "ns")]
    for kind in kinds:
        try:
            return column.cast(kind)
        except arrow.ArrowInvalid:
            continue
    return column
