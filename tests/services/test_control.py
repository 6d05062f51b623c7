"""Commands to storage and the strategies that steer it."""

import pytest

import energycore as ec
from energycore import errors

WALL = ec.Battery(
    name="Wall",
    capacity_wh=1_000,
    max_charge_w=5_000,
    max_discharge_w=4_000,
    charge_efficiency=1.0,
    discharge_efficiency=1.0,
)


def observed(services, scope, record):
    return services.insight.states(scope, [record])[record.id]


def mode(services, scope, record):
    return services.insight.modes(scope, [record])[record.id]


def test_a_mode_is_seen_at_once_and_acts_from_the_next_tick_on(services, scope, clock):
    record = services.registration.register_device(scope, WALL)
    services.ticking.tick(scope)
    assert observed(services, scope, record).power_w == 0
    changed = services.control.set_mode(scope, record.id, ec.StorageMode.CHARGING, 3_000)
    assert changed.version == record.version
    assert mode(services, scope, record) is ec.StorageMode.CHARGING
    assert observed(services, scope, record).mode is ec.StorageMode.IDLE
    clock.move(minutes=1)
    services.ticking.tick(scope)
    state = observed(services, scope, record)
    assert (state.power_w, state.stored_wh, state.mode) == (-3_000, 500, ec.StorageMode.CHARGING)


def test_a_storage_goes_idle_by_itself_when_it_is_full_and_stays_idle(services, scope, clock):
    record = services.registration.register_device(
        scope, WALL, initial=ec.StorageState(stored_wh=975, mode=ec.StorageMode.CHARGING)
    )
    services.ticking.tick(scope)
    # 25 Wh at 5,000 W take 18 of the 60 seconds: a mean of 1,500 W.
    assert observed(services, scope, record).power_w == -1_500
    assert mode(services, scope, record) is ec.StorageMode.IDLE
    clock.move(minutes=1)
    services.ticking.tick(scope)
    state = observed(services, scope, record)
    assert (state.power_w, state.stored_wh, state.mode) == (0, 1_000, ec.StorageMode.IDLE)


@pytest.mark.parametrize(
    ("given_mode", "power_w"),
    [
        (ec.StorageMode.CHARGING, 5_000.1),
        (ec.StorageMode.DISCHARGING, 4_000.1),
        (ec.StorageMode.CHARGING, 0.0),
        (ec.StorageMode.CHARGING, -1.0),
        (ec.StorageMode.CHARGING, float("nan")),
        (ec.StorageMode.CHARGING, float("inf")),
        (ec.StorageMode.IDLE, 1.0),
    ],
)
def test_a_power_that_the_storage_cannot_follow_is_refused(services, scope, given_mode, power_w):
    record = services.registration.register_device(scope, WALL)
    with pytest.raises(errors.InvalidValue) as caught:
        services.control.set_mode(scope, record.id, given_mode, power_w)
    assert caught.value.field == "power_w"
    assert mode(services, scope, record) is ec.StorageMode.IDLE


def test_a_mode_takes_over_from_a_strategy_and_grows_the_version(services, scope):
    record = services.registration.register_device(scope, WALL, dispatch=ec.SelfConsumption())
    changed = services.control.set_mode(scope, record.id, ec.StorageMode.DISCHARGING)
    assert (changed.dispatch, changed.version) == (ec.Manual(), 2)


def test_a_strategy_forgets_the_command_before_it(services, scope, clock):
    record = services.registration.register_device(scope, WALL)
    services.control.set_mode(scope, record.id, ec.StorageMode.CHARGING)
    steered = services.control.set_dispatch(scope, record.id, ec.SelfConsumption(priority=3))
    assert (steered.dispatch, steered.version) == (ec.SelfConsumption(priority=3), 2)
    back = services.control.set_dispatch(scope, record.id, ec.Manual())
    assert back.version == 3
    services.ticking.tick(scope)
    assert observed(services, scope, record).power_w == 0


def test_the_same_strategy_again_changes_nothing(services, scope):
    record = services.registration.register_device(scope, WALL, dispatch=ec.SelfConsumption())
    assert services.control.set_dispatch(scope, record.id, ec.SelfConsumption()) == record


def test_what_takes_no_commands_says_so(services, scope):
    roof = services.registration.register_device(scope, ec.SolarPanel(name="Roof", rated_power_w=1))
    reported = services.registration.register_device(
        scope, WALL, data_source=ec.DataSource.REPORTED
    )
    other = services.registration.register_device(
        scope, ec.ElectricVehicle(name="Car", capacity_wh=1, max_charge_w=1, max_discharge_w=1)
    )
    services.registration.deactivate(scope, other.id)
    for device_id, error in (
        (roof.id, errors.DeviceIsNotStorage),
        (reported.id, errors.DeviceIsReported),
        (other.id, errors.DeviceIsInactive),
        (10**9, errors.NotFound),
    ):
        with pytest.raises(error):
            services.control.set_mode(scope, device_id, ec.StorageMode.CHARGING)
        with pytest.raises(error):
            services.control.set_dispatch(scope, device_id, ec.SelfConsumption())
