"""energycore itself, as the contestants are measured: its URLs and its questions."""

from typing import Final

from energycore_django.routes import project_urls

__all__ = ["QUERIES", "urlpatterns"]

urlpatterns = project_urls()

QUERIES: Final = {
    "list": """{ devices(first: 100) { nodes {
        id name kind isActive state { at powerW storedWh } } } }""",
    "summary": """{ energySummary {
        productionW consumptionW netPowerW deviceCount storage { capacityWh storedWh } } }""",
}
