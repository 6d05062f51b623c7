"""Names of the settings that are kept with a tenant's data."""

from typing import Final

__all__ = ["CLOCK_SETTING"]

CLOCK_SETTING: Final = "clock"
"""How many times faster than the wall clock the tenant's clock runs; absent for real time."""
