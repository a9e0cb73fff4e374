"""Buffer capacities in tokens."""
