"""What limits a mapping and what would help: sentences from the cycle, numbers from the judge."""

import json
import subprocess
import sys
from fractions import Fraction

import pytest

from optmap.experiment.run.mapping_file import document
from optmap.experiment.run.source import Source
from optmap.experiment.what_if import mapped_again, new_mapping_changes, re_evaluated
from optmap.flow import run
from optmap.instance import Instance
from optmap.judge.evaluation import CycleStep, evaluate, judge
from optmap.judge.explanation import explain
from optmap.judge.needs import population_needs, shortage
from optmap.methods import METHODS
from optmap.model.outcome import Limits
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
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


@pytest.mark.parametrize(
    ("cycle", "resource", "word"),
    [
        ([step("cluster 3", "cluster 3", "self")], "actor", "cluster 3 alone"),
        ([step("send 0 -> 1", "send 0 -> 1", "self")], "network interface", "interface"),
        ([step("cluster 0", "cluster 1", "order")] * 2, "tile", "saturated"),
        ([step("send 0 -> 1", "send 0 -> 2", "send_order")], "network interface", "saturated"),
        (
            [step("cluster 0", "cluster 1", "data"), step("cluster 1", "cluster 0", "buffer")],
            "buffer",
            "cluster 0 waits for cluster 1",
        ),
        ([step("cluster 0", "cluster 1", "data")] * 2, "recurrence", "recurrent"),
        (
            [step("cluster 0", "cluster 1", "data"), step("cluster 1", "cluster 0", "order")],
            "order",
            "another order",
        ),
    ],
)
def test_the_binding_resource_follows_from_the_cycle(cycle, resource, word):
    from dataclasses import replace

    instance, mapping = mapped()
    evaluation = evaluate(instance.platform, mapping, "dataflow")
    found = explain(replace(evaluation, critical_cycle=tuple(cycle)))
    assert found.resource == resource
    assert any(word in sentence for sentence in found.sentences)


def test_re_evaluated_periods_are_the_judges():
    instance, mapping = mapped(hop_ticks=7)
    found = {w.change: w for w in re_evaluated(instance, mapping)}
    from dataclasses import replace

    free = replace(instance.platform, hop_ticks=0)
    assert found["no hop latency"].period_after == evaluate(free, mapping, "dataflow").period
    assert all(w.period_after <= w.period_before for w in found.values())


def test_mapped_again_says_what_fits_now():
    instance = Instance("i", "gen:mlp-9-8-4", platform(slots=3))
    found = mapped_again(instance, METHODS["song2020-tree"], Limits(wall_s=1))
    by_change = {w.change: w for w in found}
    assert set(by_change) == {change for change, _ in new_mapping_changes(instance.platform)}
    assert all(w.clusters_before is None for w in found)
    assert by_change["crossbars of twice the rows and columns"].fits_now
    assert by_change["crossbars of twice the rows and columns"].speedup is None


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
    command = [sys.executable, "-m", "optmap.map", source["network"]]
    command += ["--platform", source["platform"], "--out", str(tmp_path / "m.json")]
    assert subprocess.run(command, capture_output=True).returncode == 0
    explain_it = [sys.executable, "-m", "optmap.explain", str(tmp_path / "m.json")]
    done = subprocess.run(explain_it, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "The period is" in done.stdout
    assert "Mapped again by song2020-tree" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    data = json.loads((tmp_path / "m.json").read_text())
    data["digest"] = "0" * 64
    (tmp_path / "m.json").write_text(json.dumps(data))
    changed = subprocess.run(explain_it, capture_output=True, text=True)
    assert changed.returncode == 2
    assert "digest" in changed.stderr
    assert changed.stderr.count("\n") == 1


def test_a_mapping_document_holds_what_is_needed_to_judge_it():
    instance, mapping = mapped()
    data = document(mapping, "i", Source(network=instance.network), "d", "song2020-tree")
    assert json.loads(json.dumps(data)) == data
    verdict = judge(instance.snn, instance.platform, mapping, "dataflow")
    assert verdict.evaluation.period >= Fraction(1)
