"""Search over all four decisions at once."""
