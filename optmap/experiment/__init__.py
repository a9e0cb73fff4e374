"""One solve in one process, the store, the sweep, the tables."""
