"""A run on disk that is broken, foreign or made up: it opens, or a sentence says why not."""

import io
import json
import os
import random
import re
from pathlib import Path

import numpy as np
import pytest

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.runs import run_folders, run_reading, run_restoring, run_writing
from gan_core.runs.run_writing import Content
from tests.runs.conftest import (
    CONFIG,
    END,
    about_of,
    bomb,
    claiming,
    inside,
    laid,
    looked_through,
    npy,
    npz,
    png,
    refused,
    replaced,
    rows_of,
    sentence,
    zipped,
)
from tests.support.trainers import trainer_of, uncompiled

# -- what is broken -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["nothing", "", "a file", "x" * 300, "a\0b"], ids=repr)
def test_a_missing_run(tmp_path, where):
    (tmp_path / "a file").write_text("mine")
    with pytest.raises(ConfigError, match="is not a readable run"):
        run_reading.read(tmp_path / where)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"\xff\xfe", b"\x00" * 100, b"null", b"[]", b"7", b'"text"', b"\xef\xbb\xbf{}"),
        *(b"[" * 100_000, b'{"a":' * 100_000, b'{"format": 2' + b"0" * 5_000 + b"}", b" " * 4_000_001),
    ],
    ids=lambda content: repr(content[:12]),
)
def test_a_config_that_is_no_json(folder, spare, content):
    (folder / "config.json").write_bytes(content)
    assert "config.json is missing or damaged" in refused(folder, spare)


def test_a_config_that_is_no_file(folder, spare):
    for make in (Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: path.symlink_to(path)):
        (folder / "config.json").unlink()
        make(folder / "config.json")
        assert "config.json is missing or damaged" in refused(folder, spare)
        if make is Path.mkdir:
            (folder / "config.json").rmdir()
            (folder / "config.json").touch()


@pytest.mark.parametrize("depth", [50, 300, 600, 900, 950, 980, 2_000, 20_000, 100_000])
@pytest.mark.parametrize("where", ["note", "config", "markers", "g_lr", "sha256", "changes"])
def test_a_config_that_is_nested_deep(folder, spare, where, depth):
    """Deep enough for one of the readers and too deep for the next, and sentences only."""
    about, deep = about_of(folder), "[" * depth + "]" * depth
    if where == "g_lr":
        about["config"]["g_lr"] = "HERE"
    elif where in ("sha256", "changes"):
        about["checkpoints"][0][where] = "HERE"
    else:
        about[where] = "HERE"
    (folder / "config.json").write_text(json.dumps(about).replace('"HERE"', deep))
    opened = opens_or_says(folder, spare)
    if where != "note" or depth >= 20_000:  # beyond any reader, or of the wrong type
        assert not opened
    elif depth <= 300:  # a note may be anything; between, that is for Python's own limit to say
        assert opened


