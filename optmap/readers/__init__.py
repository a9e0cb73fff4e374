"""Where networks come from, one format a file."""
