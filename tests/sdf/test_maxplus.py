"""Max-plus matrices: algebra, eigenvalue and eigenvector, star, the matrix of an iteration."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sdf_graphs import small_sdfg

from optmap.sdf.graph import sdfg
from optmap.sdf.iteration_matrix import StuckError, iteration_matrix
from optmap.sdf.maxplus import NEVER, MaxPlusMatrix
from optmap.sdf.throughput import throughput

SEEDS = st.integers(0, 10**6)


def random_matrix(rng: np.random.Generator, low: int = -5, high: int = 6) -> MaxPlusMatrix:
    n = int(rng.integers(1, 6))
    entries = rng.integers(low, high, (n, n))
    return MaxPlusMatrix(np.where(rng.random((n, n)) < 0.4, NEVER, entries))


def by_definition(a: MaxPlusMatrix, b: MaxPlusMatrix) -> list[list[int]]:
    """Oracle: the product, entry by entry, in Python."""
    x, y = a.entries.tolist(), b.entries.tolist()
    return [
        [
            max(
                (x[i][k] + y[k][j] for k in range(len(y)) if x[i][k] != NEVER and y[k][j] != NEVER),
                default=NEVER,
            )
            for j in range(len(y[0]))
        ]
        for i in range(len(x))
    ]


@given(SEEDS)
def test_product_sum_and_power_follow_their_definitions(seed: int):
    matrix = random_matrix(np.random.default_rng(seed))
    n = matrix.shape[0]
    square = matrix @ matrix
    assert square.entries.tolist() == by_definition(matrix, matrix)
    assert matrix.power(0) == MaxPlusMatrix.identity(n)
    assert matrix.power(1) == matrix
    assert matrix.power(5) == square @ square @ matrix
    assert (matrix | square).entries.tolist() == np.maximum(matrix.entries, square.entries).tolist()
    zeros = [0] * n
    assert matrix(zeros).tolist() == [max(row) for row in matrix.entries.tolist()]


@given(SEEDS)
def test_the_eigenvalue_is_the_growth_of_powers(seed: int):
    """Oracle: the best closed walk of length k has mean at most the eigenvalue; some k attains."""
    matrix = random_matrix(np.random.default_rng(seed))
    means = []
    for k in range(1, matrix.shape[0] + 1):
        diagonal = np.diag(matrix.power(k).entries)
        means += [Fraction(int(x), k) for x in diagonal if x != NEVER]
    assert matrix.eigenvalue() == max(means, default=None)


@given(SEEDS)
def test_the_eigenvector_solves_its_equation(seed: int):
    matrix = random_matrix(np.random.default_rng(seed))
    value = matrix.eigenvalue()
    try:
        vector = matrix.eigenvector()
    except ValueError as error:
        # Only where some index has no walk from the critical cycle, or no cycle is there.
        reaches = (matrix.power(0) | matrix).power(matrix.shape[0]).entries != NEVER
        no_cycle = value is None
        assert no_cycle or not reaches[:, matrix.critical_cycle()[0]].all(), error  # noqa: PT017
        return
    assert min(vector) == 0
    for row, v in zip(matrix.entries.tolist(), vector, strict=True):
        best = max(a + w for a, w in zip(row, vector, strict=True) if a != NEVER)
        assert best == value + v


@given(SEEDS)
def test_the_star_is_the_sum_of_all_powers(seed: int):
    matrix = random_matrix(np.random.default_rng(seed), low=-6, high=1)
    star = MaxPlusMatrix.identity(matrix.shape[0])
    for k in range(1, matrix.shape[0] + 1):
        star = star | matrix.power(k)
    assert matrix.star() == star


def test_a_positive_cycle_has_no_star():
    with pytest.raises(ValueError, match="eigenvalue 1"):
        MaxPlusMatrix([[1]]).star()


def test_entries_must_fit():
    with pytest.raises(ValueError, match="within 2"):
        MaxPlusMatrix([[2**62]])
    with pytest.raises(ValueError, match="dimensions"):
        MaxPlusMatrix([1, 2])
    with pytest.raises(OverflowError):
        MaxPlusMatrix([[2**60 + 1]]).power(4)
    with pytest.raises(ValueError, match="shapes"):
        MaxPlusMatrix([[1, 2]]) @ MaxPlusMatrix([[1, 2]])


@given(SEEDS)
def test_the_matrix_runs_iteration_after_iteration(seed: int):
    """Started at its eigenvector, the matrix moves on by one period an iteration."""
    graph = small_sdfg(np.random.default_rng(seed), most_repetitions=3)
    if throughput(graph).status != "live":
        return
    matrix = iteration_matrix(graph)
    assert matrix.shape == (graph.tokens.sum(), graph.tokens.sum())
    value = matrix.eigenvalue()
    assert value == throughput(graph).period
    vector = matrix.eigenvector()
    scaled = np.array([int(v * value.denominator) for v in vector])
    stretched = MaxPlusMatrix(
        np.where(matrix.entries == NEVER, NEVER, matrix.entries * value.denominator)
    )
    after = stretched.power(3)(scaled)
    assert (after - scaled == 3 * value.numerator).all()


def test_a_deadlocked_graph_has_no_matrix():
    with pytest.raises(StuckError, match="2 of 2 firings"):
        iteration_matrix(sdfg([("A", 1), ("B", 1)], [("A", "B", 1, 1, 0), ("B", "A", 1, 1, 0)]))


def test_tokens_that_an_iteration_leaves_alone_stay():
    """Five tokens, one taken per iteration: four move up, the last one is new."""
    entries = iteration_matrix(sdfg([("A", 7)], [("A", "A", 1, 1, 5)])).entries
    assert [(int(i), int(j)) for i, j in np.argwhere(entries != NEVER)] == [
        (0, 1), (1, 2), (2, 3), (3, 4), (4, 0),
    ]  # fmt: skip
    assert entries[4, 0] == 7
    assert entries[0, 1] == 0
