"""The table of sites."""

from collections.abc import Collection, Mapping, Sequence

import attrs
from sqlalchemy import func, select, update

from energycore.errors import Conflict, NameTaken, NotFound, VersionConflict
from energycore.protocols.records import NewSite, Page, PageRequest, SiteRecord
from energycore.protocols.scope import Scope, tenant_of
from energycore.storage.rules import check_cursors, check_text, is_storable
from energycore.storage.sql.paging import KeysetPager
from energycore.storage.sql.rows import site_of, site_values
from energycore.storage.sql.session import AnyRow, Session
from energycore.storage.sql.tables import site, site_zone
from energycore.telemetry.series import BEGINNING_US

__all__ = ["SqlSites"]


@attrs.frozen
class SqlSites:
    """Keeps sites."""

    _session: Session

    def add(self, scope: Scope, new: NewSite) -> SiteRecord:
        """Store a site under a new identity."""
        tenant = tenant_of(scope)
        check_text("external_id", new.external_id)
        row = {**site_values(tenant, new), "version": 1}
        insert = self._session.insert(site).values(row).on_conflict_do_nothing()
        site_id = self._session.change(insert.returning(site.c.id)).scalar_one_or_none()
        if site_id is None:
            raise self._taken(scope, new)
        zone = {
            "tenant_id": tenant,
            "site_id": site_id,
            "valid_from_us": BEGINNING_US,
            "time_zone": new.site.time_zone,
        }
        self._session.change(self._session.insert(site_zone).values(zone))
        given = {field.name: getattr(new, field.name) for field in attrs.fields(NewSite)}
        return SiteRecord(id=site_id, **given)

    def get_many(self, scope: Scope, ids: Collection[int]) -> Mapping[int, SiteRecord]:
        """The sites of these identities; missing ones are left out."""
        tenant = tenant_of(scope)
        wanted = self._session.is_among(site.c.id, ids)
        rows = self._session.read(select(site).where(site.c.tenant_id == tenant, wanted))
        return {row.id: site_of(row) for row in rows}

    def by_external_id(self, scope: Scope, external_id: str) -> SiteRecord | None:
        """The site that was registered under the caller's own key."""
        tenant = tenant_of(scope)
        if not is_storable(external_id):
            return None
        found = select(site).where(site.c.tenant_id == tenant, site.c.external_id == external_id)
        row = self._session.read(found).one_or_none()
        return None if row is None else site_of(row)

    def update(self, scope: Scope, changed: SiteRecord) -> SiteRecord:
        """Replace a site whose stored version is `changed.version`; the version grows by one."""
        tenant = tenant_of(scope)
        check_text("external_id", changed.external_id)
        record = attrs.evolve(changed, version=changed.version + 1)
        statement = (
            update(site)
            .where(site.c.tenant_id == tenant, site.c.id == changed.id)
            .where(site.c.version == changed.version)
            .values({**site_values(tenant, record), "version": record.version})
        )
        try:
            done = self._session.attempt(statement).rowcount
        except Conflict:
            raise self._taken(scope, changed) from None
        if not done:
            raise self._refused(scope, changed)
        return record

    def page(self, scope: Scope, request: PageRequest) -> Page[SiteRecord]:
        """A page of sites ordered by identity (cursor key: the identity)."""
        tenant = tenant_of(scope)
        check_cursors(request, None)
        pager = KeysetPager(
            session=self._session,
            table=site,
            key=site.c.id,
            conditions=[site.c.tenant_id == tenant],
        )
        return pager.page(request, _records)

    def count(self, scope: Scope) -> int:
        """How many sites there are."""
        tenant = tenant_of(scope)
        statement = select(func.count()).select_from(site).where(site.c.tenant_id == tenant)
        return int(self._session.read(statement).scalar_one())

    def _taken(self, scope: Scope, new: NewSite) -> NameTaken:
        holder = None if new.external_id is None else self.by_external_id(scope, new.external_id)
        return NameTaken(f"the external id {new.external_id!r} is taken by another site", holder)

    def _refused(self, scope: Scope, changed: SiteRecord) -> NotFound | VersionConflict:
        stored = self.get_many(scope, [changed.id]).get(changed.id)
        if stored is None:
            return NotFound("site", changed.id)
        return VersionConflict(
            f"the site is at version {stored.version}, not {changed.version}", stored
        )


def _records(rows: Sequence[AnyRow]) -> list[SiteRecord]:
    return [site_of(row) for row in rows]
