"""A sweep's folder and the loop that fills it, with an executor that trains nothing; processes: test_processes.py."""

import io
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gan_core.data.own_files import uploads
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.settings.config import GANConfig
from gan_core.sweeps import running
from gan_core.sweeps.space import parse_space
from gan_core.sweeps.store import ROWS, Store, sweeps_folder
from gan_core.sweeps.table import as_text, by_settings, write_tables
from gan_core.sweeps.training import DONE, outcome_without_training
from tests.conftest import ROOT

BASE = GANConfig.from_flat({})
SPACE = parse_space(BASE, ["g_lr=1e-3,1e-2", "penalty=none,r1"], 3, 10, None)


def outcome(trial, status=DONE):
    found = outcome_without_training(trial, status, "" if status == DONE else "why")
    found.row |= {"steps": 10, "seconds": 1.5, "node": {"name": "here", "threads": 1}}
    if status == DONE:
        found.row["metrics"] = {"w1": trial.seed + trial.settings.get("g_lr", 0), "histogram": [1, 2], "hq": None}
        found.arrays, found.picture = {"samples": np.ones((3, 2), np.float32)}, b"PNG"
    return found


class Instant:
    """An executor of `slots` trials at once, which end in any order as `ends` says: an outcome, or None."""

    def __init__(self, slots=3, ends=outcome):
        self.slots, self.ends, self.running, self.started = slots, ends, [], []
        self._rng = random.Random(0)

    @property
    def free(self):
        return self.slots - len(self.running)

    def start(self, trial):
        assert self.free > 0
        self.running.append(trial)
        self.started.append(trial.key)

    def finished(self, seconds):
        self._rng.shuffle(self.running)
        trial = self.running.pop()
        return [(trial, self.ends(trial))]

    def close(self):
        self.running.clear()


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "map")
    store.begin(SPACE)
    return store


def filled(store, space=SPACE, executor=None, **more):
    said = []
    rows = running.run(store, space, executor or Instant(), said.append, **more)
    return rows, said


def test_every_trial_is_trained_once_and_kept(store):
    executor = Instant()
    rows, _ = filled(store, executor=executor)
    wanted = [trial.key for trial in SPACE.trials()]
    assert [row["key"] for row in rows] == wanted and sorted(executor.started) == sorted(wanted)
    assert {row["key"]: row for row in store.rows()[0]} == {row["key"]: row for row in rows}
    assert store.arrays(wanted[0])["samples"].shape == (3, 2) and store.picture(wanted[0]) == b"PNG"
    assert store.space() == SPACE


def test_places_that_are_lost_meanwhile_are_not_filled_with_all_that_is_left(store):
    """What runs may be more than there is room for: a node has died."""

    class Shrinking(Instant):
        most = 0

        def start(self, trial):
            self.running.append(trial)
            self.started.append(trial.key)
            self.most = max(self.most, len(self.running))
            self.slots = 1

    executor = Shrinking(slots=3)
    assert len(filled(store, executor=executor)[0]) == 12 and executor.most == 1


def test_what_is_there_is_not_trained_again_and_more_may_be_wanted(store):
    filled(store)
    again = Instant()
    rows, said = filled(store, executor=again)
    assert again.started == [] and len(rows) == 12 and said == ["12 of 12 trials are there already."]
    more = parse_space(BASE, ["g_lr=1e-3,1e-2", "penalty=none,r1,r1_r2"], 4, 10, None)
    store.begin(more)
    rows, _ = filled(store, more, again)
    assert len(rows) == 24 and len(again.started) == 12
    assert [row["key"] for row in rows] == [trial.key for trial in more.trials()]


def test_a_sweep_gets_another_axis(store):
    """Trials that are there already are those of its base value, and their rows say so."""
    filled(store)
    more = parse_space(BASE, ["g_lr=1e-3,1e-2", "penalty=none,r1", f"d_lr={BASE.d_lr:g},0.01"], 3, 10, None)
    store.begin(more)
    again = Instant()
    rows, _ = filled(store, more, again)
    assert len(rows) == 24 and len(again.started) == 12
    for shown in (rows, more.rows_of(store.rows()[0])):
        assert all(set(row["settings"]) == {"g_lr", "penalty", "d_lr"} for row in shown)
    assert len(SPACE.rows_of(store.rows()[0])) == 12  # and back


TABLE = "".join(f"{i},{100 * i},{i % 7}\n" for i in range(40)).encode()


def upload(choices: dict[str, str], name: str = "x.csv"):
    return uploads.parsed(name, TABLE, choices)[0]


