"""Networks by formula: gen:NAME and the connectivity of layers."""
