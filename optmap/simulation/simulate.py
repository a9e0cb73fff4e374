"""Run a :class:`SpikingModel` to count its spikes: Euler steps over scipy's sparse matrices.

A model file does not say how a neuron is reset, how often it may fire in one step, or how long a
step is; frameworks differ, and spike counts with them by a factor of two. All of that is a
:class:`Convention`, to be written into the provenance of an instance.

Within a step layers are updated in the model's order: a path from an earlier layer carries the
values of the same step, one from the same or a later layer (recurrence) those of the step before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from optmap.model.snn import SNN, IntArray
from optmap.model.spiking_model import Layer, SpikingModel

Values = npt.NDArray[np.float64]

#: Kinds whose value is a potential, not a spike.
ANALOG = frozenset({"I", "LI", "CubaLI", "Readout"})

RESETS = ("subtract", "subtract_next_step", "value", "value_next_step")


@dataclass(frozen=True, slots=True)
class Convention:
    """What NIR leaves to the framework.

    Parameters
    ----------
    dt : float
        Seconds of a step. Files with IF neurons commonly mean 1, those of snnTorch 1e-4.
    reset : str
        ``subtract``: the threshold, at once (Sinabs); ``subtract_next_step``: the threshold, in
        the following update (snnTorch "subtract"); ``value``: to the node's ``v_reset``, at once
        (Norse; snnTorch's Leaky with "zero"); ``value_next_step``: to ``v_reset`` after the
        following update, whose input is lost (snnTorch's Synaptic with "zero").
    several : bool
        A neuron may fire several times in one step: as often as the threshold fits its potential.
        Only with ``subtract``.
    at_threshold : bool
        A potential equal to the threshold fires (Sinabs) or not (snnTorch, Norse, NIR's equations).
    clamp : float, optional
        Lowest potential a spiking neuron can have.

    Raises
    ------
    ValueError
        If the parts contradict each other.
    """

    dt: float = 1e-4
    reset: str = "subtract_next_step"
    several: bool = False
    at_threshold: bool = False
    clamp: float | None = None

    def __post_init__(self) -> None:
        if not self.dt > 0:
            raise ValueError(f"dt {self.dt} must be above 0")
        if self.reset not in RESETS:
            raise ValueError(f"reset {self.reset!r}: expected one of {', '.join(RESETS)}")
        if self.several and self.reset != "subtract":
            raise ValueError("several spikes in a step need reset 'subtract'")

    def __str__(self) -> str:
        """Say it in the words of a provenance field."""
        parts = [f"dt {self.dt:g} s", f"reset {self.reset.replace('_', ' ')}"]
        parts.append("several spikes a step" if self.several else "one spike a step")
        parts.append("fires at the threshold" if self.at_threshold else "fires above the threshold")
        if self.clamp is not None:
            parts.append(f"potential at least {self.clamp:g}")
        return ", ".join(parts)


@dataclass(frozen=True)
class Simulation:
    """What happened.

    Parameters
    ----------
    spikes : (samples, N) int64 array
        Spikes of every neuron in every sample. Layers that give potentials count one value a step
        where another layer reads them, else nothing.
    values : dict of (steps, samples, n) float64 arrays
        Per recorded layer what it gave in every step: spikes, or potentials of analog layers.
    potentials : dict of (steps, samples, n) float64 arrays
        Per recorded layer the potential at the end of every step.
    """

    spikes: IntArray
    values: dict[str, Values]
    potentials: dict[str, Values]

    def per_window(self) -> IntArray:
        """Return the mean over the samples, rounded up: who fired in one of them is not silent."""
        total: IntArray = self.spikes.sum(axis=0)
        return -(-total // len(self.spikes))


def simulate(
    model: SpikingModel,
    inputs: Mapping[str, npt.ArrayLike],
    convention: Convention,
    record: tuple[str, ...] = (),
) -> Simulation:
    """Run ``model`` on recorded or encoded inputs.

    Parameters
    ----------
    model : SpikingModel
        From :func:`optmap.readers.nir_file.read_model`.
    inputs : mapping of str to (steps, samples, n) array
        What each Input layer gives, by name; an axis of samples may be left out.
    convention : Convention
        See there.
    record : tuple of str
        Layers whose values and potentials are kept.

    Raises
    ------
    ValueError
        If an input is missing, unknown, or has another shape than its layer.
    """
    given = _checked(model, inputs)
    steps, samples = next(iter(given.values())).shape[:2]
    states = [_State(layer, samples, convention) for layer in model.layers]
    delays = [
        [round(path.delay_s / convention.dt) + (path.source >= i) for path in layer.paths]
        for i, layer in enumerate(model.layers)
    ]
    keep = 1 + max((delay for row in delays for delay in row), default=0)
    past: list[deque[Values]] = [deque(maxlen=keep) for _ in model.layers]
    counts = np.zeros((samples, model.first[-1]), dtype=np.int64)
    values: dict[str, list[Values]] = {name: [] for name in record}
    potentials: dict[str, list[Values]] = {name: [] for name in record}
    for step in range(steps):
        for i, layer in enumerate(model.layers):
            if layer.kind == "Input":
                out = given[layer.name][step].T
            else:
                out = states[i].step(_current(i, layer, delays[i], past, samples))
            past[i].append(out)
            if layer.name in values:
                values[layer.name].append(out.T.copy())
                potentials[layer.name].append(states[i].potential.T.copy())
            if layer.kind not in ANALOG and layer.kind != "Input":
                counts[:, model.first[i] : model.first[i + 1]] += out.T.astype(np.int64)
    _count_inputs_and_analog(model, given, steps, counts)
    return Simulation(
        counts,
        {name: np.stack(rows) for name, rows in values.items()},
        {name: np.stack(rows) for name, rows in potentials.items()},
    )


def _current(
    i: int, layer: Layer, delays: list[int], past: list[deque[Values]], samples: int
) -> Values:
    """Return what the bias and the paths bring layer i in this step, shape (n, samples)."""
    current: Values = np.repeat(layer.bias[:, None], samples, axis=1)
    for path, delay in zip(layer.paths, delays, strict=True):
        # An earlier layer has already given this step's value, the others have not.
        back = delay + 1 if path.source < i else delay
        if back <= len(past[path.source]):
            current += path.matrix @ past[path.source][-back]
    return current


def with_simulated_spikes(model: SpikingModel, snn: SNN, result: Simulation, origin: str) -> SNN:
    """Return the model's network with the spikes of a simulation.

    Parameters
    ----------
    model, result
        What was run, and what happened.
    snn : SNN
        The model's connectivity.
    origin : str
        Where the inputs came from and which convention was used.
    """
    if snn.num_neurons != model.first[-1]:
        raise ValueError(f"{snn.num_neurons} neurons, the model has {model.first[-1]}")
    return snn.with_spikes(result.per_window(), origin)


def _checked(model: SpikingModel, inputs: Mapping[str, npt.ArrayLike]) -> dict[str, Values]:
    names = [layer.name for layer in model.layers if layer.kind == "Input"]
    if set(names) != set(inputs) or not names:
        raise ValueError(f"inputs for {', '.join(inputs) or 'none'}, the model has {names}")
    given: dict[str, Values] = {}
    for layer in model.layers:
        if layer.kind != "Input":
            continue
        array = np.asarray(inputs[layer.name], dtype=np.float64)
        if array.ndim == 2:
            array = array[:, None, :]
        if array.ndim != 3 or array.shape[2] != layer.size or not len(array):
            raise ValueError(f"input {layer.name}: shape {array.shape} for {layer.size} neurons")
        given[layer.name] = array
    if len({array.shape[:2] for array in given.values()}) != 1:
        raise ValueError("inputs of different numbers of steps or samples")
    return given


def _count_inputs_and_analog(
    model: SpikingModel, given: dict[str, Values], steps: int, counts: IntArray
) -> None:
    """Count whole input values as that many spikes, other values as one wherever not zero."""
    first = model.first
    read = {path.source for layer in model.layers for path in layer.paths}
    for i, layer in enumerate(model.layers):
        block = counts[:, first[i] : first[i + 1]]
        if layer.kind == "Input":
            array = given[layer.name]
            whole = bool((array == np.floor(array)).all() and (array >= 0).all())
            block += (array if whole else array != 0).sum(axis=0).astype(np.int64)
        elif layer.kind in ANALOG and i in read:
            block += steps


class _State:
    """Potential and current of one layer, shape (n, samples)."""

    def __init__(self, layer: Layer, samples: int, convention: Convention) -> None:
        self.kind, self.convention = layer.kind, convention
        self.parameter = {name: value[:, None] for name, value in layer.parameters.items()}
        self.potential = np.zeros((layer.size, samples))
        if "v_leak" in self.parameter:
            self.potential += self.parameter["v_leak"]  # at rest
        self.current = np.zeros((layer.size, samples))
        self.fired = np.zeros((layer.size, samples))
        self.reset_value: Any = self.parameter.get("v_reset", 0.0)

    def step(self, current: Values) -> Values:
        """Take one step under an input current and return what the layer gives."""
        p, dt = self.parameter, self.convention.dt
        if self.kind in ("Readout", "Threshold"):
            self.potential = current
        elif self.kind in ("I", "IF"):
            self.potential = self.potential + dt * p["r"] * current
        else:
            tau = p["tau"] if "tau" in p else p["tau_mem"]
            if self.kind.startswith("Cuba"):
                drive = p.get("w_in", 1.0) * current
                self.current = self.current + dt / p["tau_syn"] * (drive - self.current)
                current = self.current
            change = p["v_leak"] - self.potential + p["r"] * current
            self.potential = self.potential + dt / tau * change
        if self.kind in ANALOG:
            return self.potential
        if self.kind == "Threshold":
            return self._above(self.potential, p["threshold"]).astype(np.float64)
        return self._fire(p["v_threshold"])

    def _above(self, potential: Values, threshold: Values) -> npt.NDArray[np.bool_]:
        at = self.convention.at_threshold
        return np.asarray(potential >= threshold if at else potential > threshold)

    def _fire(self, threshold: Values) -> Values:
        rule = self.convention
        if rule.reset == "subtract_next_step":
            self.potential = self.potential - self.fired * threshold
        elif rule.reset == "value_next_step":
            self.potential = np.where(self.fired > 0, self.reset_value, self.potential)
        if rule.clamp is not None:
            self.potential = np.maximum(self.potential, rule.clamp)
        fired = self._above(self.potential, threshold).astype(np.float64)
        if rule.several:
            fired = fired * np.maximum(1.0, np.floor(self.potential / threshold))
        if rule.reset == "subtract":
            self.potential = self.potential - fired * threshold
        elif rule.reset == "value":
            self.potential = np.where(fired > 0, self.reset_value, self.potential)
        self.fired = fired
        return fired
