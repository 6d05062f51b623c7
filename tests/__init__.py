"""The tests of energycore, laid out as its layers are."""
