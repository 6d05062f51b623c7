"""The admin: devices and sites, their forms, pages and actions."""

from energycore_django.admin.devices import DeviceAdmin
from energycore_django.admin.sites import SiteAdmin

__all__ = ["DeviceAdmin", "SiteAdmin"]
