"""Polls and rounds of a presentation without a page: what counts, what is refused, and what watchers are told."""

import gzip
import json
import struct
from types import SimpleNamespace

import numpy as np
import pytest

from gan_core.data import loading
from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.labs import library
from gan_core.serving.client import Run
from gan_core.settings.presets import PRESETS
from pages.ui.frames import hall_texts, polls, rounds
from pages.ui.frames.hall import Hall
from pages.ui.frames.polls import Poll, Refused
from pages.ui.frames.rounds import Result, Round, interval
from pages.ui.run import hall_panel

OFFLINE = {name for name, each in DATASETS.items() if not each.upload and (each.kind == "points" or name == "digits")}
RING = loading.load(PRESETS["ring"].config, None)
POLL = Poll("How many?", ("All", "Some", "<b>None</b>"))


def refused(hall: Hall, watcher: str, said: dict) -> tuple[int, str]:
    """(status, sentence) of an answer that must not count."""
    before = hall.told(watcher), [] if hall.ballot is None else hall.ballot.counts()
    with pytest.raises(Refused) as why:
        hall.answer(watcher, said)
    assert (hall.told(watcher), [] if hall.ballot is None else hall.ballot.counts()) == before
    assert str(why.value).endswith(".")
    return why.value.status, str(why.value)


def judging(number: int, kind: str = "images", n: int = 8) -> dict:
    """Samples as a training process makes them: real ones are bright, or to the right; D is wrong about the first."""
    real = np.arange(2 * n) < n
    p = np.where(real, 0.9, 0.2).astype(np.float32)
    p[0] = 0.1
    if kind == "images":
        rng = np.random.default_rng(0)
        samples = (np.where(real, 200, 10)[:, None, None, None] + rng.integers(0, 40, (2 * n, 4, 4, 1))).astype(
            np.uint8
        )
    else:
        samples = np.stack([np.where(real, 0.5, -0.5) + 0.01 * np.arange(2 * n), np.zeros(2 * n)], 1).astype(np.float32)
    crowd = np.concatenate([samples[:2], np.full((5, 2), 0.25)]) if kind == "points" else np.zeros((0, 2))
    return {"number": number, "step": 70, "samples": samples, "p_real": p, "crowd": crowd.astype(np.float32)}


def begun(kind: str = "images") -> Hall:
    """A hall with a round that is on."""
    hall = Hall()
    hall.begin_round()
    assert hall.wish > 0
    hall.tick(SimpleNamespace(frame={"judging": judging(hall.wish, kind)}, data=RING))
    assert hall.round.stage == rounds.ON and hall.wish == 0
    return hall


def unpacked(content: bytes) -> dict:
    """What the browser reads: arrays by name."""
    content = gzip.decompress(content)
    (size,) = struct.unpack("<I", content[:4])
    about, types = json.loads(content[4 : 4 + size]), {"f4": np.float32, "i4": np.int32, "u1": np.uint8}

    def read(value):
        if not isinstance(value, dict):
            return value
        offset, count, kind = value["$"]
        array = np.frombuffer(content, types[kind], count, 4 + size + offset)
        return array.reshape(value["rows"], -1) if "rows" in value else array

    return {name: read(value) for name, value in about.items()}


# -- polls --------------------------------------------------------------------------------------------------


def test_a_poll_has_two_to_four_answers_that_fit_a_phone():
    tidy = Poll("  What\nhappens? ", (" a ", "b\t2"), truth=1)
    assert (tidy.question, tidy.answers) == ("What happens?", ("a", "b 2"))
    for question, answers, truth in (
        ("", ("a", "b"), None),
        ("?", ("a",), None),
        ("?", tuple("abcde"), None),
        ("?", ("a", " "), None),
        ("?", ("a", "a "), None),
        ("?" * 241, ("a", "b"), None),
        ("?", ("a", "b" * 61), None),
        ("?", ("a", "b"), 2),
    ):
        with pytest.raises(ConfigError):
            Poll(question, answers, truth)


