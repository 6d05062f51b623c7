"""Registering sites and devices, changing them, taking them out of service and back."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from enum import Enum
from typing import Final, Literal, TypeAlias, TypeVar

import attrs

from energycore.devices.base import DataSource, Device
from energycore.devices.site import Site
from energycore.devices.storage_device import StorageDevice, StorageState
from energycore.errors import (
    ClockIsSimulated,
    InvalidValue,
    NameTaken,
    NotFound,
    VersionConflict,
)
from energycore.protocols.channel import Channel
from energycore.protocols.clock import Clock
from energycore.protocols.records import DeviceRecord, NewDevice, NewSite, ShardRecord, SiteRecord
from energycore.protocols.scope import Scope, tenant_of
from energycore.protocols.storage import Storage, UnitOfWork
from energycore.protocols.telemetry import ZoneVersion
from energycore.protocols.versions import series_version
from energycore.quantities.instants import US_PER_SECOND, to_epoch_us
from energycore.quantities.units import NWH_PER_WH
from energycore.services.announcing import announce
from energycore.services.control import check_dispatch, idle_command, initial_state
from energycore.services.given import (
    check_external_id,
    check_kept_kind,
    check_kind,
    clean_tags,
    data_source_of,
    max_gap_us,
    series_gap_policy,
)
from energycore.services.settings import CLOCK_SETTING
from energycore.simulation.dispatch import Dispatch
from energycore.telemetry.series import GapPolicy

__all__ = ["DEFAULT_STEP_US", "KEEP", "Keep", "Registration"]

DEFAULT_STEP_US: Final = 60 * US_PER_SECOND
_FROM_THE_BEGINNING: Final = 0
_FAR_AWAY_US: Final = 24 * 3_600 * US_PER_SECOND

Record = TypeVar("Record", SiteRecord, DeviceRecord)


class Keep(Enum):
    """Tells a field that is not mentioned from one that is cleared with None."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP
_Kept: TypeAlias = Literal[Keep.KEEP]


