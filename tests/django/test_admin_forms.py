"""Forms of the admin: the fields of each kind, and the errors of energycore at them."""

import attrs
import pytest
from django.contrib.admin.models import LogEntry

import energycore as ec
from energycore.devices.base import DataSource
from energycore.devices.registry import device_kinds
from energycore.encoding import encode_ratings
from energycore.errors import InvalidValue
from energycore.simulation.dispatch import SelfConsumption
from energycore_django import energy
from energycore_django.forms import device_form
from energycore_django.models import Device
from tests.django.admin_homes import (
    LIST,
    SITES,
    client,
    errors_of,
    form_of,
    home,
    project,
    state_of,
)
from tests.plugins.pool_pump.pool_pump import PoolPump


@pytest.fixture(autouse=True)
def in_project(sqlite_alias, alias):
    with project(alias):
        yield


@pytest.fixture
def browser():
    return client(superuser=True)


BATTERY = {
    "name": "Wall",
    "rating_capacity_wh": "13500",
    "rating_max_charge_w": "5000",
    "rating_max_discharge_w": "4000",
    "data_source": "simulated",
    "gap_policy": "hold",
    "dispatch": "manual",
}


def add(browser, given, kind="battery"):
    return browser.post(f"{LIST}add/?kind={kind}", given, follow=True)


def change(browser, device, **given):
    page = f"{LIST}{device.id}/change/"
    sent = form_of(browser.get(page)) | given
    return browser.post(page, {name: value for name, value in sent.items() if value is not None})


def test_adding_a_device_begins_with_the_choice_of_a_kind(browser):
    page = browser.get(f"{LIST}add/?site=1")
    kinds = [link for link, _, _ in page.context_data["kinds"]]
    assert kinds == [f"?site=1&kind={kind}" for kind in device_kinds()]


@pytest.mark.parametrize("kind", device_kinds())
def test_the_form_of_a_kind_has_a_field_for_each_rating_and_no_other(browser, kind):
    form = browser.get(f"{LIST}add/?kind={kind}").context_data["adminform"].form
    ratings = [name.removeprefix("rating_") for name in form.fields if name.startswith("rating_")]
    assert ratings == [f.name for f in attrs.fields(device_kinds()[kind])][2:]


def test_labels_have_units_and_help_says_what_a_rating_means_and_its_default():
    fields = device_form("battery").base_fields
    assert fields["rating_capacity_wh"].label == "Capacity [Wh]"
    assert fields["rating_capacity_wh"].help_text == "Energy that fits."
    assert fields["rating_charge_efficiency"].label == "Charge efficiency [fraction, 0 to 1]"
    assert fields["rating_charge_efficiency"].help_text.endswith("Default: 0.96.")
    assert device_form("appliance").base_fields["rating_mean_on_time_s"].label == "Mean on time [s]"


def test_a_kind_of_a_plugin_has_its_form_without_an_edit(browser, monkeypatch):
    kinds = {**device_kinds(), "pool_pump": PoolPump}
    for module in ("devices.registry", "encoding.devices"):
        monkeypatch.setattr(f"energycore.{module}.device_kind", kinds.__getitem__)
    monkeypatch.setattr("energycore_django.forms.devices.device_kind", kinds.__getitem__)
    monkeypatch.setattr("energycore_django.admin.devices.device_kinds", lambda: kinds)
    page = browser.get(f"{LIST}add/?kind=pool_pump")
    labels = [field.label for field in page.context_data["adminform"].form]
    assert {"Running power [W]", "Start hour [h]", "Run hours [h]"} <= set(labels)
    given = {"name": "Pump", "rating_running_power_w": "800", "rating_start_hour": "25"}
    refused = add(browser, given | {"data_source": "simulated", "gap_policy": "hold"}, "pool_pump")
    ((field, code, _),) = errors_of(refused)
    assert (field, code) == ("rating_start_hour", "INVALID_VALUE")


def test_a_device_is_registered_with_its_ratings_tags_charge_and_strategy(browser):
    site, *_ = home()
    given = BATTERY | {"name": "Second", "site": site.id, "tags": "cellar,  south ,cellar"}
    given |= {"stored_wh": "9000", "dispatch": "self_consumption", "external_id": "b-2"}
    add(browser, given | {"dispatch_self_consumption_priority": "7"})
    record = energy().device(Device.objects.using(energy_alias()).get(external_id="b-2").id)
    assert record.device == ec.Battery(
        name="Second", capacity_wh=13_500, max_charge_w=5_000, max_discharge_w=4_000
    )
    assert record.site_id == site.id
    assert record.tags == ("cellar", "south")
    assert record.dispatch == SelfConsumption(priority=7)
    energy().tick()
    assert state_of(record).stored_wh == 9_000


