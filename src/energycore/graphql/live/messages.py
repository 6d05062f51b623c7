"""graphql-transport-ws: what a client may send, and what it is sent.

The protocol is https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverWebSocket.md.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final

import attrs

from energycore.graphql import json_text

__all__ = ["PROTOCOL", "CloseCode", "Closed", "Message", "encode", "parse"]

PROTOCOL: Final = "graphql-transport-ws"

_MAX_ID: Final = 128
_WITH_ID: Final = ("subscribe", "complete")
_KNOWN: Final = ("connection_init", "ping", "pong", *_WITH_ID)


class CloseCode(IntEnum):
    """Why a socket is closed."""

    TOO_LARGE = 1009
    TRY_AGAIN_LATER = 1013
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    INIT_TIMEOUT = 4408
    SUBSCRIBER_EXISTS = 4409
    TOO_MANY_INITS = 4429
    SILENT = 4499
    INTERNAL_ERROR = 4500


class Closed(Exception):
    """The socket is to be closed."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        # A close frame holds 125 bytes, two of them the code.
        self.reason = reason.encode("utf-8")[:120].decode("utf-8", "ignore")


@attrs.frozen
class Message:
    """What a client sent."""

    type: str
    id: str
    payload: Mapping[str, Any] | None


def parse(text: str | None, max_bytes: int | None) -> Message:
    """Read a message of a client.

    Args:
        text: the text of the frame; None for a binary one.
        max_bytes: the most that it may have.

    Raises:
        Closed: it is none.
    """
    if text is None:
        raise Closed(CloseCode.BAD_REQUEST, "Messages are texts")
    if max_bytes is not None and len(text) > max_bytes:
        raise Closed(CloseCode.TOO_LARGE, f"A message may have {max_bytes} bytes")
    try:
        data = text.encode("utf-8")
        if max_bytes is not None and len(data) > max_bytes:
            raise Closed(CloseCode.TOO_LARGE, f"A message may have {max_bytes} bytes")
        given = json_text.decode(data)
    except ValueError:
        raise Closed(CloseCode.BAD_REQUEST, "Invalid message: it is not JSON") from None
    if not isinstance(given, dict) or given.get("type") not in _KNOWN:
        raise Closed(CloseCode.BAD_REQUEST, "Invalid message: its type is unknown")
    kind, payload, identity = given["type"], given.get("payload"), given.get("id", "")
    if payload is not None and not isinstance(payload, dict):
        raise Closed(CloseCode.BAD_REQUEST, "Invalid message: its payload is no object")
    if not isinstance(identity, str) or (kind in _WITH_ID and not 0 < len(identity) <= _MAX_ID):
        raise Closed(
            CloseCode.BAD_REQUEST, f"Invalid message: its id is no text of at most {_MAX_ID}"
        )
    if kind == "subscribe" and payload is None:
        raise Closed(CloseCode.BAD_REQUEST, "Invalid message: it has no payload")
    return Message(kind, identity, payload)


def encode(kind: str, identity: str | None = None, payload: object = None) -> str:
    """Write a message to a client.

    Args:
        kind: its type.
        identity: of the operation that it is about.
        payload: left out where it is None.
    """
    message: dict[str, object] = {"type": kind}
    if identity is not None:
        message = {"id": identity, "type": kind}
    if payload is not None:
        message["payload"] = payload
    return json_text.encode(message).decode("utf-8")
