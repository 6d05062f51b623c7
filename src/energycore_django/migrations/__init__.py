"""Django's migrations of energycore's tables."""
