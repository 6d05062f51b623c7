"""All services over one storage and one clock, as adapters and `connect` hand them out."""

from collections.abc import Callable

import attrs

from energycore.protocols.archive import Archive
from energycore.protocols.channel import Channel
from energycore.protocols.clock import Clock
from energycore.protocols.storage import Storage
from energycore.quantities.zones import load_zone
from energycore.services.control import Control
from energycore.services.histories import MAX_BUCKETS, Histories
from energycore.services.ingestion import Ingestion
from energycore.services.insight import Insight
from energycore.services.registration import Registration
from energycore.services.ticking import Ticking
from energycore.services.upkeep import Upkeep
from energycore.telemetry.tiers import Retention

__all__ = ["Services"]


@attrs.frozen(kw_only=True)
class Services:
    """The services, which share nothing but the storage and the clock."""

    storage: Storage
    clock: Clock
    registration: Registration
    control: Control
    ticking: Ticking
    ingestion: Ingestion
    insight: Insight
    histories: Histories
    upkeep: Upkeep
    channel: Channel | None = None
    """Where those who store say what changed; None where nobody is told."""

    @classmethod
    def over(
        cls,
        storage: Storage,
        clock: Clock,
        *,
        draw_noise_key: Callable[[], int],
        default_zone: str = "UTC",
        seed: int = 0,
        archive: Archive | None = None,
        retention: Retention | None = None,
        max_buckets: int = MAX_BUCKETS,
        channel: Channel | None = None,
    ) -> "Services":
        """Put the services together.

        Args:
            storage: where everything is kept.
            clock: where every "now" comes from.
            draw_noise_key: draws 64 random bits for a device that has no noise key.
            default_zone: IANA time zone of devices that belong to no site.
            seed: of the noise of tenants whose first device is registered here.
            archive: where old readings go, and are read from.
            retention: how long each resolution is kept.
            max_buckets: most buckets of one history.
            channel: is told what changed, when it has been committed.

        Raises:
            UnknownTimeZone: `default_zone` is not an IANA name.
        """
        load_zone(default_zone, "default_zone")
        return cls(
            storage=storage,
            clock=clock,
            registration=Registration(
                storage=storage,
                clock=clock,
                draw_noise_key=draw_noise_key,
                seed=seed,
                channel=channel,
            ),
            control=Control(storage=storage, channel=channel),
            ticking=Ticking(
                storage=storage, clock=clock, default_zone=default_zone, channel=channel
            ),
            ingestion=Ingestion(storage=storage, clock=clock, archive=archive, channel=channel),
            insight=Insight(storage=storage, clock=clock),
            histories=Histories(
                storage=storage,
                clock=clock,
                default_zone=default_zone,
                archive=archive,
                max_buckets=max_buckets,
            ),
            upkeep=Upkeep(
                storage=storage,
                clock=clock,
                retention=Retention() if retention is None else retention,
                archive=archive,
                default_zone=default_zone,
            ),
            channel=channel,
        )

    def with_clock(self, clock: Clock) -> "Services":
        """The same services by another clock, each of them that has one."""
        parts = {field.name: getattr(self, field.name) for field in attrs.fields(Services)}
        timed = {
            name: attrs.evolve(part, clock=clock)
            for name, part in parts.items()
            if hasattr(part, "clock")
        }
        return attrs.evolve(self, clock=clock, **timed)

    def with_archive(self, archive: Archive | None) -> "Services":
        """The same services with another archive."""
        return attrs.evolve(
            self,
            ingestion=attrs.evolve(self.ingestion, archive=archive),
            histories=attrs.evolve(self.histories, archive=archive),
            upkeep=attrs.evolve(self.upkeep, archive=archive),
        )
