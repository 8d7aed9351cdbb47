"""Small files of pictures as people have them, with what is in them."""

import gzip
import io
import json
import struct
import tarfile
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.io
from PIL import Image

from gan_core.data.own_images.image_files import propose_pictures

N = 24
LABELS = np.arange(N) % 3


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def smooth(n=N, side=16, channels=3):
    """Pictures whose neighbouring pixels are alike, each colour another ramp."""
    rng = np.random.default_rng(1)
    ramp = np.linspace(0, 1, side)
    tilt = rng.uniform(0.2, 1, (n, 1, 1, channels, 2))
    value = ramp[None, :, None, None] * tilt[..., 0] + ramp[None, None, :, None] * tilt[..., 1]
    return np.rint(255 * value / value.max()).astype(np.uint8)


GRAY, COLOUR = noise(N, 16, 16), smooth()


def npz(**arrays):
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def mat(**arrays):
    out = io.BytesIO()
    scipy.io.savemat(out, arrays, do_compression=True)
    return out.getvalue()


def idx(array, kind=8):
    return bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def encoded(array, kind="PNG", **options):
    out = io.BytesIO()
    (array if isinstance(array, Image.Image) else Image.fromarray(array)).save(out, kind, **options)
    return out.getvalue()


def stack(pages):
    """A TIFF file of several pages, as microscopes write."""
    first, *others = map(Image.fromarray, pages)
    return encoded(first, "TIFF", save_all=True, append_images=others)


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, content in members.items():
            archive.writestr(path, content)
    return out.getvalue()


def tarred(members, mode="w:gz", encoding="utf-8"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, encoding=encoding, format=tarfile.GNU_FORMAT) as archive:
        for path, content in members.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def foreign_zip(names, page):
    """A zip whose names are in another code page, as an old program writes them, with nothing that says so."""
    members = {}
    for i, name in enumerate(names):
        for j in range(8):
            members[name.encode(page) + f"/{j}.png".encode()] = encoded(GRAY[(i * 8 + j) % N])
    out, table, count = io.BytesIO(), b"", 0
    import zlib

    for path, content in members.items():
        about = struct.pack(
            "<HHHHHIIIHH", 20, 0, 0, 0, 0, zlib.crc32(content), len(content), len(content), len(path), 0
        )
        at = out.tell()
        out.write(b"PK\3\4" + about + path + content)
        table += b"PK\1\2" + struct.pack("<H", 20) + about + struct.pack("<HHHII", 0, 0, 0, 0, at) + path
        count += 1
    at = out.tell()
    out.write(table + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, count, count, len(table), at, 0))
    return out.getvalue()


def csv_of(values, labels=None, header=True, mark=",", label_last=False):
    flat = values.reshape(len(values), -1)
    names = [f"pixel{i}" for i in range(flat.shape[1])]
    rows = [[str(v) for v in row] for row in flat.tolist()]
    if labels is not None:
        names = [*names, "label"] if label_last else ["label", *names]
        rows = [[*r, str(k)] if label_last else [str(k), *r] for r, k in zip(rows, labels, strict=True)]
    return "\n".join(mark.join(row) for row in ([names] if header else []) + rows).encode()


def pandas_csv(values, labels=None, index=False):
    """What DataFrame(pixels).to_csv() writes: the header is the columns' numbers."""
    flat = values.reshape(len(values), -1)
    if labels is not None:
        flat = np.column_stack([flat, labels])
    return pd.DataFrame(flat).to_csv(index=index).encode()


def fer(values, labels, usage):
    lines = ["emotion,pixels,Usage"]
    for picture, label, use in zip(values, labels, usage, strict=True):
        lines.append(f"{label},{' '.join(map(str, picture.reshape(-1).tolist()))},{use}")
    return "\n".join(lines).encode()


def parquet(names=None, **columns):
    table = pa.table(columns)
    if names is not None:
        about = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
        table = table.replace_schema_metadata({b"huggingface": json.dumps(about).encode()})
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def hugging_face(values, labels, names):
    cells = [{"bytes": encoded(x), "path": f"{i}.png"} for i, x in enumerate(values)]
    return parquet(names, image=cells, label=[int(k) for k in labels])


def files(folder="", values=GRAY, kind="PNG", end="png", **options):
    return {f"{folder}{i:03d}.{end}": encoded(x, kind, **options) for i, x in enumerate(values)}


def in_folders(names, end="png", values=GRAY, start=""):
    """Eight pictures in each folder."""
    return {
        f"{start}{name}/{j}.{end}": encoded(values[(i * 8 + j) % len(values)])
        for i, name in enumerate(names)
        for j in range(8)
    }


def clear(values):
    """Gray pictures of which the lower half is transparent."""
    out = np.full((*values.shape, 4), 255, np.uint8)
    out[..., :3] = values[..., None]
    out[:, values.shape[1] // 2 :, :, 3] = 0
    return out


def gzipped(content):
    return gzip.compress(content)


def parse_pictures(content, name):
    """The bytes of the file `name` -> (its pictures, what was done to them in words, but for the size that they are
    trained in); raises PictureError."""
    found = propose_pictures(content, name)
    return found.data, " ".join(note for note in found.notes if not note.startswith("At their original size"))
