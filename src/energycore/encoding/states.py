"""Internal states of devices as JSON text that returns every integer and float as it was."""

import json
import math
from typing import Any

from energycore.errors import InvalidValue
from energycore.fleet.columns import DeviceState

__all__ = ["decode_state", "encode_state"]


def encode_state(state: DeviceState) -> str:
    """Write a state as a JSON object.

    Integers stay integers and floats floats; the floats that JSON has no numbers for (not a
    number, infinities) become the texts "nan", "inf" and "-inf".

    Raises:
        InvalidValue: a value is no integer or float.
    """
    return json.dumps(
        {name: _plain(name, value) for name, value in state.items()}, separators=(",", ":")
    )


def decode_state(text: str) -> DeviceState:
    """Read a state back.

    Raises:
        InvalidValue: the text is not such an object.
    """
    try:
        plain = json.loads(text)
    except ValueError:
        plain = None
    if not isinstance(plain, dict):
        raise InvalidValue("state", text, "a JSON object")
    return {name: _value(name, value) for name, value in plain.items()}


def _plain(name: str, value: Any) -> int | float | str:
    if not isinstance(value, int | float):
        raise InvalidValue(name, value, "an integer or a float")
    return value if math.isfinite(value) else str(float(value))


def _value(name: str, value: Any) -> int | float:
    if isinstance(value, int | float):
        return value
    if value in ("nan", "inf", "-inf"):
        return float(value)
    raise InvalidValue(name, value, "a number")
