"""The page Sweep, without a browser; its process is a fake one that trains nothing. In a browser: test_sweep.py."""

import json

import numpy as np
import pytest
import streamlit as st

from gan_core.data.own_files import uploads
from gan_core.scores.registry import SCORES
from gan_core.settings.presets import PRESETS
from gan_core.sweeps.grouping import MOST_GROUPS
from gan_core.sweeps.space import parse_space
from gan_core.sweeps.store import Store
from gan_core.sweeps.training import outcome_without_training
from pages.ui.figures import sweep_figures
from pages.ui.server import addresses
from pages.ui.sweeps import sweep_form, sweep_processes
from tests.support.app import open_page

PAGE = "pages/sweep.py"
BASE = PRESETS["ring"].config


@pytest.fixture(autouse=True)
def sweeps(tmp_path, monkeypatch):
    """An empty folder of sweeps."""
    monkeypatch.setenv("GANSCOPE_SWEEPS_DIR", str(tmp_path / "sweeps"))
    return tmp_path / "sweeps"


@pytest.fixture
def started(monkeypatch):
    """The folders of the sweeps that were to be started."""
    folders = []
    monkeypatch.setattr(sweep_processes, "start", folders.append)
    return folders


def swept(folder, over=("g_lr=1e-3,1e-2", "penalty=none,r1"), seeds=2, most=100, base=BASE, upload=None):
    """A sweep of which the first `most` trials are finished, one of them diverged."""
    store = Store(folder)
    space = parse_space(base, list(over), seeds, None, 10.0)
    store.begin(space, upload)
    with store.writing() as writer:
        for number, trial in enumerate(list(space.trials())[:most]):
            status = "diverged" if number == 1 else "done"
            found = outcome_without_training(trial, status, "it diverged" if number == 1 else "")
            steps = np.arange(1, 21, dtype=np.int32) * (10 + trial.seed)
            mean = np.full((20, 7), trial.settings.get("g_lr", 0.5), np.float32)
            found.arrays = {"history_step": steps, "history_mean": mean}
            found.row |= {"steps": int(steps[-1]), "seconds": 10.0, "node": {"name": "here"}}
            if status == "done":
                found.row["metrics"] = {"w1": 0.1 * (number + 1), "w1_floor": 0.04, "hq": 0.9}
            writer.add(found)
    return store


def texts(app):
    return " ".join(str(block.value) for block in (*app.markdown, *app.caption, *app.error, *app.info))


def test_a_new_page_offers_a_sweep_and_says_what_it_takes(started):
    app = open_page(PAGE)
    assert not app.exception and not app.error
    assert app.selectbox(key="sweep_knob_0").value == "g_lr" and app.selectbox(key="sweep_knob_1").value == "penalty"
    assert "combinations x 3 seeds" in texts(app) and "on this machine" in texts(app)
    for widget in (*app.selectbox, *app.slider, *app.text_input):
        assert len(widget.help or "") > 20, widget.key
    assert started == []


def test_on_a_cluster_no_time_is_promised(started, monkeypatch):
    monkeypatch.setenv("GANSCOPE_RAY", "head:6379")
    said = texts(open_page(PAGE))
    assert "on the cluster at head:6379; how many at once" in said and "on this machine" not in said


def test_a_sweep_is_started_with_what_was_chosen(started, sweeps):
    app = open_page(PAGE)
    app.selectbox(key="sweep_base").select("grid").run()
    app.selectbox(key="sweep_knob_1").select("loss").run()
    values = {box.key: box for box in app.text_input}
    values["sweep_values_g_lr grid"].set_value("1e-4:1e-2:3").run()
    {box.key: box for box in app.text_input}["sweep_values_loss grid"].set_value("hinge, minimax").run()
    app.slider(key="sweep_seeds").set_value(2).run()
    app.slider(key="sweep_seconds").set_value(5).run()
    app.slider(key="sweep_looks").set_value(4).run()
    assert app.selectbox(key="sweep_stop_by").value == "never"
    app.selectbox(key="sweep_stop_by").select("w1").run()
    assert "less what is stopped" in texts(app)
    app.text_input(key="sweep_name").set_value("my map").run()
    app.button(key="sweep_go").click().run()
    assert not app.exception and not app.error and started == [sweeps / "my map"]
    space = Store(sweeps / "my map").space()
    assert space.base == PRESETS["grid"].config and (space.seeds, space.seconds, space.steps) == (2, 5.0, None)
    assert (space.looks, space.stop_by) == (4, "w1")
    assert [(axis.name, axis.values) for axis in space.axes] == [
        ("g_lr", (1e-4, 1e-3, 1e-2)),
        ("loss", ("hinge", "minimax")),
    ]
    assert app.selectbox(key="sweep_shown").value == "my map"
    assert app.button(key="sweep_again").label == "Go on"


