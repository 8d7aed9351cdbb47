"""`benchmark failures` and `benchmark coach`: what they print, and what they refuse."""

import json

import pytest

from gan_core import __main__ as command_line
from gan_core.benchmarks import failures_and_coach
from gan_core.benchmarks.failure_runs import FailureRun
from gan_core.diagnosis.failures import FAILURES
from gan_core.settings.presets import PRESETS


def said(capsys, *arguments):
    status = command_line.main(["benchmark", *arguments, "--json"])
    out, err = capsys.readouterr()
    return status, json.loads(out) if out else None, err


def test_a_failure_is_proved(capsys):
    status, result, _ = said(capsys, "failures", "--rows", "blow-up", "--seeds", "1")
    (row,) = result["rows"]
    assert status == 0 and result["benchmark"] == "failures"
    assert {key: row[key] for key in ("name", "seeds", "failed", "criterion")} == {
        "name": "blow-up",
        "seeds": 1,
        "failed": 1,
        "criterion": FAILURES["blow-up"].criterion,
    }
    assert row["healed"] == sum(not run["failed"] for run in row["cured_runs"])
    assert row["seconds"] == max(run["seconds"] for run in (*row["failing_runs"], *row["cured_runs"])) > 0
    assert "blow-up" in failures_and_coach.as_text(result)


def test_the_coach_is_measured(capsys, monkeypatch):
    monkeypatch.setattr(failures_and_coach, "HEALTHY_STEPS", {"points": 600, "images": 60})
    status, result, _ = said(capsys, "coach", "--rows", "blow-up,gaussian", "--seeds", "1")
    failing, healthy = result["rows"]
    assert status == 0 and result["recall"] == 1.0
    assert (failing["named"], failing["findings"], failing["named_at"] < 1 / 3) == (1, ["diverged"], True)
    assert (healthy["name"], healthy["seeds"], healthy["false_alarms"]) == ("gaussian", 1, 0)
    assert "first third" in failures_and_coach.as_text(result)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("failures", "--rows", "sadness"), "There is no failure 'sadness'; there are: mode-collapse"),
        (("coach", "--rows", "sadness"), "There is no failure or healthy preset 'sadness'"),
        (("failures", "--steps", "5"), "--steps is not accepted"),
        (("coach", "--recipes", "wgan"), "--recipes is not accepted"),
        (("modes", "--rows", "ring"), "--rows is for benchmark failures and coach"),
    ],
)
def test_what_is_refused(capsys, arguments, words):
    status, result, err = said(capsys, *arguments)
    assert status == 2 and result is None and words in err


def test_every_run_has_settings():
    for name in FAILURES:
        assert FailureRun("failures", name, "failing", 3, 1, (None,)).config["seed"] == 3
    assert set(failures_and_coach.HEALTHY_PRESETS) <= set(PRESETS)
