"""Change a finished run as a forger would, and ask ``verify`` what is wrong with it."""

import contextlib
import json
import shutil

from optmap.experiment.row import Row
from optmap.experiment.run.store import Store
from optmap.experiment.tables.best_known import read_copy
from optmap.experiment.tables.derived import BEST_KNOWN, ENVIRONMENT, REPORT, TABLES, derived
from optmap.experiment.verification.row import Checker
from optmap.experiment.verification.run import verify_run
from optmap.model.outcome import Limits

EDITED = "not what the rows give"


def believe(certificate, mapping, instance, limits):
    """Prove nothing: these tests are about everything else."""
    return None if certificate.get("true", True) else "prices too high"


def verdict_of(folder, prove=believe):
    checker = Checker(folder, Limits(wall_s=60.0, seed=9), prove=prove)
    return verify_run(folder, checker, lambda found, left: None)


def problems(folder):
    return verdict_of(folder).problems


def write_rows(folder, rows, sealed=True):
    """Write rows as a forger would who knows the store: checksums, chain, tables, manifest fit."""
    shutil.rmtree(folder / "forged", ignore_errors=True)
    (folder / "rows.jsonl").unlink()
    store = Store(folder)
    for row in rows:
        names = list(row["attached"])
        attached = {
            name: json.loads((folder / name / f"{row['key']}.json").read_text()) for name in names
        }
        bare = {k: v for k, v in row.items() if k not in ("attached", "checksum", "chain")}
        store.append(bare, attached)
    if sealed:
        texts = {name: (folder / name).read_text() for name in TABLES}
        with contextlib.suppress(ValueError):  # a row that nobody can read: old tables stay
            typed = [Row.from_json(row) for row in store.rows.values()]
            texts = derived(typed, read_copy(folder / BEST_KNOWN))
        for name, text in texts.items():
            (folder / name).write_text(text)
        store.seal([*texts, REPORT, ENVIRONMENT, BEST_KNOWN])


def rows_of(folder):
    return [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]


def edit(folder, change, method="cpsat", sealed=True):
    """Change a row and its mapping file; all that a forger can repair is repaired."""
    rows = rows_of(folder)
    for row in rows:
        if row["method"] == method:
            file = folder / "mappings" / f"{row['key']}.json"
            mapping = json.loads(file.read_text())
            change(row, mapping)
            file.write_text(json.dumps(mapping))
    write_rows(folder, rows, sealed)


def claim_of(row, metric):
    return next(claim for claim in row["claims"] if claim["metric"] == metric)
