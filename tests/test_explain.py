"""What limits a mapping and what would help: sentences from the cycle, numbers from the judge."""

import json
from dataclasses import replace
from fractions import Fraction
from itertools import permutations, product

import numpy as np
import pytest
from commands import run_command

from optmap.decomposing.contract import decompose
from optmap.errors import InputError
from optmap.experiment.run.mapping_file import document
from optmap.experiment.run.source import Source
from optmap.experiment.sizing import sizing, sizings
from optmap.experiment.verdict import energy_given, one_tick_lines, speed_lines
from optmap.experiment.what_if import (
    AS_IT_IS,
    Figures,
    WhatIf,
    figures,
    mapped_again,
    new_mapping_changes,
    re_evaluated,
    with_bound_of,
)
from optmap.explain import main as command
from optmap.flow import run
from optmap.instance import Instance
from optmap.judge.case import Case, judge
from optmap.judge.evaluation import CycleStep, evaluate
from optmap.judge.explanation import Floor, Floors, explain, floors
from optmap.judge.needs import population_needs, shortage
from optmap.map import main as map_command
from optmap.methods import METHODS
from optmap.model.mapping import Binding, Clustering, Mapping, StaticOrders
from optmap.model.outcome import Limits
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import from_edges
from optmap.readers.read import read_network


def platform(slots=None, **more):
    tiles = (Tile(Crossbar(6, 4), slots=slots),) * 2
    return Platform("p", tiles, Interconnect("mesh", 2, 1), event_ticks=2, **more)


def mapped(network="gen:mlp-9-8-4", **more):
    instance = Instance("i", network, platform(**more))
    method = METHODS["song2020-tree"]
    result = run(method, instance.snn, instance.platform, "dataflow", Limits(), lambda _: None)
    return instance, result.mapping


def step(source, target, reason, delay=5, tokens=1):
    return CycleStep(source, target, delay, tokens, reason)


def least(actor=9, tile=9, interface=9, free=9, cycle=()):
    return Floors(
        Floor("cluster 3", Fraction(actor)),
        Floor("tile 2", Fraction(tile)),
        Floor("tile 1", Fraction(interface)),
        Fraction(free),
        tuple(cycle),
    )


BACK = [step("cluster 0", "cluster 1", "data"), step("cluster 1", "cluster 0", "buffer")]
ROUND = [step("cluster 0", "cluster 1", "data")] * 2


@pytest.mark.parametrize(
    ("on", "resource", "word"),
    [
        (least(actor=10), "actor", "Cluster 3 alone"),
        (least(tile=10, free=10, cycle=ROUND), "tile", "The crossbar of tile 2"),
        (least(interface=10), "network interface", "The network interface of tile 1"),
        (least(free=10, cycle=BACK), "buffer", "cluster 0 waits for cluster 1"),
        (least(free=10, cycle=ROUND), "recurrence", "recurrent"),
        (least(), "order", "at best down to 9 ticks"),
    ],
)
def test_the_binding_resource_is_the_floor_that_the_period_stands_on(on, resource, word):
    instance, mapping = mapped()
    evaluation = evaluate(instance.platform, mapping, "dataflow")
    cycle = (step("cluster 0", "cluster 1", "data", 10), step("cluster 1", "cluster 0", "order", 0))
    found = explain(replace(evaluation, period=Fraction(10), critical_cycle=cycle), on)
    assert found.resource == resource
    assert any(word in sentence for sentence in found.sentences)
    offered = any("another order" in sentence for sentence in found.sentences)
    assert offered == (resource == "order")