def test_each_watcher_answers_once_and_sees_the_bars_only_once_the_poll_is_closed():
    hall = Hall()
    assert hall.told("anna")["poll"] is None and hall.revision == 0
    hall.ask(POLL)
    number = hall.told("anna")["poll"]["number"]
    for watcher, answer in (("anna", 0), ("berta", 0), ("carl", 2)):
        hall.answer(watcher, {"poll": number, "answer": answer})
    assert refused(hall, "anna", {"poll": number, "answer": 1}) == (
        409,
        "You have answered this poll already. Your first answer counts.",
    )
    open_to = hall.told("anna")["poll"]
    assert (open_to["mine"], open_to["bars"], hall.told("dora")["poll"]["mine"]) == (0, "", None)
    assert "2" not in json.dumps({**open_to, "number": 0, "answers": []})  # nothing of what others answered
    before = hall.revision
    hall.close()
    assert hall.revision > before
    shown = hall.told("anna")["poll"]["bars"]
    assert "2 · 67 %" in shown and "1 · 33 %" in shown and "0 · 0 %" in shown and "<b>None" not in shown
    assert "your answer" in shown and "your answer" not in hall.told("dora")["poll"]["bars"]
    assert "what happened" not in shown
    assert refused(hall, "dora", {"poll": number, "answer": 1})[0] == 410
    hall.mark(2)
    assert hall.told("dora")["poll"]["bars"].count("what happened") == 1
    hall.put_away()
    assert hall.told("anna")["poll"] is None and refused(hall, "dora", {"poll": number, "answer": 1})[0] == 410


def test_what_happened_can_be_corrected_and_closes_the_poll():
    hall = Hall()
    with pytest.raises(ConfigError):
        hall.mark(0)
    hall.ask(POLL)
    for wrong in (-1, 3):
        with pytest.raises(ConfigError):
            hall.mark(wrong)
    assert hall.ballot.open
    hall.mark(0)
    hall.mark(1)
    assert (hall.ballot.open, hall.ballot.truth) == (False, 1)
    hall.begin_round()
    assert hall.ballot is None  # it is done with
    hall.ask(POLL)
    hall.stop_round()
    hall.begin_round()
    assert hall.ballot is not None


def test_an_answer_that_is_none_is_refused_with_a_sentence():
    hall = Hall()
    assert refused(hall, "anna", {"poll": 1, "answer": 0})[0] == 410
    hall.ask(POLL)
    for answer in (3, -1, 10**30):
        assert refused(hall, "anna", {"poll": 1, "answer": answer})[0] == 400
    for said in ({"poll": 1}, {"poll": 1, "answer": "0"}, {"poll": 1, "answer": True}, {"poll": "1", "answer": 0}, {}):
        assert refused(hall, "anna", said)[0] == 400
    assert refused(hall, "anna", {"poll": 2, "answer": 0})[0] == 410


def test_no_more_answers_are_kept_than_watchers_are_counted(monkeypatch):
    monkeypatch.setattr(polls, "MOST_WATCHERS", 3)
    monkeypatch.setattr(rounds, "MOST_WATCHERS", 3)
    hall = begun()
    hall.ask(POLL)
    for i in range(3):
        hall.answer(f"watcher{i}", {"poll": 2, "answer": 0})
        hall.answer(f"watcher{i}", {"round": 1, "judged": [[0, True]]})
    assert refused(hall, "one more", {"poll": 2, "answer": 0})[0] == 503
    assert refused(hall, "one more", {"round": 1, "judged": [[0, True]]})[0] == 503
    hall.answer("watcher0", {"round": 1, "judged": [[1, True]]})  # who takes part goes on


