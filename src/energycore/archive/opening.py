"""Opening an archive by its URL."""

import re
from typing import Any, Final

from energycore.archive.columns import load_arrow
from energycore.archive.files import Files
from energycore.archive.store import ParquetArchive
from energycore.errors import InvalidValue
from energycore.extras import load_extra

__all__ = ["open_archive", "scheme_of"]

# One letter is a drive of Windows, and no scheme.
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.*)")
_AFTER_SCHEME: Final = {
    "file": re.compile(r"///.+"),
    "memory": re.compile(r"//([^/?#@]+/?)*"),
    "s3": re.compile(r"//[A-Za-z0-9][A-Za-z0-9._-]+(/[^/?#@]+)*/?"),
}
_LIMIT: Final = "a folder, file:///folder, s3://bucket or s3://bucket/prefix"


def open_archive(url: str, **storage_options: Any) -> ParquetArchive:
    """Open the archive in a folder or an object store; nothing is read or written yet.

    Args:
        url: a folder, which is made when the first file is written, as a path or as
            `file:///path`; `s3://bucket/prefix`; for tests `memory://prefix`.
        storage_options: for the file system of fsspec. Of S3 those are `key`, `secret`,
            `endpoint_url`, `client_kwargs`, `config_kwargs` and others of s3fs; credentials that
            are not given are looked for where AWS's own tools look.

    Raises:
        InvalidValue: this is the URL of no archive.
        MissingExtra: the packages that it needs are not installed.
    """
    scheme = scheme_of(url)
    load_arrow()
    core = load_extra("fsspec.core", feature="An archive", extra="archive")
    options: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True}
    if scheme == "s3":
        load_extra("s3fs", feature="An archive in S3", extra="s3")
        options["config_kwargs"] = _s3_config(storage_options.pop("config_kwargs", {}))
    try:
        filesystem, root = core.url_to_fs(url, **options | storage_options)
    except (KeyError, TypeError, ValueError) as error:
        given = ", ".join(sorted(storage_options))
        raise InvalidValue("storage_options", given, f"such as {scheme} knows") from error
    return ParquetArchive(
        Files(filesystem=filesystem, root=root.rstrip("/"), is_folder=scheme == "file")
    )


def scheme_of(url: object) -> str:
    """Which kind of store the URL of an archive names; nothing is loaded for that.

    Raises:
        InvalidValue: this is the URL of no archive.
    """
    if not isinstance(url, str) or not url or not url.isprintable() or "::" in url:
        raise InvalidValue("archive", url, _LIMIT)
    found = _SCHEME.fullmatch(url)
    if found is None:
        return "file"
    scheme, rest = found.groups()
    if scheme not in _AFTER_SCHEME or not _AFTER_SCHEME[scheme].fullmatch(rest):
        # What follows may be a login, which is nobody's business.
        raise InvalidValue("archive", f"{scheme}:...", _LIMIT)
    return str(scheme)


def _s3_config(given: dict[str, Any]) -> dict[str, Any]:
    """How long to wait for S3: s3fs itself tries a request five times, so botocore must not."""
    waiting = {"connect_timeout": 5, "read_timeout": 30, "retries": {"total_max_attempts": 1}}
    return waiting | given
