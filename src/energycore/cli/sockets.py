"""The address that a server listens at: taken before anything else is done, or refused."""

import errno
import ipaddress
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from energycore.cli.consoles import note
from energycore.cli.refusals import InvalidOption
from energycore.errors import InvalidValue

__all__ = ["listening", "url_of"]


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens, so that whoever comes early waits; closed at the end.

    Raises:
        InvalidValue: the address is not here, or is taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError:
        raise InvalidValue("host", host, "an address of this machine") from None
    with socket.socket(family, kind, protocol) as listener:
        if os.name == "posix":
            # A port that was left a moment ago can be used again.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen()
        except OSError as error:
            raise InvalidOption("port", port, _not_taken(host, port, error)) from None
        if not ipaddress.ip_address(address[0]).is_loopback:
            note("whoever can reach this address can read and change everything: there is no login")
        yield listener


def _not_taken(host: str, port: int, error: OSError) -> str:
    other = "choose another with --port (0 picks a free one)"
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken: stop what runs there or {other}"
    if error.errno == errno.EACCES:
        return f"port {port} on {host} is reserved: {other}"
    return f"port {port} on {host} cannot be used: {(error.strerror or str(error)).lower()}"


def url_of(host: str, port: int) -> str:
    """The URL that a browser on this machine opens."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - only compared
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
