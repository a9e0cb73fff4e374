"""What clustering heuristics share: compiled growing, filling and packing of crossbars."""
