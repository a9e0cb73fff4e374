"""Every registered policy: its units compute the network's sums, and can be made again."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_mappings import random_network

from optmap.decomposing.contract import DECOMPOSERS, REBUILDERS, decompose
from optmap.errors import FanInError
from optmap.model.decomposition import violations
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile


@pytest.mark.parametrize("policy", DECOMPOSERS)
@given(random=st.randoms(use_true_random=False), rows=st.integers(2, 5))
def test_units_sum_up_and_are_made_again_from_rows_and_parameters(
    policy: str, random: Random, rows: int
):
    snn = random_network(random)
    small = Platform(
        "small",
        (Tile(Crossbar(rows, 3)), Tile(Crossbar(2, 2))),
        Interconnect("mesh", 2, 1),
        event_ticks=1,
    )
    try:
        made = DECOMPOSERS[policy]()(snn, small, seed=random.randint(0, 9))
    except FanInError:
        assert policy == "none"
        assert snn.max_fan_in > rows
        return
    assert (made.policy, made.rows) == (policy, rows)
    assert made.network.max_fan_in <= rows
    assert violations(snn, made) == []
    again = decompose(snn, rows, policy, made.parameters)
    assert again.identity == made.identity
    assert (again.identity == "as given") == (made.num_inserted == 0)
    assert again.network == made.network


def test_whatever_has_a_name_in_mapping_files_can_be_chosen():
    assert set(REBUILDERS) == set(DECOMPOSERS)
    for policy in REBUILDERS:
        with pytest.raises(ValueError, match=r"parameter|direct"):
            decompose(random_network(Random(1)), 9, policy, {"unknown": 1, "direct": 2})
