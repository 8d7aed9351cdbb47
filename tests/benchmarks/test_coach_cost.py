"""The benchmark of the coach measures a share of one run's own time."""

from gan_core.benchmarks import coach_cost
from gan_core.recording import coaching
from tests.support.trainers import settings, uncompiled


def test_the_coach_s_share_is_of_the_run_that_it_looks_at(monkeypatch):
    monkeypatch.setattr(coaching, "EVERY_SECONDS", 0.0)  # it looks as often as it may, however slow the machine is
    monkeypatch.setattr(coaching, "SHARE", 1.0)
    config = settings(data="ring")
    result = coach_cost.run(0.5, config, uncompiled(config))
    assert result["steps"] > 1 and 0 < result["share"] < 1 and result["full_look_ms"] > 0
    assert " % of the training time of ring" in coach_cost.as_text(result)
