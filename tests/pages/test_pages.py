"""Each page's widgets and messages, in Streamlit's AppTest, without a server or a worker."""

import os
import re
import threading
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from gan_core.data import loading
from gan_core.data.datasets import DATASETS
from gan_core.export.exports import EXPORTS
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.networks.cost import step_memory
from gan_core.recording.training_run import TrainingRun
from gan_core.runs import autosave_folders, run_writing
from gan_core.runs.run_reading import Race
from gan_core.serving.run_origins import Source
from gan_core.settings.all_settings import HYPERPARAMETERS
from gan_core.settings.config import GANConfig
from gan_core.settings.presets import PRESETS
from gan_core.settings.recipes import RECIPES
from gan_core.training.train_step import COLUMNS
from pages import runs
from pages.ui import shell
from pages.ui.components import liveplot
from pages.ui.figures import loss_figures, point_figures, score_texts
from pages.ui.run import settings_panel, time_machine
from pages.ui.session import own_run, page_state, remembered
from pages.ui.session.page_state import Saving
from tests.conftest import ROOT
from tests.support.app import FakeHub, news, open_page, own
from tests.support.trainers import settings, trainer_of, uncompiled


@pytest.fixture
def hub(monkeypatch):
    """The pages' hub."""
    fake = FakeHub()
    monkeypatch.setattr(own_run, "hub", lambda: fake)
    return fake


def test_every_knob_is_there_with_a_help_text(hub):
    app = open_page()
    shown = {}
    for kind in (app.slider, app.select_slider, app.selectbox, app.toggle, app.number_input):
        shown |= {widget.key: widget for widget in kind}
    # one choice; adam has no momentum; for images; only once there is a schedule or noise
    unused = {"architecture", "g_momentum", "d_momentum", "filters", "conditional"}
    unused |= {name for name in HYPERPARAMETERS if name.startswith(("augment", "ada_"))}
    unused |= {"schedule_steps", "schedule_floor", "instance_noise_steps"}
    for name in HYPERPARAMETERS:
        if name not in unused:
            assert len(shown[f"knob_{name}"].help) > 40, name
    for name in DATASETS["ring"].knobs:
        assert f"knob_data.{name}" in shown


def test_a_link_sets_the_knobs(hub):
    app = open_page(data="grid", data__side="3", d_steps="4", loss="minimax", show_ema="false", seed="12")
    assert app.selectbox(key="knob_data").value == "grid"
    assert app.slider(key="knob_d_steps").value == 4
    assert app.selectbox(key="knob_loss").value == "minimax"
    assert app.toggle(key="knob_show_ema").value is False
    assert app.number_input(key="knob_seed").value == 12
    assert own(app, "points").config.params()["side"] == 3


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("app.py", {"show_ema": "false", "loss": "hinge", "g_lr": "0.004", "batch_size": "64", "d_steps": "3"}),
        ("pages/images.py", {"data": "digits", "architecture": "dcgan", "data.classes": "1,7", "conditional": "true"}),
    ],
)
def test_a_widget_s_default_is_its_value(hub, page, query):
    """A browser that misses the run in which the session set it starts from the default, and would send that back."""
    app = open_page(page, **query)
    asked = [*app.toggle, *app.selectbox, *app.slider, *app.select_slider, *app.multiselect, *app.number_input]
    knobs = [widget for widget in asked if str(widget.key).startswith("knob_")]
    assert len(knobs) > 25
    for widget in knobs:
        default, value = widget.proto.default, widget.value
        if widget.type == "selectbox":
            default = widget.options[default]
            assert default.partition(":")[0] == value, widget.key
        elif widget.type == "multiselect":
            assert len(default) == len(value), widget.key
        elif widget.type == "select_slider":
            shown = f"{value:,}" if isinstance(value, int) else f"{value:g}"
            assert widget.options[int(default[0])].startswith(shown), widget.key
        else:
            assert (default[0] if widget.type == "slider" else default) == value, widget.key


def test_a_turned_knob_is_in_the_config_and_the_address(hub):
    app = open_page()
    app.slider(key="knob_d_steps").set_value(3).run()
    assert own(app, "points").config.d_steps == 3
    assert app.query_params["d_steps"] in ("3", ["3"])
    assert own(app, "points").run.config.d_steps == 3


def test_every_dataset_and_preset_can_be_chosen(hub):
    app = open_page()
    for name in (n for n, row in DATASETS.items() if row.kind == "points"):
        app.selectbox(key="knob_data").set_value(name).run()
        assert not app.exception and own(app, "points").config.data == name
    for name, preset in ((n, row) for n, row in PRESETS.items() if row.kind == "points"):
        app.selectbox(key="preset").set_value(name).run()
        assert not app.exception and own(app, "points").config == preset.config