@attrs.frozen(kw_only=True)
class Registration:
    """Keeps the register of sites and devices.

    Args:
        storage: where it is kept.
        clock: says when things were registered.
        draw_noise_key: draws 64 fresh random bits for a device that has no noise key.
        seed: the seed of a tenant's shard, when its first device is registered.
        channel: is told which device was registered or changed.
    """

    storage: Storage
    clock: Clock
    draw_noise_key: Callable[[], int]
    seed: int = 0
    channel: Channel | None = None

    def register_site(
        self, scope: Scope, site: Site, *, external_id: str | None = None
    ) -> SiteRecord:
        """Store a site; one that is known by its external id is returned as it is."""
        tenant_of(scope)
        if not isinstance(site, Site):
            raise InvalidValue("site", site, "a Site")
        check_external_id(external_id)
        # A clock that follows the ticks reads them itself: never within our transaction.
        now_us = self._now_us()
        with self.storage.transaction(write=True) as work:
            if external_id is not None:
                known = work.sites.by_external_id(scope, external_id)
                if known is not None:
                    return known
            new = NewSite(site=site, registered_at_us=now_us, external_id=external_id)
            try:
                return work.sites.add(scope, new)
            except NameTaken as error:
                return _registered_meanwhile(error, SiteRecord, external_id)

    def update_site(
        self,
        scope: Scope,
        site_id: int,
        *,
        expected_version: int | None = None,
        name: str | None = None,
        time_zone: str | None = None,
        latitude: float | _Kept | None = KEEP,
        longitude: float | _Kept | None = KEEP,
    ) -> SiteRecord:
        """Change what is given; a coordinate of None clears it. A time zone holds from now on.

        Raises:
            NotFound: there is no such site.
            VersionConflict: the site is not at `expected_version` any more.
            InvalidValue: a new value cannot be held.
        """
        tenant_of(scope)
        now_us = self._now_us()
        with self.storage.transaction(write=True) as work:
            stored = _site(work, scope, site_id)
            if expected_version is not None and expected_version != stored.version:
                raise VersionConflict(
                    f"the site is at version {stored.version}, not {expected_version}", stored
                )
            site = stored.site
            site = Site(
                name=site.name if name is None else name,
                time_zone=site.time_zone if time_zone is None else time_zone,
                latitude=site.latitude if latitude is KEEP else latitude,
                longitude=site.longitude if longitude is KEEP else longitude,
            )
            if site == stored.site:
                return stored
            if site.time_zone != stored.site.time_zone:
                zone = ZoneVersion(valid_from_us=now_us, time_zone=site.time_zone)
                work.series.put_zone(scope, site_id, zone)
            return work.sites.update(scope, attrs.evolve(stored, site=site))

    def register_device(
        self,
        scope: Scope,
        device: Device,
        *,
        site_id: int | None = None,
        tags: Iterable[str] = (),
        external_id: str | None = None,
        data_source: DataSource = DataSource.SIMULATED,
        max_gap: timedelta | None = None,
        gap_policy: GapPolicy | str = GapPolicy.HOLD,
        initial: StorageState | None = None,
        dispatch: Dispatch | str | None = None,
    ) -> DeviceRecord:
        """Store a device; one that is known by its external id is returned as it is.

        Args:
            scope: the tenant.
            device: its kind, name and ratings.
            site_id: where it stands.
            tags: any words to find it by.
            external_id: the caller's own key, unique within the tenant.
            data_source: whether ticks move it or readings.
            max_gap: how long one reading's power holds; only for reported devices.
            gap_policy: what is known of the time between two readings: `hold`, `linear` or
                `none`; only for reported devices other than `hold`.
            initial: charge and command of a simulated storage.
            dispatch: strategy of a storage, `manual` unless given.

        Raises:
            NotFound: there is no such site.
            NameTaken: the site has a device of that name.
            InvalidValue: a value cannot be held, or does not go with the kind or data source.
            ClockIsSimulated: a reported device, in a database on an accelerated clock.
        """
        tenant_of(scope)
        check_external_id(external_id)
        kept_tags = clean_tags(tags)
        check_kind(device)
        steered = check_dispatch(device, dispatch, initial)
        source = data_source_of(data_source)
        policy = series_gap_policy(source, gap_policy)
        state = initial_state(device, source, initial)
        now_us = self._now_us()
        with self.storage.transaction(write=True) as work:
            if external_id is not None:
                known = work.devices.by_external_id(scope, external_id)
                if known is not None:
                    return known
            if source is DataSource.REPORTED and work.settings.get(scope, CLOCK_SETTING):
                raise ClockIsSimulated(
                    "this database runs on an accelerated clock: it takes no reported devices"
                )
            shard = work.fleet.add_shard(scope, step_us=DEFAULT_STEP_US, seed=self.seed)
            new = NewDevice(
                device=device,
                noise_key=self._noise_key(device),
                site_id=site_id,
                tags=kept_tags,
                external_id=external_id,
                data_source=source,
                max_gap_us=max_gap_us(source, max_gap, shard.step_us),
                gap_policy=policy,
                registered_at_us=now_us,
                simulated_from_us=_joins_at_us([shard], now_us),
                dispatch=steered,
            )
            try:
                record = work.devices.add(scope, new)
            except NameTaken as error:
                return _registered_meanwhile(error, DeviceRecord, external_id)
            if state:
                work.fleet.save(scope, {record.id: state})
            announce(self.channel, work, scope, [record.id])
            return record

    def update_device(
        self,
        scope: Scope,
        device_id: int,
        *,
        expected_version: int | None = None,
        name: str | None = None,
        site_id: int | _Kept | None = KEEP,
        tags: Iterable[str] | _Kept | None = KEEP,
        device: Device | None = None,
        stored_wh: float | None = None,
        max_gap: timedelta | None = None,
        gap_policy: GapPolicy | str | None = None,
    ) -> DeviceRecord:
        """Change what is given; None clears the site or the tags.

        `device` replaces all ratings, its own name does not count; the stored energy stays unless
        `stored_wh` is given, and a command that is above a new limit is lowered to it. Site,
        capacity, `max_gap` and `gap_policy` hold from now on: what was before keeps its totals.

        Raises:
            NotFound: there is no such device or site.
            VersionConflict: the device is not at `expected_version` any more.
            KindChanged: `device` is of another kind.
            StoredEnergyOutOfBounds: the stored energy does not fit the new ratings.
        """
        tenant_of(scope)
        now_us = self._now_us()
        with self.storage.transaction(write=True) as work:
            work.fleet.shards(scope, hold=True)
            stored = _device(work, scope, device_id)
            if expected_version is not None and expected_version != stored.version:
                raise VersionConflict(
                    f"the device is at version {stored.version}, not {expected_version}", stored
                )
            changed = attrs.evolve(
                stored,
                device=_changed_device(stored.device, name, device),
                site_id=stored.site_id if site_id is KEEP else site_id,
                tags=stored.tags if tags is KEEP else clean_tags(tags or ()),
                max_gap_us=stored.max_gap_us
                if max_gap is None
                else max_gap_us(stored.data_source, max_gap, stored.max_gap_us),
                gap_policy=stored.gap_policy
                if gap_policy is None
                else series_gap_policy(stored.data_source, gap_policy),
            )
            self._keep_charge(work, scope, changed, stored_wh)
            announce(self.channel, work, scope, [device_id])
            return stored if changed == stored else _updated(work, scope, stored, changed, now_us)

    def deactivate(self, scope: Scope, device_id: int) -> DeviceRecord:
        """Take a device out of ticks, totals and ingest; its history stays.

        Raises:
            NotFound: there is no such device.
        """
        return self._activate(scope, device_id, is_active=False)

    def reactivate(self, scope: Scope, device_id: int) -> DeviceRecord:
        """Put a device back into service, from now on.

        Raises:
            NotFound: there is no such device.
        """
        return self._activate(scope, device_id, is_active=True)

    def _activate(self, scope: Scope, device_id: int, *, is_active: bool) -> DeviceRecord:
        tenant_of(scope)
        now_us = self._now_us()
        with self.storage.transaction(write=True) as work:
            shards = work.fleet.shards(scope, hold=True)
            stored = _device(work, scope, device_id)
            if stored.is_active is is_active:
                return stored
            changed = attrs.evolve(stored, is_active=is_active)
            if is_active:
                joins_us = _joins_at_us(shards, now_us)
                changed = attrs.evolve(changed, simulated_from_us=joins_us)
            else:
                # What it was told to do is over: it comes back idle.
                states = work.fleet.internal_states(scope, [device_id])
                idle = {id_: {**state, **idle_command(state)} for id_, state in states.items()}
                work.fleet.save(scope, idle)
            announce(self.channel, work, scope, [device_id])
            return _updated(work, scope, stored, changed, now_us)

    def _keep_charge(
        self, work: UnitOfWork, scope: Scope, changed: DeviceRecord, stored_wh: float | None
    ) -> None:
        device = changed.device
        if not isinstance(device, StorageDevice) or changed.data_source is DataSource.REPORTED:
            if stored_wh is not None:
                raise InvalidValue("stored_wh", stored_wh, "absent unless a simulated storage")
            return
        state = work.fleet.internal_states(scope, [changed.id])[changed.id]
        nwh = int(state["stored_nwh"])
        if stored_wh is not None or not device.lower_nwh <= nwh <= device.upper_nwh:
            # Refuses a kept charge that does not fit, but for half of a milliwatt-hour.
            asked_wh = nwh / NWH_PER_WH if stored_wh is None else stored_wh
            nwh = StorageState(stored_wh=asked_wh).stored_nwh(device)
        setpoint_w = min(max(state["setpoint_w"], -device.max_charge_w), device.max_discharge_w)
        new_state = {**state, "stored_nwh": nwh, "setpoint_w": setpoint_w}
        if new_state != state:
            work.fleet.save(scope, {changed.id: new_state})

    def _noise_key(self, device: Device) -> int:
        return self.draw_noise_key() if device.noise_key is None else device.noise_key

    def _now_us(self) -> int:
        return to_epoch_us(self.clock.now(), "clock")


