"""A day of readings as the bytes of a Parquet file, and back."""

from collections.abc import Collection
from typing import Any, Final
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from energycore.extras import load_extra
from energycore.quantities.instants import US_PER_MS
from energycore.quantities.units import MISSING, IntArray
from energycore.telemetry.readings import ReadingBatch

__all__ = ["decode", "encode", "load_arrow"]

_FORMAT: Final = "1"
# A hundred devices that report once a minute: what reading one of them has to unpack.
_ROWS_PER_GROUP: Final = 144_000
_ZSTD_LEVEL: Final = 3


def load_arrow() -> tuple[Any, Any]:
    """The modules `pyarrow` and `pyarrow.parquet`.

    Raises:
        MissingExtra: they are not installed.
    """
    parquet = load_extra("pyarrow.parquet", feature="An archive", extra="archive")
    return load_extra("pyarrow", feature="An archive", extra="archive"), parquet


def encode(tenant: str, day: str, batch: ReadingBatch) -> bytes:
    """Write readings by device and instant, with what they are in the key-value metadata.

    DELTA_BINARY_PACKED makes whole numbers of 64 bits as small as narrower ones. Instants are
    kept in milliseconds, unless one of them is finer. No two files are equal.
    """
    pa, pq = load_arrow()
    batch = _ordered(batch)
    unit, us_per_unit = ("us", 1) if np.any(batch.at_us % US_PER_MS) else ("ms", US_PER_MS)
    columns = [
        pa.array(batch.device_id),
        pa.array(batch.at_us // us_per_unit).cast(pa.timestamp(unit)),
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
        writer.add_key_value_metadata(
            {**_about(tenant, day, len(batch)), "energycore.file": uuid4().hex}
        )
    content: bytes = sink.getvalue().to_pybytes()
    return content


def decode(source: Any, tenant: str, day: str, ids: Collection[int] | None = None) -> ReadingBatch:
    """Read what `encode` wrote, by device and instant.

    Args:
        source: the bytes of a file, or one that is open and can seek.
        tenant: whose it must be.
        day: the day that it must be of.
        ids: the devices to read; only row groups that may hold one of them are unpacked.

    Raises:
        ValueError: this is another Parquet file. Of other damage pyarrow raises what it likes.
    """
    pa, pq = load_arrow()
    reader = pa.BufferReader(source) if isinstance(source, bytes) else source
    file = pq.ParquetFile(reader, pre_buffer=True, page_checksum_verification=True)
    if not any(file.schema_arrow.equals(_schema(unit)) for unit in ("ms", "us")):
        raise ValueError("it has other columns")
    kept = file.metadata.metadata or {}
    for key, value in _about(tenant, day, file.metadata.num_rows).items():
        if kept.get(key.encode()) != value.encode():
            raise ValueError(f"its {key} is not {value!r}")
    if ids is None:
        return _batch(file.read())
    wanted = np.array(sorted({i for i in ids if -(2**63) <= i < 2**63}), dtype=np.int64)
    batch = _batch(file.read_row_groups(_groups_with(file.metadata, wanted)))
    return batch.take(np.flatnonzero(np.isin(batch.device_id, wanted)))


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


def _about(tenant: str, day: str, rows: int) -> dict[str, str]:
    return {
        "energycore.format": _FORMAT,
        "energycore.tenant": tenant,
        "energycore.day": day,
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
