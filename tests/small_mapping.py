"""One mapping small enough to judge by hand: recurrence, an input, a silent channel, two tiles.

Inputs 0 (4 spikes) and 1 (3). Units 2..6, each on the right of what it reads, in clusters::

    cluster 0: 2 <- 0, 1        3 <- 0, 2
    cluster 1: 4 <- 2, 3, 5
    cluster 2: 5 <- 1, 4
    cluster 3: 6 <- 3, 5

Spikes of 2..6: 5, 0, 2, 7, 1. Hence channels 0 -> 1 (5 spikes), 0 -> 3 (silent), 1 -> 2 (2),
2 -> 1 (7), 2 -> 3 (7); clusters 1 and 2 are a recurrence. Tile 0 holds clusters 0 and 1, tile 1
holds 2 and 3.
"""

from __future__ import annotations

from fractions import Fraction

from optmap.decomposing.contract import decompose
from optmap.model.mapping import Binding, Clustering, Mapping, StaticOrders
from optmap.model.platform import Area, Crossbar, Energy, Interconnect, Platform, Tile
from optmap.model.snn import from_edges

SNN = from_edges(
    [0, 1, 0, 2, 2, 3, 5, 1, 4, 3, 5],
    [2, 2, 3, 3, 4, 4, 4, 5, 5, 6, 6],
    7,
    spikes=[4, 3, 5, 0, 2, 7, 1],
)
# as tight as it can be: rows, columns, slots and buffers are all used up on tile 0
PLATFORM = Platform(
    "small",
    (
        Tile(Crossbar(3, 4), input_buffer=36, output_buffer=9, slots=2),
        Tile(Crossbar(4, 2), input_buffer=30, output_buffer=21, slots=2),
    ),
    Interconnect("matrix", matrix=((0, 2), (3, 0))),
    hop_ticks=5,
    ni_tokens_per_tick=Fraction(2),
    base_ticks=2,
    event_ticks=3,
    switch_ticks=1,
    cells_per_synapse=2,
    buffer_windows=3,
    energy=Energy(Fraction(10), Fraction(1, 2), Fraction(7), Fraction(3)),
    area=Area(Fraction(1), Fraction(10), Fraction(100)),
)
MAPPING = Mapping(
    decompose(SNN, 3, "none"),
    Clustering([0, 0, 1, 2, 3]),
    Binding([0, 0, 1, 1]),
    StaticOrders(((0, 1), (2, 3))),
)
