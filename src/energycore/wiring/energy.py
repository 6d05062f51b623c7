"""`Energy`: the services bound to one tenant, as scripts and notebooks use them."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import attrs

from energycore.devices.base import DataSource, Device, StorageMode
from energycore.devices.site import Site
from energycore.devices.storage_device import StorageState
from energycore.errors import NotFound
from energycore.fleet.summary import EnergySummary
from energycore.notebook.frames import ArrowStream, given_readings
from energycore.notebook.history import History
from energycore.notebook.instants import Spelling
from energycore.protocols.clock import Clock
from energycore.protocols.records import (
    DeviceFilter,
    DeviceOrder,
    DeviceRecord,
    Page,
    PageRequest,
    SiteRecord,
)
from energycore.protocols.scope import Scope
from energycore.protocols.telemetry import ConflictPolicy
from energycore.quantities.instants import to_epoch_us
from energycore.quantities.signs import SignConvention
from energycore.services.ingestion import NewReading, RecordResult
from energycore.services.insight import ALL_DEVICES, ObservedState
from energycore.services.registration import KEEP, Keep
from energycore.services.suite import Services
from energycore.services.ticking import MAX_CATCH_UP, Progress, TickResult
from energycore.services.upkeep import UpkeepProgress, UpkeepReport
from energycore.simulation.dispatch import Dispatch
from energycore.telemetry.calendar import Interval
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.series import GapPolicy
from energycore.wiring.archives import tenant_archive
from energycore.wiring.asking import Subject, asking, common_zone, identity, name_of, range_of
from energycore.wiring.clocks import (
    AcceleratedClock,
    SystemClock,
    TickClock,
    store_speed,
    stored_speed,
    tenant_clock,
)
from energycore.wiring.remembered import Remembered, remembered_of

__all__ = ["Energy"]


@attrs.frozen(kw_only=True)
class Energy:
    """Everything that one tenant can do with one database.

    The methods are those of the services with the scope filled in; their documentation says what
    they raise. Use it in a `with` block, or call `close`.
    """

    services: Services
    scope: Scope
    remembered: Remembered | None = attrs.field(default=None, repr=False, eq=False)
    """What the database said of the tenant when this was made; None where it may say another."""
    _own_clock: bool = attrs.field(default=False, repr=False)
    """Whether the caller brought the clock, which then serves all tenants."""
    _own_archive: bool = attrs.field(default=False, repr=False)
    """Whether the caller brought the archive, which then serves all tenants."""
    _closes_channel: bool = attrs.field(default=False, repr=False)
    """Whether the channel ends with the connections; one that the caller brought goes on."""

    def __repr__(self) -> str:
        return f"Energy(tenant={self.scope.tenant!r})"

    @property
    def clock(self) -> Clock:
        """Where every "now" comes from."""
        return self.services.clock

    @property
    def speed(self) -> float | None:
        """How many times faster than the wall clock the database's runs; None for the wall's."""
        return stored_speed(self.services.storage, self.scope)

    def accelerate(self, speed: float) -> "Energy":
        """Put the tenant on an accelerated clock, for good; it takes no reported devices then.

        Returns:
            The same database by that clock; this object keeps the clock that it has.

        Raises:
            InvalidValue: the speed is not above 0 and at most a day a second.
            ClockIsSimulated: there are reported devices.
        """
        store_speed(self.services.storage, self.scope, speed)
        return self.by_running_clock()

    def by_running_clock(self) -> "Energy":
        """The same database by a clock that runs by itself, as whoever ticks it needs it.

        That is an accelerated clock, which continues where the newest tick ends, on a database
        that was put on one, and this same object on all others.
        """
        speed = self.speed
        if speed is None:
            return self
        start = TickClock(self.services.storage, self.scope, SystemClock()).now()
        clock = AcceleratedClock(start, speed)
        return attrs.evolve(self, services=self.services.with_clock(clock), remembered=None)

    def for_tenant(self, tenant: str) -> "Energy":
        """The same database, bound to another tenant and to its clock and archive.

        A clock or an archive that was given to `connect` serves all tenants.
        """
        scope, services = Scope(tenant), self.services
        known = remembered_of(services.storage, scope)
        if not self._own_clock:
            services = services.with_clock(tenant_clock(services.storage, scope, known.clock))
        if not self._own_archive:
            archive = tenant_archive(services.storage, scope, known.archive)
            services = services.with_archive(archive)
        return attrs.evolve(self, scope=scope, services=services, remembered=known)

    def close(self) -> None:
        """Give the connections of the database and of the channel back."""
        self.services.storage.close()
        if self._closes_channel and self.services.channel is not None:
            self.services.channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def register_site(self, site: Site, *, external_id: str | None = None) -> SiteRecord:
        """Store a site; one that is known by its external id is returned as it is."""
        return self.services.registration.register_site(self.scope, site, external_id=external_id)

    def site(self, site_id: int | SiteRecord) -> SiteRecord:
        """One site.

        Raises:
            NotFound: there is none of that identity.
        """
        number = identity(site_id, "site")
        found = self.services.insight.sites_by_id(self.scope, [number])
        if number not in found:
            raise NotFound("site", number)
        return found[number]

    def sites(self, page: PageRequest | None = None) -> Page[SiteRecord]:
        """A page of sites in the order of their registration."""
        return self.services.insight.sites(self.scope, page)

    def register(
        self,
        device: Device,
        *,
        site: SiteRecord | int | None = None,
        tags: Iterable[str] = (),
        external_id: str | None = None,
        data_source: DataSource = DataSource.SIMULATED,
        max_gap: timedelta | None = None,
        gap_policy: GapPolicy | str = GapPolicy.HOLD,
        initial: StorageState | None = None,
        dispatch: Dispatch | str | None = None,
    ) -> DeviceRecord:
        """Store a device; one that is known by its external id is returned as it is."""
        return self.services.registration.register_device(
            self.scope,
            device,
            site_id=None if site is None else identity(site, "site"),
            tags=tags,
            external_id=external_id,
            data_source=data_source,
            max_gap=max_gap,
            gap_policy=gap_policy,
            initial=initial,
            dispatch=dispatch,
        )

    def update(
        self,
        device_id: int | DeviceRecord,
        *,
        expected_version: int | None = None,
        name: str | None = None,
        site_id: SiteRecord | int | Keep | None = KEEP,
        tags: Iterable[str] | Keep | None = KEEP,
        device: Device | None = None,
        stored_wh: float | None = None,
        max_gap: timedelta | None = None,
        gap_policy: GapPolicy | str | None = None,
    ) -> DeviceRecord:
        """Change what is given; None clears the site or the tags."""
        return self.services.registration.update_device(
            self.scope,
            identity(device_id),
            expected_version=expected_version,
            name=name,
            site_id=site_id.id if isinstance(site_id, SiteRecord) else site_id,
            tags=tags,
            device=device,
            stored_wh=stored_wh,
            max_gap=max_gap,
            gap_policy=gap_policy,
        )

    def update_site(
        self,
        site_id: int | SiteRecord,
        *,
        expected_version: int | None = None,
        name: str | None = None,
        time_zone: str | None = None,
        latitude: float | Keep | None = KEEP,
        longitude: float | Keep | None = KEEP,
    ) -> SiteRecord:
        """Change what is given; a time zone holds from now on."""
        return self.services.registration.update_site(
            self.scope,
            identity(site_id, "site"),
            expected_version=expected_version,
            name=name,
            time_zone=time_zone,
            latitude=latitude,
            longitude=longitude,
        )

    def deactivate(self, device_id: int | DeviceRecord) -> DeviceRecord:
        """Take a device out of ticks, totals and ingest; its history stays."""
        return self.services.registration.deactivate(self.scope, identity(device_id))

    def reactivate(self, device_id: int | DeviceRecord) -> DeviceRecord:
        """Put a device back into service."""
        return self.services.registration.reactivate(self.scope, identity(device_id))

    def set_mode(
        self, device_id: int | DeviceRecord, mode: StorageMode | str, power_w: float | None = None
    ) -> DeviceRecord:
        """Tell a storage what to do until a bound ends it."""
        return self.services.control.set_mode(self.scope, identity(device_id), mode, power_w)

    def set_dispatch(self, device_id: int | DeviceRecord, dispatch: Dispatch | str) -> DeviceRecord:
        """Choose the strategy that steers a storage."""
        return self.services.control.set_dispatch(self.scope, identity(device_id), dispatch)

    def tick(
        self,
        at: datetime | None = None,
        *,
        since: datetime | None = None,
        max_catch_up: timedelta = MAX_CATCH_UP,
        progress: Progress | None = None,
    ) -> TickResult:
        """Run the tick at an instant, by default now, and those before it that are missing."""
        return self.services.ticking.tick(
            self.scope, at, since=since, max_catch_up=max_catch_up, progress=progress
        )

    def record(
        self,
        readings: Iterable[NewReading] | ReadingBatch | ArrowStream,
        *,
        on_conflict: ConflictPolicy | str = ConflictPolicy.REJECT,
        columns: Mapping[str, str] | None = None,
        device: int | DeviceRecord | None = None,
        sign: SignConvention | str = SignConvention.PRODUCTION_POSITIVE,
        unit: str = "W",
        energy_unit: str = "Wh",
        time_zone: str | None = None,
    ) -> RecordResult:
        """Store what reported devices say; what cannot be stored is returned with the reason.

        Args:
            readings: single readings, a batch, or a frame of pandas, polars or Arrow with the
                columns `device_id`, `at`, `power_w` and, if there is one, `stored_wh`.
            on_conflict: what happens to a reading whose device and instant are taken by other
                values: `reject`, `first` or `last`.
            columns: other names of these columns, such as {"at": "time"}.
            device: the device of all rows, instead of a column.
            sign: what a positive power means in the frame.
            unit: of its power: mW, W, kW or MW.
            energy_unit: of its stored energy: Wh, kWh or MWh.
            time_zone: where a clock showed the instants that have no offset.

        Raises:
            InvalidValue: the frame cannot be read, or there is no such policy, unit or sign.
            InstantWithoutZone: its instants have no zone and `time_zone` names none.
            MissingExtra: it is not of pandas, and pyarrow is not installed.
            StorageUnavailable, ArchiveUnavailable: nothing was stored; send it again.
        """
        given = given_readings(
            readings,
            columns=columns,
            device=None if device is None else identity(device),
            sign=sign,
            unit=unit,
            energy_unit=energy_unit,
            time_zone=time_zone,
        )
        return self.services.ingestion.record(self.scope, given, on_conflict=on_conflict)

    def upkeep(
        self,
        *,
        dry_run: bool = False,
        retain: bool = True,
        progress: UpkeepProgress | None = None,
    ) -> UpkeepReport:
        """Bring totals up to date, archive old readings, and let go what its time is over."""
        return self.services.upkeep.run(
            self.scope, dry_run=dry_run, retain=retain, progress=progress
        )

    def device(self, device_id: int | DeviceRecord) -> DeviceRecord:
        """One device."""
        return self.services.insight.device(self.scope, identity(device_id))

    def devices(
        self,
        filter_: DeviceFilter = ALL_DEVICES,
        order: DeviceOrder | None = None,
        page: PageRequest | None = None,
    ) -> Page[DeviceRecord]:
        """A page of the devices that match."""
        return self.services.insight.find(self.scope, filter_, order, page)

    def state(self, device_id: int | DeviceRecord) -> ObservedState | None:
        """The newest reading of a device; None while there is none."""
        record = self.device(device_id)
        return self.services.insight.states(self.scope, [record]).get(record.id)

    def summary(self, filter_: DeviceFilter = ALL_DEVICES) -> EnergySummary:
        """What the active devices that match add up to right now."""
        return self.services.insight.summary(self.scope, filter_)

    def readings(
        self,
        devices: int | DeviceRecord | Collection[int | DeviceRecord],
        start: Spelling,
        end: Spelling,
        *,
        time_zone: str | None = None,
    ) -> ReadingBatch:
        """The readings of devices with start <= instant < end, by device and instant."""
        histories = self.services.histories
        several = devices if isinstance(devices, Collection) else [devices]
        ids = [identity(device) for device in several]
        first, last = range_of(
            start, end, time_zone, lambda never: common_zone(histories, self.scope, ids, never)
        )
        start_us, end_us = to_epoch_us(first, "start"), to_epoch_us(last, "end")
        return histories.readings(self.scope, ids, start_us=start_us, end_us=end_us)

    def history(
        self,
        start: Spelling,
        end: Spelling,
        interval: Interval | str = "day",
        *,
        of: int | Subject = None,
        time_zone: str | None = None,
        extremes: bool = True,
    ) -> History:
        """Energy, power and charge in buckets that follow the calendar, cut where the range is.

        Args:
            start: an instant, a date, or either as ISO 8601 text.
            end: likewise; it is not in the range itself.
            interval: quarter_hour, hour, day, week or month.
            of: a device or its id, a site, or the counted devices that match a filter; by default
                all of them.
            time_zone: IANA name of the zone whose calendar counts, and in which dates and times
                without an offset are meant; that of the site, or of all the devices, unless given.
            extremes: of a filter, whether least and greatest power are wanted. They need all
                readings; without them it is quicker.

        Raises:
            NotFound: there is no such device or site.
            InvalidValue: the end is not after the start, or something is of another kind.
            TimeZoneRequired: no zone is named, and the devices are in several.
            TooManyBuckets: the range has more of these intervals than an answer may.
            ResolutionNotKept: only totals of another calendar are left.
        """
        subject = self.device(of) if isinstance(of, int) else of
        ask = asking(self.services.histories, self.scope, subject, extremes=extremes)
        first, last = range_of(start, end, time_zone, lambda never: ask(never).time_zone)
        request = self.services.histories.request(first, last, interval, time_zone)
        return History(answer=ask(request), name=name_of(subject))
