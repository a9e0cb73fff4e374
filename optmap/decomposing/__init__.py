"""Fan-in decomposition: how policies that choose something choose it."""
