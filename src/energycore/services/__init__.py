"""What energycore does for its users, step by step, over any storage and any clock."""
