"""The lists and pages of the admin: what they show, to whom, and with how many statements."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.staticfiles import finders
from django.db import connections
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

import energycore as ec
from energycore.devices.base import DataSource
from energycore.errors import ArchiveUnavailable
from energycore.services.histories import Histories
from energycore.services.ingestion import NewReading
from energycore_django import energy
from energycore_django.admin.cells import UNKNOWN, percent, power, quantity
from energycore_django.models import Device, Site
from tests.django.admin_homes import LIST, NOW, SITES, client, home, project, tick


@pytest.fixture(autouse=True)
def in_project(sqlite_alias, alias):
    with project(alias):
        yield


@pytest.fixture
def browser():
    return client(superuser=True)


class Text(HTMLParser):
    """The text of a page and the addresses in it."""

    def __init__(self, html):
        super().__init__()
        self.words, self.addresses, self.scripts = [], [], []
        self.handlers = []
        self._raw = None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.addresses += [given[name] for name in ("href", "src", "action") if given.get(name)]
        self.handlers += [name for name in given if name.startswith("on") or name == "style"]
        self._raw = tag if tag in ("script", "style") else None
        if tag == "script" and "src" not in given:
            self.scripts.append(given.get("type"))
        if tag == "style":
            self.handlers.append("style element")

    def handle_endtag(self, tag):
        self._raw = None

    def handle_data(self, data):
        if self._raw is None:
            self.words.append(data)


def text(response):
    """The words of a page."""
    assert response.status_code == 200
    return re.sub(r"\s+", " ", " ".join(Text(response.content.decode()).words))


def rows(response):
    """The names in a list, in order."""
    return [str(row) for row in response.context_data["cl"].result_list]


def facts(response):
    """What a page says in one line."""
    return {name: re.sub("<.*?>", "", str(value)) for name, value in response.context_data["facts"]}


def reported(name="Meter", **kind):
    panel = ec.SolarPanel(name=name, rated_power_w=800)
    return energy().register(panel, data_source=DataSource.REPORTED, **kind)


def record(device, *values, step=timedelta(minutes=1)):
    """One reading for each value, the last of them now."""
    first = NOW - (len(values) - 1) * step
    energy().record(
        NewReading(device_id=device.id, at=first + i * step, power_w=value)
        for i, value in enumerate(values)
    )


# ---- the lists


def test_the_list_shows_power_charge_last_seen_kind_and_site(browser):
    home()
    tick()
    shown = text(browser.get(LIST))
    assert "idle" in shown
    assert "50 %" in shown
    assert "2026-06-15 11:59 CEST" in shown or "2026-06-15 12:00 CEST" in shown
    assert "Battery" in shown
    assert "Home" in shown


def test_instants_are_on_the_clocks_of_the_site(browser):
    tokyo = energy().register_site(ec.Site(name="Far", time_zone="Asia/Tokyo"))
    record(reported(site=tokyo), 5.0)
    assert "2026-06-15 19:00 JST" in text(browser.get(LIST))


def test_what_is_not_known_is_a_dash_or_a_word_and_never_zero(browser):
    record(reported("Old"), 100.0)
    energy().register(ec.Appliance(name="New", average_power_w=100))
    shown = text(browser.get(LIST))
    assert "no reading" in shown
    assert UNKNOWN in shown
    assert "0 W" not in shown.replace("100 W", "")


def test_a_silent_device_is_called_silent_and_shows_no_power(browser):
    device = reported()
    energy().record([NewReading(device_id=device.id, at=NOW - timedelta(hours=1), power_w=123)])
    shown = text(browser.get(LIST))
    assert "silent" in shown
    assert "123 W" not in shown


def test_the_number_of_statements_of_the_list_does_not_depend_on_its_length(browser, alias):
    def statements(page):
        counts = []
        for name in {"default", alias}:
            with CaptureQueriesContext(connections[name]) as captured:
                assert browser.get(page).status_code == 200
            counts.append(len(captured))
        return sorted(counts)

    home("First")
    tick()
    pages = LIST, SITES
    few = [statements(page) for page in pages]
    for number in range(8):
        home(f"Home {number}")
    energy().tick(NOW + timedelta(minutes=1))
    assert [statements(page) for page in pages] == few
    assert len(rows(browser.get(LIST))) == 27


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("kind__exact=battery", ["Wall"]),
        ("is_active__exact=0", ["Retired"]),
        ("readings=now", ["Fridge", "Roof", "Wall"]),
        ("readings=silent", ["Silent"]),
        ("readings=never", ["Retired"]),
        ("data_source__exact=reported", ["Silent"]),
        ("site=none", ["Retired", "Silent"]),
        ("tag=south", ["Roof"]),
        ("q=ROO", ["Roof"]),
        ("q=home", ["Fridge", "Roof", "Wall"]),
        ("q=South", ["Roof"]),
        ("q=nothing", []),
        ("site=99", []),
        ("site=x", []),
        ("tag=x", []),
        ("tag=%00", []),
    ],
)
def test_the_list_is_filtered_and_searched(browser, query, found):
    home()
    tick()
    silent = reported("Silent")
    energy().record([NewReading(device_id=silent.id, at=NOW - timedelta(hours=1), power_w=1)])
    energy().deactivate(energy().register(ec.Appliance(name="Retired", average_power_w=100)))
    assert rows(browser.get(f"{LIST}?{query}")) == found


def test_a_tag_that_no_device_has_finds_none(browser):
    energy().register(ec.Appliance(name="Plain", average_power_w=100))
    assert rows(browser.get(f"{LIST}?tag=x")) == []


def test_the_list_of_a_site_is_linked_from_the_list_of_sites(browser):
    site, *_ = home()
    page = Text(browser.get(SITES).content.decode())
    assert f"{LIST}?site={site.id}" in page.addresses
    assert len(rows(browser.get(f"{LIST}?site={site.id}"))) == 3


@pytest.mark.parametrize("order", range(1, 8))
def test_the_list_is_ordered_by_each_of_its_columns(browser, order):
    home()
    energy().register(
        ec.Battery(name="Tiny", capacity_wh=0.0001, max_charge_w=1, max_discharge_w=1)
    )
    tick()
    for sign in ("", "-"):
        assert len(rows(browser.get(f"{LIST}?o={sign}{order}"))) == 4


def test_the_list_of_sites_sums_up_each_of_them(browser):
    home()
    tick()
    energy().register_site(ec.Site(name="Empty"))
    empty, full = browser.get(SITES).context_data["cl"].result_list
    assert empty.summary is None
    assert full.summary.device_count == 3
    shown = text(browser.get(SITES))
    assert "50 %" in shown
    assert power(full.summary.net_power_w) in shown


def test_sites_are_completed_as_they_are_typed(browser):
    home("Elm street")
    home("Oak street")
    given = {"term": "elm", "app_label": "energycore", "model_name": "device", "field_name": "site"}
    found = browser.get("/admin/autocomplete/", given).json()
    assert [result["text"] for result in found["results"]] == ["Elm street"]


# ---- the pages


def test_the_page_of_a_device_shows_its_day_and_its_last_30_days(browser):
    _, _, battery, _ = home()
    tick()
    page = browser.get(f"{LIST}{battery.id}/change/")
    today, charge, days = [chart.data for chart in page.context_data["charts"]]
    assert len(today["at"]) == len(today["lines"][0]["values"]) == 2 * 96
    assert charge["unit"] == "%"
    assert len(days["at"]) == 30
    assert {today["zone"], days["zone"]} == {"Europe/Berlin"}
    assert page.context_data["days"][0][0] == "2026-06-15"


def test_time_without_readings_is_a_gap_in_the_chart(browser):
    device = reported()
    record(device, 100.0, 100.0)
    page = browser.get(f"{LIST}{device.id}/change/")
    (line,) = page.context_data["charts"][0].data["lines"]
    known = [value for value in line["values"] if value is not None]
    assert set(known) == {100.0}
    assert len(known) < 10
    assert page.context_data["days"][1][1:] == (UNKNOWN, UNKNOWN, UNKNOWN)


def test_the_page_of_a_site_shows_its_summary_and_its_power_over_the_day(browser):
    site, *_ = home()
    tick()
    page = browser.get(f"{SITES}{site.id}/change/")
    summary = energy().summary()
    shown = facts(page)
    assert shown["Production"] == quantity(summary.production_w, "W")
    assert shown["Net"] == power(summary.net_power_w)
    assert shown["Active devices"] == "3"
    lines = page.context_data["charts"][0].data["lines"]
    assert [line["role"] for line in lines] == ["production", "consumption", "net"]
    sums = zip(*(line["values"] for line in lines), strict=True)
    assert all(p is None or abs(p + c - net) < 0.001 for p, c, net in sums)


def test_a_site_of_which_nothing_is_known_has_no_power(browser):
    site, *_ = home()
    page = browser.get(f"{SITES}{site.id}/change/")
    assert facts(page)["Production"] == UNKNOWN
    assert facts(page)["Net"] == UNKNOWN
    assert all(chart.is_empty for chart in page.context_data["charts"])
    assert "No readings in this time." in text(page)


def test_the_newest_50_readings_of_a_device_are_on_its_page(browser):
    device = reported()
    record(device, *range(70))
    readings = browser.get(f"{LIST}{device.id}/change/").context_data["readings"]
    assert len(readings) == 50
    assert readings[0] == ("2026-06-15 12:00:00 CEST", "+69.000 W", UNKNOWN)
    assert readings[-1][1] == "+20.000 W"


@pytest.mark.parametrize("step", [timedelta(seconds=1), timedelta(minutes=15), timedelta(hours=5)])
def test_the_newest_readings_are_found_however_often_a_device_reports(browser, step):
    device = reported()
    record(device, *range(1, 21), step=step)
    readings = browser.get(f"{LIST}{device.id}/change/").context_data["readings"]
    assert [row[1] for row in readings] == [f"+{value}.000 W" for value in range(20, 0, -1)]


def test_the_page_of_a_device_counts_no_readings_and_reads_few(browser, alias):
    device = reported()
    record(device, *range(600), step=timedelta(seconds=1))
    with CaptureQueriesContext(connections[alias]) as captured:
        browser.get(f"{LIST}{device.id}/change/")
    asked = [q["sql"] for q in captured if "energycore_reading" in q["sql"]]
    assert asked
    # The tables of days are counted, which the catalogue has.
    of_days = "COUNT(*) AS GONE FROM PG_CATALOG"
    assert not [sql for sql in asked if "COUNT(" in sql.upper().replace(of_days, "")]
    assert len(captured) < 40


@pytest.mark.parametrize("page", [LIST, SITES])
def test_what_cannot_be_read_keeps_nobody_from_the_form(browser, monkeypatch, page):
    def refuse(*args, **options):
        raise ArchiveUnavailable("the archive is away")

    for method in ("of_devices", "of_sites", "readings"):
        monkeypatch.setattr(Histories, method, refuse)
    site, panel, *_ = home()
    tick()
    key = panel.id if page == LIST else site.id
    shown = browser.get(f"{page}{key}/change/")
    assert "the archive is away" in text(shown)
    assert shown.context_data["adminform"].form["name"].value()


PAGES = (
    LIST,
    SITES,
    f"{LIST}add/",
    f"{LIST}add/?kind=battery",
    f"{SITES}add/",
    "{battery}",
    "{site}",
    f"{LIST}what-if/?ids={{ids}}",
)


def pages(*records):
    """The addresses of all pages."""
    site, *devices = records
    given = {
        "battery": f"{LIST}{devices[1].id}/change/",
        "site": f"{SITES}{site.id}/change/",
        "ids": ",".join(str(device.id) for device in devices),
    }
    return [page.format(**given) for page in PAGES]


def test_every_page_refers_to_this_server_only_and_its_files_are_there(browser):
    found = home()
    tick()
    for address in pages(*found):
        page = Text(browser.get(address).content.decode())
        assert not [a for a in page.addresses if a.startswith(("http:", "https:", "//"))], address
        for static in [a for a in page.addresses if a.startswith("/static/")]:
            assert finders.find(static.removeprefix("/static/").partition("?")[0]), static


def test_no_page_has_a_script_a_handler_or_a_style_in_it(browser):
    found = home()
    tick()
    for address in pages(*found):
        page = Text(browser.get(address).content.decode())
        assert set(page.scripts) <= {"application/json"}, address
        assert not page.handlers, address


def test_the_chart_library_lies_beside_its_licence():
    assert finders.find("energycore/uplot/uPlot-1.6.32.iife.min.js")
    licence = Path(str(finders.find("energycore/uplot/uPlot.LICENSE.txt")))
    assert "MIT License" in licence.read_text(encoding="utf-8")


# ---- who may see and do what


def test_nothing_can_be_deleted(browser):
    site, panel, *_ = home()
    for page, key in ((LIST, panel.id), (SITES, site.id)):
        assert browser.post(f"{page}{key}/delete/", {"post": "yes"}).status_code == 403
    for model in (Device, Site):
        (own,) = [a for m, a in admin.site._registry.items() if m is model]
        request = browser.get(LIST).wsgi_request
        assert "delete_selected" not in own.get_actions(request)
        assert not own.has_delete_permission(request)


def test_who_may_only_look_sees_ratings_with_their_units_and_changes_nothing():
    _, _, battery, _ = home()
    looker = client("view_device")
    page = f"{LIST}{battery.id}/change/"
    assert "Capacity [Wh]: 10000" in text(looker.get(page)).replace("10000.0", "10000")
    assert looker.post(page, {"name": "Mine"}).status_code == 403
    assert looker.get(f"{LIST}add/").status_code == 403
    assert looker.get(f"{LIST}add/?kind=battery").status_code == 403


@pytest.mark.parametrize("address", PAGES)
def test_who_may_see_neither_sites_nor_devices_sees_no_page(address):
    records = home()
    stranger = client("view_user")
    for page in pages(*records):
        assert stranger.get(page).status_code == 403
        assert Client().get(page).status_code == 302


def test_another_tenant_is_seen_nowhere(browser):
    other = energy("other")
    site = other.register_site(ec.Site(name="Theirs"))
    device = other.register(ec.Appliance(name="Theirs", average_power_w=1), site=site, tags=["x"])
    assert rows(browser.get(LIST)) == []
    assert rows(browser.get(SITES)) == []
    shown = text(browser.get(LIST))
    assert "Theirs" not in shown
    assert "By tag" not in shown
    for page, key in ((LIST, device.id), (SITES, site.id)):
        assert browser.get(f"{page}{key}/change/").status_code == 302
    given = {"term": "", "app_label": "energycore", "model_name": "device", "field_name": "site"}
    assert browser.get("/admin/autocomplete/", given).json()["results"] == []
    assert browser.get(f"{LIST}what-if/?ids={device.id}").context_data["homes"] == []


def test_the_site_of_another_tenant_cannot_be_chosen(browser):
    site = energy("other").register_site(ec.Site(name="Theirs"))
    given = {"name": "A", "rating_average_power_w": "1", "data_source": "simulated"}
    given |= {"gap_policy": "hold", "site": str(site.id)}
    refused = browser.post(f"{LIST}add/?kind=appliance", given)
    assert list(refused.context_data["adminform"].form.errors) == ["site"]


# ---- the words


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, UNKNOWN),
        (0.0, "0 W"),
        (1234.4, "+1,234 W"),
        (-0.25, "−0.2 W"),
        (-2250.0, "−2,250 W"),
        (12.34, "+12.3 W"),
    ],
)
def test_power_is_shown_with_its_sign(value, shown):
    assert power(value) == shown


@pytest.mark.parametrize(
    ("fraction", "shown"), [(None, UNKNOWN), (0.0, "0 %"), (0.9999, "99 %"), (1.0, "100 %")]
)
def test_only_what_is_full_is_at_100_percent(fraction, shown):
    assert percent(fraction) == shown


@pytest.mark.parametrize("site", ["abc", "", "1,501", "%00"])
def test_a_site_that_cannot_be_one_is_left_out_of_a_new_device(browser, site):
    assert browser.get(f"{LIST}add/?kind=battery&site={site}").status_code == 200


def test_links_hold_where_numbers_are_written_with_separators(browser):
    """Identities are no amounts."""
    *_, site = [energy().register_site(ec.Site(name=f"Home {number}")) for number in range(11)]
    with override_settings(USE_THOUSAND_SEPARATOR=True, NUMBER_GROUPING=1, THOUSAND_SEPARATOR=","):
        page = Text(browser.get(f"{SITES}{site.id}/change/").content.decode())
    assert f"{LIST}?site={site.id}" in page.addresses
