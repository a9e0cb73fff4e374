"""One mapping with everything that is known about it, for a notebook: numbers, gaps, pictures."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import pandas as pd

from optmap.experiment.report.details import details
from optmap.experiment.report.pictures import WIDTH as PICTURE_WIDTH
from optmap.experiment.report.pictures import pictures
from optmap.experiment.row import Row
from optmap.experiment.run.exact_json import dumps
from optmap.experiment.run.in_process import judging
from optmap.experiment.run.mapping_file import document
from optmap.experiment.run.source import Source
from optmap.experiment.tables.best_known import NOTHING, BestKnown
from optmap.experiment.tables.frames import stage_gaps_frame
from optmap.experiment.tables.gaps import all_gaps
from optmap.experiment.tables.text import percent
from optmap.experiment.verdict import speed_lines, verdict_sentence
from optmap.experiment.what_if import without_one_constraint
from optmap.instance import Instance
from optmap.judge.case import Case
from optmap.judge.explanation import explain, floors
from optmap.mapping_json import to_dict
from optmap.methods import METHODS
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits, Value
from optmap.output import WIDTH
from optmap.readers.constraints import constraints_text

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True, eq=False)
class MappedNetwork:
    """What :func:`optmap.map_network` and :func:`optmap.evaluate` return.

    Parameters
    ----------
    instance : Instance
        Network, platform, token mode.
    row : Row
        How the method ended and what the judge said, as ``compare`` stores it.
    mapping : Mapping or None
        None where the method found none; ``row.reason`` says why.
    known : BestKnown
        The best values and bounds known of the instance.
    """

    instance: Instance
    row: Row
    mapping: Mapping | None
    known: BestKnown = field(default=NOTHING)

    @property
    def status(self) -> str:
        """How the method ended: ``optimal`` (all its stages), ``feasible``, ``infeasible``, ..."""
        return self.row.status

    @property
    def check(self) -> str:
        """What the judge said: ``ok``, ``violation``, ``mismatch``, ``not_run``."""
        return self.row.check

    @property
    def metrics(self) -> pd.Series[float]:
        """The judge's values as floats, by name; ``exact`` has them exactly."""
        values = {n: None if v is None else float(v) for n, v in self.row.metrics.items()}
        return pd.Series(values, name=self.row.method, dtype=float)

    @property
    def exact(self) -> Dict[str, Value | None]:
        """The judge's values: whole numbers and fractions."""
        return self.row.metrics

    @property
    def gaps(self) -> pd.DataFrame:
        """One line per metric: value, end-to-end bound, best known value, gap and distance."""
        lines = [
            {
                "metric": g.metric,
                "value": float(g.value),
                "bound": None if g.bound is None else float(g.bound.value),
                "gap": None if g.to_bound is None else float(g.to_bound),
                "proved": g.mark,
                "best_known": float(g.best_known),
                "distance": float(g.to_best_known),
                "bound_by": "" if g.bound is None else g.bound.name,
                "best_known_by": g.best_known_by,
            }
            for g in all_gaps([self.row], self.known)
        ]
        columns = ("metric", "value", "bound", "gap", "proved", "best_known", "distance")
        frame = pd.DataFrame(lines, columns=[*columns, "bound_by", "best_known_by"])
        return frame.set_index("metric")

    @property
    def stage_gaps(self) -> pd.DataFrame:
        """One line per metric and stage: the gap to what the row's own decisions leave open."""
        return stage_gaps_frame([self.row], self.known)

    @cached_property
    def case(self) -> Case:
        """The mapping's graphs, violations, evaluation and bounds, built when asked for."""
        here = self.instance
        case = Case(here.snn, here.platform, here.tokens, self._placed(), here.constraints)
        with judging(here):  # kept by the case
            _ = case.evaluation
        return case

    def plot(self, picture: str = "schedule") -> go.Figure:
        """Return a picture, as the report has it, by its name.

        There are ``schedule``, ``tiles``, ``traffic``, ``loads``, ``occupancy``, ``crossbars``, and
        ``anytime-period`` and its like for what a solver reached over time.

        Raises
        ------
        ValueError
            If there is no such picture, or no valid mapping to draw.
        """
        import plotly.graph_objects as go  # Plotly is not light

        if self.case.evaluation is None:
            raise ValueError(f"nothing to draw: {self.row.reason or 'the mapping breaks a rule'}")
        with judging(self.instance):
            drawn = pictures(self.row, details(self.case))
        if picture not in drawn:
            raise ValueError(f"picture {picture!r}: expected one of {', '.join(drawn)}")
        return go.Figure(drawn[picture]).update_layout(width=PICTURE_WIDTH)

    def explain(self) -> str:
        """Return the verdict, the speed, and why the mapping is no faster, as text.

        Lines are at most as wide as the commands' where they write to no terminal.
        """
        if self.mapping is None:
            return f"no mapping: {self.row.reason or self.row.status}"
        with judging(self.instance):
            return "\n".join(fill(line, WIDTH, subsequent_indent="  ") for line in self._why())

    def _why(self) -> Iterator[str]:
        case, platform, found = self.case, self.instance.platform, self.case.evaluation
        yield verdict_sentence(case)
        if found is None:
            yield from map(str, case.violations)
        else:
            yield from speed_lines(found.period, found.latency, platform)
            yield from explain(found, floors(case)).sentences

    def constraint_costs(self, limit: float = 5.0) -> pd.DataFrame:
        """Return what each constraint costs: the method again with all of them, and without each.

        One line a change, of at most ``limit`` seconds; NaN where no mapping was found.

        Raises
        ------
        ValueError
            If the mapping was made without constraints, or by no method that is known here.
        """
        method = METHODS.get(self.row.method)
        if method is None or not self.instance.constraints:
            found = f"constraints: {self.instance.constraints}"
            raise ValueError(f"method {self.row.method!r}, {found}; a known method and some needed")
        lines = [
            {"change": line.change} | ({} if line.after is None else line.after.numbers())
            for line in without_one_constraint(self.instance, method, Limits(limit))
        ]
        columns = ["change", "period", "latency", "clusters", "traffic", "energy_pj"]
        return pd.DataFrame(lines, columns=columns).set_index("change")

    def save(self, path: str | Path) -> Path:
        """Write the mapping as JSON, wrapped with what it belongs to; return the path.

        A network that was given as an object has no file to name: its mapping is written bare.
        Constraints that were given as an object are written beside it, as TOML.
        """
        path, mapping = Path(path), self._placed()
        content: Dict[str, Any] = to_dict(mapping)
        if self.row.source != Source():
            source = self._source_beside(path).relative_to(path.parent)
            row = self.row
            content = document(mapping, row.instance, source, row.digest, row.method)
        path.write_text(dumps(dict(content)) + "\n", encoding="utf-8")
        return path

    def _source_beside(self, path: Path) -> Source:
        """Return where all of it comes from, constraints that no file has written beside it."""
        source, demands = self.row.source, self.instance.constraints
        if not demands or source.constraints or source.load().constraints == demands:
            return source
        file = path.with_name(f"{path.stem}.constraints.toml")
        file.write_text(constraints_text(demands), encoding="utf-8")
        return replace(source, constraints=str(file))

    def to_json(self) -> str:
        """Return the row as one line of JSON."""
        return json.dumps(json.loads(dumps(self.row.to_json())))

    def _placed(self) -> Mapping:
        if self.mapping is None:
            raise ValueError(f"no mapping: {self.row.reason or self.row.status}")
        return self.mapping

    def __repr__(self) -> str:
        """Return one line: who mapped what, how it ended, period and gap."""
        parts = [f"{self.row.instance} by {self.row.method}: {self.status}, check {self.check}"]
        for g in all_gaps([self.row], self.known):
            if g.metric in ("clusters", "period"):
                gap = "" if g.to_bound is None else f" (gap {percent(g.to_bound)})"
                parts.append(f"{g.metric} {g.value}{gap}")
        return f"<{', '.join(parts)}>"

    def _repr_html_(self) -> str:
        """Return the line and the table of gaps for a notebook."""
        return f"<p>{html.escape(repr(self))}</p>{self.gaps.to_html()}"