def test_every_recipe_can_be_taken_and_is_named(hub):
    app = open_page(data="grid", g_units="8", d_units="8")
    for name, recipe in RECIPES.items():
        before = own(app, "points").config
        app.selectbox(key="recipe").set_value(name).run()
        assert not app.exception and own(app, "points").config == recipe.of(before)
        assert name in app.selectbox(key="recipe").placeholder
    app.slider(key="knob_d_steps").set_value(9).run()
    assert app.selectbox(key="recipe").placeholder == "use a paper's settings"


def test_what_cannot_work_is_refused_and_what_disappoints_is_said(hub):
    app = open_page(packing="3")  # the batch is 256
    assert "The batch size (256) must be a multiple of packing (3)" in " ".join(w.value for w in app.warning)
    assert own(app, "points").config.packing == 1
    app.slider(key="knob_packing").set_value(3).run()
    assert "must be a multiple of packing (3)" in " ".join(w.value for w in app.warning)
    assert app.slider(key="knob_packing").value == 1
    app.selectbox(key="knob_loss").set_value("wasserstein").run()
    assert any("grow without limit" in c.value for c in app.caption)
    app.selectbox(key="knob_penalty").set_value("wgan_gp").run()
    assert not any("grow without limit" in c.value for c in app.caption)


def test_the_mode_chart_shows_what_each_mode_got():
    from gan_core.serving.client import Run

    run = Run(PRESETS["ring"].config)
    assert list(point_figures.mode_chart(run.snapshot())["data"][0]["y"]) == [0] * 8
    run._last = {"metrics": {"mode_counts": [1, 2, 3, 4, 5, 6, 7, 8], "samples": 80}}
    figure = point_figures.mode_chart(run.snapshot())
    assert list(figure["data"][0]["y"]) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert figure["layout"]["shapes"][0]["y0"] == 10  # the fair share


def test_bad_settings_in_a_link_are_sentences(hub):
    app = open_page(d_lr="7", zzz="1", seed="nan")
    said = " ".join(w.value for w in app.warning)
    for part in ("d_lr must be", "no setting 'zzz'", "seed must be"):
        assert part in said
    assert own(app, "points").config == GANConfig.from_flat({})


def test_without_a_free_place_a_run_waits_in_the_queue(hub):
    hub.full = True
    app = open_page()
    app.button(key="play").click().run()
    feed = own(app, "points").feed
    said = feed.texts(feed.run.snapshot())["steps_per_second"]
    assert "Number 1 in the queue. Training starts automatically" in said
    app.button(key="step").click().run()
    assert "The server is full" in news(app)
    assert app.button(key="play").label == "Play"
    app.button(key="play").click().run()
    assert app.button(key="play").label == "Pause"
    app.button(key="play").click().run()
    assert app.button(key="play").label == "Play" and not hub.full  # it has left the queue
    app.button(key="play").click().run()
    assert app.button(key="play").label == "Pause"
    assert hub.started == [own(app, "points").run]


def test_new_seed_and_reset(hub):
    app = open_page(seed="1")
    app.button(key="new_seed").click().run()
    seed = own(app, "points").config.seed
    assert seed != 1 and own(app, "points").run.config.seed == seed
    app.button(key="reset").click().run()
    assert own(app, "points").config.seed == seed


def test_a_structural_change_waits_while_steps_would_be_lost(hub):
    app = open_page()
    run = own(app, "points").run
    run._last = {"step": 500}
    app.selectbox(key="knob_loss").set_value("minimax").run()
    assert "500 steps" in " ".join(m.value for m in app.markdown)
    assert run.config.loss == "relativistic"
    app.button(key="keep").click().run()
    assert own(app, "points").config.loss == "relativistic"
    app.selectbox(key="knob_loss").set_value("minimax").run()
    era = own(app, "points").era
    app.button(key="apply").click().run()
    assert run.config.loss == "minimax"
    assert own(app, "points").era > era  # a step of the past is one of the run before


def test_a_save_that_ends_while_the_page_is_drawn_is_acted_on(hub, monkeypatch):
    app = open_page()
    save, real = Future(), settings_panel.config_panel
    own(app, "points").saving = Saving(save)

    def ends(config):
        if not save.done():
            save.set_exception(ConfigError("The disk is full."))
        return real(config)

    monkeypatch.setattr(settings_panel, "config_panel", ends)
    app.run()
    assert own(app, "points").feed.drawn is None  # so the browser has the page drawn once more
    app.run()
    assert "The disk is full." in news(app) and own(app, "points").saving is None


