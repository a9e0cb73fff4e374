"""Windows side by side: equal networks without a synapse between them, judged as any network."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from random_cases import case

from optmap.bounds.end_to_end import end_to_end_bounds
from optmap.errors import InputError
from optmap.experiment.run.source import Source
from optmap.flow import run
from optmap.judge.evaluation import evaluate
from optmap.map import main
from optmap.methods import METHODS
from optmap.model.copies import is_recurrent, side_by_side
from optmap.model.outcome import Limits
from optmap.model.snn import from_edges


@pytest.mark.parametrize("seed", range(30))
def test_every_window_is_the_network_again(seed):
    snn, _ = case(seed)
    if is_recurrent(snn):
        with pytest.raises(InputError, match="recurrent"):
            side_by_side(snn, 2)
        return
    three, size = side_by_side(snn, 3), snn.num_neurons
    assert (three.num_neurons, three.num_synapses) == (3 * size, 3 * snn.num_synapses)
    for w in range(3):
        for neuron in range(size):
            own = three.sources_of(w * size + neuron)
            np.testing.assert_array_equal(own, snn.sources_of(neuron) + w * size)
    np.testing.assert_array_equal(three.spikes, np.tile(snn.spikes, 3))
    assert side_by_side(snn, 1) is snn


def test_recurrence_is_found_directly_and_round_a_circle():
    assert is_recurrent(from_edges([0, 1], [1, 1], 2))
    assert is_recurrent(from_edges([0, 1, 2], [1, 2, 1], 3))
    assert not is_recurrent(from_edges([0, 0, 1], [1, 2, 2], 3))


def period_and_bound(tiles: int, windows: int) -> tuple[Fraction, Fraction]:
    """Return both a window, of a network whose one neuron reads more than all others."""
    chip = f"dynap_se:size=16,tiles={tiles}"
    source = Source(network="gen:mlp-12-1", platform=chip, windows=windows)
    instance = source.load()
    snn, platform = instance.snn, instance.platform
    made = run(METHODS["overlap"], snn, platform, instance.tokens, Limits(30.0), lambda _: None)
    assert made.mapping is not None
    value = evaluate(platform, made.mapping, instance.tokens).row()["period"]
    bounds = [b.value for b in end_to_end_bounds(snn, platform) if b.metric == "period"]
    return Fraction(str(value)) / windows, Fraction(max(bounds)) / windows


def test_copies_beat_what_bounds_one_copy_and_never_the_work():
    """One neuron: 16 + 12 ticks a window; no more tiles help, two windows on one tile do not."""
    one, bound = period_and_bound(4, 1)
    assert one == bound == 28
    assert period_and_bound(4, 2) == (14, 14)
    assert period_and_bound(1, 2)[0] == 28


def test_a_source_says_its_windows_and_so_does_the_digest():
    source = Source(network="gen:mlp-4-2", platform="dynap_se", windows=2)
    assert Source.from_json(source.to_json()) == source
    two, one = source.load(), Source(network="gen:mlp-4-2", platform="dynap_se").load()
    assert two.name == f"{one.name}*2"
    assert two.digest() != one.digest()
    with pytest.raises(InputError, match="windows"):
        Source.from_json({**source.to_json(), "windows": True})


def test_the_speed_of_several_windows_is_that_of_each(capsys):
    on = ["gen:mlp-12-1", "--platform", "dynap_se:size=16,tiles=4"]
    assert main([*on, "--windows", "2", "--method", "copies"]) == 0
    assert "one every 14 ns" in " ".join(capsys.readouterr().out.split())
