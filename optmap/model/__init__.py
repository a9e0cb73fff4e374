"""The nouns: networks, platforms, decompositions, mappings, and the contract of every stage."""
