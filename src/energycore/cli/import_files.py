"""Files of readings, a part at a time: columns as they are written, with the number of each row."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np

from energycore.cli.refusals import InvalidOption
from energycore.errors import EnergycoreError, InvalidValue
from energycore.extras import load_extra
from energycore.notebook.raw import RawColumn, RawFrame

__all__ = ["ROWS", "Part", "ReadingFile", "opened"]

ROWS: Final = 50_000
"""How many rows are read, and stored, at once."""


@attrs.frozen(kw_only=True, eq=False)
class Part:
    """Some rows of a file, one after the other.

    Args:
        numbers: of each row, as the file counts them.
        column: gives a column by its name.
        refused: rows that are broken, by their position here.
        done: how much of the file is read.
    """

    numbers: Sequence[int]
    column: Callable[[str], RawColumn]
    refused: dict[int, EnergycoreError]
    done: int


@attrs.frozen(kw_only=True, eq=False)
class ReadingFile:
    """A file that is open for reading.

    Args:
        names: of its columns.
        unit: what its rows are counted in: lines or rows.
        size: how much `done` of its last part is.
        parts: reads it, the columns of these names.
    """

    names: Sequence[str]
    unit: str
    size: int
    parts: Callable[[Iterable[str]], Iterator[Part]]


@contextmanager
def opened(path: Path, delimiter: str) -> Iterator[ReadingFile]:
    """Open a CSV or Parquet file.

    Args:
        path: ends in .csv or .parquet.
        delimiter: what stands between the cells of a CSV file.

    Raises:
        InvalidValue: its name ends otherwise, or it cannot be read.
        MissingExtra: a Parquet file needs pyarrow.
    """
    openers: dict[str, Any] = {".csv": _opened_csv, ".parquet": _opened_parquet}
    suffix = path.suffix.lower()
    if suffix not in openers:
        raise InvalidValue("file", str(path), f"a file that ends in {' or '.join(openers)}")
    try:
        with openers[suffix](path, delimiter) as file:
            yield file
    except OSError as error:
        raise InvalidOption("file", path, f"{path} cannot be read: {error.strerror}") from None


@contextmanager
def _opened_csv(path: Path, delimiter: str) -> Iterator[ReadingFile]:
    if len(delimiter) != 1:
        raise InvalidValue("delimiter", delimiter, "a single character")
    with path.open("rb") as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as text:
        reader = csv.reader(text, delimiter=delimiter)
        names = _next_row(path, reader) or []

        def parts(wanted: Iterable[str]) -> Iterator[Part]:
            places = {name: names.index(name) for name in wanted}
            while (part := _csv_part(path, reader, len(names), places, raw)) is not None:
                yield part

        yield ReadingFile(names=names, unit="line", size=path.stat().st_size, parts=parts)


def _csv_part(
    path: Path, reader: Any, width: int, places: dict[str, int], raw: io.BufferedReader
) -> Part | None:
    """The next rows; None at the end of the file."""
    numbers: list[int] = []
    refused: dict[int, EnergycoreError] = {}
    cells: list[list[str | None]] = []
    while len(cells) < ROWS and (row := _next_row(path, reader)) is not None:
        if not row:
            continue
        if len(row) != width:
            refused[len(cells)] = InvalidValue("row", len(row), f"of {width} cells")
            row = [""] * width
        numbers.append(reader.line_num)
        cells.append([row[place].strip() or None for place in places.values()])
    if not cells:
        return None
    columns = dict(zip(places, zip(*cells, strict=True), strict=True))

    def column(name: str) -> RawColumn:
        return RawColumn(values=np.array(columns[name], dtype=object), kind="text")

    return Part(numbers=numbers, column=column, refused=refused, done=raw.tell())


def _next_row(path: Path, reader: Any) -> list[str] | None:
    try:
        row: list[str] | None = next(reader, None)
    except UnicodeDecodeError:
        problem = f"{path} is not in UTF-8, behind line {reader.line_num}"
        raise InvalidOption("file", path, problem) from None
    except csv.Error as error:
        problem = f"{path}:{reader.line_num}: this is no CSV: {error}"
        raise InvalidOption("file", path, problem) from None
    return row


@contextmanager
def _opened_parquet(path: Path, _delimiter: str) -> Iterator[ReadingFile]:
    feature = "Importing a Parquet file"
    arrow = load_extra("pyarrow", feature=feature, extra="arrow")
    parquet = load_extra("pyarrow.parquet", feature=feature, extra="arrow")
    try:
        with parquet.ParquetFile(path) as file:

            def parts(wanted: Iterable[str]) -> Iterator[Part]:
                done = 0
                for batch in file.iter_batches(
                    batch_size=ROWS, columns=list(dict.fromkeys(wanted))
                ):
                    frame = RawFrame.of(batch)
                    numbers = range(done + 1, done + len(frame) + 1)
                    done += len(frame)
                    yield Part(numbers=numbers, column=frame.column, refused={}, done=done)

            yield ReadingFile(
                names=file.schema_arrow.names, unit="row", size=file.metadata.num_rows, parts=parts
            )
    except arrow.ArrowException as error:
        reason = str(error).strip().partition("\n")[0]
        raise InvalidOption("file", path, f"{path} cannot be read: {reason}") from None
