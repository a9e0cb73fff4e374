"""Published and rival heuristics, one per file; siblings do not know each other."""
