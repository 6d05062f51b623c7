"""A home in the test project, staff who may look at it or change it, and the forms they send."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.db import transaction
from django.test import Client, override_settings

import energycore as ec
from energycore_django import energy

NOW = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)
LIST = "/admin/energycore/device/"
SITES = "/admin/energycore/site/"


class Stopped:
    """A clock that stands still."""

    def now(self):
        return NOW


@contextmanager
def project(alias, **settings):
    """The project with energycore in a database, which forgets everything afterwards.

    Users and sessions are in the first database, energycore in any.
    """
    chosen = {"DATABASE": alias, "CLOCK": Stopped, **settings}
    with override_settings(ENERGYCORE=chosen):
        with transaction.atomic("default"), transaction.atomic(alias):
            try:
                yield
            finally:
                transaction.set_rollback(True, "default")
                transaction.set_rollback(True, alias)


def client(*permissions, superuser=False):
    """A browser of somebody from staff with these permissions."""
    user = User.objects.create(username=f"user {User.objects.count()}", is_staff=True)
    user.is_superuser = superuser
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    browser = Client()
    browser.force_login(user)
    return browser


def home(name="Home", time_zone="Europe/Berlin"):
    """A site with a panel, a battery and a fridge that ran for half an hour."""
    own = energy()
    site = own.register_site(ec.Site(name=name, time_zone=time_zone))
    panel = own.register(ec.SolarPanel(name="Roof", rated_power_w=5_000), site=site, tags=["south"])
    battery = own.register(
        ec.Battery(name="Wall", capacity_wh=10_000, max_charge_w=5_000, max_discharge_w=4_000),
        site=site,
    )
    fridge = own.register(ec.Appliance(name="Fridge", average_power_w=100), site=site)
    return site, panel, battery, fridge


def tick(minutes=30):
    """Let the simulated devices run up to now."""
    return energy().tick(NOW, since=NOW - timedelta(minutes=minutes))


def state_of(device):
    """The newest reading of a device, which has one."""
    state = energy().state(device)
    assert state is not None
    return state


def form_of(response):
    """What a browser would send back of a form as it stands."""
    form = response.context_data["adminform"].form
    given = {}
    for bound in form:
        value = bound.value()
        if value is True:
            given[bound.html_name] = "on"
        elif value is not None and value is not False:
            given[bound.html_name] = str(value)
    return given


def errors_of(response):
    """The errors of a form as (field, code, message)."""
    form = response.context_data["adminform"].form
    return [
        (field, error.code, error.messages[0])
        for field, errors in form.errors.as_data().items()
        for error in errors
    ]


def said(response):
    """The messages on a page."""
    return [str(message) for message in get_messages(response.wsgi_request)]


def act(browser, action, *devices, **more):
    """Run an action on devices and follow it."""
    given = {"action": action, "_selected_action": [device.id for device in devices], **more}
    return browser.post(LIST, given, follow=True)
