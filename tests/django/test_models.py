"""The models are good citizens of the ORM, and change nothing behind the services' back."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.signals import post_save, pre_save
from django.forms import ModelChoiceField, modelform_factory

import energycore as ec
from energycore.errors import (
    InvalidValue,
    KindChanged,
    NameTaken,
    NotAllowed,
    NotFound,
    VersionConflict,
)
from energycore.protocols.records import DeviceFilter
from energycore_django import energy
from energycore_django.models import (
    Bucket,
    Device,
    DeviceState,
    DeviceTag,
    Mark,
    Reading,
    Setting,
    Site,
)

pytestmark = pytest.mark.usefixtures("project")

WALL = ec.Battery(name="Wall", capacity_wh=13_500, max_charge_w=5_000, max_discharge_w=4_000)
ROOF = ec.SolarPanel(name="Roof", rated_power_w=5_000)
START = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def home():
    site = Site(name="Home", time_zone="Europe/Berlin", latitude=52.5, longitude=13.4)
    site.save()
    return site


@pytest.fixture
def wall(home):
    device = Device.of(WALL, site=home)
    device.tags = ["store", "cellar"]
    device.save()
    return device


def test_a_saved_site_is_one_of_energycores(home):
    record = energy().site(home.id)
    assert (
        record.site
        == home.domain()
        == ec.Site(name="Home", time_zone="Europe/Berlin", latitude=52.5, longitude=13.4)
    )
    found = Site.objects.get(id=home.id)
    assert (found.version, found.registered_at_us) == (1, record.registered_at_us)
    assert found.registered_at.tzinfo is not None
    assert Site.of(record, home.tenant_id) == found
    assert str(found) == "Home"


def test_a_saved_device_is_one_of_energycores(home, wall):
    record = energy().device(wall.id)
    assert record.device == wall.domain() == WALL
    assert (record.site_id, record.tags) == (home.id, ("cellar", "store"))
    found = Device.objects.get(id=wall.id)
    assert found.domain() == WALL
    assert (found.site, found.tags, found.capacity_wh) == (home, ["cellar", "store"], 13_500)
    assert (found.dispatch, found.strategy()) == ("manual", energy().device(wall.id).dispatch)
    assert str(found) == "Wall"


def test_a_change_is_saved_with_what_follows_from_it(home, wall):
    """The version grows, and histories know since when the device is elsewhere."""
    other = Site(name="Cabin", time_zone="UTC")
    other.save()
    found = Device.objects.get(id=wall.id)
    found.site, found.name, found.is_active = other, "Cabin wall", False
    found.ratings = {**found.ratings, "capacity_wh": 20_000.0}
    found.tags = []
    found.save()
    record = energy().device(wall.id)
    assert (record.site_id, record.is_active, record.tags) == (other.id, False, ())
    assert record.device == attrs.evolve(WALL, name="Cabin wall", capacity_wh=20_000)
    stored = Device.objects.get(id=wall.id)
    assert stored.version == record.version == found.version > 1
    assert (stored.name_key, stored.capacity_wh) == ("cabin wall", 20_000)


def test_a_change_of_something_that_was_changed_meanwhile_is_refused(home, wall):
    for model, name in ((Device, "Wall 2"), (Site, "House")):
        row = wall if model is Device else home
        mine, theirs = (model.objects.get(id=row.id) for _ in range(2))
        theirs.name = name
        theirs.save()
        mine.name = f"{name}, too"
        with pytest.raises(VersionConflict):
            mine.save()
        assert model.objects.get(id=row.id).name == name


def test_what_the_domain_refuses_is_not_saved(home):
    with pytest.raises(InvalidValue):
        Site(name="Nowhere", time_zone="Mars/Olympus").save()
    broken = Device.of(WALL, site=home)
    broken.ratings["capacity_wh"] = -1
    with pytest.raises(InvalidValue):
        broken.save()
    with pytest.raises(NotFound):
        Device.of(ROOF, site_id=2**40).save()
    Device.of(ROOF, site=home).save()
    with pytest.raises(NameTaken):
        Device.of(ROOF, site=home).save()
    assert Site.objects.for_tenant("default").count() == 1
    assert Device.objects.for_tenant("default").count() == 1


def test_an_external_id_that_is_taken_is_refused_and_changes_nothing(home, wall):
    """Registering it again through energycore gives the first one; a new row is not it."""
    Site(name="A", time_zone="UTC", external_id="a").save()
    with pytest.raises(NameTaken, match="'a'"):
        Site(name="B", time_zone="Asia/Tokyo", external_id="a").save()
    Device.of(ROOF, site=home, external_id="d").save()
    with pytest.raises(NameTaken, match="'d'"):
        Device.of(WALL, external_id="d", is_active=False).save()
    assert Device.objects.for_tenant("default").get(external_id="d").is_active


@pytest.mark.parametrize(
    ("field", "value"), [("external_id", "x"), ("data_source", "reported"), ("dispatch", None)]
)
def test_what_a_registration_decides_for_good_cannot_be_changed(home, wall, field, value):
    """It is said, and nothing else of the change is stored."""
    setattr(wall, field, value)
    wall.name = "Other"
    with pytest.raises(InvalidValue, match=field):
        wall.save()
    stored = Device.objects.get(id=wall.id)
    assert stored.name == "Wall"
    assert getattr(stored, field) != value
    home.external_id = "x"
    with pytest.raises(InvalidValue, match="external_id"):
        home.save()


def test_a_saved_row_shows_what_is_stored(home):
    """All that follows from what was given."""
    for device in (Device.of(WALL, site=home), Device.of(ROOF)):
        device.save()
        for change in (False, True):
            if change:
                doubled = {name: 2 * value for name, value in device.ratings.items() if value > 1}
                device.ratings |= doubled
                device.save()
            stored = Device.objects.get(id=device.id)
            for field in Device._meta.concrete_fields:
                assert getattr(device, field.attname) == getattr(stored, field.attname), field
            assert device.tags == stored.tags


def test_reading_it_again_reads_its_tags_again(wall):
    assert wall.tags == ["cellar", "store"]
    energy().update(wall.id, tags=["fresh"])
    wall.refresh_from_db()
    wall.save()
    assert Device.objects.get(id=wall.id).tags == ["fresh"]


def test_named_fields_alone_are_stored(wall):
    wall.is_active, wall.name = False, "Other"
    wall.save(update_fields=["is_active"])
    stored = Device.objects.get(id=wall.id)
    assert (stored.is_active, stored.name) == (False, "Wall")
    assert wall.version == stored.version


def test_identities_are_given_by_the_database(home):
    for row in (Site(pk=7, name="A", time_zone="UTC"), Device.of(ROOF, pk=7)):
        with pytest.raises(NotAllowed, match="gives it one"):
            row.save()
    with pytest.raises(NotAllowed, match="stored already"):
        home.save(force_insert=True)
    created, is_new = Site.objects.get_or_create(name="New", defaults={"time_zone": "UTC"})
    assert is_new
    assert Site.objects.get(pk=created.pk).name == "New"
    changed, is_new = Site.objects.update_or_create(
        name="New", defaults={"time_zone": "Asia/Tokyo"}
    )
    assert (is_new, energy().site(changed.pk).site.time_zone) == (False, "Asia/Tokyo")


def test_a_copy_is_a_device_of_its_own(wall):
    first = wall.pk
    wall.pk, wall.name = None, "Copy"
    wall._state.adding = True
    wall.save()
    assert wall.pk != first
    assert energy().device(wall.pk).device.name == "Copy"


def test_signals_tell_of_rows_that_are_saved(home):
    told = []

    def listen(sender, instance, **more):
        told.append((sender, instance.name, more.get("created")))

    for signal in (pre_save, post_save):
        signal.connect(listen)
    try:
        Site(name="New", time_zone="UTC").save()
        home.save()
    finally:
        for signal in (pre_save, post_save):
            signal.disconnect(listen)
    assert told == [
        (Site, "New", None),
        (Site, "New", True),
        (Site, "Home", None),
        (Site, "Home", False),
    ]


def test_relations_change_nothing_behind_the_services_either(home, wall, alias):
    other = Site(name="Cabin", time_zone="UTC")
    other.save()
    for write in (
        lambda: other.devices.add(wall),
        lambda: other.devices.set([wall]),
        lambda: Device._base_manager.update(is_active=False),
    ):
        with pytest.raises(NotAllowed), transaction.atomic(using=alias):
            write()
    assert Device.objects.get(id=wall.id).site_id == home.id


def test_a_form_offers_the_sites_of_the_tenant_alone(home):
    foreign = energy("other").register_site(ec.Site(name="Secret"))
    form = modelform_factory(Device, fields=["name", "kind", "ratings", "site"])()
    field = form.fields["site"]
    assert isinstance(field, ModelChoiceField)
    assert field.queryset is not None
    offered = {site.pk for site in field.queryset}
    assert home.pk in offered
    assert foreign.id not in offered


def test_a_device_keeps_its_kind(wall):
    wall.kind, wall.ratings = "solar_panel", {"rated_power_w": 1.0}
    with pytest.raises(KindChanged):
        wall.save()


def test_a_form_shows_the_domains_error_at_its_field():
    form = modelform_factory(Site, fields=["name", "time_zone", "latitude", "longitude"])(
        {"name": "Home", "time_zone": "Mars/Olympus", "latitude": 1, "longitude": 1}
    )
    assert not form.is_valid()
    (error,) = form.errors.as_data()["time_zone"]
    assert error.code == "UNKNOWN_TIME_ZONE"
    assert "IANA" in error.message


def test_clean_names_the_rating_that_cannot_be(home):
    device = Device.of(WALL, site=home)
    device.ratings["max_charge_w"] = "much"
    with pytest.raises(ValidationError, match="max_charge_w") as caught:
        device.clean()
    assert caught.value.error_dict["ratings"][0].code == "INVALID_VALUE"


@pytest.mark.parametrize(
    "write",
    [
        lambda: Device.objects.update(is_active=False),
        lambda: Device.objects.all().delete(),
        lambda: Device.objects.bulk_create([Device.of(ROOF)]),
        lambda: Site.objects.filter(id=1).update(name="x"),
        lambda: Reading.objects.create(device_id=1, at_us=0, power_mw=1),
        lambda: Bucket.objects.all().delete(),
        lambda: DeviceTag(device_id=1, tag="x").save(),
        lambda: DeviceState(device_id=1, at_us=0, power_mw=0).delete(),
        lambda: Setting.objects.bulk_update([], ["value"]),
        lambda: Mark.objects.bulk_create([]),
    ],
    ids=range(10),
)
def test_writes_that_would_pass_by_the_services_are_refused(write):
    with pytest.raises(NotAllowed, match="use energycore_django"):
        write()


def test_nothing_is_deleted_through_a_row(home, wall):
    for row in (home, wall):
        with pytest.raises(NotAllowed):
            row.delete()


FILTERS = [
    (DeviceFilter(), "ABCD"),
    (DeviceFilter(kinds=("solar_panel", "appliance")), "AD"),
    (DeviceFilter(kinds=()), ""),
    (DeviceFilter(tags=("x", "y")), "AB"),
    (DeviceFilter(name_contains="ROOF"), "A"),
    (DeviceFilter(name_contains="%"), "D"),
    (DeviceFilter(is_active=False), "C"),
    (DeviceFilter(data_sources=(ec.DataSource.REPORTED,)), "B"),
    (DeviceFilter(is_active=True, kinds=("battery",), tags=("y",)), "B"),
]


@pytest.mark.parametrize(("filter_", "wanted"), FILTERS, ids=range(len(FILTERS)))
def test_a_filter_finds_the_same_as_that_of_energycore(filter_, wanted):
    own = energy()
    site = own.register_site(ec.Site(name="Home"))
    devices = {
        "A": own.register(ec.SolarPanel(name="Roof", rated_power_w=1), tags=["x", "y"]),
        "B": own.register(
            wall_named("B"), site=site, tags=["y"], data_source=ec.DataSource.REPORTED
        ),
        "C": own.register(wall_named("C")),
        "D": own.register(ec.Appliance(name="50 %", average_power_w=1)),
    }
    own.deactivate(devices["C"])
    names = {record.id: letter for letter, record in devices.items()}
    ours = Device.objects.for_tenant("default")
    found = ours.matching(filter_)
    assert sorted(names[device.id] for device in found) == list(wanted)
    assert {device.id for device in found} == {record.id for record in own.devices(filter_).items}
    assert list(Device.objects.matching(DeviceFilter(site_ids=(site.id,)))) == [
        Device.objects.get(id=devices["B"].id)
    ]
    assert ours.active().simulated().of_kinds("solar_panel").count() == 1
    assert ours.reported().tagged("y").name_contains("b").count() == 1


def wall_named(name):
    return ec.Battery(name=name, capacity_wh=1_000, max_charge_w=1, max_discharge_w=1)


def test_readings_states_and_totals_are_read_through_the_models(home):
    own = energy()
    meter = own.register(ROOF, site=home.id, data_source=ec.DataSource.REPORTED)
    given = [
        ec.NewReading(
            device_id=meter.id, at=START + timedelta(minutes=minute), power_w=60.0 * minute
        )
        for minute in range(60)
    ]
    assert own.record(given).accepted == 60
    own.upkeep(retain=False)
    device = Device.objects.select_related("newest").get(id=meter.id)
    assert (device.newest.power_w, device.newest.stored_wh) == (59 * 60.0, None)
    assert device.newest.at == given[-1].at
    some = device.readings.between(START, START + timedelta(minutes=3)).order_by("at_us")
    assert [(row.at, row.power_w) for row in some] == [
        (reading.at, reading.power_w) for reading in given[:3]
    ]
    (first, *_) = Bucket.objects.filter(
        tier=Bucket.Tier.QUARTER_HOUR, kind=Bucket.Kind.DEVICE, series_id=meter.id
    ).order_by("start_us")
    (wanted, *_) = own.history(
        START, START + timedelta(hours=1), "quarter_hour", of=meter
    ).answer.buckets
    assert (first.start, first.end) == (wanted.start, wanted.end)
    assert (first.produced_wh, first.consumed_wh) == (wanted.produced_wh, wanted.consumed_wh)


def test_another_database_is_refused(home, alias):
    other = {"default": "postgresql", "postgresql": "default"}[alias]
    with pytest.raises(NotAllowed, match="writes to the database"):
        home.save(using=other)


def hosts_form(site, **changes):
    given = {"kind": "solar_panel", "ratings": {"rated_power_w": 5_000.0}, "name": "Roof"}
    fields = ("name", "kind", "ratings", "site", "external_id")
    form = modelform_factory(Device, fields=fields)
    return form({**given, "site": site and site.pk, "external_id": "", **changes})


@pytest.mark.parametrize("has_site", [True, False])
def test_a_form_of_a_project_says_that_a_name_is_taken(home, has_site):
    site = home if has_site else None
    energy().register(ROOF, site=home.id if has_site else None, external_id="east")
    form = hosts_form(site)
    assert not form.is_valid()
    assert "name already" in form.errors["__all__"][0]
    form = hosts_form(site, name="Other", external_id="east")
    assert form.errors["__all__"] == ["Another device has this external id."]
    form = hosts_form(site, name="Other")
    assert form.is_valid(), form.errors
    assert form.save().external_id is None


def test_a_name_of_another_tenant_is_free():
    energy("other").register(ROOF)
    assert hosts_form(None, name=ROOF.name).is_valid()
