"""A receipt: a run that reaches a goal, trained again; and receipts that lie."""

import json

import pytest

from gan_core import __main__ as cli
from gan_core.data import loading
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.labs import checking, lab, library, receipts
from gan_core.recording.snapshot import View
from gan_core.recording.training_run import TrainingRun
from gan_core.training.trainer import Trainer

CONTENT = {
    "title": "Moons",
    "question": "Do they come?",
    "answers": ["yes", "no"],
    "settings": {
        **{"data": "moons", "g_layers": 1, "d_layers": 1, "g_units": 16, "d_units": 16, "batch_size": 32},
        **{"data_size": 500, "g_lr": 0.02, "d_lr": 0.02, "show_ema": False},
    },
    "shown": ["g_lr", "d_lr", "batch_size"],
    "look_at": "the points",
    "task": "near",
    "goal": "w1 < 30 and g_lr <= 0.001 and mean(d_loss) > -9 and step > 30",
    "within": 60,
    "changing": ["g_lr", "d_lr"],
    "reveal": "They do.",
}


@pytest.fixture(scope="module")
def moons():
    return lab.read("moons", CONTENT)


def ran(moons, start=None, changes=((20, "g_lr", 0.001),), stops=(7, 20, 33, 41)):
    """A live run that stops here and there, as a page's does, with these changes."""
    config = start or moons.start
    training = TrainingRun(Trainer(config, loading.load(config)))
    view = View(heat=False, goal=moons.goal.condition.text)
    for stop in stops:
        while training.step < stop:
            training.train(min(5, stop - training.step))
        for at, name, value in changes:
            if at == stop:
                training.set_live(training.trainer.config.updated({name: value}))
        frame = training.look(view, idle=True, scored=True)
    return frame["goal"]


@pytest.fixture(scope="module")
def reached(moons):
    return ran(moons)["reached"]


@pytest.fixture
def receipt_of(tmp_path, moons, monkeypatch):
    """Writes a receipt with other fields, its checksum made anew or left, into a file."""
    (tmp_path / "labs").mkdir()
    (tmp_path / "labs" / "moons.json").write_text(json.dumps(CONTENT))
    monkeypatch.setenv(library.VARIABLE, str(tmp_path / "labs"))

    def write(reached, forged=True, **changes):
        content = json.loads(receipts.written(moons, "yes", reached)) | changes
        if forged:
            content["checksum"] = receipts.checksum(content)
        path = tmp_path / "receipt.json"
        path.write_text(json.dumps(content))
        return str(path)

    return write


def checked(path, capsys):
    """(status, what --json says, what is said on standard error)."""
    status = cli.main(["check", path, "--json"])
    out, err = capsys.readouterr()
    return status, json.loads(out) if out else None, err


def test_the_goal_is_seen_at_the_step_of_its_scores(moons, reached):
    assert reached["step"] == 33
    assert reached["settings"] == moons.start.to_flat()
    assert reached["changes"] == [{"step": 20, "name": "g_lr", "old": 0.02, "new": 0.001}]
    assert reached["scored"] == [7, 20, 33] and reached["scores"]["step"] == 33


def test_a_receipt_is_confirmed_to_the_last_bit(reached, receipt_of, capsys):
    status, said, _ = checked(receipt_of(reached), capsys)
    assert status == 0 and said["confirmed"] and said["step"] == 33
    assert "Confirmed" in said["reason"] and "Wasserstein-1" in said["reason"]
    assert said["metrics"]["w1"] == reached["scores"]["w1"]


def test_an_edited_receipt_is_told_apart(reached, receipt_of, capsys):
    status, said, error = checked(receipt_of(reached, forged=False, step=34), capsys)
    assert status == 2 and said is None and "it was edited" in error


def test_a_false_claim_with_a_right_checksum_is_refuted_by_training(reached, receipt_of, capsys):
    claimed = receipt_of(reached, changes=[], scores={"w1": 0.01, "step": 33})
    status, said, _ = checked(claimed, capsys)
    assert status == 1 and not said["confirmed"] and "the goal is not reached" in said["reason"]
    assert said["step"] == 33 and said["metrics"]["w1"] == pytest.approx(said["metrics"]["w1"])


