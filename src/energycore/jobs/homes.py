"""Bringing a home into a database: registered once, with some days of history to begin with."""

from datetime import timedelta
from typing import Final

import attrs

from energycore.devices.base import DataSource, Device
from energycore.encoding.devices import encode_ratings
from energycore.encoding.home import Home, HomeDevice
from energycore.protocols.records import DeviceRecord, SiteRecord
from energycore.protocols.scope import Scope
from energycore.quantities.instants import floor_to, from_epoch_us, to_epoch_us
from energycore.services.control import check_dispatch
from energycore.services.given import clean_tags
from energycore.services.registration import DEFAULT_STEP_US
from energycore.services.suite import Services
from energycore.services.ticking import Progress, TickResult

__all__ = ["HISTORY", "SettledHome", "settle_home", "simulate_history"]

HISTORY: Final = timedelta(days=7)


@attrs.frozen(kw_only=True)
class SettledHome:
    """What became of a home that was brought into a database."""

    site: SiteRecord
    added: tuple[str, ...]
    """Names of the devices that are new."""
    differing: tuple[str, ...]
    """Names of the site and devices that the database knows otherwise, which it keeps."""


def settle_home(services: Services, scope: Scope, home: Home) -> SettledHome:
    """Register a home and its devices, unless their external ids are known already.

    Raises:
        NameTaken: the site has another device of that name.
    """
    site = services.registration.register_site(scope, home.site, external_id=home.site_external_id)
    added: list[str] = []
    differing = [] if site.site == home.site else [home.site.name]
    for entry in home.devices:
        known = _known(services, scope, entry)
        if known is None:
            services.registration.register_device(
                scope,
                entry.device,
                site_id=site.id,
                tags=entry.tags,
                external_id=entry.external_id,
                initial=entry.initial,
                dispatch=entry.dispatch,
            )
            added.append(entry.device.name)
        elif _is_changed(known, entry, site):
            differing.append(entry.device.name)
    return SettledHome(site=site, added=tuple(added), differing=tuple(differing))


def simulate_history(
    services: Services,
    scope: Scope,
    *,
    length: timedelta = HISTORY,
    progress: Progress | None = None,
) -> TickResult | None:
    """Run the ticks of the last days, where the database has never ticked; else do nothing.

    Returns None where there was nothing to do. A run that was cut short is taken up again by
    the next tick that may catch up as far.
    """
    with services.storage.transaction(write=False) as work:
        shards = work.fleet.shards(scope)
    if any(shard.last_tick_us is not None for shard in shards):
        return None
    step_us = shards[0].step_us if shards else DEFAULT_STEP_US
    now_us = floor_to(to_epoch_us(services.clock.now(), "clock"), step_us)
    since_us = floor_to(now_us - length // timedelta(microseconds=1), step_us)
    return services.ticking.tick(
        scope,
        from_epoch_us(now_us),
        since=from_epoch_us(since_us),
        max_catch_up=length + timedelta(microseconds=step_us),
        progress=progress,
    )


def _known(services: Services, scope: Scope, entry: HomeDevice) -> DeviceRecord | None:
    with services.storage.transaction(write=False) as work:
        return work.devices.by_external_id(scope, entry.external_id)


def _is_changed(known: DeviceRecord, entry: HomeDevice, site: SiteRecord) -> bool:
    return (
        known.site_id != site.id
        or not known.is_active
        or known.data_source is not DataSource.SIMULATED
        or _described(known.device) != _described(entry.device)
        or known.tags != clean_tags(entry.tags)
        or known.dispatch != check_dispatch(entry.device, entry.dispatch, entry.initial)
    )


def _described(device: Device) -> tuple[str, str, dict[str, float]]:
    return device.kind, device.name, encode_ratings(device)
