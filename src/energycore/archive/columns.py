"""A day of readings as the bytes of a Parquet file, and back."""

import os
from collections.abc import Collection
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from energycore.archive.names import FileName
from energycore.extras import load_extra
from energycore.quantities.instants import US_PER_MS
from energycore.quantities.units import MISSING, IntArray
from energycore.telemetry.readings import ReadingBatch

__all__ = ["decode", "encode", "load_arrow"]

_FORMAT: Final = "1"
# A hundred devices that report once a minute: what reading one of them has to unpack.
_ROWS_PER_GROUP: Final = 144_000
_ZSTD_LEVEL: Final = 3
# Enough for the footer of a day of 30,000 devices.
_TAIL_BYTES: Final = 131_072
_DIGEST_BYTES: Final = 16
_MAGIC: Final = b"PAR1"


def load_arrow() -> tuple[Any, Any]:
    """The modules `pyarrow` and `pyarrow.parquet`.

    Raises:
        MissingExtra: they are not installed.
    """
    parquet = load_extra("pyarrow.parquet", feature="An archive", extra="archive")
    return load_extra("pyarrow", feature="An archive", extra="archive"), parquet


def encode(name: FileName, batch: ReadingBatch) -> bytes:
    """Write readings by device and instant, with what they are in the key-value metadata.

    DELTA_BINARY_PACKED makes whole numbers of 64 bits as small as narrower ones. Instants are
    kept in milliseconds, unless one of them is finer. Before the footer stands its digest, which
    readers of Parquet pass over: they go where the footer points.
    """
    pa, pq = load_arrow()
    batch = _ordered(batch)
    at_ms = batch.at_us // US_PER_MS
    is_whole_ms = np.array_equal(at_ms * US_PER_MS, batch.at_us)
    unit, at = ("ms", at_ms) if is_whole_ms else ("us", batch.at_us)
    columns = [
        pa.array(batch.device_id),
        pa.array(at).cast(pa.timestamp(unit)),
        pa.array(batch.power_mw),
        pa.array(batch.stored_mwh, mask=batch.stored_mwh == MISSING),
    ]
    schema = _schema(unit)
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        compression_level=_ZSTD_LEVEL,
        use_dictionary=False,
        column_encoding="DELTA_BINARY_PACKED",
        store_schema=False,
        write_page_checksum=True,
    ) as writer:
        writer.write_table(pa.table(columns, schema=schema), row_group_size=_ROWS_PER_GROUP)
        writer.add_key_value_metadata(_about(name, len(batch)))
    content: bytes = sink.getvalue().to_pybytes()
    start = len(content) - _footer_length(content)
    return b"".join((content[:start], _digest(content[start:]), content[start:]))


def decode(file: Any, name: FileName, ids: Collection[int] | None = None) -> ReadingBatch:
    """Read what `encode` wrote, by device and instant.

    Args:
        file: open, and able to seek. What is read of it is checked against its checksums.
        name: what it must be.
        ids: the devices to read; only row groups that may hold one of them are unpacked.

    Raises:
        ValueError: this is another file. Of damaged pages pyarrow raises what it likes.
    """
    pa, pq = load_arrow()
    metadata = pq.read_metadata(pa.BufferReader(_footer(file)))
    pages = pq.ParquetFile(
        file, metadata=metadata, pre_buffer=True, page_checksum_verification=True
    )
    if not any(pages.schema_arrow.equals(_schema(unit)) for unit in ("ms", "us")):
        raise ValueError("it has other columns")
    for key, value in _about(name, metadata.num_rows).items():
        if metadata.metadata.get(key.encode()) != value.encode():
            raise ValueError(f"its {key} is not {value!r}")
    if ids is None:
        return _batch(pages.read())
    wanted = np.array(sorted({i for i in ids if -(2**63) <= i < 2**63}), dtype=np.int64)
    batch = _batch(pages.read_row_groups(_groups_with(metadata, wanted)))
    return batch.take(np.flatnonzero(np.isin(batch.device_id, wanted)))


def _footer(file: Any) -> bytes:
    """The end of a file, which says what it holds and where; it is as it was written.

    Raises:
        ValueError: it is not. Over a damaged footer pyarrow may end the process.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL_BYTES))
    tail: bytes = file.read(_TAIL_BYTES)
    length = _footer_length(tail)
    if not tail.endswith(_MAGIC) or length + _DIGEST_BYTES > size:
        raise ValueError("it does not end like a Parquet file")
    if length + _DIGEST_BYTES > len(tail):
        file.seek(size - length - _DIGEST_BYTES)
        tail = file.read(length + _DIGEST_BYTES)
    footer = tail[-length:]
    if tail[-length - _DIGEST_BYTES : -length] != _digest(footer):
        raise ValueError("its footer has another digest")
    return footer


def _footer_length(tail: bytes) -> int:
    """Of what ends with the length of the metadata, in 4 bytes, and with the word of Parquet."""
    return int.from_bytes(tail[-8:-4], "little") + 8


def _digest(footer: bytes) -> bytes:
    return blake2b(footer, digest_size=_DIGEST_BYTES).digest()


def _schema(unit: str) -> Any:
    pa, _ = load_arrow()
    return pa.schema(
        [
            pa.field("device_id", pa.int64(), nullable=False),
            pa.field("at", pa.timestamp(unit), nullable=False),
            pa.field("power_mw", pa.int64(), nullable=False),
            pa.field("stored_mwh", pa.int64()),
        ]
    )


def _about(name: FileName, rows: int) -> dict[str, str]:
    return {
        "energycore.format": _FORMAT,
        "energycore.tenant": name.tenant,
        "energycore.day": name.day,
        "energycore.file": name.unique,
        "energycore.rows": str(rows),
    }


def _ordered(batch: ReadingBatch) -> ReadingBatch:
    device, at_us = batch.device_id, batch.at_us
    same, later = device[1:] == device[:-1], at_us[1:] >= at_us[:-1]
    if np.all((device[1:] > device[:-1]) | (same & later)):
        return batch
    return batch.take(np.lexsort((at_us, device)))


def _groups_with(metadata: Any, wanted: IntArray) -> list[int]:
    """The row groups whose range of devices holds one of those wanted."""
    groups = []
    for group in range(metadata.num_row_groups):
        device = metadata.row_group(group).column(0).statistics
        first = np.searchsorted(wanted, device.min)
        if first < len(wanted) and wanted[first] <= device.max:
            groups.append(group)
    return groups


def _batch(table: Any) -> ReadingBatch:
    pa, _ = load_arrow()
    at: NDArray[Any] = table["at"].cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
    return ReadingBatch(
        device_id=table["device_id"].to_numpy(),
        at_us=at,
        power_mw=table["power_mw"].to_numpy(),
        stored_mwh=table["stored_mwh"].fill_null(MISSING).to_numpy(),
    )
