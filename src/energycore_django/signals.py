"""Django signals of energycore."""

from typing import Final

from django.dispatch import Signal

__all__ = ["committed"]

committed: Final = Signal()
"""Sent after a unit of work that may have written is committed, with the `alias` of its database.

Within an atomic block of the caller's that is when the outermost one ends; never if it is rolled
back. Use it to publish, or to forget what was cached.
"""
