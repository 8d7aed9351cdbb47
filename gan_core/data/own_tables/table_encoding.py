"""Bytes -> text: the encoding of a table, guessed where it does not say it itself."""

from __future__ import annotations

from gan_core.data.own_tables.table_rules import TableError
from gan_core.data.proposal import Choices, Question
from gan_core.foundations.hyperparameters import shorten

HEAD_BYTES = 1 << 18  # what the layout of a table is guessed from
ENCODINGS = {
    "utf-8": "UTF-8",
    "cp1252": "Western European (Windows-1252, Latin-1)",
    "cp932": "Japanese (Shift-JIS)",
    "gb18030": "Chinese (GBK)",
    "big5": "Chinese (Big5)",
    "euc_kr": "Korean (EUC-KR)",
    "cp1251": "Cyrillic (Windows-1251)",
    "cp1250": "Central European (Windows-1250)",
}
GUESSED = ("cp1252", "cp932", "gb18030", "cp1251", "big5")  # the others look too much like one of these


def decoded(content: bytes, name: str, choices: Choices) -> tuple[bytes, str, list[str], list[Question]]:
    """(the content without its mark, its encoding for Python, notes, questions). Raises TableError."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if content.startswith(mark):
            return _utf8(content[len(mark) :], encoding, name), "utf-8", [], []
    start = content[:HEAD_BYTES]
    zeros = start.count(b"\0")
    if zeros > 0.3 * len(start):  # UTF-16 without a mark: every second byte of digits is 0
        little = start[1::2].count(b"\0") > start[::2].count(b"\0")
        return _utf8(content, "utf-16-le" if little else "utf-16-be", name), "utf-8", [], []
    if b"\0" in content:
        raise TableError(f"{name} is a binary file, not a table.")
    if content.isascii():
        return content, "utf-8", [], []
    chosen = choices.get("encoding")
    if chosen is None:
        try:
            content.decode()
            return content, "utf-8", [], []
        except UnicodeDecodeError:
            pass
    elif chosen not in ENCODINGS:
        raise TableError(f"There is no encoding {shorten(chosen)}; there are: {', '.join(ENCODINGS)}.")
    encoding = chosen or _guessed(content)
    question = Question(
        "encoding", "Encoding", ENCODINGS, encoding, "How the letters of the names are written in the file."
    )
    note = f"Read as {ENCODINGS[encoding]}." if chosen is None else ""
    return content, encoding, [note] * bool(note), [question]


def _utf8(content: bytes, encoding: str, name: str) -> bytes:
    try:
        return content.decode(encoding).encode()
    except UnicodeError:
        raise TableError(
            f"{name} is not text: it begins as {encoding.upper()} and goes on as something else."
        ) from None


def _guessed(content: bytes) -> str:
    """The encoding of text that is not UTF-8, from the lines with letters that are not ASCII."""
    from charset_normalizer import from_bytes

    lines = [line for line in content[: 4 * HEAD_BYTES].splitlines() if not line.isascii()][:50]
    if not lines:  # only far below
        place = next(i for i in range(0, len(content), HEAD_BYTES) if not content[i : i + HEAD_BYTES].isascii())
        lines = [line for line in content[place : place + HEAD_BYTES].splitlines() if not line.isascii()][:50]
    best = from_bytes(b"\n".join(lines)[:20_000], cp_isolation=list(GUESSED)).best()
    return best.encoding if best is not None and best.encoding in ENCODINGS else "cp1252"
