"""The contract of scopes: no scope, no answer; another tenant's data is as good as not there."""

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs
import pytest

from energycore.errors import NotFound, ScopeRequired
from energycore.protocols.groups import SummaryGroup
from energycore.protocols.records import (
    DeviceFilter,
    DeviceOrder,
    DeviceRecord,
    PageRequest,
    ShardRecord,
    SiteRecord,
)
from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage, UnitOfWork
from energycore.testing.contract import (
    MINUTE_US,
    Contract,
    battery,
    new_device,
    new_scope,
    new_site,
    readings,
    rows_of,
)

__all__ = ["FOREIGN", "TenantContract", "World", "call_without_scope", "scoped_methods"]

ALL: Final = DeviceFilter()


def scoped_methods() -> Iterator[tuple[str, str]]:
    """Every method of every repository of a unit of work, as the protocols declare them."""
    for repository, member in inspect.getmembers(UnitOfWork, lambda m: isinstance(m, property)):
        protocol = typing.get_type_hints(member.fget)["return"]
        for name, method in inspect.getmembers(protocol, inspect.isfunction):
            if not name.startswith("_"):
                assert "scope" in inspect.signature(method).parameters, f"{repository}.{name}"
                yield repository, name


def call_without_scope(work: UnitOfWork, repository: str, name: str, scope: object = None) -> None:
    """Call a method without a scope, and with nothing sensible in its other arguments."""
    method = getattr(getattr(work, repository), name)
    parameters = list(inspect.signature(method).parameters.values())[1:]
    required = [p for p in parameters if p.default is inspect.Parameter.empty]
    named = {p.name: None for p in required if p.kind is inspect.Parameter.KEYWORD_ONLY}
    method(scope, *[None] * (len(required) - len(named)), **named)


METHODS: Final = [pytest.param(*method, id=".".join(method)) for method in scoped_methods()]


@attrs.frozen(kw_only=True)
class World:
    """A tenant that has one of everything."""

    scope: Scope
    site: SiteRecord
    device: DeviceRecord
    shard: ShardRecord

    @classmethod
    def make(cls, work: UnitOfWork) -> "World":
        """Store one of everything for a new tenant."""
        scope = new_scope()
        site = work.sites.add(scope, new_site(external_id="site-key"))
        device = work.devices.add(
            scope,
            new_device(battery(), site_id=site.id, tags=("tag",), external_id="device-key"),
        )
        shard = work.fleet.add_shard(scope, step_us=MINUTE_US, seed=1)
        batch = readings((device.id, 0, 1, 2))
        work.telemetry.append(scope, batch)
        work.fleet.observe(scope, batch)
        work.fleet.save(scope, {device.id: {"stored_nwh": 5}})
        work.settings.put(scope, "name", "value")
        return cls(scope=scope, site=site, device=device, shard=shard)

    def groups(self) -> Iterator[tuple[SummaryGroup, str | int]]:
        """The groups that its device belongs to."""
        yield SummaryGroup.SITE, self.site.id
        yield SummaryGroup.KIND, self.device.device.kind
        yield SummaryGroup.TAG, "tag"

    def seen(self, work: UnitOfWork) -> Mapping[str, object]:
        """Everything that the tenant can see of it."""
        scope, ids = self.scope, [self.device.id]
        table = work.fleet.table(scope, ALL)
        page = work.devices.page(scope, ALL, DeviceOrder(), PageRequest())
        return {
            "sites": work.sites.page(scope, PageRequest()).items,
            "site by key": work.sites.by_external_id(scope, "site-key"),
            "devices": page.items,
            "devices by group": [
                key
                for group, key in self.groups()
                if work.devices.counts(scope, group, [key], ALL)[key]
            ],
            "device by key": work.devices.by_external_id(scope, "device-key"),
            "shards": list(work.fleet.shards(scope)),
            "states": work.fleet.states(scope, ids),
            "internal": work.fleet.internal_states(scope, ids),
            "table": (table.device_id.tolist(), table.power_mw.tolist()),
            "tagged": {tag: list(ids) for tag, ids in work.fleet.tagged(scope, ALL).items()},
            "readings": rows_of(work.telemetry.read(scope, ids, start_us=-(2**60), end_us=2**60)),
            "setting": work.settings.get(scope, "name"),
        }


def refused(act: Callable[[], object]) -> bool:
    """Whether something is refused as if the thing were not there."""
    try:
        act()
    except NotFound:
        return True
    return False


def put_setting(work: UnitOfWork, scope: Scope, world: "World") -> bool:
    """Whether a setting of the same name is the stranger's own."""
    work.settings.put(scope, "name", "mine")
    return work.settings.get(scope, "name") == "mine"


Foreign = Callable[[UnitOfWork, Scope, World], bool]

