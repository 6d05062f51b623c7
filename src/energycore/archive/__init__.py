"""An archive of readings as Parquet files, in a folder or in an object store that speaks S3."""

from energycore.archive.opening import open_archive
from energycore.archive.store import ParquetArchive

__all__ = ["ParquetArchive", "open_archive"]
