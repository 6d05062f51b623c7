"""A home described in a TOML file: its site, its devices, and how the storages begin.

    [site]
    name = "Home"
    time_zone = "Europe/Berlin"

    [[devices]]
    kind = "battery"
    name = "Wall"
    capacity_wh = 13500
    max_charge_w = 5000
    max_discharge_w = 5000
    dispatch = "self_consumption"
    initial = { stored_wh = 6000 }

Keys of a device are the fields of its class, units included; plugins' kinds work the same way.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import attrs

from energycore.devices.base import Device, StorageMode, fields_of_kind
from energycore.devices.fields import text
from energycore.devices.registry import device_kinds
from energycore.devices.site import Site
from energycore.devices.storage_device import StorageDevice, StorageState
from energycore.encoding.devices import decode_device
from energycore.encoding.dispatches import decode_dispatch
from energycore.encoding.home_faults import HomeText, syntax_error
from energycore.encoding.structure import structure
from energycore.encoding.suggestions import close_to, units_of_kind
from energycore.encoding.toml_lines import KeyPath
from energycore.errors import InvalidHomeFile, InvalidValue
from energycore.quantities.units import Unit
from energycore.simulation.dispatch import DISPATCHES, Dispatch, Manual, SelfConsumption
from energycore.simulation.noise import noise_key_of

__all__ = ["Home", "HomeDevice", "checked_seed", "load_home"]

Value = TypeVar("Value")

_TOP_KEYS: Final = ("site", "devices", "simulation")
_SITE_KEYS: Final = ("name", "time_zone", "latitude", "longitude", "external_id")
_DEVICE_KEYS: Final = ("kind", "name", "external_id", "tags", "noise_key")
_STORAGE_KEYS: Final = ("initial", "dispatch")
_INITIAL_UNITS: Final = {"stored_wh": Unit("Wh", "watt-hours"), "power_w": Unit("W", "watts")}
_MAX_SEED: Final = 2**63 - 1


@attrs.frozen(kw_only=True)
class HomeDevice:
    """A device of a home, with what is needed to register or to simulate it."""

    device: Device
    """Its noise key is given, so that a simulation and a server draw the same numbers."""
    external_id: str = attrs.field(validator=text)
    """Under which it is registered once."""
    tags: tuple[str, ...] = attrs.field(default=(), validator=attrs.validators.deep_iterable(text))
    initial: StorageState | None = None
    """How a storage begins; None means half full and idle."""
    dispatch: Dispatch | None = None
    """What steers a storage; None for all other devices."""


@attrs.frozen(kw_only=True)
class Home:
    """What a home file says."""

    site: Site
    site_external_id: str = attrs.field(validator=text)
    devices: tuple[HomeDevice, ...]
    seed: int = 0
    """Of all noise."""

    @property
    def initial(self) -> Mapping[str, StorageState]:
        """How the storages begin, by name, as `simulate` takes it."""
        return {
            entry.device.name: entry.initial for entry in self.devices if entry.initial is not None
        }

    @property
    def dispatch(self) -> Mapping[str, Dispatch]:
        """What steers the storages, by name, as `simulate` takes it."""
        return {
            entry.device.name: entry.dispatch
            for entry in self.devices
            if entry.dispatch is not None
        }


def load_home(path: str | Path) -> Home:
    """Read a home from a TOML file.

    A storage without `dispatch` follows `self_consumption`, or `manual` where `initial` gives it
    a command.

    Raises:
        InvalidHomeFile: the file cannot be read, or has a wrong key, unit or value; the message
            names the file, the line and what was expected.
    """
    file = str(path)
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InvalidHomeFile(
            "file", file, "readable", file, problem=f"cannot be read: {error.strerror}"
        ) from None
    try:
        source = content.decode("utf-8-sig").replace("\r\n", "\n")
        document = tomllib.loads(source)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidHomeFile("file", file, "UTF-8 text", file, line, "is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise syntax_error(file, str(error)) from None
    return _Reader(HomeText(file, source), document).home()


def checked_seed(seed: object) -> int:
    """The seed of a home, if it can be one.

    Raises:
        InvalidValue: it is not a whole number that a database can keep.
    """
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= _MAX_SEED:
        raise InvalidValue("seed", seed, f"a whole number from 0 to {_MAX_SEED}")
    return seed


@attrs.frozen
class _Reader:
    """Turns one parsed document into a home."""

    text: HomeText
    document: Mapping[str, Any]

    def home(self) -> Home:
        self.text.known_tables(self.document, _TOP_KEYS, several=("devices",))
        site, site_external_id = self._site()
        return Home(
            site=site,
            site_external_id=site_external_id,
            devices=tuple(self._devices(site, site_external_id)),
            seed=self._seed(),
        )

    def _seed(self) -> int:
        table = self.text.table(self.document, (), "simulation")
        self.text.known_keys(table, ("simulation",), "[simulation]", ("seed",))
        seed = table.get("seed", 0)
        return self.text.checked(("simulation",), "", lambda: checked_seed(seed))

    def _site(self) -> tuple[Site, str]:
        path = ("site",)
        table = self.text.table(self.document, (), "site")
        self.text.known_keys(table, path, "[site]", _SITE_KEYS)
        for key in ("name", "time_zone"):
            if key not in table:
                raise self.text.missing(path, "[site]", key)
        given = {key: value for key, value in table.items() if key != "external_id"}
        site = self.text.checked(path, "[site]", lambda: structure(given, Site))
        external_id = table.get("external_id", _slug(site.name))
        if not isinstance(external_id, str) or not external_id.strip():
            raise self.text.wrong((*path, "external_id"), "[site]", external_id, "a text")
        return site, external_id

    def _devices(self, site: Site, site_external_id: str) -> Iterator[HomeDevice]:
        tables = self.document.get("devices", [])
        if not isinstance(tables, list) or not tables:
            raise self._no_devices(tables)
        taken: dict[tuple[str, str], int] = {}
        for index, table in enumerate(tables):
            entry = self._device(index, table, site, site_external_id)
            for key, value in (("name", entry.device.name), ("external_id", entry.external_id)):
                first = taken.setdefault((key, value), index)
                if first != index:
                    line = self.text.line(("devices", first))
                    problem = f"{key} {value!r} is taken by the device on line {line}"
                    raise self.text.fault(("devices", index, key), value, "another", problem)
            yield entry

    def _no_devices(self, found: object) -> InvalidHomeFile:
        path, limit = ("devices",), "one or more [[devices]] tables"
        if isinstance(found, Mapping):
            problem = "[devices] is a single table: write [[devices]] above each device"
            return self.text.fault(path, found, limit, problem)
        if found == []:
            return self.text.fault(path, found, limit, f"devices must be {limit}: none given")
        return self.text.wrong(path, "", found, limit)

    def _device(self, index: int, table: Any, site: Site, site_external_id: str) -> HomeDevice:
        path: KeyPath = ("devices", index)
        if not isinstance(table, Mapping):
            raise self.text.wrong(path, "", table, "a [[devices]] table")
        kind = self._kind(path, table)
        device = self._rated(path, table, kind, site)
        owner = _owner(kind, device.name)
        initial = self._initial(path, owner, table, device)
        dispatch = self._dispatch(path, owner, table, device, initial)
        tags = table.get("tags", [])
        if not isinstance(tags, list):
            raise self.text.wrong((*path, "tags"), owner, tags, 'a list such as ["roof", "south"]')
        return self.text.checked(
            path,
            owner,
            lambda: HomeDevice(
                device=device,
                external_id=table.get("external_id", f"{site_external_id}/{_slug(device.name)}"),
                tags=tuple(tags),
                initial=initial,
                dispatch=dispatch,
            ),
        )

    def _kind(self, path: KeyPath, table: Mapping[str, Any]) -> type[Device]:
        if "kind" not in table:
            raise self.text.missing(path, "[[devices]]", "kind")
        return self._choice((*path, "kind"), "", table["kind"], device_kinds())

    def _rated(
        self, path: KeyPath, table: Mapping[str, Any], kind: type[Device], site: Site
    ) -> Device:
        owner = _owner(kind, table.get("name"))
        units = units_of_kind(kind)
        fields = fields_of_kind(kind)
        steered = _STORAGE_KEYS if issubclass(kind, StorageDevice) else ()
        ratings = [field.name for field in fields]
        self.text.known_keys(table, path, owner, (*_DEVICE_KEYS, *ratings, *steered), units)
        required = [field.name for field in fields if field.default is attrs.NOTHING]
        for key in ("name", *required):
            if key not in table:
                raise self.text.missing(path, owner, key, units.get(key))
        device = self.text.checked(
            path,
            owner,
            lambda: decode_device(
                kind.kind,
                name=table["name"],
                ratings={key: table[key] for key in ratings if key in table},
                noise_key=table.get("noise_key"),
            ),
        )
        if device.noise_key is not None:
            return device
        return attrs.evolve(device, noise_key=noise_key_of(site.name, device.name))

    def _initial(
        self, path: KeyPath, owner: str, table: Mapping[str, Any], device: Device
    ) -> StorageState | None:
        if "initial" not in table or not isinstance(device, StorageDevice):
            return None
        inside = (*path, "initial")
        given = self.text.table(table, path, "initial")
        names = [field.name for field in attrs.fields(StorageState)]
        self.text.known_keys(given, inside, owner, names, _INITIAL_UNITS)
        modes = {mode.value: mode for mode in StorageMode}
        word = given.get("mode", StorageMode.IDLE.value)
        mode = self._choice((*inside, "mode"), owner, word, modes)
        state = StorageState(**{**given, "mode": mode})
        self.text.checked(inside, owner, lambda: state.stored_nwh(device))
        self.text.checked(inside, owner, lambda: state.setpoint_w(device))
        return state

    def _dispatch(
        self,
        path: KeyPath,
        owner: str,
        table: Mapping[str, Any],
        device: Device,
        initial: StorageState | None,
    ) -> Dispatch | None:
        if not isinstance(device, StorageDevice):
            return None
        commanded = initial is not None and initial.mode is not StorageMode.IDLE
        if "dispatch" not in table:
            return Manual() if commanded else SelfConsumption()
        inside, given = (*path, "dispatch"), table["dispatch"]
        if isinstance(given, Mapping):
            if "strategy" not in given:
                raise self.text.missing(inside, owner, "strategy")
            params = {key: value for key, value in given.items() if key != "strategy"}
            strategy = self._choice((*inside, "strategy"), owner, given["strategy"], DISPATCHES)
            self.text.known_keys(
                params, inside, owner, [field.name for field in attrs.fields(cast(Any, strategy))]
            )
        else:
            params, strategy = {}, self._choice(inside, owner, given, DISPATCHES)
        dispatch = self.text.checked(inside, owner, lambda: decode_dispatch(strategy.name, params))
        if commanded and not isinstance(dispatch, Manual):
            limit = f"idle or absent under dispatch {dispatch.name}"
            word = table["initial"]["mode"]
            raise self.text.wrong((*path, "initial", "mode"), owner, word, limit)
        return dispatch

    def _choice(
        self, path: KeyPath, owner: str, word: object, choices: Mapping[str, Value]
    ) -> Value:
        if isinstance(word, str) and word in choices:
            return choices[word]
        limit = f"one of {', '.join(choices)}"
        raise self.text.wrong(path, owner, word, limit, close_to(str(word), choices))


def _owner(kind: type[Device], name: object) -> str:
    """A device in the words of a message."""
    return f"{kind.kind} {name!r}" if isinstance(name, str) else kind.kind


def _slug(name: str) -> str:
    """Letters and digits in lower case, with a hyphen for whatever is between them."""
    return re.sub(r"[\W_]+", "-", name.casefold()).strip("-") or name
