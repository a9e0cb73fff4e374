"""``verify`` finds each forgery of a row although checksums, chain and tables were repaired."""

import pytest
from forged_run import EDITED, claim_of, edit, forged, problems, row_problems


def move_unit(row, mapping):
    labels = mapping["mapping"]["cluster_of"]
    home = max(set(labels), key=labels.count)
    away = next(k for k in labels if k != home)
    labels[labels.index(home)] = away


def swap_order(row, mapping):
    orders = mapping["mapping"]["orders"]
    longest = max(orders, key=len)
    longest.reverse()


def drop_from_order(row, mapping):
    max(mapping["mapping"]["orders"], key=len).pop()


def move_cluster(row, mapping):
    tiles = mapping["mapping"]["tile_of"]
    tiles[0] = 1 - tiles[0]


def raise_claim(row, mapping):
    claim_of(row, "traffic")["value"] += 1


def raise_bound(row, mapping):
    claim_of(row, "clusters")["bound"] += 1


def lower_bound_of_an_optimum(row, mapping):
    claim_of(row, "clusters")["bound"] = 0


def raise_computed_bound(row, mapping):
    row["bounds"][0]["value"] += 1


def lower_metric(row, mapping):
    row["metrics"]["spike_hops"] -= 1


def halve_period(row, mapping):
    row["metrics"]["period"] = "1/2"


def change_hash(row, mapping):
    row["digest"] = mapping["digest"] = "0" * 64


def change_method(row, mapping):
    mapping["method"] = "milp"


def spoil_certificate(row, mapping):
    row["certificates"] = [{"true": False}]


def certify_a_word(row, mapping):
    claim = claim_of(row, "traffic")
    claim["bound"], claim["status"], claim["grade"] = claim["value"], "optimal", "certified"
    claim["scope"].pop("max_clusters")


def widen_to_every_mapping(row, mapping):
    claim_of(row, "period")["scope"] = {}


def widen_to_the_clustering(row, mapping):
    claim_of(row, "period")["scope"] = {"clustering": row["place"]["clustering"]}


def widen_to_prologues(row, mapping):
    claim_of(row, "period")["scope"].pop("prologue")


def lower_a_bound(row, mapping):
    claim = claim_of(row, "spike_hops")
    claim["bound"], claim["status"], row["status"] = 0, "feasible", "feasible"


def raise_a_bound_of_a_worse_mapping(row, mapping):
    """Claim less than was reached, and a bound between that and the truth."""
    claim = claim_of(row, "tile_load_max")
    claim["value"] = claim["evaluated"] = claim["value"] + 40
    claim["bound"] = claim["bound"] + 20
    claim["status"] = row["status"] = "feasible"
    claim["trace"] = []


def float_metric(row, mapping):
    row["metrics"]["clusters"] = float(row["metrics"]["clusters"])


def bool_metric(row, mapping):
    row["metrics"]["tiles_used"] = True


def lose_a_metric(row, mapping):
    del row["metrics"]["latency"]


def another_method(row, mapping):
    row["method"] = mapping["method"] = "overlap"


def unknown_method(row, mapping):
    row["method"] = mapping["method"] = "magic"


def another_seed(row, mapping):
    row["seed"] = 7


def another_limit(row, mapping):
    row["limit_s"] = 3600.0


def another_key(row, mapping):
    row["code_version"] = "0123456789ab"


def another_instance_name(row, mapping):
    row["instance"] = mapping["instance"] = "lenet"


def turn_into_a_timeout(row, mapping):
    row["status"] = "timeout_hard"
    row["check"] = "not_run"


def turn_into_a_violation(row, mapping):
    row["check"], row["reason"] = "violation", "made up"


def turn_into_a_mismatch(row, mapping):
    row["check"], row["reason"] = "mismatch", "made up"


def an_unknown_word(row, mapping):
    row["status"] = "splendid"


def a_trace_that_proved_more(row, mapping):
    claim_of(row, "clusters")["trace"] = [[0.1, 9, 9]]


def hide_a_prologue(row, mapping):
    orders = mapping["mapping"]["orders"]
    mapping["mapping"]["offsets"] = [[0] * len(order) for order in orders]
    longest = max(range(len(orders)), key=lambda t: len(orders[t]))
    mapping["mapping"]["offsets"][longest] = [1] * len(orders[longest])


def forget_claims(row, mapping):
    row["status"] = "optimal"
    row["claims"] = []


def rename_decomposition(row, mapping):
    row["decomposition"] = "custom"


def borrow_units(row, mapping):
    row["place"]["units"] = "units for which somebody proved more"


def borrow_clustering(row, mapping):
    row["place"]["clustering"] = "a clustering for which somebody proved more"


def shrink_network(row, mapping):
    row["network"]["neurons"] -= 1


def hide_from_the_judge(row, mapping):
    row["check"] = "not_run"


def drop_all_claims(row, mapping):
    row["claims"] = None


FORGERIES = [
    move_unit,
    swap_order,
    drop_from_order,
    move_cluster,
    raise_claim,
    raise_bound,
    lower_bound_of_an_optimum,
    raise_computed_bound,
    lower_metric,
    halve_period,
    change_hash,
    change_method,
    spoil_certificate,
    certify_a_word,
    widen_to_every_mapping,
    widen_to_the_clustering,
    widen_to_prologues,
    lower_a_bound,
    raise_a_bound_of_a_worse_mapping,
    float_metric,
    bool_metric,
    lose_a_metric,
    another_method,
    unknown_method,
    another_seed,
    another_limit,
    another_key,
    another_instance_name,
    turn_into_a_timeout,
    turn_into_a_violation,
    turn_into_a_mismatch,
    an_unknown_word,
    a_trace_that_proved_more,
    hide_a_prologue,
    forget_claims,
    rename_decomposition,
    borrow_units,
    borrow_clustering,
    shrink_network,
    hide_from_the_judge,
    drop_all_claims,
]


@pytest.mark.parametrize("change", FORGERIES)
def test_each_forgery_is_found(run, change):
    assert row_problems(run, forged(run, change), again=change is lower_a_bound)


@pytest.mark.parametrize("change", [move_unit, raise_claim, widen_to_the_clustering])
def test_a_forgery_is_found_although_checksums_chain_and_tables_fit(run, change):
    edit(run, change)
    found = [problem for problem in problems(run) if EDITED not in problem]
    assert found
    assert not any("checksum" in problem or "manifest" in problem for problem in found)
