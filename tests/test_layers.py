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
    """gan_core/objectives/losses.py -> gan_core.objectives.losses"""
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
    assert names >= {
        "app.py",
        "pages/playground.py",
        "pages/ui/figures/point_figures.py",
        "pages/ui/components/liveplot.py",
    }
    core = ("settings/config", "training/train_step", "training/compilation", "serving/worker", "serving/client")
    assert names >= {f"gan_core/{m}.py" for m in (*core, "foundations/lazy_imports", "networks/keras_models")}


@each([path for path in CORE if path.name != "worker.py"])
def test_gan_core_takes_tensorflow_through_lazy_only(path):
    assert not within(imports_of(path), *HEAVY)


def test_the_worker_imports_tensorflow_inside_a_function_only():
    worker = ROOT / "gan_core" / "serving" / "worker.py"
    assert not within(imports_of(worker, skip_functions=True), *HEAVY)
    assert within(imports_of(worker), *HEAVY) == {"tensorflow"}


@each(CORE)
def test_gan_core_imports_what_is_slow_inside_functions_only(path):
    assert not within(imports_of(path, skip_functions=True), *SLOW)


@each([path for path in CORE if path.name != "lazy_imports.py"])
def test_only_lazy_imports_by_a_computed_name(path):
    assert "?" not in imports_of(path)


@each(SCREEN)
def test_the_pages_know_no_tensorflow_and_no_plotly(path):
    assert not within(imports_of(path), *HEAVY, *SLOW, "plotly", "gan_core.foundations.lazy_imports")


@each([path for path in UI if path.parent.name == "figures"])
def test_figures_know_no_streamlit(path):
    assert not within(imports_of(path), "streamlit")


def test_each_room_imports_only_what_it_may():
    """The contracts are in pyproject.toml."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_two_modules_share_a_name():
    """`run_reading` and not `reading`: a module's name says what it is wherever it is read."""
    names = [path.stem for path in [*CORE, *UI] if path.name != "__init__.py"]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_the_server_never_loads_tensorflow():
    """All that the pages import, and a run without a worker, in a process of its own."""
    wanted = {module_of(path) for path in UI}
    for path in SCREEN:
        wanted |= {name for name in within(imports_of(path), "gan_core") if is_module(name)}
    assert {"gan_core.serving.client", "gan_core.serving.hub", "pages.ui.run.settings_panel"} <= wanted
    code = f"""
import importlib, sys
for name in {sorted(wanted)!r}:
    importlib.import_module(name)
from gan_core.serving.client import Run
from gan_core.settings.config import GANConfig
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
    code = "import sys, pages.ui.run.run_page; sys.exit(', '.join({'pandas', 'scipy'} & set(sys.modules)) or 0)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]


def is_module(name):
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


MOST_LINES = 350  # five screens


@each([*CORE, *SCREEN])
def test_a_file_is_five_screens_at_most(path):
    assert len(path.read_text("utf-8").splitlines()) <= MOST_LINES
