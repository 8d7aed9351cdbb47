"""Texts that are not ours, inside of Markdown."""

import re

_SPECIAL = "\\`*_{}[]<>#|~$:&"
_AT_A_LINES_START = re.compile(r"(?m)^(\s*\d*)([-+.)=])")  # what would make a list or a heading there


def plain(text: str) -> str:
    """Markdown that shows a text as it is: a name of a file, a note, what somebody has typed."""
    return _AT_A_LINES_START.sub(r"\1\\\2", "".join(f"\\{c}" if c in _SPECIAL else c for c in text))
