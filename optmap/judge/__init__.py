"""The judge: what a mapping costs, exactly, whoever made it."""
