"""What users read says each thing in one word: none of the words that gave way to another stands in a text."""

import ast
import re

import pytest

from gan_core.glossary import RETIRED, TERMS
from tests.conftest import ROOT

FILES = sorted([*(ROOT / "pages").rglob("*.py"), *(ROOT / "gan_core").glob("*.py"), ROOT / "app.py"])


def sentences(source: str) -> list[tuple[int, str]]:
    """(line, text) of the strings of Python code that a person may read: those of several words, without docstrings."""
    tree = ast.parse(source)
    scopes = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, scopes) and node.body and isinstance(node.body[0], ast.Expr)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            text = node.value.strip()
            if " " in text or text[:1].isupper():
                found.append((node.lineno, re.sub(r"`[^`]*`", "", node.value)))  # names in code are not words
    return found


def retired_in(text: str) -> list[str]:
    return [word for word in RETIRED if re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w(])(?!\s*=)", text, re.I)]


@pytest.mark.parametrize("path", [p for p in FILES if p.name != "glossary.py"], ids=lambda p: str(p.relative_to(ROOT)))
def test_no_text_has_a_retired_word(path):
    wrong = [
        f"{path.name}:{line}: {word!r} is {RETIRED[word]!r} now, in {text.strip()[:80]!r}"
        for line, text in sentences(path.read_text("utf-8"))
        for word in retired_in(text)
    ]
    assert not wrong, "\n".join(wrong)


def test_the_scripts_of_the_page_have_none():
    for path in sorted((ROOT / "static").glob("*.js")):
        if path.name.startswith("plotly"):
            continue
        texts = re.findall(r'"((?:[^"\\\n]|\\.)* (?:[^"\\\n]|\\.)*)"|`([^`\n]* [^`\n]*)`', path.read_text("utf-8"))
        wrong = [(word, text) for pair in texts for text in pair for word in retired_in(text)]
        assert not wrong, wrong


def test_a_retired_word_is_found():
    code = '"""A knob in a docstring."""\nNAME = "knob"\nTEXT = f"Turn the knob of {NAME}."\n'
    assert [word for _, text in sentences(code) for word in retired_in(text)] == ["knob"]
    assert retired_in("The knobs") == [] or "knobs" in RETIRED


def test_every_term_is_explained_in_sentences():
    assert len(TERMS) >= 12
    for term, text in TERMS.items():
        assert term[:1].isupper() or term[0] in "zp", term
        assert text.endswith(".") and len(text.split()) >= 8, term
