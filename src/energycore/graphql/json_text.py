"""JSON in and out of GraphQL over HTTP, with the same meaning whether or not orjson is there."""

import json
import math
import re
from collections.abc import Callable
from enum import Enum
from typing import Final
from uuid import UUID

__all__ = ["MAX_DIGITS", "decode", "encode", "encode_plainly"]

MAX_DIGITS: Final = 308
"""The most digits of a number: each whole number of that many is a finite float as well."""

_LONG_NUMBER: Final = re.compile(f"[0-9]{{{MAX_DIGITS + 1}}}")
_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def decode(text: bytes) -> object:
    """Read JSON from UTF-8 bytes.

    The standard library reads here even where orjson is installed: orjson turns integers beyond
    64 bits into floats, and a request is small.

    Raises:
        ValueError: this is not UTF-8 or not JSON, nests too deeply, or holds a number or a
            character that has no exact meaning here (NaN, 1e999, 309 digits, half of a surrogate
            pair, NUL). Its message is meant for whoever wrote the text.
    """
    try:
        characters = text.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    has_long = _LONG_NUMBER.search(characters) is not None
    try:
        value: object = json.loads(
            characters,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
            parse_int=_short_int if has_long else None,
        )
    except RecursionError:
        raise ValueError("the JSON nests too deeply") from None
    if "\\u" in characters:
        _check_escaped(value)
    return value


def _check_escaped(value: object) -> None:
    """Refuse characters that only an escape can write.

    Raises:
        ValueError: there is a NUL, or half of a surrogate pair.
    """
    plain = json.dumps(value, ensure_ascii=False)
    try:
        plain.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("a text holds half of a surrogate pair") from None
    # Written out, a backslash stands before each quote, backslash and control character.
    if _NUL.search(plain) is not None:
        raise ValueError("a text holds the character NUL")


def encode(value: object) -> bytes:
    """Write JSON as UTF-8 bytes; a float that is not finite becomes null, never `NaN`.

    Raises:
        TypeError: something in the value is not of a JSON type.
        ValueError: the value contains itself.
    """
    if _fast_encode is not None:
        try:
            return _fast_encode(value)
        except TypeError:
            # Integers beyond 64 bits, subclasses of str and keys that are not text end up here.
            return encode_plainly(value)
    return encode_plainly(value)


def encode_plainly(value: object) -> bytes:
    """Do the same as `encode` with nothing but the standard library."""
    try:
        return _dumps(value)
    except ValueError:
        return _dumps(_without_non_finite(value))


def _dumps(value: object) -> bytes:
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, default=_as_orjson_would)
    return text.encode("ascii")


def _as_orjson_would(value: object) -> object:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"{type(value).__name__} is no JSON type")


def _without_non_finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _without_non_finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_non_finite(item) for item in value]
    return value


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _short_int(digits: str) -> int:
    if len(digits) > MAX_DIGITS + 1:  # and a sign
        raise ValueError("a number has too many digits")
    return int(digits)


def _finite_float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _fast_encoder() -> Callable[[object], bytes] | None:
    try:
        import orjson  # optional, and the only place that knows of it
    except ImportError:
        return None
    # What the standard library refuses is refused here too: a scalar that forgot to serialise
    # must not work on one machine and fail on the next.
    options = (
        orjson.OPT_PASSTHROUGH_DATACLASS
        | orjson.OPT_PASSTHROUGH_DATETIME
        | orjson.OPT_PASSTHROUGH_SUBCLASS
    )
    dumps = orjson.dumps

    def fast_encode(value: object) -> bytes:
        return dumps(value, None, options)

    return fast_encode


_fast_encode = _fast_encoder()
