"""Rivals' tables: the published networks, a short job, and what a forged table is told."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from optmap.experiment.rivals.hysmap import judged, load, mapped, mapped_full, verify
from optmap.generators.microcircuit import microcircuit

STORED = Path(__file__).parents[3] / "results" / "rivals" / "hysmap.json"
#: Published synapses by neurons and mesh, seeds 1 to 3.
SYNAPSES = {
    (80, 4): (611, 603, 611),
    (80, 5): (600, 605, 586),
    (80, 6): (593, 580, 597),
    (108, 4): (972, 978, 992),
    (108, 5): (913, 996, 957),
    (108, 6): (905, 925, 962),
}


@pytest.mark.parametrize(("size", "mesh"), SYNAPSES)
def test_seeds_give_the_published_networks(size: int, mesh: int):
    for seed, synapses in enumerate(SYNAPSES[size, mesh], 1):
        snn = microcircuit(size, size + 17 * seed + mesh)
        assert (snn.num_units, snn.num_synapses) == (size, synapses)


def test_first_rates_are_the_published_example():
    assert microcircuit(108, 1).spikes[:4].tolist() == [480_356, 699_459, 416_388, 1_083_770]


def test_a_job_is_judged_and_a_forged_one_is_found(tmp_path: Path):
    job = mapped(80, 4, 1, (20_000,))
    assert 0 < job.bound < job.hops
    assert judged(80, 4, 1, list(job.tile_of)) == (job.hops, job.bound)
    file = tmp_path / "hysmap.json"
    file.write_text(json.dumps({"jobs": [asdict(job)]}))
    assert verify(file) == []
    for forged in (replace(job, hops=job.hops - 1), replace(job, tile_of=(0,) * 80)):
        file.write_text(json.dumps({"jobs": [asdict(forged)]}))
        assert len(verify(file)) == 1
    with pytest.raises(ValueError, match="neurons a core"):
        judged(80, 4, 1, [0] * 80)


def test_a_full_job_has_the_mean_on_every_core():
    job = mapped_full(108, 6, 3, 5_000)
    assert set(np.bincount(job.tile_of, minlength=36).tolist()) == {3}
    assert judged(108, 6, 3, list(job.tile_of), full=True) == (job.hops, job.bound)
    looser = list(job.tile_of)
    looser[0] = (looser[0] + 1) % 36
    judged(108, 6, 3, looser)
    with pytest.raises(ValueError, match="neurons a core"):
        judged(108, 6, 3, looser, full=True)


def test_no_stored_figure_is_above_the_published_one():
    jobs = load(STORED)
    assert [job.full for job in jobs] == [False] * 18 + [True] * 3
    assert all(job.bound <= job.hops <= job.published for job in jobs)