def test_what_the_lab_does_not_allow_is_refuted_without_training(moons, reached, receipt_of, capsys, monkeypatch):
    monkeypatch.setattr(checking, "Trainer", None)
    begun = {**reached["settings"], "batch_size": 16}
    for changes, said in (
        ({"settings": begun}, "batch_size was changed; only g_lr and d_lr may be"),
        ({"settings": {**begun, "seed": 4}, "seed": 4}, "batch_size and seed were changed"),
        ({"changes": [{"step": 5, "name": "show_ema", "value": True}]}, "show_ema was changed"),
        ({"step": 61}, "Step 61 is too late"),
        ({"prediction": "perhaps"}, "none of the lab's answers"),
    ):
        status, found, _ = checked(receipt_of(reached, **changes), capsys)
        assert status == 1 and said in found["reason"], found


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ganscope_receipt": 2}, "another version of GANscope"),
        ({"lab": "nowhere"}, "There is no lab 'nowhere'"),
        ({"lab": "../x"}, "there is no lab with the name"),
        ({"digest": "other"}, "asks for something else"),
        ({"settings": {"g_lr": "fast"}}, "g_lr"),
        ({"settings": []}, "settings must be an object"),
        ({"seed": 7}, "seed is not that"),
        ({"step": "33"}, "step must be a whole number"),
        ({"step": True}, "step must be a whole number"),
        ({"changes": [{"step": 40, "name": "g_lr", "value": 1}]}, "after the goal was reached"),
        ({"changes": [{"step": 5, "name": "batch_size", "value": 16}]}, "cannot be changed while a run trains"),
        ({"changes": [{"step": 5, "name": [], "value": 16}]}, "cannot be changed while a run trains"),
        ({"changes": [{"step": 9, "name": "g_lr", "value": 0.1}, {"step": 8, "name": "g_lr", "value": 1}]}, "step of"),
        ({"changes": [3]}, "each of its changes"),
        ({"scored": [3, 2]}, "rising steps"),
        ({"scored": list(range(300))}, "at most 240"),
        ({"scores": None}, "must be objects"),
        ({"more": 1}, "its fields are others"),
    ],
)
def test_what_cannot_be_read_gets_a_sentence(reached, receipt_of, capsys, changes, said):
    status, found, error = checked(receipt_of(reached, **changes), capsys)
    assert status == 2 and found is None and said in error and "Traceback" not in error


def test_files_that_are_no_receipts(tmp_path, nothing_is_run):
    for content, said in (
        (b"", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b"[]", "not a receipt of a lab"),
        (b'{"a": 1}', "not a receipt of a lab"),
        (b"[" * 90_000, "not valid JSON"),
        (b" " * 200_001, "larger than"),
    ):
        (tmp_path / "x.json").write_bytes(content)
        with pytest.raises(ConfigError, match=said):
            receipts.read_file(tmp_path / "x.json")
    for path in (tmp_path, tmp_path / "nowhere", "a\x00b"):
        with pytest.raises(ConfigError):
            receipts.read_file(path)


def test_what_the_discriminator_says_of_pictures_is_seen_again(cache):
    """A goal without scores waits for no classifier, and the check looks at the frames of the same steps."""
    content = {
        **{**CONTENT, "goal": "memorized < 9 and p_training > 0 and step > 5", "shown": ["g_lr"], "changing": ["g_lr"]},
        "settings": {"data": "digits", "filters": 8, "batch_size": 8, "data_size": 40, "latent_dim": 8},
        "within": 40,
    }
    digits = lab.read("digits", content)
    training = TrainingRun(Trainer(digits.start, loading.load(digits.start)))
    view = View(goal=digits.goal.condition.text, goal_every=digits.goal.every)
    for _ in range(8):
        training.take(1)
        training.look(view, idle=False, scored=True)
    training.close()
    reached = training.goal.reached
    assert reached is not None and reached["step"] == 6 and 6 in reached["framed"]
    receipt = receipts.read(receipts.written(digits, "yes", reached).encode())
    verdict = checking.check(receipt, digits, loading.load(digits.start), lambda text: None)
    assert verdict.confirmed and "unseen images" in verdict.reason


