"""Tables as people have them on their disk, each described as a person would, with what it says.

`TABLES` are read, `REFUSED` are not. Every file is made here, from the same forty points where nothing else is said.
"""

import gzip
import io
import json
import zipfile
from dataclasses import dataclass, field

import numpy as np
import openpyxl
import pandas as pd

_RNG = np.random.default_rng(0)
# Minutes of an eruption and of the wait for it: two spans that have nothing to do with each other.
POINTS = np.stack([np.round(_RNG.uniform(1.6, 5.1, 40), 4), np.round(_RNG.uniform(43, 96, 40), 2)], 1)
KINDS = ["short" if x < 3 else "long" for x, _ in POINTS]
CLASSES = {"long": KINDS.count("long"), "short": KINDS.count("short")}


@dataclass(frozen=True)
class Case:
    """A file and what it holds: every point, the names of the axes, classes with their counts, what is left out.

    choices: what its user has chosen. notes: words that stand in what is said of the guesses.
    """

    content: bytes
    points: np.ndarray = field(default_factory=lambda: POINTS)
    axes: tuple[str, str] = ("eruptions", "waiting")
    classes: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    choices: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    name: str = "mine.csv"


def rows(points=POINTS, form="{x!r},{y!r}", head="eruptions,waiting\n", end="\n"):
    """Text of a table: `form` is one line, which may name x, y, i (from 0) and kind."""
    pairs = zip(points.tolist(), KINDS * (1 + len(points) // 40), strict=False)
    return head + end.join(form.format(x=x, y=y, i=i, kind=kind) for i, ((x, y), kind) in enumerate(pairs)) + end


def text(*args, encoding="utf-8", **named):
    return rows(*args, **named).encode(encoding)


def comma(value):
    return repr(value).replace(".", ",")


def lines(*parts):
    return ("\n".join(parts) + "\n").encode()


def decimal_commas(mark, points=POINTS, head=None):
    head = mark.join(("eruptions", "waiting")) if head is None else head
    return lines(head, *(f"{comma(x)}{mark}{comma(y)}" for x, y in points.tolist()))


def framed(**extra):
    return pd.DataFrame({"eruptions": POINTS[:, 0], "waiting": POINTS[:, 1], **extra})


def saved(frame, how, **named):
    file = io.BytesIO()
    getattr(frame, how)(file, **named)
    return file.getvalue()


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def workbook(**sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, cells in sheets.items():
        sheet = book.create_sheet(title)
        for row in cells:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return file.getvalue()


XY = ("x", "y")
PAIRS = POINTS.tolist()
SHEET = [["eruptions", "waiting"], *PAIRS]
THOUSANDS = np.array([[1200.5 + 37 * i, 1_000_000.25 + 54_321 * i] for i in range(40)])
GROUPED = np.array([[1001.0 + 37 * i, 12.0 + i] for i in range(40)])
DOTTED = np.array([[950.0 + 37 * i, 12.0 + i] for i in range(40)])  # from 1,000 on with a point: 1.024
GAPS = "eruptions,waiting\n{}" + rows(head="")


def with_rows(*more):
    """The points, and rows that hold no point."""
    return lines("eruptions,waiting", *more[:1], *(f"{x!r},{y!r}" for x, y in PAIRS), *more[1:])


NARROW = "\u202f"  # the blank between thousands


def grouped(value, mark):
    return f"{value:,.2f}".replace(",", "\0").replace(".", "," if mark != "," else ".").replace("\0", mark)


def dotted_rows():
    return [f"{x:,.0f};{y:.0f}".replace(",", ".") for x, y in DOTTED.tolist()]


_HEADERS = {
    "two columns and nothing else": Case(text(head=""), axes=XY),
    "a line of names": Case(text()),
    "names with their units": Case(
        text(head="eruptions (min),waiting [min]\n"), axes=("eruptions (min)", "waiting [min]")
    ),
    "names in one line, units in the next": Case(
        text(head="eruptions,waiting\nmin,s\n"), axes=("eruptions (min)", "waiting (s)"), notes=("two lines",)
    ),
    "units in brackets in the second line": Case(
        text(head="eruptions,waiting\n[min],[°C]\n"), axes=("eruptions (min)", "waiting (°C)")
    ),
    "0,1 as pandas names nameless columns": Case(text(head="0,1\n"), axes=("0", "1"), notes=("names of the columns",)),
    "pandas' index and 0,1": Case(text(head=",0,1\n", form="{i},{x!r},{y!r}"), axes=("0", "1")),
    "whole numbers under 0,1, which may be a point": Case(
        lines("0,1", *(f"{i},{i * i}" for i in range(1, 40))),
        points=np.array([[0, 1], *([i, i * i] for i in range(1, 40))]),
        axes=XY,
        notes=("taken for a point",),
    ),
    "whole numbers under 0,1, said to be names": Case(
        lines("0,1", *(f"{i},{i * i}" for i in range(1, 40))),
        points=np.array([[i, i * i] for i in range(1, 40)]),
        axes=("0", "1"),
        choices={"header": "names"},
    ),
    "comments above, as NumPy writes them": Case(text(head="# eruptions,waiting\n")),
    "NumPy's savetxt with blanks": Case(text(head="# eruptions waiting\n", form="{x:.18e} {y:.18e}")),
    "six lines of metadata above": Case(
        text(head="Old Faithful\nYellowstone, Wyoming\n\nmeasured: 1985\nby: Azzalini\n\neruptions,waiting\n"),
        notes=("4 lines above",),
    ),
    "comments with % above and between": Case(text(head="% by hand\n% 1985\neruptions,waiting\n")),
    "metadata of key and value, as wide as the table": Case(
        text(head="station,Geyser\nyear,1985\neruptions,waiting\n"), notes=("2 lines above",)
    ),
    "R's write.table with row names": Case(
        text(head='"eruptions" "waiting"\n', form='"{i}" {x!r} {y!r}'), notes=("numbers the rows",)
    ),
    "a separator at the end of each line": Case(text(head="eruptions,waiting,\n", form="{x!r},{y!r},")),
    "a separator at the end of the values only": Case(text(form="{x!r},{y!r},")),
    "equal names": Case(text(head="v,v\n"), axes=("v", "v (2)")),
    "names in quotes, with commas in them": Case(
        text(head='"eruptions, min","waiting, min"\n'), axes=("eruptions, min", "waiting, min")
    ),
    "Excel's line sep=;": Case(text(head="sep=;\neruptions;waiting\n", form="{x!r};{y!r}")),
    "scikit-learn's own kind of file": Case(
        lines("40,2,short,long", *(f"{x!r},{y!r},{int(k == 'long')}" for (x, y), k in zip(PAIRS, KINDS, strict=True))),
        axes=("column 1", "column 2"),
        classes={"short": CLASSES["short"], "long": CLASSES["long"]},
    ),
}

_SEPARATORS = {
    "tabs": Case(text(head="eruptions\twaiting\n", form="{x!r}\t{y!r}"), name="mine.tsv"),
    "pasted from a spreadsheet": Case(
        text(head="eruptions\twaiting\n", form="{x!r}\t{y!r}", end="\r\n"), name="pasted"
    ),
    "semicolons": Case(text(head="eruptions;waiting\n", form="{x!r};{y!r}")),
    "bars": Case(text(head="eruptions|waiting\n", form="{x!r}|{y!r}")),
    "single blanks": Case(text(head="eruptions waiting\n", form="{x!r} {y!r}"), name="mine.txt"),
    "columns lined up by blanks": Case(text(head="eruptions   waiting\n", form="  {x:9.4f} {y:9.2f}"), name="mine.dat"),
    "commas with blanks behind": Case(text(head="eruptions, waiting\n", form="{x!r}, {y!r}")),
    "blank lines between": Case(text(end="\n\n")),
    "lines that end as Windows ends them": Case(text(head="eruptions,waiting\r\n", end="\r\n")),
    "lines that end as old Macs ended them": Case(text(head="eruptions,waiting\r", end="\r")),
    "no line end at the end": Case(text().rstrip(b"\n")),
    "a comma said to be the separator": Case(text(), choices={"separator": "comma"}),
}

_NUMBERS = {
    "decimal commas between semicolons (German Excel)": Case(decimal_commas(";"), notes=("decimal mark",)),
    "decimal commas between tabs": Case(decimal_commas("\t")),
    "decimal commas between blanks": Case(decimal_commas(" ")),
    "decimal commas in quotes between commas": Case(
        lines("eruptions,waiting", *(f'"{comma(x)}","{comma(y)}"' for x, y in PAIRS))
    ),
    "thousands by commas, in quotes": Case(
        lines("a,b", *(f'"{grouped(x, ",")}","{grouped(y, ",")}"' for x, y in THOUSANDS.tolist())),
        points=THOUSANDS,
        axes=("a", "b"),
        notes=("thousands",),
    ),
    "thousands by points, decimal commas": Case(
        lines("a;b", *(f"{grouped(x, '.')};{grouped(y, '.')}" for x, y in THOUSANDS.tolist())),
        points=THOUSANDS,
        axes=("a", "b"),
    ),
    "thousands by blanks, decimal commas (French)": Case(
        lines("a;b", *(f"{grouped(x, NARROW)};{grouped(y, ' ')}" for x, y in THOUSANDS.tolist())),
        points=THOUSANDS,
        axes=("a", "b"),
    ),
    "thousands by apostrophes (Swiss)": Case(
        lines("a;b", *(f"{x:,.2f};{y:,.2f}".replace(",", "'") for x, y in THOUSANDS.tolist())),
        points=THOUSANDS,
        axes=("a", "b"),
    ),
    "101,037 said to be thousands": Case(
        lines("a;b", *(f"{x:,.0f};{y:.0f}" for x, y in GROUPED.tolist())),
        points=GROUPED,
        axes=("a", "b"),
        choices={"decimal": "point"},
    ),
    "101,037 said to have decimals": Case(
        lines("a;b", *(f"{x:,.0f};{y:.0f}" for x, y in GROUPED.tolist())),
        points=GROUPED / [1000, 1],
        axes=("a", "b"),
        choices={"decimal": "comma"},
    ),
    "101,037 beside 5,2, which only a decimal comma explains": Case(
        lines("a;b", *(f"{x:,.0f};{comma(float(y) + 0.5)}" for x, y in GROUPED.tolist())),
        points=GROUPED / [1000, 1] + np.array([0, 0.5]),
        axes=("a", "b"),
    ),
    "101,037 beside 5.2, which only a decimal point explains": Case(
        lines("a;b", *(f"{x:,.0f};{y + 0.5}" for x, y in GROUPED.tolist())),
        points=GROUPED + np.array([0, 0.5]),
        axes=("a", "b"),
    ),
    "1.388 beside 950, said to be thousands": Case(
        lines("a;b", *dotted_rows()),
        points=DOTTED,
        axes=("a", "b"),
        choices={"decimal": "comma"},
    ),
    "1.388 beside 950, said to have decimals": Case(
        lines("a;b", *dotted_rows()),
        points=np.where(DOTTED < 1000, DOTTED, DOTTED / 1000),
        axes=("a", "b"),
        choices={"decimal": "point"},
    ),
    "1.388 beside 950 and 2.5, which only a decimal point explains": Case(
        lines("a;b", *(row + ".5" for row in dotted_rows())),
        points=np.where(DOTTED < 1000, DOTTED, DOTTED / 1000) + np.array([0, 0.5]),
        axes=("a", "b"),
    ),
    "three decimals behind a point": Case(
        lines("a,b", *(f"{1 + i / 1000:.3f},{2 + i / 500:.3f}" for i in range(40))),
        points=np.array([[1 + i / 1000, 2 + i / 500] for i in range(40)]),
        axes=("a", "b"),
    ),
    "the minus sign of typesetters": Case(
        text(-POINTS, form="{x!r},{y!r}").replace(b"-", "\u2212".encode()), points=-POINTS
    ),
    "plus signs": Case(text(form="+{x!r},+{y!r}")),
    "exponents": Case(text(form="{x:.6e},{y:.6E}")),
    "Fortran's exponents": Case(text(form="{x:.6e},{y:.6e}").replace(b"e+", b"D+")),
    "numbers in quotes": Case(text(form='"{x!r}","{y!r}"')),
    "numbers in single quotes": Case(text(form="'{x!r}','{y!r}'")),
    "percent signs in the cells": Case(text(form="{x!r},{y!r} %"), axes=("eruptions", "waiting (%)")),
    "dollars in the cells": Case(text(form="{x!r},${y!r}"), axes=("eruptions", "waiting ($)")),
    "centimetres in the cells": Case(text(form="{x!r} cm,{y!r} cm"), axes=("eruptions (cm)", "waiting (cm)")),
    "very large numbers": Case(text(POINTS * 1e25), points=POINTS * 1e25),
    "years and populations": Case(
        lines("year,pop", *(f"{1950 + i},{2_500_000_000 + 80_000_000 * i}" for i in range(40))),
        points=np.array([[1950.0 + i, 2_500_000_000 + 80_000_000 * i] for i in range(40)]),
        axes=("year", "pop"),
    ),
}

_MISSING = {
    f"missing values written as {word or 'nothing'}": Case(
        with_rows(f"{word},50.0", f"2.0,{word}"), left_out={"rows with a missing value": 2}
    )
    for word in ("", "NA", "NaN", "null", "-", "#N/A", "None", "n/a", "?")
} | {
    "a row that is too short": Case(
        with_rows("1.9,60.5", "2.0"), points=np.array([[1.9, 60.5], *PAIRS]), left_out={"rows with a missing value": 1}
    ),
    "a row of totals at the end": Case(
        with_rows("1.9,60.5", "total,all"),
        points=np.array([[1.9, 60.5], *PAIRS]),
        left_out={"rows with a word where a number should be": 1},
        notes=("line 43", "total"),
    ),
    "a value that is not finite": Case(
        with_rows("1.9,60.5", "inf,60"),
        points=np.array([[1.9, 60.5], *PAIRS]),
        left_out={"rows with a value that is not finite": 1},
    ),
}

_UMLAUTS = "Größe,Länge\n"
_ENCODINGS = {
    "UTF-8": Case(text(head=_UMLAUTS), axes=("Größe", "Länge")),
    "UTF-8 with a mark": Case(b"\xef\xbb\xbf" + text(head=_UMLAUTS), axes=("Größe", "Länge")),
    "UTF-16 (Excel's Unicode text)": Case(
        text(head="Größe\tLänge\n", form="{x!r}\t{y!r}", encoding="utf-16"), axes=("Größe", "Länge")
    ),
    "UTF-16, the other way round": Case(
        b"\xfe\xff" + text(head=_UMLAUTS, encoding="utf-16-be"), axes=("Größe", "Länge")
    ),
    "UTF-16 without a mark": Case(text(head=_UMLAUTS, encoding="utf-16-le"), axes=("Größe", "Länge")),
    "Windows-1252": Case(
        text(head="température (°C),durée\n", encoding="cp1252"),
        axes=("température (°C)", "durée"),
        notes=("Windows-1252",),
    ),
    "Latin-1": Case(text(head=_UMLAUTS, encoding="latin-1"), axes=("Größe", "Länge")),
    "Shift-JIS": Case(text(head="身長,体重\n", encoding="shift_jis"), axes=("身長", "体重"), notes=("Shift-JIS",)),
    "GBK": Case(text(head="身高,体重\n", encoding="gbk"), axes=("身高", "体重"), notes=("GBK",)),
    "Windows-1250, said so": Case(
        text(head="výška,šířka\n", encoding="cp1250"), axes=("výška", "šířka"), choices={"encoding": "cp1250"}
    ),
}

_KIND = "eruptions,waiting,kind\n"
_COLUMNS = {
    "a column of words, which are the classes": Case(text(head=_KIND, form="{x!r},{y!r},{kind}"), classes=CLASSES),
    "classes that nobody wants": Case(text(head=_KIND, form="{x!r},{y!r},{kind}"), choices={"classes_from": "none"}),
    "an index without a name": Case(
        text(head=",eruptions,waiting\n", form="{i},{x!r},{y!r}"), notes=("numbers the rows",)
    ),
    "an id that is no number of its own": Case(text(head="id,eruptions,waiting\n", form="{i}1,{x!r},{y!r}")),
    "a name for each row": Case(text(head="geyser,eruptions,waiting\n", form="No. {i},{x!r},{y!r}")),
    "a date for each row": Case(text(head="day,eruptions,waiting\n", form="1985-08-{i:02d},{x!r},{y!r}")),
    "a constant column first": Case(text(head="year,eruptions,waiting\n", form="1985,{x!r},{y!r}")),
    "an empty column between": Case(text(head="eruptions,note,waiting\n", form="{x!r},,{y!r}")),
    "four columns, of which the last two are chosen": Case(
        text(head="a,b,eruptions,waiting\n", form="{i}.5,7.{i},{x!r},{y!r}"), choices={"columns": "eruptions,waiting"}
    ),
    "four columns, chosen by their numbers": Case(
        text(head="a,b,eruptions,waiting\n", form="{i}.5,7.{i},{x!r},{y!r}"), choices={"columns": "3, 4"}
    ),
    "y before x": Case(text(head="waiting,eruptions\n", form="{y!r},{x!r}"), choices={"columns": "eruptions,waiting"}),
    "columns chosen whose names have commas": Case(
        text(head='"eruptions, min",n,"waiting, min"\n', form="{x!r},{i},{y!r}"),
        axes=("eruptions, min", "waiting, min"),
        choices={"columns": "eruptions, min,waiting, min"},
    ),
    "classes by numbers, in a column called target": Case(
        text(head="eruptions,waiting,target\n", form="{x!r},{y!r},{kind}")
        .replace(b"short", b"0")
        .replace(b"long", b"1"),
        classes={"0": CLASSES["short"], "1": CLASSES["long"]},
    ),
    "true and false": Case(
        text(head=_KIND, form="{x!r},{y!r},{kind}").replace(b"short", b"True").replace(b"long", b"False"),
        classes={"False": CLASSES["long"], "True": CLASSES["short"]},
    ),
    "classes with gaps": Case(
        text(head=_KIND, form="{x!r},{y!r},{kind}").replace(b",short", b","),
        classes={"long": CLASSES["long"], "(none)": CLASSES["short"]},
        choices={"classes_from": "kind"},
    ),
}

_FILES = {
    "an Excel workbook": Case(workbook(Sheet1=SHEET), name="mine.xlsx"),
    "a workbook with a title above the table": Case(
        workbook(Sheet1=[["Old Faithful"], [], *SHEET]), name="mine.xlsx", notes=("1 row above",)
    ),
    "a workbook whose numbers are text": Case(
        workbook(Sheet1=[[str(cell) for cell in row] for row in SHEET]), name="mine.xlsx"
    ),
    "a workbook with classes and gaps": Case(
        workbook(
            Sheet1=[
                ["eruptions", "waiting", "kind"],
                *([x, y, k] for (x, y), k in zip(PAIRS, KINDS, strict=True)),
                [2.0, None, "long"],
            ]
        ),
        name="mine.xlsx",
        classes=CLASSES,
        left_out={"rows with a missing value": 1},
    ),
    "a workbook of two sheets": Case(
        workbook(about=[["by hand"]], data=SHEET), name="mine.xlsx", notes=("The sheet data is read, of 2",)
    ),
    "a workbook's second sheet, chosen": Case(
        workbook(one=[["a", "b"], *[[i, i * i] for i in range(40)]], two=SHEET),
        name="mine.xlsx",
        choices={"sheet": "two"},
    ),
    "Parquet": Case(saved(framed(), "to_parquet", index=False), name="mine.parquet"),
    "Parquet with words and an index": Case(
        saved(framed(kind=KINDS).set_index(pd.Index([f"row {i}" for i in range(40)])), "to_parquet"),
        name="mine.parquet",
        classes=CLASSES,
    ),
    "a .npy of N x 2": Case(npy(POINTS), axes=XY, name="mine.npy"),
    "a .npy of 2 x N": Case(npy(POINTS.T), axes=XY, name="mine.npy", notes=("Two rows",)),
    "a .npy of float32, from the other end": Case(npy(POINTS.astype(">f4")), axes=XY, name="mine.npy"),
    "a .npy with named fields": Case(
        npy(np.array([tuple(p) for p in PAIRS], [("eruptions", "f8"), ("waiting", "f4")])), name="mine.npy"
    ),
    "a .npz with two columns": Case(npz(eruptions=POINTS[:, 0], waiting=POINTS[:, 1]), name="mine.npz"),
    "a .npz with X and y": Case(
        npz(X=POINTS, y=np.array([int(k == "long") for k in KINDS])),
        axes=("X 1", "X 2"),
        classes={"0": CLASSES["short"], "1": CLASSES["long"]},
        choices={"classes_from": "y"},
        name="mine.npz",
    ),
    "JSON, a list of objects": Case(framed().to_json(orient="records").encode(), name="mine.json"),
    "JSON, a list of lists": Case(json.dumps(PAIRS).encode(), axes=XY, name="mine.json"),
    "JSON, columns by name": Case(
        json.dumps({"eruptions": POINTS[:, 0].tolist(), "waiting": POINTS[:, 1].tolist()}).encode(), name="mine.json"
    ),
    "JSON as pandas writes it": Case(framed().to_json().encode(), name="mine.json"),
    "JSON as pandas splits it": Case(framed().to_json(orient="split").encode(), name="mine.json"),
    "JSON with the rows under a name": Case(
        json.dumps({"source": "R", "data": framed().to_dict("records")}).encode(), name="mine.json"
    ),
    "JSON lines": Case(
        framed(kind=KINDS).to_json(orient="records", lines=True).encode(), classes=CLASSES, name="m.jsonl"
    ),
    "JSON lines called .txt": Case(framed().to_json(orient="records", lines=True).encode(), name="mine.txt"),
    "a CSV that is packed (.csv.gz)": Case(gzip.compress(text()), name="mine.csv.gz"),
    "a CSV in a zip": Case(zipped(**{"data__mine.csv": text(), "readme.md": b"by hand"}), name="mine.zip"),
}

TABLES = {**_HEADERS, **_SEPARATORS, **_NUMBERS, **_MISSING, **_ENCODINGS, **_COLUMNS, **_FILES}