# For each method: a stranger uses it on the identities of another tenant's world, and it behaves
# as if that world were not there.
FOREIGN: Final[dict[tuple[str, str], Foreign]] = {
    ("sites", "add"): lambda work, scope, world: (
        work.sites.add(scope, new_site(external_id="site-key")).id != world.site.id
    ),
    ("sites", "get_many"): lambda work, scope, world: (
        work.sites.get_many(scope, [world.site.id]) == {}
    ),
    ("sites", "by_external_id"): lambda work, scope, world: (
        work.sites.by_external_id(scope, "site-key") is None
    ),
    ("sites", "update"): lambda work, scope, world: refused(
        lambda: work.sites.update(scope, world.site)
    ),
    ("sites", "page"): lambda work, scope, world: work.sites.page(scope, PageRequest()).items == (),
    ("sites", "count"): lambda work, scope, world: work.sites.count(scope) == 0,
    ("devices", "add"): lambda work, scope, world: (
        refused(lambda: work.devices.add(scope, new_device(site_id=world.site.id)))
        and work.devices.add(scope, new_device(battery(), external_id="device-key")).id
        != world.device.id
    ),
    ("devices", "get_many"): lambda work, scope, world: (
        work.devices.get_many(scope, [world.device.id]) == {}
    ),
    ("devices", "by_external_id"): lambda work, scope, world: (
        work.devices.by_external_id(scope, "device-key") is None
    ),
    ("devices", "update"): lambda work, scope, world: refused(
        lambda: work.devices.update(scope, attrs.evolve(world.device, site_id=None))
    ),
    ("devices", "page"): lambda work, scope, world: (
        work.devices.page(
            scope, DeviceFilter(ids=(world.device.id,)), DeviceOrder(), PageRequest()
        ).items
        == ()
    ),
    ("devices", "count"): lambda work, scope, world: work.devices.count(scope, ALL) == 0,
    ("devices", "pages"): lambda work, scope, world: (
        not any(
            page.items or page.has_next or page.has_previous
            for group, key in world.groups()
            for page in work.devices.pages(
                scope, group, [key], ALL, DeviceOrder(), PageRequest()
            ).values()
        )
    ),
    ("devices", "counts"): lambda work, scope, world: (
        not any(
            count
            for group, key in world.groups()
            for count in work.devices.counts(scope, group, [key], ALL).values()
        )
    ),
    ("fleet", "shards"): lambda work, scope, world: not work.fleet.shards(scope, hold=True),
    ("fleet", "add_shard"): lambda work, scope, world: (
        work.fleet.add_shard(scope, step_us=1, seed=1).id != world.shard.id
    ),
    ("fleet", "advance"): lambda work, scope, world: (
        not work.fleet.advance(scope, world.shard.id, expected_us=None, last_tick_us=60)
    ),
    ("fleet", "load"): lambda work, scope, world: (
        not len(work.fleet.load(scope, world.shard.id, at_us=2**60, default_zone="UTC"))
    ),
    ("fleet", "next_join_us"): lambda work, scope, world: (
        work.fleet.next_join_us(scope, world.shard.id, after_us=-(2**60)) is None
    ),
    ("fleet", "internal_states"): lambda work, scope, world: (
        work.fleet.internal_states(scope, [world.device.id]) == {}
    ),
    ("fleet", "save"): lambda work, scope, world: refused(
        lambda: work.fleet.save(scope, {world.device.id: {"stored_nwh": 6}})
    ),
    ("fleet", "observe"): lambda work, scope, world: refused(
        lambda: work.fleet.observe(scope, readings((world.device.id, 9, 9, 9)))
    ),
    ("fleet", "states"): lambda work, scope, world: (
        work.fleet.states(scope, [world.device.id]) == {}
    ),
    ("fleet", "table"): lambda work, scope, world: (
        not len(work.fleet.table(scope, DeviceFilter(ids=(world.device.id,))))
    ),
    ("fleet", "tagged"): lambda work, scope, world: (
        work.fleet.tagged(scope, DeviceFilter(tags=("tag",))) == {}
    ),
    ("telemetry", "append"): lambda work, scope, world: refused(
        lambda: work.telemetry.append(scope, readings((world.device.id, 9, 9, 9)))
    ),
    ("telemetry", "read"): lambda work, scope, world: (
        not len(work.telemetry.read(scope, [world.device.id], start_us=-9, end_us=9))
    ),
    ("settings", "get"): lambda work, scope, world: work.settings.get(scope, "name") is None,
    ("settings", "put"): put_setting,
}


class TenantContract(Contract):
    """What every method promises about its scope."""

    @pytest.mark.parametrize(("repository", "name"), METHODS)
    @pytest.mark.parametrize("scope", [None, "default"], ids=["none", "text"])
    def test_a_call_without_a_scope_is_refused(
        self, storage: Storage, repository: str, name: str, scope: object
    ) -> None:
        """Before anything else: the other arguments make no sense at all."""
        with storage.transaction(write=True) as work, pytest.raises(ScopeRequired):
            call_without_scope(work, repository, name, scope)

    @pytest.mark.parametrize(("repository", "name"), METHODS)
    def test_the_world_of_another_tenant_is_not_there(
        self, storage: Storage, repository: str, name: str
    ) -> None:
        """A stranger neither sees nor changes it, and can have the same names and keys."""
        with storage.transaction(write=True) as work:
            world = World.make(work)
        with storage.transaction(write=True) as work:
            before = world.seen(work)
            assert FOREIGN[repository, name](work, new_scope(), world)
        with storage.transaction(write=False) as work:
            assert world.seen(work) == before

    def test_a_world_is_seen_by_its_own_tenant(self, storage: Storage) -> None:
        """So that a world which nobody sees proves nothing."""
        with storage.transaction(write=True) as work:
            world = World.make(work)
        with storage.transaction(write=False) as work:
            seen: Mapping[str, Any] = world.seen(work)
        assert all(seen.values()), seen
        assert seen["devices"] == (world.device,)
