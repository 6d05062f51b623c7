"""What the project relies on; `manage.py test` runs it, and rolls each test back."""

from django.contrib.auth import get_user_model
from django.test import TestCase
from django.urls import reverse

import energycore as ec
from energycore_django import energy
from energycore_django.models import Device

__all__ = ["HomeTest"]


class HomeTest(TestCase):
    """A home, as each test finds it."""

    @classmethod
    def setUpTestData(cls) -> None:
        """Register it once for all tests."""
        site = energy().register_site(ec.Site(name="Home", time_zone="Europe/Berlin"))
        energy().register(ec.SolarPanel(name="Roof", rated_power_w=5_000), site=site)

    def test_a_tick_gives_each_device_a_state(self) -> None:
        """And the models see what energycore wrote, in the same transaction."""
        energy().tick()
        self.assertEqual(energy().summary().device_count, 1)
        self.assertIsNotNone(Device.objects.get(name="Roof").newest.at)

    def test_what_another_test_wrote_is_gone(self) -> None:
        """There is the home, and no tick."""
        self.assertFalse(Device.objects.filter(newest__isnull=False).exists())
        energy().register(ec.Appliance(name="Fridge", average_power_w=60))
        self.assertEqual(Device.objects.count(), 2)

    def test_staff_may_ask(self) -> None:
        """Tests run with DEBUG off, where nobody else may."""
        query = {"query": "{ devices { nodes { name } } }"}
        url = reverse("energycore-graphql")
        self.assertEqual(self.client.get(url, query).status_code, 403)
        self.client.force_login(get_user_model().objects.create_user("ada", is_staff=True))
        nodes = self.client.get(url, query).json()["data"]["devices"]["nodes"]
        self.assertEqual(nodes, [{"name": "Roof"}])
