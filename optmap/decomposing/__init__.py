"""Fan-in decomposition, one policy a file: how a neuron of too many sources becomes units."""
