"""A form that a project makes of a model is valid if, and only if, its row can be saved."""

import json

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms import modelform_factory

import energycore as ec
from energycore.simulation.dispatch import SelfConsumption
from energycore_django import energy
from energycore_django.models import Device, Shard, Site

pytestmark = pytest.mark.usefixtures("project")

WALL = ec.Battery(name="Wall", capacity_wh=13_500, max_charge_w=5_000, max_discharge_w=4_000)
ROOF = ec.SolarPanel(name="Roof", rated_power_w=5_000)
FIELDS = (
    "name",
    "kind",
    "ratings",
    "site",
    "external_id",
    "data_source",
    "gap_policy",
    "is_active",
    "dispatch",
    "dispatch_parameters",
)
SITE_FIELDS = ("name", "time_zone", "latitude", "longitude", "external_id")


def sent(row, fields):
    """What a browser sends of a row that nobody edited."""
    given = {name: getattr(row, name) for name in fields}
    for name in ("ratings", "dispatch_parameters"):
        if given.get(name) is not None:
            given[name] = json.dumps(given[name])
    return {name: value for name, value in given.items() if value not in (None, False)}


def form_of(row, fields=FIELDS, **changes):
    stored = None if row.pk is None else row
    given = sent(row, fields) | changes
    return modelform_factory(type(row), fields=fields)(given, instance=stored)


def told(form):
    """The fields that errors are at, each with the codes of its errors."""
    found = form.errors.as_data()
    return {field: [error.code for error in errors] for field, errors in found.items()}


def stored(device, **options):
    record = energy().register(device, **options)
    return Device.objects.get(id=record.id)


def test_a_form_that_changes_nothing_or_something_is_valid_and_saves():
    wall = stored(WALL, external_id="w")
    form = form_of(wall)
    assert form.is_valid(), form.errors
    form = form_of(wall, name="Other", dispatch="self_consumption", dispatch_parameters="{}")
    assert form.is_valid(), form.errors
    form.save()
    assert energy().device(wall.pk).dispatch == SelfConsumption()


@pytest.mark.parametrize(
    ("device", "changes", "wanted"),
    [
        (ROOF, {"dispatch": "manual"}, {"dispatch": ["DEVICE_IS_NOT_STORAGE"]}),
        (
            WALL,
            {"kind": "solar_panel", "ratings": '{"rated_power_w": 1}', "dispatch": "manual"},
            {"kind": ["KIND_CHANGED"]},
        ),
        (WALL, {"external_id": "other"}, {"external_id": ["INVALID_VALUE"]}),
        (WALL, {"external_id": ""}, {"external_id": ["INVALID_VALUE"]}),
        (WALL, {"data_source": "reported"}, {"data_source": ["INVALID_VALUE"]}),
        (WALL, {"gap_policy": "linear"}, {"gap_policy": ["INVALID_VALUE"]}),
        (WALL, {"dispatch": ""}, {"dispatch": ["INVALID_VALUE"]}),
        (
            WALL,
            {"is_active": "", "dispatch": "self_consumption"},
            {"dispatch": ["DEVICE_IS_INACTIVE"]},
        ),
    ],
)
def test_what_a_stored_device_cannot_become_is_an_error_of_the_form(device, changes, wanted):
    form = form_of(stored(device, external_id="one"), **changes)
    assert not form.is_valid()
    assert told(form) == wanted


