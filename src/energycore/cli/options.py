"""What the options of several commands share."""

from typing import Final

__all__ = ["DATABASE"]

DATABASE: Final = "sqlite:///energycore.db"
"""Where everything is kept unless a command is told otherwise."""