@pytest.mark.parametrize(
    "change, words",
    [
        ({"format": run_reading.FORMAT + 1}, "a newer version of GANscope"),
        ({"format": 1}, "another version of GANscope"),
        ({"format": "2"}, "another version of GANscope"),
        ({"format": None}, "another version of GANscope"),
        ({"config": []}, "missing or damaged"),
        ({"config": {"data": "moon"}}, "data must be one of"),
        ({"config": {"invented": 1}}, "There is no setting 'invented'"),
        ({"config": {"packing": 3}}, "must be a multiple of packing (3)"),
        ({"config": {"g_lr": 1e9}}, "g_lr must be a number from"),
        ({"config": {"g_units": 10**15}}, "g_units must be a whole number"),
        ({"config": {"seed": float("nan")}}, "seed must be"),
        ({"config": {f"knob {i}" * 9: i for i in range(2_000)}}, "There are 1,999 more such problems"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_config_of_another_version_or_make(folder, spare, change, words):
    (folder / "config.json").write_text(json.dumps(about_of(folder) | change))
    assert words in refused(folder, spare)


JUNK = [
    *(None, True, -1, 0, 3, 1.5, 1e300, 10**17, 10**30, float("inf"), float("nan"), "", "7", "x" * 3_000, "\x00\ud800"),
    *("../../etc/passwd", "/dev/zero", "config.json", [], {}, [[]], [{}], {"": None}, {"step": {}}, [[0, 0]] * 3),
]
FIELDS = ["format", "step", "saved", "note", "config", "parent", "owner", "markers", "scores", "files", "checkpoints"]


def opens_or_says(folder, trainer):
    """Whether the run opens; raises whatever is not a sentence."""
    try:
        run_folders.listed(folder.parent)
        looked_through(folder, trainer)
        return True
    except ConfigError as error:
        assert str(error).endswith((".", "?")) and len(str(error)) < 400, error
        return False


@pytest.mark.parametrize("field", FIELDS)
def test_any_type_in_any_field(small, tmp_path, field):
    folder, spare = laid(tmp_path / "run", small[1]), small[0].trainer
    about, opened = about_of(folder), []
    for value in JUNK:
        (folder / "config.json").write_text(json.dumps(about | {field: value}))
        if opens_or_says(folder, spare):
            opened.append(value)
            run = run_reading.read(folder)
            text = run.note + run.saved + run.owner + (run.parent.name if run.parent else "")
            assert len(text) < 1_000 and text.encode().decode() == text
    del about[field]
    (folder / "config.json").write_text(json.dumps(about))
    assert not opens_or_says(folder, spare)
    # Texts may be anything, and no settings are the defaults; the rest has one right type.
    if field in ("format", "step", "config", "files"):
        assert opened == {"format": [run_reading.FORMAT], "config": [{}], "step": [3]}.get(field, [])


@pytest.mark.parametrize(
    "name",
    [
        *("../checkpoint-3-0123456789abcdef.npz", "/etc/passwd", "..", "config.json", "checkpoint-3.npz", "", None),
        *("checkpoint-3-0123456789ABCDEF.npz", "checkpoint-../3-0123456789abcdef.npz", "a\0b", 7, ["x"], {}),
        *("frames-0123456789abcdef.npz\n", "checkpoint-3-0123456789abcdef.npz/../config.json"),
    ],
    ids=repr,
)
def test_a_file_elsewhere_is_never_opened(folder, spare, name, monkeypatch):
    opened = []
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: opened.append(path.name) or read(path))
    for row in (lambda about: about["files"]["frames"], lambda about: about["checkpoints"][3]):
        about = about_of(folder)
        row(about)["file"] = name
        (folder / "config.json").write_text(json.dumps(about))
        assert "config.json is missing or damaged" in refused(folder, spare)
    assert set(opened) == {"config.json"}


def changed_checkpoint(**changes):
    return lambda about: about["checkpoints"][3].update(changes)


@pytest.mark.parametrize(
    "change, words",
    [
        (changed_checkpoint(sha256="0" * 64), "was changed or cut off after saving"),
        (changed_checkpoint(sha256="no checksum"), "missing or damaged"),
        (changed_checkpoint(sha256=None), "missing or damaged"),
        (changed_checkpoint(step=2), "missing or damaged"),
        (changed_checkpoint(step=-3), "missing or damaged"),
        (changed_checkpoint(step=3.0), "missing or damaged"),
        (changed_checkpoint(step=True), "missing or damaged"),
        (changed_checkpoint(step="3"), "missing or damaged"),
        (changed_checkpoint(changes=None), "missing or damaged"),
        (changed_checkpoint(changes=[["g_lr", 1]]), "missing or damaged"),
        (changed_checkpoint(changes={"g_lr": "fast"}), "g_lr must be a number"),
        (changed_checkpoint(changes={"invented": 1}), "'invented' cannot change on the way"),
        (changed_checkpoint(changes={"g_units": 7}), "'g_units' cannot change on the way"),
        (changed_checkpoint(changes={"data": "spiral"}), "'data' cannot change on the way"),
        (lambda about: about["checkpoints"].reverse(), "missing or damaged"),
        (lambda about: about["checkpoints"].append(dict(about["checkpoints"][0])), "missing or damaged"),
        (lambda about: about["checkpoints"].clear(), "has no checkpoint"),
        (lambda about: about["files"].pop("history"), "missing or damaged"),
        (lambda about: about["files"].update(scores=about["files"]["frames"]), "is not in GANscope's form"),
        (lambda about: about["files"].update(frames=about["files"]["history"]), "is not in GANscope's form"),
        (lambda about: about.update(step=END - 1), "missing or damaged"),
        (lambda about: about["config"].update(g_units=7), "does not hold the weights of the networks"),
        (lambda about: about.update(config={"data": "digits", "g_units": 6}), "are not of the data that it names"),
        (lambda about: about["checkpoints"][-1].update(about["checkpoints"][3], step=END), "another step than it says"),
    ],
    ids=range(24),
)
def test_a_config_that_was_tampered_with(folder, program, change, words):
    about = about_of(folder)
    change(about)
    (folder / "config.json").write_text(json.dumps(about))
    config = CONFIG.updated({"g_units": about["config"]["g_units"]})
    said = refused(folder, trainer_of(config, program if config == CONFIG else uncompiled(config)))
    assert words in said


@pytest.mark.parametrize("stem", ["history", "frames", "scores", "picture", "checkpoint-3", "data"])
@pytest.mark.parametrize("harm", ["missing", "a folder", "a pipe", "empty", "cut", "one bit", "longer"])
def test_a_file_that_is_not_what_was_saved(folder, small, spare, tmp_path, harm, stem):
    if stem == "data":
        folder, spare = laid(tmp_path / "run", small[1]), small[0].trainer
    (path,) = folder.glob(f"{stem}-*")
    content = bytearray(path.read_bytes())
    path.unlink()
    if harm == "a folder":
        path.mkdir()
    elif harm == "a pipe":
        os.mkfifo(path)  # to read it would wait for ever
    elif harm != "missing":
        content[len(content) // 2] ^= 1 if harm == "one bit" else 0
        path.write_bytes({"empty": b"", "cut": content[:-10], "longer": content + b"x"}.get(harm, content))
    if stem == "picture":  # a run without its picture is still one
        assert run_reading.picture_of(looked_through(folder, spare)) is None
    else:
        said = refused(folder, spare)
        assert path.name in said and ("cannot be read: " in said or "was changed or cut off" in said)
        gone = harm in ("missing", "a folder", "a pipe")
        assert gone or "was changed or cut off after saving" in said


def without(arrays, name):
    return {key: value for key, value in arrays.items() if key != name}


# Of whose maker put the right checksum to it: stem -> {what is wrong: the content, of the arrays that were there}.
FOREIGN = {
    "no zip": lambda own: b"nothing of the kind",
    "nothing": lambda own: b"",
    "an array": lambda own: npy(np.zeros(3)),
    "an empty zip": lambda own: npz(),
    "a pickle": lambda own: npy(np.array([{}], object), allow_pickle=True),
    "a pickle inside": lambda own: npz(**own | {next(iter(own)): np.array([{}], object)}),
    "a bomb": lambda own: bomb(),
    "a claim": lambda own: zipped(**{next(iter(own)): claiming((10**12,))}),
    "a claim of nothings": lambda own: zipped(**{name: claiming((10**12,), "|V0") for name in own}),
    "a member that is no array": lambda own: zipped(**{name: b"text" for name in own}),
    "other names": lambda own: npz(weights=np.zeros(3)),
    "texts": lambda own: npz(**{name: np.full(value.shape, "x") for name, value in own.items()}),
    "one array less": lambda own: npz(**without(own, list(own)[-1])),
    "flat": lambda own: npz(**{name: value.ravel() for name, value in own.items()}),
    "single numbers": lambda own: npz(**{name: np.float32(0) for name in own}),
    "dates": lambda own: npz(**{name: np.zeros(value.shape, "M8[s]") for name, value in own.items()}),
    "complex": lambda own: npz(**{name: value + 1j for name, value in own.items()}),
}


STEMS = ("history", "frames", "checkpoint-3", f"checkpoint-{END}")


# The arrays of a history, but for one, are flat already.
@pytest.mark.parametrize("what, stem", [(w, s) for w in FOREIGN for s in STEMS if (w, s) != ("flat", "history")])
def test_a_file_of_another_make(folder, spare, what, stem):
    replaced(folder, stem, FOREIGN[what](inside(folder, stem)))
    said = refused_at(folder, spare, 3)
    assert re.search("cannot be read|does not hold the weights|not of the data that it names", said), said


def refused_at(folder, trainer, step):
    """What is said when the run is looked through, and its branch from `step` opened."""

    def both():
        looked_through(folder, trainer)
        run_restoring.restore(trainer, folder, step)

    return sentence(both)


FOREIGN_FRAMES = {
    "infinite steps": {"step": np.array([np.inf, 1])},
    "steps that fall": {"step": np.array([5, 1])},
    "huge steps": {"step": np.array([0, 2**40])},
    "no steps but frames": {"step": np.zeros(0, np.int64)},
    "other data": {"grid": np.zeros((2, 64, 28, 28, 1), np.uint8), "samples": None},
    "samples in space": {"samples": np.zeros((2, 100, 3), np.float32)},
    "no samples": {"samples": np.zeros((2, 0, 2), np.float32)},
    "whole samples": {"samples": np.zeros((2, 100, 2), np.int64)},
    "a flat heat map": {"heat": np.zeros((2, 1600), np.float16)},
    "one manifold": {"manifold": np.zeros((1, 3, 3, 2), np.float32)},
    "something more": {"weights": np.zeros((2, 3))},
}


@pytest.mark.parametrize("what", FOREIGN_FRAMES)
def test_frames_of_another_make(folder, spare, what):
    own = {"step": np.array([0, 1]), "samples": np.zeros((2, 100, 2), np.float32)} | FOREIGN_FRAMES[what]
    replaced(folder, "frames", npz(**{name: value for name, value in own.items() if value is not None}))
    refused(folder, spare)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"null", b"7", b'"x"', b'{"a": 1}', b"[" * 100_000, b"[7]", b"[[]]", b"[[1, 2, 3]]", b"[[1, 2]]"),
        *(b"[[1e999, {}]]", b"[[NaN, {}]]", b'[["1", {}]]', b"[[-1, {}]]", b"[[5, {}], [4, {}]]", b"[[1, [[[]]]]]"),
        *(b"[[1" + b"0" * 5_000 + b", {}]]", b"[[true, {}]]", b" " * 4_000_001),
    ],
    ids=lambda content: repr(content[:16]),
)
def test_scores_of_another_make(folder, spare, content):
    replaced(folder, "scores", content)
    refused(folder, spare)


