"""Opening a database by its URL."""

import secrets
from typing import TYPE_CHECKING, Final

import attrs

from energycore.channels import open_channel
from energycore.errors import UnsupportedDatabase
from energycore.protocols.clock import Clock
from energycore.protocols.scope import DEFAULT_TENANT, Scope
from energycore.services.histories import MAX_BUCKETS
from energycore.services.suite import Services
from energycore.wiring.archives import archive_url, tenant_archive
from energycore.wiring.clocks import tenant_clock
from energycore.wiring.energy import Energy
from energycore.wiring.remembered import remembered_of

if TYPE_CHECKING:
    from energycore.protocols.archive import Archive
    from energycore.protocols.channel import Channel
    from energycore.protocols.storage import Storage
    from energycore.storage.sql.partitions import Partitioning
    from energycore.telemetry.tiers import Retention

__all__ = ["connect", "energy_over", "open_storage"]

MEMORY: Final = "memory://"


def connect(
    url: str,
    *,
    tenant: str = DEFAULT_TENANT,
    clock: Clock | None = None,
    default_zone: str = "UTC",
    seed: int = 0,
    archive: "str | Archive | None" = None,
    retention: "Retention | None" = None,
    max_buckets: int = MAX_BUCKETS,
    partitioning: "Partitioning | None" = None,
    channel: "str | Channel | None" = None,
) -> Energy:
    """Open a database and bind it to one tenant; a new database is set up without asking.

    Args:
        url: `memory://`, `sqlite:///home.db` or `postgresql+psycopg://user@host/name`.
        tenant: whose data is seen.
        clock: where every "now" comes from; by default the wall's, or the database's own where
            it runs on an accelerated clock.
        default_zone: IANA time zone of devices that belong to no site. Their days and months are
            kept in the one that is given when upkeep first runs.
        seed: of all noise, for tenants that are new to the database.
        archive: where old readings go and are read from: a folder, `s3://bucket/prefix` or an
            archive; the database remembers the URL, so that it need be named once only.
        retention: how long each resolution is kept by upkeep.
        max_buckets: most buckets of one history.
        partitioning: how PostgreSQL's partitions of readings are made; other databases have none.
        channel: where subscriptions learn that something has changed: `redis://host:6379/0` if
            other processes store or are asked too, a channel, or None for one of this process.

    Raises:
        UnsupportedChannel: there is no channel of such a URL.
        UnsupportedDatabase: there is no backend for such a URL.
        MissingExtra: the database's driver is not installed.
        StorageUnavailable: the database cannot be reached.
        SchemaOutdated: the database was made by another version; the message says what to run.
        InvalidValue: the archive's URL cannot be one.
    """
    scope = Scope(tenant)
    storage = open_storage(url, partitioning=partitioning)
    try:
        return energy_over(
            storage,
            scope,
            clock=clock,
            default_zone=default_zone,
            seed=seed,
            archive=archive,
            retention=retention,
            max_buckets=max_buckets,
            channel=channel,
        )
    except BaseException:  # even an interruption gives the connections back
        storage.close()
        raise


def energy_over(
    storage: "Storage",
    scope: Scope,
    *,
    clock: Clock | None = None,
    default_zone: str = "UTC",
    seed: int = 0,
    archive: "str | Archive | None" = None,
    retention: "Retention | None" = None,
    max_buckets: int = MAX_BUCKETS,
    channel: "str | Channel | None" = None,
) -> Energy:
    """Bind a storage that is open already to one tenant.

    Args:
        storage: where everything is kept.
        scope: whose data is seen.
        clock: as for `connect`, like all that follow.
        default_zone: IANA time zone of devices that belong to no site.
        seed: of all noise, for tenants that are new to the storage.
        archive: where old readings go and are read from.
        retention: how long each resolution is kept by upkeep.
        max_buckets: most buckets of one history.
        channel: where subscriptions learn that something has changed.

    Raises:
        StorageUnavailable: the database cannot be reached.
        InvalidValue: the archive's URL cannot be one.
        UnsupportedChannel: there is no channel of such a URL.
        UnknownTimeZone: `default_zone` is not an IANA name.
    """
    known = remembered_of(storage, scope)
    opened = tenant_archive(storage, scope, known.archive, archive)
    if isinstance(archive, str):
        known = attrs.evolve(known, archive=archive_url(archive))
    is_own_channel = channel is None or isinstance(channel, str)
    services = Services.over(
        storage,
        tenant_clock(storage, scope, known.clock) if clock is None else clock,
        draw_noise_key=lambda: secrets.randbits(64),
        default_zone=default_zone,
        seed=seed,
        archive=opened,
        retention=retention,
        max_buckets=max_buckets,
        channel=_channel(channel),
    )
    return Energy(
        services=services,
        scope=scope,
        remembered=known,
        own_clock=clock is not None,
        own_archive=archive is not None and not isinstance(archive, str),
        closes_channel=is_own_channel,
    )


def _channel(given: "str | Channel | None") -> "Channel":
    if given is None or isinstance(given, str):
        return open_channel(given)
    return given


def open_storage(url: str, *, partitioning: "Partitioning | None" = None) -> "Storage":
    """Open the backend of a URL.

    Raises:
        UnsupportedDatabase, MissingExtra, StorageUnavailable, SchemaOutdated: see `connect`.
    """
    if url == MEMORY:
        from energycore.storage.memory import MemoryStorage

        return MemoryStorage()
    if url.startswith("memory:"):
        raise UnsupportedDatabase(f"the URL of a database in memory is {MEMORY}, not {url!r}")
    from energycore.storage.sql import open_sql_storage

    return open_sql_storage(url, partitioning=partitioning)
