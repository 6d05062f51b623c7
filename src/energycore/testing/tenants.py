"""The contract of scopes: no scope, no answer; another tenant's data is as good as not there."""

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs
import pytest

from energycore.errors import NotFound, ScopeRequired
from energycore.protocols.groups import SummaryGroup
from energycore.protocols.histories import BucketPart, ReadingPart, Window
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
from energycore.protocols.telemetry import RollupState, ZoneVersion
from energycore.protocols.versions import series_version
from energycore.telemetry.tiers import US_PER_DAY, SeriesKind, Tier
from energycore.testing.contract import (
    ALL_DAYS,
    ALWAYS,
    MINUTE_US,
    Contract,
    battery,
    buckets,
    columns_of,
    new_device,
    new_scope,
    new_site,
    readings,
    rows_of,
)

__all__ = ["FOREIGN", "TenantContract", "World", "call_without_scope", "scoped_methods"]

ALL: Final = DeviceFilter()
SERIES: Final = Tier.QUARTER_HOUR, SeriesKind.DEVICE


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
    """A tenant that has one of everything: day 0 of its readings may be dropped, 1 is marked."""

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
        work.series.put(scope, series_version(device, 5_000))
        work.series.put_zone(scope, site.id, ZoneVersion(valid_from_us=0, time_zone="UTC"))
        work.rollups.advance(scope, rolled_us=2 * US_PER_DAY)
        work.rollups.take_marks(scope, 0)
        kept = buckets((device.id, 0, 1))
        work.rollups.replace(scope, *SERIES, [device.id], **ALWAYS, buckets=kept)
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
        kept = work.rollups.read(scope, *SERIES, ids, **ALWAYS)
        return {
            "sites": work.sites.page(scope, PageRequest()).items,
            "site by key": work.sites.by_external_id(scope, "site-key"),
            "devices": page.items,
            "devices by group": [
                key
                for group, key in self.groups()
                if work.devices.counts(scope, group, [key], ALL)[key]
            ],
            "device ids": list(work.devices.ids(scope, ALL)),
            "device by key": work.devices.by_external_id(scope, "device-key"),
            "shards": list(work.fleet.shards(scope)),
            "states": work.fleet.states(scope, ids),
            "internal": work.fleet.internal_states(scope, ids),
            "table": (table.device_id.tolist(), table.power_mw.tolist()),
            "tagged": {tag: list(ids) for tag, ids in work.fleet.tagged(scope, ALL).items()},
            "readings": rows_of(work.telemetry.read(scope, ids, **ALWAYS)),
            "days": list(work.telemetry.days(scope, **ALL_DAYS)),
            "versions": list(work.series.table(scope).versions(self.device.id)),
            "members": list(work.series.members(scope, [self.site.id])),
            "zones": list(work.series.zones(scope)[self.site.id]),
            "rollups": attrs.astuple(work.rollups.state(scope)),
            "marks": work.rollups.marks(scope, **ALL_DAYS).day.tolist(),
            "buckets": len(kept) and columns_of(kept),
            "setting": work.settings.get(scope, "name"),
            "settings": dict(work.settings.items(scope, "")),
        }


def refused(act: Callable[[], object]) -> bool:
    """Whether something is refused as if the thing were not there."""
    try:
        act()
    except NotFound:
        return True
    return False


def prepare(work: UnitOfWork, scope: Scope, world: "World") -> bool:
    """Whether room for readings, which is nobody's own, can be made where others have some."""
    work.telemetry.prepare(scope, start_day=0, end_day=2)
    return not len(work.telemetry.read(scope, [world.device.id], **ALWAYS))


def put_setting(work: UnitOfWork, scope: Scope, world: "World") -> bool:
    """Whether a setting of the same name is the stranger's own."""
    work.settings.put(scope, "name", "mine")
    return work.settings.get(scope, "name") == "mine"


def put_bucket(work: UnitOfWork, scope: Scope, world: "World") -> bool:
    """Whether buckets of the same series are the stranger's own."""
    mine = buckets((world.device.id, 0, 2), (world.device.id, 1, 2))
    work.rollups.replace(scope, *SERIES, [world.device.id], **ALWAYS, buckets=mine)
    found = work.rollups.read(scope, *SERIES, [world.device.id], **ALWAYS)
    return columns_of(found) == columns_of(mine)


def bucket_part(world: World) -> BucketPart:
    window = Window(SERIES[0], ALWAYS["start_us"], ALWAYS["end_us"])
    return BucketPart(series=[world.device.id], windows=[window])


