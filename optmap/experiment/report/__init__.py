"""The report: one self-contained page, drawn from rows and details."""