@pytest.mark.parametrize("key", ["save_go_points", "take_Run_csv"])
def test_keeping_before_the_first_step_is_answered(hub, key):
    app = open_page()
    button = app.button(key=key)
    assert not button.disabled  # frames come without a script: the first step would not enable it
    button.click().run()
    assert "Press Play or Step first" in news(app)


def test_a_bad_environment_is_a_sentence(monkeypatch):
    def broken():
        raise ValueError("GANSCOPE_MAX_WORKERS must be a whole number from 1 to 1,000; got 'x'.")

    monkeypatch.setattr(own_run, "hub", broken)
    app = open_page()
    assert app.error[0].value.startswith("GANSCOPE_MAX_WORKERS must be")


def test_the_file_data_set_asks_for_its_file(hub):
    app = open_page(data="file")
    assert "Upload a file in the sidebar" in app.info[0].value
    own(app, "points").upload = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    app.run()
    assert not app.info and own(app, "points").run.config.data == "file"


def test_the_guide_lists_the_registries(hub):
    app = AppTest.from_file(str(ROOT / "pages" / "guide.py"), default_timeout=30).run()
    assert not app.exception
    text = " ".join(m.value for m in app.markdown)
    for name in PRESETS:
        assert name in text


def test_every_image_knob_is_there_with_a_help_text(hub):
    app = open_page("pages/images.py", g_optimizer="rmsprop", architecture="dcgan")
    shown = {}
    for kind in (app.slider, app.select_slider, app.selectbox, app.toggle, app.number_input, app.multiselect):
        shown |= {widget.key: widget for widget in kind}
    for name in ("architecture", "filters", "conditional", "g_norm", "d_norm", "dropout", "data.size", "data.classes"):
        assert len(shown[f"knob_{name}"].help) > 40, name
    for name in ("side", "framed", "latent", "log_losses", "smooth_losses"):
        assert len(shown[name].help) > 20, name
    assert "knob_g_layers" not in shown  # a knob of dense networks
    said = " ".join(c.value for c in app.caption)
    assert "One step takes roughly: mlp" in said and "dcgan_resize" in said


def test_every_image_preset_can_be_chosen(hub, no_files):
    app = open_page("pages/images.py")
    for name, preset in ((n, row) for n, row in PRESETS.items() if row.kind == "images"):
        app.selectbox(key="preset").set_value(name).run()
        assert not app.exception and own(app, "images").config == preset.config


@pytest.fixture
def no_files(monkeypatch, tmp_path):
    """A machine without any data set, whose downloads fail at once."""
    from pages.ui.run import downloads_panel

    class Failed:
        def status(self):
            from gan_core.data.download import Status

            return Status("failed", 0, "mnist could not be downloaded. Put mnist.npz into the folder ...")

    for name in ("GANSCOPE_DATA", "GANSCOPE_CACHE", "KERAS_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(downloads_panel, "get", lambda name, again=False: Failed())


def test_a_missing_file_is_a_sentence_and_the_run_stays(hub, no_files):
    app = open_page("pages/images.py")
    app.selectbox(key="knob_data").set_value("mnist").run()
    assert "Put mnist.npz" in app.warning[0].value
    assert own(app, "images").run.config.data == "digits"
    app.button(key="new_seed").click().run()
    assert not app.exception


def test_what_cannot_be_trained_is_a_sentence(hub):
    app = open_page("pages/images.py")
    app.selectbox(key="knob_architecture").set_value("tutorial_dcgan64").run()
    assert "makes images of 64 x 64 pixels, but the data are 28 x 28" in app.error[0].value
    assert own(app, "images").run.config.architecture == "dcgan_resize"
    app.selectbox(key="knob_data.size").set_value("64").run()
    assert not app.error
    assert own(app, "images").run.config.architecture == "tutorial_dcgan64"


def test_classes_are_chosen_by_name(hub):
    app = open_page("pages/images.py")
    app.multiselect(key="knob_data.classes").set_value(["3", "8"]).run()
    assert own(app, "images").run.data.class_names == ("3", "8")
    assert app.query_params["data.classes"] in ("3,8", ["3,8"])
    app.multiselect(key="knob_data.classes").set_value([]).run()
    assert own(app, "images").config.params()["classes"] == "all"


@pytest.mark.parametrize(("page", "query"), [("images", {"data": "ring"}), ("playground", {"data": "digits"})])
def test_a_link_to_the_other_page_says_so(hub, page, query):
    app = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=60)
    app.query_params["data"] = query["data"]
    app.run()
    assert not app.exception and "This link needs the page" in app.warning[0].value
    kept = own(app, "images" if page == "images" else "points").elsewhere
    assert kept.data == query["data"]  # behind the button that opens it there


