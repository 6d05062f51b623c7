"""The tables as Django's models: for the ORM, the admin and migrations."""

from energycore_django.models.devices import Device, DeviceState, DeviceTag
from energycore_django.models.own import (
    Ledger,
    Mark,
    ReadingDay,
    Rollup,
    SeriesVersion,
    Setting,
    Shard,
    SimulationState,
    SiteZone,
)
from energycore_django.models.sites import Site
from energycore_django.models.telemetry import Bucket, Reading

__all__ = [
    "Bucket",
    "Device",
    "DeviceState",
    "DeviceTag",
    "Ledger",
    "Mark",
    "Reading",
    "ReadingDay",
    "Rollup",
    "SeriesVersion",
    "Setting",
    "Shard",
    "SimulationState",
    "Site",
    "SiteZone",
]
