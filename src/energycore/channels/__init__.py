"""Channels: within a process, and between processes through Redis."""

from energycore.channels.local import LocalChannel
from energycore.channels.opening import check_channel_url, open_channel

__all__ = ["LocalChannel", "check_channel_url", "open_channel"]
