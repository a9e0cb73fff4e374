"""Puts this folder on the path, so that tests can ``import oracles``; quiet property tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Machines are shared: no deadline. Derandomised, so that a green run stays green.
settings.register_profile(
    "optmap",
    deadline=None,
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("optmap")