def test_floors_hold_for_every_order_and_are_often_reached():
    """All orders of both tiles by enumeration: none goes below the floors."""
    reached = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        n = 5
        pairs = [(a, b) for a in range(n) for b in range(n) if a != b and rng.random() < 0.35]
        if not pairs:
            continue
        snn = from_edges(*zip(*pairs, strict=True), n, spikes=rng.integers(1, 6, n))
        chip = platform()
        units = decompose(snn, 6, "tree")
        clustering = Clustering(np.arange(units.num_units))
        binding = Binding(rng.integers(0, 2, units.num_units))
        members = [np.flatnonzero(binding.tile_of == t).tolist() for t in range(2)]
        periods = []
        for orders in product(*map(permutations, members)):
            mapping = Mapping(units, clustering, binding, StaticOrders(orders))
            verdict = judge(snn, chip, mapping, "dataflow").evaluation
            if verdict is not None:
                found = floors(Case(snn, chip, "dataflow", mapping))
                assert verdict.period >= found.least
                said = explain(verdict, found)
                assert (said.resource == "order") == (verdict.period > found.least)
                periods.append(verdict.period)
        reached += bool(periods) and min(periods) == found.least
    assert reached >= 6


def test_re_evaluated_periods_are_the_judges():
    instance, mapping = mapped(hop_ticks=7)
    base = figures(instance, instance.platform, evaluate(instance.platform, mapping, "dataflow"))
    found = {w.change: w for w in re_evaluated(instance, mapping)}
    free = replace(instance.platform, hop_ticks=0)
    assert found["no hop latency"].after.period == evaluate(free, mapping, "dataflow").period
    assert all(w.speedup(base) >= 1 for w in found.values())
    assert base.gap == (base.period - base.bound) / base.period >= 0


def test_mapped_again_says_what_fits_now():
    instance = Instance("i", "gen:mlp-9-8-4", platform(slots=3))
    found = mapped_again(instance, METHODS["song2020-tree"], Limits(wall_s=1))
    by_change = {w.change: w for w in found}
    changes = [change for change, _ in new_mapping_changes(instance.platform)]
    assert list(by_change) == [AS_IT_IS, *changes]
    assert by_change[AS_IT_IS].after is None
    assert by_change["crossbars of twice the rows and columns"].after is not None
    assert by_change["crossbars of twice the rows and columns"].speedup(None) is None


def test_both_tables_compare_with_the_mapping_itself(tmp_path):
    out = tmp_path / "m.json"
    assert run_command(map_command, "mlp_tiny", "--out", out).returncode == 0
    done = run_command(command, out)
    assert "verdict: fits: 1 program on 1 crossbar, 1 each at most" in done.stdout
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("(this mapping)")]
    assert len(rows) == 2
    assert rows[0] == rows[1]
    assert rows[0][3] == "1.00x"


def test_a_chip_that_gives_no_seconds_and_no_energies_gets_none():
    chip = platform()
    assert list(speed_lines(Fraction(100), None, chip)) == []
    assert not energy_given(chip)
    reads = replace(chip.energy, read_ticks=Fraction(2))
    assert not energy_given(replace(chip, energy=reads))
    assert energy_given(replace(chip, energy=replace(reads, adc_read_pj=Fraction(1))))
    timed = replace(chip, tick_ns=Fraction(10), sources={"time.tick_ns": "measured"})
    (line,) = speed_lines(Fraction(100), Fraction(250), timed)
    assert line.startswith("speed: 1,000,000 inferences per second, one every 1 us, latency 2.5 us")


def test_a_chip_without_times_is_named():
    bare = replace(platform(), event_ticks=0)
    (line,) = one_tick_lines(bare, times_given=False)
    assert line.startswith("time: programs take 1 tick whatever they read")
    assert list(one_tick_lines(bare, times_given=True)) == []
    assert list(one_tick_lines(platform(), times_given=False)) == []
    assert list(one_tick_lines(replace(bare, base_ticks=2), times_given=False)) == []


def test_a_new_mapping_is_measured_by_the_higher_bound():
    """The best-known list proves 12, the bound without a solver 10: gaps are to 12."""
    base = Figures(Fraction(20), None, 1, 1, Fraction(0), Fraction(12))
    again = replace(base, period=Fraction(16), bound=Fraction(10))
    assert with_bound_of(WhatIf("x", again), base).after.gap == Fraction(1, 4)
    assert with_bound_of(WhatIf("x", replace(again, period=Fraction(11))), base).after == replace(
        again, period=Fraction(11)
    )
    assert with_bound_of(WhatIf("x", again), None).after == again
    assert with_bound_of(WhatIf("x", None), base).after is None


