"""The texts of functions, as script.py puts them into a script: a registry's, or those of a user's own plugin."""

import ast
import inspect
import sys
from collections.abc import Callable

EVERYWHERE = {"math", "np", "tf", "keras", "layers"}  # the names that script.py imports where they are used


def sources(*functions: Callable, short: bool = False) -> tuple[list[str], dict[str, list[str]]]:
    """(the texts of those functions of one module and of all that they use of it, in its order; parameters by name).

    Parameters that a function never looks at are left out, unless another one calls it; short: of a docstring only the
    first line stays.
    """
    text = inspect.getsource(sys.modules[functions[0].__module__]).splitlines()
    nodes = {}
    for node in ast.parse("\n".join(text)).body:
        if isinstance(node, ast.FunctionDef):
            nodes[node.name] = node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            nodes[node.targets[0].id] = node
    used = {
        name: {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        for name, node in nodes.items()
    }
    needed, new = set(), {function.__name__ for function in functions}
    while new:
        needed |= new
        new = {name for one in new for name in used[one] if name in nodes} - needed
    texts, parameters = [], {}
    for name in (name for name in nodes if name in needed):
        node = nodes[name]
        lines = text[node.lineno - 1 : node.end_lineno]
        if isinstance(node, ast.FunctionDef):
            called = any(name in used[other] for other in needed - {name})
            kept = [arg for arg in node.args.args if called or arg.arg in used[name]]
            parameters[name] = [arg.arg for arg in kept]
            first, body = node.body[0], lines[node.body[0].lineno - node.lineno :]
            more = (first.end_lineno or first.lineno) - first.lineno
            if short and ast.get_docstring(node) and more:
                body = [body[0] + '"""', *body[more + 1 :]]
            lines = [f"def {name}({', '.join(map(ast.unparse, kept))}):", *body]
        texts.append("\n".join(lines))
    return [*_imports(text, set().union(*(used[name] for name in needed))), *texts], parameters


def _imports(text: list[str], names: set[str]) -> list[str]:
    """The module's imports of those names, but for GANscope's own and for what every script may import."""
    lines = []
    for node in ast.parse("\n".join(text)).body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        module = getattr(node, "module", None) or ""
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            if bound in names - EVERYWHERE and not f"{module}.{alias.name}".lstrip(".").startswith("gan_core"):
                source = f"from {module} import " if module else "import "
                lines.append(source + alias.name + (f" as {alias.asname}" if alias.asname else ""))
    return lines


def as_literal(text: str) -> str:
    """A string literal as a formatter leaves it: in double quotes where that needs no escapes."""
    literal = repr(text)
    return f'"{literal[1:-1]}"' if literal[0] == "'" and '"' not in literal else literal
