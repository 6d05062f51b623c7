"""The first readings of many devices, of which some days are in the archive and some are not."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import energycore as ec
from energycore.archive import open_archive
from energycore.devices.base import DataSource
from energycore.errors import ArchiveUnavailable
from energycore.quantities.instants import to_epoch_us
from energycore.services.ingestion import NewReading
from energycore.telemetry.tiers import US_PER_DAY, Retention

DAY = timedelta(days=1)
BEGIN = datetime(2026, 5, 28, tzinfo=UTC)


@pytest.fixture
def kept(services, scope, clock, tmp_path):
    """The services, the devices, and all their readings by device and instant.

    All days but the last are archived; of one, a late reading is still in the storage.
    """
    archive = open_archive(str(tmp_path / "archive"))
    retention = Retention(raw=DAY)
    services = services.with_archive(archive)
    services = attrs.evolve(services, upkeep=attrs.evolve(services.upkeep, retention=retention))
    ids = [
        services.registration.register_device(
            scope, ec.SolarPanel(name=name, rated_power_w=1), data_source=DataSource.REPORTED
        ).id
        for name in ("often", "daily", "once", "never")
    ]
    instants = {
        ids[0]: [BEGIN + timedelta(hours=3) * n for n in range(8 * 5 - 4)],
        ids[1]: [BEGIN + timedelta(hours=23) * n for n in range(5)],
        ids[2]: [BEGIN + timedelta(days=2, hours=1)],
    }
    rows = [(device_id, at) for device_id in instants for at in instants[device_id]]

    def record(*chosen):
        readings = [NewReading(device_id=key, at=at, power_w=1.0) for key, at in chosen]
        assert services.ingestion.record(scope, readings).rejected == ()

    late = (ids[2], BEGIN + timedelta(days=1, hours=5))
    clock.at = BEGIN + 5 * DAY
    record(*rows)
    report = services.upkeep.run(scope)
    assert report.archived_days == report.dropped_days > 2
    record(late)
    everything = sorted((key, to_epoch_us(at)) for key, at in [*rows, late])
    return services, ids, everything


def shown(batch):
    return list(zip(batch.device_id.tolist(), batch.at_us.tolist(), strict=True))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    which=st.sets(st.integers(0, 3)),
    count=st.integers(0, 40),
    start=st.timedeltas(-DAY, 6 * DAY),
    length=st.timedeltas(timedelta(hours=1), 7 * DAY),
)
def test_they_are_the_first_of_all_that_are_kept_anywhere(kept, scope, which, count, start, length):
    services, ids, everything = kept
    start_us = to_epoch_us(BEGIN + start)
    end_us = to_epoch_us(BEGIN + start + length)
    wanted = [ids[position] for position in which]
    found = services.histories.first_readings(
        scope, wanted, start_us=start_us, end_us=end_us, count=count
    )
    expected = []
    for device_id in sorted(wanted):
        own = [row for row in everything if row[0] == device_id and start_us <= row[1] < end_us]
        expected += own[:count]
    assert shown(found) == expected


def test_no_day_is_read_once_every_device_has_enough(kept, scope, monkeypatch):
    services, ids, everything = kept
    read = []
    archive = services.histories.archive
    original = type(archive).read

    def listening(self, scope, name, *, ids=None):
        read.append((name, ids))
        return original(self, scope, name, ids=ids)

    monkeypatch.setattr(type(archive), "read", listening)
    first, last = everything[0][1], everything[-1][1] + 5 * US_PER_DAY

    def ask(devices, count):
        read.clear()
        services.histories.first_readings(scope, devices, start_us=first, end_us=last, count=count)
        return [sorted(ids) for _, ids in read]

    often, daily, _, never = ids
    assert ask([often], 3) == [[often]]
    assert ask([daily, often], 3) == [[often, daily], [daily]]
    assert ask([daily, often], 1) == [[often, daily]]
    assert len(ask([never], 1)) > 2


def test_no_more_is_read_of_a_device_than_was_asked_for(kept, scope, monkeypatch):
    services, (often, *_), everything = kept
    with services.storage.transaction(write=False) as work:
        store = type(work.telemetry)
    original, sizes = store.read, []

    def listening(self, *given, **named):
        found = original(self, *given, **named)
        sizes.append(len(found))
        return found

    monkeypatch.setattr(store, "read", listening)
    last_us = max(at_us for device_id, at_us in everything if device_id == often)
    services.histories.first_readings(
        scope, [often], start_us=last_us - US_PER_DAY // 3, end_us=last_us, count=1
    )
    assert sizes == [1]


def test_an_archive_that_is_not_named_is_missed(kept, scope):
    services, ids, everything = kept
    histories = services.with_archive(None).histories
    first, last = everything[0][1], everything[-1][1]
    with pytest.raises(ArchiveUnavailable):
        histories.first_readings(scope, ids, start_us=first, end_us=last, count=1)
    rest = to_epoch_us(BEGIN + timedelta(days=4))
    found = histories.first_readings(scope, ids, start_us=rest, end_us=rest + US_PER_DAY, count=9)
    assert len(found) == 4
