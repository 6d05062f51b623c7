"""Readings of reported devices: stored, known already, or refused one by one."""

from datetime import datetime, timedelta

import pytest

import energycore as ec

METER = ec.SolarPanel(name="Roof", rated_power_w=5_000)
WALL = ec.Battery(name="Wall", capacity_wh=1_000, max_charge_w=5_000, max_discharge_w=4_000)


@pytest.fixture
def roof(services, scope):
    return services.registration.register_device(scope, METER, data_source=ec.DataSource.REPORTED)


def state(services, scope, record):
    return services.insight.states(scope, [record]).get(record.id)


def test_the_newest_reading_becomes_the_state_and_an_older_one_never_does(
    services, scope, clock, roof
):
    now = clock.now()
    result = services.ingestion.record(
        scope,
        [
            ec.NewReading(device_id=roof.id, at=now, power_w=1234.567),
            ec.NewReading(device_id=roof.id, at=now - timedelta(minutes=1), power_w=1.0),
        ],
    )
    assert (result.accepted, result.duplicates, result.rejected) == (2, 0, ())
    assert state(services, scope, roof).power_w == 1234.567
    late = ec.NewReading(device_id=roof.id, at=now - timedelta(hours=1), power_w=2.0)
    assert services.ingestion.record(scope, [late]).accepted == 1
    assert state(services, scope, roof).power_w == 1234.567


def test_a_replayed_batch_is_counted_as_duplicates_and_changes_nothing(
    services, scope, clock, roof
):
    batch = [
        ec.NewReading(device_id=roof.id, at=clock.now() - timedelta(minutes=m), power_w=m)
        for m in range(10)
    ]
    assert services.ingestion.record(scope, batch).accepted == 10
    again = services.ingestion.record(scope, batch)
    assert (again.accepted, again.duplicates, again.rejected) == (0, 10, ())
    stored = services.histories.readings(scope, [roof.id], start_us=0, end_us=2**62)
    assert len(stored) == 10


def test_another_value_at_the_same_instant_is_refused_and_never_becomes_the_state(
    services, scope, clock, roof
):
    first = ec.NewReading(device_id=roof.id, at=clock.now(), power_w=1.0)
    services.ingestion.record(scope, [first])
    other = ec.NewReading(device_id=roof.id, at=clock.now(), power_w=2.0)
    result = services.ingestion.record(scope, [first, other])
    assert (result.accepted, result.duplicates) == (0, 1)
    assert [(r.index, r.error.code) for r in result.rejected] == [(1, "CONFLICT")]
    assert state(services, scope, roof).power_w == 1.0


def test_a_bad_reading_is_refused_with_its_place_and_reason_and_the_rest_is_stored(
    services, scope, clock, roof
):
    now = clock.now()
    wall = services.registration.register_device(scope, WALL, data_source=ec.DataSource.REPORTED)
    simulated = services.registration.register_device(
        scope, ec.Appliance(name="Pump", average_power_w=1)
    )
    gone = services.registration.register_device(
        scope,
        ec.Appliance(name="Old pump", average_power_w=1),
        data_source=ec.DataSource.REPORTED,
    )
    services.registration.deactivate(scope, gone.id)
    naive = datetime(2026, 6, 1)  # noqa: DTZ001 - what is refused
    cases = [
        (ec.NewReading(device_id=roof.id, at=now, power_w=5.0), None),
        (ec.NewReading(device_id=roof.id, at=naive, power_w=5.0), "INSTANT_WITHOUT_ZONE"),
        (
            ec.NewReading(device_id=roof.id, at=now + timedelta(hours=1), power_w=5.0),
            "INSTANT_OUT_OF_RANGE",
        ),
        (ec.NewReading(device_id=roof.id, at=now, power_w=float("nan")), "INVALID_VALUE"),
        (ec.NewReading(device_id=roof.id, at=now, power_w=float("inf")), "INVALID_VALUE"),
        (ec.NewReading(device_id=10**9, at=now, power_w=5.0), "NOT_FOUND"),
        (ec.NewReading(device_id=simulated.id, at=now, power_w=5.0), "DEVICE_IS_SIMULATED"),
        (ec.NewReading(device_id=gone.id, at=now, power_w=5.0), "DEVICE_IS_INACTIVE"),
        (ec.NewReading(device_id=roof.id, at=now, power_w=5.0, stored_wh=1.0), "INVALID_VALUE"),
        (
            ec.NewReading(device_id=wall.id, at=now, power_w=5.0, stored_wh=1_000.1),
            "STORED_ENERGY_OUT_OF_BOUNDS",
        ),
        (
            ec.NewReading(device_id=wall.id, at=now, power_w=5.0, stored_wh=float("nan")),
            "STORED_ENERGY_OUT_OF_BOUNDS",
        ),
        (ec.NewReading(device_id=wall.id, at=now, power_w=-5.0, stored_wh=1_000.0), None),
    ]
    result = services.ingestion.record(scope, [reading for reading, _ in cases])
    expected = [(index, code) for index, (_, code) in enumerate(cases) if code is not None]
    assert [(r.index, r.error.code) for r in result.rejected] == expected
    assert result.accepted == len(cases) - len(expected)
    assert state(services, scope, wall).state_of_charge == 1.0
    assert state(services, scope, wall).mode is ec.StorageMode.CHARGING


def test_an_empty_batch_is_no_error(services, scope):
    result = services.ingestion.record(scope, [])
    assert (result.accepted, result.duplicates, result.rejected) == (0, 0, ())


def test_a_reading_of_another_tenants_device_is_one_of_an_unknown_device(
    services, scope, clock, roof
):
    reading = ec.NewReading(device_id=roof.id, at=clock.now(), power_w=1.0)
    result = services.ingestion.record(ec.Scope("other"), [reading])
    assert [r.error.code for r in result.rejected] == ["NOT_FOUND"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"power_w": "2"},
        {"power_w": None},
        {"power_w": True},
        {"at": "2026-01-01T00:00Z"},
        {"at": None},
        {"device_id": "1"},
        {"device_id": [1]},
        {"stored_wh": "full"},
    ],
    ids=str,
)
def test_a_reading_of_a_wrong_type_does_not_spoil_its_batch(services, scope, clock, roof, wrong):
    good = {"device_id": roof.id, "at": clock.now(), "power_w": 1.0}
    batch = [ec.NewReading(**good), ec.NewReading(**{**good, **wrong}), (1, 2, 3)]
    result = services.ingestion.record(scope, batch)
    assert (result.accepted, [r.index for r in result.rejected]) == (1, [1, 2])
