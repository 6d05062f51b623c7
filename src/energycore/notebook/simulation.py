"""`simulate`: devices through time in one call, from attrs objects to exact columns."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import numpy as np

from energycore.devices.base import DataSource, Device, Role, StorageMode
from energycore.devices.fields import number
from energycore.devices.site import Site
from energycore.devices.storage_device import StorageState
from energycore.errors import InvalidValue, NameTaken
from energycore.fleet.columns import DeviceState, Fleet, Member
from energycore.fleet.tick import step_fleet
from energycore.notebook.instants import Spelling, instant_in
from energycore.notebook.run import Run
from energycore.quantities.instants import US_PER_SECOND, duration_us, from_epoch_us, to_epoch_us
from energycore.quantities.units import IntArray
from energycore.services.control import check_dispatch, initial_state
from energycore.simulation.behaviour import Window
from energycore.simulation.dispatch import Dispatch, SelfConsumption
from energycore.simulation.noise import noise_key_of

__all__ = ["parse_step", "simulate"]

_CELLS_PER_WINDOW: Final = 262_144
_MAX_DAYS: Final = 36_525
_UNITS: Final = {"s": 1, "sec": 1, "min": 60, "h": 3_600, "hour": 3_600}
_STEP: Final = re.compile(rf"(?P<count>[0-9]{{1,9}}) ?(?P<unit>{'|'.join(_UNITS)})")
_NO_SITE: Final = Site(name="Home")


def simulate(
    devices: Sequence[Device],
    *,
    site: Site | None = None,
    start: Spelling,
    days: float | None = None,
    end: Spelling | None = None,
    step: str | timedelta = "1min",
    seed: int = 0,
    initial: Mapping[str, StorageState] | None = None,
    dispatch: Dispatch | str | Mapping[str, Dispatch | str] | None = None,
    progress: Callable[[int, int], None] | bool | None = None,
) -> Run:
    """Simulate the devices of one home.

    Args:
        devices: any device kinds; their names differ.
        site: where they stand; its time zone decides what noon is. UTC without a site.
        start: a date (local midnight), or an instant; without an offset in the site's time.
        days: length in days of 24 hours; this or `end`.
        end: the first instant that is not simulated.
        step: length of a tick, such as "1min", "15min", "1h" or a timedelta.
        seed: seed of all noise; the same seed gives the same bits.
        initial: charge and command of storages, by name; half full and idle unless given.
        dispatch: strategy, or its name, of all storages, or of some by their names. Those that are
            not named follow `self_consumption`, or `manual` where `initial` gives them a command.
        progress: True shows a progress bar where tqdm is installed; a function is called with
            the ticks done and the ticks to do.

    Returns:
        The readings of all devices and the state after the last tick.

    Raises:
        InvalidValue: a value cannot be held, or a name in `initial` or `dispatch` is no storage.
        NameTaken: two devices have one name.
    """
    home = _home(devices, site)
    _check_seed(seed)
    step_us = duration_us(parse_step(step))
    at_us = _instants(home, start, days, end, step_us)
    fleet = _fleet(devices, home, dict(initial or {}), dispatch)
    shape = len(at_us), len(devices)
    power_mw = np.empty(shape, dtype=np.int64)
    stored_mwh = np.empty(shape, dtype=np.int64)
    # Devices may look several times within a long tick.
    cells_per_tick = len(devices) * max(1, step_us // (300 * US_PER_SECOND))
    ticks = max(1, _CELLS_PER_WINDOW // cells_per_tick)
    report = _reporter(progress, len(at_us))
    for first in range(0, len(at_us), ticks):
        part = slice(first, min(first + ticks, len(at_us)))
        result = step_fleet(fleet, Window(at_us[part], step_us, int(seed), fleet.zones))
        for kind in result.kinds:
            power_mw[part, kind.columns.device_id] = kind.power_mw
            stored_mwh[part, kind.columns.device_id] = kind.stored_mwh
        fleet = result.fleet
        report(part.stop)
    return Run(
        site=home,
        devices=tuple(devices),
        at_us=at_us,
        step_us=step_us,
        power_mw=power_mw,
        stored_mwh=stored_mwh,
        internal_states=fleet.device_states(),
    )


def _home(devices: object, site: object) -> Site:
    if not isinstance(devices, Sequence) or isinstance(devices, str):
        raise InvalidValue("devices", devices, "a list of devices")
    for device in devices:
        if not isinstance(device, Device):
            raise InvalidValue("devices", device, "devices, such as Battery(...)")
    if site is not None and not isinstance(site, Site):
        raise InvalidValue("site", site, "a Site or absent")
    return _NO_SITE if site is None else site


def _check_seed(seed: object) -> None:
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool):
        raise InvalidValue("seed", seed, "a whole number")


def parse_step(step: str | timedelta) -> timedelta:
    """Read a step such as "90s", "1min", "15min" or "1h".

    Raises:
        InvalidValue: it is none of these.
    """
    if isinstance(step, timedelta):
        return step
    text: object = step
    if isinstance(text, str) and (parts := _STEP.fullmatch(text.strip().lower())):
        return timedelta(seconds=int(parts["count"]) * _UNITS[parts["unit"]])
    raise InvalidValue("step", step, 'a timedelta or text such as "30s", "1min", "15min", "1h"')


def _instants(
    site: Site,
    start: Spelling,
    days: float | None,
    end: Spelling | None,
    step_us: int,
) -> IntArray:
    first_us = to_epoch_us(instant_in(site.zone, start, "start"), "start")
    if (days is None) == (end is None):
        raise InvalidValue("days or end", days, "given, and not both")
    if end is not None:
        last_us = to_epoch_us(instant_in(site.zone, end, "end"), "end")
    else:
        last_us = first_us + round(_days(days) * 86_400e6)
    if last_us <= first_us:
        raise InvalidValue("end", end, f"after start ({_shown(first_us, site)})")
    if (last_us - first_us) % step_us:
        step = timedelta(microseconds=step_us)
        whole = timedelta(microseconds=last_us - first_us)
        limit = f"a whole number of steps of {step} each"
        raise InvalidValue("days" if end is None else "end", whole, limit)
    return np.arange(first_us, last_us, step_us, dtype=np.int64)


def _shown(at_us: int, site: Site) -> str:
    return from_epoch_us(at_us).astimezone(site.zone).isoformat()


def _days(given: Any) -> float:
    days: object = number(given)
    if not isinstance(days, float) or not 0 < days <= _MAX_DAYS:
        raise InvalidValue("days", given, f"above 0 and at most {_MAX_DAYS}")
    return days


def _fleet(
    devices: Sequence[Device],
    site: Site,
    initial: dict[str, StorageState],
    dispatch: Dispatch | str | Mapping[str, Dispatch | str] | None,
) -> Fleet:
    if not devices:
        raise InvalidValue("devices", devices, "at least one device")
    storages = {device.name for device in devices if device.role is Role.STORAGE}
    by_name = dispatch if isinstance(dispatch, Mapping) else {}
    for field, names in (("initial", initial), ("dispatch", by_name)):
        for name in names:
            if name not in storages:
                known = ", ".join(sorted(storages)) or "there is none"
                raise InvalidValue(field, name, f"by the name of a storage ({known})")
    members = []
    seen: set[str] = set()
    for position, device in enumerate(devices):
        if device.name in seen:
            raise NameTaken(f"two devices are called {device.name!r}: names must differ", device)
        seen.add(device.name)
        begin = initial.get(device.name)
        chosen = by_name.get(device.name) if isinstance(dispatch, Mapping) else dispatch
        members.append(_member(position, device, site, begin, chosen))
    return Fleet.of(members)


def _member(
    position: int,
    device: Device,
    site: Site,
    begin: StorageState | None,
    chosen: Dispatch | str | None,
) -> Member:
    steered: Dispatch | str | None = None
    if begin is not None and not isinstance(begin, StorageState):
        raise InvalidValue("initial", begin, "StorageState(...) by the name of a storage")
    if device.role is Role.STORAGE:
        commanded = begin is not None and begin.mode is not StorageMode.IDLE
        steered = SelfConsumption() if chosen is None and not commanded else chosen
    state: DeviceState | None = initial_state(device, DataSource.SIMULATED, begin)
    key = device.noise_key
    return Member(
        device_id=position,
        device=device,
        noise_key=noise_key_of(site.name, device.name) if key is None else key,
        site=0,
        zone=site.zone,
        state=state or {},
        dispatch=check_dispatch(device, steered, begin),
    )


def _reporter(
    progress: Callable[[int, int], None] | bool | None, total: int
) -> Callable[[int], None]:
    if not progress:
        return lambda done: None
    if progress is not True:
        return lambda done: progress(done, total)
    bar = _progress_bar(total)

    def show(done: int) -> None:
        bar.update(done - bar.n)
        if done >= total:
            bar.close()

    return show


def _progress_bar(total: int) -> Any:
    from energycore.extras import load_extra

    return load_extra("tqdm.auto", feature="progress=True", extra="notebook").tqdm(
        total=total, unit="tick"
    )
