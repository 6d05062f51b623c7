"""The device kinds that ship with energycore, one file each; none imports another."""
