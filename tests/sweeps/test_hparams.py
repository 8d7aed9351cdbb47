"""A sweep for TensorBoard: what TensorBoard itself reads of it."""

import subprocess
import sys
import zipfile

import numpy as np
import pytest

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.sweeps import hparams
from gan_core.training.train_step import COLUMNS
from tests.conftest import ROOT


def row(number, **settings):
    metrics = {"w1": 0.1 * (number + 1), "histogram": [1, 2], "reverse_kl": None}
    about = {"seed": number, "steps": 40, "status": "done", "metrics": metrics}
    return {"key": f"trial{number}", "settings": {"g_lr": 1e-3, "penalty": "r1", "show_ema": True, **settings}, **about}


def arrays(key):
    steps = np.arange(1, 41, dtype=np.int32)
    return {"history_step": steps, "history_mean": np.tile(steps[:, None], (1, len(COLUMNS))).astype(np.float32)}


@pytest.fixture
def board(tmp_path):
    """(TensorBoard's context of the plugin, the events) of three trials, the last of which diverged."""
    from tensorboard.backend.event_processing import data_provider
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
    from tensorboard.plugins import base_plugin
    from tensorboard.plugins.hparams import backend_context

    rows = [row(0), row(1, g_lr=1e-2), {**row(2), "status": "diverged", "metrics": {}}]
    (tmp_path / "found.zip").write_bytes(hparams.hparams_zip(rows, arrays))
    with zipfile.ZipFile(tmp_path / "found.zip") as file:
        file.extractall(tmp_path / "logs")
    events = EventMultiplexer()
    events.AddRunsFromDirectory(str(tmp_path / "logs"))
    events.Reload()
    provider = data_provider.MultiplexerDataProvider(events, str(tmp_path / "logs"))
    context = base_plugin.TBContext(data_provider=provider, logdir=str(tmp_path / "logs"))
    return backend_context.Context(context), events


def test_tensorboard_finds_each_trial_with_its_settings_and_scores(board):
    from tensorboard.context import RequestContext
    from tensorboard.plugins.hparams import api_pb2, list_session_groups

    context, _ = board
    asked = api_pb2.ListSessionGroupsRequest(
        allowed_statuses=[api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE, api_pb2.STATUS_RUNNING],
        start_index=0,
        slice_size=10,
    )
    infos = context.hparams_metadata(RequestContext(), "")
    experiment = context.experiment_from_metadata(RequestContext(), "", True, infos, [])
    assert {info.name for info in experiment.hparam_infos} == {"g_lr", "penalty", "show_ema", "seed"}
    for info in experiment.metric_infos:
        asked.col_params.add(metric=info.name)
    found = list_session_groups.Handler(RequestContext(), context, "", asked).run().session_groups
    sessions = {session.name.split("/")[0]: (group, session) for group in found for session in group.sessions}
    assert set(sessions) == {"trial0", "trial1", "trial2"}
    group, session = sessions["trial1"]
    assert group.hparams["g_lr"].number_value == 1e-2 and group.hparams["penalty"].string_value == "r1"
    values = {value.name.tag: value.value for value in session.metric_values}
    assert values["scores/w1"] == pytest.approx(0.2) and values["training/d_loss"] == 40
    assert session.status == api_pb2.STATUS_SUCCESS and sessions["trial2"][1].status == api_pb2.STATUS_FAILURE


def test_without_tensorboard_it_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ConfigError, match="TensorBoard is not installed"):
        hparams.hparams_zip([row(0)], arrays)


def test_the_server_writes_it_without_tensorflow():
    code = (
        "import sys\n"
        "from tests.sweeps.test_hparams import arrays, hparams, row\n"
        "assert hparams.hparams_zip([row(0)], arrays)[:2] == b'PK'\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=120)