@pytest.mark.parametrize(
    "content", [b"", b"text", b"\x89PNG\r\n\x1a\n", png(40_000, 40_000), png(9, 9)[:-20], b"GIF89a"]
)
def test_a_picture_that_cannot_be_shown_is_none(folder, spare, content):
    replaced(folder, "picture", content)
    assert run_reading.picture_of(looked_through(folder, spare)) is None


def test_what_unpacks_to_too_much_is_not_unpacked(small, tmp_path, monkeypatch):
    """The same with a real one, and a smaller limit."""
    folder = laid(tmp_path / "run", small[1])
    content = io.BytesIO()
    np.savez_compressed(content, **inside(folder, "history") | {"count": np.zeros(1_000_000)})
    assert len(content.getvalue()) < 20_000
    replaced(folder, "history", content.getvalue())
    monkeypatch.setattr(run_reading, "MOST_FILE", 4_000_000)
    assert "cannot be read (ValueError)" in refused(folder, small[0].trainer)


def test_a_file_that_is_too_large_is_not_read(folder, spare):
    (path,) = folder.glob("frames-*")
    os.truncate(path, run_reading.MOST_FILE + 1)
    assert "is too large: at most 800 MB are read" in refused(folder, spare)


# -- anything at all ----------------------------------------------------------------------------------------


