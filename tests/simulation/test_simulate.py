"""Simulation: every rule by hand, networks against loops over neurons, encoders."""

import nir
import numpy as np
import pytest

from optmap.readers.nir_file import read_model
from optmap.simulation.encode import bernoulli, constant_current, evenly_spaced
from optmap.simulation.simulate import Convention, simulate, with_simulated_spikes


@pytest.fixture
def run(write_nir):
    """Return a function that feeds one neuron a current and gives its spikes a step."""

    def play(node, current, convention, what="values"):
        one = {"in": nir.Input(np.array([1])), "n": node}
        model = read_model(write_nir(one, [("in", "n")]))
        result = simulate(model, {"in": np.array(current)[:, None]}, convention, ("n",))
        return getattr(result, what)["n"][:, 0, 0].tolist()

    return play


ONE, ZERO = np.ones(1), np.zeros(1)


def integrate(reset=0.0):
    return nir.IF(r=ONE, v_threshold=ONE, v_reset=np.full(1, reset))


@pytest.mark.parametrize(
    ("rule", "spikes"),
    [
        ({"reset": "value"}, [0, 1, 0, 0, 1]),
        ({"reset": "subtract"}, [0, 1, 0, 1, 1]),
        ({"reset": "subtract_next_step"}, [0, 1, 0, 1, 1]),
        ({"reset": "value_next_step"}, [0, 1, 0, 0, 1]),
    ],
)
def test_resets(run, rule, spikes):
    """Potentials that decide, after 0.75 and 1.5, which fires.

    By value 0.5, 0.75, 1.75; by subtraction 1.0 (not above 1), 1.25, 1.25; by value a step later,
    which loses the 0.5, 0, 0.25, 1.25.
    """
    current = [0.75, 0.75, 0.5, 0.25, 1.0]
    assert run(integrate(), current, Convention(dt=1, **rule)) == spikes


def test_reset_value_is_the_nodes_own(run):
    current = [1.5, 0.25, 0.75, 0.25]
    assert run(integrate(-0.5), current, Convention(dt=1, reset="value"), "potentials") == [
        -0.5, -0.25, 0.5, 0.75,
    ]  # fmt: skip


def test_subtracting_at_once_and_a_step_later_differ_under_leak(run):
    """With beta 0.5: at once 2 -> 1 -> 0.5; later 2, then 0.5 * 2 - 1 = 0."""
    node = nir.LIF(tau=2 * ONE, r=2 * ONE, v_leak=ZERO, v_threshold=ONE, v_reset=ZERO)
    at_once = run(node, [2.0, 0, 0], Convention(dt=1, reset="subtract"), "potentials")
    later = run(node, [2.0, 0, 0], Convention(dt=1), "potentials")
    assert at_once == [1, 0.5, 0.25]
    assert later == [2, 0, 0]


def test_several_spikes_threshold_and_clamp(run):
    several = Convention(dt=1, reset="subtract", several=True, at_threshold=True)
    assert run(integrate(), [3.5, 0.25, 0.25], several) == [3, 0, 1]
    single = Convention(dt=1, reset="subtract", at_threshold=True)
    assert run(integrate(), [3.5, 0, 0, 0], single) == [1, 1, 1, 0]
    above = Convention(dt=1, reset="subtract")
    assert run(integrate(), [1.0, 0, 1.0], above) == [0, 0, 1]
    clamped = Convention(dt=1, reset="subtract", clamp=-1.0)
    assert run(integrate(), [-5.0, 2.5], clamped) == [0, 1]
    assert run(integrate(), [-5.0, 2.5], above) == [0, 0]


def test_leaky_and_current_based_neurons_follow_their_equations(run):
    """Against the recurrences written out, with a leak potential and different constants."""
    dt, tau, syn, r, leak, w_in = 0.5, 3.0, 2.0, 1.5, 0.25, 0.75
    current = np.random.default_rng(2).uniform(-1, 2, 12)
    rule = Convention(dt=dt, reset="value")
    full = {"r": r * ONE, "v_leak": leak * ONE}
    v = leak
    expected = []
    for x in current:
        v = v + dt / tau * (leak - v + r * x)
        expected.append(v)
    assert np.allclose(run(nir.LI(tau=tau * ONE, **full), current, rule), expected)
    v, i, expected = leak, 0.0, []
    for x in current:
        i = i + dt / syn * (w_in * x - i)
        v = v + dt / tau * (leak - v + r * i)
        expected.append(v)
    constants = {"tau_mem": tau * ONE, "tau_syn": syn * ONE, "w_in": w_in * ONE}
    assert np.allclose(run(nir.CubaLI(**constants, **full), current, rule), expected)
    limits = {"v_threshold": 0.3 * ONE, "v_reset": -0.1 * ONE}
    v, i, expected = leak, 0.0, []
    for x in current:
        i = i + dt / syn * (w_in * x - i)
        v = v + dt / tau * (leak - v + r * i)
        expected.append(float(v > 0.3))
        v = -0.1 if v > 0.3 else v
    assert 0 < sum(expected) < 12
    assert run(nir.CubaLIF(**constants, **full, **limits), current, rule) == expected
    total = np.cumsum(current) * dt * r
    assert np.allclose(run(nir.I(r=r * ONE), current, rule), total)
    assert run(nir.Threshold(ONE), current, rule) == (current > 1).tolist()


