"""The table of settings."""

from collections.abc import Mapping

import attrs
from sqlalchemy import delete, func, select

from energycore.protocols.scope import Scope, tenant_of
from energycore.storage.rules import check_storable, check_text, is_storable
from energycore.storage.sql.session import Session
from energycore.storage.sql.tables import setting

__all__ = ["SqlSettings"]


@attrs.frozen
class SqlSettings:
    """Keeps a tenant's few settings."""

    _session: Session

    def get(self, scope: Scope, name: str) -> str | None:
        """The text that was put under this name."""
        tenant = tenant_of(scope)
        if not is_storable(name):
            return None
        found = select(setting.c.value).where(setting.c.tenant_id == tenant, setting.c.name == name)
        value: str | None = self._session.read(found).scalar_one_or_none()
        return value

    def put(self, scope: Scope, name: str, value: str) -> None:
        """Replace the text under this name."""
        tenant = tenant_of(scope)
        check_text("name", name)
        check_storable("value", value)
        insert = self._session.insert(setting).values(tenant_id=tenant, name=name, value=value)
        self._session.change(
            insert.on_conflict_do_update(
                index_elements=[setting.c.tenant_id, setting.c.name],
                set_={"value": insert.excluded.value},
            )
        )

    def items(self, scope: Scope, prefix: str) -> Mapping[str, str]:
        """The texts whose names begin so, by name."""
        tenant = tenant_of(scope)
        begins = func.substr(setting.c.name, 1, len(prefix)) == prefix
        found = select(setting.c.name, setting.c.value).where(setting.c.tenant_id == tenant, begins)
        return dict(sorted((row.name, row.value) for row in self._session.read(found)))

    def remove(self, scope: Scope, name: str, value: str) -> bool:
        """Forget the text under this name if it is this one; whether it was."""
        tenant = tenant_of(scope)
        this = setting.c.tenant_id == tenant, setting.c.name == name, setting.c.value == value
        return self._session.change(delete(setting).where(*this)).rowcount == 1
