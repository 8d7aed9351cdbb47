"""The house's rules, by reading imports: who may know whom."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE = sorted((ROOT / "gan_core").rglob("*.py"))
SCRIPTS = sorted((ROOT / "pages").glob("*.py"))
UI = sorted((ROOT / "pages" / "ui").rglob("*.py"))
SCREEN = [ROOT / "app.py", *SCRIPTS, *UI]
HEAVY = ("tensorflow", "keras")
SLOW = ("sklearn",)  # to import: only where it is used


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def module_of(path):
    """gan_core/losses.py -> gan_core.losses"""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=name_of)


def imports(source, package="", skip_functions=False):
    """Dotted names of all that a module's text imports, `from a import b` as both a and a.b.

    package: the package that relative imports start from. skip_functions: only what happens at import time.
    """
    found = set()

    def visit(node):
        if skip_functions and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            return
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":  # never runs
            for child in node.orelse:
                visit(child)
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                up = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*up, *([base] if base else [])])
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call):
            function = node.func
            called = getattr(function, "attr", getattr(function, "id", ""))
            if called in ("import_module", "__import__") and node.args:
                first = node.args[0]
                found.add(first.value if isinstance(first, ast.Constant) else "?")
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(source))
    return found


def imports_of(path, **options):
    package = module_of(path) if path.name == "__init__.py" else module_of(path).rpartition(".")[0]
    return imports(path.read_text("utf-8"), package, **options)


def within(names, *roots):
    """Those of `names` that are one of the modules `roots` or inside one."""
    return {n for n in names for root in roots if n == root or n.startswith(root + ".")}


def test_the_reader_of_imports():
    source = """
import os.path, keras as k
from gan_core import losses
from . import hub
from ..a import b
def f():
    import tensorflow.math
    importlib.import_module("plotly")
if TYPE_CHECKING:
    from gan_core import config
else:
    from gan_core import bench