def test_network_against_a_loop_over_neurons(write_nir):
    """Recurrence, delay, bias and a readout; dyadic numbers, so that both sides are exact."""
    rng = np.random.default_rng(4)
    w_in, w_rec, w_out = (rng.integers(-8, 9, s) / 8 for s in ((5, 3), (5, 5), (2, 5)))
    bias = rng.integers(0, 5, 5) / 8
    five = np.ones(5)
    nodes = {
        "in": nir.Input(np.array([3])),
        "w_in": nir.Affine(w_in, bias),
        "n": nir.IF(r=five, v_threshold=five, v_reset=five * 0),
        "late": nir.Delay(np.array([0.0, 0.0, 2.0, 1.0, 0.0])),
        "w_rec": nir.Linear(w_rec),
        "w_out": nir.Linear(w_out),
        "out": nir.Output(np.array([2])),
    }
    edges = [("in", "w_in"), ("w_in", "n"), ("n", "late"), ("late", "w_rec"), ("w_rec", "n")]
    edges += [("n", "w_out"), ("w_out", "out")]
    model = read_model(write_nir(nodes, edges))
    frames = rng.integers(0, 2, (30, 3))
    result = simulate(model, {"in": frames}, Convention(dt=1, reset="subtract"), ("n", "out"))

    v, past = np.zeros(5), [np.zeros(5)] * 4
    counts, sums = np.zeros(5), []
    for x in frames:
        late = np.array([past[-1 - d][j] for j, d in enumerate((0, 0, 2, 1, 0))])
        v = v + w_in @ x + bias + w_rec @ late
        spikes = (v > 1).astype(float)
        v = v - spikes
        past.append(spikes)
        counts += spikes
        sums.append(w_out @ spikes)
    assert 0 < counts.sum() < 150
    assert result.spikes[0, 3:8].tolist() == counts.tolist()
    assert result.spikes[0, :3].tolist() == frames.sum(axis=0).tolist()
    assert result.spikes[0, 8:].tolist() == [0, 0], "a readout fires nothing"
    assert np.array_equal(result.values["out"][:, 0], np.array(sums))


def test_samples_run_side_by_side_and_average_upwards(write_nir, lif):
    nodes = {"in": nir.Input(np.array([2])), "w": nir.Linear(np.eye(2) * 3), "n": lif(2)}
    path = write_nir(nodes, [("in", "w"), ("w", "n")])
    model = read_model(path)
    frames = np.random.default_rng(0).integers(0, 2, (9, 4, 2))
    rule = Convention(dt=1, reset="value")
    together = simulate(model, {"in": frames}, rule)
    alone = [simulate(model, {"in": frames[:, s]}, rule).spikes[0] for s in range(4)]
    assert np.array_equal(together.spikes, np.stack(alone))
    assert together.per_window().tolist() == np.ceil(np.mean(alone, axis=0)).tolist()
    snn = with_simulated_spikes(model, model.snn(), together, "here")
    assert snn.spikes.tolist() == together.per_window().tolist()
    assert snn.spikes_origin == "here"


def test_values_that_are_no_spikes_count_one_a_step_where_read(write_nir):
    nodes = {
        "in": nir.Input(np.array([2])),
        "li": nir.LI(tau=np.ones(2), r=np.ones(2), v_leak=np.zeros(2)),
        "w": nir.Linear(np.ones((1, 2))),
        "last": nir.LI(tau=ONE, r=ONE, v_leak=ZERO),
    }
    model = read_model(write_nir(nodes, [("in", "li"), ("li", "w"), ("w", "last")]))
    frames = constant_current([[0.5, 0.0]], 7)
    result = simulate(model, {"in": frames}, Convention(dt=0.1))
    assert result.spikes[0].tolist() == [7, 0, 7, 7, 0]


def test_wrong_inputs_and_rules_are_refused(write_nir, lif):
    model = read_model(write_nir({"in": nir.Input(np.array([2])), "n": lif(2)}, [("in", "n")]))
    rule = Convention()
    for inputs in ({}, {"n": np.ones((2, 2))}, {"in": np.ones((2, 3))}, {"in": np.ones((0, 2))}):
        with pytest.raises(ValueError, match="input"):
            simulate(model, inputs, rule)
    for wrong in ({"dt": 0}, {"reset": "never"}, {"reset": "value", "several": True}):
        with pytest.raises(ValueError, match=r"dt|reset|several"):
            Convention(**wrong)
    assert str(Convention(1.0, "subtract", True, True, -1.0)) == (
        "dt 1 s, reset subtract, several spikes a step, fires at the threshold,"
        " potential at least -1"
    )


def test_encoders():
    values = np.array([[0.0, 0.25, 0.5, 1.0]])
    regular = evenly_spaced(values, 40)
    assert regular.shape == (40, 1, 4)
    assert regular.sum(axis=0).tolist() == [[0, 10, 20, 40]]
    assert np.diff(np.flatnonzero(regular[:, 0, 1])).tolist() == [4] * 9
    assert evenly_spaced([[0.1]], 10).sum() == 1
    drawn = bernoulli(values, 2000, 3)
    assert np.array_equal(drawn, bernoulli(values, 2000, 3))
    assert np.allclose(drawn.mean(axis=0), values, atol=0.05)
    assert drawn[:, 0, 0].sum() == 0
    assert drawn[:, 0, 3].sum() == 2000
    for encode in (lambda v: bernoulli(v, 3, 0), lambda v: evenly_spaced(v, 3)):
        for bad in (-0.1, 1.1, np.nan):
            with pytest.raises(ValueError, match=r"outside 0\.\.1"):
                encode([[bad]])
