"""One row checked again: its key, instance, mapping, metrics, claims, bounds, certificates."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from optmap.bounds.bound import Bound
from optmap.errors import InputError
from optmap.experiment.report.details import details
from optmap.experiment.row import GIVEN, Row
from optmap.experiment.run.description import describe_network
from optmap.experiment.run.environment import code_version
from optmap.experiment.run.exact_json import dumps
from optmap.experiment.run.job import Job
from optmap.experiment.run.mapping_file import content_digest, document, read_document
from optmap.experiment.run.source import Source
from optmap.experiment.verification.certificates import prove_certificate
from optmap.experiment.verification.claims import (
    below_what_is_known,
    differing_bounds,
    scope_problems,
    uncertified,
    unclaimed,
    value_problems,
)
from optmap.experiment.verification.form import (
    form_problems,
    missing_claims,
    rewritten,
    stage_problems,
    trace_problems,
)
from optmap.experiment.verification.kept import Kept
from optmap.experiment.verification.orders import cut_problems, order_problems
from optmap.experiment.verification.rerun import had_its_time, rerun_problems
from optmap.experiment.verification.second_proof import Word, prove_bound
from optmap.experiment.verification.verdict import RowVerdict
from optmap.instance import Instance
from optmap.judge.case import Case
from optmap.judge.evaluation import ADDED
from optmap.methods import Method, load_method_file, method_or_none
from optmap.model.grade import Grade, stronger
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits
from optmap.model.scope import END_TO_END, Place, Scope
from optmap.shipped import best_known_folder

#: Proves a certificate again for a mapping's instance and returns the bound; ValueError if not.
Prover = Callable[[dict[str, Any], Mapping, Instance, Limits], Bound]

#: What a row whose fields are not what they should be can raise.
ODD = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError)

#: How a method can end, and what the judge can say, in stored words.
STATUSES = (
    "optimal",
    "feasible",
    "infeasible",
    "no_solution",
    "timeout_hard",
    "memout",
    "unsupported",
    "error",
    "crashed",
)
CHECKS = ("ok", "violation", "mismatch", "not_run")

UNKNOWN = (
    "method {!r} is none of this version's, nor a given mapping;"
    " --method-file names the file that registers it, as it was"
)


@dataclass(frozen=True)
class Checker:
    """How rows are checked.

    Parameters
    ----------
    folder : Path
        The run's folder.
    limits : Limits
        For proving one certificate or bound again.
    again : bool
        Whether seeded heuristics are run again.
    prove : callable
        Proves certificates.
    method_files : tuple of Path
        Files that register methods which are not optmap's own.
    best_known : Path
        The best-known list: a run may start from what stands there, and from nothing else.
    kept : Kept, optional
        Where what is found is kept aside, and perhaps taken from.
    """

    folder: Path
    limits: Limits
    again: bool = True
    prove: Prover = prove_certificate
    method_files: tuple[Path, ...] = ()
    best_known: Path = field(default_factory=best_known_folder)
    kept: Kept | None = None

    def load_methods(self) -> None:
        """Register the methods of strangers' files, in this process."""
        for file in self.method_files:
            load_method_file(file)

    def check(self, row: dict[str, Any], instance: Instance | None) -> RowVerdict:
        """Return what is wrong with a row; ``instance`` None where it could not be loaded.

        What was found before counts only of an instance that is still the same.
        """
        same = instance is not None and instance.digest() == row.get("digest")
        known = self.kept.get(row) if self.kept is not None and same else None
        if known is not None:
            return known
        found = self._check(row, instance)
        if self.kept is not None and same:
            self.kept.add(row, found)
        return found

    def _check(self, row: dict[str, Any], instance: Instance | None) -> RowVerdict:
        verdict = RowVerdict.of(row)
        try:
            verdict.problems += self._found(row, instance, verdict)
            if not verdict.problems:
                Row.from_json(row)
                verdict.row = row
        except InputError as error:
            verdict.problems.append(str(error))
        except ODD as error:
            text = f"{type(error).__name__} {error}"
            verdict.problems.append(f"a field is missing or odd: {text:.200}")
        return verdict

    def _found(
        self, row: dict[str, Any], instance: Instance | None, verdict: RowVerdict
    ) -> Iterator[str]:
        if instance is None:
            instance = Source.from_json(row["source"]).load()
        if instance.digest() != row["digest"]:
            yield f"the instance has hash {instance.digest()[:12]}, the row {row['digest'][:12]}"
            return
        method = method_or_none(row["method"])
        if row["status"] not in STATUSES or row["check"] not in CHECKS:
            yield f"status {row['status']!r} or check {row['check']!r} is none that there is"
            return
        yield from form_problems(row)
        yield from rewritten(row)
        if method is not None:
            yield from stage_problems(row, method)
        mapping = self._mapping(row, instance)
        yield from _asked_for(row, instance, method, mapping)
        if mapping is not None:
            verdict.mappings += 1
            yield from self._judged(row, mapping, instance, method, verdict)
        elif row["check"] != "not_run" or row.get("metrics") or row.get("claims"):
            yield "check, metrics or claims without a mapping"
        if self.again and method is not None:
            verdict.starved = not had_its_time(row)
            yield from rerun_problems(row, method, instance, mapping)

    def _mapping(self, row: dict[str, Any], instance: Instance) -> Mapping | None:
        path = self.folder / "mappings" / f"{row['key']}.json"
        if "mappings" not in row["attached"]:
            return None
        data, _, mapping = read_document(path)
        for name in ("method", "instance", "source", "digest"):
            if data[name] != row[name]:
                raise InputError(str(path), name, repr(data[name]), f"{row[name]!r}, as the row")
        source = Source.from_json(row["source"])
        written = document(mapping, row["instance"], source, row["digest"], row["method"])
        if path.read_bytes() != f"{dumps(written)}\n".encode():  # a name twice, true for 1, -0
            raise InputError(str(path), "", "written otherwise than a run writes it", "its mapping")
        if sorted(row["attached"]) not in (["details", "mappings"], ["mappings"]):
            raise InputError("row", "attached", ", ".join(row["attached"]), "mappings, details")
        return mapping

    def _judged(
        self,
        row: dict[str, Any],
        mapping: Mapping,
        instance: Instance,
        method: Method | None,
        verdict: RowVerdict,
    ) -> Iterator[str]:
        case = Case(instance.snn, instance.platform, instance.tokens, mapping, instance.constraints)
        evaluation, place = case.evaluation, case.place
        if evaluation is None or place is None:
            if row["check"] == "ok":
                yield from (f"the mapping breaks a rule: {v}" for v in case.violations)
            elif row["check"] != "violation":
                yield f"check {row['check']}, yet the mapping breaks a rule"
            return
        if row["check"] not in ("ok", "mismatch"):
            yield f"check {row['check']}, yet the mapping is valid"
            return
        metrics = json.loads(dumps(evaluation.row()))
        earlier = row["code_version"] != code_version()
        if earlier and not any(name in row["metrics"] for name in ADDED):
            metrics = {name: value for name, value in metrics.items() if name not in ADDED}
        for name in sorted({*metrics, *row["metrics"]}):
            stored = json.dumps(row["metrics"].get(name, "nothing"))  # 1, 1.0 and true differ
            if stored != json.dumps(metrics.get(name, "nothing")):
                yield f"{name}: stored {stored}, judged {metrics.get(name)}"
        if list(row["metrics"]) != list(metrics):
            yield "metrics: in another order than the judge writes them"
        named = {
            "decomposition": mapping.decomposition.policy,
            "place": place.to_json(),
            "network": describe_network(instance),
            "critical_cycle": [str(step) for step in evaluation.critical_cycle],
        }
        for name, value in named.items():
            if json.dumps(row.get(name)) != json.dumps(json.loads(dumps(value))):
                yield f"{name}: stored {str(row.get(name))[:80]}, found {str(value)[:80]}"
        if method is not None:
            yield from order_problems(row, method, case)
            yield from cut_problems(method, case)
        yield from self._details(row, case)
        odd: list[str] = []
        if method is not None:
            odd = list(scope_problems(row["claims"], method, place, instance.platform))
            yield from odd
            yield from missing_claims(row, method, instance.snn)
        yield from trace_problems(row)
        found = list(value_problems(row, metrics))
        yield from found
        if row["check"] == "mismatch" and not found:
            yield "check mismatch, yet every claim agrees with the judge"
        verdict.claims += len(row["claims"])
        if odd:
            return  # nobody claims what nobody can prove
        yield from self._bounds(row, metrics, case, instance, method, verdict)

    def _details(self, row: dict[str, Any], case: Case) -> Iterator[str]:
        if "details" not in row["attached"]:
            yield "details: missing"
            return
        stored = (self.folder / "details" / f"{row['key']}.json").read_bytes()
        if stored != f"{dumps(details(case))}\n".encode():
            yield "details: not those of the mapping"

    def _bounds(
        self,
        row: dict[str, Any],
        metrics: dict[str, Any],
        case: Case,
        instance: Instance,
        method: Method | None,
        verdict: RowVerdict,
    ) -> Iterator[str]:
        mapping = case.mapping
        computed = json.loads(dumps([bound.to_json() for bound in case.bounds]))
        verdict.bounds += len(computed)
        yield from differing_bounds(row["bounds"], computed)
        own, certificates = [Bound.from_json(bound) for bound in computed], []
        stated = row.get("certificates", ())
        if any(one in stated[:at] for at, one in enumerate(stated)):
            yield "certificate: stands twice"
        for certificate in stated:
            verdict.certificates += 1
            try:
                certificates.append(self.prove(certificate, mapping, instance, self.limits))
            except ValueError as error:
                yield f"certificate: {error}"
        own += certificates
        if method is not None:
            yield from uncertified(row, method)
        alone = method is not None and bool(method.whole)
        yield from unclaimed(certificates, row["claims"], alone)
        if method is not None and not method.whole:
            yield from below_what_is_known(own, row["claims"])
        verdict.exact += own
        verdict.end_to_end += [bound for bound in own if bound.scope == END_TO_END]
        for claim in row["claims"]:
            if claim["bound"] is not None:
                yield from self._bound(row, claim, own, metrics, mapping, instance, verdict)

    def _bound(
        self,
        row: dict[str, Any],
        claim: dict[str, Any],
        own: list[Bound],
        metrics: dict[str, Any],
        mapping: Mapping,
        instance: Instance,
        verdict: RowVerdict,
    ) -> Iterator[str]:
        """Yield what is wrong with the bound that a stage claims."""
        scope, value = Scope.from_json(claim["scope"]), Fraction(claim["bound"])
        bound = Bound(claim["metric"], row["method"], value, scope, Grade(claim["grade"]))
        reached = metrics.get(bound.metric)
        inside = scope.covers(Place.from_json(row["place"]))
        if inside and reached is not None and Fraction(reached) < value:
            yield f"bound {value} on {bound.metric} is above what the row reached"
            return
        proof = prove_bound(bound, mapping, instance, own, self._limits_for(bound, row))
        verdict.proofs.append((bound.metric, str(value), str(scope), proof))
        if proof.word is Word.PROVED:
            verdict.again.append(bound)
        if proof.deserves is not None and stronger(proof.deserves, bound.grade):
            verdict.modest += 1
        if scope == END_TO_END and proof.word in (Word.PROVED_AT_ONCE, Word.PROVED):
            verdict.end_to_end.append(bound)
        if proof.word is Word.REFUTED:
            yield f"bound {value} on {bound.metric} ({scope}) is too high: {proof.by}"
        elif not proof.vouches_for(bound.grade):
            yield (
                f"bound {value} on {bound.metric} ({scope}) is graded {bound.grade.value};"
                f" {proof.word.value} now, {proof.by} (--limit gives it more time)"
            )

    def _limits_for(self, bound: Bound, row: dict[str, Any]) -> Limits:
        """Return what a bound may take: as much as its row where it can give a star, else less."""
        if bound.grade is Grade.CLAIMED:
            return replace(self.limits, wall_s=self.limits.wall_s / 4)
        return replace(
            self.limits, wall_s=max(self.limits.wall_s, row.get("work") or row["limit_s"])
        )


