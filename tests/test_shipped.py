"""Instances and platforms by name: a file of the user's own comes first, a wrong name is said."""

import pytest

from optmap.errors import InputError
from optmap.instance import assemble, load
from optmap.methods import METHODS
from optmap.shipped import (
    did_you_mean,
    instance_file,
    is_instance,
    platform_file,
    platform_of_network,
    shipped_instances,
    shipped_platforms,
)


def test_names_stand_for_the_shipped_files():
    assert load("filter_8").digest() == load("instances/filter_8.toml").digest()
    named = assemble("gen:mlp-3-2", "dynap_se")
    by_path = assemble("gen:mlp-3-2", "instances/platforms/dynap_se.toml")
    assert named.digest() == by_path.digest()
    assert {"filter_8", "mlp_tiny"} <= set(shipped_instances())
    assert {"dynap_se", "loihi_like"} <= set(shipped_platforms())


def test_a_file_of_that_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert is_instance("filter_8")
    (tmp_path / "filter_8").write_text("0 1\n")
    (tmp_path / "dynap_se").write_text("schema = 1\n")
    assert not is_instance("filter_8")
    assert instance_file("filter_8").resolve().parent == tmp_path
    assert platform_file("dynap_se").resolve().parent == tmp_path


def test_a_name_that_is_nearly_right_is_offered_the_right_one():
    with pytest.raises(InputError, match="did you mean 'dynap_se'"):
        platform_file("dynapse")
    with pytest.raises(InputError, match="did you mean 'filter_16'"):
        load("filter16")
    with pytest.raises(InputError, match="No such file"):
        load("filter16.toml")


def test_a_name_that_is_far_from_all_is_offered_none():
    assert not did_you_mean("nope", [*METHODS, *shipped_platforms()])


@pytest.mark.parametrize(
    ("network", "said"),
    [("filter8", "did you mean 'filter_8'"), ("gen:mlp-3-2", "--platform: found nothing")],
)
def test_a_network_without_platform_is_told_what_is_missing(network: str, said: str):
    assert platform_of_network(network, "dynap_se") == "dynap_se"
    with pytest.raises(InputError, match=said):
        platform_of_network(network, None)