def reading_part(world: World) -> ReadingPart:
    return ReadingPart(ids=[world.device.id], stretches=[(-9, 9)])


def basis_is_empty(work: UnitOfWork, scope: Scope, world: World) -> bool:
    for members_of in (None, [world.site.id]):
        found = work.histories.basis(
            scope, DeviceFilter(), members_of=members_of, **ALL_DAYS, setting="name"
        )
        told = found.table.device_ids, found.zones, found.state, found.setting, list(found.days)
        if told != ((), {}, RollupState(), None, []) or len(found.marks):
            return False
    return True


def advance(work: UnitOfWork, scope: Scope, world: "World") -> bool:
    """Whether a stranger's watermark is its own and marks no days on which others have readings."""
    work.devices.add(scope, new_device())
    work.rollups.advance(scope, rolled_us=US_PER_DAY)
    state = RollupState(rolled_us=US_PER_DAY)
    return work.rollups.state(scope) == state and not len(work.rollups.marks(scope, **ALL_DAYS))


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
    ("devices", "ids"): lambda work, scope, world: list(work.devices.ids(scope, ALL)) == [],
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
    ("telemetry", "days"): lambda work, scope, world: (
        list(work.telemetry.days(scope, **ALL_DAYS)) == []
    ),
    ("telemetry", "prepare"): prepare,
    ("telemetry", "drop_day"): lambda work, scope, world: (
        not work.telemetry.drop_day(scope, 0, revision=1, file=None)
    ),
    ("series", "table"): lambda work, scope, world: (
        work.series.table(scope, [world.device.id]).device_ids == ()
        and work.series.table(scope).device_ids == ()
    ),
    ("series", "members"): lambda work, scope, world: (
        list(work.series.members(scope, [world.site.id])) == []
    ),
    ("series", "put"): lambda work, scope, world: refused(
        lambda: work.series.put(scope, series_version(world.device, 9_000))
    ),
    ("series", "zones"): lambda work, scope, world: work.series.zones(scope) == {},
    ("series", "put_zone"): lambda work, scope, world: refused(
        lambda: work.series.put_zone(
            scope, world.site.id, ZoneVersion(valid_from_us=9, time_zone="Asia/Tokyo")
        )
    ),
    ("rollups", "state"): lambda work, scope, world: work.rollups.state(scope) == RollupState(),
    ("rollups", "advance"): advance,
    ("rollups", "marks"): lambda work, scope, world: (
        not len(work.rollups.marks(scope, **ALL_DAYS))
        and not len(work.rollups.marks(scope, ids=[world.device.id], **ALL_DAYS))
    ),
    ("rollups", "take_marks"): lambda work, scope, world: (
        list(work.rollups.take_marks(scope, 1)) == []
    ),
    ("rollups", "replace"): put_bucket,
    ("rollups", "read"): lambda work, scope, world: (
        not len(work.rollups.read(scope, *SERIES, [world.device.id], **ALWAYS))
    ),
    ("rollups", "sums"): lambda work, scope, world: (
        not len(work.rollups.sums(scope, SERIES[0], [world.device.id], **ALWAYS))
    ),
    ("rollups", "drop"): lambda work, scope, world: (
        work.rollups.drop(scope, SERIES[0], end_us=2**60) == 0
    ),
    ("histories", "basis"): basis_is_empty,
    ("histories", "buckets"): lambda work, scope, world: (
        not any(map(len, work.histories.buckets(scope, SERIES[1], [bucket_part(world)])))
    ),
    ("histories", "sums"): lambda work, scope, world: (
        not any(map(len, work.histories.sums(scope, [bucket_part(world)])))
    ),
    ("histories", "readings"): lambda work, scope, world: (
        not any(map(len, work.histories.readings(scope, [reading_part(world)])))
    ),
    ("settings", "get"): lambda work, scope, world: work.settings.get(scope, "name") is None,
    ("settings", "put"): put_setting,
    ("settings", "items"): lambda work, scope, world: work.settings.items(scope, "") == {},
    ("settings", "remove"): lambda work, scope, world: (
        not work.settings.remove(scope, "name", "value")
    ),
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
        with storage.transaction(write=True) as work:
            seen: Mapping[str, Any] = world.seen(work)
            assert work.telemetry.drop_day(world.scope, 0, revision=1, file=None)
        assert all(seen.values()), seen
        assert seen["devices"] == (world.device,)