def test_another_budget_or_other_data_need_another_name(store, tmp_path):
    for other, data in (
        (parse_space(BASE, ["g_lr=1e-3,1e-2"], 3, 11, None), None),
        (parse_space(BASE.updated({"d_lr": 0.5}), ["g_lr=1e-3,1e-2"], 3, 10, None), None),
        (SPACE, upload({"columns": "1,2"})),
    ):
        with pytest.raises(ConfigError, match="There is a sweep 'map' already"):
            store.begin(other, data)
    own = Store(tmp_path / "own")
    own.begin(SPACE, upload({"columns": "2,3"}))
    own.begin(SPACE, upload({"columns": "2,3"}, "y.CSV"))  # the same content
    assert own.upload().axes == ("column 2", "column 3")
    own.begin(SPACE, own.upload())
    (own.folder / "upload.npz").unlink()
    assert own.begin(SPACE, same := upload({"columns": "2,3"})) is same and own.upload().axes == same.axes
    for other in (None, upload({"columns": "1,2"})):
        with pytest.raises(ConfigError, match="There is a sweep 'own' already"):
            own.begin(SPACE, other)
    (own.folder / "upload.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ConfigError, match="The data of the sweep own cannot be read"):
        own.upload()
    (own.folder / "upload.npz").unlink()
    with pytest.raises(ConfigError, match="does not hold the data of its sweep"):
        own.upload()


def test_own_pictures_of_a_sweep_are_those_that_came(tmp_path):
    pixels = np.arange(20 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(20, 28, 28)
    own, file = Store(tmp_path / "own"), io.BytesIO()
    np.savez(file, x_train=pixels, y_train=np.arange(20) % 2)
    pictures = uploads.parsed("some.npz", file.getvalue())[0]
    own.begin(SPACE, pictures)
    assert np.array_equal(own.upload().pixels, pictures.pixels) and own.upload().class_names == pictures.class_names
    own.begin(SPACE, pictures)
    own.begin(SPACE, own.upload())


def earlier(folder: Path, name: str, content: bytes, choices: dict[str, str] | None) -> Store:
    """A sweep as versions left it that kept the file itself, and at first no choices."""
    store = Store(folder)
    store.begin(SPACE)
    about = {**json.loads((folder / "sweep.json").read_text()), "data": name}
    (folder / "sweep.json").write_text(json.dumps(about if choices is None else {**about, "choices": choices}))
    (folder / f"data{Path(name).suffix.lower()}").write_bytes(content)
    return store


def test_a_sweep_that_an_earlier_version_began_keeps_its_file_and_choices(tmp_path):
    own = earlier(tmp_path / "own", "x.CSV", TABLE, {"columns": "2,3"})
    for _ in range(2):
        assert own.upload().axes == ("column 2", "column 3")
        own.begin(SPACE, upload({"columns": "2,3"}))
    with pytest.raises(ConfigError, match="does not hold a sweep that can be read"):
        earlier(tmp_path / "odd", "x.CSV", TABLE, ["columns"]).upload()
    for other in (None, upload({"columns": "1,2"})):
        with pytest.raises(ConfigError, match="There is a sweep 'own' already"):
            own.begin(SPACE, other)


def test_a_sweep_that_an_earlier_version_began_keeps_its_common_scale(tmp_path):
    two = b"".join(line.rsplit(b",", 1)[0] + b"\n" for line in TABLE.splitlines())
    own, new = earlier(tmp_path / "own", "x.csv", two, None), uploads.parsed("x.csv", two)[0]
    for _ in range(2):
        old = own.upload()
        assert isinstance(old, np.ndarray) and np.array_equal(old, new.points)
        assert np.array_equal(own.begin(SPACE, new), new.points)  # the same command goes on with it


def test_it_can_be_stopped_and_goes_on(store):
    first = Instant(slots=1)
    rows, _ = filled(store, executor=first, stopped=lambda: len(first.started) > 5)
    assert 0 < len(rows) < 12
    second = Instant()
    rows, said = filled(store, executor=second)
    assert len(rows) == 12 and "of 12 trials are there already" in said[0]
    assert len(second.started) == 12 - int(said[0].split()[0])


def test_a_trial_whose_process_ends_is_tried_once_more(store):
    tried: dict[str, int] = {}

    def ends(trial):
        tried[trial.key] = tried.get(trial.key, 0) + 1
        if trial.seed == 0:
            return None  # always
        if trial.seed == 1 and tried[trial.key] == 1:
            return None  # once
        return outcome(trial)

    rows, _ = filled(store, executor=Instant(ends=ends))
    found = {row["key"]: row for row in rows}
    for trial in SPACE.trials():
        row = found[trial.key]
        assert (row["status"], tried[trial.key]) == {0: ("failed", 2), 1: ("done", 2), 2: ("done", 1)}[trial.seed]
        assert (row["reason"] == running.LOST) == (trial.seed == 0)


def test_a_line_that_a_kill_cut_off_is_trained_again(store):
    filled(store)
    path = store.folder / ROWS
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
    assert len(store.rows()[0]) == 11
    again = Instant()
    rows, _ = filled(store, executor=again)
    assert again.started == [json.loads(lines[-1])["key"]] and len(rows) == 12
    assert path.read_bytes() == b"".join(lines)


def test_rows_are_read_on_from_where_one_was(store):
    rows, end = store.rows()
    assert (rows, end) == ([], 0)
    filled(store)
    rows, end = store.rows()
    assert len(rows) == 12
    assert store.rows(end) == ([], end)
    with open(store.folder / ROWS, "ab") as file:
        file.write(b'{"key": "x"')
        file.flush()
        assert store.rows(end) == ([], end)  # not whole yet
        file.write(b"}\n")
    assert store.rows(end)[0] == [{"key": "x"}]


HOLDS = """
import sys, time
from pathlib import Path
from gan_core.sweeps.store import Store
with Store(Path(sys.argv[1])).writing():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_processes_do_not_fill_one_sweep(store):
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(store.folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ConfigError, match="is being written by another process"):
            filled(store)
    finally:
        other.kill()
        other.wait(10)
        other.stdin.close()
        other.stdout.close()
    assert len(filled(store)[0]) == 12


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', '{"format": 1, "space": {"axes": 3}}'])
def test_a_broken_sweep_is_a_sentence(store, content):
    (store.folder / "sweep.json").write_text(content)
    with pytest.raises(ConfigError, match="does not hold a sweep that can be read"):
        store.space()


def test_other_versions_and_changed_rows_are_sentences(store):
    (store.folder / ROWS).write_text("{]\n")
    with pytest.raises(ConfigError, match="was changed after it was written"):
        store.rows()
    (store.folder / "sweep.json").write_text('{"format": 9}')
    with pytest.raises(ConfigError, match=r"another version of GANscope \(format 9\)"):
        store.space()
    with pytest.raises(ConfigError, match="cannot be read"):
        store.arrays("nothing")
    assert store.picture("nothing") == b""


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be saved in"):
        Store(tmp_path / "file" / "map").begin(SPACE)


def test_where_sweeps_are_kept(monkeypatch):
    monkeypatch.delenv("GANSCOPE_SWEEPS_DIR", raising=False)
    assert str(sweeps_folder()) == "sweeps" and str(sweeps_folder("x")) == "x"
    monkeypatch.setenv("GANSCOPE_SWEEPS_DIR", "y")
    assert str(sweeps_folder()) == "y"


# -- the table ----------------------------------------------------------------------------------------------


def test_the_table_has_a_line_for_each_trial_in_both_forms(store):
    def ends(trial):
        return outcome(trial, "diverged" if trial.settings["penalty"] == "none" and trial.seed else DONE)

    rows, _ = filled(store, executor=Instant(ends=ends))
    write_tables(rows, store.folder)
    csv = pd.read_csv(store.folder / "trials.csv")
    parquet = pd.read_parquet(store.folder / "trials.parquet")
    for found in (csv, parquet):
        assert len(found) == 12 and list(found["key"]) == [row["key"] for row in rows]
        assert {"g_lr", "penalty", "seed", "steps", "seconds", "status", "reason", "node_name", "w1"} <= set(found)
        assert list(found["status"]).count("diverged") == 4 and found["w1"].isna().sum() == 4
        assert json.loads(found["histogram"][0]) == [1, 2]


def test_settings_of_mixed_kinds_are_written(store):
    rows = [outcome(trial).row for trial in SPACE.trials()]
    rows[0]["settings"], rows[1]["settings"] = {"x": 1}, {"x": "auto"}
    write_tables(rows, store.folder)
    assert list(pd.read_parquet(store.folder / "trials.parquet")["x"][:2]) == ["1", "auto"]


def test_scores_over_the_seeds_of_a_setting(store):
    rows, _ = filled(store)
    groups = by_settings(rows)
    assert len(groups) == 4 and all(group["seeds"] == 3 for group in groups)
    mean, error = groups[0]["scores"]["w1"]
    assert mean == pytest.approx(1 + 1e-3) and error == pytest.approx(1 / 3**0.5)
    assert "w1 1.001 ± 0.58" in as_text(rows).splitlines()[0]
    rows[0]["status"] = "diverged"
    assert "1 of 3 diverged" in as_text(rows).splitlines()[0]
    assert as_text(rows[:1]).endswith("1 of 1 diverged")


def test_how_long_it_takes_is_said(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    progress = running.Progress(100, 20)
    assert progress.sentence() == "20 of 100 trials"
    now[0], progress.done, progress.bad = 120.0, 40, 1
    assert progress.sentence() == "40 of 100 trials, 1 of them without scores; about 6 min left"
    assert running.spoken(0.2) == "about 1 s" and running.spoken(20_000) == "about 5.6 h"
