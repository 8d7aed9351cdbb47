"""A run as TensorBoard shows it: an event file of losses, scores and pictures over the steps."""

from __future__ import annotations

import calendar
import io
import os
import tempfile
import time
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gan_core.export import animation
from gan_core.export.frame_pictures import data_to_draw, file_of, frame_picture
from gan_core.foundations.lazy_imports import tf
from gan_core.training.train_step import COLUMNS

if TYPE_CHECKING:
    from gan_core.runs.run_reading import Saved

MOST_PICTURES = 30


def archive(run: Saved, say: Callable[[float], None]) -> bytes:
    """A zip of one event file: the history's means, the scores, and pictures of recorded frames."""
    recording, data = animation.recorded(run), data_to_draw(run)
    try:
        saved = calendar.timegm(time.strptime(run.saved, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:  # somebody wrote another date into it
        saved = int(time.time())
    name = f"events.out.tfevents.{saved}.ganscope"
    value, image = tf.compat.v1.Summary.Value, tf.compat.v1.Summary.Image
    with tempfile.TemporaryDirectory() as folder:
        # Written as protocol buffers, for tf.summary.scalar and image need the package tensorboard.
        with tf.io.TFRecordWriter(os.path.join(folder, name)) as writer:

            def event(**what: Any) -> None:
                writer.write(tf.compat.v1.Event(wall_time=saved, **what).SerializeToString())

            def scalars(step: int, group: str, values: dict[str, float]) -> None:
                made = [value(tag=f"{group}/{name}", simple_value=v) for name, v in values.items()]
                event(step=step, summary=tf.compat.v1.Summary(value=made))

            event(file_version="brain.Event:2")
            history = recording.history.frame()
            for step, row in zip(history["step"].tolist(), history["mean"].tolist(), strict=True):
                scalars(step, "training", dict(zip(COLUMNS, row, strict=True)))
            for step, scores in zip(recording.scores.steps, recording.scores.items, strict=True):
                scalars(step, "scores", animation.scalars(scores))
            steps, frames = recording.frames.steps, recording.frames.items
            chosen = animation.spread(len(steps), MOST_PICTURES)
            for done, i in enumerate(chosen, 1):
                picture = frame_picture(frames[i], data, f"step {steps[i]:,}")
                shown = image(
                    height=picture.height, width=picture.width, colorspace=3, encoded_image_string=file_of(picture)
                )
                event(step=steps[i], summary=tf.compat.v1.Summary(value=[value(tag="samples", image=shown)]))
                say(done / len(chosen))
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
            file.write(os.path.join(folder, name), name)
    return buffer.getvalue()