def places(tree):
    """Every place in nested dicts and lists, as (container, key)."""
    keys = tree.keys() if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in list(keys):
        yield tree, key
        yield from places(tree[key])


def json_mutated(rng, content):
    tree = json.loads(content)
    container, key = rng.choice([*places([tree])])
    if rng.random() < 0.2:
        del container[key]
        return json.dumps(tree if container and container is not tree else container).encode()
    container[key] = rng.choice(JUNK)
    return json.dumps(tree).encode()


def bytes_mutated(rng, content):
    raw = bytearray(content)
    kind = rng.random()
    if kind < 0.15:
        return bytes(raw[: rng.randrange(len(raw) + 1)])
    if kind < 0.25:
        at = rng.randrange(len(raw) + 1)
        return bytes(raw[:at] + rng.randbytes(rng.randrange(1, 40)) + raw[at:])
    for _ in range(rng.choice((1, 1, 3, 20))):
        at = rng.randrange(len(raw)) if rng.random() < 0.5 else rng.randrange(min(len(raw), 300))
        raw[at] = rng.choice((0, 255, raw[at] ^ (1 << rng.randrange(8)), rng.randrange(256)))
    return bytes(raw)


def arrays_mutated(rng, content):
    with np.load(io.BytesIO(content)) as file:
        named = dict(file)
    name = rng.choice(sorted(named))
    value = named[name]
    with np.errstate(all="ignore"):
        named[name] = rng.choice(
            (
                lambda: value.astype(rng.choice(("<f2", "<f8", "<i4", "<u1", "?", "<c8", "<U3", "M8[D]", "V8"))),
                lambda: value.reshape(-1),
                lambda: value[None],
                lambda: value[..., :-1] if value.ndim else value,
                lambda: np.zeros((0, *value.shape[1:]), value.dtype),
                lambda: value * 0 + rng.choice((-1, 0, 1, 255, 2**31, 2**62, 1e30)),
                lambda: np.full(value.shape, rng.choice((np.nan, np.inf, -np.inf, 1e300))),
                lambda: value[::-1] if value.ndim else -value,
                lambda: np.array(rng.choice((0, -1, 2**63 - 1, np.nan, "x", True))),
            )
        )()
    if rng.random() < 0.2:
        named[rng.choice(("step", "0000", "9999", "history_table", "points", "x"))] = named.pop(name)
    return npz(**named)


