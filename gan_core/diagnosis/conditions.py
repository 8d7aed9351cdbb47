"""Conditions on a run, as text: `modes == 8 and hq >= 0.9 and step <= 5000`. Goals, criteria and breakpoints are such.

A condition compares numbers and choices that a run has (facts.py says which); it is read with Python's own grammar, of
which no more than comparisons, `and`, `or`, `not`, plain arithmetic and the functions of FUNCTIONS are taken, and
nothing in it is ever run as code.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gan_core.foundations.hyperparameters import ConfigError, shorten

MOST_LENGTH = 400
MOST_NODES = 120

# Over the last half of what was recorded of a number: each takes its values there, in order.
FUNCTIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "mean": lambda values: sum(values) / len(values),
    "lowest": min,
    "highest": max,
}
_COMPARISONS: dict[type, Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARITHMETIC: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_ACCEPTED = (
    "Accepted are comparisons (<, <=, ==, !=, >=, >) of names and numbers, joined by and, or, not; for example: "
    "modes == 8 and hq >= 0.9"
)


@dataclass(frozen=True)
class Kind:
    """What a name of a condition stands for. type: float, bool or str; choices: the texts that it can be, () for any;
    curve: whether its values over the recording are known, for FUNCTIONS."""

    type: type
    choices: tuple[str, ...] = ()
    curve: bool = False


@dataclass(frozen=True)
class Known:
    """What a run is known by. values: name -> number, bool or text, None where it has none yet; series: name -> its
    values over the last half of the recording, for FUNCTIONS."""

    values: Mapping[str, Any]
    series: Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Condition:
    """A condition that was read; `text` is how it was written."""

    text: str
    _tree: ast.expr

    @classmethod
    def read(cls, text: str, names: Mapping[str, Kind]) -> Condition:
        """Raises ConfigError where the text is no condition on these names, or one that no run could decide, such as a
        choice that there is not; choices such as `penalty == "r1"` are quoted."""
        text = " ".join(text.split())
        if len(text) > MOST_LENGTH:
            raise ConfigError(f"The condition has {len(text):,} characters; at most {MOST_LENGTH} are accepted.")
        try:
            tree = ast.parse(text, mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            raise ConfigError(f"The condition {shorten(text)} cannot be read. {_ACCEPTED}.") from None
        if sum(1 for _ in ast.walk(tree)) > MOST_NODES:
            raise ConfigError(f"The condition {shorten(text)} is too long.")
        _check(tree, text, frozenset(names))
        if _Kinds(text, names).of(tree) is not bool:
            raise ConfigError(f"The condition {shorten(text)} compares nothing. {_ACCEPTED}.")
        condition = cls(text, tree)
        if not condition.names:
            raise ConfigError(f"The condition {shorten(text)} asks for nothing of a run.")
        return condition

    def holds(self, known: Known) -> bool:
        """Whether it is true of the run; a comparison with what is not known yet is not."""
        return _value(self._tree, known) is True

    @property
    def names(self) -> frozenset[str]:
        """The names that it asks for."""
        nodes = list(ast.walk(self._tree))
        inner = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}  # `data` of `data.std`
        found = {_name(node) for node in nodes if id(node) not in inner}
        return frozenset(found - {"", *FUNCTIONS})


def _name(node: ast.AST) -> str:
    """A name, or a setting of the data with its point (`data.std`); "" for all else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return ""


def _check(node: ast.expr, text: str, names: frozenset[str]) -> None:
    """Raises ConfigError for anything that is no part of a condition."""
    if isinstance(node, ast.BoolOp):
        parts = node.values
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        parts = [node.operand]
    elif isinstance(node, ast.Compare) and all(type(op) in _COMPARISONS for op in node.ops):
        parts = [node.left, *node.comparators]
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        parts = [node.left, node.right]
    elif isinstance(node, ast.Call) and _name(node.func) in FUNCTIONS and len(node.args) == 1 and not node.keywords:
        parts = node.args
        if not _name(parts[0]):
            raise ConfigError(f"In the condition {shorten(text)}, {_name(node.func)}(...) takes one name.")
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float, str, bool)):
        parts = []
    elif _name(node):
        parts = []
        if _name(node) not in names:
            raise ConfigError(
                f"The condition {shorten(text)} asks for {shorten(_name(node))}, which no run has. "
                f"There are: {', '.join(sorted(names))}."
            )
    else:
        raise ConfigError(f"The condition {shorten(text)} cannot be read. {_ACCEPTED}.")
    for part in parts:
        _check(part, text, names)


