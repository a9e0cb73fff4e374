"""Exact clustering (docs/formulations.md, P): CP-SAT, MILP, column generation, neighbourhoods."""
