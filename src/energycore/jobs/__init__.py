"""Jobs: what runs beside the requests, as plain loops over the services."""

from energycore.jobs.ticks import run_ticks
from energycore.jobs.upkeep import run_upkeep

__all__ = ["run_ticks", "run_upkeep"]
