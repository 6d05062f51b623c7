"""Sites in memory."""

from collections.abc import Collection, Mapping

import attrs

from energycore.errors import NameTaken, NotFound, VersionConflict
from energycore.protocols.records import Cursor, NewSite, Page, PageRequest, SiteRecord
from energycore.protocols.scope import Scope, tenant_of
from energycore.protocols.telemetry import ZoneVersion
from energycore.storage.memory.paging import page_of
from energycore.storage.memory.tables import TenantTables, Work
from energycore.storage.rules import check_cursors, check_text
from energycore.telemetry.series import BEGINNING_US

__all__ = ["MemorySites"]


@attrs.frozen
class MemorySites:
    """Keeps sites."""

    _work: Work

    def add(self, scope: Scope, new: NewSite) -> SiteRecord:
        """Store a site under a new identity."""
        tenant = tenant_of(scope)
        check_text("external_id", new.external_id)
        tables = self._work.own(tenant, "sites", "site_of_key", "zones")
        _check_free(tables, new.external_id, None)
        given = {field.name: getattr(new, field.name) for field in attrs.fields(NewSite)}
        record = SiteRecord(id=next(self._work.identities.site), **given)
        tables.sites[record.id] = record
        tables.zones[record.id] = (
            ZoneVersion(valid_from_us=BEGINNING_US, time_zone=record.site.time_zone),
        )
        if record.external_id is not None:
            tables.site_of_key[record.external_id] = record.id
        return record

    def get_many(self, scope: Scope, ids: Collection[int]) -> Mapping[int, SiteRecord]:
        """The sites of these identities; missing ones are left out."""
        tenant = tenant_of(scope)
        sites = self._work.see(tenant).sites
        return {site_id: sites[site_id] for site_id in ids if site_id in sites}

    def by_external_id(self, scope: Scope, external_id: str) -> SiteRecord | None:
        """The site that was registered under the caller's own key."""
        tenant = tenant_of(scope)
        tables = self._work.see(tenant)
        site_id = tables.site_of_key.get(external_id)
        return None if site_id is None else tables.sites[site_id]

    def update(self, scope: Scope, changed: SiteRecord) -> SiteRecord:
        """Replace a site whose stored version is `changed.version`; the version grows by one."""
        tenant = tenant_of(scope)
        check_text("external_id", changed.external_id)
        tables = self._work.own(tenant, "sites", "site_of_key")
        stored = tables.sites.get(changed.id)
        if stored is None:
            raise NotFound("site", changed.id)
        if stored.version != changed.version:
            raise VersionConflict(
                f"the site is at version {stored.version}, not {changed.version}", stored
            )
        _check_free(tables, changed.external_id, changed.id)
        record = attrs.evolve(changed, version=stored.version + 1)
        tables.sites[record.id] = record
        if stored.external_id is not None:
            del tables.site_of_key[stored.external_id]
        if record.external_id is not None:
            tables.site_of_key[record.external_id] = record.id
        return record

    def page(self, scope: Scope, request: PageRequest) -> Page[SiteRecord]:
        """A page of sites ordered by identity (cursor key: the identity)."""
        tenant = tenant_of(scope)
        check_cursors(request, None)
        sites = list(self._work.see(tenant).sites.values())
        return page_of(sites, lambda site: Cursor(site.id, site.id), request)

    def count(self, scope: Scope) -> int:
        """How many sites there are."""
        tenant = tenant_of(scope)
        return len(self._work.see(tenant).sites)


def _check_free(tables: TenantTables, external_id: str | None, own_id: int | None) -> None:
    holder = None if external_id is None else tables.site_of_key.get(external_id)
    if holder is not None and holder != own_id:
        message = f"the external id {external_id!r} is taken by another site"
        raise NameTaken(message, tables.sites[holder])
