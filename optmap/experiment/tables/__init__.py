"""From rows to tables: gaps, stages, aggregates, Markdown, LaTeX, CSV."""
