"""Lower bounds that need no solver, one metric a file."""