def test_a_goal_is_not_passed_unseen(moons):
    """Looks come by steps: a run at full speed stops for each, whatever the scores' budget says."""
    training = TrainingRun(Trainer(moons.start, loading.load(moons.start)))
    training.look(View(heat=False, goal=moons.goal.condition.text, goal_every=7), idle=False, scored=False)
    training.scores._next = float("inf")
    seen = []
    while training.step < 30:
        training.take(500 - training.step)
        training.refresh_scores(idle=False)
        seen.append(training.step)
    assert {7, 14, 21, 28} <= set(seen) and training.recording.scores.steps[:4] == [7, 14, 21, 28]


def test_the_last_step_that_counts_is_looked_at_and_the_one_before_the_first_is_not(moons):
    training = TrainingRun(Trainer(moons.start, loading.load(moons.start)))
    training.look(View(heat=False, goal="g_lr > 0 and step <= 30", goal_every=7, goal_last=30), True, scored=True)
    assert training.goal.reached is None  # at step 0 nothing is reached
    training.look(View(heat=False, goal="step == 30 and w1 >= 0", goal_every=7, goal_last=30), True, scored=False)
    training.scores._next = float("inf")
    while training.step < 40:
        training.take(500 - training.step)
        training.refresh_scores(idle=False)
    assert training.goal.reached["step"] == 30


def test_a_receipt_does_not_choose_by_which_scores_it_is_judged(moons):
    """Its list of scores is edited, and the checksum made anew: what the run must have looked at is looked at again."""
    average = lab.read("average", {**CONTENT, "goal": "mean(w1) < 0 or step >= 0", "within": 60})
    content = json.loads(receipts.written(average, "yes", ran(average)["reached"]))
    content |= {"scored": [], "framed": [], "step": 41, "changes": []}
    content["checksum"] = receipts.checksum(content)
    receipt = receipts.read(json.dumps(content).encode())
    recording = checking.trained(Trainer(receipt.start, loading.load(receipt.start)), receipt, average.goal, print)
    assert recording.scores.steps == [*range(3, 41, 3), 41]
    assert checking.looks(receipt, average.goal, images=True) == {*range(21, 41, 3), 41}


def test_changes_of_one_step_are_tried_together(moons, reached):
    """Of settings that are refused one by one: no network may be left without a step."""
    settings = {**moons.start.to_flat(), "g_steps": 0}
    content = json.loads(receipts.written(moons, "yes", {**reached, "settings": settings}))
    content["changes"] = [{"step": 20, "name": "d_steps", "value": 0}, {"step": 20, "name": "g_steps", "value": 1}]
    content["checksum"] = receipts.checksum(content)
    receipt = receipts.read(json.dumps(content).encode())
    trainer = Trainer(receipt.start, loading.load(receipt.start))
    checking.trained(trainer, receipt, moons.goal, print)
    assert (trainer.config.g_steps, trainer.config.d_steps) == (1, 0)


def test_one_network_trained_alone_does_not_count(moons):
    training = TrainingRun(Trainer(moons.start, loading.load(moons.start)), scored=False)
    training.train(3)
    training.train_alone("d")
    changes = training.recording.changes
    assert "trained alone" in moons.goal.not_allowed(moons.start, moons.start.to_flat(), changes)


def test_a_receipt_of_another_machine_says_so(moons, reached):
    content = json.loads(receipts.written(moons, "yes", reached))
    content["versions"] = {"ganscope": "1", "tensorflow": "1.0", "machine": "Abacus"}
    content["checksum"] = receipts.checksum(content)
    receipt = receipts.read(json.dumps(content).encode())
    assert "It was made with" in checking._elsewhere(receipt) and "Abacus" in checking._elsewhere(receipt)
    assert receipt.prediction == "yes"
