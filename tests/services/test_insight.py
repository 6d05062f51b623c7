"""Totals of what devices do right now, and the silent ones beside them."""

from datetime import timedelta

import pytest

import energycore as ec
from energycore.protocols.records import DeviceFilter
from energycore.services.insight import SummaryGroup


def reported(services, scope, device, **options):
    return services.registration.register_device(
        scope, device, data_source=ec.DataSource.REPORTED, **options
    )


@pytest.fixture
def home(services, scope, clock):
    """A panel, a charging battery, a discharging car and a silent pump, on two sites."""
    first = services.registration.register_site(scope, ec.Site(name="A"))
    second = services.registration.register_site(scope, ec.Site(name="B"))
    roof = reported(
        services,
        scope,
        ec.SolarPanel(name="Roof", rated_power_w=5_000),
        site_id=first.id,
        tags=["south", "new"],
    )
    wall = reported(
        services,
        scope,
        ec.Battery(name="Wall", capacity_wh=10_000, max_charge_w=5_000, max_discharge_w=5_000),
        site_id=first.id,
        tags=["new"],
    )
    car = reported(
        services,
        scope,
        ec.ElectricVehicle(name="Car", capacity_wh=50_000, max_charge_w=9e3, max_discharge_w=9e3),
        site_id=second.id,
    )
    pump = reported(services, scope, ec.Appliance(name="Pump", average_power_w=100))
    now = clock.now()
    result = services.ingestion.record(
        scope,
        [
            ec.NewReading(device_id=roof.id, at=now, power_w=3000.001),
            ec.NewReading(device_id=wall.id, at=now, power_w=-1000.1, stored_wh=2_500),
            ec.NewReading(device_id=car.id, at=now, power_w=500.02, stored_wh=20_000),
        ],
    )
    assert result.accepted == 3
    return first, second, roof, wall, car, pump


def test_the_summary_equals_the_states_to_the_last_digit(services, scope, clock, home):
    summary = services.insight.summary(scope)
    assert (summary.generation_w, summary.load_w) == (3000.001, 0.0)
    assert (summary.discharge_w, summary.charge_w) == (500.02, 1000.1)
    assert summary.production_mw == 3_000_001 + 500_020
    assert summary.consumption_mw == 1_000_100
    assert summary.net_power_w == 2499.921
    assert (summary.device_count, summary.silent_count) == (4, 1)
    assert (summary.storage.capacity_wh, summary.storage.stored_wh) == (60_000, 22_500)
    assert (summary.storage.state_of_charge, summary.storage.device_count) == (0.375, 2)


def test_a_device_that_falls_silent_leaves_the_totals_and_is_counted(services, scope, clock, home):
    clock.move(minutes=10)
    assert services.insight.summary(scope).silent_count == 1
    clock.move(milliseconds=1)
    summary = services.insight.summary(scope)
    assert (summary.production_w, summary.silent_count, summary.device_count) == (0, 4, 4)
    assert (summary.storage.device_count, summary.storage.state_of_charge) == (0, None)
    [roof] = services.insight.find(scope, DeviceFilter(name_contains="ROO")).items
    assert services.insight.states(scope, [roof])[roof.id].is_stale


def test_inactive_devices_are_in_no_total(services, scope, home):
    services.registration.deactivate(scope, home[2].id)
    summary = services.insight.summary(scope)
    assert (summary.generation_w, summary.device_count) == (0, 3)


def test_a_filter_selects_what_is_summed(services, scope, home):
    first = home[0]
    summary = services.insight.summary(scope, DeviceFilter(site_ids=(first.id,)))
    assert (summary.device_count, summary.net_power_w) == (2, 1999.901)
    assert services.insight.summary(scope, DeviceFilter(ids=())).device_count == 0


def test_totals_are_grouped_by_site_kind_and_tag(services, scope, home):
    first, second, *_ = home
    by_site = services.insight.summaries(scope, SummaryGroup.SITE)
    assert [(key, s.device_count) for key, s in by_site] == [
        (first.id, 2),
        (second.id, 1),
        (None, 1),
    ]
    by_kind = services.insight.summaries(scope, SummaryGroup.KIND)
    assert [key for key, _ in by_kind] == [
        "appliance",
        "battery",
        "electric_vehicle",
        "solar_panel",
    ]
    by_tag = services.insight.summaries(scope, SummaryGroup.TAG)
    assert [(key, s.device_count) for key, s in by_tag] == [("new", 2), ("south", 1), (None, 2)]
    assert sum(s.net_power_mw for _, s in by_site) == services.insight.summary(scope).net_power_mw


def test_the_mode_of_a_reported_storage_is_the_sign_of_its_power(services, scope, home):
    modes = services.insight.modes(scope, services.insight.find(scope).items)
    _, _, roof, wall, car, _ = home
    assert modes == {wall.id: ec.StorageMode.CHARGING, car.id: ec.StorageMode.DISCHARGING}
    assert roof.id not in modes


def test_a_simulated_device_is_silent_after_two_steps(services, scope, clock):
    services.registration.register_device(scope, ec.SolarPanel(name="Roof", rated_power_w=1))
    assert services.insight.summary(scope).silent_count == 1
    services.ticking.tick(scope)
    assert services.insight.summary(scope).silent_count == 0
    clock.at += timedelta(minutes=2)
    assert services.insight.summary(scope).silent_count == 0
    clock.at += timedelta(milliseconds=1)
    assert services.insight.summary(scope).silent_count == 1


def test_a_charge_from_before_a_smaller_capacity_is_unknown_not_more_than_full(
    services, scope, home
):
    wall = home[3]
    small = ec.Battery(name="Wall", capacity_wh=2_000, max_charge_w=5_000, max_discharge_w=5_000)
    changed = services.registration.update_device(scope, wall.id, device=small)
    state = services.insight.states(scope, [changed])[wall.id]
    assert (state.stored_wh, state.state_of_charge) == (2_500, None)
    storage = services.insight.summary(scope).storage
    assert (storage.device_count, storage.state_of_charge) == (1, 0.4)


def test_what_is_shown_in_a_notebook_is_in_watts(services, scope, home):
    text = repr(services.insight.summary(scope))
    assert "net_power_w=2499.921" in text
    assert "state_of_charge=0.375" in text
    states = services.insight.states(scope, services.insight.find(scope).items)
    assert "power_w=-1000.1, stored_wh=2500.0, mode=charging" in repr(states[home[3].id])
