"""Electric vehicles at a charger that can also discharge to the home."""

from typing import ClassVar

import attrs

from energycore.devices.storage_device import StorageDevice

__all__ = ["ElectricVehicle"]


@attrs.frozen(kw_only=True)
class ElectricVehicle(StorageDevice):
    """A vehicle at its charger: charging, discharging to the home, or idle."""

    kind: ClassVar[str] = "electric_vehicle"
