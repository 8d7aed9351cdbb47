"""Tables that are easily misread: names that are numbers, rows that are broken, marks that mean two things.

`ODD_TABLES` is of the same kind as `TABLES` (table_files.py): every file is made here, from the same forty points.
"""

import json

import numpy as np

from tests.support.picture_files import zipped
from tests.support.table_files import (
    CLASSES,
    KINDS,
    PAIRS,
    POINTS,
    Case,
    comma,
    framed,
    lines,
    npz,
    rows,
    text,
    workbook,
)

WORD = "rows with a word where a number should be"
MISSING = "rows with a missing value"
TOTAL = "rows with the total of the others"
TOO_LONG = "rows with more values than columns"
XY = ("x", "y")
ROUND = np.stack([np.round(10 * POINTS[:, 0]) * 100, POINTS[:, 1]], 1)  # 1,600 to 5,100
EURO = lines("a;b", *(f"{comma(x)} €;{comma(y)} kg" for x, y in PAIRS))


_NAMES = {
    "years over the columns": Case(
        text(head="1960,1961\n"), axes=("1960", "1961"), notes=("taken for the names of the columns",)
    ),
    "years beside a column of words, as the World Bank gives them": Case(
        text(head="Country,1960,1961\n", form="Land {i},{x!r},{y!r}"), axes=("1960", "1961"), notes=("1960, 1961",)
    ),
    "years, said to be a row of data": Case(
        text(head="1960,1961\n"),
        points=np.concatenate([[[1960, 1961]], POINTS]),
        axes=XY,
        choices={"header": "none"},
        notes=("taken for a point",),
    ),
    "years over the columns of a sheet": Case(
        workbook(Sheet=[["Country", 1960, 1961], *([f"Land {i}", x, y] for i, (x, y) in enumerate(PAIRS))]),
        axes=("1960", "1961"),
        name="mine.xlsx",
    ),
    "0, 1 beside a named column, as pandas writes them": Case(
        text(head="0,1,kind\n", form="{x!r},{y!r},{kind}"), axes=("0", "1"), classes=CLASSES
    ),
    "names that begin with a digit": Case(text(head="1st,2nd\n"), axes=("1st", "2nd")),
    "names of two lines in their cells (Excel's Alt+Enter)": Case(
        text(head='"eruptions\n(min)","waiting\n(min)"\n'), axes=("eruptions (min)", "waiting (min)")
    ),
    "a title of two lines above": Case(text(head='"Old\nFaithful"\neruptions,waiting\n'), notes=("1 line above",)),
    "a table in Markdown": Case(
        text(head="| eruptions | waiting |\n|---|:---:|\n", form="| {x!r} | {y!r} |"), name="mine.md"
    ),
    "units under the names of a sheet": Case(
        workbook(Sheet=[["eruptions", "waiting"], ["min", "s"], *map(list, PAIRS)]),
        axes=("eruptions (min)", "waiting (s)"),
        name="mine.xlsx",
    ),
    "one name less than columns": Case(
        text(form="{x!r},{y!r},{i}.5"), notes=("one name less",), axes=("eruptions", "waiting")
    ),
    "Weka's ARFF": Case(
        text(
            head="@relation geyser\n@attribute 'eruptions' numeric\n@attribute waiting numeric\n"
            "@attribute kind {long,short}\n\n@data\n",
            form="{x!r},{y!r},{kind}",
        ),
        classes=CLASSES,
        name="mine.arff",
    ),
}

_BROKEN = {
    "a first row with an error in it": Case(text(head="eruptions,waiting\nERR,45.2\n"), left_out={WORD: 1}),
    "a first row whose mean does not exist yet": Case(
        text(head="day,eruptions,waiting\n2020-01-01,,\n", form="2020-{i},{x!r},{y!r}"), left_out={MISSING: 1}
    ),
    "a first row of NaN": Case(text(head="eruptions,waiting\nNaN,NaN\n"), left_out={MISSING: 1}),
    "an error in the first row of a sheet": Case(
        workbook(Sheet=[["eruptions", "waiting"], ["ERR", 45.2], *map(list, PAIRS)]), left_out={WORD: 1}, name="m.xlsx"
    ),
    "a value that is left blank in columns lined up by blanks": Case(
        text(head="station eruptions waiting wind\n", form="S{i} {x!r} {y!r} {i}") + b"S40          7.9   57.3\n",
        left_out={MISSING: 1},
        notes=("nothing says which",),
    ),
    "a total at the end": Case(
        text(head="place,eruptions,waiting\n", form="p{i},{x!r},{y!r}") + b"Total,130.1,2700\n", left_out={TOTAL: 1}
    ),
    "a remark with commas in the middle, and a source at the end": Case(
        lines(
            "eruptions,waiting", *rows(head="").split()[:20], "# again, sensor 2, new, x", *rows(head="").split()[20:]
        )
        + b"Source: UN, WHO, own\n",
        left_out={TOO_LONG: 2},
        notes=("line 22",),
    ),
    "a quotation mark that is never closed": Case(
        lines(
            "eruptions,waiting,kind",
            *(f"{x!r},{y!r},{chr(34) * (i == 5)}{k}" for i, ((x, y), k) in enumerate(zip(PAIRS, KINDS, strict=True))),
        ),
        classes={'"' + KINDS[5]: 1, **CLASSES, KINDS[5]: CLASSES[KINDS[5]] - 1},
        notes=("never closed",),
    ),
    "a quotation mark that opens one text, and another one far below": Case(
        lines(
            "eruptions\twaiting\tnote",
            *(
                f"{x!r}\t{y!r}\t{({5: chr(34) + 'so', 20: 'it' + chr(34)}).get(i, 'fine')}"
                for i, (x, y) in enumerate(PAIRS)
            ),
        ),
        classes={'"so': 1, "fine": 38, 'it"': 1},
        name="mine.tsv",
    ),
    "a number for what is missing": Case(
        lines("eruptions,waiting", *rows(head="").split(), "-9999,50", "-9999,60"),
        points=np.concatenate([POINTS, [[-9999, 50], [-9999, 60]]]),
        notes=("-9999 stands 2 times",),
    ),
}

