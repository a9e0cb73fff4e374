"""The dataflow kernel; it knows nothing of spiking networks."""
