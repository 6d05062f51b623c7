"""What a file's cells mean: by the unit, zone and sign that are declared, and by nothing else."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final
from zoneinfo import ZoneInfo

import attrs
import numpy as np

from energycore.cli.import_files import Part
from energycore.cli.lookups import Directory
from energycore.cli.refusals import InvalidOption
from energycore.errors import EnergycoreError, InvalidValue
from energycore.notebook.cells import Cells, instants, numbers
from energycore.notebook.raw import RawColumn
from energycore.protocols.records import SiteRecord
from energycore.quantities.instants import from_epoch_us
from energycore.quantities.signs import SignConvention, to_energy_wh, to_power_w
from energycore.quantities.units import FloatArray, IntArray

__all__ = ["Declared", "DeviceColumn", "Rows", "read_rows", "read_time"]

_US_PER_UNIT: Final = {
    "s": Decimal(1_000_000),
    "ms": Decimal(1_000),
    "us": Decimal(1),
    "ns": Decimal("0.001"),
}
_NUMBER: Final = "a finite number"

Refused = dict[int, EnergycoreError]
"""Rows that cannot be stored, by their position or number, each with its reason."""
Read = Callable[[object], object]
"""Makes something of a cell, or nothing: then it comes back as it is."""


@attrs.frozen(kw_only=True)
class Declared:
    """What a file does not say by itself."""

    zone: ZoneInfo | None
    """Where times without an offset were read from a clock."""
    time: Read | None
    """Reads a time that is not written in ISO 8601."""
    power_unit: str
    energy_unit: str
    sign: SignConvention
    has_decimal_comma: bool
    shift_us: int
    """How much later than its beginning an interval's mean is told."""


@attrs.frozen(kw_only=True, eq=False)
class Rows:
    """n rows that make sense so far, and those that do not.

    Args:
        number: shape (n,), as the file counts them.
        device_id: shape (n,).
        at_us: shape (n,), epoch microseconds in whole milliseconds.
        power_w: shape (n,), + produces; NaN where the file holds a counter.
        counter_wh: shape (n,); NaN where the file holds powers.
        stored_wh: shape (n,); NaN where none is told.
        refused: the others, by number.
    """

    number: IntArray
    device_id: IntArray
    at_us: IntArray
    power_w: FloatArray
    counter_wh: FloatArray
    stored_wh: FloatArray
    refused: Refused

    def __len__(self) -> int:
        return len(self.number)

    def take(self, rows: IntArray) -> "Rows":
        """Those at these positions, in this order; nothing is refused among them."""
        columns = (name for name in attrs.fields_dict(Rows) if name != "refused")
        return Rows(**{name: getattr(self, name)[rows] for name in columns}, refused={})


class DeviceColumn:
    """Which device each row is of: the same for all, or by what a column calls it.

    Args:
        directory: knows the devices.
        fixed: the device of all rows, where no column tells.
        site: whose devices are meant, where two sites have some of one name.
    """

    def __init__(
        self, directory: Directory, fixed: int | None = None, site: SiteRecord | None = None
    ) -> None:
        self._directory = directory
        self._fixed = fixed
        self._site = site
        self._known: dict[object, int | EnergycoreError] = {}

    def read(self, part: Part, name: str | None) -> Cells:
        """The numbers of the devices of a part's rows, from the column of that name."""
        if name is None:
            fixed = -1 if self._fixed is None else self._fixed
            return Cells(values=np.full(len(part.numbers), fixed, dtype=np.int64), refused={})
        found = [self._number(cell) for cell in part.column(name).values.tolist()]
        refused = {row: error for row, error in enumerate(found) if not isinstance(error, int)}
        values = [one if isinstance(one, int) else -1 for one in found]
        return Cells(values=np.array(values, dtype=np.int64), refused=refused)

    def _number(self, cell: object) -> int | EnergycoreError:
        if cell not in self._known:
            self._known[cell] = self._look_up(cell)
        return self._known[cell]

    def _look_up(self, cell: object) -> int | EnergycoreError:
        if cell is None:
            return InvalidValue("device_id", None, "the name, external id or number of a device")
        try:
            return self._directory.device(str(cell), self._site).id
        except EnergycoreError as error:
            return error


