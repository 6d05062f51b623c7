"""Finding devices and sites by what people call them: a name, an external id, a number."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

import attrs

from energycore.cli.refusals import InvalidOption, NoSuchName
from energycore.protocols.records import (
    MAX_PAGE,
    DeviceFilter,
    DeviceRecord,
    PageRequest,
    SiteRecord,
)
from energycore.wiring.energy import Energy

__all__ = ["Directory"]


@attrs.frozen(kw_only=True, eq=False, slots=False)
class Directory:
    """The devices and sites of a tenant.

    Args:
        devices: by their number.
        sites: by their number.
    """

    devices: Mapping[int, DeviceRecord]
    sites: Mapping[int, SiteRecord]

    @classmethod
    def of(cls, energy: Energy) -> "Directory":
        """All devices and sites of a tenant."""
        scope = energy.scope
        with energy.services.storage.transaction(write=False) as work:
            devices = work.devices.get_many(scope, work.devices.ids(scope, DeviceFilter()))
        return cls(devices=devices, sites={site.id: site for site in _sites(energy)})

    def device(self, called: str, site: SiteRecord | None = None) -> DeviceRecord:
        """The one device that is called so, of a site where one is given.

        Raises:
            NoSuchName: there is none.
            InvalidOption: there are several.
        """
        found = [
            self.devices[number]
            for number in self._devices_called.get(called, ())
            if site is None or self.devices[number].site_id == site.id
        ]
        if not found:
            known = [
                record.device.name
                for record in self.devices.values()
                if site is None or record.site_id == site.id
            ]
            raise NoSuchName("device", called, known)
        if len(found) > 1:
            several = ", ".join(self.told(record) for record in found)
            problem = f"{called!r} is any of {several}: name the site too, or give the number"
            raise InvalidOption("device", called, problem)
        return found[0]

    def site(self, called: str) -> SiteRecord:
        """The one site that is called so.

        Raises:
            NoSuchName: there is none.
            InvalidOption: there are several.
        """
        found = [self.sites[number] for number in self._sites_called.get(called, ())]
        if not found:
            raise NoSuchName("site", called, [record.site.name for record in self.sites.values()])
        if len(found) > 1:
            several = ", ".join(f"{record.site.name} (number {record.id})" for record in found)
            raise InvalidOption("site", called, f"{called!r} is any of {several}: give the number")
        return found[0]

    def told(self, record: DeviceRecord) -> str:
        """A device in words that tell it from all others."""
        where = "" if record.site_id is None else f" of {self.sites[record.site_id].site.name}"
        return f"{record.device.name}{where} (number {record.id})"

    @cached_property
    def _devices_called(self) -> Mapping[str, list[int]]:
        return _called(
            (record.id, (record.device.name, record.external_id, str(record.id)))
            for record in self.devices.values()
        )

    @cached_property
    def _sites_called(self) -> Mapping[str, list[int]]:
        return _called(
            (record.id, (record.site.name, record.external_id, str(record.id)))
            for record in self.sites.values()
        )


def _called(names: Iterable[tuple[int, tuple[str | None, ...]]]) -> Mapping[str, list[int]]:
    """Who is called so, by each name."""
    called: dict[str, list[int]] = defaultdict(list)
    for number, texts in names:
        for text in {text for text in texts if text is not None}:
            called[text].append(number)
    return dict(called)


def _sites(energy: Energy) -> Iterator[SiteRecord]:
    request = PageRequest(first=MAX_PAGE)
    while True:
        page = energy.sites(request)
        yield from page.items
        if not page.has_next:
            return
        request = PageRequest(first=MAX_PAGE, after=page.cursors[-1])
