"""What the SQL backend sends to the database: how much of it, and always for one tenant."""

import re
from contextlib import contextmanager

import attrs
import pytest
from sqlalchemy import event

from energycore.errors import NotFound, ScopeRequired
from energycore.protocols.groups import SummaryGroup
from energycore.protocols.records import (
    DeviceFilter,
    DeviceOrder,
    DeviceOrderField,
    PageRequest,
)
from energycore.protocols.telemetry import ConflictPolicy, ZoneVersion
from energycore.protocols.versions import series_version
from energycore.storage.sql.ledger import LARGE
from energycore.telemetry.tiers import US_PER_DAY, SeriesKind, Tier
from energycore.testing.contract import (
    ALWAYS,
    buckets,
    new_device,
    new_scope,
    new_site,
    panel,
    readings,
)
from energycore.testing.tenants import FOREIGN, World, call_without_scope, scoped_methods

ALL = DeviceFilter()
DEVICES = Tier.QUARTER_HOUR, SeriesKind.DEVICE
METHODS = [pytest.param(*method, id=".".join(method)) for method in scoped_methods()]


@contextmanager
def statements(storage):
    """The statements with their parameters, as they are sent while the block runs."""
    sent = []

    def note(connection, cursor, statement, parameters, context, executemany):
        sent.append((statement, parameters))

    event.listen(storage.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(storage.engine, "before_cursor_execute", note)


# They make room for days, and let go of those that hold nobody's readings any more.
ON_PARTITIONS = ("LOCK TABLE ", "CREATE TABLE ", "ALTER TABLE ", "DROP TABLE ")


def on_our_tables(sent):
    return [
        (statement, values)
        for statement, values in sent
        if "energycore_" in statement and not statement.startswith(ON_PARTITIONS)
    ]


def assert_for_one_tenant(statement):
    """Every table that is written to has a tenant, and every one that is read is asked for one."""
    asked = statement
    if statement.startswith("INSERT"):
        assert "(tenant_id, " in statement
        asked = statement.partition("SELECT")[2].partition("ON CONFLICT")[0]
    for table in set(re.findall(r"energycore_\w+", asked)):
        assert f"{table}.tenant_id = " in asked, f"{table} in {statement}"


def parameter_sets(parameters):
    """One for each row: a driver is given one set, or a list of them."""
    sets = parameters if isinstance(parameters, list) else [parameters]
    return [list(one.values()) if isinstance(one, dict) else list(one) for one in sets]


@pytest.fixture
def populated(sql_storage):
    """A tenant with 40 devices that have everything."""
    scope = new_scope()
    with sql_storage.transaction(write=True) as work:
        site = work.sites.add(scope, new_site())
        ids = [
            work.devices.add(
                scope, new_device(panel(f"n{row}"), site_id=site.id, tags=("t", f"t{row}"))
            ).id
            for row in range(40)
        ]
        batch = readings(*((device_id, 0, 1, None) for device_id in ids))
        work.telemetry.append(scope, batch)
        work.fleet.observe(scope, batch)
        work.fleet.save(scope, {device_id: {"x": 1} for device_id in ids})
        work.rollups.advance(scope, rolled_us=2 * US_PER_DAY)
        kept = buckets(*((device_id, 0, 1) for device_id in ids))
        work.rollups.replace(scope, *DEVICES, ids, **ALWAYS, buckets=kept)
        shard = work.fleet.add_shard(scope, step_us=1, seed=0)
    return scope, ids, shard


READS = {
    "page": lambda work, scope, ids, shard: work.devices.page(
        scope, ALL, DeviceOrder(field=DeviceOrderField.NAME), PageRequest(first=len(ids))
    ),
    "get_many": lambda work, scope, ids, shard: work.devices.get_many(scope, ids),
    "pages": lambda work, scope, ids, shard: work.devices.pages(
        scope,
        SummaryGroup.TAG,
        [f"t{row}" for row in range(len(ids))],
        ALL,
        DeviceOrder(),
        PageRequest(first=3),
    ),
    "counts": lambda work, scope, ids, shard: work.devices.counts(
        scope, SummaryGroup.TAG, [f"t{row}" for row in range(len(ids))], ALL
    ),
    "sites": lambda work, scope, ids, shard: work.sites.get_many(scope, ids),
    "states": lambda work, scope, ids, shard: work.fleet.states(scope, ids),
    "internal_states": lambda work, scope, ids, shard: work.fleet.internal_states(scope, ids),
    "table": lambda work, scope, ids, shard: work.fleet.table(scope, DeviceFilter(ids=tuple(ids))),
    "tagged": lambda work, scope, ids, shard: work.fleet.tagged(
        scope, DeviceFilter(ids=tuple(ids))
    ),
    "load": lambda work, scope, ids, shard: work.fleet.load(
        scope, shard.id, at_us=0, default_zone="UTC"
    ),
    "read": lambda work, scope, ids, shard: work.telemetry.read(scope, ids, start_us=0, end_us=1),
    "first": lambda work, scope, ids, shard: work.telemetry.read(
        scope, ids, start_us=0, end_us=1, limit=1
    ),
    "days": lambda work, scope, ids, shard: work.telemetry.days(
        scope, start_day=0, end_day=len(ids)
    ),
    "ids": lambda work, scope, ids, shard: work.devices.ids(scope, DeviceFilter(ids=tuple(ids))),
    "series": lambda work, scope, ids, shard: work.series.table(scope, ids),
    "members": lambda work, scope, ids, shard: work.series.members(scope, ids),
    "zones": lambda work, scope, ids, shard: work.series.zones(scope),
    "marks": lambda work, scope, ids, shard: work.rollups.marks(
        scope, ids=ids, start_day=0, end_day=2
    ),
    "buckets": lambda work, scope, ids, shard: work.rollups.read(scope, *DEVICES, ids, **ALWAYS),
    "sums": lambda work, scope, ids, shard: work.rollups.sums(scope, DEVICES[0], ids, **ALWAYS),
}


@pytest.mark.parametrize("name", READS)
def test_the_number_of_statements_does_not_depend_on_the_number_of_rows(
    sql_storage, populated, name
):
    scope, ids, shard = populated
    counts = []
    for part in (ids[:2], ids):
        with sql_storage.transaction(write=False) as work, statements(sql_storage) as sent:
            READS[name](work, scope, part, shard)
        counts.append(len(on_our_tables(sent)))
    assert counts[0] == counts[1] <= (3 if name == "pages" else 2)


def test_a_page_between_two_places_asks_once_more(sql_storage, populated):
    scope, _, _ = populated
    with sql_storage.transaction(write=False) as work:
        page = work.devices.page(scope, ALL, DeviceOrder(), PageRequest(first=20))
        with statements(sql_storage) as sent:
            work.devices.page(
                scope,
                ALL,
                DeviceOrder(),
                PageRequest(first=20, after=page.cursors[3], before=page.cursors[9]),
            )
    assert len(on_our_tables(sent)) == 2


CHANGES = {
    "take_marks": lambda work, scope, ids: work.rollups.take_marks(scope, 0),
    "replace": lambda work, scope, ids: work.rollups.replace(
        scope, *DEVICES, ids, **ALWAYS, buckets=buckets(*((one, 0, 2) for one in ids))
    ),
    "advance": lambda work, scope, ids: work.rollups.advance(scope, rolled_us=3 * US_PER_DAY),
    "append": lambda work, scope, ids: work.telemetry.append(
        scope, readings(*((one, 5_000, 1, None) for one in ids)), reach_us=(5_000, US_PER_DAY)
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_number_of_statements_of_a_change_does_not_depend_on_the_number_of_rows(
    sql_storage, populated, name
):
    """Of two tenants one has all devices, the other two of them."""
    scope, ids, _ = populated
    few = new_scope()
    with sql_storage.transaction(write=True) as work:
        two = [work.devices.add(few, new_device(panel(name))).id for name in "ab"]
        work.telemetry.append(few, readings(*((one, 0, 1, None) for one in two)))
        work.rollups.advance(few, rolled_us=2 * US_PER_DAY)
    counts = []
    for tenant, own in ((few, two), (scope, ids)):
        with sql_storage.transaction(write=True) as work, statements(sql_storage) as sent:
            CHANGES[name](work, tenant, own)
        counts.append(len(on_our_tables(sent)))
    assert counts[0] == counts[1] <= 9


@pytest.mark.parametrize(("repository", "name"), METHODS)
def test_every_statement_on_a_tenants_data_binds_the_tenant(sql_storage, repository, name):
    with sql_storage.transaction(write=True) as work:
        world = World.make(work)
    stranger = new_scope()
    with sql_storage.transaction(write=True) as work, statements(sql_storage) as sent:
        assert FOREIGN[repository, name](work, stranger, world)
    ours = on_our_tables(sent)
    assert ours
    for statement, parameters in ours:
        assert_for_one_tenant(statement)
        for values in parameter_sets(parameters):
            assert stranger.tenant in values, statement


def test_a_tenants_own_work_binds_the_tenant_in_every_statement(sql_storage):
    with sql_storage.transaction(write=True) as work, statements(sql_storage) as sent:
        world = World.make(work)
        world.seen(work)
        work.devices.count(world.scope, DeviceFilter(tags=("tag",)))
        work.sites.update(world.scope, world.site)
        work.devices.update(world.scope, attrs.evolve(world.device, tags=("new", "tags")))
        for policy in ConflictPolicy:
            batch = readings((world.device.id, 0, 5, 5), (world.device.id, 1_000, 5, 5))
            work.telemetry.append(world.scope, batch, policy=policy)
        work.telemetry.append(world.scope, readings((world.device.id, -US_PER_DAY, 5, 5)))
        work.series.put(world.scope, series_version(world.device, 7_000))
        work.series.put_zone(
            world.scope, world.site.id, ZoneVersion(valid_from_us=9, time_zone="Asia/Tokyo")
        )
        ids = [world.device.id]
        work.rollups.sums(world.scope, DEVICES[0], ids, **ALWAYS)
        for _ in range(2):
            work.rollups.advance(world.scope, rolled_us=9 * US_PER_DAY)
        for day in (-1, 0, 1):
            work.rollups.take_marks(world.scope, day)
        assert work.telemetry.drop_day(world.scope, 0, revision=2, file=None)
        work.rollups.replace(world.scope, *DEVICES, ids, **ALWAYS, buckets=buckets((ids[0], 0, 2)))
        assert work.rollups.drop(world.scope, DEVICES[0], end_us=2**60) == 1
        work.fleet.load(world.scope, world.shard.id, at_us=0, default_zone="UTC")
    ours = on_our_tables(sent)
    assert len(ours) > 20
    for statement, parameters in ours:
        assert_for_one_tenant(statement)
        for values in parameter_sets(parameters):
            assert world.scope.tenant in values, statement


def test_the_look_up_of_a_large_batch_binds_the_tenant(sql_storage):
    """What another tenant has stored is no duplicate: its devices are not there."""
    with sql_storage.transaction(write=True) as work:
        world = World.make(work)
        batch = readings(*((world.device.id, second * 1_000, 1, 1) for second in range(LARGE)))
        work.telemetry.append(world.scope, batch, policy=ConflictPolicy.LAST)
        work.telemetry.append(world.scope, batch)
        assert work.telemetry.append(world.scope, batch).duplicates == LARGE
    with sql_storage.transaction(write=True) as work, pytest.raises(NotFound):
        work.telemetry.append(new_scope(), batch)


@pytest.mark.parametrize(("repository", "name"), METHODS)
def test_without_a_scope_nothing_is_sent(sql_storage, repository, name):
    with sql_storage.transaction(write=True) as work, statements(sql_storage) as sent:
        with pytest.raises(ScopeRequired):
            call_without_scope(work, repository, name)
        assert sent == []
