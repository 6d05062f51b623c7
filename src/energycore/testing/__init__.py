"""The contract of a storage backend as pytest classes, for backends of third parties as well.

Subclass `StorageContract` and give it a fixture called `storage`:

```python
class TestMyStorage(StorageContract):
    @pytest.fixture
    def storage(self):
        with closing(MyStorage()) as storage:
            yield storage
```

`ArchiveContract` with a fixture called `archive` does the same for an archive, `ChannelContract`
with the fixtures `here` and `there` for a channel. Needs pytest and
hypothesis. A storage may be shared by tests: each works in tenants of its own.
"""

from energycore.testing.archives import ArchiveContract
from energycore.testing.channels import ChannelContract
from energycore.testing.contract import Contract
from energycore.testing.days import DayContract
from energycore.testing.devices import DeviceContract
from energycore.testing.fleet import FleetContract
from energycore.testing.groups import GroupContract
from energycore.testing.histories import HistoryContract
from energycore.testing.paging import PagingContract
from energycore.testing.rollups import RollupContract
from energycore.testing.series import SeriesContract
from energycore.testing.settings import SettingContract
from energycore.testing.sites import SiteContract
from energycore.testing.telemetry import TelemetryContract
from energycore.testing.tenants import TenantContract
from energycore.testing.transactions import TransactionContract

__all__ = [
    "ArchiveContract",
    "ChannelContract",
    "Contract",
    "DayContract",
    "DeviceContract",
    "FleetContract",
    "GroupContract",
    "HistoryContract",
    "PagingContract",
    "RollupContract",
    "SeriesContract",
    "SettingContract",
    "SiteContract",
    "StorageContract",
    "TelemetryContract",
    "TenantContract",
    "TransactionContract",
]


class StorageContract(
    SiteContract,
    DeviceContract,
    PagingContract,
    GroupContract,
    FleetContract,
    TelemetryContract,
    DayContract,
    SeriesContract,
    RollupContract,
    HistoryContract,
    SettingContract,
    TenantContract,
    TransactionContract,
):
    """Every promise of `energycore.protocols.storage`, one test each."""
