"""Channels: within a process, and between processes through Redis."""

from energycore.channels.local import LocalChannel
from energycore.channels.opening import open_channel

__all__ = ["LocalChannel", "open_channel"]
