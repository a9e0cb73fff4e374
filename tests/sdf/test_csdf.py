"""Cyclo-static graphs: the expansion against a plain simulation of the phases themselves."""

from fractions import Fraction

import numpy as np
import pytest

from optmap.errors import InputError
from optmap.sdf.__main__ import main
from optmap.sdf.algorithms import ALGORITHMS, by_algorithm
from optmap.sdf.csdf import to_sdf
from optmap.sdf.phases import CSDFG, Channel, Phases
from optmap.sdf.throughput import DEADLOCK, INCONSISTENT, LIVE, UNBOUNDED, throughput
from optmap.sdf.xml import parse_sdf3

#: File -> period of an iteration, as Kiter's K-periodic analysis prints it.
KITER = {
    "mp3_csdf": 120_000, "init_sample": 23, "speriodic_presentation_sample": 26,
    "NoCMotivation_merge_example": 2, "NoCMotivation_merge_example2": 2,
    "NoCMotivation_initUserCase": 4, "NoCMotivation_sdf_mapping": 0,
    "IB5CSDF_BlackScholes": 42_053_349, "IB5CSDF_PDectect": 2_033_760,
}  # fmt: skip


def simulated_period(graph: CSDFG, firings: int) -> Fraction | None:
    """Return the period of an iteration by running the phases; None for a deadlock.

    ``firings``: of actor 0 in an iteration. No actor overlaps itself.
    """
    lengths = graph.lengths()
    tokens = [c.tokens for c in graph.channels]
    phase, left = [0] * len(graph.actors), [0] * len(graph.actors)
    seen: dict[tuple[int, ...], tuple[int, int]] = {}
    now = 0
    while True:
        moved = True
        while moved:
            moved = False
            for a, name in enumerate(left):
                into = [(i, c) for i, c in enumerate(graph.channels) if c.target == a]
                if name or any(tokens[i] < c.consumption.at(phase[a]) for i, c in into):
                    continue
                for i, c in into:
                    tokens[i] -= c.consumption.at(phase[a])
                left[a] = graph.times[a].at(phase[a])
                moved = True
        where = [p if p < once else once + (p - once) % cycle
                 for p, (once, cycle) in zip(phase, lengths, strict=True)]  # fmt: skip
        state = (*tokens, *where, *left)
        if state in seen:
            then, before = seen[state]
            if phase[0] == before:
                return None
            return Fraction((now - then) * firings, phase[0] - before)
        seen[state] = now, phase[0]
        if not any(left):
            return None
        step = min(t for t in left if t)
        now += step
        for a, t in enumerate(left):
            if t:
                left[a] = t - step
                if not left[a]:
                    for i, c in enumerate(graph.channels):
                        if c.source == a:
                            tokens[i] += c.production.at(phase[a])
                    phase[a] += 1


