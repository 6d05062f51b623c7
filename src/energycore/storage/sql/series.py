"""The tables of the versions of series and zones."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs
from sqlalchemy import Table, select

from energycore.errors import NotFound
from energycore.protocols.scope import Scope, tenant_of
from energycore.protocols.telemetry import ZoneVersion
from energycore.storage.sql.rows import series_of, series_values
from energycore.storage.sql.session import Session
from energycore.storage.sql.tables import series, site_zone
from energycore.telemetry.series import SeriesTable, SeriesVersion

__all__ = ["SqlSeries"]


@attrs.frozen
class SqlSeries:
    """Keeps what was true of each device's series, and when."""

    _session: Session

    def table(self, scope: Scope, ids: Collection[int] | None = None) -> SeriesTable:
        """The versions of these devices, or of all."""
        tenant = tenant_of(scope)
        statement = select(series).where(series.c.tenant_id == tenant)
        if ids is not None:
            statement = statement.where(self._session.is_among(series.c.device_id, ids))
        return SeriesTable.of([series_of(row) for row in self._session.read(statement)])

    def members(self, scope: Scope, site_ids: Collection[int]) -> Sequence[int]:
        """The devices that belong to any of these sites or ever did, in order."""
        tenant = tenant_of(scope)
        statement = (
            select(series.c.device_id)
            .distinct()
            .where(series.c.tenant_id == tenant)
            .where(self._session.is_among(series.c.site_id, site_ids))
            .order_by(series.c.device_id)
        )
        return list(self._session.read(statement).scalars())

    def put(self, scope: Scope, version: SeriesVersion) -> None:
        """Add a version; one that begins at or before the newest replaces that one's content."""
        tenant = tenant_of(scope)
        if not self._put(series, series_values(tenant, version), "device_id"):
            raise NotFound("device", version.device_id)

    def zones(self, scope: Scope) -> Mapping[int, Sequence[ZoneVersion]]:
        """The time zones of each site, oldest first."""
        tenant = tenant_of(scope)
        statement = (
            select(site_zone.c.site_id, site_zone.c.valid_from_us, site_zone.c.time_zone)
            .where(site_zone.c.tenant_id == tenant)
            .order_by(site_zone.c.site_id, site_zone.c.valid_from_us)
        )
        zones: dict[int, list[ZoneVersion]] = {}
        for site_id, valid_from_us, time_zone in self._session.read(statement):
            version = ZoneVersion(valid_from_us=valid_from_us, time_zone=time_zone)
            zones.setdefault(site_id, []).append(version)
        return zones

    def put_zone(self, scope: Scope, site_id: int, version: ZoneVersion) -> None:
        """Add a zone of a site; one that begins at or before the newest replaces its content."""
        tenant = tenant_of(scope)
        row = {"tenant_id": tenant, "site_id": site_id, **attrs.asdict(version)}
        if not self._put(site_zone, row, "site_id"):
            raise NotFound("site", site_id)

    def _put(self, table: Table, row: Mapping[str, Any], owner: str) -> bool:
        """Store a row as, or in the place of, its owner's newest; False if there is no owner."""
        self._session.check_writable()
        begins = table.c.valid_from_us
        # Held, so that nothing moves it back meanwhile.
        newest = (
            select(begins)
            .where(table.c.tenant_id == row["tenant_id"])
            .where(self._session.is_among(table.c[owner], [row[owner]]))
            .order_by(begins.desc())
            .limit(1)
            .with_for_update()
        )
        newest_us = self._session.read(newest).scalar_one_or_none()
        if newest_us is None:
            return False
        key = {"tenant_id", owner, "valid_from_us"}
        statement = (
            self._session.insert(table)
            .values({**row, "valid_from_us": max(newest_us, row["valid_from_us"])})
            .on_conflict_do_update(
                index_elements=[table.c[name] for name in sorted(key)],
                set_={name: value for name, value in row.items() if name not in key},
            )
        )
        self._session.change(statement)
        return True
