"""Names of an archive's files: safe on every file system, in folders that query engines know."""

import re
from datetime import date
from hashlib import blake2b
from typing import Final, Self
from uuid import uuid4

import attrs

from energycore.errors import InvalidValue

__all__ = ["FileName", "tenant_folder"]

# Capitals are escaped as well: some file systems do not tell them from small letters.
_PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_-")
_LONGEST: Final = 180
_EPOCH: Final = date(1970, 1, 1).toordinal()
_BELOW_TENANT: Final = re.compile(r"day=([0-9]{4}-[0-9]{2}-[0-9]{2})/([0-9a-f]{32})\.parquet")


@attrs.frozen(kw_only=True)
class FileName:
    """What the name of a file says; as text it is the path below the root."""

    tenant: str
    day: str
    """As in 2026-06-01."""
    unique: str

    @classmethod
    def new(cls, tenant: str, day: int) -> Self:
        """A name that no file has.

        Args:
            tenant: whose file it will be.
            day: the day of its readings, counted from 1970-01-01.

        Raises:
            InvalidValue: the calendar does not reach that far.
        """
        return cls(tenant=tenant, day=_iso(day), unique=uuid4().hex)

    @classmethod
    def parse(cls, tenant: str, name: str) -> Self | None:
        """The name of a file of this tenant; None where it can have none of that name."""
        folder, _, below = name.partition("/")
        found = _BELOW_TENANT.fullmatch(below)
        if found is None or folder != tenant_folder(tenant):
            return None
        return cls(tenant=tenant, day=found[1], unique=found[2])

    def __str__(self) -> str:
        return f"{tenant_folder(self.tenant)}/day={self.day}/{self.unique}.parquet"

    def is_of(self, day: int) -> bool:
        """Whether it names a file of that day."""
        return self.day == _iso(day)


def tenant_folder(tenant: str) -> str:
    """The folder of a tenant: its percent-encoded name, or a digest where that is too long.

    >>> tenant_folder("acme-7")
    'tenant=acme-7'
    >>> tenant_folder("../Acme")
    'tenant=%2E%2E%2F%41cme'
    """
    name = tenant.encode()
    escaped = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in name)
    if len(escaped) > _LONGEST:
        # No escaped name holds a tilde, so that no other tenant's is equal to this one.
        escaped = f"~{blake2b(name, digest_size=16).hexdigest()}"
    return f"tenant={escaped}"


def _iso(day: int) -> str:
    try:
        return date.fromordinal(_EPOCH + day).isoformat()
    except (OverflowError, ValueError):
        raise InvalidValue("day", day, "in the years 1 to 9999") from None
