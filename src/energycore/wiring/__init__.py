"""`connect(url)`: the one place that knows every storage backend."""

from energycore.wiring.connect import connect
from energycore.wiring.energy import Energy

__all__ = ["Energy", "connect"]
