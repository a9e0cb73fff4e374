"""A source says how an instance is loaded, the same after a trip through JSON."""

import base64
import threading
from pathlib import Path

import pytest

from optmap.errors import InputError
from optmap.experiment.run.children import run_child
from optmap.experiment.run.dask_runner import packed, solve_parcel
from optmap.experiment.run.job import Job
from optmap.experiment.run.source import Source
from optmap.model.outcome import Limits

INSTANCE = Path(__file__).parents[3] / "instances" / "digits_recurrent.toml"
SOURCES = [
    Source(file="a.toml"),
    Source(file="a.toml", encoding="rate"),
    Source(network="gen:mlp-3-2", platform="p.toml"),
    Source(network="n.nir", platform="p.toml", tokens="pipelined", keep_zero_weights=True),
]


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_survives_json(source):
    assert Source.from_json(source.to_json()) == source
    job = Job("i", "d", source, "song2020", Limits())
    assert Job.from_json(job.to_json()) == job


@pytest.mark.parametrize(
    "data", [None, {}, 3, {"colour": 1}, {"network": "n"}, {"file": 3}, {"encoding": "rate"}]
)
def test_what_is_no_source_is_refused(data):
    with pytest.raises(InputError, match=r"m\.json"):
        Source.from_json(data, "m.json")


def test_a_row_of_an_instance_with_an_encoding_is_the_same_on_a_worker(shipped_encoding):
    """The parcel takes the values along, and the job keeps its code."""
    instance = shipped_encoding.load()
    job = Job(instance.name, instance.digest(), shipped_encoding, "song2020", Limits(5.0))
    parcel, file = packed(job)
    here = run_child(job, threading.Event())
    there = solve_parcel(job.to_json(), parcel, file)
    assert here.row is not None
    assert there.row is not None
    assert here.row["check"] == there.row["check"] == "ok"
    for part in ("metrics", "bounds", "place", "network", "mapping"):
        assert here.row[part] == there.row[part], part


@pytest.fixture
def shipped_encoding():
    return Source(file=str(INSTANCE), encoding="rate")


def test_a_parcel_is_what_the_digest_is_made_of(shipped_encoding):
    job = Job("i", "d", shipped_encoding, "song2020", Limits())
    parcel, file = packed(job)
    names = {Path(name).name for name in parcel}
    instance = shipped_encoding.load()
    assert instance.encoding is not None
    assert {instance.encoding.values.name, Path(instance.network).name} <= names
    assert base64.b64decode(parcel[file]) == INSTANCE.read_bytes()