def _asked_for(
    row: dict[str, Any], instance: Instance, method: Method | None, mapping: Mapping | None
) -> Iterator[str]:
    """Yield what does not belong to the row's key: name, seed, limits, code, solvers.

    A row without a method of ours is of a mapping that was given: its key holds the content.
    """
    if instance.name != row["instance"]:
        yield f"the instance is called {instance.name!r}, the row {row['instance']!r}"
    if method is None and (mapping is None or row["claims"]):
        yield UNKNOWN.format(row["method"])
        return
    limits = Limits(row["limit_s"], row["threads"], row["seed"], row["memory_mb"], row.get("work"))
    content = content_digest(mapping) if method is None and mapping is not None else ""
    source = Source.from_json(row["source"])
    if source != source.tidy() and row["code_version"] == code_version():
        yield f"its source is written otherwise than a run writes it: {dumps(row['source'])}"
    job = Job(
        row["instance"],
        row["digest"],
        source,
        row["method"],
        limits,
        mapping_digest=content,
    )
    made = job.key(code=row["code_version"], solvers=row["solver_versions"])
    if made != row["key"] and method is None and not str(row["method"]).startswith(GIVEN):
        yield UNKNOWN.format(row["method"])
    elif made != row["key"]:
        yield f"key {row['key']} is not that of its method, seed, limits and versions, {made}"
