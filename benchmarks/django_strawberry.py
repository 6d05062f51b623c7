"""The same questions answered by strawberry-django, with its optimizer, over the same models."""

from datetime import datetime
from typing import Any, Final

import strawberry
import strawberry_django
from django.urls import path
from strawberry.django.views import GraphQLView
from strawberry_django.optimizer import DjangoOptimizerExtension

from benchmarks.django_sums import summed
from energycore_django.models import Device, DeviceState

__all__ = ["QUERIES", "urlpatterns"]


@strawberry_django.type(DeviceState)
class State:
    """What a device did from an instant on."""

    @strawberry_django.field(only=["at_us"])
    def at(self) -> datetime:
        """Since when."""
        row: Any = self
        return row.at  # type: ignore[no-any-return] # Any is a row of the model

    @strawberry_django.field(only=["power_mw"])
    def power_w(self) -> float:
        """Signed power."""
        row: Any = self
        return row.power_w  # type: ignore[no-any-return] # Any is a row of the model

    @strawberry_django.field(only=["stored_mwh"])
    def stored_wh(self) -> float | None:
        """Energy inside."""
        row: Any = self
        return row.stored_wh  # type: ignore[no-any-return] # Any is a row of the model


@strawberry_django.type(Device, name="Device")
class DeviceType:
    """Anything registered."""

    id: strawberry.ID
    name: str
    kind: str
    is_active: bool
    newest: State | None


@strawberry.type
class Storage:
    """What storages hold."""

    capacity_wh: float
    stored_wh: float


@strawberry.type
class Summary:
    """What devices add up to."""

    production_w: float
    consumption_w: float
    net_power_w: float
    device_count: int
    storage: Storage


@strawberry.type
class Query:
    """The questions."""

    @strawberry_django.field
    def devices(self, first: int) -> list[DeviceType]:
        """The first so many devices."""
        found: Any = Device.objects.order_by("registered_at_us", "id")[:first]
        return found  # type: ignore[no-any-return] # rows of the model are what its type shows

    @strawberry.field
    def energy_summary(self) -> Summary:
        """What they add up to."""
        sums = summed()
        storage = Storage(capacity_wh=sums.pop("capacity_wh"), stored_wh=sums.pop("stored_wh"))
        return Summary(**sums, storage=storage)


schema = strawberry.Schema(Query, extensions=[DjangoOptimizerExtension])
urlpatterns = [path("graphql", GraphQLView.as_view(schema=schema))]

QUERIES: Final = {
    "list": """{ devices(first: 100) {
        id name kind isActive newest { at powerW storedWh } } }""",
    "summary": """{ energySummary {
        productionW consumptionW netPowerW deviceCount storage { capacityWh storedWh } } }""",
}
