"""Forms of devices, sites and commands, whose errors are those of energycore."""

from energycore_django.forms.devices import DeviceForm, device_form
from energycore_django.forms.sites import SiteForm

__all__ = ["DeviceForm", "SiteForm", "device_form"]
