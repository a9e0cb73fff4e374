"""The figures: what each needs, how it is shown, and what the publication's abstract says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from optmap.experiment.reproduction.capacities import over_capacities
from optmap.experiment.reproduction.results import (
    AT_BASE,
    Changes,
    Results,
    Shown,
    Table,
    better,
    geometric,
    number,
)
from optmap.experiment.reproduction.svg import Picture

#: Every method of the tables; the last two are this project's.
METHODS = (
    "random",
    "pacman",
    "spinemap-clusters",
    "spinemap",
    "song2020",
    "song2020-published",
    "dfsynthesizer",
    "overlap-spikes",
    "whole",
)
#: Which colour and mark a method has in every picture; ``random`` is in none.
PLACES = {method: i for i, method in enumerate(METHODS[1:])}
#: Along an axis: the fast ones.
FAST = ("pacman", "spinemap", "song2020", "dfsynthesizer", "overlap-spikes")
TILES, SIZES, WINDOWS = (1, 2, 4, 8, 16), (64, 128, 256, 512), (1, 2, 3, 4, 8)
#: Tokens that every channel holds; no program's own platform states any.
TOKENS, NO_BASE = (256, 1024, 4096, 16_384, 65_536, 262_144), 0
BUFFERED = ("song2020", "dfsynthesizer", "overlap-spikes")

#: Metrics that are shown relative to SpiNeMap and PACMAN; throughput is the period's inverse.
RELATIVE = {
    "period": "throughput",
    "energy_pj": "energy",
    "spike_latency_mean": "mean latency of spikes between tiles",
}
PER = 1e6  # throughput is shown as inferences in so many ticks
ORDINATE = "inferences per 10\u2076 ticks, geometric mean"


@dataclass(frozen=True)
class Figure:
    """One figure of the publications.

    Parameters
    ----------
    name, title : str
        As ``--figure`` and the page call it.
    claim : str
        What an abstract says, with its source.
    needs : tuple
        Methods and changes of the base platform whose rows it shows.
    show : callable
        Makes tables, pictures and a verdict of what was found.
    """

    name: str
    title: str
    claim: str
    needs: tuple[tuple[str, Changes], ...]
    show: Callable[[Results], Shown]


def _change(axis: str, value: int, base: int) -> Changes:
    return AT_BASE if value == base else ((axis, value),)


def _clusters(found: Results) -> Shown:
    """Return clusters, spikes, connections and utilisation of every method."""
    shown = {
        "clusters": "clusters (crossbar programs)",
        "external_spikes": "spikes between clusters",
        "connections": "connections (pairs of clusters that talk)",
        "synapse_use_mean": "cells in use, % (mean over clusters)",
        "column_use_mean": "columns in use, %",
    }
    tables = []
    for metric, title in shown.items():
        factor = 100.0 if metric.endswith("_mean") else 1.0
        lines = []
        for method in METHODS:
            values = [found.value(p, method, metric) for p in found.programs]
            if any(v is not None for v in values):
                cells = [number(None if v is None else v * factor, ".3g") for v in values]
                lines.append([method, *cells])
        if metric == "clusters":
            proved = (number(found.bound(p, metric)) for p in found.programs)
            lines.append(["proved: at least", *proved])
        tables.append(Table(title, ["method", *found.programs], lines))
    reference = "song2020-published"
    series = {
        m: [_ratio(found, p, m, reference, "clusters") for p in found.programs]
        for m in METHODS
        if m not in (reference, "random")
    }
    values = [found.value(p, reference, "clusters") for p in found.programs]
    bounds = [found.bound(p, "clusters") for p in found.programs]
    pairs = zip(values, bounds, strict=True)
    series["proved limit"] = [b / v if b and v else None for v, b in pairs]
    picture = Picture(
        f"Clusters relative to the published code ({reference})",
        "",
        "clusters / clusters of the published code",
        found.programs,
        series,
        joined=False,
        places=PLACES,
    )
    ours = found.ratios("overlap-spikes", reference, "clusters")
    use = found.ratios("song2020", "pacman", "synapse_use_mean")
    mean, used = geometric(ours), geometric(use)
    verdict = (
        f"The published code's clustering needs {number(1 / mean if mean else None, '.3g')} times"
        f" the clusters of ours (geometric mean); its own flow uses {number(used, '.3g')} times the"
        " cells of PACMAN. The claimed 60 % and 9 times are against a mapping without decomposition"
        " (connections pruned), which this project refuses to make: not comparable."
    )
    return Shown(tables, {"": picture}, verdict)


def _ratio(found: Results, program: str, method: str, reference: str, metric: str) -> float | None:
    own, other = found.value(program, method, metric), found.value(program, reference, metric)
    return own / other if own and other else None


def _relative(found: Results, metric: str, reference: str) -> Table:
    """Return a table of ratios to a method; throughput is the period's inverse."""
    turned = metric == "period"
    lines = []
    for method in METHODS:
        ratios = [_ratio(found, p, method, reference, metric) for p in found.programs]
        if turned:
            ratios = [1 / r if r else None for r in ratios]
        if any(ratios):
            mean = geometric(r for r in ratios if r)
            lines.append([method, *(number(r, ".3g") for r in ratios), number(mean, ".3g")])
    if turned:
        limits = _limits(found, reference)
        mean = geometric(v for v in limits if v)
        lines.append(["proved: at most", *(number(v, ".3g") for v in limits), number(mean, ".3g")])
    header = ["method", *found.programs, "geometric mean"]
    return Table(f"{RELATIVE[metric]} relative to {reference}", header, lines)


