"""Actions of the admin: what they change, what they refuse, what they send."""

import csv
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.admin.models import LogEntry
from django.test import AsyncClient

import energycore as ec
from energycore.devices.base import DataSource
from energycore_django import energy
from energycore_django.admin import outcomes
from energycore_django.models import DeviceState, Reading
from tests.django.admin_homes import LIST, act, client, home, project, said, state_of, tick

POWERS = {"charging": -1_000.0, "discharging": 1_000.0, "idle": 0.0}


@pytest.fixture(autouse=True)
def in_project(sqlite_alias, alias):
    with project(alias):
        yield


@pytest.fixture
def browser():
    return client(superuser=True)


def table(response):
    """A CSV as dicts."""
    content = b"".join(response.streaming_content).decode()
    return list(csv.DictReader(content.splitlines()))


def test_devices_are_deactivated_and_the_count_is_told(browser):
    _, panel, battery, fridge = home()
    energy().deactivate(fridge)
    answer = act(browser, "deactivate", panel, battery, fridge)
    assert said(answer) == [
        "2 devices deactivated, history stays.",
        "1 device inactive already.",
    ]
    assert not any(energy().device(record.id).is_active for record in (panel, battery, fridge))


def test_devices_are_reactivated_and_the_count_is_told(browser):
    _, panel, battery, _ = home()
    energy().deactivate(panel)
    answer = act(browser, "reactivate", panel, battery)
    assert said(answer) == ["1 device reactivated.", "1 device active already."]
    assert energy().device(panel.id).is_active


def test_what_an_action_changed_is_in_the_history_of_the_admin(browser):
    _, panel, battery, _ = home()
    energy().deactivate(battery)
    act(browser, "deactivate", panel, battery)
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (str(panel.id), "Deactivated.")


def test_the_mode_is_asked_for_on_a_page_before_anything_changes(browser):
    _, panel, battery, _ = home()
    page = act(browser, "set_mode", panel, battery)
    assert page.context_data["storage_count"] == 1
    assert page.context_data["form"]["power_w"].label == "Power [W]"
    assert energy().device(battery.id) == battery


@pytest.mark.parametrize("mode", POWERS)
def test_storage_does_what_it_is_told_from_the_next_tick_on(browser, mode):
    _, _, battery, _ = home()
    power_w = "" if mode == "idle" else "1000"
    answer = act(browser, "set_mode", battery, apply="1", mode=mode, power_w=power_w)
    assert len(said(answer)) == 1
    assert said(answer)[0].startswith(f"1 device set to {mode}")
    tick(0)
    assert state_of(battery).power_w == POWERS[mode]


def test_devices_that_take_no_command_are_named_with_the_reason(browser):
    _, panel, battery, _ = home()
    other = ec.Battery(name="Theirs", capacity_wh=1_000, max_charge_w=100, max_discharge_w=100)
    reported = energy().register(other, data_source=DataSource.REPORTED)
    answer = act(browser, "set_mode", panel, battery, reported, apply="1", mode="charging")
    done, refused = said(answer)
    assert done.startswith("1 device set to charging")
    assert refused.startswith("2 devices refused:")
    assert "Roof (solar_panel) is no storage" in refused
    assert "Theirs reports what it does; it takes no commands" in refused


def test_power_that_fits_no_chosen_storage_is_an_error_of_the_page(browser):
    _, _, battery, _ = home()
    page = act(browser, "set_mode", battery, apply="1", mode="charging", power_w="9000")
    ((error,),) = page.context_data["form"].errors.as_data().values()
    assert error.code == "INVALID_VALUE"
    assert "at most 5000 W" in error.messages[0]


def test_a_reason_is_shown_as_text_whatever_a_device_is_called(browser):
    device = energy().register(ec.Appliance(name="<b>bold</b>", average_power_w=1))
    (refused,) = said(act(browser, "set_mode", device, apply="1", mode="idle"))
    assert "&lt;b&gt;bold" in refused
    assert "<b>" not in refused


def test_more_devices_than_an_action_takes_are_refused_as_a_whole(browser, monkeypatch):
    _, panel, battery, _ = home()
    monkeypatch.setattr(outcomes.too_many, "__defaults__", (1,))
    (refused,) = said(act(browser, "deactivate", panel, battery))
    assert "choose at most 1" in refused
    assert energy().device(panel.id).is_active


@pytest.mark.parametrize("action", ["deactivate", "reactivate", "set_mode"])
def test_who_may_only_look_is_offered_no_action_that_changes(action):
    _, panel, *_ = home()
    looker = client("view_device")
    offered = dict(looker.get(LIST).context_data["action_form"].fields["action"].choices)
    assert action not in offered
    act(looker, action, panel, apply="1", mode="idle")
    assert energy().device(panel.id) == panel


def test_devices_are_exported_with_their_states(browser):
    site, panel, battery, _ = home()
    tick()
    energy().register(ec.Appliance(name="New", average_power_w=100))
    rows = table(act(browser, "export_csv", panel, battery))
    assert [row["name"] for row in rows] == ["Roof", "Wall"]
    state = state_of(battery)
    (row,) = rows[1:]
    assert row["site"] == site.site.name
    assert row["at"] == "2026-06-15T12:00:00+02:00"
    assert float(row["power_w"]) == state.power_w
    assert float(row["stored_wh"]) == state.stored_wh
    assert (row["mode"], row["is_silent"]) == ("idle", "false")
    assert rows[0]["stored_wh"] == rows[0]["mode"] == ""


