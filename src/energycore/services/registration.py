"""Registering sites and devices, changing them, taking them out of service and back."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from enum import Enum
from typing import Final, Literal, TypeAlias

import attrs

from energycore.devices.base import DataSource, Device
from energycore.devices.fields import MAX_TEXT
from energycore.devices.site import Site
from energycore.devices.storage_device import StorageDevice, StorageState
from energycore.errors import (
    ClockIsSimulated,
    InvalidValue,
    KindChanged,
    NotFound,
    VersionConflict,
)
from energycore.protocols.clock import Clock
from energycore.protocols.records import DeviceRecord, NewDevice, NewSite, SiteRecord
from energycore.protocols.scope import Scope, tenant_of
from energycore.protocols.storage import Storage, UnitOfWork
from energycore.quantities.instants import US_PER_SECOND, duration_us, to_epoch_us
from energycore.quantities.units import NWH_PER_WH
from energycore.services.control import check_dispatch, initial_state
from energycore.services.settings import CLOCK_SETTING
from energycore.simulation.dispatch import Dispatch

__all__ = ["DEFAULT_STEP_US", "KEEP", "Keep", "Registration", "clean_tags"]

DEFAULT_STEP_US: Final = 60 * US_PER_SECOND
_MAX_TAGS: Final = 50
_FROM_THE_BEGINNING: Final = 0


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
    """

    storage: Storage
    clock: Clock
    draw_noise_key: Callable[[], int]
    seed: int = 0

    def register_site(
        self, scope: Scope, site: Site, *, external_id: str | None = None
    ) -> SiteRecord:
        """Store a site; one that is known by its external id is returned as it is."""
        tenant_of(scope)
        _check_external_id(external_id)
        with self.storage.transaction(write=True) as work:
            if external_id is not None:
                known = work.sites.by_external_id(scope, external_id)
                if known is not None:
                    return known
            new = NewSite(site=site, registered_at_us=self._now_us(), external_id=external_id)
            return work.sites.add(scope, new)

    def update_site(
        self,
        scope: Scope,
        site_id: int,
        *,
        name: str | None = None,
        time_zone: str | None = None,
        latitude: float | _Kept | None = KEEP,
        longitude: float | _Kept | None = KEEP,
    ) -> SiteRecord:
        """Change what is given; a coordinate of None clears it.

        Raises:
            NotFound: there is no such site.
            InvalidValue: a new value cannot be held.
        """
        tenant_of(scope)
        with self.storage.transaction(write=True) as work:
            stored = _site(work, scope, site_id)
            site = stored.site
            site = Site(
                name=site.name if name is None else name,
                time_zone=site.time_zone if time_zone is None else time_zone,
                latitude=site.latitude if latitude is KEEP else latitude,
                longitude=site.longitude if longitude is KEEP else longitude,
            )
            if site == stored.site:
                return stored
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
        initial: StorageState | None = None,
        dispatch: Dispatch | None = None,
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
            initial: charge and command of a simulated storage.
            dispatch: strategy of a storage, `manual` unless given.

        Raises:
            NotFound: there is no such site.
            NameTaken: the site has a device of that name.
            InvalidValue: a value cannot be held, or does not go with the kind or data source.
            ClockIsSimulated: a reported device, in a database on an accelerated clock.
        """
        tenant_of(scope)
        _check_external_id(external_id)
        kept_tags = clean_tags(tags)
        dispatch = check_dispatch(device, dispatch, initial)
        state = initial_state(device, data_source, initial)
        with self.storage.transaction(write=True) as work:
            if external_id is not None:
                known = work.devices.by_external_id(scope, external_id)
                if known is not None:
                    return known
            if data_source is DataSource.REPORTED and work.settings.get(scope, CLOCK_SETTING):
                raise ClockIsSimulated(
                    "this database runs on an accelerated clock: it takes no reported devices"
                )
            shard = work.fleet.add_shard(scope, step_us=DEFAULT_STEP_US, seed=self.seed)
            now_us = self._now_us()
            fresh = shard.last_tick_us is None
            new = NewDevice(
                device=device,
                noise_key=self._noise_key(device),
                site_id=site_id,
                tags=kept_tags,
                external_id=external_id,
                data_source=data_source,
                max_gap_us=_max_gap_us(data_source, max_gap, shard.step_us),
                registered_at_us=now_us,
                simulated_from_us=_FROM_THE_BEGINNING if fresh else now_us,
                dispatch=dispatch,
            )
            record = work.devices.add(scope, new)
            if state:
                work.fleet.save(scope, {record.id: state})
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
    ) -> DeviceRecord:
        """Change what is given; None clears the site or the tags.

        `device` replaces all ratings (its name counts only where `name` is absent and differs);
        the stored energy stays unless `stored_wh` is given.

        Raises:
            NotFound: there is no such device or site.
            VersionConflict: the device is not at `expected_version` any more.
            KindChanged: `device` is of another kind.
            StoredEnergyOutOfBounds: the stored energy does not fit the new ratings.
        """
        tenant_of(scope)
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
            )
            self._keep_charge(work, scope, changed, stored_wh)
            return stored if changed == stored else work.devices.update(scope, changed)

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
        with self.storage.transaction(write=True) as work:
            stored = _device(work, scope, device_id)
            if stored.is_active is is_active:
                return stored
            changed = attrs.evolve(stored, is_active=is_active)
            shards = work.fleet.shards(scope)
            if is_active and any(shard.last_tick_us is not None for shard in shards):
                changed = attrs.evolve(changed, simulated_from_us=self._now_us())
            return work.devices.update(scope, changed)

    def _keep_charge(
        self, work: UnitOfWork, scope: Scope, changed: DeviceRecord, stored_wh: float | None
    ) -> None:
        device = changed.device
        if not isinstance(device, StorageDevice) or changed.data_source is DataSource.REPORTED:
            if stored_wh is not None:
                raise InvalidValue("stored_wh", stored_wh, "absent unless a simulated storage")
            return
        state = work.fleet.internal_states(scope, [changed.id])[changed.id]
        kept_nwh = int(state["stored_nwh"])
        if stored_wh is None:
            if device.lower_nwh <= kept_nwh <= device.upper_nwh:
                return
            # Refuses what does not fit the new ratings, but for half of a milliwatt-hour.
            stored_wh = kept_nwh / NWH_PER_WH
        nwh = StorageState(stored_wh=stored_wh).stored_nwh(device)
        work.fleet.save(scope, {changed.id: {**state, "stored_nwh": nwh}})

    def _noise_key(self, device: Device) -> int:
        return self.draw_noise_key() if device.noise_key is None else device.noise_key

    def _now_us(self) -> int:
        return to_epoch_us(self.clock.now(), "clock")


def clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags without repetition, in alphabetical order.

    Raises:
        InvalidValue: a tag is empty, too long or has blanks around it, or there are too many.
    """
    kept = sorted(set(tags))
    for tag in kept:
        if not tag or len(tag) > MAX_TEXT or tag != tag.strip() or not tag.isprintable():
            limit = f"1 to {MAX_TEXT} printable characters without blanks around them"
            raise InvalidValue("tags", tag, limit)
    if len(kept) > _MAX_TAGS:
        raise InvalidValue("tags", len(kept), f"at most {_MAX_TAGS}")
    return tuple(kept)


def _changed_device(stored: Device, name: str | None, ratings: Device | None) -> Device:
    if ratings is not None and type(ratings) is not type(stored):
        raise KindChanged(f"the device is a {stored.kind} and cannot become a {ratings.kind}")
    new_name = stored.name if name is None else name
    return attrs.evolve(ratings or stored, name=new_name, noise_key=stored.noise_key)


def _max_gap_us(source: DataSource, max_gap: timedelta | None, step_us: int) -> int:
    if max_gap is None:
        return source.default_max_gap_us(step_us)
    if source is DataSource.SIMULATED:
        raise InvalidValue("max_gap", max_gap, "absent for a simulated device")
    return duration_us(max_gap, "max_gap")


def _check_external_id(external_id: str | None) -> None:
    if external_id is not None and not 0 < len(external_id) <= MAX_TEXT:
        raise InvalidValue("external_id", external_id, f"1 to {MAX_TEXT} characters")


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
