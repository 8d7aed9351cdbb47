"""A sweep for TensorBoard's page HPARAMS: each trial a session with its settings, scores and curves.

Written with TensorBoard's own messages and records, which need no TensorFlow; whoever looks at them has TensorBoard.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.scores.registry import SCORES
from gan_core.settings.setting_texts import text
from gan_core.sweeps.training import DONE, STOPPED
from gan_core.training.train_step import COLUMNS

POINTS = 200  # of a trial's curve
MISSING = "TensorBoard is not installed: `pip install tensorboard`, then try again."


def hparams_zip(rows: Sequence[dict[str, Any]], arrays: Callable[[str], dict[str, np.ndarray]]) -> bytes:
    """A zip with a folder for each trial; raises ConfigError where TensorBoard is not installed.

    arrays: what is kept of a trial by its key, with the losses' history.
    """
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        raise ConfigError(MISSING) from None
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for row in rows:
            kept = arrays(row["key"]) if row["status"] in (DONE, STOPPED) else {}
            file.writestr(f"{row['key']}/events.out.tfevents.0.ganscope", _events(row, kept))
    return buffer.getvalue()


def _events(row: dict[str, Any], kept: dict[str, np.ndarray]) -> bytes:
    """The records of one session."""
    from tensorboard.compat.proto import event_pb2, summary_pb2
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
    from tensorboard.summary.writer.record_writer import RecordWriter

    # The messages are made when their modules are imported, so no type checker knows them.
    events: Any = event_pb2
    summaries: Any = summary_pb2
    api: Any = api_pb2
    plugin: Any = plugin_data_pb2
    buffer = io.BytesIO()
    writer = RecordWriter(buffer)

    def write(**what: Any) -> None:
        writer.write(events.Event(**what).SerializeToString())

    def scalars(step: int, values: dict[str, float]) -> None:
        made = [summaries.Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        write(step=step, summary=summaries.Summary(value=made))

    def about(tag: str, **what: Any) -> None:
        content = plugin.HParamsPluginData(version=metadata.PLUGIN_DATA_VERSION, **what)
        described = metadata.create_summary_metadata(content)
        value = summaries.Summary.Value(tag=tag, metadata=described, tensor=metadata.NULL_TENSOR)
        write(summary=summaries.Summary(value=[value]))

    write(file_version="brain.Event:2")
    start = plugin.SessionStartInfo(group_name=", ".join(f"{n} {text(v)}" for n, v in row["settings"].items()))
    for name, value in {**row["settings"], "seed": row["seed"]}.items():
        field = start.hparams[name]
        if isinstance(value, bool):
            field.bool_value = value
        elif isinstance(value, (int, float)):
            field.number_value = value
        else:
            field.string_value = str(value)
    about(metadata.SESSION_START_INFO_TAG, session_start_info=start)
    if "history_step" in kept:
        steps, means = kept["history_step"], kept["history_mean"]
        for i in np.unique(np.linspace(0, len(steps) - 1, POINTS).astype(int)) if len(steps) else ():
            scalars(int(steps[i]), {f"training/{name}": float(v) for name, v in zip(COLUMNS, means[i], strict=True)})
    for i, step in enumerate(kept.get("looks_step", ())[:-1]):  # the last is the end, below
        looked = {name: float(kept[f"looks_{name}"][i]) for name in SCORES if f"looks_{name}" in kept}
        scalars(int(step), {f"scores/{name}": value for name, value in looked.items() if value == value})
    numbers = {name: float(v) for name, v in row["metrics"].items() if isinstance(v, (int, float))}
    if numbers:
        scalars(row["steps"], {f"scores/{name}": value for name, value in numbers.items()})
    known = {DONE: api.STATUS_SUCCESS, STOPPED: api.STATUS_UNKNOWN}
    status = known.get(row["status"], api.STATUS_FAILURE)
    about(metadata.SESSION_END_INFO_TAG, session_end_info=plugin.SessionEndInfo(status=status))
    return buffer.getvalue()
