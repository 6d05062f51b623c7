"""Storage in the memory of one process: for notebooks, tests and trying things out."""

from energycore.storage.memory.store import MemoryStorage

__all__ = ["MemoryStorage"]
