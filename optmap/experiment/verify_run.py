"""Check a finished run again, trusting none of it.

For every row: its checksum; the instance, loaded again, against its hash; the mapping, judged
again, against every stored metric; every claim against the judge; every bound that needs no solver,
computed again; every certificate, proved again. A bound that only a solver vouches for is compared
with every value that the run reached in the bound's scope (a smaller one would refute it), and
counted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from optmap.errors import InputError
from optmap.evaluate.evaluate import judge
from optmap.experiment.exact_json import dumps, number
from optmap.experiment.gaps import OF_DECOMPOSITION, Row, accepted
from optmap.experiment.mapping_file import load_source, read_document
from optmap.experiment.solve import describe_bounds
from optmap.experiment.store import Store, checksum
from optmap.instance import Instance
from optmap.mapping import Mapping

#: Proves a certificate for a mapping's decomposition; returns what is wrong with it, or None.
Prover = Callable[[dict[str, Any], Mapping, Instance], str | None]

#: Metrics whose last claim is about the final mapping itself.
FINAL = ("traffic", "spike_hops", "period")


@dataclass
class Verdict:
    """What was found: problems by row, and how many of each thing were checked."""

    problems: list[str]
    rows: int = 0
    mappings: int = 0
    claims: int = 0
    bounds: int = 0
    certificates: int = 0
    by_solver_only: int = 0


def verify_run(folder: Path, prove: Prover, heard: Callable[[str], None]) -> Verdict:
    """Check every row of a result folder.

    Parameters
    ----------
    prove : callable
        Proves one certificate again; :mod:`optmap.verify` passes the exact one.
    heard : callable
        Told the name of each row that is being checked.

    Raises
    ------
    InputError
        If the folder holds no rows.
    """
    if not (folder / "rows.jsonl").is_file():
        raise InputError(str(folder), "", "no rows.jsonl", "the folder of a finished run")
    verdict = Verdict([])
    rows = list(_rows(folder, verdict))
    if not rows and not verdict.problems:
        raise InputError(str(folder), "", "no row", "the folder of a finished run")
    instances: dict[str, Instance] = {}
    for row in rows:
        name = f"{row.get('instance')} / {row.get('method')} (seed {row.get('seed')})"
        heard(name)
        verdict.rows += 1
        try:
            found = list(_check(row, folder, instances, prove, verdict))
        except InputError as error:
            found = [str(error)]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            found = [f"a field is missing or odd: {type(error).__name__} {error}"]
        verdict.problems += [f"{name}: {problem}" for problem in found]
    verdict.problems += _refuted(rows)
    return verdict


def _rows(folder: Path, verdict: Verdict) -> Iterator[dict[str, Any]]:
    """Yield the rows; a line that is none, or whose checksum is wrong, is a problem."""
    store = Store(folder)
    seen: set[str] = set()
    for i, line in enumerate((folder / "rows.jsonl").read_bytes().splitlines(keepends=True), 1):
        try:
            row = json.loads(line)
            stated, key = row["checksum"], row["key"]
        except (ValueError, KeyError, TypeError):
            verdict.problems.append(f"rows.jsonl, line {i}: no row")
            continue
        if key in seen:
            verdict.problems.append(f"rows.jsonl, line {i}: key {key} stands twice")
        seen.add(key)
        if stated != checksum(row, store.attached_texts(row)):
            verdict.problems.append(f"rows.jsonl, line {i}: row {key} does not match its checksum")
        yield row


def _check(
    row: dict[str, Any],
    folder: Path,
    instances: dict[str, Instance],
    prove: Prover,
    verdict: Verdict,
) -> Iterator[str]:
    source = dumps(row["source"])
    if source not in instances:
        instances[source] = load_source(row["source"])
    instance = instances[source]
    if instance.digest() != row["digest"]:
        yield f"the instance has hash {instance.digest()[:12]}, the row {row['digest'][:12]}"
        return
    if row["check"] != "ok":
        return
    data, _, mapping = read_document(folder / "mappings" / f"{row['key']}.json")
    if data["method"] != row["method"]:
        yield f"the mapping file is of method {data['method']}"
    verdict.mappings += 1
    judgement = judge(instance.snn, instance.platform, mapping, instance.tokens)
    yield from (f"the mapping breaks a rule: {v}" for v in judgement.violations)
    if judgement.evaluation is None:
        return
    metrics = json.loads(dumps(judgement.evaluation.row()))
    for name in sorted({*metrics, *row["metrics"]}):
        if metrics.get(name) != row["metrics"].get(name):
            yield f"{name}: stored {row['metrics'].get(name)}, judged {metrics.get(name)}"
    yield from _check_claims(row, metrics, verdict)
    yield from _check_bounds(row, mapping, instance, verdict)
    for certificate in row.get("certificates", ()):
        verdict.certificates += 1
        wrong = prove(certificate, mapping, instance)
        if wrong is not None:
            yield f"certificate: {wrong}"


def _check_claims(row: Row, metrics: dict[str, Any], verdict: Verdict) -> Iterator[str]:
    for claim in row["claims"]:
        verdict.claims += 1
        name, value, bound = claim["metric"], number(claim["value"]), number(claim["bound"])
        judged = number(metrics[name])
        if value is not None and judged is not None:
            if name in FINAL and value != judged:
                yield f"{name}: claimed {value}, judged {judged}"
            if judged > value:
                yield f"{name}: claimed {value}, the final mapping has {judged}"
        if None not in (value, bound) and bound > value:  # type: ignore[operator]
            yield f"{name}: bound {bound} above the claimed {value}"
        if (claim["status"] == "optimal") != (value is not None and value == bound):
            yield f"{name}: status {claim['status']} with value {value} and bound {bound}"
    proved = bool(row["claims"]) and all(c["status"] == "optimal" for c in row["claims"])
    if row["status"] == "optimal" and not proved:
        yield "status optimal, yet not every stage proved its claim"


def _check_bounds(
    row: Row, mapping: Mapping, instance: Instance, verdict: Verdict
) -> Iterator[str]:
    computed = json.loads(dumps(describe_bounds(mapping, instance)))
    verdict.bounds += len(computed)
    if computed != row["bounds"]:
        stored = {json.dumps(bound, sort_keys=True) for bound in row["bounds"]}
        for bound in computed:
            if json.dumps(bound, sort_keys=True) not in stored:
                name, value = f"{bound['name']} on {bound['metric']}", bound["value"]
                yield f"bound {name} is {value}, stored otherwise"
        if len(computed) != len(row["bounds"]):
            yield f"{len(row['bounds'])} bounds stored, {len(computed)} computed"
    for bound in (*computed, *row["claims"]):
        limit = number(bound["bound"] if "bound" in bound else bound["value"])
        reached = number(row["metrics"].get(bound["metric"]))
        if limit is not None and reached is not None and limit > reached:
            yield f"bound {limit} on {bound['metric']} is above what the row reached, {reached}"
    certified = {c.get("metric", "clusters") for c in row.get("certificates", ())}
    verdict.by_solver_only += sum(
        claim["bound"] is not None and claim["metric"] not in certified for claim in row["claims"]
    )


def _refuted(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the solver bounds that another row of the same scope undercuts."""
    good = [row for row in rows if accepted(row)]
    for row in good:
        for claim in row["claims"]:
            bound = number(claim["bound"])
            if bound is None or claim["metric"] not in OF_DECOMPOSITION:
                continue
            for other in good:
                same = (other["digest"], other["decomposition"]) == (
                    row["digest"],
                    row["decomposition"],
                )
                most = claim["max_clusters"]
                few = most is None or other["metrics"]["clusters"] <= most
                reached = Fraction(other["metrics"][claim["metric"]])
                if same and few and reached < bound:
                    yield (
                        f"{row['instance']} / {row['method']}: bound {bound} on"
                        f" {claim['metric']} is refuted by {other['method']}, which reached"
                        f" {reached}"
                    )