@pytest.mark.parametrize("preset", [name for name, each in PRESETS.items() if each.config.data in OFFLINE])
def test_the_ready_made_questions_fit_the_data(preset):
    run = Run(PRESETS[preset].config)
    ready = hall_panel.ready_made(run)  # each of them is a poll, else there is a ConfigError
    assert len({poll.question for poll in ready}) == len(ready) >= 2
    modes = getattr(run.data, "modes", None)
    if modes is not None and len(modes) >= 5:
        assert str(len(modes)) in ready[0].question and ready[0].answers[0] == f"All {len(modes)}"


@pytest.mark.parametrize("lab", library.labs()[0].values(), ids=lambda lab: lab.name)
def test_a_labs_prediction_is_a_poll_that_knows_what_happens(lab):
    first, *others = hall_panel.ready_made(Run(lab.start), lab)
    assert (first.question, first.answers) == (lab.question, lab.answers)
    assert first.truth == (lab.right - 1 if lab.right else None)
    assert others == hall_panel.ready_made(Run(lab.start))


# -- rounds -------------------------------------------------------------------------------------------------


def test_a_round_begins_with_the_samples_that_it_asked_for_and_no_others():
    hall = Hall()
    hall.begin_round()
    hall.tick(SimpleNamespace(frame={"judging": judging(hall.wish + 1)}, data=RING))
    hall.tick(SimpleNamespace(frame={}, data=RING))
    assert hall.round.stage == rounds.DRAWING and hall.samples(1) == b""
    hall.tick(SimpleNamespace(frame={"judging": judging(hall.wish)}, data=RING))
    assert hall.round.stage == rounds.ON and hall.samples(1) and hall.samples(2) == b""
    wish = hall.round.wish
    hall.begin_round()  # pressed twice
    assert hall.round.wish == wish


@pytest.mark.parametrize("kind", ["images", "points"])
def test_nothing_that_is_sent_says_which_samples_are_real(kind):
    orders = set()
    for _ in range(8):
        hall = begun(kind)
        sent = unpacked(hall.samples(1))
        assert set(sent) == {"count", "kind", "pixels", "shape"} if kind == "images" else {"points", "crowd", "places"}
        if kind == "images":
            pixels = sent["pixels"].reshape(sent["shape"])
            real = [bool(picture.mean() > 100) for picture in pixels]
        else:
            assert sent["points"].dtype == np.int32  # both have digits of one kind
            real = [bool(x > sent["places"] / 2) for x in sent["points"][:, 0]]
            crowd = {tuple(place) for place in sent["crowd"].tolist()}
            assert len(sent["crowd"]) == 5 and not crowd & {tuple(place) for place in sent["points"].tolist()}
        assert real == hall.round._real and sum(real) == 8
        orders.add(tuple(real))
        told = json.dumps(hall.told("anna"))
        assert "real" not in told.replace("really", "") and str(hall.round.wish) not in told
    assert len(orders) > 4


def test_the_hall_is_judged_beside_the_discriminator_on_the_same_samples():
    hall = begun()
    real, d_says = list(hall.round._real), list(hall.round._d_says)
    wrong_of_d = next(i for i in range(16) if real[i] != d_says[i])
    other = next(i for i in range(16) if i != wrong_of_d)
    hall.answer("anna", {"round": 1, "judged": [[wrong_of_d, real[wrong_of_d]], [other, not real[other]]]})
    hall.answer("berta", {"round": 1, "judged": [[wrong_of_d, real[wrong_of_d]]]})
    assert refused(hall, "anna", {"round": 1, "judged": [[other, True], [wrong_of_d, True]]})[0] == 409
    assert hall.round.progress() == (3, 2) and hall.told("anna")["round"]["mine"] is None
    assert len(hall.told("anna")["round"]["judged"]) == 2 and hall.told("dora")["round"]["judged"] == []
    hall.stop_round()
    assert list(hall.results) == [Result(step=70, answers=3, right=2, d_right=1)]
    assert hall.told("anna")["round"]["mine"] == (1, 2) and hall.told("carl")["round"]["mine"] is None
    table = hall.told("carl")["rounds"]
    assert "<td>70</td><td>67 %</td>" in table and "<td>3</td><td>33 %</td>" in table
    assert refused(hall, "anna", {"round": 1, "judged": [[5, True]]})[0] == 410
    hall.begin_round()
    hall.tick(SimpleNamespace(frame={"judging": judging(hall.wish)}, data=RING))
    hall.stop_round()
    assert hall.told("anna")["rounds"].count("<tr>") == 3 and "no answers" in hall.told("anna")["rounds"]
    hall.clear_rounds()
    assert hall.told("anna")["rounds"] == "" and hall.round is None


