"""Exact binding (B): CP-SAT, MILP, nested search, neighbourhoods, bounds on spike-hops."""
