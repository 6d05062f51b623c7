"""The device kinds that are installed: ours, and those of plugin packages, found once."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module, metadata
from pkgutil import iter_modules
from types import ModuleType

from energycore.devices import kinds as own_kinds
from energycore.devices.base import Device, Role
from energycore.devices.storage_device import StorageDevice
from energycore.errors import DeviceKindConflict, UnknownDeviceKind

__all__ = ["ENTRY_POINT_GROUP", "collect", "device_kind", "device_kinds"]

ENTRY_POINT_GROUP = "energycore.device_kinds"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@cache
def device_kinds() -> Mapping[str, type[Device]]:
    """All installed kinds by name, in alphabetical order; discovered at the first call.

    Raises:
        DeviceKindConflict: two packages declare one name, or a declaration is not usable.
    """
    return collect([*_shipped(), *_plugins()])


def device_kind(name: str) -> type[Device]:
    """The kind of that name.

    Raises:
        UnknownDeviceKind: no installed package declares it.
    """
    try:
        return device_kinds()[name]
    except KeyError:
        raise UnknownDeviceKind("kind", name, f"one of {', '.join(device_kinds())}") from None


def collect(found: Iterable[tuple[str, object]]) -> Mapping[str, type[Device]]:
    """Check declarations, given as (package, class), and index them by kind.

    Raises:
        DeviceKindConflict: two packages declare one name, or a declaration is not usable.
    """
    by_name: dict[str, tuple[str, type[Device]]] = {}
    for package, declared in found:
        kind = _checked(package, declared)
        if kind.kind in by_name:
            raise DeviceKindConflict(
                f"the device kind {kind.kind!r} is declared by both "
                f"{by_name[kind.kind][0]} and {package}: uninstall one of them"
            )
        by_name[kind.kind] = package, kind
    return {name: by_name[name][1] for name in sorted(by_name)}


def _shipped() -> Iterator[tuple[str, object]]:
    for module in iter_modules(own_kinds.__path__, own_kinds.__name__ + "."):
        for declared in _declared_in(import_module(module.name)):
            yield "energycore", declared


def _declared_in(module: ModuleType) -> Iterator[object]:
    for name in module.__all__:
        declared = getattr(module, name)
        if isinstance(declared, type) and issubclass(declared, Device):
            yield declared


def _plugins() -> Iterator[tuple[str, object]]:
    for entry in metadata.entry_points(group=ENTRY_POINT_GROUP):
        package = entry.dist.name if entry.dist is not None else entry.value
        try:
            declared = entry.load()
        except Exception as error:
            raise DeviceKindConflict(
                f"{package} declares {entry.value}, which cannot be loaded: {error}"
            ) from error
        yield package, declared


def _is_attrs(declared: type) -> bool:
    # attrs.has() also accepts a plain subclass of an attrs class, whose fields attrs never saw.
    return "__attrs_attrs__" in vars(declared)


def _checked(package: str, declared: object) -> type[Device]:
    if not (isinstance(declared, type) and issubclass(declared, Device)) or not _is_attrs(declared):
        raise DeviceKindConflict(f"{package} declares {declared!r}, which is no Device class")
    name = getattr(declared, "kind", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise DeviceKindConflict(
            f"{package} declares {declared.__name__} with kind {name!r}: "
            "it must be a name in lower_snake_case"
        )
    missing = [part for part in ("role", "behaviour") if not hasattr(declared, part)]
    if declared.largest_power_w is Device.largest_power_w:
        missing.append("largest_power_w")
    if missing:
        raise DeviceKindConflict(f"{package}: {declared.__name__} lacks {', '.join(missing)}")
    if (declared.role is Role.STORAGE) != issubclass(declared, StorageDevice):
        raise DeviceKindConflict(
            f"{package}: {declared.__name__} must have the role STORAGE if and only if it is "
            "a StorageDevice"
        )
    return declared
