"""With routers that read from a replica, what was just written is read where it was written."""

import pytest
from django.db import connections, transaction
from django.test import override_settings

import energycore as ec
from energycore.errors import NotFound
from energycore_django import energy
from energycore_django.models import Device, Site

ROOF = ec.SolarPanel(name="Roof", rated_power_w=5_000)
PRIMARY, REPLICA = "postgresql", "default"


@pytest.fixture(autouse=True)
def routers(sqlite_alias, postgresql_alias):
    with override_settings(DATABASE_ROUTERS=["tests.django.routers.Primary"]):
        yield


@pytest.fixture
def block():
    with transaction.atomic(using=PRIMARY):
        yield
        transaction.set_rollback(True, using=PRIMARY)


@pytest.mark.usefixtures("block")
def test_a_stored_row_is_saved_again_though_the_replica_does_not_have_it():
    site, device = Site(name="Home", time_zone="UTC"), Device.of(ROOF)
    for row in (site, device):
        row.save()
        row.name = "Other"
        row.full_clean(exclude=["site"])
        row.save()
    assert energy().device(device.id).device.name == "Other"
    assert energy().site(site.id).site.name == "Other"


@pytest.mark.usefixtures("block")
def test_a_block_reads_what_it_wrote():
    record = energy().register(ROOF)
    assert energy().device(record.id) == record
    energy().tick()
    assert energy().state(record.id) is not None


def test_outside_of_a_block_the_replica_is_read():
    with transaction.atomic(using=REPLICA):
        with override_settings(ENERGYCORE={"DATABASE": REPLICA}):
            record = energy().register(ROOF)
        assert energy().device(record.id).device == ROOF
        with transaction.atomic(using=PRIMARY), pytest.raises(NotFound):
            energy().device(record.id)
        transaction.set_rollback(True, using=REPLICA)


def test_a_database_that_is_named_is_read_in_a_block_of_another_too():
    with (
        transaction.atomic(using=PRIMARY),
        transaction.atomic(using=REPLICA),
        override_settings(ENERGYCORE={"DATABASE": REPLICA}),
    ):
        record = energy().register(ROOF)
        assert energy().device(record.id) == record
        transaction.set_rollback(True, using=REPLICA)


def test_a_row_is_judged_where_it_is_written():
    """A form of a device that was registered a moment ago, and is not on the replica yet."""
    device = Device.of(ROOF, tenant_id="far")
    device.save()
    try:
        device.data_source = "reported"
        assert [field for field, _ in device.faults()] == ["data_source"]
    finally:
        with connections[PRIMARY].cursor() as cursor:
            for table in ("series", "device", "shard"):
                cursor.execute(f"DELETE FROM energycore_{table} WHERE tenant_id = 'far'")
