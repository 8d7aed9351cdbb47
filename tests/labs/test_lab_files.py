"""A lab's file: what is read, what is refused with which sentence, and a teacher's folder."""

import json
import os
from dataclasses import replace

import pytest

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.labs import lab, library

GOOD = {
    "title": "Why?",
    "question": "What happens?",
    "answers": ["this", "that"],
    "right": 2,
    "settings": {"preset": "ring", "d_lr": 0.002},
    "shown": ["d_lr", "penalty", "data.modes"],
    "look_at": "the plot",
    "task": "all clusters",
    "goal": "modes == 8 and data.modes == 8",
    "within": 500,
    "changing": ["d_lr"],
    "reveal": "That happens.",
}
TOML = """
title = "Why?"
question = "What happens?"
answers = ["this", "that"]
shown = ["d_lr"]
look_at = "the plot"
task = "all clusters"
goal = "modes == 8"
within = 500
reveal = "That happens."
[settings]
preset = "ring"
"""


def test_a_lab_is_read():
    found = lab.read("why", GOOD)
    assert (found.kind, found.start.d_lr, found.goal.changing, found.right) == ("points", 0.002, ("d_lr",), 2)
    assert found.goal.condition.text == "(modes == 8 and data.modes == 8) and step <= 500"
    assert found.not_shown(found.start.updated({"d_lr": 0.1, "penalty": "r1"})) == []
    assert found.not_shown(found.start.updated({"seed": 3})) == ["seed"]
    assert lab.read("other", {**GOOD, "title": "Wherefore?"}).digest == found.digest
    assert lab.read("other", {**GOOD, "within": 501}).digest != found.digest


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"title": ""}, "`title` must be a text of 1 to 80"),
        ({"title": "x" * 81}, "`title` must be a text"),
        ({"question": 3}, "`question` must be a text"),
        ({"answers": ["one"]}, "`answers` must be a list of 2 to 4"),
        ({"answers": ["one", "one"]}, "different texts"),
        ({"answers": "one two"}, "`answers` must be a list"),
        ({"right": 3}, "`right` must be the number"),
        ({"right": True}, "`right` must be the number"),
        ({"settings": {"d_lr": 900}}, "`settings`: .*d_lr"),
        ({"settings": {"knobs": 1}}, "There is no setting 'knobs'"),
        ({"settings": {"preset": "rings"}}, "there is no preset 'rings'; there are: ring"),
        ({"settings": {"preset": ["ring"]}}, "there is no preset"),
        ({"settings": {"data": "file"}}, "needs a file"),
        ({"settings": []}, "`settings` must be an object"),
        ({"shown": []}, "`shown` must be a list of 1 to 12"),
        ({"shown": ["d_rl"]}, "no setting 'd_rl'"),
        ({"shown": ["data"]}, "fixed in a lab"),
        ({"changing": ["g_lr"]}, "g_lr is not in `shown`"),
        ({"goal": "modes ="}, "`goal`: The condition 'modes =' cannot be read"),
        ({"goal": "beauty > 3"}, "`goal`: .*which no run has"),
        ({"goal": "__import__('os').system('true') == 0"}, "cannot be read"),
        ({"goal": "diverged"}, "cannot ask for diverged"),
        ({"goal": 8}, "`goal` must be a condition"),
        ({"within": 0}, "`within` must be a whole number"),
        ({"within": 1.5}, "`within` must be a whole number"),
        ({"next": "../x"}, "`next` must be the name"),
        ({"script": "print()"}, "there is no field 'script'; there are: title"),
        ({"reveal": None}, "`reveal` must be a text"),
    ],
)
def test_what_is_refused(change, said):
    with pytest.raises(ConfigError, match=said):
        lab.read("why", {**GOOD, **change})


def test_a_name_is_that_of_a_link():
    for name in ("Why", "a b", "", "../x", "x" * 61):
        with pytest.raises(ConfigError, match="small letters"):
            lab.read(name, GOOD)


def test_files_of_both_forms_and_those_that_are_none(tmp_path, nothing_is_run):
    (tmp_path / "a.json").write_text(json.dumps(GOOD))
    (tmp_path / "b.toml").write_text(TOML)
    assert lab.read_file(tmp_path / "a.json").title == lab.read_file(tmp_path / "b.toml").title == "Why?"
    for name, content, said in (
        ("c.json", b"{", "not valid JSON"),
        ("d.toml", b"= 3", "not valid TOML"),
        ("e.json", b"[]", "must be an object"),
        ("f.json", b"\xff\xfe\xff", "not UTF-8"),
        ("g.json", b"[" * 50_000, "not valid JSON"),
        ("h.json", b" " * 60_001, "larger than"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ConfigError, match=f"The lab {name}: .*{said}"):
            lab.read_file(tmp_path / name)
    with pytest.raises(ConfigError, match=r"The lab i.json: it cannot be read"):
        lab.read_file(tmp_path / "i.json")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "j.json")
        with pytest.raises(ConfigError, match="is not a file"):
            lab.read_file(tmp_path / "j.json")


def test_a_teachers_folder_goes_on_where_a_file_is_broken(tmp_path, monkeypatch):
    (tmp_path / "mine.json").write_text(json.dumps(GOOD))
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "collapse.json").write_text(json.dumps(GOOD))
    (tmp_path / "readme.md").write_text("no lab")
    monkeypatch.setenv(library.VARIABLE, str(tmp_path))
    found, problems = library.labs()
    assert list(found) == [*library.COURSE, "mine"]
    assert [problem[:24] for problem in problems] == ["The lab broken.json: it ", "The lab collapse.json: t"]
    assert library.lab_of("mine").title == "Why?"
    with pytest.raises(ConfigError, match=r"There is no lab 'broken'. The lab broken.json: it is not valid JSON"):
        library.lab_of("broken")
    with pytest.raises(ConfigError, match=r"There is no lab 'nix'\. There are: two-networks"):
        library.lab_of("nix")
    (tmp_path / "mine.json").write_text(json.dumps({**GOOD, "title": "Another title"}))
    assert library.lab_of("mine").title == "Another title"
    monkeypatch.setenv(library.VARIABLE, str(tmp_path / "nowhere"))
    assert library.labs()[1][0].startswith(f"{library.VARIABLE} names the folder")


def test_the_box_is_a_course(monkeypatch):
    monkeypatch.delenv(library.VARIABLE, raising=False)
    found = list(library.labs()[0].values())
    assert len(found) == 12 and {path.stem for path in library.FOLDER.glob("*.json")} == set(library.COURSE)
    assert [library.following(each) for each in found] == [*library.COURSE[1:], ""]
    assert {each.kind for each in found} == {"points", "images"}
    assert all(each.right for each in found)


def test_what_is_written_is_read_again():
    text = lab.written(GOOD, "why")
    assert lab.read("why", json.loads(text)) == lab.read("why", GOOD)
    with pytest.raises(ConfigError, match="`title`"):
        lab.written({**GOOD, "title": ""}, "why")


def test_a_receipt_tells_labs_apart_whose_presets_have_changed():
    collapse = library.built_in()["collapse"]
    assert replace(collapse, start=collapse.start.updated({"batch_size": 64})).digest != collapse.digest
    assert replace(collapse, title="another word").digest == collapse.digest
