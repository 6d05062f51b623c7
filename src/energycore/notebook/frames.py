"""Readings from frames of pandas, polars and Arrow, and from CSV and Parquet files, as columns."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from energycore.errors import InvalidValue
from energycore.extras import load_extra
from energycore.notebook.cells import Cells, device_ids, instants, numbers
from energycore.notebook.raw import ArrowStream, RawFrame, is_frame, load_arrow
from energycore.quantities.signs import (
    SignConvention,
    convention_of,
    scale_of_energy,
    scale_of_power,
    to_energy_wh,
    to_power_w,
)
from energycore.quantities.zones import load_zone
from energycore.services.admission import POWER_LIMIT
from energycore.services.ingestion import NewReading, ReadingColumns
from energycore.telemetry.readings import ReadingBatch

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ArrowStream", "columns_of", "given_readings", "read_table"]

_COLUMNS: Final = ("device_id", "at", "power_w", "stored_wh")
_SUFFIXES: Final = (".csv", ".parquet")
_UNSAID: Final = {"sign": SignConvention.PRODUCTION_POSITIVE, "unit": "W", "energy_unit": "Wh"}
"""What is said of a frame by saying nothing, beside None."""


def columns_of(
    frame: object,
    *,
    columns: Mapping[str, str] | None = None,
    device: int | None = None,
    sign: SignConvention | str = SignConvention.PRODUCTION_POSITIVE,
    unit: str = "W",
    energy_unit: str = "Wh",
    time_zone: str | None = None,
) -> ReadingColumns:
    """Read readings out of a frame; a row that cannot be read is refused with its reason.

    Args:
        frame: of pandas, whose named index levels count as columns, of polars, an Arrow table, or
            anything with an Arrow stream. Its columns `device_id`, `at`, `power_w` and, if it is
            there, `stored_wh` are read; empty cells of the last one are none.
        columns: other names of these columns, such as {"at": "time"}.
        device: the device of all rows, instead of a column.
        sign: what a positive power means in the frame.
        unit: of the power: mW, W, kW or MW.
        energy_unit: of the stored energy: Wh, kWh or MWh.
        time_zone: IANA name of the zone in which instants without an offset were read from a
            clock. One that the clock skipped or showed twice is refused.

    Raises:
        InvalidValue: a column is missing or of another type, there is no such unit or sign, or
            `device` is given beside the column.
        InstantWithoutZone: the instants have no zone and `time_zone` names none.
        UnknownTimeZone: there is no such zone.
        MissingExtra: the frame is not of pandas, and pyarrow is not installed.
    """
    convention = sign if isinstance(sign, SignConvention) else convention_of(sign)
    scale_of_power(unit)
    scale_of_energy(energy_unit)
    zone = None if time_zone is None else load_zone(time_zone)
    raw = RawFrame.of(frame)
    names = _names(raw, columns or {}, device)
    if device is None:
        devices = device_ids(raw.column(names["device_id"]))
    else:
        devices = Cells(values=np.full(len(raw), device, dtype=np.int64), refused={})
    at = instants(raw.column(names["at"], of_instants=True), zone)
    power = numbers(raw.column(names["power_w"]), "power_w", POWER_LIMIT)
    stored = Cells(values=np.full(len(raw), np.nan), refused={})
    if "stored_wh" in names:
        stored = numbers(raw.column(names["stored_wh"]), "stored_wh", "a number, or absent")
    return ReadingColumns(
        device_id=devices.values,
        at_us=at.values,
        power_w=to_power_w(power.values, convention, unit),
        stored_wh=to_energy_wh(stored.values, energy_unit),
        refused=stored.refused | power.refused | devices.refused | at.refused,
    )


def _names(raw: RawFrame, columns: Mapping[str, str], device: int | None) -> dict[str, str]:
    """The name in the frame of each column that is to be read."""
    if unknown := sorted(set(columns) - set(_COLUMNS)):
        raise InvalidValue("columns", unknown[0], f"names for {', '.join(_COLUMNS)}")
    names = {column: columns.get(column, column) for column in _COLUMNS}
    if "stored_wh" not in columns and "stored_wh" not in raw.names:
        del names["stored_wh"]
    if device is not None and ("device_id" in columns or "device_id" in raw.names):
        raise InvalidValue("device", device, "absent where a column tells the device of each row")
    return names


def given_readings(
    given: Iterable[NewReading] | ReadingBatch | ArrowStream, **described: Any
) -> list[NewReading] | ReadingColumns:
    """Readings in any form, as services take them.

    Args:
        given: single readings, a batch, or a frame.
        **described: what `columns_of` is to know about a frame.

    Raises:
        InvalidValue: it is none of these, or something is said about a frame that is none.
        InstantWithoutZone, UnknownTimeZone, MissingExtra: see `columns_of`.
    """
    if is_frame(given):
        return columns_of(given, **described)
    for name, value in described.items():
        if value != _UNSAID.get(name):
            raise InvalidValue(name, value, "absent for readings that are no frame")
    if isinstance(given, ReadingBatch):
        return ReadingColumns(
            device_id=given.device_id,
            at_us=given.at_us,
            power_w=given.power_w,
            stored_wh=given.stored_wh,
        )
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        limit = "a list of NewReading, a ReadingBatch, or a frame of pandas, polars or Arrow"
        raise InvalidValue("readings", type(given).__name__, limit)
    return list(given)


def read_table(path: str | Path) -> "pa.Table":
    """Read a CSV or Parquet file; a CSV file is all text, which `columns_of` understands.

    Raises:
        InvalidValue: the name ends otherwise, or the file is damaged.
        OSError: it cannot be read.
        MissingExtra: pyarrow is not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _SUFFIXES:
        raise InvalidValue("file", str(path), f"named {' or '.join(_SUFFIXES)}")
    arrow = load_arrow("read_table()")
    try:
        table = _read_csv(arrow, path) if suffix == ".csv" else _read_parquet(path)
    except (arrow.ArrowException, OSError, ValueError) as error:
        # What the operating system says has a number; what else is an OSError, Arrow calls one.
        if getattr(error, "errno", None) is not None:
            raise
        reason = str(error).partition("\n")[0]
        raise InvalidValue("file", str(path), f"a sound {suffix[1:]} file ({reason})") from error
    return table


def _read_parquet(path: str | Path) -> "pa.Table":
    parquet = load_extra("pyarrow.parquet", feature="read_table()", extra="arrow")
    with parquet.ParquetFile(path) as file:
        return file.read()


def _read_csv(arrow: Any, path: str | Path) -> "pa.Table":
    """Every cell as text: one that is not like the others spoils nothing but its row."""
    csv = load_extra("pyarrow.csv", feature="read_table()", extra="arrow")
    with csv.open_csv(path) as reader:
        text = dict.fromkeys(reader.schema.names, arrow.string())
    options = csv.ConvertOptions(column_types=text, strings_can_be_null=True)
    return csv.read_csv(path, convert_options=options)