_MARKS = {
    "decimal commas before a unit": Case(EURO, axes=("a (€)", "b (kg)"), notes=("decimal mark",)),
    "points that group thousands before a unit, said to": Case(
        lines("a;b", *(f"{f'{x:,.0f}'.replace(',', '.')} €;{y:.0f}" for x, y in ROUND.tolist()), "950 €;3", "970 €;4"),
        points=np.concatenate([np.round(ROUND), [[950, 3], [970, 4]]]),
        axes=("a (€)", "b"),
        choices={"decimal": "comma"},
    ),
    "thousands as k beside plain numbers": Case(
        lines("a,b", *(f"{x / 1000:g}k,{y!r}" for x, y in ROUND.tolist()), "950,3", "970,4"),
        points=np.concatenate([ROUND, [[950, 3], [970, 4]]]),
        axes=("a", "b"),
        notes=("1,000 times",),
    ),
    "millions and thousands of euros": Case(
        lines("a,b", *(f"€{x}M,{y!r}" for x, y in PAIRS), "€900K,3"),
        points=np.concatenate([POINTS * [1e6, 1], [[9e5, 3]]]),
        axes=("a", "b"),
    ),
    "negative numbers in brackets": Case(
        text(head="eruptions,waiting\n", form="({x!r}),{y!r}"), points=POINTS * [-1, 1]
    ),
    "a minus behind the number": Case(text(form="{x!r}-,{y!r}"), points=POINTS * [-1, 1]),
    "a sign before the currency": Case(
        text(form="-${x!r},{y!r}"), points=POINTS * [-1, 1], axes=("eruptions ($)", "waiting")
    ),
    "thousands as Swiss spreadsheets write them": Case(
        lines("a;b", *(f"{x:,.2f};{y!r}".replace(",", "\u2019") for x, y in ROUND.tolist())),
        points=ROUND,
        axes=("a", "b"),
    ),
    "lakhs, as India writes them": Case(
        lines("a;b", *(f"1,{int(x) // 1000:02d},{int(x) % 1000:03d};{y!r}" for x, y in ROUND.tolist())),
        points=ROUND + np.array([100_000, 0]),
        axes=("a", "b"),
    ),
    "time stamps in the first column, which hardly vary": Case(
        lines("time,eruptions,waiting", *(f"{1_700_000_000 + 10 * i},{x!r},{y!r}" for i, (x, y) in enumerate(PAIRS))),
        notes=("not used: time",),
    ),
    "customers that are numbered": Case(
        text(head="CustomerID,eruptions,waiting\n", form="{i},{x!r},{y!r}"), notes=("numbers the rows: CustomerID",)
    ),
}

_FILES = {
    "JSON as pandas writes it by rows": Case(framed().to_json(orient="index").encode(), name="mine.json"),
    "JSON of rows by their keys": Case(
        json.dumps({f"-M{i}": {"eruptions": x, "waiting": y} for i, (x, y) in enumerate(PAIRS)}).encode(), name="m.json"
    ),
    "JSON of a part to train on and one to test on": Case(
        json.dumps({"train": framed().to_dict("records"), "test": framed().to_dict("records")[:9]}).encode(),
        notes=("test (9 rows)",),
        name="mine.json",
    ),
    "a CSV in a zip that a Mac made": Case(
        zipped({"d/mine.csv": text(), "__MACOSX/d/._mine.csv": b"\0\5\26\7", "d/.DS_Store": b"x", "README.txt": b"y"}),
        notes=("left out: README.txt",),
        name="mine.zip",
    ),
    "a workbook that begins with a sheet of remarks": Case(
        workbook(About=[["Key", "Value"], ["Author", "Azzalini"]], Data=[["eruptions", "waiting"], *map(list, PAIRS)]),
        notes=("The sheet Data is read",),
        name="mine.xlsx",
    ),
    "a .npz that also holds objects": Case(
        npz(eruptions=POINTS[:, 0], waiting=POINTS[:, 1], about=np.array([{}, 1], object)),
        notes=("Python objects",),
        name="mine.npz",
    ),
    "a .npz of two rows": Case(npz(p=POINTS.T), axes=("p 1", "p 2"), notes=("Two rows of 40",), name="mine.npz"),
    "a .npz whose classes were saved first": Case(
        npz(y=np.array([int(k == "long") for k in KINDS]), X=POINTS), axes=("X 1", "X 2"), name="mine.npz"
    ),
}

ODD_TABLES = {**_NAMES, **_BROKEN, **_MARKS, **_FILES}
