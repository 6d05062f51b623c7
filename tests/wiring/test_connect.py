"""Opening databases, and the facade that scripts and notebooks use."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import energycore as ec
from energycore import errors
from energycore.wiring.clocks import AcceleratedClock


class Still:
    """A clock that stands."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ROOF = ec.SolarPanel(name="Roof", rated_power_w=5_000)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("memory:", "memory://"),
        ("memory://x", "memory://"),
        ("mysql://localhost/x", "sqlite"),
        ("nonsense", "sqlite"),
        ("", "sqlite"),
    ],
)
def test_a_url_without_a_backend_names_those_that_there_are(url, words):
    with pytest.raises(errors.UnsupportedDatabase, match=words):
        ec.connect(url)


def test_what_was_stored_is_there_after_the_database_was_closed(tmp_path):
    url = f"sqlite:///{tmp_path / 'home.db'}"
    with ec.connect(url) as energy:
        roof = energy.register(ROOF, site=energy.register_site(ec.Site(name="Home")))
        energy.tick(NOON)
    with ec.connect(url) as energy:
        assert energy.device(roof.id) == roof
        batch = energy.readings(roof.id, NOON, NOON + timedelta(minutes=1))
        state = energy.state(roof.id)
        assert state is not None
        assert batch.power_w.tolist() == [state.power_w]


def test_a_new_database_may_be_ticked_at_any_instant(tmp_path):
    with ec.connect("memory://") as energy:
        energy.register(ROOF)
        assert energy.tick(datetime(2020, 6, 1, 12, tzinfo=UTC)).readings == 1


def test_a_tenant_sees_only_its_own(tmp_path):
    with ec.connect("memory://") as energy:
        roof = energy.register(ROOF)
        other = energy.for_tenant("acme")
        assert other.devices().items == ()
        with pytest.raises(errors.NotFound):
            other.device(roof.id)
        assert energy.devices().items == (roof,)


def test_an_accelerated_clock_runs_at_its_speed():
    wall = [100.0]
    clock = AcceleratedClock(NOON, 60, lambda: wall[0])
    assert clock.now() == NOON
    wall[0] += 2.5
    assert clock.now() == NOON + timedelta(seconds=150)


def test_whoever_opens_an_accelerated_database_stands_where_its_last_tick_ends(tmp_path):
    url = f"sqlite:///{tmp_path / 'fast.db'}"
    future = datetime(2030, 1, 1, 12, tzinfo=UTC)
    with ec.connect(url, clock=Still(future)) as energy:
        energy.register(ROOF)
        with energy.services.storage.transaction(write=True) as work:
            work.settings.put(energy.scope, "clock", "60")
        energy.tick(future)
    with ec.connect(url) as energy:
        assert energy.clock.now() == future + timedelta(minutes=1)
        assert energy.summary().silent_count == 0


def test_each_tenant_has_its_own_clock(tmp_path):
    with ec.connect(f"sqlite:///{tmp_path / 'two.db'}") as energy:
        fast = energy.accelerate(60)
        assert fast.speed == 60
        assert isinstance(fast.clock, AcceleratedClock)
        other = fast.for_tenant("acme")
        assert other.speed is None
        other.register(ROOF, data_source=ec.DataSource.REPORTED)
        with pytest.raises(errors.ClockIsSimulated):
            fast.register(ROOF, data_source=ec.DataSource.REPORTED)


def test_a_record_does_where_an_identity_is_asked_for():
    with ec.connect("memory://") as energy:
        home = energy.register_site(ec.Site(name="Home"))
        wall = energy.register(
            ec.Battery(name="Wall", capacity_wh=1_000, max_charge_w=100, max_discharge_w=100),
            site=home,
        )
        assert energy.device(wall) == wall
        assert energy.state(wall) is None
        assert energy.site(home) == home
        assert energy.sites().items == (home,)
        energy.set_mode(wall, "charging")
        energy.tick()
        end = energy.clock.now() + timedelta(minutes=1)
        assert energy.readings(wall, NOON, end).power_w.tolist() == [-100.0]
        wrongs: list[Any] = [ec.Site(name="Home"), "1", True]
        for wrong in wrongs:
            with pytest.raises(errors.InvalidValue):
                energy.register(ROOF, site=wrong)
            with pytest.raises(errors.InvalidValue):
                energy.state(wrong)
        with pytest.raises(errors.NotFound):
            energy.site(home.id + 1)


def test_the_facade_shows_its_tenant_and_no_more():
    with ec.connect("memory://") as energy:
        assert repr(energy) == "Energy(tenant='default')"
    assert ec.__version__.count(".") == 2
    assert "import_module" not in dir(ec)


def test_a_clock_that_follows_the_ticks_is_read_outside_of_transactions():
    """A database in memory has one connection, which the clock needs too."""
    with ec.connect("sqlite://") as energy:
        energy.accelerate(60)
        same = energy.for_tenant("default")
        site = same.register_site(ec.Site(name="Home"))
        roof = same.register(ROOF, site=site)
        same.deactivate(roof)
        assert same.reactivate(roof).is_active
        assert same.update(roof, site_id=site).site_id == site.id
        wrong: Any = "60"
        with pytest.raises(errors.InvalidValue):
            energy.accelerate(wrong)