def test_of_samples_that_are_judged_twice_the_first_answer_counts_and_the_others_are_counted():
    """Two tabs of one browser are one watcher, and each shows the samples in an order of its own."""
    hall = begun()
    hall.answer("anna", {"round": 1, "judged": [[3, True], [5, True]]})
    hall.answer("anna", {"round": 1, "judged": [[5, False], [7, True]]})
    assert hall.round.progress() == (3, 1) and hall.round._answers["anna"] == {3: True, 5: True, 7: True}


def test_an_answer_to_a_round_that_is_none_is_refused_whole():
    hall = begun()
    for judged in ([[16, True]], [[0, True], [-1, True]], [[0, True], [0, True]]):
        assert refused(hall, "anna", {"round": 1, "judged": judged})[0] == 400
    for judged in (None, [], {}, "x", [0], [[0]], [[0, 1]], [["0", True]], [[True, True]], [[0, True, 1]]):
        assert refused(hall, "anna", {"round": 1, "judged": judged})[0] == 400
    for number in (2, "1", True, None):
        assert refused(hall, "anna", {"round": number, "judged": [[0, True]]})[0] == 410
    assert hall.round.progress() == (0, 0)


def test_a_round_ends_by_itself_after_its_time_and_a_moment_for_what_is_on_its_way(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(rounds.time, "monotonic", lambda: now[0])
    hall = begun()
    nothing = SimpleNamespace(frame={}, data=RING)
    assert hall.round.left() == rounds.ROUND_SECONDS
    now[0] += rounds.ROUND_SECONDS + 1
    hall.tick(nothing)
    assert hall.round.left() == 0
    hall.answer("anna", {"round": 1, "judged": [[0, True]]})  # it was given in time
    before = hall.revision
    now[0] += rounds.GRACE_SECONDS
    hall.tick(nothing)
    assert hall.round.stage == rounds.OVER and hall.revision > before and len(hall.results) == 1
    hall.tick(nothing)
    assert len(hall.results) == 1


def test_a_round_without_samples_says_so_after_a_while(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(rounds.time, "monotonic", lambda: now[0])
    hall = Hall()
    hall.begin_round()
    now[0] += rounds.DRAWING_SECONDS + 1
    hall.tick(SimpleNamespace(frame={}, data=RING))
    assert hall.round.stage == rounds.FAILED and hall.wish == 0 and not hall.results
    assert "Start the round again." in hall_texts.played(hall.round, [])


def test_points_far_outside_and_broken_ones_have_a_place():
    found = judging(1, "points")
    found["samples"][8:11] = [[1e9, 0], [-1e9, 0], [np.nan, np.inf]]
    one = Round(1)
    one.deal(found, RING)
    points = unpacked(one.content)["points"]
    assert points.min() >= 0 and points.max() < rounds.PLACES


def test_the_interval_of_a_share():
    assert interval(0, 0) == (0.0, 1.0)
    for (right, of), (low, high) in {
        (5, 10): (0.2366, 0.7634),
        (0, 10): (0.0, 0.2775),
        (95, 100): (0.8882, 0.9785),
    }.items():
        assert interval(right, of) == pytest.approx((low, high), abs=1e-4)
