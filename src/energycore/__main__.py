"""`python -m energycore` is the command `energycore`."""

from energycore.cli import main

if __name__ == "__main__":
    main()
