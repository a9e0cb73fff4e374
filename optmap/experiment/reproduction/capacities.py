"""Tokens that every channel holds: from how many on a program is mapped, and what more bring.

One iteration's tokens must fit into a channel; a mapping of fewer clusters, or of less traffic,
asks for others. So the figure counts programs, and shows the period at the least capacity that
works beside the one at the largest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optmap.experiment.reproduction.results import Changes, Results, Shown, Table, number
from optmap.experiment.reproduction.svg import Picture

Place = tuple[int, Changes]


def over_capacities(
    found: Results, methods: Sequence[str], places: Sequence[Place], colours: Mapping[str, int]
) -> Shown:
    """Show how many programs each method maps at each capacity, and from which on.

    Parameters
    ----------
    places : sequence of (tokens, changes)
        The capacities, rising.
    colours : mapping
        Of a method in every picture.
    """
    programs, labels = found.programs, [f"{tokens:,}" for tokens, _ in places]
    counts = {
        method: [sum(found.row(p, method, at) is not None for p in programs) for _, at in places]
        for method in methods
    }
    lines = [[method, *map(str, of)] for method, of in counts.items()]
    tables = [Table(f"programs mapped, of {len(programs)}", ["method", *labels], lines)]
    most_gained = 0.0
    for method in methods:
        own, gained = _least(found, method, places)
        tables.append(own)
        most_gained = max(most_gained, gained)
    picture = Picture(
        "Programs mapped over tokens that every channel holds (4 tiles)",
        "tokens that every channel holds",
        f"programs mapped, of {len(programs)}",
        labels,
        {method: [float(n) or None for n in of] for method, of in counts.items()},
        places=colours,
    )
    said = "; ".join(f"{method} {', '.join(map(str, of))}" for method, of in counts.items())
    verdict = (
        f"Programs mapped, of {len(programs)}, with {', '.join(labels)} tokens a channel: {said}."
        " Where a program is mapped, more tokens shorten its period by at most"
        f" {100 * most_gained:.3g} %."
    )
    return Shown(tables, {"": picture}, verdict)


def _least(found: Results, method: str, places: Sequence[Place]) -> tuple[Table, float]:
    """Return from which capacity on a method maps each program, and the most that more bring."""
    lines, gained = [], 0.0
    for program in found.programs:
        known = [
            (tokens, period)
            for tokens, at in places
            if (period := found.value(program, method, "period", at)) is not None
        ]
        if not known:
            lines.append([program, "-", "-", "-"])
            continue
        (least, first), (_, last) = known[0], known[-1]
        gained = max(gained, 1 - last / first)
        lines.append([program, f"{least:,}", number(first), number(last)])
    most = f"period with {places[-1][0]:,}"
    header = ["program", "least tokens tried that map it", "period there, ticks", most]
    return Table(f"{method}: tokens that it needs", header, lines), gained
