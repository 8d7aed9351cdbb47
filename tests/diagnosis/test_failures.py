"""The failures: settings, criterion and cure go together; one fails and heals before our eyes. `benchmark failures`
proves all of them over ten seeds."""

import pytest

from gan_core.benchmarks.failure_runs import CURED, FAILING, FailureRun
from gan_core.diagnosis import facts
from gan_core.diagnosis.conditions import Condition
from gan_core.diagnosis.failures import FAILURES, config_named
from gan_core.diagnosis.findings import FINDINGS
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.settings.presets import PRESETS
from pages.ui.session import page_state


@pytest.mark.parametrize("name", FAILURES)
def test_a_row_is_whole(name):
    row = FAILURES[name]
    Condition.read(row.criterion, facts.names())
    assert row.findings and set(row.findings) <= set(FINDINGS)
    assert row.cured != row.config and row.cured.seed == row.config.seed
    assert name not in PRESETS and row.title not in [other.title for key, other in FAILURES.items() if key != name]
    assert row.why.count(". ") == 1, "two sentences"
    assert config_named(name) == row.config


def test_an_unknown_name_is_refused_with_those_that_there_are():
    with pytest.raises(ConfigError, match=r"no preset 'mode-colapse'; there are: ring, .*mode-collapse"):
        config_named("mode-colapse")


def test_one_fails_and_its_cure_does_not():
    failing, cured = (
        FailureRun("failures", "vanishing-gradient", kind, 0, 1_500, (None,)).done_by(None) for kind in (FAILING, CURED)
    )
    assert not failing.problem and not cured.problem
    assert failing.rows[0]["failed"] and not cured.rows[0]["failed"]
    found = [names for _, names in failing.rows[0]["found"]]
    assert "discriminator_wins" in found[-1]
    assert not any("discriminator_wins" in names for _, names in cured.rows[0]["found"])


def test_a_link_opens_a_failure(monkeypatch):
    monkeypatch.setattr(page_state.st, "query_params", {"preset": "mode-collapse", "seed": "7"})
    config, problems = page_state._from_url("points")
    assert config == FAILURES["mode-collapse"].config.updated({"seed": 7}) and not problems
