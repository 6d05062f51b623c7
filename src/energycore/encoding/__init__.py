"""Plain data and back: devices, dispatch strategies and states as names, numbers and JSON."""

from energycore.encoding.devices import decode_device, encode_ratings
from energycore.encoding.dispatches import decode_dispatch, encode_dispatch
from energycore.encoding.states import decode_state, encode_state

__all__ = [
    "decode_device",
    "decode_dispatch",
    "decode_state",
    "encode_dispatch",
    "encode_ratings",
    "encode_state",
]
