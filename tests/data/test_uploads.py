"""A user's own data are known by their content."""

import gc

import numpy as np

from gan_core.data.own_files import uploads
from gan_core.data.pictures import Pictures

POINTS = np.arange(8, dtype=np.float32).reshape(4, 2)


def pictures(pixel=0, names=("a", "b")):
    pixels = np.zeros((16, 28, 28, 1), np.uint8)
    pixels[3, 4, 5] = pixel
    return Pictures(pixels, (np.arange(16) % 2).astype(np.int32), names)


def test_the_same_content_has_one_name():
    for one, again in ((POINTS, POINTS.copy()), (pictures(), pictures())):
        assert uploads.name_of(one) == uploads.name_of(again) and uploads.same(one, again)
    assert uploads.same(None, None) and uploads.name_of(None) == ""


def test_other_content_has_another():
    others = [POINTS + 1, POINTS[:3], POINTS.astype(np.float64), POINTS.reshape(2, 4), pictures(), pictures(1)]
    others += [pictures(names=("a", "c")), Pictures(pictures().pixels)]
    assert len({uploads.name_of(upload) for upload in (POINTS, *others)}) == 1 + len(others)
    assert not uploads.same(POINTS, None) and not uploads.same(None, pictures())


def test_a_name_is_computed_once_and_forgotten_with_its_upload(monkeypatch):
    upload = pictures(7)
    name = uploads.name_of(upload)
    with monkeypatch.context() as patched:
        patched.setattr(uploads.hashlib, "sha256", None)
        assert uploads.name_of(upload) == name
    kept = len(uploads._names)
    del upload
    gc.collect()
    assert len(uploads._names) == kept - 1