def test_a_link_to_the_other_page_is_opened_there_with_a_click(hub):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.switch_page("pages/images.py")
    app.query_params["data"], app.query_params["g_lr"] = "grid", "0.004"
    app.run()
    app.button(key="open_elsewhere").click().run()
    assert not app.exception and not app.warning
    there = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    there.session_state["ganscope"] = tab = app.session_state["ganscope"]
    assert tab.goes_to == "pages/playground.py"
    there.run()
    config = own(there, "points").run.config
    assert (config.data, config.g_lr) == ("grid", 0.004)


def test_data_are_loaded_beside_the_script(hub, monkeypatch):
    """On a first visit too, and for a race: a page that loads for seconds can be left."""
    threads, load = [], loading.load

    def noted(*given):
        threads.append(threading.current_thread().name)
        return load(*given)

    monkeypatch.setattr(loading, "load", noted)
    open_page("pages/images.py", data="digits", n="300")
    assert threads[0] == "page work"  # whoever asks later finds them in memory
    threads.clear()
    app = open_page("pages/compare.py")
    app.button(key="race_go").click().run()
    assert not app.exception and own(app, "race").run is not None and threads[0] == "page work"


def test_playing_one_page_pauses_the_other(hub):
    from gan_core.serving.client import Run

    app = open_page("pages/images.py")
    other = Run(PRESETS["ring"].config)
    other.wants_play = True
    own(app, "points").run = other
    app.button(key="play").click().run()
    assert not other.wants_play and "Paused the run on Points" in news(app)


def test_the_tutorials_are_listed_with_their_parameters_and_open(hub):
    from gan_core.settings.presets import TUTORIALS

    app = AppTest.from_file(str(ROOT / "pages" / "tutorials.py"), default_timeout=30).run()
    assert not app.exception
    assert len(TUTORIALS) == 7
    said = " ".join([m.value for m in app.markdown] + [c.value for c in app.caption])
    for name in TUTORIALS:
        assert name in said
    for count in ("157,954", "132,609", "1,463,555", "12,740,995"):
        assert count in said


def test_a_grid_of_a_hundred_is_one_small_texture(hub):
    from gan_core.serving.client import Run
    from pages.ui.components.liveplot import pack
    from pages.ui.figures import image_figures

    run = Run(PRESETS["digits"].config)
    rng = np.random.default_rng(0)
    run._last = {"grid": rng.integers(0, 255, (100, 28, 28, 1), np.uint8), "p_real": rng.random(100, np.float32)}
    figure = image_figures.grid(run.snapshot(), 10, True, [])
    assert [trace["type"] for trace in figure["data"]] == ["image", "scatter"]
    assert len(pack(figure)) < 82_000


def test_figures_have_one_layer_a_switch(hub):
    from gan_core.serving.client import Run

    snapshot = Run(PRESETS["ring"].config).snapshot()
    names = [trace["name"] for trace in point_figures.plane(snapshot, set(point_figures.LAYERS))["data"]]
    assert names == ["real"]  # before the first Play there is only the data
    assert loss_figures.losses(snapshot)["layout"]["shapes"]


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("smoothed", [True, False])
def test_the_losses_payload_does_not_grow(hub, log, smoothed):
    from gan_core.recording.history import History
    from gan_core.serving.client import Run
    from pages.ui.components.liveplot import pack

    run, sizes = Run(PRESETS["ring"].config), []
    history = History()
    for steps in (16_384, 1_048_576 - 16_384):
        history.append(np.random.default_rng(0).random((steps, len(COLUMNS))).astype(np.float32))
        run._last = {"step": history.steps, "history": history.frame()}
        sizes.append(len(pack(loss_figures.losses(run.snapshot(), log, smoothed))))
    assert sizes[1] < 1.05 * sizes[0] < 64_000


