"""Exact static orders for a binding (S): CP-SAT and MILP, with and without prologue."""
