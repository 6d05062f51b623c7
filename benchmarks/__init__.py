"""How fast energycore is, as ratios measured within one run: `python -m benchmarks [NAME ...]`."""
