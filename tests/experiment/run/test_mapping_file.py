"""A mapping file is read whole or refused in one line that names what is wrong with it."""

import json

import pytest

from optmap.errors import InputError
from optmap.experiment.run.mapping_file import document, read_document
from optmap.experiment.run.source import Source
from optmap.flow import run
from optmap.methods import METHODS
from optmap.model.outcome import Limits

PLATFORM = (
    'schema = 1\nname = "tiny"\n[interconnect]\nkind = "mesh"\nwidth = 2\nheight = 1\n'
    "[[tiles]]\nrows = 6\ncolumns = 4\n[time]\nevent_ticks = 1\n"
)


@pytest.fixture
def file(tmp_path):
    (tmp_path / "p.toml").write_text(PLATFORM)
    source = Source(network="gen:mlp-9-4-2", platform=str(tmp_path / "p.toml"))
    instance = source.load()
    method = METHODS["song2020-tree"]
    done = run(method, instance.snn, instance.platform, "dataflow", Limits(), lambda _: None)
    content = document(done.mapping, "i", source, instance.digest(), method.name)
    (tmp_path / "m.json").write_text(json.dumps(content))
    return tmp_path / "m.json"


def test_what_was_written_is_read(file):
    data, instance, mapping = read_document(file)
    assert data["method"] == "song2020-tree"
    assert len(mapping.clustering.cluster_of) == mapping.decomposition.network.num_units
    assert instance.platform.name == "tiny"


@pytest.mark.parametrize(
    ("change", "field", "found"),
    [
        (lambda d: d.update(mappings=1), "mappings", "unknown field"),
        (lambda d: d.update(schema=2), "schema", "2"),
        (lambda d: d.update(source=3), "source", "3"),
        (lambda d: d["source"].update(colour=3), "source.colour", "unknown field"),
        (lambda d: d["source"].pop("platform"), "source", "platform"),
        (lambda d: d["source"].update(platform="away/p.toml"), "source.platform", "not there"),
        (lambda d: d["source"].update(network="net.nir"), "source.network", "not there"),
        (lambda d: d.update(digest="0"), "digest", "'0'"),
        (lambda d: d["mapping"].update(tile_of=[10**30] * 3), "tile_of", "1e+30"),
        (lambda d: d["mapping"].update(tile_of=[0, -4]), "tile_of", "cluster 1 on tile -4"),
        (lambda d: d["mapping"].update(cluster_of=[0, 0.5]), "cluster_of", "0.5 at place 1"),
        (lambda d: d["mapping"].update(orders=[[1], [0, 1]]), "orders", "1 is named twice, on ti"),
        (
            lambda d: d["mapping"].update(orders=[[1, 1], [0]]),
            "orders",
            "1 is named twice, on tile 0",
        ),
        (lambda d: d["mapping"].update(orders=[[], [0, -1]]), "orders", "cluster -1 on tile 1 is"),
        (
            lambda d: d["mapping"].update(sends=[[]]),
            "orders",
            "send orders for 1 tiles, not 2",
        ),
        (
            lambda d: d["mapping"].update(sends=[[[0, 1], [0, 1]], []]),
            "orders",
            "channel 0 -> 1 is",
        ),
    ],
)
def test_what_is_wrong_is_named(file, change, field, found):
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))
    with pytest.raises(InputError) as caught:
        read_document(file)
    assert (caught.value.where, caught.value.field) == (str(file), field)
    assert found in caught.value.found
    assert "\n" not in str(caught.value)


def bare(file):
    data = json.loads(file.read_text())
    (file.parent / "bare.json").write_text(json.dumps(data["mapping"]))
    return file.parent / "bare.json"


def test_a_bare_mapping_is_read_with_its_instance_and_refused_without(file):
    wrapped, instance, mapping = read_document(file)
    _, again, same = read_document(bare(file), instance)
    assert again is instance
    assert same.clustering == mapping.clustering
    assert same.orders == mapping.orders
    assert read_document(file, instance)[0] == wrapped
    with pytest.raises(InputError, match="a wrapped mapping, or its instance"):
        read_document(bare(file))
    other = Source(network="gen:mlp-9-4-3", platform=str(file.parent / "p.toml")).load()
    with pytest.raises(InputError, match="digest"):
        read_document(file, other)


def test_paths_are_seen_from_the_files_own_folder(file, tmp_path, monkeypatch):
    data = json.loads(file.read_text())
    away = tmp_path / "away"
    away.mkdir()
    source = Source.from_json(data["source"])
    monkeypatch.chdir(tmp_path)
    near = Source(network=source.network, platform="p.toml").relative_to(away)
    assert near.platform == "../p.toml"
    assert near.network == source.network
    (away / "m.json").write_text(json.dumps(data | {"source": near.to_json()}))
    monkeypatch.chdir("/")
    _, instance, _ = read_document(away / "m.json")
    assert instance.platform.name == "tiny"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m["cluster_of"].pop(), ": unit 13 has none"),
        (lambda m: m["cluster_of"].append(0), ": there is no unit 14"),
        (lambda m: m["tile_of"].pop(), ": cluster 4 has none"),
        (lambda m: m["cluster_of"].__setitem__(0, 9), "cluster"),
    ],
)
def test_what_does_not_fit_is_named(file, change, said):
    _, instance, _ = read_document(file)
    data = json.loads(file.read_text())["mapping"]
    change(data)
    (file.parent / "bare.json").write_text(json.dumps(data))
    with pytest.raises(InputError) as caught:
        read_document(file.parent / "bare.json", instance)
    assert said in str(caught.value)
