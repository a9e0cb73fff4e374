"""The compiled search: state, changes, moves, annealing."""
