"""Binding and static orders together (J): CP-SAT, Benders, the Pareto front."""
