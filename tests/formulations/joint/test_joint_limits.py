"""Models of the joint problem are given up, or not begun, where the limit leaves no time."""

from __future__ import annotations

import pytest
from scheduling_instances import random_instance

from formulations.joint import benders as joint_benders
from formulations.joint import search as joint_search
from formulations.joint.sets import JointSets
from formulations.ordering.cpsat_model import OrderModel
from formulations.ordering.cpsat_model_prologue import PrologueModel
from formulations.ordering.sets import OrderSets, best_start
from formulations.solvers import stopwatch
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.mapping import Binding
from optmap.model.outcome import Limits, Status


@pytest.mark.parametrize("prologue", [False, True])
def test_no_model_of_orders_is_finished_after_the_limit(prologue: bool, monkeypatch):
    case, binding = random_instance(7, most_clusters=5), Binding([0, 0, 0, 1, 0])
    whole = OrderSets(case.graph, case.platform, binding)
    target = best_start(whole, prologue, True, None)[1] - 1
    assert whole.floor <= target  # so that only a model can say
    monkeypatch.setattr(OrderModel, "build", lambda self: pytest.fail("built"))
    monkeypatch.setattr(PrologueModel, "build", lambda self: pytest.fail("built"))
    sets, late = JointSets(case.graph, case.platform), Stopwatch(Limits(1e-9))
    subproblem = joint_benders.OrderSubproblem(sets, prologue, 1, late)
    assert subproblem.test(whole, target) == (Status.UNKNOWN, None)
    search = joint_search.JointSearch(sets, late, prologue, workers=1)
    assert search._orders_of(binding, target, 1.0).status is Status.UNKNOWN


def test_a_model_is_built_if_the_share_of_a_core_so_far_suffices(monkeypatch):
    at = {"now": 0.0, "busy": 0.0}
    monkeypatch.setattr(stopwatch, "now", lambda: at["now"])
    monkeypatch.setattr(stopwatch, "busy", lambda: at["busy"])
    monkeypatch.setattr(stopwatch, "is_counted", lambda: False)
    monkeypatch.setattr(JointSets, "seconds_to_build", lambda self, part: 4.0 * part)
    case = random_instance(7, most_clusters=5)
    sets = JointSets(case.graph, case.platform)
    search = joint_search.JointSearch(sets, Stopwatch(Limits(10.0), 0.0, made=(0.0, 0.0)))
    at.update(now=4.0, busy=4.0)  # a core of its own: 6 seconds are left
    assert search._leaves_time_for(1.0)
    at.update(busy=2.0)  # half a core: 3
    assert not search._leaves_time_for(1.0)
    assert search._leaves_time_for(0.5)
