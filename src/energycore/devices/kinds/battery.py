"""Home batteries."""

from typing import ClassVar

import attrs

from energycore.devices.storage_device import StorageDevice

__all__ = ["Battery"]


@attrs.frozen(kw_only=True)
class Battery(StorageDevice):
    """A stationary battery with its inverter."""

    kind: ClassVar[str] = "battery"