def _limits(found: Results, reference: str) -> list[float | None]:
    """Return what throughput no mapping exceeds, relative to a method's."""
    limits: list[float | None] = []
    for program in found.programs:
        value, bound = found.value(program, reference, "period"), found.bound(program, "period")
        limits.append(value / bound if value and bound else None)
    return limits


def _saved(ratios: Sequence[float]) -> str:
    """Return by how many percent the geometric mean of ratios is below 1."""
    mean = geometric(ratios)
    return number(100 * (1 - mean) if mean else None, ".3g")


def _throughput(found: Results) -> Shown:
    """Return throughput, energy and latency of spikes relative to SpiNeMap and PACMAN."""
    tables = [
        _relative(found, metric, reference)
        for metric in RELATIVE
        for reference in ("spinemap", "pacman")
    ]
    series: dict[str, list[float | None]] = {}
    for method in METHODS:
        if method not in ("spinemap", "random"):
            ratios = [_ratio(found, p, method, "spinemap", "period") for p in found.programs]
            series[method] = [1 / r if r else None for r in ratios]
    series["proved limit"] = _limits(found, "spinemap")
    title, ordinate = "Throughput relative to SpiNeMap", "times SpiNeMap's"
    picture = Picture(title, "", ordinate, found.programs, series, joined=False, places=PLACES)
    flow = found.ratios("dfsynthesizer", "spinemap", "period")
    energy = found.ratios("spinemap", "pacman", "energy_pj")
    latency = found.ratios("spinemap", "pacman", "spike_latency_mean")
    best = geometric(found.ratios("whole", "dfsynthesizer", "period"))
    mean = geometric(flow)
    agrees = "agrees" if mean and mean < 1 else "does not agree"
    verdict = (
        f"DFSynthesizer against SpiNeMap: {agrees}. Its throughput is"
        f" {number(1 / mean if mean else None, '.3g')} times SpiNeMap's (better {better(flow)}"
        f" programs). SpiNeMap's energy against PACMAN: {_saved(energy)} % saved here (better"
        f" {better(energy)}), 45 % claimed against another technique; mean latency of its spikes"
        f" between tiles: {_saved(latency)} % less (better {better(latency)} that have such"
        " spikes), 21 % claimed likewise. The best mappings found have"
        f" {number(1 / best if best else None, '.3g')} times DFSynthesizer's throughput."
    )
    return Shown(tables, {"": picture}, verdict)


