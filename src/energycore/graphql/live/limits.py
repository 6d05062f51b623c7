"""What a client of a socket may ask for; each limit is on by default."""

import math
from collections.abc import Iterable
from typing import Any, Final

import attrs

from energycore.errors import InvalidValue

__all__ = ["ANY_ORIGIN", "SocketLimits"]

ANY_ORIGIN: Final = "*"


def _count(_owner: object, field: "attrs.Attribute[Any]", value: object) -> None:
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidValue(field.name, value, "a whole number of at least 1, or None for no limit")


def _seconds(_owner: object, field: "attrs.Attribute[Any]", value: object) -> None:
    if value is not None and not _is_positive(value):
        raise InvalidValue(field.name, value, "a number of seconds above 0, or None for never")


def _needed_seconds(_owner: object, field: "attrs.Attribute[Any]", value: object) -> None:
    if not _is_positive(value):
        raise InvalidValue(field.name, value, "a number of seconds above 0")


def _is_positive(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return math.isfinite(value) and value > 0


def _origins(value: object) -> frozenset[str]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidValue("allowed_origins", value, "several origins, not a single one")
    origins = frozenset(value)
    for origin in origins:
        if not isinstance(origin, str) or not (
            origin in (ANY_ORIGIN, "null")
            or (origin.startswith(("http://", "https://")) and origin.count("/") == 2)
        ):
            limit = "like https://app.example.com, without a path"
            raise InvalidValue("allowed_origins", origin, limit)
    return frozenset(origin.lower() for origin in origins)


@attrs.frozen(kw_only=True)
class SocketLimits:
    """Limits of the sockets of one application in one process; None takes one away.

    Raises:
        InvalidValue: one of them cannot be meant.
    """

    max_sockets: int | None = attrs.field(default=2_000, validator=_count)
    """Sockets at one time; further ones are closed with 1013, try again later."""
    max_operations: int | None = attrs.field(default=20, validator=_count)
    """Operations at one time on one socket; a further one is refused with an error."""
    max_message_bytes: int | None = attrs.field(default=262_144, validator=_count)
    """A longer message ends the socket with 1009."""
    init_timeout_s: float | None = attrs.field(default=10.0, validator=_seconds)
    """A client that has not sent connection_init by then [s] is closed with 4408."""
    recheck_s: float | None = attrs.field(default=60.0, validator=_seconds)
    """After this time [s], and with each new operation, it is asked again who the client is."""
    ping_s: float | None = attrs.field(default=30.0, validator=_seconds)
    """A client that was silent for so long [s] gets a ping, and is closed after twice that."""
    summary_s: float = attrs.field(default=1.0, validator=_needed_seconds)
    """The least time between two summaries of one subscription [s]."""
    heartbeat_s: float = attrs.field(default=25.0, validator=_needed_seconds)
    """The most time between two summaries [s], though nothing has changed."""
    allowed_origins: frozenset[str] = attrs.field(default=frozenset(), converter=_origins)
    """Origins of pages that may connect beside the server's own, such as https://example.com;
    `*` for all."""

    def switched_off(self) -> list[str]:
        """The names of limits that are None, and of origins if all are allowed."""
        names = [field.name for field in attrs.fields(SocketLimits)]
        off = [name for name in names if getattr(self, name) is None]
        return [*off, "allowed_origins"] if ANY_ORIGIN in self.allowed_origins else off

    def allows_origin(self, origin: str | None, host: str | None, *, is_secure: bool) -> bool:
        """Whether a page of this origin may open a socket.

        Args:
            origin: the header Origin; None where there is none, for then it is no browser.
            host: the header Host.
            is_secure: whether the socket itself is known to be encrypted.
        """
        if origin is None or ANY_ORIGIN in self.allowed_origins:
            return True
        origin = origin.lower()
        if origin in self.allowed_origins:
            return True
        scheme, _, place = origin.partition("://")
        port = {"http": "80", "https": "443"}.get(scheme)
        if host is None or port is None or (is_secure and scheme != "https"):
            return False
        return place.removesuffix(f":{port}") == host.lower().removesuffix(f":{port}")
