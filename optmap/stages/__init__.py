"""The stages of a run: how each kind of stage comes to its decision and what it claims."""