def test_an_inactive_storage_may_be_activated_and_steered_at_once():
    wall = stored(WALL)
    energy().deactivate(wall.pk)
    wall.refresh_from_db()
    form = form_of(wall, is_active="on", dispatch="self_consumption")
    assert form.is_valid(), form.errors
    assert form.save().is_active


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"dispatch": "manual"}, {"dispatch": ["INVALID_VALUE"]}),
        ({"gap_policy": "linear"}, {"gap_policy": ["INVALID_VALUE"]}),
        ({"ratings": '{"rated_power_w": -1}'}, {"ratings": ["INVALID_VALUE"]}),
        ({"ratings": '{"power": 1}'}, {"ratings": ["INVALID_VALUE"]}),
        ({"ratings": "[1]"}, {"ratings": ["INVALID_VALUE"]}),
        ({"ratings": '"a"'}, {"ratings": ["INVALID_VALUE"]}),
        ({"ratings": "3"}, {"ratings": ["INVALID_VALUE"]}),
        ({"ratings": ""}, {"ratings": ["required"]}),
        ({"name": ""}, {"name": ["required"]}),
        ({"name": "x" * 201}, {"name": ["max_length"]}),
        ({"name": "bell\u0007"}, {"name": ["INVALID_VALUE"]}),
        ({"kind": "perpetual"}, {"kind": ["invalid_choice"]}),
        (
            {"dispatch": "self_consumption", "dispatch_parameters": "[3]"},
            {"dispatch_parameters": ["INVALID_VALUE"]},
        ),
        (
            {"dispatch": "self_consumption", "dispatch_parameters": "[]"},
            {"dispatch_parameters": ["INVALID_VALUE"]},
        ),
        (
            {"dispatch": "self_consumption", "dispatch_parameters": '{"priority": 900}'},
            {"dispatch_parameters": ["INVALID_VALUE"]},
        ),
        ({"dispatch": "wish"}, {"dispatch": ["UNKNOWN_DISPATCH"]}),
        (
            {"ratings": '{"power": 1}', "dispatch": "wish"},
            {"ratings": ["INVALID_VALUE"], "dispatch": ["UNKNOWN_DISPATCH"]},
        ),
    ],
)
def test_what_a_new_device_cannot_be_is_told_once_at_its_field(changes, wanted):
    form = form_of(Device.of(ROOF), **changes)
    assert not form.is_valid()
    assert told(form) == wanted


def test_null_as_ratings_is_an_error_at_the_ratings():
    form = form_of(Device.of(ROOF), ratings="null")
    assert set(told(form)) == {"ratings"}


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"external_id": "other"}, {"external_id": ["INVALID_VALUE"]}),
        ({"external_id": ""}, {"external_id": ["INVALID_VALUE"]}),
        ({"time_zone": "Mars/Olympus"}, {"time_zone": ["UNKNOWN_TIME_ZONE"]}),
        ({"name": ""}, {"name": ["required"]}),
    ],
)
def test_what_a_stored_site_cannot_become_is_an_error_of_the_form(changes, wanted):
    site = Site(name="Home", time_zone="UTC", external_id="one")
    site.save()
    form = form_of(site, SITE_FIELDS, **changes)
    assert told(form) == wanted


def test_a_latitude_that_is_no_number_is_told_once():
    form = form_of(Site(name="Home", time_zone="UTC"), SITE_FIELDS, latitude="nan", longitude="13")
    assert told(form) == {"latitude": ["invalid"]}


def test_what_is_wrong_with_a_field_that_a_form_does_not_show_is_told_above_it():
    site = Site(name="Home", time_zone="Mars/Olympus")
    form = modelform_factory(Site, fields=["name"])({"name": "Home"}, instance=site)
    assert told(form) == {"__all__": ["UNKNOWN_TIME_ZONE"]}


def test_a_field_that_a_form_leaves_out_may_be_filled_in_before_it_is_saved():
    form = modelform_factory(Device, fields=["name", "kind"])({"name": "R", "kind": "solar_panel"})
    assert form.is_valid(), form.errors
    device = form.save(commit=False)
    device.ratings = {"rated_power_w": 1.0}
    device.save()
    assert energy().device(device.pk).device == ec.SolarPanel(name="R", rated_power_w=1)


def test_only_what_is_a_field_can_be_saved_alone():
    device = stored(ROOF)
    device.tags = ["south"]
    device.save(update_fields=["tags"])
    assert energy().device(device.pk).tags == ("south",)
    with pytest.raises(ValueError, match="no fields bogus"):
        device.save(update_fields=["name", "bogus"])


def test_rows_of_every_model_have_a_name():
    for model in apps.get_app_config("energycore").get_models():
        assert model.__str__ is not Model.__str__
    assert str(Shard(pk=3, tenant_id="acme")) == "Shard 3 of acme"


def test_without_a_form_each_fault_is_told_once_as_well():
    with pytest.raises(ValidationError) as caught:
        Site(name="", time_zone="UTC").full_clean()
    assert [error.code for error in caught.value.error_dict["name"]] == ["blank"]
