"""Names of an archive's files: safe on every file system, in folders that query engines know."""

import re
from datetime import date
from hashlib import blake2b
from typing import Final

from energycore.errors import InvalidValue

__all__ = ["day_and_digest", "digest_of", "file_name", "iso_day", "tenant_folder"]

# Capitals are escaped as well: some file systems do not tell them from small letters.
_PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_-")
_LONGEST: Final = 180
_EPOCH: Final = date(1970, 1, 1).toordinal()
_BELOW_TENANT: Final = re.compile(r"day=([0-9]{4}-[0-9]{2}-[0-9]{2})/([0-9a-f]{32})\.parquet")


def tenant_folder(tenant: str) -> str:
    """The folder of a tenant: its percent-encoded name, or a digest where that is too long.

    >>> tenant_folder("acme-7")
    'tenant=acme-7'
    >>> tenant_folder("../Acme")
    'tenant=%2E%2E%2F%41cme'
    """
    name = tenant.encode()
    escaped = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in name)
    # No escaped name holds a tilde, so that no other tenant's is equal to this one.
    return f"tenant={escaped if len(escaped) <= _LONGEST else f'~{digest_of(name)}'}"


def iso_day(day: int) -> str:
    """A day, counted from 1970-01-01, as folders and files write it.

    Raises:
        InvalidValue: the calendar does not reach that far.
    """
    try:
        return date.fromordinal(_EPOCH + day).isoformat()
    except (OverflowError, ValueError):
        raise InvalidValue("day", day, "in the years 1 to 9999") from None


def file_name(tenant: str, day: str, footer: bytes) -> str:
    """Where a file of a tenant's day belongs; it is called by the digest of its footer."""
    return f"{tenant_folder(tenant)}/day={day}/{digest_of(footer)}.parquet"


def day_and_digest(tenant: str, name: str) -> tuple[str, str] | None:
    """The day and the digest in a name; None where the tenant can have no such file."""
    folder, _, below = name.partition("/")
    found = _BELOW_TENANT.fullmatch(below)
    return (found[1], found[2]) if found and folder == tenant_folder(tenant) else None


def digest_of(content: bytes) -> str:
    """Of any bytes, as 32 hexadecimal digits."""
    return blake2b(content, digest_size=16).hexdigest()
