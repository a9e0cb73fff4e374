"""Check a finished run again, trusting none of it.

For every row: its checksum; the instance, loaded again, against its hash; the mapping, judged
again, against every stored metric and name; every claim against the judge; every bound that needs
no solver, computed again; every certificate, proved again. Every bound is compared with every value
that the run reached in the bound's scope (a smaller one would refute it); bounds that only a solver
vouches for are counted. Last, the tables are derived from the rows again and compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from optmap.errors import InputError
from optmap.experiment.row import Row
from optmap.experiment.run.exact_json import dumps, number
from optmap.experiment.run.mapping_file import read_document
from optmap.experiment.run.solve import describe_bounds, describe_network
from optmap.experiment.run.source import Source
from optmap.experiment.run.store import Store, chain
from optmap.experiment.tables.derived import edited
from optmap.experiment.tables.gaps import by_digest, shared_bounds
from optmap.instance import Instance
from optmap.judge.case import judge
from optmap.model.mapping import Mapping
from optmap.model.scope import place_of

#: Proves a certificate for a mapping's decomposition; returns what is wrong with it, or None.
Prover = Callable[[dict[str, Any], Mapping, Instance], str | None]

#: What a row whose fields are not what they should be can raise.
ODD = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError)

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
    broken: list[str] = []
    for row in rows:
        name = f"{row.get('instance')} / {row.get('method')} (seed {row.get('seed')})"
        heard(name)
        verdict.rows += 1
        try:
            found = list(_check(row, folder, instances, prove, verdict))
        except InputError as error:
            found = [str(error)]
        except ODD as error:
            found = [f"a field is missing or odd: {type(error).__name__} {error}"]
            broken.append(row["key"])
        verdict.problems += [f"{name}: {problem}" for problem in found]
    try:
        typed = {row["key"]: Row.from_json(row, row["key"]) for row in rows}
        verdict.problems += _refuted([row for key, row in typed.items() if key not in broken])
        verdict.problems += edited(folder, list(typed.values()))
    except ODD as error:
        verdict.problems.append(f"rows do not compare: {type(error).__name__} {error}")
    return verdict


def _rows(folder: Path, verdict: Verdict) -> Iterator[dict[str, Any]]:
    """Yield the rows; a line that is none, or whose checksum is wrong, is a problem."""
    store = Store(folder)
    seen: set[str] = set()
    for i, line in enumerate((folder / "rows.jsonl").read_bytes().splitlines(keepends=True), 1):
        try:
            row = json.loads(line, parse_constant=_no_number)
            key = str(row["key"])
        except (ValueError, KeyError, TypeError, RecursionError):
            verdict.problems.append(f"rows.jsonl, line {i}: no row")
            continue
        if key in seen:
            verdict.problems.append(f"rows.jsonl, line {i}: key {key} stands twice")
        seen.add(key)
        fault = store.fault(row, line)
        if fault is not None:
            verdict.problems.append(f"rows.jsonl, line {i}: {fault} ({key})")
        if row.get("chain") != chain(store.chain, str(row.get("checksum"))):
            verdict.problems.append(f"rows.jsonl, line {i}: a row before {key} is missing")
        store.chain = str(row.get("chain"))
        yield row


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")


def _check(
    row: dict[str, Any],
    folder: Path,
    instances: dict[str, Instance],
    prove: Prover,
    verdict: Verdict,
) -> Iterator[str]:
    source = dumps(row["source"])
    if source not in instances:
        instances[source] = Source.from_json(row["source"]).load()
    instance = instances[source]
    if instance.digest() != row["digest"]:
        yield f"the instance has hash {instance.digest()[:12]}, the row {row['digest'][:12]}"
        return
    if row["check"] != "ok":
        if row["check"] == "not_run" and row.get("metrics"):
            yield "check not_run, yet there are metrics"
        return
    data, _, mapping = read_document(folder / "mappings" / f"{row['key']}.json")
    if data["method"] != row["method"]:
        yield f"the mapping file is of method {data['method']}"
    if data["instance"] != row["instance"]:
        yield f"the mapping file is of instance {data['instance']}"
    verdict.mappings += 1
    judgement = judge(instance.snn, instance.platform, mapping, instance.tokens)
    yield from (f"the mapping breaks a rule: {v}" for v in judgement.violations)
    if judgement.evaluation is None:
        return
    metrics = json.loads(dumps(judgement.evaluation.row()))
    for name in sorted({*metrics, *row["metrics"]}):
        if metrics.get(name) != row["metrics"].get(name):
            yield f"{name}: stored {row['metrics'].get(name)}, judged {metrics.get(name)}"
    named = {
        "decomposition": mapping.decomposition.policy,
        "place": place_of(mapping, judgement.evaluation.max_tile_load).to_json(),
        "network": describe_network(instance),
        "critical_cycle": [str(step) for step in judgement.evaluation.critical_cycle],
    }
    for name, value in named.items():
        if row.get(name) != value:
            yield f"{name}: stored {str(row.get(name))[:80]}, found {str(value)[:80]}"
    yield from _check_claims(row, metrics, verdict)
    yield from _check_bounds(row, mapping, instance, verdict)
    for certificate in row.get("certificates", ()):
        verdict.certificates += 1
        wrong = prove(certificate, mapping, instance)
        if wrong is not None:
            yield f"certificate: {wrong}"


def _check_claims(row: dict[str, Any], metrics: dict[str, Any], verdict: Verdict) -> Iterator[str]:
    for claim in row["claims"]:
        verdict.claims += 1
        name, value, bound = claim["metric"], number(claim["value"]), number(claim["bound"])
        judged = number(metrics[name])
        if value is not None and judged is not None:
            if name in FINAL and value != judged:
                yield f"{name}: claimed {value}, judged {judged}"
            if judged > value:
                yield f"{name}: claimed {value}, the final mapping has {judged}"
        if value is not None and bound is not None and bound > value:
            yield f"{name}: bound {bound} above the claimed {value}"
        if (claim["status"] == "optimal") != (value is not None and value == bound):
            yield f"{name}: status {claim['status']} with value {value} and bound {bound}"
    proved = bool(row["claims"]) and all(c["status"] == "optimal" for c in row["claims"])
    if row["status"] == "optimal" and not proved:
        yield "status optimal, yet not every stage proved its claim"


def _check_bounds(
    row: dict[str, Any], mapping: Mapping, instance: Instance, verdict: Verdict
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
    certified = {c.get("metric", "clusters"): c.get("bound") for c in row.get("certificates", ())}
    for claim in row["claims"]:
        bound, shown = number(claim["bound"]), number(certified.get(claim["metric"]))
        verdict.by_solver_only += bound is not None and (shown is None or shown < bound)


def _refuted(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the bounds that a row in their scope undercuts."""
    for group in by_digest(rows).values():
        bounds = dict.fromkeys(replace(bound, certificate=None) for bound in shared_bounds(group))
        for proved in bounds:
            for other in group:
                reached = other.value(proved.metric)
                if reached is None or reached >= proved.value or other.place is None:
                    continue
                if proved.scope.covers(other.place):
                    yield (
                        f"{other.instance}: bound {proved.value} on {proved.metric}"
                        f" ({proved.name}; {proved.scope}) is refuted by {other.method}, which"
                        f" reached {reached}"
                    )