def test_a_sweep_over_ones_own_file_keeps_it(started, sweeps):
    app, own = open_page(PAGE), uploads.parsed("own.csv", "\n".join(f"{i},{i * i % 31}" for i in range(60)).encode())[0]
    points = app.session_state["ganscope"].pages["points"]
    points.config = BASE.updated({"data": "file"})
    app.selectbox(key="sweep_base").select("current settings of Points").run()
    assert "These settings train on your own file: give it on Points first." in app.error[0].value
    app.button(key="sweep_go").click().run()
    assert not app.exception and started == []
    points.upload = own
    app.run()
    assert "12 combinations x 3 seeds" in texts(app) and not app.error
    app.button(key="sweep_go").click().run()
    assert not app.exception and not app.error and len(started) == 1
    store = Store(started[0])
    assert store.space().base.data == "file" and uploads.same(store.upload(), own)


def test_a_click_counts_though_the_page_runs_anew_before_its_form(started, monkeypatch):
    """As a tab's first visit does, once the browser has said its key."""
    runs = []

    def anew():
        runs.append(1)
        if len(runs) == 2:
            st.rerun()

    monkeypatch.setattr("pages.ui.run.notices.draw", anew)
    app = open_page(PAGE)
    app.button(key="sweep_go").click().run()
    assert len(runs) > 2 and len(started) == 1


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("sweep_values_g_lr ring", "9", "g_lr must be a number from 1e-05 to 1"),
        ("sweep_values_g_lr ring", "", "NAME=LOW:HIGH:COUNT"),
        ("sweep_values_g_lr ring", "1:0.1:3", "must rise"),
        ("sweep_name", "../x", "cannot be used as a name"),
        ("sweep_name", "", "cannot be used as a name"),
    ],
)
def test_what_cannot_be_trained_is_a_sentence(started, sweeps, key, value, said):
    app = open_page(PAGE)
    app.text_input(key=key).set_value(value).run()
    app.button(key="sweep_go").click().run()
    assert not app.exception and said in app.error[0].value and started == [] and not sweeps.exists()


def test_a_name_that_is_taken_by_another_sweep_is_a_sentence(started, sweeps):
    swept(sweeps / "taken")
    app = open_page(PAGE)
    app.text_input(key="sweep_name").set_value("taken").run()
    app.slider(key="sweep_seconds").set_value(77).run()
    app.button(key="sweep_go").click().run()
    assert "There is a sweep 'taken' already" in app.error[0].value and started == []


def test_the_results_of_a_sweep(sweeps):
    swept(sweeps / "map", most=7)
    app = open_page(PAGE)
    assert "Values are grouped" not in texts(app)
    assert not app.exception and app.get("progress")[0].proto.text == "7 of 8 trials: 1 diverged"
    assert app.selectbox(key="sweep_look").options == ["pictures", SCORES["hq"].title, SCORES["w1"].title]
    for look in ("w1", "hq", "pictures"):
        app.selectbox(key="sweep_look").select(look).run()
        assert not app.exception
    app.selectbox(key="sweep_x").select("penalty").run()
    assert not app.exception and app.selectbox(key="sweep_y").value == "g_lr"
    table = app.dataframe[0].value
    assert len(table) == 7 and list(table["status"]).count("diverged") == 1
    assert "g_lr=0.01" in table["open"][2] and table["open"][0].startswith("./?")
    app.selectbox(key="sweep_curve").select("g_loss").run()
    assert not app.exception
    assert [button.proto.label for button in app.get("download_button")] == [
        "Download CSV",
        "Download map (HTML)",
        "Download for TensorBoard",
    ]


