"""A source says how an instance is loaded, the same after a trip through JSON."""

import base64
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_run import PLATFORM, write_tiny

from optmap.errors import InputError
from optmap.experiment.run import dask_runner
from optmap.experiment.run.children import run_child
from optmap.experiment.run.dask_runner import packed, solve_parcel
from optmap.experiment.run.exact_json import dumps
from optmap.experiment.run.in_process import runner
from optmap.experiment.run.job import ChangedError, Job
from optmap.experiment.run.mapping_file import content_digest, read_document
from optmap.experiment.run.source import Source
from optmap.experiment.run.store import CRASHED, Store
from optmap.experiment.run.sweep import finish
from optmap.methods import METHODS, load_method_file
from optmap.model.outcome import Limits

INSTANCE = Path(__file__).parents[3] / "instances" / "digits_recurrent.toml"
SOURCES = [
    Source(file="a.toml"),
    Source(file="a.toml", encoding="rate"),
    Source(network="gen:mlp-3-2", platform="p.toml"),
    Source(file="a.toml", platform=":rows=64,tiles=4"),
    Source(network="n.nir", platform="p.toml:rows=64", named_with_platform=True),
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
    parcel, source = packed(job)
    here = run_child(job, threading.Event())
    there = solve_parcel(job.to_json(), parcel, source)
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
    parcel, source = packed(job)
    names = {Path(name).name for name in parcel}
    instance = shipped_encoding.load()
    assert instance.encoding is not None
    assert {instance.encoding.values.name, Path(instance.network).name} <= names
    assert base64.b64decode(parcel[source.file or ""]) == INSTANCE.read_bytes()


@pytest.mark.parametrize(
    ("file", "network", "platform"),
    [
        (None, "net.csv", "chips/p.toml:rows=8"),
        (None, "gen:mlp-6-3", "chips/p.toml"),
        ("filter_8", None, "chips/p.toml:tiles=9"),
        ("filter_8", None, ":rows=32"),
    ],
)
def test_networks_and_platforms_with_changes_travel_too(
    file, network, platform, tmp_path, monkeypatch
):
    monkeypatch.setattr(dask_runner, "run_child", runner)  # a child: the test above
    (tmp_path / "chips").mkdir()
    (tmp_path / "chips" / "p.toml").write_text(
        'schema = 1\nname = "p"\n[interconnect]\nkind = "mesh"\nwidth = 2\nheight = 2\n'
        "[[tiles]]\nrows = 16\ncolumns = 16\n"
    )
    (tmp_path / "net.csv").write_text("source,target\n" + "".join(f"a{i},b\n" for i in range(5)))
    spec = platform if platform.startswith(":") else f"{tmp_path}/{platform}"
    net = f"{tmp_path}/{network}" if network == "net.csv" else network
    source = Source(file=file, network=net, platform=spec)
    instance = source.load()
    job = Job(instance.name, instance.digest(), source, "song2020", Limits(60.0))
    parcel, packed_source = packed(job)
    assert str(tmp_path) not in str(packed_source)
    here = runner(job, threading.Event()).row
    there = solve_parcel(job.to_json(), parcel, packed_source).row
    assert here is not None
    assert there is not None
    assert here["check"] == there["check"] == "ok"
    assert (here["metrics"], here["mapping"]) == (there["metrics"], there["mapping"])


def test_constraints_of_a_file_travel_too(tmp_path, monkeypatch):
    monkeypatch.setattr(dask_runner, "run_child", runner)
    demands = tmp_path / "demands.toml"
    demands.write_text('pin = [{ neurons = "17", tile = 2 }]\n')
    source = Source(network="gen:mlp-17-9", platform="mesh_2x2_16", constraints=str(demands))
    instance = source.load()
    job = Job(instance.name, instance.digest(), source, "pacman", Limits(60.0))
    parcel, packed_source = packed(job)
    demands.unlink()
    there = solve_parcel(job.to_json(), parcel, packed_source).row
    assert there is not None
    assert there["check"] == "ok", there
    mapping = there["mapping"]["mapping"]
    assert mapping["tile_of"][mapping["cluster_of"][0]] == 2


def test_a_parcel_follows_links_and_holds_nothing_but_a_network(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "real.csv").write_text("source,target\na,b\n")
    (tmp_path / "net.csv").symlink_to("data/real.csv")
    (tmp_path / "p.toml").write_text(PLATFORM)
    text = 'schema = 1\nname = "i"\nplatform = "p.toml"\nnetwork = '
    (tmp_path / "i.toml").write_text(text + '"net.csv"\n')
    source = Source(file=str(tmp_path / "i.toml"))
    job = Job("i", source.load().digest(), source, "song2020", Limits(60.0))
    parcel, there = packed(job)
    assert sorted(parcel) == ["i.toml", "net.csv", "p.toml"]
    assert base64.b64decode(parcel["net.csv"]) == (tmp_path / "data" / "real.csv").read_bytes()
    assert there.file == "i.toml"
    (tmp_path / "cores").mkdir()
    (tmp_path / "cores" / "csram_000.mem").write_text("root:x:0:0\n")
    (tmp_path / "i.toml").write_text(text + '"cores"\n')
    with pytest.raises(InputError, match="cores"):
        packed(job)


def test_an_instance_that_is_gone_or_torn_since_the_run_began_is_run_again(tmp_path):
    """One that was wrong from the beginning is an error, and stays one."""
    network = tmp_path / "n.csv"
    network.write_text("source,target\na,b\nb,c\n")
    source = Source(file=str(write_tiny(tmp_path, "n.csv")))
    job = Job("i", source.load().digest(), source, "song2020", Limits(60.0))
    platform = tmp_path / "p.toml"
    whole = {file: file.read_text() for file in (network, platform, Path(source.file or ""))}
    for file, text in whole.items():
        for change in (file.unlink, lambda file=file: file.write_text("name =")):
            change()
            ended = runner(job, threading.Event())
            assert ended.row is not None
            assert ended.row["status"] == CRASHED
            assert "changed since the run began" in ended.row["reason"]
            file.write_text(text)
    ended = run_child(job, threading.Event())
    assert ended.row is not None
    assert ended.row["check"] == "ok"
    network.unlink()
    ended = run_child(job, threading.Event())
    assert ended.row is not None
    assert (ended.row["status"], ended.row["check"]) == (CRASHED, "not_run")
    network.write_text("source,target\na,b\nb\n")
    wrong = replace(job, digest=source.load().digest())
    with pytest.raises(InputError, match=r"n\.csv"):
        runner(wrong, threading.Event())
    ended = run_child(wrong, threading.Event())
    assert ended.row is not None
    assert ended.row["status"] == "error"


def test_a_method_or_mapping_that_changed_since_the_run_began_is_noticed(tmp_path, request):
    """Its key names the content that it had: what another one does would stand under it."""
    instance = write_tiny(tmp_path)
    source, file = Source(file=str(instance)), tmp_path / "m.py"
    text = 'import optmap.methods\noptmap.methods.register("changing", binding="round-robin")\n'
    file.write_text(text)
    load_method_file(file)
    request.addfinalizer(lambda: METHODS.pop("changing"))
    sent = Job("i", source.load().digest(), source, "changing", Limits(60.0), str(file)).to_json()
    assert Job.from_json(sent).load_method().name == "changing"
    file.write_text(text + "# another\n")
    ended = run_child(Job.from_json(sent), threading.Event())
    assert ended.row is not None
    assert (ended.row["status"], ended.row["reason"]) == (
        CRASHED,
        f"{file}: changed since the run began",
    )
    file.unlink()
    with pytest.raises(ChangedError, match="changed since the run began"):
        Job.from_json(sent).load_method()

    loaded = source.load()
    ran = runner(Job("i", loaded.digest(), source, "song2020", Limits(60.0)), threading.Event())
    assert ran.row is not None
    given = tmp_path / "given.json"
    given.write_text(dumps(ran.row["mapping"]))
    _, _, mapping = read_document(given, loaded)
    job = Job(
        *("i", loaded.digest(), source, "given", Limits(60.0)),
        mapping_file=str(given),
        mapping_digest=content_digest(mapping),
    )
    assert content_digest(job.load_mapping(loaded)) == content_digest(mapping)
    for other in (replace(job, mapping_digest="0"), replace(job, mapping_file="gone.json")):
        with pytest.raises(ChangedError, match="changed since the run began"):
            other.load_mapping(loaded)


def test_an_instance_that_changed_since_the_run_began_is_noticed(tmp_path):
    """By the child and here, whichever of its files it is; the next call runs the row again."""
    source = Source(file=str(write_tiny(tmp_path)))
    job = Job("i", source.load().digest(), source, "song2020", Limits(60.0))
    ended = run_child(job, threading.Event()), runner(job, threading.Event())
    assert [one.row["check"] for one in ended if one.row] == ["ok", "ok"]
    platform = tmp_path / "p.toml"
    platform.write_text(platform.read_text().replace("rows = 6", "rows = 7"))
    for one in (run_child(job, threading.Event()), runner(job, threading.Event())):
        row, attached = finish(job, one)
        assert (row.status, row.check, attached) == (CRASHED, "not_run", {})
        assert f"{source.file}: changed since the run began" in row.reason
    with Store.opened(tmp_path / "run") as store:
        store.append(row.to_json(), {})
    with Store.opened(tmp_path / "run") as store:
        assert not store.rows
