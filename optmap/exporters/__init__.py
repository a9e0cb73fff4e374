"""Mappings for other tools, one format a file."""
