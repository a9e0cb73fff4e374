"""How a solver is told: one formulation a file, labels shared between back-ends (README.md)."""
