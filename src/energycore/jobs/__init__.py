"""Jobs: what runs beside the requests, as plain loops over the services."""

from energycore.jobs.ticks import run_ticks

__all__ = ["run_ticks"]
