"""Settings in memory."""

from collections.abc import Mapping

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

    def items(self, scope: Scope, prefix: str) -> Mapping[str, str]:
        """The texts whose names begin so, by name."""
        tenant = tenant_of(scope)
        settings = self._work.see(tenant).settings
        return {name: settings[name] for name in sorted(settings) if name.startswith(prefix)}

    def remove(self, scope: Scope, name: str, value: str) -> bool:
        """Forget the text under this name if it is this one; whether it was."""
        tenant = tenant_of(scope)
        settings = self._work.own(tenant, "settings").settings
        if settings.get(name) != value:
            return False
        del settings[name]
        return True
