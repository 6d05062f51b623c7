"""Groups of consecutive rows."""

import numpy as np

from energycore.quantities.units import IntArray

__all__ = ["group_starts"]


def group_starts(*keys: IntArray) -> IntArray:
    """The first row of each group of consecutive rows that agree in all keys.

    Args:
        keys: one or more of shape (n,).

    Returns:
        Shape (g,), ascending; empty where there are no rows.
    """
    differs = np.zeros(len(keys[0]), dtype=np.bool_)
    differs[:1] = True
    for key in keys:
        differs[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(differs)
