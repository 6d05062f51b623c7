"""A home in a database: registered once, and with the history that a simulation has."""

from datetime import timedelta

import attrs
import numpy as np
import pytest

import energycore as ec
from energycore.jobs.homes import settle_home, simulate_history
from energycore.jobs.ticks import run_ticks
from energycore.quantities.instants import to_epoch_us
from energycore.services.insight import ALL_DEVICES
from tests.jobs.conftest import START, Waits
from tests.support.tree import ROOT

NOON = START.replace(second=0)


@pytest.fixture(scope="module")
def home():
    return ec.load_home(ROOT / "examples" / "home.toml")


def devices(services, scope):
    return services.insight.find(scope, ALL_DEVICES).items


def test_a_home_is_registered_with_all_that_its_file_says(services, scope, home):
    settled = settle_home(services, scope, home)
    assert settled.site.site == home.site
    assert settled.site.external_id == home.site_external_id
    assert settled.added == tuple(entry.device.name for entry in home.devices)
    assert settled.differing == ()
    for record, entry in zip(devices(services, scope), home.devices, strict=True):
        assert record.device == entry.device
        assert record.noise_key == entry.device.noise_key
        assert record.site_id == settled.site.id
        assert (record.external_id, record.tags) == (entry.external_id, entry.tags)
        assert record.dispatch == entry.dispatch


def test_a_home_that_is_brought_again_is_the_same_home(services, scope, home):
    settle_home(services, scope, home)
    before = devices(services, scope)
    again = settle_home(services, scope, home)
    assert (again.added, again.differing) == ((), ())
    assert devices(services, scope) == before


def test_a_file_that_changed_adds_what_is_new_and_tells_what_differs(services, scope, home):
    settle_home(services, scope, attrs.evolve(home, devices=home.devices[:-1]))
    larger = attrs.evolve(
        home.devices[0], device=attrs.evolve(home.devices[0].device, rated_power_w=9_000)
    )
    again = settle_home(services, scope, attrs.evolve(home, devices=(larger, *home.devices[1:])))
    assert again.added == (home.devices[-1].device.name,)
    assert again.differing == ("Roof",)
    assert devices(services, scope)[0].device == home.devices[0].device


def test_the_first_history_is_seven_days_up_to_now_without_a_gap(services, scope, home):
    settle_home(services, scope, home)
    result = simulate_history(services, scope)
    assert result is not None
    ticks = 7 * 24 * 60 + 1
    assert (result.at, result.ticks, result.skipped) == (NOON, ticks, 0)
    assert result.readings == ticks * len(home.devices)


def test_a_database_that_has_ticked_gets_no_other_history(services, scope, home, clock):
    settle_home(services, scope, home)
    services.ticking.tick(scope)
    clock.at += timedelta(days=1)
    assert simulate_history(services, scope) is None


def test_history_and_ticks_have_the_bits_of_a_simulation_of_the_same_home(
    services, scope, home, clock
):
    settle_home(services, scope, home)
    simulate_history(services, scope, length=timedelta(hours=30))
    run_ticks(services, scope, Waits(clock, 40))
    start = NOON - timedelta(hours=30)
    end = NOON + timedelta(minutes=7)
    run = ec.simulate(
        [entry.device for entry in home.devices],
        site=home.site,
        start=start,
        end=end,
        seed=7,
        initial=home.initial,
        dispatch=home.dispatch,
    )
    for position, record in enumerate(devices(services, scope)):
        batch = services.histories.readings(
            scope, [record.id], start_us=to_epoch_us(start), end_us=to_epoch_us(end)
        )
        np.testing.assert_array_equal(batch.at_us, run.at_us)
        np.testing.assert_array_equal(batch.power_mw, run.power_mw[:, position])
        np.testing.assert_array_equal(batch.stored_mwh, run.stored_mwh[:, position])
