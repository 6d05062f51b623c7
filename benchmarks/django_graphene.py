"""The same questions answered by graphene-django over the same models."""

from typing import Any, Final

import graphene
from django.urls import path
from graphene_django import DjangoObjectType
from graphene_django.views import GraphQLView

from benchmarks.django_sums import summed
from energycore_django import models

__all__ = ["QUERIES", "urlpatterns"]


class State(DjangoObjectType):
    """What a device did from an instant on."""

    class Meta:
        model = models.DeviceState
        fields = ()

    at = graphene.DateTime()
    power_w = graphene.Float()
    stored_wh = graphene.Float()


class Device(DjangoObjectType):
    """Anything registered."""

    class Meta:
        model = models.Device
        fields = ("id", "name", "is_active")

    kind = graphene.String()
    newest = graphene.Field(State)


class Storage(graphene.ObjectType):
    """What storages hold."""

    capacity_wh = graphene.Float()
    stored_wh = graphene.Float()


class Summary(graphene.ObjectType):
    """What devices add up to."""

    production_w = graphene.Float()
    consumption_w = graphene.Float()
    net_power_w = graphene.Float()
    device_count = graphene.Int()
    storage = graphene.Field(Storage)


class Query(graphene.ObjectType):
    """The questions."""

    devices = graphene.List(Device, first=graphene.Int())
    energy_summary = graphene.Field(Summary)

    def resolve_devices(self, info: Any, first: int) -> Any:
        """The first so many devices."""
        found = models.Device.objects.select_related("newest")
        return found.order_by("registered_at_us", "id")[:first]

    def resolve_energy_summary(self, info: Any) -> dict[str, Any]:
        """What they add up to."""
        sums = summed()
        return {**sums, "storage": sums}


schema = graphene.Schema(query=Query)
urlpatterns = [path("graphql", GraphQLView.as_view(schema=schema))]

QUERIES: Final = {
    "list": """{ devices(first: 100) {
        id name kind isActive newest { at powerW storedWh } } }""",
    "summary": """{ energySummary {
        productionW consumptionW netPowerW deviceCount storage { capacityWh storedWh } } }""",
}
