"""What the SQL backend sends to the database: how much of it, and always for one tenant."""

import re
from contextlib import contextmanager

import attrs
import pytest
from sqlalchemy import event

from energycore.errors import ScopeRequired
from energycore.protocols.groups import SummaryGroup
from energycore.protocols.records import (
    DeviceFilter,
    DeviceOrder,
    DeviceOrderField,
    PageRequest,
)
from energycore.testing.contract import new_device, new_scope, new_site, panel, readings
from energycore.testing.tenants import FOREIGN, World, call_without_scope, scoped_methods

ALL = DeviceFilter()
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


def on_our_tables(sent):
    return [(statement, values) for statement, values in sent if "energycore_" in statement]


def assert_for_one_tenant(statement):
    """Every table that is written to has a tenant, and every one that is read is asked for one."""
    if statement.startswith("INSERT"):
        assert "(tenant_id, " in statement
        return
    for table in set(re.findall(r"energycore_\w+", statement)):
        assert f"{table}.tenant_id = " in statement, f"{table} in {statement}"


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


def test_a_page_between_two_places_asks_at_most_twice_more(sql_storage, populated):
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
    assert len(on_our_tables(sent)) == 4


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
        work.telemetry.append(
            world.scope, readings((world.device.id, 0, 5, 5), (world.device.id, 1_000, 5, 5))
        )
        work.fleet.load(world.scope, world.shard.id, at_us=0, default_zone="UTC")
    ours = on_our_tables(sent)
    assert len(ours) > 20
    for statement, parameters in ours:
        assert_for_one_tenant(statement)
        for values in parameter_sets(parameters):
            assert world.scope.tenant in values, statement


@pytest.mark.parametrize(("repository", "name"), METHODS)
def test_without_a_scope_nothing_is_sent(sql_storage, repository, name):
    with sql_storage.transaction(write=True) as work, statements(sql_storage) as sent:
        with pytest.raises(ScopeRequired):
            call_without_scope(work, repository, name)
        assert sent == []