def test_under_asgi_the_export_is_sent_without_blocking_the_loop(browser, recwarn):
    _, panel, battery, _ = home()
    tick()
    of_wsgi = table(act(browser, "export_csv", panel, battery))
    asgi = AsyncClient()
    asgi.cookies = browser.cookies
    given = {"action": "export_csv", "_selected_action": [panel.id, battery.id]}

    async def asked():
        response: Any = await asgi.post(LIST, given)
        assert response.is_async
        return b"".join([part async for part in response.streaming_content]).decode()

    assert list(csv.DictReader(async_to_sync(asked)().splitlines())) == of_wsgi
    assert not [one for one in recwarn if "synchronous iterators" in str(one.message)]


def test_what_is_not_known_is_empty_in_the_export(browser):
    _, panel, *_ = home()
    (row,) = table(act(browser, "export_csv", panel))
    assert row["power_w"] == row["at"] == row["is_silent"] == ""


def test_a_name_that_a_spreadsheet_would_compute_is_quoted(browser):
    device = energy().register(ec.Appliance(name="=1+1", average_power_w=1))
    (row,) = table(act(browser, "export_csv", device))
    assert row["name"] == "'=1+1"


def test_all_devices_of_all_pages_are_exported(browser):
    for number in range(60):
        energy().register(ec.Appliance(name=f"Lamp {number}", average_power_w=1))
    first = energy().devices().items[0]
    assert len(table(act(browser, "export_csv", first, select_across="1"))) == 60


def test_a_simulated_day_is_shown_and_nothing_is_stored(browser, alias):
    _, panel, battery, _ = home()
    tick()
    counts = [m.objects.using(alias).count() for m in (Reading, DeviceState)]
    page = act(browser, "simulate_day", panel, battery)
    ((what_if, totals),) = page.context_data["homes"]
    assert [device.name for device in what_if.run.devices] == ["Roof", "Wall"]
    assert len(what_if.run.at_us) == 1_440
    assert [row[0] for row in totals] == ["Roof", "Wall", "To and from the grid"]
    assert [m.objects.using(alias).count() for m in (Reading, DeviceState)] == counts
    assert "Nothing is stored" in page.content.decode()


def test_a_simulated_day_begins_with_the_charge_that_is_known(browser):
    _, _, battery, _ = home()
    energy().update(battery, stored_wh=8_000)
    tick()
    page = browser.get(f"{LIST}what-if/?ids={battery.id}&dispatch=manual")
    ((what_if, _),) = page.context_data["homes"]
    assert what_if.run.stored_wh[0, 0] == 8_000


def test_storage_follows_another_strategy_in_a_simulated_day(browser):
    _, panel, battery, _ = home()
    tick()
    address = f"{LIST}what-if/?ids={panel.id},{battery.id}&dispatch="
    charges = []
    for dispatch in ("", "self_consumption"):
        ((what_if, _),) = browser.get(address + dispatch).context_data["homes"]
        charges.append(what_if.run.stored_wh[-1, 1])
    assert charges == [5_000, 10_000]


def test_the_power_of_a_simulated_panel_is_that_of_its_ticks(browser):
    _, panel, *_ = home()
    tick()
    page = browser.get(f"{LIST}what-if/?ids={panel.id}&day=2026-06-15")
    ((what_if, _),) = page.context_data["homes"]
    minute = list(what_if.run.at_us).index(state_of(panel).at_us)
    assert what_if.run.power_w[minute, 0] == state_of(panel).power_w


def test_each_site_has_its_own_midnight_in_a_simulated_day(browser):
    records = [home(f"Home in {zone}", zone)[1] for zone in ("Asia/Tokyo", "America/New_York")]
    ids = ",".join(str(record.id) for record in records)
    page = browser.get(f"{LIST}what-if/?ids={ids}&day=2026-03-08")
    lengths = {h.run.site.time_zone: len(h.run.at_us) for h, _ in page.context_data["homes"]}
    assert lengths == {"Asia/Tokyo": 1_440, "America/New_York": 1_380}


def test_a_simulated_day_is_sent_as_csv(browser):
    _, panel, battery, _ = home()
    answer = browser.get(f"{LIST}what-if/?ids={panel.id},{battery.id}&day=2026-06-01&format=csv")
    rows = table(answer)
    assert len(rows) == 2 * 1_440
    assert rows[0]["at"] == "2026-06-01T00:00:00+02:00"
    assert rows[0]["stored_wh"] == ""
    assert float(rows[-1]["stored_wh"]) == 5_000


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("ids=x", "ids"),
        ("", "ids"),
        ("ids=1&day=yesterday", "day"),
        ("ids=1&dispatch=x", "dispatch"),
        ("ids=" + ",".join(map(str, range(1, 60))), "__all__"),
    ],
)
def test_what_cannot_be_simulated_is_said_on_the_page(browser, query, field):
    page = browser.get(f"{LIST}what-if/?{query}")
    assert page.status_code == 200
    assert list(page.context_data["form"].errors) == [field]
    assert page.context_data["homes"] == []


def test_too_many_devices_are_not_simulated(browser, monkeypatch):
    _, panel, battery, _ = home()
    monkeypatch.setattr("energycore_django.admin.actions.MOST_DEVICES", 1)
    answer = act(browser, "simulate_day", panel, battery)
    assert said(answer) == [
        "2 devices are too many at once: choose at most 1. Nothing was changed."
    ]
