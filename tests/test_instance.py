"""The instance file: what it names, where it looks, and one line for what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from optmap.errors import InputError
from optmap.instance import Instance, assemble, instance_files, load

PLATFORM = (
    'schema = 1\nname = "p"\n[interconnect]\nkind = "mesh"\nwidth = 2\nheight = 1\n'
    "[[tiles]]\nrows = 4\ncolumns = 4\n"
)
EDGES = "source,target,weight\n0,2,1\n1,2,0\n0,3,2\n"
FILE = """
schema = 1
name = "small"
network = "net.csv"
platform = "platforms/p.toml"
tokens = "pipelined"
keep_zero_weights = true
set = "all"

[origin]
text = "made by hand"
licence = "MIT"
seed = 0

[provenance]
accuracy = 0.975
reset = "subtract"
recorded = true
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes an instance file beside its network and platform."""
    (tmp_path / "platforms").mkdir()
    (tmp_path / "platforms" / "p.toml").write_text(PLATFORM)
    (tmp_path / "net.csv").write_text(EDGES)

    def write(text: str) -> Path:
        file = tmp_path / "small.toml"
        file.write_text(text)
        return file

    return write


def test_an_instance_file_names_network_platform_and_origin(written):
    file = written(FILE)
    instance = load(file)
    assert (instance.name, instance.tokens, instance.in_default_set) == (
        "small",
        "pipelined",
        False,
    )
    assert instance.network == str(file.parent / "net.csv")
    assert instance.platform.num_tiles == 2
    assert instance.platform_file == file.parent / "platforms" / "p.toml"
    assert instance.file == file
    assert dict(instance.origin) == {"text": "made by hand", "licence": "MIT", "seed": "0"}
    assert dict(instance.provenance) == {
        "accuracy": "0.975",
        "reset": "subtract",
        "recorded": "True",
    }
    assert instance.snn.num_synapses == 3
    assert instance.snn is instance.snn


def test_what_is_not_said_has_a_default_and_zero_weights_go(written):
    lines = ("tokens", "keep_zero", "set =")
    bare = "\n".join(r for r in FILE.splitlines() if not r.startswith(lines))
    instance = load(written(bare.partition("[origin]")[0]))
    assert (instance.tokens, instance.in_default_set) == ("dataflow", True)
    assert instance.snn.num_synapses == 2
    assert dict(instance.origin) == {}


def test_generated_networks_need_no_file(written):
    instance = load(written(FILE.replace("net.csv", "gen:mlp-3-2")))
    assert instance.network == "gen:mlp-3-2"
    assert instance.snn.num_neurons == 5


def test_a_network_is_read_when_it_is_asked_for_and_its_faults_told_then(written):
    file = written(FILE)
    (file.parent / "net.csv").write_text("source,target\n0\n")
    instance = load(file)
    with pytest.raises(InputError) as error:
        _ = instance.snn
    assert "net.csv" in error.value.where


BAD = [
    ("schema = 1", "schema = 9", "schema", "9"),
    ("schema = 1", "", "schema", "nothing"),
    ('name = "small"', 'name = ""', "name", "''"),
    ('name = "small"', 'name = "a/b"', "name", "'a/b'"),
    ('name = "small"', 'name = "a,b"', "name", "'a,b'"),
    ('name = "small"', 'name = "a\\u0000b"', "name", "'a\\x00b'"),
    ('name = "small"', 'name = "a\\rb"', "name", "'a\\rb'"),
    ('network = "net.csv"', "", "network", "nothing"),
    ("net.csv", "net.nir", "network", "'net.nir', which does not exist"),
    ("net.csv", "", "network", "''"),
    ("net.csv", "a\\u0000b", "network", "does not exist"),
    ("platforms/p.toml", "p.toml", "platform", "'p.toml', which does not exist"),
    ('"pipelined"', '"none"', "tokens", "'none'"),
    ('"pipelined"', "1", "tokens", "1"),
    ("weights = true", "weights = 1", "keep_zero_weights", "1"),
    ('set = "all"', 'set = "some"', "set", "'some'"),
    ('set = "all"', 'spikes = "none.npz"', "spikes", "'none.npz', which does not exist"),
    ('set = "all"', "colour = 1", "colour", "an unknown field"),
    ("seed = 0", "seed = [0]", "origin.seed", "list"),
    ("accuracy = 0.975", "accuracy = 2020-01-01", "provenance.accuracy", "date"),
    ("[origin]", "[[origin]]", "origin", "[{"),
]


@pytest.mark.parametrize(("old", "new", "field", "found"), BAD)
def test_a_bad_field_gives_one_line(written, old: str, new: str, field: str, found: str):
    assert FILE.count(old) == 1
    file = written(FILE.replace(old, new))
    with pytest.raises(InputError) as error:
        load(file)
    assert (error.value.where, error.value.field) == (str(file), field)
    assert found in error.value.found
    assert len(str(error.value).splitlines()) == 1


def test_a_bad_platform_is_named_by_its_own_file(written):
    file = written(FILE)
    platform = file.parent / "platforms" / "p.toml"
    platform.write_text(PLATFORM.replace("rows = 4", "rows = 1"))
    with pytest.raises(InputError) as error:
        load(file)
    assert (error.value.where, error.value.field) == (str(platform), "tiles[0].rows")


def test_the_digest_sees_whatever_can_change_a_result(written):
    file = written(FILE)
    base = load(file)
    digest = base.digest()
    assert load(file).digest() == digest
    assert replace(base, name="other", provenance={}).digest() == digest
    assert replace(base, tokens="dataflow").digest() != digest
    assert replace(base, keep_zero_weights=False).digest() != digest
    assert replace(base, platform=replace(base.platform, hop_ticks=9)).digest() != digest
    assert replace(base, network="gen:mlp-3-2").digest() != digest
    spikes = file.parent / "spikes.csv"
    spikes.write_text("0,1\n")
    with_spikes = replace(base, spikes=spikes)
    first = with_spikes.digest()
    spikes.write_text("0,2\n")
    assert len({digest, first, with_spikes.digest()}) == 3
    (file.parent / "net.csv").write_text(EDGES + "1,3,1\n")
    assert load(file).digest() != digest


def test_a_large_file_is_read_before_it_is_hashed(written, tmp_path, monkeypatch):
    (tmp_path / "net.csv").write_text("what is no network")
    instance = load(written(FILE))
    assert instance.digest()
    monkeypatch.setattr("optmap.instance.LARGE", 10)
    with pytest.raises(InputError, match=r"net\.csv"):
        instance.digest()


def test_a_name_longer_than_a_file_may_have_has_a_digest(written):
    network = "gen:mlp-" + "-".join(["1"] * 3_000)
    instance = load(written(FILE.replace("net.csv", network)))
    assert instance.digest() != load(written(FILE.replace("net.csv", "gen:mlp-1"))).digest()


def test_the_digest_of_a_folder_sees_its_files(written):
    file = written(FILE)
    folder = file.parent / "cores"
    folder.mkdir()
    (folder / "csram_0.mem").write_text("1")
    base = replace(load(file), network=str(folder))
    digest = base.digest()
    (folder / "tc_0.mem").write_text("2")
    assert base.digest() != digest
    (folder / "deep").mkdir()
    (folder / "deep" / "huge.mem").write_text("not looked at")
    assert base.digest() == replace(base).digest() != digest
    (folder / "csram_0.mem").unlink()
    with pytest.raises(InputError, match="a folder without csram"):
        base.digest()
    with pytest.raises(InputError):
        replace(base, network=str(folder / "gone")).digest()


def test_files_outside_the_folder_are_read_only_when_asked_for(written, tmp_path):
    file = written(FILE)
    secret = tmp_path / "secret.csv"
    secret.write_text("root:x:0\n")
    inner = file.parent / "inner"
    inner.mkdir()
    (inner / "link.csv").symlink_to(secret)
    (inner / "p.toml").write_text((file.parent / "platforms" / "p.toml").read_text())
    head = 'schema = 1\nname = "x"\n'
    for where in ("../../secret.csv", "../secret.csv", str(secret), "link.csv"):
        if not (inner / where).exists():
            continue
        text = f'{head}network = "{where}"\nplatform = "p.toml"\n'
        (inner / "i.toml").write_text(text)
        with pytest.raises(InputError, match="outside its folder") as caught:
            load(inner / "i.toml")
        assert "root:x" not in str(caught.value)
        outside = load(inner / "i.toml", allow_outside=True)
        assert Path(outside.network).resolve() == secret.resolve()
    (inner / "i.toml").write_text(
        f'{head}network = "gen:mlp-3-2"\nplatform = "../platforms/p.toml"\n'
    )
    with pytest.raises(InputError, match="--allow-outside"):
        load(inner / "i.toml")


def test_how_to_read_is_part_of_the_instance(written):
    table = '\n[reading]\ncolumns = "1,2"\nspike_window = 20\n'
    told, plain = load(written(FILE + table)), load(written(FILE))
    assert told.reading.columns == ("1", "2")
    assert told.reading.spike_window == 20
    assert told.digest() != plain.digest()
    for bad, found in (('columns = 1', "columns"), ('spike_axes = "TT"', "spike_axes"),
                       ("spike_window = 0", "spike_window"), ('shape = "x"', "shape")):  # fmt: skip
        with pytest.raises(InputError, match=found):
            load(written(FILE + "\n[reading]\n" + bad + "\n"))


def test_an_instance_without_a_file(written):
    file = written(FILE)
    network, platform = str(file.parent / "net.csv"), str(file.parent / "platforms" / "p.toml")
    instance = assemble(network, platform, "pipelined", keep_zero_weights=True)
    assert (instance.name, instance.file) == ("net", None)
    assert instance.digest() == load(file).digest()
    assert assemble("gen:mlp-3-2", platform).snn.num_neurons == 5
    with pytest.raises(InputError, match="no such file"):
        assemble(network + "x", platform)
    with pytest.raises(InputError):
        assemble(network, platform + "x")
    with pytest.raises(ValueError, match="token mode"):
        assemble(network, platform, "some")


def test_files_and_folders_of_instances(written, tmp_path: Path):
    file = written(FILE)
    other = tmp_path / "another.toml"
    other.write_text("")
    assert instance_files([tmp_path]) == [other, file]
    assert instance_files([file]) == [file]
    empty = tmp_path / "empty"
    empty.mkdir()
    for path in (empty, tmp_path / "gone"):
        with pytest.raises(InputError) as error:
            instance_files([file, path])
        assert error.value.where == str(path)


def test_every_shipped_instance_loads():
    folder = Path(__file__).parents[1] / "instances"
    for file in sorted(folder.glob("*.toml")):
        instance = load(file)
        assert isinstance(instance, Instance)
        assert instance.origin, f"{file.name} does not say where it comes from"