def read_rows(
    part: Part, columns: Mapping[str, str], declared: Declared, devices: DeviceColumn
) -> Rows:
    """Understand a part of a file.

    Args:
        part: as it is written.
        columns: the column of each of device_id, at, power_w or counter_wh, and stored_wh.
        declared: what the file does not say.
        devices: who knows what devices are called.

    Raises:
        InvalidValue: a column holds something else altogether.
        InstantWithoutZone: it has times without an offset, and no zone is declared.
    """
    at = _instants(part.column(columns["at"]), declared)
    device = devices.read(part, columns.get("device_id"))
    nothing = Cells(values=np.full(len(part.numbers), np.nan), refused={})
    measured = {
        field: _numbers(part.column(columns[field]), field, declared)
        if field in columns
        else nothing
        for field in ("power_w", "counter_wh", "stored_wh")
    }
    for field in {"power_w", "counter_wh"} & set(columns):
        _refuse_absent(measured[field], field)
    refused: Refused = {}
    for cells in (*reversed(measured.values()), device, at):
        refused |= cells.refused
    refused |= part.refused
    good = np.setdiff1d(np.arange(len(part.numbers)), np.array(sorted(refused), dtype=np.int64))
    number = np.asarray(part.numbers, dtype=np.int64)
    power, counter, stored = (cells.values[good] for cells in measured.values())
    return Rows(
        number=number[good],
        device_id=device.values[good],
        at_us=at.values[good] - declared.shift_us,
        power_w=to_power_w(power, declared.sign, declared.power_unit),
        counter_wh=to_energy_wh(counter, declared.energy_unit),
        stored_wh=to_energy_wh(stored, declared.energy_unit),
        refused={int(number[row]): error for row, error in refused.items()},
    )


def read_time(spelling: str) -> Read | None:
    """How a time is read that is spelt so; None for ISO 8601.

    Args:
        spelling: iso, s, ms, us or ns since 1970, or a pattern such as `%d.%m.%Y %H:%M`.

    Raises:
        InvalidValue: it is none of these.
    """
    if spelling == "iso":
        return None
    if spelling in _US_PER_UNIT:
        return _since_1970(_US_PER_UNIT[spelling])
    if "%" not in spelling or not _is_pattern(spelling):
        limit = "iso, s, ms, us or ns since 1970, or a pattern such as '%d.%m.%Y %H:%M'"
        raise InvalidValue("time", spelling, limit)
    return _by_pattern(spelling)


def _instants(column: RawColumn, declared: Declared) -> Cells:
    if declared.time is not None:
        values = np.empty(len(column.values), dtype=object)
        values[:] = [declared.time(cell) for cell in column.values.tolist()]
        return instants(RawColumn(values=values, kind=column.kind), declared.zone)
    if column.values.dtype.kind in "iuf":
        problem = "the times are numbers: say with --time what they count since 1970"
        raise InvalidOption("time", "iso", problem)
    return instants(column, declared.zone)


def _numbers(column: RawColumn, field: str, declared: Declared) -> Cells:
    if not declared.has_decimal_comma or column.values.dtype.kind != "O":
        return numbers(column, field, _NUMBER)
    cells = column.values.tolist()
    # A point would stand between thousands, and must not become a decimal one.
    written = [
        cell.replace(",", ".") if isinstance(cell, str) and "." not in cell else None
        for cell in cells
    ]
    found = numbers(
        RawColumn(values=np.array(written, dtype=object), kind=column.kind), field, _NUMBER
    )
    limit = "a number with a decimal comma"
    wrong = {
        row: InvalidValue(field, cell, limit)
        for row, (cell, text) in enumerate(zip(cells, written, strict=True))
        if cell is not None and (text is None or row in found.refused)
    }
    return Cells(values=found.values, refused=found.refused | wrong)


def _refuse_absent(cells: Cells, field: str) -> None:
    for row in np.flatnonzero(np.isnan(cells.values)).tolist():
        cells.refused.setdefault(row, InvalidValue(field, None, _NUMBER))


def _since_1970(us_per_unit: Decimal) -> Read:
    def read(cell: object) -> object:
        try:
            return from_epoch_us(int((Decimal(str(cell)) * us_per_unit).to_integral_value()))
        except (InvalidOperation, ValueError, OverflowError):
            return cell

    return read


def _by_pattern(pattern: str) -> Read:
    def read(cell: object) -> object:
        try:
            return _parsed(str(cell), pattern)
        except ValueError:
            return cell

    return read


def _is_pattern(pattern: str) -> bool:
    try:
        _parsed("", pattern)
    except ValueError as error:
        return "does not match" in str(error)
    return True


def _parsed(text: str, pattern: str) -> datetime:
    return datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone is declared apart from it
