"""Jobs: what runs beside the requests, as plain loops over the services."""

from energycore.jobs.rounds import Tenancy
from energycore.jobs.ticks import run_ticks, run_ticks_of
from energycore.jobs.upkeep import run_upkeep, run_upkeep_of

__all__ = ["Tenancy", "run_ticks", "run_ticks_of", "run_upkeep", "run_upkeep_of"]