def test_pack_keeps_values_and_shapes():
    import json
    import struct

    from pages.ui.components.liveplot import pack

    rows = np.arange(6, dtype=np.float32).reshape(2, 3)
    blob = pack({"a": rows, "b": np.arange(3), "c": [np.float64(0.5), "x", None], "d": np.array([1, 2], np.uint8)})
    (size,) = struct.unpack_from("<I", blob)
    head = json.loads(blob[4 : 4 + size])
    offset, count, kind = head["a"]["$"]
    assert (head["a"]["rows"], kind, (4 + size) % 4) == (2, "f4", 0)
    np.testing.assert_array_equal(np.frombuffer(blob, "<f4", count, 4 + size + offset), rows.ravel())
    offset, count, kind = head["b"]["$"]
    assert kind == "i4" and list(np.frombuffer(blob, "<i4", count, 4 + size + offset)) == [0, 1, 2]
    assert head["c"] == [0.5, "x", None] and head["d"]["$"][2] == "u1"


def test_the_folder_of_runs_can_be_named_at_the_start(monkeypatch):
    monkeypatch.setenv("GANSCOPE_RUNS_DIR", "elsewhere")
    for argv in (["app.py"], ["/usr/bin/pytest", "-q"]):
        assert shell.take_arguments(argv) == "" and os.environ["GANSCOPE_RUNS_DIR"] == "elsewhere"
    for argv in (["app.py", "--runs-dir"], ["app.py", "--runs", "x"], ["app.py", "--runs-dir", "a", "b"]):
        assert "--runs-dir DIR" in shell.take_arguments(argv)
    assert shell.take_arguments(["app.py", "--runs-dir", "kept"]) == "" and os.environ["GANSCOPE_RUNS_DIR"] == "kept"


