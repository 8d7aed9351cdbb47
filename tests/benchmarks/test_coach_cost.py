"""The benchmark of the coach measures a share of one run's own time."""

from gan_core.benchmarks import coach_cost
from tests.support.trainers import settings, uncompiled


def test_the_coach_s_share_is_of_the_run_that_it_looks_at():
    config = settings(data="ring")
    result = coach_cost.run(0.5, config, uncompiled(config))
    assert result["steps"] > 1 and 0 < result["share"] < 1 and result["full_look_ms"] > 0
    assert " % of the training time of ring" in coach_cost.as_text(result)
