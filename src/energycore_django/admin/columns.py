"""The columns of the list of devices, and the fields of its page that are only shown."""

from typing import Any

from django.contrib import admin
from django.db.models import FloatField, Value
from django.db.models.functions import Cast, NullIf
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from energycore_django.admin.cells import UNKNOWN, charge_bar, joined, local_time, power, quantity
from energycore_django.admin.observing import observed, zone_of
from energycore_django.forms.devices import device_form, rating_name
from energycore_django.forms.fields import words

__all__ = ["DeviceColumns"]


class DeviceColumns:
    """Methods that show something of a device, in the list and in fields that nobody may change.

    Their devices carry `now_us`, and are fetched with `newest`.
    """

    @admin.display(description="site", ordering="site__name", empty_value=UNKNOWN)
    def site_name(self, device: Any) -> str | None:
        """Where it stands."""
        return None if device.site is None else device.site.name

    @admin.display(description="power", ordering="newest__power_mw")
    def state(self, device: Any) -> SafeString | str:
        """What it does, if that is known."""
        if not device.is_active:
            return joined(("quiet", "inactive"))
        state = observed(device, device.now_us)
        if state is None:
            return joined(("quiet", "no reading"))
        if state.is_stale:
            return joined(("silent", "silent"))
        mode = "" if state.mode is None else state.mode.value
        return joined(("number", power(state.power_w)), ("quiet", mode))

    @admin.display(
        description="charge",
        ordering=Cast("newest__stored_mwh", FloatField()) / NullIf("capacity_mwh", Value(0)),
    )
    def charge(self, device: Any) -> SafeString | str:
        """The state of charge of a storage; pale where it is an old one."""
        state = observed(device, device.now_us)
        if state is None or state.stored_wh is None:
            return UNKNOWN
        bar = charge_bar(
            state.state_of_charge,
            f"{quantity(state.stored_wh, 'Wh')} of {quantity(device.capacity_wh, 'Wh')}",
        )
        if state.is_stale or not device.is_active:
            return format_html('<span class="energycore-old">{}</span>', bar)
        return bar

    @admin.display(description="last seen", ordering="newest__at_us")
    def last_seen(self, device: Any) -> SafeString:
        """The instant of the newest reading, in the site's zone."""
        state = observed(device, device.now_us)
        at = None if state is None else state.at
        day, _, time = local_time(at, zone_of(device)).partition(" ")
        return joined(("number", day), ("number", time))

    @admin.display(description="tags")
    def tag_words(self, device: Any) -> str:
        """Words to find it by."""
        return ", ".join(device.tags) or UNKNOWN

    @admin.display(description="ratings")
    def shown_ratings(self, device: Any) -> SafeString | str:
        """What it is rated for, for those who may not change it."""
        fields = device_form(device.kind, of=device).base_fields
        shown = [
            (fields[rating_name(name)].label if rating_name(name) in fields else name, value)
            for name, value in device.ratings.items()
        ]
        return format_html_join(SafeString("<br>"), "{}: {}", shown)

    @admin.display(description="dispatch")
    def shown_dispatch(self, device: Any) -> str:
        """What steers a storage, with its parameters."""
        if not device.dispatch:
            return UNKNOWN if device.capacity_mwh is not None else "no storage"
        given = (device.dispatch_parameters or {}).items()
        return ", ".join([words(device.dispatch), *(f"{name} {value}" for name, value in given)])

    @admin.display(description="longest gap")
    def longest_gap(self, device: Any) -> str:
        """How long the power of one reading holds."""
        return str(device.max_gap)

    @admin.display(description="registered", ordering="registered_at_us")
    def registered(self, device: Any) -> str:
        """When it was registered, in the site's zone."""
        return local_time(device.registered_at, zone_of(device))
