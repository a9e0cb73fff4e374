"""The publications' experiments: programs, figures, tables, pictures and the page about them."""
