"""Settings in memory."""

import attrs

from energycore.protocols.scope import Scope, tenant_of
from energycore.storage.memory.tables import Work
from energycore.storage.rules import check_storable, check_text

__all__ = ["MemorySettings"]


@attrs.frozen
class MemorySettings:
    """Keeps a tenant's few settings."""

    _work: Work

    def get(self, scope: Scope, name: str) -> str | None:
        """The text that was put under this name."""
        tenant = tenant_of(scope)
        return self._work.see(tenant).settings.get(name)

    def put(self, scope: Scope, name: str, value: str) -> None:
        """Replace the text under this name."""
        tenant = tenant_of(scope)
        check_text("name", name)
        check_storable("value", value)
        self._work.own(tenant, "settings").settings[name] = value