def test_sizes_say_how_many_programs_and_whether_they_fit():
    snn = read_network("gen:mlp-9-8-4")
    for rows, columns in ((6, 4), (16, 16)):
        found = sizing(snn, platform(slots=1), rows, columns)
        assert found.least <= found.found
        assert found.fits == (found.found <= 2)
    assert [(s.rows, s.columns) for s in sizings(snn, platform())] == [(6, 4), (16, 16)]


def test_sizes_keep_what_tiles_limit_besides_rows_and_columns():
    """36 synapses in the tree's units, 8 a program: no fewer programs than are proved."""
    snn = read_network("gen:mlp-9-8-4")
    chip = platform(slots=40)
    chip = replace(chip, tiles=tuple(replace(t, synapses=8) for t in chip.tiles))
    free = sizing(snn, platform(slots=40), 6, 4)
    found = sizing(snn, chip, 6, 4)
    assert free.found < found.least <= found.found
    short = replace(chip, resident=True)
    assert not sizing(snn, short, 6, 4).fits
    (sentence,) = shortage(snn, short)
    assert "all tiles together have 16, and programs stay resident" in sentence


def test_needs_of_a_network_take_what_its_files_do_not_say(tmp_path, capsys):
    (tmp_path / "n.csv").write_text("here,there\na,c\nb,c\na,d\n")
    (tmp_path / "s.csv").write_text("neuron,spikes\na,3\nb,5\nc,1\nd,2\n")
    net, spikes = str(tmp_path / "n.csv"), str(tmp_path / "s.csv")
    chip = ["--platform", "dynap_se:rows=4"]
    told = ["--columns", "here,there", "--spikes", spikes]
    assert command(["--needs", net, *chip, *told]) == 0
    said = capsys.readouterr().out
    assert "4 neurons, 3 synapses, spikes s.csv" in said
    assert "4 rows x 128 neurons" in said
    with pytest.raises(InputError, match="at most --platform"):
        command(["--needs", "filter_8", "--spikes", spikes])


def test_needs_add_up_and_a_shortage_is_proved():
    snn = read_network("gen:mlp-9-8-4")
    needs = population_needs(snn, platform())
    assert [(p.neurons, p.max_fan_in) for p in needs] == [(9, 0), (8, 9), (4, 8)]
    assert [p.units for p in needs] == [0, 8 * 3, 4 * 3]
    assert shortage(snn, platform()) == []
    (sentence,) = shortage(snn, platform(slots=1))
    assert "the platform stores 2" in sentence


def test_the_command_explains_a_file_and_refuses_a_changed_one(tmp_path):
    (tmp_path / "p.toml").write_text(
        'schema = 1\nname = "p"\n[interconnect]\nkind = "mesh"\nwidth = 2\nheight = 1\n'
        "[[tiles]]\nrows = 6\ncolumns = 4\n"
    )
    source = {"network": "gen:mlp-9-8-4", "platform": str(tmp_path / "p.toml")}
    out = tmp_path / "m.json"
    options = ["--platform", source["platform"], "--out", out]
    assert run_command(map_command, source["network"], *options).returncode == 0
    done = run_command(command, out)
    assert done.returncode == 0, done.stderr
    assert "The period is" in done.stdout
    assert "Mapped again by song2020-tree" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    data = json.loads(out.read_text())
    data["digest"] = "0" * 64
    out.write_text(json.dumps(data))
    changed = run_command(command, out)
    assert changed.returncode == 2
    assert "digest" in changed.stderr
    assert changed.stderr.count("\n") == 1


def test_a_mapping_document_holds_what_is_needed_to_judge_it():
    instance, mapping = mapped()
    data = document(mapping, "i", Source(network=instance.network), "d", "song2020-tree")
    assert json.loads(json.dumps(data)) == data
    verdict = judge(instance.snn, instance.platform, mapping, "dataflow")
    assert verdict.evaluation.period >= Fraction(1)
