"""Names of the settings that are kept with a tenant's data."""

from typing import Final

__all__ = ["ARCHIVE_SETTING", "CLOCK_SETTING", "ROLLUP_ZONE_SETTING"]

CLOCK_SETTING: Final = "clock"
"""How many times faster than the wall clock the tenant's clock runs; absent for real time."""
ARCHIVE_SETTING: Final = "archive"
"""The URL of the archive that days of readings were moved to."""
ROLLUP_ZONE_SETTING: Final = "rollup_zone"
"""The zone that days and months of devices without a site are kept in: the default zone when the
first totals were kept."""
