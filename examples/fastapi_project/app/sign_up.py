"""`python -m app.sign_up NAME`: a customer with a home to look at, and a token, which it prints."""

import sys
from datetime import timedelta

import energycore as ec
from app.auth import Customers
from app.settings import Settings

__all__ = ["sign_up"]


def sign_up(settings: Settings, tenant: str) -> str:
    """Register the home unless it is known, simulate its last day, and make a new token."""
    with settings.connect() as database, Customers(settings) as customers:
        energy = database.for_tenant(tenant)
        home = ec.Site(name="Home", time_zone="Europe/Berlin")
        site = energy.register_site(home, external_id="home")
        energy.register(
            ec.SolarPanel(name="Roof", rated_power_w=5_000), site=site, external_id="home/roof"
        )
        energy.register(
            ec.Appliance(name="Fridge", average_power_w=60), site=site, external_id="home/fridge"
        )
        battery = ec.Battery(
            name="Wall", capacity_wh=10_000, max_charge_w=5_000, max_discharge_w=5_000
        )
        energy.register(battery, site=site, external_id="home/wall", dispatch=ec.SelfConsumption())
        minute = energy.clock.now().replace(second=0, microsecond=0)
        energy.tick(since=minute - timedelta(hours=24))
        return customers.new_token(tenant)


if __name__ == "__main__":
    print(sign_up(Settings(), sys.argv[1]))