def test_thousands_of_draws_are_grouped(sweeps, monkeypatch):
    """Each value by itself would be a map of nine million cells."""
    space = parse_space(BASE, ["g_lr=1e-5:1e-1", "d_lr=1e-5:1e-1"], 1, None, 10.0, draws=3_000)
    store = Store(sweeps / "many")
    store.begin(space)
    rows = [outcome_without_training(trial, "done", "").row for trial in space.trials()]
    for number, row in enumerate(rows):
        row["metrics"] = {"w1": 1 + number / 1_000, "w1_floor": 0.04}
    (store.folder / "trials.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    drawn, draw = [], sweep_figures.score_map
    monkeypatch.setattr(sweep_figures, "score_map", lambda *given: drawn.append(given) or draw(*given))
    app = open_page(PAGE)
    app.selectbox(key="sweep_look").select("w1").run()
    assert not app.exception and "Values are grouped" in texts(app)
    columns, lines, _, cells, *_ = drawn[-1]
    assert max(len(columns), len(lines)) <= MOST_GROUPS and len(cells) > 1_000
    assert sum(n for *_, n in cells.values()) == 3_000
    figure = draw(*drawn[-1])
    assert figure["data"][0]["texttemplate"] == "" and figure["layout"]["height"] < 1_200
    assert len(figure["label"]) < 300 and "trial" in str(figure["data"][0]["text"])


def test_cells_of_the_map_are_opened_and_raced(sweeps, monkeypatch):
    swept(sweeps / "map")
    went = []
    monkeypatch.setattr(st, "switch_page", lambda page: (went.append(page), st.stop()))
    app = open_page(PAGE)
    cells = app.multiselect(key="sweep_cells map")
    assert len(cells.options) == 4 and not [b for b in app.button if b.key == "sweep_race"]
    cells.select(cells.options[0]).run()
    assert len(app.get("link_button")) == 1
    app.multiselect(key="sweep_cells map").select(cells.options[3]).run()
    first, second = (link.proto.url for link in app.get("link_button"))
    assert first.startswith("./?data=ring") and "g_lr=0.01&" in second and "penalty=r1&" in second
    app.button(key="sweep_race").click().run()
    assert not app.exception and went == ["pages/compare.py"]
    (one, other), upload = app.session_state["ganscope"].racing
    assert (one.g_lr, one.penalty, other.g_lr, other.penalty) == (1e-3, "none", 1e-2, "r1") and upload is None
    assert one.seed == other.seed == BASE.seed and app.session_state["compare_way"] == "race"


def test_a_cell_over_ones_own_file_is_opened_with_it(sweeps, monkeypatch):
    """In this tab: no address can name a user's file."""
    own, _ = uploads.parsed("own.csv", "\n".join(f"{i},{i * i % 31}" for i in range(60)).encode())
    store = swept(sweeps / "map", base=BASE.updated({"data": "file"}), upload=own)
    went = []
    monkeypatch.setattr(st, "switch_page", lambda page: (went.append(page), st.stop()))
    app = open_page(PAGE)
    app.multiselect(key="sweep_cells map").select(app.multiselect(key="sweep_cells map").options[3]).run()
    assert not app.get("link_button") and not any(app.dataframe[-1].value["open"])
    app.button(key="sweep_open_A").click().run()
    assert not app.exception and went == ["pages/playground.py"]
    points = app.session_state["ganscope"].pages["points"]
    assert (points.config.data, points.config.g_lr, points.config.penalty) == ("file", 1e-2, "r1")
    assert uploads.same(points.upload, own)
    (store.folder / "upload.npz").write_bytes(b"junk")
    app = open_page(PAGE)
    app.multiselect(key="sweep_cells map").select(app.multiselect(key="sweep_cells map").options[3]).run()
    app.button(key="sweep_open_A").click().run()
    assert not app.exception and "The data of the sweep map cannot be read" in app.error[0].value


def test_cells_of_different_data_are_not_raced(sweeps):
    swept(sweeps / "map", over=["data_size=500,1000"], seeds=1)
    app = open_page(PAGE)
    for option in app.multiselect(key="sweep_cells map").options:
        app.multiselect(key="sweep_cells map").select(option).run()
    app.button(key="sweep_race").click().run()
    assert "Runs of different data are not raced" in app.error[0].value
    assert app.session_state["ganscope"].racing is None


def test_a_click_chooses_a_cell_and_the_third_replaces_the_first(monkeypatch):
    from pages.ui.sweeps import sweep_cells

    state = {}
    monkeypatch.setattr(sweep_cells.st, "session_state", state)
    for place, chosen in ((0, ["a"]), (1, ["a"]), (2, ["a", "c"]), (0, ["c", "a"]), (3, ["a", "d"]), (9, ["a", "d"])):
        monkeypatch.setattr(sweep_cells, "clicked", lambda key, place=place: place)
        sweep_cells._pick("key", ["a", "", "c", "d"])
        assert state.get("key", []) == chosen, place


def test_all_combinations_are_lines_and_the_best_fifth_is_thick():
    groups = [
        (f"g{i}", ({"g_lr": rate}, {"w1": w1, "hq": 0.5})) for i, (rate, w1) in enumerate([(1, 3), (2, 1), (4, 2)])
    ]
    figure = sweep_figures.lines(groups, {"g_lr": "rate"}, {"g_lr": [1, 2, 4]}, "w1")
    assert [trace["line"]["width"] for trace in figure["data"]] == [1.5, 1.5, 4]
    assert "g1" in figure["data"][-1]["hovertemplate"] and figure["data"][-1]["y"] == [0.5, 0.0, 0.5]
    assert figure["layout"]["xaxis"]["ticktext"][0] == "rate"
    texts = [note["text"] for note in figure["layout"]["annotations"] if note["x"] == 0]
    assert texts == ["1", "2", "4"]


@pytest.mark.parametrize(
    ("over", "most"),
    [
        ([], 3),
        (["g_lr=1e-3,1e-2"], 4),
        (["g_lr=1e-3,1e-2", "penalty=none,r1", "loss=hinge,minimax"], 9),
        (["g_lr=1e-3"], 0),
    ],
)
def test_sweeps_of_no_one_and_three_settings_are_shown(sweeps, over, most):
    swept(sweeps / "map", over, most=most)
    app = open_page(PAGE)
    assert not app.exception and not app.error
    if len(over) == 3:
        app.selectbox(key="sweep_at_loss").select("hinge").run()
        assert not app.exception


def test_a_sweep_that_cannot_be_read_is_a_sentence(sweeps):
    swept(sweeps / "map")
    (sweeps / "map" / "trials.jsonl").write_text("{]\n")
    app = open_page(PAGE)
    assert not app.exception and "was changed after it was written" in app.error[0].value
    (sweeps / "map" / "sweep.json").write_text("{}")
    app = open_page(PAGE)
    assert not app.exception and "does not hold a sweep" in app.error[0].value


def test_a_server_for_others_shows_sweeps_and_starts_none(sweeps, monkeypatch):
    swept(sweeps / "map")
    monkeypatch.setattr(addresses, "is_for_oneself", lambda: False)
    app = open_page(PAGE)
    assert not app.exception and "from its command line" in app.info[0].value
    assert "sweep_go" not in {button.key for button in app.button} and len(app.dataframe) == 1


def test_the_time_that_is_said_grows_with_the_trials():
    one, many = (parse_space(BASE, ["g_lr=1e-4:1e-2:8"], seeds, None, 10.0) for seeds in (1, 10))
    assert "8 combinations x 1 seed = 8 trials" in sweep_form._cost(one)
    assert "80 trials" in sweep_form._cost(many) and sweep_form._cost(many) != sweep_form._cost(one)
