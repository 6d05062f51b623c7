"""Registering, changing and retiring devices and sites."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

import energycore as ec
from energycore import errors
from energycore.protocols.records import DeviceFilter

ROOF = ec.SolarPanel(name="Roof", rated_power_w=5_000)
WALL = ec.Battery(name="Wall", capacity_wh=10_000, max_charge_w=5_000, max_discharge_w=4_000)
HOME = ec.Site(name="Home", time_zone="Europe/Berlin")


def test_a_registered_device_comes_back_as_it_was_given(services, scope):
    site = services.registration.register_site(scope, HOME)
    record = services.registration.register_device(
        scope, WALL, site_id=site.id, tags=["b", "a", "b"], external_id="wall-1"
    )
    stored = services.insight.device(scope, record.id)
    assert stored == record
    assert stored.device == WALL
    assert (stored.tags, stored.external_id, stored.site_id) == (("a", "b"), "wall-1", site.id)
    assert (stored.version, stored.is_active) == (1, True)
    assert stored.dispatch == ec.Manual()


def test_an_external_id_registers_once(services, scope):
    first = services.registration.register_device(scope, ROOF, external_id="x")
    again = services.registration.register_device(
        scope, ec.SolarPanel(name="Other", rated_power_w=1), external_id="x"
    )
    assert again == first
    assert services.insight.count(scope) == 1
    site = services.registration.register_site(scope, HOME, external_id="home")
    assert services.registration.register_site(scope, HOME, external_id="home") == site


def test_a_name_is_taken_within_its_site_only(services, scope):
    here = services.registration.register_site(scope, HOME)
    there = services.registration.register_site(scope, HOME)
    first = services.registration.register_device(scope, ROOF, site_id=here.id)
    services.registration.register_device(scope, ROOF, site_id=there.id)
    with pytest.raises(errors.NameTaken) as caught:
        services.registration.register_device(scope, ROOF, site_id=here.id)
    assert caught.value.current == first


def test_a_missing_site_is_refused(services, scope):
    with pytest.raises(errors.NotFound):
        services.registration.register_device(scope, ROOF, site_id=12345)


def test_an_update_grows_the_version_by_one_and_changes_only_what_is_given(services, scope):
    record = services.registration.register_device(scope, ROOF, tags=["south"])
    changed = services.registration.update_device(scope, record.id, name="Barn")
    assert changed.device == ec.SolarPanel(name="Barn", rated_power_w=5_000)
    assert (changed.version, changed.tags) == (2, ("south",))
    bigger = ec.SolarPanel(name="ignored where a name is given", rated_power_w=9_000)
    changed = services.registration.update_device(
        scope, record.id, device=bigger, name="Barn", tags=None
    )
    assert changed.device.rated_power_w == 9_000
    assert (changed.version, changed.tags) == (3, ())
    assert services.registration.update_device(scope, record.id, name="Barn").version == 3


def test_an_update_from_an_old_version_is_refused_with_the_device_as_it_is(services, scope):
    record = services.registration.register_device(scope, ROOF)
    newer = services.registration.update_device(scope, record.id, name="Barn")
    with pytest.raises(errors.VersionConflict) as caught:
        services.registration.update_device(scope, record.id, name="Shed", expected_version=1)
    assert caught.value.current == newer


def test_a_device_never_changes_its_kind(services, scope):
    record = services.registration.register_device(scope, ROOF)
    with pytest.raises(errors.KindChanged):
        services.registration.update_device(scope, record.id, device=WALL)


def test_new_ratings_keep_the_stored_energy_or_are_refused(services, scope):
    record = services.registration.register_device(
        scope, WALL, initial=ec.StorageState(stored_wh=8_000)
    )
    small = ec.Battery(name="Wall", capacity_wh=5_000, max_charge_w=5_000, max_discharge_w=4_000)
    with pytest.raises(errors.StoredEnergyOutOfBounds):
        services.registration.update_device(scope, record.id, device=small)
    assert services.insight.device(scope, record.id) == record
    services.registration.update_device(scope, record.id, device=small, stored_wh=1_000)
    services.ticking.tick(scope)
    [record] = services.insight.find(scope).items
    assert services.insight.states(scope, [record])[record.id].stored_wh == 1_000


def test_deactivation_is_idempotent_and_takes_a_device_out_of_totals(services, scope):
    record = services.registration.register_device(scope, ROOF)
    off = services.registration.deactivate(scope, record.id)
    assert (off.is_active, off.version) == (False, 2)
    assert services.registration.deactivate(scope, record.id) == off
    assert services.insight.summary(scope).device_count == 0
    assert services.ticking.tick(scope).readings == 0
    back = services.registration.reactivate(scope, record.id)
    assert (back.is_active, back.version) == (True, 3)
    assert services.insight.count(scope, DeviceFilter(is_active=True)) == 1


def test_a_device_that_joins_late_is_not_simulated_before_it_joined(services, scope, clock):
    services.registration.register_device(scope, ROOF)
    services.ticking.tick(scope)
    clock.move(minutes=10, seconds=30)
    late = services.registration.register_device(
        scope, ec.SolarPanel(name="Late", rated_power_w=1_000)
    )
    clock.move(minutes=4, seconds=30)
    result = services.ticking.tick(scope)
    assert result.ticks == 15
    first = services.histories.readings(scope, [late.id], start_us=0, end_us=2**62).at_us[0]
    assert int(first) == 1_780_315_860_000_000  # 12:11, the first minute after 12:10:30
    assert result.readings == 15 + 5


@pytest.mark.parametrize(
    "options",
    [
        {"dispatch": ec.SelfConsumption()},
        {"initial": ec.StorageState(stored_wh=1)},
        {"max_gap": timedelta(minutes=5)},
        {"tags": [""]},
        {"tags": [" a"]},
        {"external_id": ""},
    ],
)
def test_what_does_not_go_with_a_simulated_panel_is_refused(services, scope, options):
    with pytest.raises(errors.InvalidValue):
        services.registration.register_device(scope, ROOF, **options)
    assert services.insight.count(scope) == 0


def test_a_command_under_another_strategy_is_refused_not_ignored(services, scope):
    begin = ec.StorageState(mode=ec.StorageMode.CHARGING)
    with pytest.raises(errors.InvalidValue):
        services.registration.register_device(
            scope, WALL, initial=begin, dispatch=ec.SelfConsumption()
        )


def test_an_accelerated_database_takes_no_reported_devices(services, storage, scope):
    with storage.transaction(write=True) as work:
        work.settings.put(scope, "clock", "60")
    with pytest.raises(errors.ClockIsSimulated):
        services.registration.register_device(scope, ROOF, data_source=ec.DataSource.REPORTED)


def test_a_site_is_changed_field_by_field(services, scope):
    site = services.registration.register_site(
        scope, ec.Site(name="Home", time_zone="UTC", latitude=1, longitude=2)
    )
    changed = services.registration.update_site(scope, site.id, time_zone="Asia/Kathmandu")
    assert changed.site == ec.Site(name="Home", time_zone="Asia/Kathmandu", latitude=1, longitude=2)
    cleared = services.registration.update_site(scope, site.id, latitude=None, longitude=None)
    assert (cleared.site.latitude, cleared.version) == (None, 3)
    with pytest.raises(errors.UnknownTimeZone):
        services.registration.update_site(scope, site.id, time_zone="Mars/Olympus")
    with pytest.raises(errors.NotFound):
        services.registration.update_site(scope, site.id + 1, name="x")


def test_a_charge_within_rounding_of_a_new_bound_is_moved_to_the_bound(services, storage, scope):
    record = services.registration.register_device(
        scope, WALL, initial=ec.StorageState(stored_wh=8_000)
    )
    barely = ec.Battery(
        name="Wall", capacity_wh=7_999.9998, max_charge_w=5_000, max_discharge_w=4_000
    )
    services.registration.update_device(scope, record.id, device=barely)
    with storage.transaction(write=False) as work:
        state = work.fleet.internal_states(scope, [record.id])[record.id]
    assert state["stored_nwh"] == 7_999_999_800_000


def test_a_device_joins_the_next_tick_where_ticks_are_far_from_the_clock(services, scope, clock):
    """Who simulates the past by hand need not know the clock."""
    services.registration.register_device(scope, ROOF)
    past = clock.now() - timedelta(days=100)
    services.ticking.tick(scope, past)
    late = services.registration.register_device(
        scope, ec.SolarPanel(name="Late", rated_power_w=1_000)
    )
    assert services.ticking.tick(scope, past + timedelta(minutes=1)).readings == 2
    services.registration.deactivate(scope, late.id)
    services.registration.reactivate(scope, late.id)
    assert services.ticking.tick(scope, past + timedelta(minutes=2)).readings == 2


def test_a_storage_comes_back_idle(services, scope, clock):
    record = services.registration.register_device(
        scope, WALL, initial=ec.StorageState(mode="charging")
    )
    services.registration.deactivate(scope, record.id)
    assert services.insight.modes(scope, [record]) == {record.id: ec.StorageMode.IDLE}
    services.registration.reactivate(scope, record.id)
    services.ticking.tick(scope)
    assert services.insight.states(scope, [record])[record.id].power_w == 0


def test_a_command_above_a_new_limit_is_lowered_for_good(services, storage, scope):
    record = services.registration.register_device(
        scope, WALL, initial=ec.StorageState(mode="charging")
    )
    weak = ec.Battery(name="Wall", capacity_wh=10_000, max_charge_w=1_000, max_discharge_w=900)
    services.registration.update_device(scope, record.id, device=weak)
    services.registration.update_device(scope, record.id, device=WALL)
    services.ticking.tick(scope)
    assert services.insight.states(scope, [record])[record.id].power_w == -1_000


def test_of_many_that_register_one_external_id_at_once_all_get_the_first(services, scope):
    def register(number: int) -> int:
        device = ec.SolarPanel(name="Roof", rated_power_w=1_000 + number)
        record = services.registration.register_device(scope, device, external_id="roof")
        return int(record.id)

    def register_site(_: int) -> int:
        return int(services.registration.register_site(scope, HOME, external_id="home").id)

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(register, range(12)))) == 1
        assert len(set(pool.map(register_site, range(12)))) == 1


def test_changes_of_one_device_at_once_take_turns(services, scope):
    record = services.registration.register_device(scope, ROOF)

    def change(number: int) -> None:
        if number % 3 == 0:
            services.registration.update_device(scope, record.id, name=f"Roof {number}")
        elif number % 3 == 1:
            services.registration.deactivate(scope, record.id)
        else:
            services.registration.reactivate(scope, record.id)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(change, range(30)))


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (("Roof",), {}),
        ((ROOF,), {"data_source": "guessed"}),
        ((ROOF,), {"tags": "south"}),
        ((ROOF,), {"tags": [7]}),
        ((ROOF,), {"external_id": 7}),
        ((WALL,), {"dispatch": "magic"}),
        ((WALL,), {"initial": 5_000}),
    ],
)
def test_a_wrong_type_is_refused_by_name(services, scope, arguments, options):
    with pytest.raises(errors.InvalidValue):
        services.registration.register_device(scope, *arguments, **options)


def test_names_of_modes_strategies_and_sources_do_as_well(services, scope):
    record = services.registration.register_device(
        scope, WALL, dispatch="self_consumption", data_source="simulated"
    )
    assert record.dispatch == ec.SelfConsumption()
    services.control.set_mode(scope, record.id, "discharging")
    assert services.insight.modes(scope, [record]) == {record.id: ec.StorageMode.DISCHARGING}
    assert services.control.set_dispatch(scope, record.id, "manual").dispatch == ec.Manual()


def test_a_single_text_is_no_filter_and_an_unknown_kind_is_none():
    with pytest.raises(errors.InvalidValue):
        DeviceFilter(tags="south")
    with pytest.raises(errors.UnknownDeviceKind):
        DeviceFilter(kinds=["solarpanel"])


def test_what_is_no_site_is_refused_before_it_is_stored(services, scope):
    with pytest.raises(errors.InvalidValue):
        services.registration.register_site(scope, "Home")
    assert services.insight.site_count(scope) == 0


def test_a_change_of_a_wrong_type_is_refused_by_name(services, scope):
    record = services.registration.register_device(scope, ROOF)
    for wrong in ({"device": {"a": 1}}, {"tags": 5}, {"tags": [["a"]]}):
        with pytest.raises(errors.InvalidValue):
            services.registration.update_device(scope, record.id, **wrong)
    with pytest.raises(errors.InvalidValue):
        services.ticking.tick(scope, max_catch_up=3_600)
    assert services.insight.device(scope, record.id) == record