def _along(
    axis: str, values: Sequence[int], base: int, methods: Sequence[str], title: str, words: str
) -> Callable[[Results], Shown]:
    """Return how a figure over an axis of the platform is shown."""

    def show(found: Results) -> Shown:
        places = [_change(axis, v, base) for v in values]
        series: dict[str, list[float | None]] = {}
        lines = []
        for method in methods:
            whole = _with_all(found, method, places)
            means = [
                geometric(PER / v for p in whole if (v := found.value(p, method, "period", at)))
                for at in places
            ]
            series[method] = means
            lines.append([method, *(number(m) for m in means), str(len(whole))])
        proved = [p for p in found.programs if all(found.bound(p, "period", at) for at in places)]
        limits = [
            geometric(PER / b for p in proved if (b := found.bound(p, "period", at)))
            for at in places
        ]
        series["proved limit"] = limits
        lines.append(["proved limit", *(number(m) for m in limits), str(len(proved))])
        labels = [str(v) for v in values]
        own = [_by_program(found, m, labels, places) for m in ("song2020", "overlap-spikes")]
        tables = [Table(ORDINATE, ["method", *labels, "programs"], lines), *own]
        picture = Picture(title, words, ORDINATE, labels, series, places=PLACES)
        return Shown(tables, {"": picture}, _gain(series, values, words))

    return show


def _by_program(
    found: Results, method: str, labels: Sequence[str], places: Sequence[Changes]
) -> Table:
    """Return a method's throughput program by program."""
    lines = []
    for program in found.programs:
        values = [found.value(program, method, "period", at) for at in places]
        lines.append([program, *(number(PER / v if v else None) for v in values)])
    return Table(f"{method}: {ORDINATE.split(',')[0]}", ["program", *labels], lines)


def _with_all(found: Results, method: str, places: Sequence[Changes]) -> list[str]:
    """Return the programs that a method maps at every place where it maps any program."""
    tried = [
        at for at in places if any(found.value(p, method, "period", at) for p in found.programs)
    ]
    return [p for p in found.programs if all(found.value(p, method, "period", at) for at in tried)]


def _gain(series: dict[str, list[float | None]], values: Sequence[int], words: str) -> str:
    """Return what the longest step along the axis brings, method by method."""
    parts = []
    for name, means in series.items():
        known = [(v, m) for v, m in zip(values, means, strict=True) if m]
        if len(known) > 1:
            (low, first), (high, last) = known[0], known[-1]
            parts.append(f"{name} {last / first:.2f} times from {low} to {high}")
    return f"Throughput over {words}: " + "; ".join(parts) + "."


def _order(found: Results) -> Shown:
    """Return what the projected order loses against the best order of the same binding."""
    lines = []
    losses: dict[str, list[float]] = {}
    limits: dict[str, list[float]] = {}
    for flow in ("song2020", "dfsynthesizer"):
        for program in found.programs:
            own = found.value(program, flow, "period")
            row = found.row(program, f"{flow}/order")
            other = found.value(program, f"{flow}/order", "period")
            if not own or not other or row is None:
                continue
            claims = [c.bound for c in row.claims if c.metric == "period" and c.bound is not None]
            bound = float(max(claims)) if claims else None
            best = min(own, other)
            losses.setdefault(flow, []).append(1 - best / own)
            at_most = None if bound is None else max(100 * (1 - bound / own), 0.0)
            limits.setdefault(flow, []).append(100.0 if at_most is None else at_most)
            lines.append(
                [
                    f"{flow}, {program}",
                    number(own),
                    number(other),
                    f"{100 * (1 - best / own):.2f}",
                    "-" if at_most is None else f"{at_most:.2f}",
                ]
            )
    header = ["flow, program", "projected", "best order found", "loss, %", "at most, %"]
    lost = [
        f"{flow} {100 * sum(v) / len(v):.2f} % on average, {100 * max(v):.2f} % at worst (proved:"
        f" at most {sum(limits[flow]) / len(v):.1f} % on average)"
        for flow, v in losses.items()
    ]
    verdict = (
        "The projected order loses, of the throughput of the best order found for the same clusters"
        f" and tiles: {'; '.join(lost) or 'not run'}. So it is fast and nearly free, as said."
        if lost and max(max(v) for v in losses.values()) < 0.1
        else "The projected order loses, of the throughput of the best order found for the same"
        f" clusters and tiles: {'; '.join(lost) or 'not run'}."
    )
    return Shown([Table("Periods, ticks", header, lines)], {}, verdict)


