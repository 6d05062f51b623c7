"""A home to look at: a roof, a fridge and a battery that follows them."""

from datetime import timedelta

import energycore as ec

__all__ = ["move_in"]


def move_in(energy: ec.Energy) -> None:
    """Register the home, unless it is there already, and simulate its last day."""
    home = ec.Site(name="Home", time_zone="Europe/Berlin")
    site = energy.register_site(home, external_id="home")
    roof = ec.SolarPanel(name="Roof", rated_power_w=5_000)
    energy.register(roof, site=site, external_id="home/roof")
    fridge = ec.Appliance(name="Fridge", average_power_w=60)
    energy.register(fridge, site=site, external_id="home/fridge")
    wall = ec.Battery(name="Wall", capacity_wh=10_000, max_charge_w=5_000, max_discharge_w=5_000)
    energy.register(wall, site=site, external_id="home/wall", dispatch=ec.SelfConsumption())
    minute = energy.clock.now().replace(second=0, microsecond=0)
    energy.tick(since=minute - timedelta(days=1))
