"""Static-order heuristics, one published or rival heuristic a file."""
