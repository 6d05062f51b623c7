"""Whoever listens to a tenant hears of everything that changes a state or what is selected."""

import attrs
import pytest

from energycore.channels import LocalChannel
from energycore.devices.base import DataSource
from energycore.devices.kinds.battery import Battery
from energycore.devices.kinds.solar_panel import SolarPanel
from energycore.devices.site import Site
from energycore.errors import EnergycoreError
from energycore.protocols.channel import MAX_CHANGED, Change
from energycore.services.ingestion import NewReading
from energycore.services.suite import Services
from energycore.simulation.dispatch import SelfConsumption
from energycore.testing.contract import new_device, panel

WALL = Battery(name="Wall", capacity_wh=10_000, max_charge_w=5_000, max_discharge_w=5_000)


@pytest.fixture
def channel():
    return LocalChannel()


@pytest.fixture
def services(storage, clock, channel):
    keys = iter(range(1_000, 9_000))
    return Services.over(storage, clock, draw_noise_key=lambda: next(keys), channel=channel)


@pytest.fixture
def heard(channel, scope):
    changes: list[Change] = []
    channel.subscribe(scope.tenant, changes.append)
    return changes


@pytest.fixture
def ids(services, scope):
    """A simulated battery and a reported panel."""
    roof = SolarPanel(name="Roof", rated_power_w=5_000)
    register = services.registration.register_device
    return (
        register(scope, WALL).id,
        register(scope, roof, data_source=DataSource.REPORTED).id,
    )


CALLS = {
    "update": lambda s, scope, wall, roof: s.registration.update_device(scope, wall, name="New"),
    "deactivate": lambda s, scope, wall, roof: s.registration.deactivate(scope, wall),
    "set mode": lambda s, scope, wall, roof: s.control.set_mode(scope, wall, "charging"),
    "set dispatch": lambda s, scope, wall, roof: s.control.set_dispatch(
        scope, wall, SelfConsumption()
    ),
    "tick": lambda s, scope, wall, roof: s.ticking.tick(scope),
}


@pytest.mark.parametrize("call", CALLS)
def test_each_change_names_its_device(services, scope, ids, heard, call):
    heard.clear()
    CALLS[call](services, scope, *ids)
    assert heard == [Change(scope.tenant, frozenset({ids[0]}))]


def test_a_registration_is_heard_of_and_one_that_was_made_already_is_not(services, scope, heard):
    services.registration.register_site(scope, Site(name="Home", time_zone="UTC"))
    record = services.registration.register_device(scope, WALL, external_id="one")
    services.registration.register_device(scope, WALL, external_id="one")
    assert heard == [Change(scope.tenant, frozenset({record.id}))]


def test_readings_name_those_whose_state_they_are(services, scope, clock, ids, heard):
    heard.clear()
    reading = NewReading(device_id=ids[1], at=clock.now(), power_w=5.0)
    refused = attrs.evolve(reading, device_id=ids[0])
    services.ingestion.record(scope, [reading, refused])
    assert heard == [Change(scope.tenant, frozenset({ids[1]}))]
    services.ingestion.record(scope, [refused])
    services.ingestion.record(scope, [])
    assert len(heard) == 1


def test_nothing_is_heard_of_what_is_refused_or_of_a_tick_that_was_run_before(
    services, scope, ids, heard
):
    services.ticking.tick(scope)
    heard.clear()
    with pytest.raises(EnergycoreError):
        services.control.set_mode(scope, ids[1], "charging")
    with pytest.raises(EnergycoreError):
        services.registration.update_device(scope, ids[0], expected_version=9)
    services.ticking.tick(scope)
    assert heard == []


def test_a_tick_of_very_many_devices_names_none_of_them(services, scope, storage, heard):
    services.registration.register_device(scope, WALL)
    with storage.transaction(write=True) as work:
        for number in range(MAX_CHANGED):
            work.devices.add(scope, new_device(panel(f"Panel {number}")))
    heard.clear()
    services.ticking.tick(scope)
    assert heard == [Change(scope.tenant)]


def test_without_a_channel_nothing_else_differs(services, scope, ids):
    silent = Services.over(services.storage, services.clock, draw_noise_key=lambda: 1)
    assert silent.ticking.tick(scope).ticks == 1
