"""The files that are derived from a run's rows, written beside them and sealed."""

from __future__ import annotations

import json
from collections.abc import Sequence

from optmap.experiment.report.html import report_html
from optmap.experiment.row import Row
from optmap.experiment.run.store import Store
from optmap.experiment.tables.best_known import BestKnown
from optmap.experiment.tables.derived import BEST_KNOWN, ENVIRONMENT, REPORT, derived


def write_tables(store: Store, rows: Sequence[Row], known: BestKnown) -> None:
    """Write tables and report of rows; environment.json and best_known.json stand there already."""
    texts = derived(rows, known)
    drawn = store.attached("details", (row.key for row in rows))
    made_on = json.loads((store.folder / ENVIRONMENT).read_text(encoding="utf-8"))
    texts[REPORT] = report_html(rows, drawn, made_on, known)
    for name, text in texts.items():
        store.write(name, text)
    store.seal([*texts, ENVIRONMENT, BEST_KNOWN])
