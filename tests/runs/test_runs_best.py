"""The best moment of a saved run: what is said of it is true, and it is still there after opening."""

import json
import shutil
from pathlib import Path

import pytest

from gan_core.recording import recorder
from gan_core.runs import run_reading
from gan_core.scores import registry

FINISHED = Path(run_reading.__file__).parents[1] / "finished"
NAMES = sorted(path.parent.name for path in FINISHED.glob("*/config.json"))


@pytest.mark.parametrize("name", NAMES)
def test_no_recorded_score_of_a_finished_run_is_better_than_its_best(name):
    recording = run_reading.opened(FINISHED / name, checkpoints=True)[1]
    best = recording.best()
    assert best is not None and recording.look(best["step"])["at"] == best["step"] == recording.frames.kept
    values = recording.scores_at(best["step"])
    main = registry.main_score(values)
    assert main is not None and values["step"] == best["step"]
    assert not [
        step
        for step, other in zip(recording.scores.steps, recording.scores.items, strict=True)
        if registry.better(other, values, main)
    ]


def test_the_best_checkpoint_of_a_large_network_is_there_after_opening(monkeypatch, tmp_path):
    folder = Path(shutil.copytree(FINISHED / "ring-stalled", tmp_path / "run"))
    best = run_reading.opened(folder)[1].best()
    about = json.loads((folder / "config.json").read_text())
    row = about["checkpoints"][0]
    about["checkpoints"] = [{**row, "step": step} for step in (100, best["step"], 300, 3000)]
    (folder / "config.json").write_text(json.dumps(about))
    monkeypatch.setattr(recorder, "CHECKPOINT_BYTES", 1)  # any network is large
    assert run_reading.opened(folder, checkpoints=True)[1].checkpoints.steps == [100, best["step"], 3000]
