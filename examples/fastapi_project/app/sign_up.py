"""`python -m app.sign_up NAME`: a customer with a home to look at, and a new token."""

import sys

from app.auth import Customers
from app.home import move_in
from app.settings import Settings

__all__ = ["sign_up"]


def sign_up(settings: Settings, tenant: str) -> str:
    """Make a customer, who may be known already; gives the token."""
    with settings.connect() as energy, Customers(settings) as customers:
        move_in(energy.for_tenant(tenant))
        return customers.new_token(tenant)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m app.sign_up NAME")
    print(sign_up(Settings(), sys.argv[1]))