def random_graph(seed: int) -> tuple[CSDFG, int]:
    """Return a strongly connected graph of two or three actors, and the firings of actor 0."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 4))
    cycle = [int(rng.integers(1, 4)) for _ in range(n)]
    once = [int(rng.integers(0, 3)) if rng.random() < 0.5 else 0 for _ in range(n)]
    turns = [int(rng.integers(1, 4)) for _ in range(n)]  # cycles an iteration

    def phases(a: int, total: int) -> Phases:
        cuts = np.sort(rng.integers(0, total + 1, cycle[a] - 1))
        parts = np.diff([0, *cuts.tolist(), total])
        return Phases(tuple(rng.integers(0, 3, once[a]).tolist()), tuple(parts.tolist()))

    channels = [Channel(f"own{a}", a, a, Phases((), (1,)), Phases((), (1,)), 1) for a in range(n)]
    for a in range(n):
        b = (a + 1) % n
        common = int(np.lcm(turns[a], turns[b])) * int(rng.integers(1, 3))
        made, taken = phases(a, common // turns[a]), phases(b, common // turns[b])
        channels.append(Channel(f"c{a}", a, b, made, taken, int(rng.integers(0, 9))))
    times = tuple(Phases((), tuple(rng.integers(1, 6, c).tolist())) for c in cycle)
    graph = CSDFG("random", tuple("ABC"[:n]), times, tuple(channels))
    common = int(np.gcd.reduce(turns))
    return graph, turns[0] // common * graph.lengths()[0][1]


@pytest.mark.parametrize("block", range(6))
def test_expansion_and_simulation_agree(block):
    alive = 0
    for seed in range(40 * block, 40 * block + 40):
        graph, firings = random_graph(seed)
        expected = simulated_period(graph, firings)
        found = throughput(to_sdf(graph))
        if expected is None:
            assert found.status == DEADLOCK, seed
            continue
        alive += 1
        assert found.period == expected, seed
    assert alive >= 10


@pytest.mark.parametrize("seed", range(8))
def test_all_algorithms_agree(seed):
    graph, firings = random_graph(1_000 + seed)
    if simulated_period(graph, firings) is None:
        return
    sdf = to_sdf(graph)
    assert len({by_algorithm(sdf, algorithm).period for algorithm in ALGORITHMS}) == 1


@pytest.mark.parametrize("name", KITER)
def test_public_graphs(shared_data, name):
    data = (shared_data / "csdf" / f"{name}.xml").read_bytes()
    graph, _ = parse_sdf3(data, name)
    for algorithm in ("periodic", "unfold"):
        assert (by_algorithm(graph, algorithm).period or 0) == KITER[name], algorithm


def file_of(rate_a: str, rate_b: str, time: str, tokens: int = 6) -> bytes:
    def port(name: str, kind: str, rate: str) -> str:
        return f'<port name="{name}" type="{kind}" rate="{rate}"/>'

    ports = [port("o", "out", rate) + port("i", "in", rate) for rate in (rate_a, rate_b)]
    return f"""<sdf3 type="csdf"><applicationGraph name="g"><csdf name="g" type="g">
    <actor name="A" type="A">{ports[0]}</actor><actor name="B" type="B">{ports[1]}</actor>
    <channel name="c0" srcActor="A" srcPort="o" dstActor="B" dstPort="i"/>
    <channel name="c1" srcActor="B" srcPort="o" dstActor="A" dstPort="i" initialTokens="{tokens}"/>
    </csdf><csdfProperties>
    <actorProperties actor="A"><processor default="true"><executionTime time="{time}"/></processor>
    </actorProperties>
    <actorProperties actor="B"><processor default="true"><executionTime time="4"/></processor>
    </actorProperties></csdfProperties></applicationGraph></sdf3>""".encode()


def test_lists_and_repetitions_are_read_alike():
    graphs = [parse_sdf3(file_of(rate, "3", time), "f")[0] for rate, time in
              (("1,1,2", "1,2,3"), ("2*1,2", "1,2,3"), ("1, 1 ,1*2", "1,2,3"))]  # fmt: skip
    assert len({throughput(graph).period for graph in graphs}) == 1
    assert graphs[0].actor_names[:3] == ("A.1", "A.2", "A.3")
    single, notes = parse_sdf3(file_of("2", "3", "3"), "f")
    assert single.actor_names == ("A", "B")
    assert notes == []


@pytest.mark.parametrize(
    ("rates", "found"),
    [
        (("1,x", "1"), "'x'"),
        (("", "1"), "no rate"),
        (("1;", "1"), "'1;'"),
        (("999999999*1", "1"), "phases"),
        (("1,0,-1", "1"), "-1"),
        (("0,0", "1"), "without a token"),
    ],
)
def test_wrong_lists_are_one_line(rates, found):
    with pytest.raises(InputError, match=found):
        parse_sdf3(file_of(*rates, "1"), "f")


def test_actors_of_one_phase_overlap_unless_told_otherwise():
    """A makes 4 firings of 3 ticks an iteration: at once, or one after the other."""
    data = file_of("1", "1,3", "3", 12)
    free, _ = parse_sdf3(data, "f")
    alone, _ = parse_sdf3(data, "f", overlap=False)
    assert throughput(free).period == 8, "B's two phases of 4 ticks"
    assert throughput(alone).period == 12


def phases(*cycle, once=()):
    return Phases(tuple(once), cycle)


def graph_of(times, *channels):
    """Return actors A, B, ... with these phases; channels as (source, target, made, taken, k)."""
    names = "ABC"[: len(times)]
    made = [
        Channel(f"c{i}", names.index(a), names.index(b), p, q, k)
        for i, (a, b, p, q, k) in enumerate(channels)
    ]
    return CSDFG("g", tuple(names), tuple(times), tuple(made))


ONE, LOOP = phases(1), ("B", "B", phases(1), phases(1), 1)
#: Graphs worked out by hand: status and period.
BY_HAND = [
    # serial A of 2 ticks; 3 tokens round a loop of 5
    (graph_of([phases(2), phases(3)],
              ("A", "B", phases(1, once=(3,)), ONE, 0), ("B", "A", ONE, ONE, 1)), LIVE, 2),
    # two tokens, but one phase after the other: 3 + 3 of B
    (graph_of([phases(2, 2), phases(3, 3)],
              ("A", "B", phases(1, 1), phases(1, 1), 0), ("B", "A", phases(1, 1), phases(1, 1), 2)),
     LIVE, 6),
    # phases without tokens: 1 and 5 of A, then both firings of B at once
    (graph_of([phases(1, 5), phases(2)],
              ("A", "B", phases(0, 2), ONE, 0), ("B", "A", ONE, phases(2, 0), 2)), LIVE, 8),
    (graph_of([phases(1, 5), phases(2)],
              ("A", "B", phases(0, 2), ONE, 0), ("B", "A", ONE, phases(2, 0), 2), LOOP), LIVE, 10),
    (graph_of([phases(4, 5)]), LIVE, 9),
    (graph_of([phases(0, 0)]), UNBOUNDED, 0),
    # B fires 1000 times before A's first phase: no deadlock
    (graph_of([phases(2), phases(3)], ("B", "A", ONE, phases(1, once=(1000,)), 0), LOOP), LIVE, 3),
    (graph_of([phases(2), phases(3)],
              ("B", "A", ONE, phases(1, once=(1000,)), 0), ("A", "B", ONE, ONE, 9)),
     DEADLOCK, None),
    (graph_of([phases(2, 1), phases(3)],
              ("A", "B", phases(1, 2), ONE, 0), ("B", "A", ONE, phases(1, 1), 5)),
     INCONSISTENT, None),
    # sums of rates beyond 64 bits
    (graph_of([phases(1, 1, 1, 1), ONE],
              ("A", "B", phases(*[2**61] * 4), phases(2**61), 0),
              ("B", "A", phases(2**61), phases(*[2**61] * 4), 2**61)), LIVE, 8),
]  # fmt: skip


@pytest.mark.parametrize(("graph", "status", "period"), BY_HAND)
def test_what_was_worked_out_by_hand(graph, status, period):
    for algorithm in ALGORITHMS:
        found = by_algorithm(to_sdf(graph), algorithm)
        assert (found.status, found.period) == (status, period), algorithm


@pytest.mark.parametrize(
    ("graph", "found"),
    [
        (graph_of([phases(*[1] * 997), ONE], ("A", "B", phases(*[1] * 991), ONE, 0)), "phases"),
        (graph_of([ONE, ONE], ("B", "A", ONE, phases(1, once=(10**9,)), 0)), "firings before"),
        (graph_of([phases(1, 1), ONE], ("A", "B", phases(10**6, 0), phases(10**6 + 3), 0)),
         "firings in an iteration"),
    ],
)  # fmt: skip
def test_what_is_too_large_is_one_line(graph, found):
    with pytest.raises(ValueError, match=found):
        to_sdf(graph)


def test_deadlock_and_contradiction_are_answers_of_the_command(tmp_path, capsys):
    for rates, status in ((("7;1,1", "1"), DEADLOCK), (("1,2", "2"), INCONSISTENT)):
        file = tmp_path / "g.xml"
        text = file_of(*rates, "1")
        file.write_bytes(text.replace(b'type="in" rate="1,2"', b'type="in" rate="1,1"'))
        assert main([str(file)]) == 0
        assert f"status        {status}" in capsys.readouterr().out