def energy_alias():
    from energycore_django.admin.scope import database

    return database()


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ({"rating_capacity_wh": "-1"}, "rating_capacity_wh", "INVALID_VALUE"),
        ({"rating_min_state_of_charge": "1"}, "rating_max_state_of_charge", "INVALID_VALUE"),
        ({"name": "\u0007bell"}, "name", "INVALID_VALUE"),
        ({"tags": "x" * 201}, "tags", "INVALID_VALUE"),
        (
            {"dispatch": "self_consumption", "dispatch_self_consumption_priority": "900"},
            "dispatch_self_consumption_priority",
            "INVALID_VALUE",
        ),
        ({"stored_wh": "99999"}, "stored_wh", "STORED_ENERGY_OUT_OF_BOUNDS"),
        ({"max_gap_min": "15"}, "max_gap_min", "INVALID_VALUE"),
        ({"gap_policy": "linear"}, "gap_policy", "INVALID_VALUE"),
        (
            {"data_source": "reported", "max_gap_min": "999999"},
            "max_gap_min",
            "INVALID_VALUE",
        ),
    ],
)
def test_what_the_domain_refuses_is_an_error_at_its_field_and_registers_nothing(
    browser, given, field, code
):
    refused = add(browser, BATTERY | given)
    assert [error[:2] for error in errors_of(refused)] == [(field, code)]
    assert not Device.objects.using(energy_alias()).for_tenant("default").exists()


def test_an_error_has_the_sentence_of_the_domain(browser):
    ((_, _, message),) = errors_of(add(browser, BATTERY | {"rating_capacity_wh": "-1"}))
    with pytest.raises(InvalidValue) as refused:
        ec.Battery(name="Wall", capacity_wh=-1, max_charge_w=5_000, max_discharge_w=4_000)
    assert message == refused.value.message


def test_two_ratings_that_are_missing_are_two_errors(browser):
    given = {k: v for k, v in BATTERY.items() if k not in ("rating_capacity_wh", "name")}
    fields = {field for field, *_ in errors_of(add(browser, given))}
    assert fields == {"rating_capacity_wh", "name"}


def test_a_rating_that_is_left_empty_has_its_default(browser):
    add(browser, BATTERY | {"rating_charge_efficiency": ""})
    (stored,) = Device.objects.using(energy_alias()).for_tenant("default")
    assert stored.ratings["charge_efficiency"] == 0.96


def test_a_name_that_is_taken_is_an_error_at_the_name(browser):
    site, *_ = home()
    refused = add(browser, BATTERY | {"site": site.id})
    assert [error[:2] for error in errors_of(refused)] == [("name", "NAME_TAKEN")]


@pytest.mark.parametrize(("page", "given"), [(LIST, BATTERY), (SITES, {"time_zone": "UTC"})])
def test_an_external_id_that_is_taken_is_an_error_at_it(browser, page, given):
    path = f"{page}add/?kind=battery"
    assert browser.post(path, given | {"name": "One", "external_id": "x"}).status_code == 302
    refused = browser.post(path, given | {"name": "Two", "external_id": "x"})
    assert [error[:2] for error in errors_of(refused)] == [("external_id", "NAME_TAKEN")]


def test_saving_a_form_as_it_stands_changes_nothing(browser):
    for record in home()[1:]:
        change(browser, record)
        assert energy().device(record.id) == record


def test_a_tag_with_a_comma_stays_one_tag(browser):
    _, panel, *_ = home()
    record = energy().update(panel, tags=['a, "b"', "c"])
    change(browser, record)
    assert energy().device(panel.id) == record


def test_a_device_is_changed_through_its_form(browser):
    _, _, battery, _ = home()
    change(
        browser,
        battery,
        name="Wall 2",
        site=None,
        tags="b, a",
        rating_capacity_wh="12000",
        dispatch="self_consumption",
    )
    record = energy().device(battery.id)
    assert (record.device.name, record.site_id, record.tags) == ("Wall 2", None, ("a", "b"))
    assert encode_ratings(record.device)["capacity_wh"] == 12_000
    assert record.dispatch == SelfConsumption()


def test_the_history_of_the_admin_names_the_fields_by_their_labels(browser):
    _, panel, *_ = home()
    change(browser, panel, rating_rated_power_w="6000")
    assert "Rated power [W]" in LogEntry.objects.get().change_message


