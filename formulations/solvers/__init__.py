"""How a solver is run: limits in; status, value and bound out."""
