"""A trained run on disk: a folder with `config.json` and `state.npz` (no pickles).

Each file is written whole or not at all, and the config, which comes last, has the other's checksum: a folder that was
left half written, cut or changed is no run, or is refused.
"""

import hashlib
import io
import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from gan_core.config import GANConfig, config_from_json
from gan_core.datasets import Data
from gan_core.knobs import ConfigError, shorten
from gan_core.lazy import tf
from gan_core.pictures import Pictures
from gan_core.trainer import Trainer

FORMAT = 1
CONFIG, STATE = "config.json", "state.npz"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}")
DEVICES = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9])( *\..*)?", re.IGNORECASE)  # names that Windows keeps for itself


def runs_folder(chosen: str | None = None) -> Path:
    """Where runs are kept: `chosen`, else what GANSCOPE_RUNS_DIR says, else `runs`."""
    return Path(chosen or os.environ.get("GANSCOPE_RUNS_DIR") or "runs")


def checked_name(name: str) -> str:
    """The name of a run, if it can be a folder's on every system; raises ConfigError."""
    if DEVICES.fullmatch(name):
        raise ConfigError(f"A run cannot have the name {shorten(name)}, which Windows keeps for itself.")
    if not NAME.fullmatch(name) or name.endswith((" ", ".")):
        raise ConfigError(
            f"A run's name is 1 to 80 letters of A-Z, digits, spaces, dots, _ and -, begins with a letter or digit and "
            f"does not end with a dot or space; got {shorten(name)}."
        )
    return name


def check_folder(folder: Path) -> None:
    """Makes `folder`; raises ConfigError where no run could be saved in it. To be known before the training."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise _unsaved(folder, error) from None


def _unsaved(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(f"The run cannot be saved in {folder}: {error.strerror}.")


def save(folder: Path, trainer: Trainer) -> None:
    """Writes the run into `folder`, over an older one of that name. Raises ConfigError where that is impossible."""
    arrays = {f"{i:04d}": part.numpy() for i, part in enumerate(tf.nest.flatten(trainer.state))}
    state = io.BytesIO()
    np.savez(state, **arrays)
    about = {"format": FORMAT, "step": trainer.step, "config": trainer.config.to_flat()}
    about["state"] = _checksum(state.getvalue())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in ((STATE, state.getvalue()), (CONFIG, json.dumps(about, indent=1).encode())):
            _write(folder / name, content)
    except OSError as error:
        raise _unsaved(folder, error) from None


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    handle, temporary = tempfile.mkstemp(prefix=path.name, suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def is_run(folder: Path) -> bool:
    """Whether `folder` holds a run."""
    return os.path.isfile(folder / CONFIG)  # False for a path that cannot be one, where Path.is_file() raises


def _about(folder: Path) -> dict[str, Any]:
    """What config.json says; raises ConfigError."""
    try:
        about = json.loads((folder / CONFIG).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        raise ConfigError(f"{folder} holds no run that can be read: its {CONFIG} is missing or broken.") from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise ConfigError(f"{folder} was not written by this version of GANscope.")
    return about


def read_config(folder: Path) -> GANConfig:
    """The settings of the run; raises ConfigError."""
    return config_from_json(json.dumps(_about(folder).get("config")))


def load(folder: Path, config: GANConfig, data: Data | Pictures) -> Trainer:
    """The trainer as it was saved, of a config from `read_config`; raises ConfigError."""
    try:
        content = (folder / STATE).read_bytes()
    except OSError as error:
        raise ConfigError(f"{folder / STATE} cannot be read: {error.strerror}.") from None
    if _checksum(content) != _about(folder).get("state"):
        raise ConfigError(f"{folder / STATE} is not what was saved with its {CONFIG}: it was cut, changed or replaced.")
    trainer = Trainer(config, data)
    template = tf.nest.flatten(trainer.state)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = [file[f"{i:04d}"] for i in range(len(template))]
    except Exception as error:  # NumPy's readers raise anything on junk
        raise ConfigError(f"{folder / STATE} cannot be read ({type(error).__name__}).") from None
    if [(a.shape, a.dtype) for a in arrays] != [(tuple(t.shape), t.dtype.as_numpy_dtype) for t in template]:
        raise ConfigError(f"{folder / STATE} does not hold the weights of the networks that its {CONFIG} describes.")
    state: Any = tf.nest.pack_sequence_as(trainer.state, [tf.constant(a) for a in arrays])
    trainer.state = state
    return trainer
