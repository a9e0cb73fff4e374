"""One solve in one process, the sweep over many, and the store that keeps their rows."""
