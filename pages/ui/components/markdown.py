"""Texts that are not ours, inside of Markdown."""


def plain(text: str) -> str:
    """Markdown that shows a text as it is: a name of a file, a note, what somebody has typed."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+-.!|~$:" else c for c in text)
