"""What binding heuristics share: room on tiles, shares of tiles, swaps, periods of neighbours."""
