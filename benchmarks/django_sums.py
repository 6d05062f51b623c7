"""What devices add up to, in one statement of the ORM, as the peers of the benchmark ask it."""

from typing import Any

from django.db.models import Count, Q, Sum

from energycore_django.models import Device

__all__ = ["summed"]


def summed() -> dict[str, Any]:
    """The totals by name, in W and Wh."""
    power = "newest__power_mw"
    row = Device.objects.filter(is_active=True).aggregate(
        produced=Sum(power, filter=Q(newest__power_mw__gt=0)),
        consumed=Sum(power, filter=Q(newest__power_mw__lt=0)),
        capacity=Sum("capacity_mwh"),
        stored=Sum("newest__stored_mwh"),
        count=Count("id"),
    )
    production_w, consumption_w = (row["produced"] or 0) / 1e3, -(row["consumed"] or 0) / 1e3
    return {
        "production_w": production_w,
        "consumption_w": consumption_w,
        "net_power_w": production_w - consumption_w,
        "device_count": row["count"],
        "capacity_wh": (row["capacity"] or 0) / 1e3,
        "stored_wh": (row["stored"] or 0) / 1e3,
    }