def mutated(rng, folder):
    """Changes something of the run; mostly so that the checksums are right and the readers behind them are reached."""
    about = about_of(folder)
    row = rng.choice(rows_of(about))
    path, stem = folder / row["file"], row["file"].rpartition("-")[0]
    kind = rng.random()
    if kind < 0.1:
        path.write_bytes(bytes_mutated(rng, path.read_bytes()))
    elif kind < 0.2:
        (folder / "config.json").write_bytes(bytes_mutated(rng, (folder / "config.json").read_bytes()))
    elif kind < 0.5:
        (folder / "config.json").write_bytes(json_mutated(rng, (folder / "config.json").read_bytes()))
    elif stem == "scores":
        replaced(folder, stem, json_mutated(rng, path.read_bytes()))
    elif stem == "picture" or kind < 0.7:
        replaced(folder, stem, bytes_mutated(rng, path.read_bytes()))
    else:
        replaced(folder, stem, arrays_mutated(rng, path.read_bytes()))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numbers that nobody ever trained
@pytest.mark.parametrize("part", range(3))
def test_whatever_was_done_to_a_run_is_a_sentence_or_opens(small, tmp_path, part, full, nothing_is_run):
    """And what opens can be saved again."""
    training, files = small
    opened, count = 0, 334 if full else 100
    for seed in range(1_000 * part, 1_000 * part + count):
        folder, rng = laid(tmp_path / "run", files), random.Random(seed)
        for _ in range(rng.choice((1, 1, 1, 2))):
            try:
                mutated(rng, folder)
            except (ValueError, KeyError, TypeError, StopIteration, IndexError, AttributeError):
                break  # what the first change made cannot be changed again
        if not opens_or_says(folder, training.trainer):
            continue
        opened += 1
        run = run_reading.read(folder)
        try:
            recording = run_restoring.restore(training.trainer, folder)
            np.array([*recording.frames.steps, *recording.checkpoints.steps, *recording.scores.steps], np.int32)
            recording.history.frame()
            upload = run_reading.upload_of(run)
            again = Content(run.config, run.step, recording, training.trainer.data, upload, run.note)
            run_writing.Writer(tmp_path / "again").write(again)
            run_reading.recording_of(run_reading.read(tmp_path / "again"), checkpoints=True)
        except ConfigError:
            pass
    assert 0.05 < opened / count < 0.9
