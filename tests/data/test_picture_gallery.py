"""Files of pictures as people have them: each is read as what it is, to the pixel."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from gan_core.data.own_images.image_files import looks_like_pictures, propose_folder, propose_pictures
from gan_core.data.own_images.image_rules import PictureError
from tests.support.picture_files import (
    COLOUR,
    GRAY,
    LABELS,
    N,
    clear,
    csv_of,
    encoded,
    fer,
    files,
    foreign_zip,
    gzipped,
    hugging_face,
    idx,
    in_folders,
    mat,
    noise,
    npy,
    npz,
    pandas_csv,
    parquet,
    smooth,
    stack,
    tarred,
    zipped,
)


@dataclasses.dataclass
class File:
    """A file, and what is in it: pixels of the pictures (None: not compared), the counts of the classes, and so on."""

    name: str
    content: bytes
    pixels: np.ndarray | None = dataclasses.field(default_factory=lambda: GRAY)
    classes: dict = dataclasses.field(default_factory=dict)
    before: tuple | None = None
    says: tuple = ()
    tests: np.ndarray | None = None
    count: int = N
    shape: tuple | None = None
    choices: dict = dataclasses.field(default_factory=dict)
    left_out: dict = dataclasses.field(default_factory=dict)
    near: int = 0  # by how much a pixel may differ


THREE = {"0": 8, "1": 8, "2": 8}
CAT = {"bird": 8, "cat": 8, "dog": 8}
ONE_HOT = np.eye(3)[LABELS]
WORDS = np.array(["bird", "cat", "dog"])[LABELS]
BITS = (GRAY > 127).astype(np.uint8)
SIXTEEN = (GRAY // 16).astype(np.uint8)
TALL = noise(N, 20, 16)
DARK = noise(N, 16, 16)  # whose corners are always black
DARK[:, 0, 0] = DARK[:, -1, -1] = 0
SIDES = {side: noise(N, side, side) for side in (8, 28, 32, 48, 64)}

GALLERY = {
    # arrays
    "MedMNIST with val and test": File(
        "bloodmnist.npz",
        npz(
            val_images=COLOUR[:4],
            val_labels=LABELS[:4, None],
            test_images=COLOUR[:6],
            test_labels=LABELS[:6, None],
            train_images=COLOUR,
            train_labels=LABELS[:, None].astype(np.uint8),
        ),
        COLOUR,
        THREE,
        says=("val_images and test_images are held out",),
        tests=np.concatenate([COLOUR[:4], COLOUR[:6]]),
    ),
    "Keras's x_train, y_train": File(
        "mnist.npz", npz(x_test=GRAY[:5], x_train=GRAY, y_train=LABELS, y_test=LABELS[:5]), GRAY, THREE, tests=GRAY[:5]
    ),
    "X and y of a student": File("mine.npz", npz(X=GRAY, y=LABELS), GRAY, THREE),
    "arr_0 and arr_1 of np.savez": File("a.npz", npz(arr_0=GRAY, arr_1=LABELS), GRAY, THREE),
    "labels first": File("a.npz", npz(arr_0=LABELS, arr_1=GRAY), GRAY, THREE),
    "a thumbnail beside them": File("a.npz", npz(small=GRAY[:, :8, :8], faces=GRAY), GRAY),
    "one-hot labels": File("a.npz", npz(images=GRAY, labels=ONE_HOT), GRAY, THREE),
    "float labels": File("a.npz", npz(images=GRAY, labels=LABELS.astype(np.float32)), GRAY, THREE),
    "text labels": File("a.npz", npz(images=GRAY, labels=WORDS), GRAY, CAT),
    "byte text labels": File("a.npz", npz(images=GRAY, labels=WORDS.astype("S")), GRAY, CAT),
    "bool labels": File("a.npz", npz(images=GRAY, y=LABELS == 1), GRAY, {"False": 16, "True": 8}),
    "labels in a column": File("a.npz", npz(images=GRAY, labels=LABELS[:, None]), GRAY, THREE),
    "labels with a list of names": File(
        "a.npz", npz(images=GRAY, labels=LABELS, class_names=np.array(["x", "y", "z"])), GRAY, {"x": 8, "y": 8, "z": 8}
    ),
    "channels first, as PyTorch has them": File(
        "a.npz", npz(images=COLOUR.transpose(0, 3, 1, 2)), COLOUR, says=("images x colours x height x width",)
    ),
    "channels first, gray": File("a.npz", npz(images=GRAY[:, None]), GRAY, says=("images x colours",)),
    "flat rows": File("a.npz", npz(X=GRAY.reshape(N, -1), y=LABELS), GRAY, THREE, says=("rows of X", "16 x 16")),
    "flat rows as CIFAR has them": File(
        "a.npz", npz(data=COLOUR.transpose(0, 3, 1, 2).reshape(N, -1)), COLOUR, says=("all red, then all green",)
    ),
    "flat rows of pixels in colour": File(
        "a.npz", npz(data=COLOUR.reshape(N, -1)), COLOUR, says=("of each pixel together",)
    ),
    "flat columns": File("a.npy", npy(GRAY.reshape(N, -1).T[:, :23]), GRAY[:23], says=("columns of array",), count=23),
    "SVHN's order": File(
        "train_32x32.npz",
        npz(X=COLOUR.transpose(1, 2, 3, 0), y=LABELS[:, None]),
        COLOUR,
        THREE,
        says=("height x width x colours x images",),
    ),
    "pictures last, gray": File("a.npz", npz(X=GRAY.transpose(1, 2, 0)), GRAY, says=("height x width x images",)),
    "QuickDraw's .npy": File("cat.npy", npy(SIDES[28].reshape(N, 784)), SIDES[28], says=("28 x 28",)),
    "a zip of QuickDraw's .npy": File(
        "draw.zip",
        zipped({"cat.npy": npy(SIDES[28].reshape(N, 784)), "dog.npy": npy(SIDES[28][:20].reshape(20, 784))}),
        np.concatenate([SIDES[28], SIDES[28][:20]]),
        {"cat": 24, "dog": 20},
        count=44,
    ),
    "a plain .npy": File("a.npy", npy(GRAY), GRAY),
    "X.npy and y.npy in a zip": File("a.zip", zipped({"d/X.npy": npy(GRAY), "d/y.npy": npy(LABELS)}), GRAY, THREE),
    "two image arrays, the user's choice": File(
        "a.npz", npz(noisy=noise(N, 16, 16, seed=9), clean=GRAY), GRAY, choices={"array": "clean"}
    ),
    # values
    "0 and 1 in bytes": File(
        "a.npz", npz(x=BITS), BITS * 255, before=(0, 1), says=("Values from 0 to 1 are read as black to white",)
    ),
    "true and false": File("a.npz", npz(x=BITS == 1), BITS * 255, before=(0, 1), says=("true and false",)),
    "0 to 16 in bytes, as scikit-learn has them": File(
        "a.npz",
        npz(x=np.minimum(SIXTEEN + 1, 16)),
        np.rint((SIXTEEN.astype(float)) / 15 * 255),
        before=(1, 16),
    ),
    "0 to 16 in floats": File("a.npz", npz(x=SIXTEEN / 15 * 16.0), np.rint(SIXTEEN / 15 * 255), before=(0, 16)),
    "12 bits": File("a.npz", npz(x=GRAY.astype(np.uint16) * 16), GRAY, before=(0, 4080), near=1),
    "16 bits": File("a.npz", npz(x=GRAY.astype(np.uint16) * 257), GRAY, before=(0, 65535)),
    "Hounsfield units": File(
        "ct.npz", npz(x=GRAY.astype(np.int16) * 8 - 1000), GRAY, before=(-1000, 1040), says=("from -1000 to 1040",)
    ),
    "int64 of a CSV": File("a.npz", npz(x=GRAY.astype(np.int64)), GRAY, before=(0, 255)),
    "standardised floats": File(
        "a.npz", npz(x=(GRAY / 255 - 0.13) / 0.3), GRAY, says=("are read as black to white",), near=1
    ),
    "floats from -1 to 1": File("a.npz", npz(x=GRAY / 127.5 - 1), GRAY, before=(-1, 1), near=1),
    "dim floats": File("a.npz", npz(x=GRAY / 255 * 0.2), GRAY, before=(0, 0.2), near=1),
    "dim bytes, kept dim": File("a.npz", npz(x=SIXTEEN), SIXTEEN, before=(0, 15), choices={"values": "usual"}),
    "a transparent array on black": File(
        "a.npz", npz(x=clear(GRAY)), np.where(np.arange(16)[:, None] < 8, GRAY, 0), choices={"background": "black"}
    ),
    # MATLAB, idx
    "a .mat file": File("a.mat", mat(X=COLOUR.transpose(1, 2, 3, 0), y=LABELS[:, None]), COLOUR, THREE),
    "a .mat file of flat rows on their side": File(
        "faces.mat",
        mat(fea=GRAY.transpose(0, 2, 1).reshape(N, -1), gnd=LABELS[None]),
        GRAY,
        THREE,
        choices={"transposed": "yes"},
    ),
    "a .mat file with a struct beside": File(
        "a.mat", mat(images=GRAY, info={"a": 1}), GRAY, left_out={"variables that are no plain arrays": 1}
    ),
    "MNIST's idx file alone": File("train-images-idx3-ubyte", idx(GRAY), GRAY),
    "the same, packed": File("train-images-idx3-ubyte.gz", gzipped(idx(GRAY)), GRAY),
    "a pair of idx files in a zip": File(
        "mnist.zip",
        zipped({"train-images-idx3-ubyte": idx(GRAY), "train-labels-idx1-ubyte": idx(LABELS.astype(np.uint8))}),
        GRAY,
        THREE,
    ),
    "all four idx files, packed, in a tar": File(
        "mnist.tar.gz",
        tarred(
            {
                "m/t10k-images-idx3-ubyte.gz": gzipped(idx(GRAY[:6])),
                "m/t10k-labels-idx1-ubyte.gz": gzipped(idx(LABELS[:6].astype(np.uint8))),
                "m/train-images-idx3-ubyte.gz": gzipped(idx(GRAY)),
                "m/train-labels-idx1-ubyte.gz": gzipped(idx(LABELS.astype(np.uint8))),
            }
        ),
        GRAY,
        THREE,
        tests=GRAY[:6],
    ),
    # tables
    "Kaggle's CSV of digits": File("train.csv", csv_of(GRAY, LABELS), GRAY, THREE),
    "the same without a header": File("mnist.csv", csv_of(GRAY, LABELS, header=False), GRAY, THREE),
    "with semicolons, the label last": File("m.csv", csv_of(GRAY, LABELS, mark=";", label_last=True), GRAY, THREE),
    "with words as labels": File("m.csv", csv_of(GRAY, WORDS), GRAY, CAT),
    "pixels alone": File("m.csv", csv_of(GRAY), GRAY),
    "a CSV of pixels in a zip": File("m.zip", zipped({"train.csv": csv_of(GRAY, LABELS)}), GRAY, THREE),
    "FER's faces in one field": File(
        "fer.csv",
        fer(SIDES[48], LABELS, ["Training"] * 18 + ["PublicTest"] * 6),
        SIDES[48][:18],
        {"0": 6, "1": 6, "2": 6},
        tests=SIDES[48][18:],
        count=18,
    ),
    "UCI's digits, the label last and no header": File(
        "optdigits.tra",
        csv_of(DARK, LABELS, header=False, label_last=True),
        DARK,
        THREE,
        says=("those of 'label 256'",),
    ),
    "x0, x1, ... and a label of another name last": File(
        "m.csv", csv_of(DARK, LABELS, label_last=True).replace(b"pixel", b"x").replace(b"label", b"what"), DARK, THREE
    ),
    "pandas's numbers as a header": File("m.csv", pandas_csv(GRAY), GRAY, before=(0, 255)),
    "the same with the rows' numbers": File("m.csv", pandas_csv(GRAY, index=True), GRAY),
    "the same with a label last": File("m.csv", pandas_csv(DARK, LABELS), DARK, THREE),
    "the same with both": File("m.csv", pandas_csv(DARK, LABELS, index=True), DARK, THREE),
    "two blanks between pixels": File("m.txt", csv_of(GRAY, header=False, mark="  "), GRAY),
    "blanks that align pixels, the label first": File(
        "m.txt",
        "\n".join(
            f"  {k:4d}" + "".join(f"{v:6d}" for v in x.reshape(-1)) for x, k in zip(GRAY, LABELS, strict=True)
        ).encode(),
        GRAY,
        THREE,
    ),
    "the number of a picture first": File(
        "m.csv", csv_of(GRAY, np.arange(N)).replace(b"label", b"id"), GRAY, says=("'label id' is not used as classes",)
    ),
    "64 columns of pixels": File("m.csv", csv_of(SIDES[8]), SIDES[8]),
    "numbers of pictures beside them": File(
        "a.npz", npz(images=GRAY, idx=np.arange(N)), GRAY, says=("'idx' is not used as classes: its 24 different",)
    ),
    "ages beside them": File(
        "a.npz", npz(images=GRAY, age=np.arange(N) % 20 + 20), GRAY, says=("not used as classes",)
    ),
    "ages that the user wants": File(
        "a.npz",
        npz(images=GRAY, age=np.arange(N) % 2 + 20, sex=LABELS),
        GRAY,
        {"20": 12, "21": 12},
        choices={"classes_from": "age"},
    ),
    "two arrays that may be classes": File(
        "a.npz",
        npz(images=GRAY, age=np.arange(N) % 2, sex=LABELS),
        GRAY,
        says=("No classes are taken: 'age', 'sex' may",),
    ),
    "Parquet with sizes and numbers": File(
        "a.parquet",
        parquet(image=[encoded(x) for x in GRAY], width=[16 + i % 3 for i in range(N)], id=list(range(N))),
        GRAY,
        says=("No classes are taken: 'width', 'id' may",),
    ),
    "Parquet whose sizes the user wants": File(
        "a.parquet",
        parquet(image=[encoded(x) for x in GRAY], width=[16 + i % 3 for i in range(N)], id=list(range(N))),
        None,
        {"16": 8, "17": 8, "18": 8},
        choices={"classes_from": "width"},
    ),
    "Parquet with numbers alone": File(
        "a.parquet",
        parquet(image=[encoded(x) for x in GRAY], id=list(range(N))),
        GRAY,
        says=("The column 'id' is not used as classes",),
    ),
    "Parquet with another word for classes": File(
        "a.parquet",
        parquet(image=[encoded(x) for x in GRAY], animal=WORDS.tolist()),
        None,
        CAT,
        says=("The classes are those of 'animal'",),
    ),
    "Hugging Face's Parquet": File(
        "0000.parquet", hugging_face(GRAY, LABELS, ["dog", "cat", "bird"]), None, CAT, shape=(28, 28, 1)
    ),
    "Parquet of bytes, no labels": File("a.parquet", parquet(image=[encoded(x) for x in GRAY]), GRAY),
    "Parquet of lists of pixels": File(
        "a.parquet", parquet(image=GRAY.reshape(N, -1).tolist(), label=LABELS.tolist()), GRAY, THREE
    ),
    # archives of pictures
    "a zip of PNG": File("a.zip", zipped(files()), GRAY),
    "a tar of PNG": File("a.tar", tarred(files(), "w:"), GRAY),
    "a tar.gz of folders": File("a.tgz", tarred(in_folders(CAT)), None, CAT),
    "a zip called .npz.zip": File("a.npz.zip", zipped(files()), GRAY),
    "BMP": File("a.zip", zipped(files(kind="BMP", end="bmp")), GRAY),
    "TIFF": File("a.zip", zipped(files(kind="TIFF", end="tif")), GRAY),
    "GIF": File("a.zip", zipped(files(kind="GIF", end="gif")), GRAY),
    "PGM": File("a.zip", zipped(files(kind="PPM", end="pgm")), GRAY),
    "WebP called .jpg": File("a.zip", zipped(files(kind="WEBP", end="jpg", lossless=True)), GRAY),
    "JPEG called .jfif": File(
        "a.zip", zipped(files(values=COLOUR, kind="JPEG", end="jfif", quality=95)), COLOUR, near=24
    ),
    "PNG without an ending": File("a.zip", zipped({f"{i:03d}": encoded(x) for i, x in enumerate(GRAY)}), GRAY),
    "moving GIFs": File(
        "a.zip",
        zipped(
            {
                f"{i:03d}.gif": encoded(
                    Image.fromarray(x), "GIF", save_all=True, append_images=[Image.fromarray(255 - x)]
                )
                for i, x in enumerate(GRAY)
            }
        ),
        GRAY,
    ),
    "TIFF of several pages": File(
        "a.zip",
        zipped({f"{i:03d}.tif": stack([x, 255 - x, x]) for i, x in enumerate(GRAY)}),
        GRAY,
        says=("Of a TIFF file the first page is read; 48 pages are left out.",),
        left_out={"pages of TIFF files after the first": 48},
    ),
    "TIFF of 16 bits and several pages": File(
        "a.zip",
        zipped({f"{i:03d}.tif": stack([x.astype(np.uint16) * 16] * 2) for i, x in enumerate(GRAY)}),
        GRAY,
        before=(0, 4080),
        near=1,
        left_out={"pages of TIFF files after the first": 24},
    ),
    "masks of 0 and 1": File("a.zip", zipped(files(values=BITS)), BITS * 255, before=(0, 1)),
    "PNG of 12 bits": File("a.zip", zipped(files(values=GRAY.astype(np.uint16) * 16)), GRAY, before=(0, 4080), near=1),
    "TIFF of floats": File(
        "a.zip",
        zipped(files(values=(GRAY / 255).astype(np.float32), kind="TIFF", end="tiff")),
        GRAY,
        before=(0, 1),
        near=1,
    ),
    "transparent icons on black": File(
        "a.zip",
        zipped(files(values=clear(GRAY))),
        np.where(np.arange(16)[:, None] < 8, GRAY, 0),
        choices={"background": "black"},
    ),
    # sizes
    **{
        f"{side} x {side}, as they come": File("a.zip", zipped(files(values=x)), x, shape=(side, side, 1))
        for side, x in SIDES.items()
        if side >= 28
    },
    "16 x 16 are brought to 28": File("a.npz", npz(x=GRAY), GRAY, shape=(28, 28, 1), says=("16 x 16", "as 28 x 28")),
    "tall ones are cut": File(
        "a.zip", zipped(files(values=TALL)), TALL[:, 2:18], says=("cropped to the central square",)
    ),
    "tall ones, padded": File(
        "a.zip",
        zipped(files(values=TALL)),
        np.pad(TALL, ((0, 0), (0, 0), (2, 2)), constant_values=255),
        says=("padded",),
        choices={"fit": "pad"},
        count=N,
    ),
    "tall arrays, padded": File(
        "a.npz", npz(x=TALL), np.pad(TALL, ((0, 0), (0, 0), (2, 2)), constant_values=255), choices={"fit": "pad"}
    ),
    "tall ones, stretched": File(
        "a.zip", zipped(files(values=TALL)), None, choices={"fit": "stretch"}, says=("stretched",)
    ),
    # folders
    "folders as classes": File("a.zip", zipped(in_folders(CAT)), None, CAT),
    "one folder around them": File("a.zip", zipped(in_folders(CAT, start="data/set/")), None, CAT),
    "train and test with classes": File(
        "a.zip",
        zipped({**in_folders(CAT, start="x/train/"), **in_folders(CAT, start="x/test/")}),
        None,
        CAT,
        tests=np.concatenate([GRAY]),
        says=("24 images of test are held out",),
    ),
    "train and test, both trained on": File(
        "a.zip",
        zipped({**in_folders(CAT, start="train/"), **in_folders(CAT, start="test/")}),
        None,
        {"bird": 16, "cat": 16, "dog": 16},
        count=48,
        choices={"held_out": "train"},
    ),
    "Omniglot's alphabets": File(
        "a.zip",
        zipped({**in_folders(["c1", "c2", "c3"], start="Greek/"), **in_folders(["c1", "c2", "c3"], start="Latin/")}),
        None,
        {"Greek": 24, "Latin": 24},
        count=48,
    ),
    "Omniglot's characters": File(
        "a.zip",
        zipped({**in_folders(["c1", "c2"], start="Greek/"), **in_folders(["c1", "c2"], start="Latin/")}),
        None,
        {"Greek/c1": 8, "Greek/c2": 8, "Latin/c1": 8, "Latin/c2": 8},
        count=32,
        choices={"classes_from": "path"},
    ),
    "cat.0.jpg, dog.1.jpg": File(
        "a.zip",
        zipped({f"{('cat', 'dog')[i % 2]}.{i:02d}.png": encoded(x) for i, x in enumerate(GRAY)}),
        None,
        {"cat": 12, "dog": 12},
        choices={"classes_from": "name"},
    ),
    "folders, no classes wanted": File("a.zip", zipped(in_folders(CAT)), None, choices={"classes_from": "none"}),
    "a folder left out": File(
        "a.zip",
        zipped({**in_folders(CAT, start="photo/"), **in_folders(CAT, start="mask/")}),
        None,
        CAT,
        choices={"classes_from": "parent", "leave_out": "mask"},
        left_out={"images of folders that you left out": 24},
    ),
    **{
        f"folders {train} and {test}": File(
            "a.zip",
            zipped({**in_folders(CAT, start=f"x/{train}/"), **in_folders(CAT, start=f"x/{test}/")}),
            None,
            CAT,
            tests=np.concatenate([GRAY]),
            says=("are held out",),
        )
        for train, test in (
            ("training_set", "test_set"),
            ("train_data", "test_data"),
            ("Training Set", "Test Set"),
            ("trainA", "testA"),
            ("train2017", "val2017"),
            ("Training", "PublicTest"),
            ("seg_train/seg_train", "seg_test/seg_test"),
        )
    },
    "Intel's scenes, with some to be predicted": File(
        "a.zip",
        zipped(
            {
                **in_folders(CAT, start="seg_train/seg_train/"),
                **in_folders(CAT, start="seg_test/seg_test/"),
                **in_folders(["seg_pred"], start="seg_pred/"),
            }
        ),
        None,
        CAT,
        tests=np.concatenate([GRAY]),
        says=("Of the 32 images of seg_pred and seg_test, 24 are held out",),
        left_out={"images without a class": 8},
    ),
    "horses and zebras": File(
        "a.zip",
        zipped(in_folders(["trainA", "trainB", "testA", "testB"])),
        None,
        {"A": 8, "B": 8},
        count=16,
        tests=GRAY[:16],
    ),
    "test1 and test2, which are classes": File(
        "a.zip", zipped(in_folders(["test1", "test2"])), None, {"test1": 8, "test2": 8}, count=16
    ),
    "a picture beside the folders": File(
        "a.zip",
        zipped({**in_folders(CAT), "logo.png": encoded(GRAY[0])}),
        None,
        CAT,
        left_out={"images without a class": 1},
    ),
    "many pictures beside the folders": File(
        "a.zip",
        zipped({**in_folders(CAT), **files()}),
        None,
        count=48,
        says=("The folders are not taken for classes: 24 of 48 images lie in none.",),
    ),
    "folders of one picture": File(
        "a.zip",
        zipped({f"{i}/{i}.png": encoded(x) for i, x in enumerate(GRAY)}),
        None,
        says=("The folders are not taken for classes: there are 24 of them for 24 images.",),
    ),
    "Kaggle's test part without folders": File(
        "a.zip",
        zipped({**in_folders(CAT, start="train/"), **files("test/", GRAY[:9])}),
        None,
        CAT,
        says=("None of the 9 images of test is held out: the file does not tell their classes.",),
        left_out={"images without a class": 9},
    ),
    "the same without classes": File(
        "a.zip",
        zipped({**in_folders(CAT, start="train/"), **files("test/", GRAY[:9])}),
        None,
        choices={"classes_from": "none"},
        tests=GRAY[:9],
    ),
    "Japanese folders": File(
        "a.zip", foreign_zip(["犬の写真", "猫の写真", "とり"], "cp932"), None, {"とり": 8, "犬の写真": 8, "猫の写真": 8}
    ),
    "Chinese folders": File(
        "a.zip", foreign_zip(["狗的照片", "猫的照片", "鸟类"], "gbk"), None, {"狗的照片": 8, "猫的照片": 8, "鸟类": 8}
    ),
    "Russian folders": File(
        "a.zip", foreign_zip(["кошка", "собака", "птица"], "cp866"), None, {"кошка": 8, "птица": 8, "собака": 8}
    ),
    "French folders": File(
        "a.zip",
        foreign_zip(["éléphant", "fenêtre", "garçon"], "cp850"),
        None,
        {"éléphant": 8, "fenêtre": 8, "garçon": 8},
    ),
    "UTF-8 folders that nothing says are": File(
        "a.zip", foreign_zip(["кошка", "犬", "éléphant"], "utf-8"), None, {"кошка": 8, "犬": 8, "éléphant": 8}
    ),
}


@pytest.mark.parametrize("what", GALLERY)
def test_each_is_what_it_is(what):
    file = GALLERY[what]
    told = []
    p = propose_pictures(file.content, file.name, file.choices, lambda *how_far: told.append(how_far))
    assert p.kind == "images" and p.count == len(p.data) == file.count and not p.open
    assert {name: p.classes[name] for name in p.classes} == file.classes
    assert list(p.classes) == list(p.data.class_names)
    if file.pixels is not None:
        expected = file.pixels if file.pixels.ndim == 4 else file.pixels[..., None]
        assert p.data.pixels.shape == expected.shape
        assert np.abs(p.data.pixels.astype(int) - np.asarray(expected, int)).max() <= file.near
    if file.classes:  # a picture has its own class, and each as many as it says
        assert np.bincount(p.data.labels).tolist() == list(p.classes.values())
    if file.classes == THREE and file.pixels is GRAY:
        assert [int(p.data.class_names[k]) for k in p.data.labels] == LABELS.tolist()
    if file.before is not None:
        assert np.allclose(p.ranges["pixels"]["before"], file.before, atol=1e-6)
    low, high = p.ranges["pixels"]["after"]
    assert -1 <= low < high <= 1
    if file.tests is not None:
        assert len(p.data.test_pixels) == len(file.tests)
        if file.pixels is not None:
            np.testing.assert_array_equal(p.data.test_pixels.reshape(file.tests.shape), file.tests)
        if p.data.labels is not None:
            assert len(p.data.test_labels) == len(p.data.test_pixels)
    if file.shape is not None:
        assert p.shape == file.shape
    for words in file.says:
        assert words in " ".join(p.notes), p.notes
    for key, count in file.left_out.items():
        assert p.left_out[key] == count
    assert told and looks_like_pictures(file.content, file.name)
    for question in p.questions:
        assert question.help and (question.several or question.chosen in question.options)


def test_of_two_columns_that_may_be_the_class_one_is_a_guess_that_is_said():
    values = noise(200, 8, 8) % 17
    values[:, -1, -1] = np.arange(200) % 3
    content = csv_of(values, np.arange(200) % 10, header=False)
    first, last = (propose_pictures(content, "m.csv", c) for c in ({}, {"classes_from": "label 64"}))
    assert "The first column is taken for the class of an image and the last one for a pixel." in first.notes
    assert "The last column is taken for the class of an image and the first one for a pixel." in last.notes
    assert len(first.classes) == 10 and len(last.classes) == 3
    assert first.questions[0].name == "classes_from" and list(first.questions[0].options) == [
        "label 0",
        "label 64",
        "none",
    ]
    scale = first.ranges["pixels"]["before"][1]
    np.testing.assert_array_equal(first.data.pixels.reshape(200, 64), np.rint(values.reshape(200, 64) / scale * 255))
    np.testing.assert_array_equal(last.data.pixels.reshape(200, 64)[:, 1:], first.data.pixels.reshape(200, 64)[:, :-1])
    assert not propose_pictures(content, "m.csv", {"classes_from": "none"}).classes


def test_the_gallery_is_large():
    assert len(GALLERY) >= 60


@pytest.mark.parametrize(
    "what", ["folders as classes", "all four idx files, packed, in a tar", "X.npy and y.npy in a zip"]
)
def test_a_folder_is_read_as_its_archive_is(what, tmp_path):
    import io
    import tarfile
    import zipfile

    file = GALLERY[what]
    if file.name.endswith(".zip"):
        zipfile.ZipFile(io.BytesIO(file.content)).extractall(tmp_path)
    else:
        with tarfile.open(fileobj=io.BytesIO(file.content)) as archive:
            archive.extractall(tmp_path, filter="data")
    packed, plain = propose_pictures(file.content, file.name, file.choices), propose_folder(tmp_path, file.choices)
    assert plain.classes == packed.classes == file.classes and plain.questions == packed.questions
    np.testing.assert_array_equal(plain.data.pixels, packed.data.pixels)
    assert plain.data.test_labels is None or plain.data.test_labels.tolist() == packed.data.test_labels.tolist()


def test_names_of_a_code_page_that_cannot_be_found_out_stay_distinct():
    content = foreign_zip([bytes([0x81, 0xFF, i]).decode("latin-1") for i in (0xFE, 0xFD, 0xFC)], "latin-1")
    assert len(propose_pictures(content, "a.zip").classes) == 3


def test_a_choice_that_is_none_is_refused_with_what_there_is():
    with pytest.raises(PictureError, match=r"classes_from cannot be 'level' .* one of parent, none"):
        propose_pictures(zipped(in_folders(CAT)), "a.zip", {"classes_from": "level"})


def test_reading_can_be_stopped():
    class Stopped(Exception):
        pass

    def stop(text, done, total):
        if done:
            raise Stopped

    for what in (
        "a zip of PNG",
        "Kaggle's CSV of digits",
        "Hugging Face's Parquet",
        "a .mat file",
        "X and y of a student",
    ):
        with pytest.raises(Stopped):
            propose_pictures(GALLERY[what].content, GALLERY[what].name, {}, stop)


@pytest.mark.parametrize("content", [b"x,y\n1,2\n3,4\n" * 20, npz(points=np.zeros((30, 2))), npy(np.zeros((30, 2)))])
def test_points_do_not_look_like_pictures(content):
    assert not looks_like_pictures(content)


def test_the_record_is_json():
    import json

    for what in ("MedMNIST with val and test", "folders as classes", "Hounsfield units"):
        record = propose_pictures(GALLERY[what].content, GALLERY[what].name).record()
        assert json.loads(json.dumps(record))["kind"] == "images"


def test_smooth_pictures_are_smooth():
    assert np.abs(np.diff(smooth().astype(int), axis=1)).max() < 40