def _changed_device(stored: Device, name: str | None, ratings: Device | None) -> Device:
    if ratings is not None:
        check_kept_kind(stored, ratings)
    new_name = stored.name if name is None else name
    return attrs.evolve(ratings or stored, name=new_name, noise_key=stored.noise_key)


def _registered_meanwhile(
    error: NameTaken, record: type[Record], external_id: str | None
) -> Record:
    """Another call was faster with the same external id: what it registered."""
    current = error.current
    if external_id is None or not isinstance(current, record):
        raise error
    if getattr(current, "external_id", None) != external_id:
        raise error
    return current


def _joins_at_us(shards: Sequence[ShardRecord], now_us: int) -> int:
    """From when on ticks move a device that is put into service now.

    From now on, unless the shard has never ticked, or ticks at instants that are far from the
    clock's, as when somebody simulates the past by hand: then from its next tick on.
    """
    joins_us = _FROM_THE_BEGINNING
    for shard in shards:
        if shard.last_tick_us is not None:
            next_us = shard.last_tick_us + shard.step_us
            near = abs(now_us - next_us) <= _FAR_AWAY_US
            joins_us = max(joins_us, now_us if near else next_us)
    return joins_us


def _updated(
    work: UnitOfWork, scope: Scope, stored: DeviceRecord, changed: DeviceRecord, now_us: int
) -> DeviceRecord:
    """Store a changed device, and from when on another version of its series holds."""
    record = work.devices.update(scope, changed)
    if series_version(stored, now_us) != series_version(changed, now_us):
        work.series.put(scope, series_version(record, now_us))
    return record


def _device(work: UnitOfWork, scope: Scope, device_id: int) -> DeviceRecord:
    record = work.devices.get_many(scope, [device_id]).get(device_id)
    if record is None:
        raise NotFound("device", device_id)
    return record


def _site(work: UnitOfWork, scope: Scope, site_id: int) -> SiteRecord:
    record = work.sites.get_many(scope, [site_id]).get(site_id)
    if record is None:
        raise NotFound("site", site_id)
    return record