def test_a_change_that_somebody_else_made_first_is_an_error_and_is_kept(browser):
    _, panel, *_ = home()
    page = f"{LIST}{panel.id}/change/"
    given = form_of(browser.get(page))
    energy().update(panel, name="Theirs")
    refused = browser.post(page, given | {"name": "Mine"})
    ((field, code, message),) = errors_of(refused)
    assert (field, code) == ("__all__", "VERSION_CONFLICT")
    assert "Somebody else was faster" in message
    assert energy().device(panel.id).device.name == "Theirs"
    assert refused.context_data["adminform"].form["name"].value() == "Mine"


def test_a_change_of_a_site_that_somebody_else_made_first_is_an_error(browser):
    site, *_ = home()
    page = f"{SITES}{site.id}/change/"
    given = form_of(browser.get(page))
    energy().update_site(site.id, name="Theirs")
    refused = browser.post(page, given | {"name": "Mine"})
    assert [error[:2] for error in errors_of(refused)] == [("__all__", "VERSION_CONFLICT")]


def test_ratings_that_the_stored_energy_does_not_fit_are_refused_and_change_nothing(browser):
    _, _, battery, _ = home()
    refused = change(browser, battery, name="Small", rating_capacity_wh="100")
    ((field, code, _),) = errors_of(refused)
    assert (field, code) == ("stored_wh", "STORED_ENERGY_OUT_OF_BOUNDS")
    assert energy().device(battery.id) == battery


def test_dispatch_of_an_inactive_storage_is_an_error_at_it(browser):
    _, _, battery, _ = home()
    energy().deactivate(battery)
    refused = change(browser, battery, dispatch="self_consumption")
    assert [error[:2] for error in errors_of(refused)] == [("dispatch", "DEVICE_IS_INACTIVE")]


def test_a_reported_device_has_its_longest_gap_and_no_dispatch(browser):
    battery = ec.Battery(name="B", capacity_wh=1_000, max_charge_w=500, max_discharge_w=500)
    record = energy().register(battery, data_source=DataSource.REPORTED)
    form = browser.get(f"{LIST}{record.id}/change/").context_data["adminform"].form
    assert form["max_gap_min"].value() == 5
    assert not {"dispatch", "stored_wh"} & set(form.fields)
    change(browser, record, max_gap_min="15", gap_policy="linear")
    changed = energy().device(record.id)
    assert (changed.max_gap_us, changed.gap_policy.value) == (900_000_000, "linear")


def test_a_device_whose_kind_is_not_installed_is_shown_and_not_saved(browser, monkeypatch):
    _, panel, *_ = home()
    fewer = {name: kind for name, kind in device_kinds().items() if name != "solar_panel"}
    monkeypatch.setattr("energycore.devices.registry.device_kinds", lambda: fewer)
    assert browser.get(LIST).status_code == 200
    page = f"{LIST}{panel.id}/change/"
    shown = browser.get(page)
    assert shown.status_code == 200
    refused = browser.post(page, form_of(shown))
    assert [error[1] for error in errors_of(refused)] == ["UNKNOWN_DEVICE_KIND"]


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone", "UNKNOWN_TIME_ZONE"),
        ({"latitude": "99", "longitude": "1"}, "latitude", "INVALID_VALUE"),
        ({"latitude": "9"}, "longitude", "INVALID_VALUE"),
    ],
)
def test_what_a_site_cannot_be_is_an_error_at_its_field(browser, given, field, code):
    refused = browser.post(f"{SITES}add/", {"name": "Home", "time_zone": "UTC"} | given)
    assert [error[:2] for error in errors_of(refused)] == [(field, code)]


def test_a_site_is_registered_and_changed_through_its_form(browser):
    browser.post(f"{SITES}add/", {"name": "Home", "time_zone": "Asia/Tokyo", "external_id": "h"})
    (site,) = energy().sites().items
    assert (site.site.name, site.external_id) == ("Home", "h")
    page = f"{SITES}{site.id}/change/"
    browser.post(page, form_of(browser.get(page)) | {"latitude": "1.5", "longitude": "2"})
    assert energy().site(site.id).site.latitude == 1.5


def host_form(**changes):
    given = BATTERY | {"is_active": "on", "stored_wh": "9000"} | changes
    return device_form("battery")(given)


def test_outside_of_the_admin_a_form_stores_the_energy_inside_as_well():
    form = host_form()
    assert form.is_valid(), form.errors
    device = form.save()
    energy().tick()
    assert state_of(energy().device(device.pk)).stored_wh == 9_000


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"stored_wh": "99999"}, "STORED_ENERGY_OUT_OF_BOUNDS"),
        ({"data_source": "reported"}, "INVALID_VALUE"),
    ],
)
def test_outside_of_the_admin_a_form_refuses_energy_that_cannot_be_inside(changes, code):
    form = host_form(**changes)
    assert not form.is_valid()
    ((field, (error,)),) = form.errors.as_data().items()
    assert (field, error.code) == ("stored_wh", code)