"""
    found = imports(source, package="pages.ui")
    assert found >= {
        "os.path",
        "keras",
        "gan_core.losses",
        "pages.ui.hub",
        "pages.a.b",
        "tensorflow.math",
        "plotly",
        "gan_core.bench",
    }
    assert "gan_core.config" not in found
    at_import = imports(source, package="pages.ui", skip_functions=True)
    assert "keras" in at_import and not within(at_import, "tensorflow", "plotly")
    assert within({"keras.layers", "kerastic", "gan_core"}, "keras") == {"keras.layers"}


def test_all_the_rooms_were_found():
    """Else the rules below would hold for nothing."""
    names = {name_of(path) for path in [*CORE, *SCREEN]}
    assert names >= {"app.py", "pages/playground.py", "pages/ui/figures.py", "pages/ui/liveplot/__init__.py"}
    core = ("config", "program", "trainer", "paths", "worker", "client", "hub", "lazy", "networks")
    assert names >= {f"gan_core/{m}.py" for m in core}


@each(CORE)
def test_gan_core_knows_no_screen(path):
    assert not within(imports_of(path), "streamlit", "plotly", "pages", "app")


@each([path for path in CORE if path.name != "worker.py"])
def test_gan_core_takes_tensorflow_through_lazy_only(path):
    assert not within(imports_of(path), *HEAVY)


def test_the_worker_imports_tensorflow_inside_a_function_only():
    worker = ROOT / "gan_core" / "worker.py"
    assert not within(imports_of(worker, skip_functions=True), *HEAVY)
    assert within(imports_of(worker), *HEAVY) == {"tensorflow"}


@each(CORE)
def test_gan_core_imports_what_is_slow_inside_functions_only(path):
    assert not within(imports_of(path, skip_functions=True), *SLOW)


@each([path for path in CORE if path.name != "lazy.py"])
def test_only_lazy_imports_by_a_computed_name(path):
    assert "?" not in imports_of(path)


@each(SCREEN)
def test_the_pages_know_no_tensorflow_and_no_plotly(path):
    assert not within(imports_of(path), *HEAVY, *SLOW, "plotly", "gan_core.lazy")


@each(UI)
def test_the_parts_of_a_page_know_no_page(path):
    allowed = within(imports_of(path), "pages.ui") | {"pages"}
    assert within(imports_of(path), "pages", "app") <= allowed


@each([ROOT / "app.py", *SCRIPTS])
def test_pages_do_not_import_each_other(path):
    allowed = within(imports_of(path), "pages.ui") | {"pages"}
    assert within(imports_of(path), "pages", "app") <= allowed


@each([path for path in UI if path.name.endswith("figures.py")])
def test_figures_know_no_streamlit(path):
    assert not within(imports_of(path), "streamlit")


NEVER = {
    "architectures": [
        "gan_core.losses",
        "gan_core.penalties",
        "gan_core.trainer",
        "gan_core.lazy",
        "gan_core.networks",
    ],
    "networks": ["gan_core.losses", "gan_core.penalties", "gan_core.trainer", "gan_core.datasets"],
    "losses": ["gan_core.architectures", "gan_core.trainer"],
    "penalties": ["gan_core.architectures", "gan_core.trainer"],
    "optimizers": ["gan_core.architectures", "gan_core.trainer"],
    "program": ["threading", "subprocess", "os", "io", "gan_core.trainer", "gan_core.worker", "gan_core.views"],
    "trainer": [
        "threading",
        "subprocess",
        "socket",
        "pathlib",
        "os",
        "io",
        "gan_core.worker",
        "gan_core.views",
    ],
    "metrics": ["gan_core.trainer", "gan_core.worker"],
    "neighbour_metrics": ["gan_core"],
    "evaluation": ["gan_core.worker", "gan_core.views", "gan_core.lazy"],
    "history": ["gan_core.worker", "gan_core.views"],
    "views": ["gan_core.worker"],
    "scores": ["gan_core.worker", "gan_core.views"],
    "score_lab": ["gan_core.trainer", "gan_core.worker", "gan_core.lazy", "gan_core.classifier"],
    "inception": ["gan_core.trainer", "gan_core.worker", "gan_core.config", "gan_core.classifier"],
    "classifier": ["gan_core.trainer", "gan_core.worker", "gan_core.networks"],
    "image_metrics": ["gan_core.trainer", "gan_core.worker", "gan_core.lazy"],
    "pictures": ["gan_core.config", "gan_core.datasets", "gan_core.download", "gan_core.lazy", "gan_core.trainer"],
    "picture_files": ["gan_core.config", "gan_core.datasets", "gan_core.lazy", "gan_core.trainer"],
    "download": ["gan_core.config", "gan_core.datasets", "gan_core.trainer", "gan_core.worker"],
    "combinations": ["gan_core.config", "gan_core.trainer"],
    "recipes": ["gan_core.trainer", "gan_core.lazy"],
    "config": ["gan_core.trainer", "gan_core.worker", "gan_core.client"],
    "config_fields": ["gan_core.config", "gan_core.trainer", "gan_core.worker", "gan_core.client"],
    "datasets": ["gan_core.config", "gan_core.trainer", "gan_core.lazy", "gan_core.download"],
    "client": ["gan_core.worker", "gan_core.views", "gan_core.hub", "gan_core.trainer", "gan_core.scores"],
    "wire": ["gan_core"],
    "knobs": ["gan_core"],
    "run_reading": ["gan_core.worker", "gan_core.run_writing", "gan_core.runs"],
    "run_writing": ["gan_core.worker", "gan_core.runs"],
    "kept": ["gan_core"],
    "room": ["gan_core.run_writing", "gan_core.runs", "gan_core.config"],
    "runs": ["gan_core.worker"],
    "paths": ["gan_core.trainer", "gan_core.worker"],
}


@pytest.mark.parametrize("module", NEVER)  # a file that moved takes its row along
def test_what_a_module_never_imports(module):
    assert not within(imports_of(ROOT / "gan_core" / f"{module}.py"), *NEVER[module])


def test_the_server_never_loads_tensorflow():
    """All that the pages import, and a run without a worker, in a process of its own."""
    wanted = {module_of(path) for path in UI}
    for path in SCREEN:
        wanted |= {name for name in within(imports_of(path), "gan_core") if is_module(name)}
    assert {"gan_core.client", "gan_core.hub", "pages.ui.controls"} <= wanted
    code = f"""
import importlib, sys
for name in {sorted(wanted)!r}:
    importlib.import_module(name)
from gan_core.client import Run
from gan_core.config import GANConfig
snapshot = Run(GANConfig.from_flat({{}})).snapshot()
assert snapshot.data.points.shape[1] == 2
print("loaded:", [name for name in {HEAVY + SLOW!r} if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert done.stdout.strip().splitlines()[-1] == "loaded: []"


def test_the_first_page_waits_for_neither_pandas_nor_scipy():
    """Streamlit and SciPy's users import them later: by then the buttons are there."""
    code = "import sys, pages.ui.live; sys.exit(', '.join({'pandas', 'scipy'} & set(sys.modules)) or 0)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]


def is_module(name):
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()
