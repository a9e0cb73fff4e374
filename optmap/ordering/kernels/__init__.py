"""What static-order heuristics share: the single-tile order and its projection."""
