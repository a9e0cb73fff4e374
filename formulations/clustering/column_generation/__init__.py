"""Column generation for clustering: master, pricing, covers, certificates."""
