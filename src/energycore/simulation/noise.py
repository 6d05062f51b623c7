"""Random numbers that depend only on (seed, device, instant), so that no split changes them.

Each number is the splitmix64 finaliser (Steele, Lea and Flood, "Fast splittable pseudorandom
number generators", OOPSLA 2014, doi:10.1145/2660193.2660195) of the device's key plus a constant
of the tick, which is itself such a hash. No state is carried from one number to the next.
"""

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from energycore.quantities.units import FloatArray, IntArray

__all__ = ["KeyArray", "noise_key_of", "tick_keys", "uniforms"]

KeyArray = NDArray[np.uint64]

_GOLDEN: Final = 0x9E3779B97F4A7C15
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_MASK: Final = (1 << 64) - 1
_TO_UNIT: Final = 2.0**-53


def noise_key_of(site_name: str, device_name: str) -> int:
    """The 64-bit key of a device that was given none: a hash of its site's and its own name."""
    text = f"{site_name}\x1f{device_name}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def tick_keys(seed: int, at_us: IntArray, stream: int = 0) -> KeyArray:
    """One key per tick.

    Args:
        seed: any integer; its low 64 bits count.
        at_us: shape (k,), instants of the ticks in epoch microseconds.
        stream: tells independent numbers of one device and instant apart.

    Returns:
        Shape (k,), uint64.
    """
    start = np.array([(seed + _GOLDEN * (stream + 1)) & _MASK], dtype=np.uint64)
    keys = _mix(start) ^ at_us.astype(np.uint64)
    return _mix(_mix(keys) + np.uint64(_GOLDEN))


def uniforms(noise_key: KeyArray, keys: KeyArray) -> FloatArray:
    """Uniform numbers in [0, 1), one for each tick and device.

    Args:
        noise_key: shape (n,), the devices' keys.
        keys: shape (k,), from `tick_keys`.

    Returns:
        Shape (k, n).
    """
    mixed = _mix(keys[:, np.newaxis] + noise_key)
    mixed >>= np.uint64(11)
    result = mixed.astype(np.float64)
    result *= _TO_UNIT
    return result


def _mix(values: KeyArray) -> KeyArray:
    shifted = values >> np.uint64(30)
    shifted ^= values
    shifted *= _MIX_1
    scratch = shifted >> np.uint64(27)
    shifted ^= scratch
    shifted *= _MIX_2
    np.right_shift(shifted, np.uint64(31), out=scratch)
    shifted ^= scratch
    return shifted