def test_every_page_of_runs_opens_with_nothing_there(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("GANSCOPE_RUNS_DIR", str(tmp_path))
    app = open_page("pages/runs.py")
    assert any("No saved runs yet" in m.value for m in app.markdown)
    app = open_page("pages/compare.py")
    assert app.selectbox(key="race_knob").value == "g_lr"
    app.segmented_control(key="compare_way").set_value("saved").run()
    assert any("Nothing to compare yet" in m.value for m in app.markdown)


def test_an_unreadable_folder_is_listed_with_its_reason(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("GANSCOPE_RUNS_DIR", str(tmp_path))
    (tmp_path / "foreign [x](y)").mkdir()
    app = open_page("pages/runs.py")
    assert any("cannot be read" in c.value and "config" in c.value for c in app.caption)


def test_names_that_differ_by_a_space_or_a_line_are_listed(hub, tmp_path, monkeypatch):
    """Each row's widgets have keys of their own."""
    monkeypatch.setenv("GANSCOPE_RUNS_DIR", str(tmp_path))
    trainer = trainer_of(settings(), uncompiled(settings()))
    training = TrainingRun(trainer, scored=False)
    training.train(1)
    for name in ("a b", "a_b", "a-b", "a.b"):
        run_writing.save(tmp_path / name, run_writing.Content.of(training))
    app = open_page("pages/runs.py")
    assert sum(box.label == "Compare" for box in app.checkbox) == 4


def test_racers_that_want_too_much_memory_together_are_refused(hub, monkeypatch):
    larger = PRESETS["ring"].config.updated({"g_units": 512})
    monkeypatch.setenv("GANSCOPE_WORKER_MB", str(step_memory(larger, (2,)) // 1_000_000 + 1))  # each alone would do
    app = open_page("pages/compare.py")
    app.selectbox(key="race_knob").set_value("g_units").run()
    next(t for t in app.text_input if t.label == "Values to try").set_value("511, 512").run()
    app.button(key="race_go").click().run()
    assert "all 2 runs of this race together would need about" in " ".join(e.value for e in app.error)


def test_an_autosaved_race_is_offered_on_compare_and_taken_up(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("GANSCOPE_RUNS_DIR", str(tmp_path))
    monkeypatch.setattr(time_machine, "owner", lambda: "0123456789abcdef")
    folders = autosave_folders.new_folders(tmp_path, "ring", time_machine.owner(), 2)
    for i, folder in enumerate(folders):
        training = TrainingRun(trainer_of(settings(g_units=4 + i), uncompiled(settings(g_units=4 + i))), scored=False)
        training.train(training.until_due(1))
        race = Race(folders[0].name, i, 2)
        run_writing.save(folder, run_writing.Content.of(training, owner=time_machine.owner(), race=race))
    # On the page of points, one run of a race is nothing to offer.
    assert not any("Continue your last" in m.value for m in open_page().markdown)
    app = open_page("pages/compare.py")
    assert any("Continue your last race of 2 runs? **ring**, step 1, " in m.value for m in app.markdown)
    app.button(key="take_up").click().run()
    assert not app.exception and not app.error
    (run,) = hub.started
    assert [c.g_units for c in run.configs] == [4, 5] and [s.folder for s in run.sources] == folders
    assert run.autosave == {"folders": [str(folder) for folder in folders], "owner": time_machine.owner()}


def test_a_race_is_refused_with_a_sentence(hub):
    app = open_page("pages/compare.py")
    values = next(t for t in app.text_input if t.label == "Values to try")
    for text, said in (("0.1", "Enter 2 to 4 values"), ("0.1, 0.1", "the same"), ("1, 2, x", "d_lr must be a number")):
        app.selectbox(key="race_knob").set_value("d_lr").run()
        values = next(t for t in app.text_input if t.label == "Values to try")
        values.set_value(text).run()
        app.button(key="race_go").click().run()
        assert said in " ".join(e.value for e in app.error), text
    assert own(app, "race").run is None


def test_scores_that_are_not_in_our_form_are_none():
    for bad in ({}, {"w1": "x"}, {"modes": 8}, {"samples": 0}, {"modes": [1], "modes_total": "x"}):
        assert score_texts.cells(bad) == []


def test_the_losses_of_several_runs_have_a_colour_each():
    from gan_core.recording.history import History
    from gan_core.recording.snapshot import Snapshot

    history = History()
    history.append(np.ones((5, 7), np.float32))
    config = PRESETS["ring"].config
    shown = [Snapshot(config, None, "paused", frame={"history": history.frame(), "at": at}) for at in (None, 3)]
    figure = loss_figures.overlay(shown, ["a", "b"], log=False)
    assert len(figure["data"]) == 5 and len(figure["layout"]["shapes"]) == 1
    assert {t["line"]["color"] for t in figure["data"][1:]} == set(loss_figures.RUN_COLORS[:2])


def test_a_tutorial_s_grid_is_chosen_without_a_warning(hub, no_files):
    """A widget with a default of its own warns, on the page, when its value is set before it is drawn."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.session_state["side"] = 4
    app.switch_page("pages/images.py").run()
    assert not app.exception and not app.warning
    assert app.select_slider(key="side").value == 4


def test_a_page_that_was_away_for_too_long_owns_its_run_again(hub):
    """Else nobody would renew the lease of the process that its next Play starts, which then stands still."""
    app = open_page()
    (run,) = hub.owned
    app.run()
    assert hub.owned == [run]
    hub.owned.clear()  # the hub has ended the run, and forgotten it
    app.run()
    assert hub.owned == [run]


def test_a_click_that_comes_as_its_page_is_left_is_passed_over(hub):
    """It can leave the browser just when another page is drawn: then Streamlit no longer knows its widget."""

    def late():
        import streamlit as st

        from pages.ui.run import saved_comparison, saved_run, settings_panel, transport
        from pages.ui.session import clicks, page_state

        page_state.open_page("points")
        before = page_state.current()
        settings_panel._turned("loss")
        transport._speed(None)
        saved_comparison._chosen()
        saved_run._tick("a run", "tick_a_run")
        turned = clicks.here(settings_panel._turned)
        clicked = clicks.once("reset", page_state.current)
        page_state.open_page("race")  # which has no settings of its own
        st.session_state.knob_loss = "hinge"
        turned("loss")
        clicked()
        page_state.open_page("points")
        assert page_state.current() == before

    app = AppTest.from_function(late).run()
    assert not app.exception


class Mute:
    """A training process that hears everything and says nothing."""

    state, answer = "warm", None

    def __init__(self):
        self.said: list = []

    def send(self, kind, body=None):
        self.said.append((kind, body))

    def wait_answer(self, newer_than, timeout):
        return None


def test_what_a_reset_drops_can_be_brought_back(hub):
    app = open_page(seed="1")
    assert app.button(key="undo").disabled
    run = own(app, "points").run
    run.worker, run._last = Mute(), {"step": 500}
    app.button(key="new_seed").click().run()
    assert run.config.seed != 1 and not app.button(key="undo").disabled
    assert "step 500" in app.button(key="undo").help
    app.button(key="undo").click().run()
    assert run.config.seed == 1 and own(app, "points").config.seed == 1
    body = [body for kind, body in run.worker.said if kind == "configure"][-1]
    assert body["restores"] is not None and body["flats"][0]["seed"] == 1
    assert app.button(key="undo").disabled  # the run in between had no steps


def test_the_question_before_a_change_speaks_of_labels(hub):
    app = open_page()
    own(app, "points").run._last = {"step": 2961}
    app.selectbox(key="knob_data").set_value("grid").run()
    said = " ".join(m.value for m in app.markdown)
    assert "Changing **Data set** restarts training. The 2,961 steps so far" in said
    app.button(key="keep").click().run()
    app.slider(key="knob_g_layers").set_value(1).run()
    assert "Changing **Generator: hidden layers** restarts" in " ".join(m.value for m in app.markdown)


def test_the_race_s_list_names_each_setting_once(hub):
    app = open_page("pages/compare.py")
    offered = app.selectbox(key="race_knob").options
    assert len(set(offered)) == len(offered)
    assert {"Generator: hidden layers", "Discriminator: hidden layers"} <= set(offered)


def test_the_first_screen_says_what_one_sees_and_what_to_press(hub):
    for script, word in (("app.py", "eight blue clusters"), ("pages/images.py", "digit becomes readable")):
        app = open_page(script)
        kind = "points" if script == "app.py" else "images"
        feed = own(app, kind).feed
        said = feed.texts(feed.run.snapshot())["steps_per_second"]
        assert "<b>Press Play</b>" in said and word in said and "Guide" in said
    feed.run.sources = (Source(Path("a saved run"), None),)
    assert "Press Play" not in feed.texts(feed.run.snapshot())["steps_per_second"]


@pytest.fixture
def tab(monkeypatch):
    """A browser tab that says its key, also after a refresh (another session)."""
    said = ["t" * 36, "b" * 36, 0, "", False]
    monkeypatch.setattr(own_run, "tab_key", lambda renew, attempt: tuple(said))
    remembered._TABS.clear()
    yield said
    remembered._TABS.clear()


def tab_page(**query: str) -> AppTest:
    """The page Points in a session of the fixture's tab."""

    def page():
        from pages.ui.run import points_display, run_page
        from pages.ui.session import own_run, remembered

        own_run.claim()  # as pages/ui/shell.py does around every page
        run_page.page("points", points_display.switches)
        remembered.keep()

    app = AppTest.from_function(page, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def test_a_refresh_loses_no_switch(hub, tab):
    """Each is another session of the same tab."""
    before = tab_page()
    before.toggle(key="log_losses").set_value(True)
    before.toggle(key="smooth_losses").set_value(False)
    before.toggle(key="autosave").set_value(False)
    before.segmented_control(key="step_size").set_value(100)
    before.pills(key="layers").set_value(["real", "manifold"]).run()
    after = tab_page()
    assert after.toggle(key="log_losses").value and not after.toggle(key="smooth_losses").value
    assert not after.toggle(key="autosave").value
    assert after.segmented_control(key="step_size").value == 100
    assert after.pills(key="layers").value == ["real", "manifold"]
    assert not after.warning and not after.exception
    tab[0] = "u" * 36  # another tab
    other = tab_page()
    assert other.toggle(key="smooth_losses").value and not other.toggle(key="log_losses").value


def test_a_refresh_loses_no_file_that_is_looked_at(hub, tab, monkeypatch):
    """Though nothing trains on it yet; of all tabs, only as many as the memory for them holds."""
    before = tab_page(data="file")
    rows = "\n".join(f"{i},{i * i % 7}" for i in range(30)).encode()
    before.file_uploader(key="upload_file_points").set_value(("mine.csv", rows, "text/csv")).run()
    file = own(before, "points").own_file
    assert file.done(30) and file.size() == len(rows) + file.proposal().data.points.nbytes
    before.run()
    after = tab_page(data="file")
    assert not after.exception and after.button(key="use_own_points").label == "Use these"
    assert any("mine.csv: 30 points" in one.label for one in after.expander)
    assert own(after, "points").own_file is file  # it may still be read, and can be stopped
    monkeypatch.setattr(remembered, "MOST_FILE_BYTES", 100)
    after.run()
    assert own(tab_page(data="file"), "points").own_file is None


def test_two_sessions_of_one_key_look_at_steps_of_their_own(hub, tab):
    before = tab_page()
    own(before, "points").past.at = 40
    before.run()
    after = tab_page()
    assert own(after, "points").past.at == 40
    own(after, "points").past.at = 50
    assert own(before, "points").past.at == 40


def test_a_refresh_asks_a_question_again_and_a_link_is_followed(hub, tab):
    """What the address says comes before what the tab remembers; without one, the tab is as it was."""
    from gan_core.serving.client import Run

    before = tab_page(data="ring", loss="hinge")
    assert own(before, "points").config.loss == "hinge"
    run = Run(own(before, "points").config)
    run._last = {"step": 70}
    hub.take_up = lambda key, session, alone=False: run if key.endswith("points") else None
    asked = tab_page(data="ring", loss="minimax")
    assert own(asked, "points").run is run and run.config.loss == "hinge"
    assert "The 70 steps so far" in " ".join(m.value for m in asked.markdown)
    bare = tab_page()
    assert own(bare, "points").config.loss == "minimax"  # as the tab stood last, with its question
    assert "The 70 steps so far" in " ".join(m.value for m in bare.markdown)


def test_every_switch_that_outlives_a_change_of_page_outlives_a_refresh():
    found = set()
    for path in (ROOT / "pages").rglob("*.py"):
        text = path.read_text()
        for match in re.finditer(r'persist_state="session"', text):
            start = text.rfind("st.", 0, match.start())
            keys = re.findall(r'key=f?"([^"]+)"', text[start : match.end() + 200])
            found |= set(keys[:1])
    assert len(found) > 20
    assert {name for name in found if name not in remembered.WIDGETS} <= {"speed"}  # which is the run's


def test_a_browser_without_storage_is_told_what_autosave_can_do(hub, tab):
    tab[1] = tab[0]
    app = open_page()
    assert any("keeps no storage" in c.value for c in app.caption)
    app.toggle(key="autosave").set_value(False).run()
    assert any("this run is not being saved" in c.value for c in app.caption)


def test_news_is_told_once_by_its_number_on_every_page(hub, monkeypatch):
    told = []
    monkeypatch.setattr(liveplot, "notices", lambda items: told.append([item["text"] for item in items]))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    heard = [({"number": "1", "text": "first"}, float("inf")), ({"number": "2", "text": "old"}, 0.0)]
    app.session_state["ganscope"] = page_state.Tab(news=heard)
    app.run()
    for page in ("images", "compare", "runs", "learn", "tutorials", "scores", "guide"):
        told.clear()
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception and told[-1] == ["first"], page
    app.switch_page("pages/watch.py").run()
    assert app.info[0].value == "first"


@pytest.fixture
def saved_runs(tmp_path, monkeypatch):
    """A folder with a run by hand, one by autosave, and a branch."""
    monkeypatch.setenv("GANSCOPE_RUNS_DIR", str(tmp_path))
    trainer = trainer_of(settings(), uncompiled(settings()))
    training = TrainingRun(trainer, scored=False)
    training.train(3)
    training.record()
    for name in ("by hand", "autosave ring 2026-11-25 23.57.16 113532a8"):
        run_writing.save(tmp_path / name, run_writing.Content.of(training))
    return tmp_path


def test_saved_runs_are_found_sorted_and_compared(hub, saved_runs):
    app = open_page("pages/runs.py")
    said = lambda: " ".join(m.value for m in app.markdown)  # noqa: E731
    assert "**by hand**" in said() and "ring, autosaved 25 Nov, 23" in said()
    app.toggle(key="runs_autosaved").set_value(False).run()
    assert "autosaved" not in said() and "**by hand**" in said()
    app.text_input(key="runs_search").set_value("nothing").run()
    assert any("No run matches" in c.value for c in app.caption)
    app.text_input(key="runs_search").set_value("hand ring").run()
    assert "**by hand**" in said()
    for order in runs.SORTS:
        app.selectbox(key="runs_sort").set_value(order).run()
        assert not app.exception
    assert app.button(key="runs_compare").disabled
    app.toggle(key="runs_autosaved").set_value(True)
    app.text_input(key="runs_search").set_value("").run()
    for box in app.checkbox:
        box.check()
    app.run()
    assert not app.button(key="runs_compare").disabled and app.button(key="runs_compare").label == "Compare 2"


def test_a_saved_run_opens_on_its_page(hub, saved_runs):
    app = open_page("pages/runs.py")
    app.button(key="open_by_hand").click().run()
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    page.session_state["ganscope"] = app.session_state["ganscope"]
    page.run()
    assert not page.exception
    run = own(page, "points").run
    assert run.sources[0].folder.name == "by hand" and hub.started == [run]


def test_what_can_be_done_with_a_saved_run(hub, saved_runs):
    """Renaming and deleting are pressed in a browser: a test of this kind draws no dialog twice."""
    app = open_page("pages/runs.py")
    app.button(key="more_by_hand").click().run()
    assert {row.label for row in EXPORTS.values()} <= {button.label for button in app.button}
    assert app.text_input(key="rename_name").value == "by hand" and not app.checkbox(key="delete_sure").value
    assert "delete_go" not in {button.key for button in app.button}  # asked twice