ALL_AT_BASE = tuple((method, AT_BASE) for method in METHODS)


def _needs(
    axis: str, values: Sequence[int], base: int, methods: Sequence[str]
) -> tuple[tuple[str, Changes], ...]:
    return tuple((m, _change(axis, v, base)) for v in values for m in methods)


#: In the order of the page.
FIGURES = (
    Figure(
        "clusters",
        "Clusters, spikes, connections, utilisation",
        "Balaji et al. 2020 (arXiv 2009.09298): decomposition gives on average 60 % fewer crossbars"
        " and 9 times the synapse utilisation, against pruning what does not fit.",
        ALL_AT_BASE,
        _clusters,
    ),
    Figure(
        "throughput",
        "Throughput, energy and latency relative to SpiNeMap and PACMAN",
        "Song et al. 2020 (arXiv 2004.03717): a significant improvement of performance over current"
        " practice, without a number; DFSynthesizer (arXiv 2108.02023): a much tighter guarantee on"
        " ten programs, without a number; SpiNeMap (arXiv 1909.01843): 45 % less energy and 21 %"
        " less spike latency than the best technique before it.",
        ALL_AT_BASE,
        _throughput,
    ),
    Figure(
        "tiles",
        "Throughput over the number of tiles",
        "None of the abstracts says a number.",
        _needs("tiles", TILES, 4, FAST),
        _along("tiles", TILES, 4, FAST, "Throughput over tiles (128 x 128 crossbars)", "tiles"),
    ),
    Figure(
        "crossbars",
        "Throughput over the size of crossbars",
        "None of the abstracts says a number.",
        _needs("size", SIZES, 128, FAST),
        _along(
            "size", SIZES, 128, FAST, "Throughput over crossbar size (4 tiles)", "rows and columns"
        ),
    ),
    Figure(
        "buffers",
        "Throughput over buffers",
        "Song et al. 2021 (arXiv 2108.12444): 63 % higher maximum throughput and 10 % smaller"
        " buffers than dataflow-based solutions before, on five large CNNs.",
        _needs("buffers", WINDOWS, 2, BUFFERED),
        _along(
            "buffers",
            WINDOWS,
            2,
            BUFFERED,
            "Throughput over buffers (4 tiles)",
            "windows of tokens that a channel holds",
        ),
    ),
    Figure(
        "capacities",
        "Buffer sizes in tokens",
        "Song et al. 2021 (arXiv 2108.12444), as above: 63 % and 10 %.",
        _needs("buffers_tokens", TOKENS, NO_BASE, BUFFERED),
        lambda found: over_capacities(
            found, BUFFERED, [(n, _change("buffers_tokens", n, NO_BASE)) for n in TOKENS], PLACES
        ),
    ),
    Figure(
        "order",
        "What the projected order loses",
        "Song et al. 2020: self-timed execution is a fast technique to compile at run time.",
        tuple(
            (method, AT_BASE)
            for flow in ("song2020", "dfsynthesizer")
            for method in (flow, f"{flow}/order")
        ),
        _order,
    ),
)