class _Kinds:
    """What the parts of a condition are, and whether they go together. Raises ConfigError where they do not."""

    def __init__(self, text: str, names: Mapping[str, Kind]):
        self._text, self._names = text, names

    def of(self, node: ast.expr) -> type:
        """bool, float or str."""
        if isinstance(node, ast.BoolOp):
            return self._all(node.values, bool)
        if isinstance(node, ast.UnaryOp):
            return self._all([node.operand], bool if isinstance(node.op, ast.Not) else float)
        if isinstance(node, ast.BinOp):
            return self._all([node.left, node.right], float)
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
            for op, left, right in zip(node.ops, parts, parts[1:], strict=False):
                self._compared(op, left, right)
            return bool
        if isinstance(node, ast.Call):
            name = _name(node.args[0])
            if not self._names[name].curve:
                raise self._wrong(f"{_name(node.func)}({name}) has no values over a run; it takes losses and scores")
            return float
        if isinstance(node, ast.Constant):
            return type(node.value) if isinstance(node.value, (bool, str)) else float
        return self._names[_name(node)].type

    def _all(self, parts: Sequence[ast.expr], wanted: type) -> type:
        for part in parts:
            if self.of(part) is not wanted:
                what = "is neither true nor false: compare it" if wanted is bool else "is no number"
                raise self._wrong(f"{ast.unparse(part)} {what}")
        return wanted

    def _compared(self, op: ast.cmpop, left: ast.expr, right: ast.expr) -> None:
        kinds, both = (self.of(left), self.of(right)), f"{ast.unparse(left)} and {ast.unparse(right)}"
        if kinds[0] is not kinds[1]:
            raise self._wrong(f"{both} cannot be compared")
        if kinds[0] is not float and not isinstance(op, (ast.Eq, ast.NotEq)):
            raise self._wrong(f"neither of {both} is larger")
        for name, other in ((_name(left), right), (_name(right), left)):
            choices = self._names[name].choices if name else ()
            if choices and isinstance(other, ast.Constant) and other.value not in choices:
                raise self._wrong(f"{name} is never {shorten(other.value)}; it is one of: {', '.join(choices)}")

    def _wrong(self, what: str) -> ConfigError:
        return ConfigError(f"In the condition {shorten(self._text)}, {what}.")


def _value(node: ast.expr, known: Known) -> Any:
    """The value of a part; None where it is not known. A part that is unknown does not decide a whole that others do:
    `False and unknown` is False."""
    if isinstance(node, ast.BoolOp):
        found = [_truth(part, known) for part in node.values]
        decides = isinstance(node.op, ast.Or)
        if decides in found:
            return decides
        return None if None in found else not decides
    if isinstance(node, ast.UnaryOp):
        if isinstance(node.op, ast.Not):
            value = _truth(node.operand, known)
            return None if value is None else not value
        return _calculated(operator.mul, -1, _value(node.operand, known))
    if isinstance(node, ast.Compare):
        parts = [_value(part, known) for part in (node.left, *node.comparators)]
        if None in parts:
            return None
        pairs = zip(node.ops, parts, parts[1:], strict=False)
        return all(_compared(_COMPARISONS[type(op)], a, b) for op, a, b in pairs)
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left, known), _value(node.right, known)
        return _calculated(_ARITHMETIC[type(node.op)], left, right)
    if isinstance(node, ast.Call):
        values = [value for value in known.series.get(_name(node.args[0]), ()) if math.isfinite(value)]
        return FUNCTIONS[_name(node.func)](values) if values else None
    return node.value if isinstance(node, ast.Constant) else known.values.get(_name(node))


def _truth(node: ast.expr, known: Known) -> bool | None:
    """Whether a part is true; a number by itself, such as `modes`, is neither."""
    value = _value(node, known)
    return value if isinstance(value, bool) else None


def _compared(compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    """A number and a text are unequal, and neither is larger."""
    if isinstance(left, str) != isinstance(right, str):
        return compare is operator.ne
    return bool(compare(left, right))


def _calculated(calculate: Callable[[float, float], float], left: Any, right: Any) -> float | None:
    if not all(isinstance(value, (int, float)) for value in (left, right)):
        return None
    try:
        value = calculate(left, right)
        return value if math.isfinite(value) else None
    except (ZeroDivisionError, OverflowError):
        return None
