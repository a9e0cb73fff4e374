"""Small layered networks with excitation and inhibition, as HySMap measures its mappers on them.

Eight populations in the shares of the cortical microcircuit [PD]_, each neuron with a log-normal
rate around its population's mean, each pair of neurons joined with the probability of its
populations, raised for small networks [HM]_. Numbers are drawn by the 64-bit Mersenne Twister, so
that a seed gives the networks of the published table: their synapse counts are a test.

References
----------
.. [PD] T. C. Potjans and M. Diesmann, Cerebral Cortex 24, 2014.
.. [HM] HySMap 0.2, public repository amineux/HySMap, technical report and generator.
"""

from __future__ import annotations

import math

import numpy as np

from optmap.model.snn import SNN, Population, from_edges

NAMES = ("L23e", "L23i", "L4e", "L4i", "L5e", "L5i", "L6e", "L6i")
#: Of each population: share of all neurons, and mean spikes a second.
SHARES = (0.2681, 0.0756, 0.2840, 0.0710, 0.0629, 0.0138, 0.1865, 0.0382)
RATES = (5.5, 11.0, 8.5, 14.0, 7.0, 12.0, 3.5, 9.0)
#: Probability that a neuron of the row's population sends to one of the column's.
JOINED = (
    (0.101, 0.135, 0.008, 0.069, 0.100, 0.055, 0.016, 0.036),
    (0.169, 0.137, 0.006, 0.003, 0.062, 0.027, 0.007, 0.001),
    (0.088, 0.032, 0.079, 0.100, 0.051, 0.009, 0.003, 0.000),
    (0.082, 0.052, 0.080, 0.130, 0.007, 0.000, 0.000, 0.000),
    (0.032, 0.075, 0.007, 0.006, 0.083, 0.060, 0.004, 0.015),
    (0.000, 0.000, 0.001, 0.000, 0.000, 0.000, 0.000, 0.000),
    (0.008, 0.004, 0.045, 0.000, 0.028, 0.000, 0.016, 0.007),
    (0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000),
)
#: More of each population's synapses to itself; deviation of the logarithm of rates.
RECURRENT, DEVIATION = 0.02, 0.35
#: Whole spikes for a rate of 1: rates are published with six significant digits.
SCALE = 100_000
MOST_NEURONS = 2_000


class _Twister:
    """The 64-bit Mersenne Twister of Nishimura and Matsumoto, 2000."""

    def __init__(self, seed: int) -> None:
        state = [seed % 2**64]
        for i in range(1, 312):
            mixed = state[-1] ^ (state[-1] >> 62)
            state.append((6364136223846793005 * mixed + i) % 2**64)
        self.state, self.at = state, 312

    def uniform(self) -> float:
        """Return the next number of [0, 1)."""
        if self.at == 312:
            for i in range(312):
                joined = self.state[i] >> 31 << 31 | self.state[(i + 1) % 312] % 2**31
                turned = joined >> 1 ^ (0xB5026F5AA96619E9 if joined & 1 else 0)
                self.state[i] = self.state[(i + 156) % 312] ^ turned
            self.at = 0
        x = self.state[self.at]
        self.at += 1
        x ^= x >> 29 & 0x5555555555555555
        x ^= x << 17 & 0x71D67FFFEDA60000
        x ^= x << 37 & 0xFFF7EEE000000000
        return min((x ^ x >> 43) / 2**64, 1 - 2**-53)

    def normal(self) -> float:
        """Return a normal number by the polar method; its twin is not used."""
        while True:
            a, b = 2 * self.uniform() - 1, 2 * self.uniform() - 1
            square = a * a + b * b
            if 0 < square <= 1:
                return b * math.sqrt(-2 * math.log(square) / square)


def microcircuit(size: int, seed: int) -> SNN:
    """Return the network of so many neurons that a seed draws; a rate of 1 is 100,000 spikes.

    All of its neurons take a column, those that read nothing too.
    """
    if not 16 <= size <= MOST_NEURONS:
        raise ValueError(f"{size} neurons, expected 16 to {MOST_NEURONS}")
    drawn, counts = _Twister(seed), [max(1, math.floor(s * size + 0.5)) for s in SHARES]
    counts[2] = max(1, counts[2] + size - sum(counts))
    first = np.concatenate(([0], np.cumsum(counts))).tolist()
    rates = [
        max(0.05, math.exp(DEVIATION * drawn.normal() + math.log(mean)))
        for mean, count in zip(RATES, counts, strict=True)
        for _ in range(count)
    ]
    raised = min(8.0, max(1.0, 18 / math.sqrt(size)))
    pairs = []
    for a, row in enumerate(JOINED):
        for b, joined in enumerate(row):
            likely = joined * raised + (RECURRENT if a == b else 0.0)
            if likely <= 0:
                continue
            for i in range(first[a], first[a + 1]):
                others = (j for j in range(first[b], first[b + 1]) if j != i)
                pairs += [(i, j) for j in others if drawn.uniform() < min(1.0, likely)]
    made = from_edges(
        [i for i, _ in pairs],
        [j for _, j in pairs],
        first[-1],
        spikes=[round(float(f"{rate:.6g}") * SCALE) for rate in rates],
        populations=[Population(n, first[p], first[p + 1] - 1) for p, n in enumerate(NAMES)],
        spikes_origin=f"rates times {SCALE}, generated",
    )
    return made.with_inputs_on_cores()
