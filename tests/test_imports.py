"""Who may import whom: the table of ARCHITECTURE.md, read from the source and tried without TensorFlow."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# A folder: what it may import of the project besides itself.
ALLOWED = {
    "reporting": (),
    "runtime": (),
    "dataset": ("reporting",),
    "train": ("dataset", "reporting"),
    "benchmarks": ("dataset", "runtime", "reporting"),
    "export": ("dataset", "train", "runtime", "reporting"),
    "study": ("dataset", "train", "export", "reporting"),
    "demo": ("runtime",),
    "docs": ("reporting",),
    "android": (),
}
ENGINES = {"ai_edge_litert", "tflite_runtime", "onnxruntime"}
ARCHIVES = {"ray", "pyarrow"}  # in the runtime of `ferkit label` alone
# Packages of the trainer and the exporter: too large for a Pi, and slow to import.
HEAVY = {
    "tensorflow",
    "keras",
    "torch",
    "jax",
    "tf2onnx",
    "onnx",
    "sklearn",
    "matplotlib",
    "pandas",
    *ENGINES,
    *ARCHIVES,
}


def files_of(folder):
    return sorted((ROOT / folder).rglob("*.py"))


def imports_of(path, *, at_import=False):
    """The modules that a file imports, absolute names, relative ones with their dots.

    `at_import` leaves out those inside functions and under `if TYPE_CHECKING`.
    """
    found = []

    def visit(node):
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            found.extend(_module_of(base, node, alias.name) for alias in node.names)
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if at_import and (
            is_function or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
        ):
            return
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def _module_of(base, node, name):
    """Returns the module that an import names: of `from . import x` the module is `.x`."""
    if node.level and node.module:
        return base
    return f"{base}{name}" if node.level else f"{base}.{name}"


def top(module):
    return module.partition(".")[0]


@pytest.mark.parametrize("folder", ALLOWED)
def test_a_folder_imports_no_more_of_the_project_than_the_table_allows(folder):
    ours = {*ALLOWED, "tests"} - {folder}
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files_of(folder)
        for module in imports_of(path)
        if top(module) in ours
        and not any(f"{module}.".startswith(f"{allowed}.") for allowed in ALLOWED[folder])
    ]
    assert files_of(folder)
    assert wrong == []


def test_runtime_names_itself_by_relative_imports_only():
    wrong = [
        path.name
        for path in files_of("runtime")
        for module in imports_of(path)
        if top(module) in ("runtime", "ferkit")
    ]
    assert wrong == []


# A folder of the runtime: the folders of it whose modules it never imports. `__main__.py` starts the command.
BELOW = {
    "": ("command", "drawing", "label"),
    "detectors": ("command", "drawing", "label"),
    "model_file": ("command", "drawing", "label"),
    "drawing": ("command", "label"),
}


def test_only_the_arguments_of_the_command_know_how_archives_are_labelled():
    importing = {
        path.name
        for path in (ROOT / "runtime" / "command").glob("*.py")
        if any(f"{module}.".startswith("..label.") for module in imports_of(path))
    }
    assert importing == {"cli.py"}


@pytest.mark.parametrize("folder", BELOW)
def test_inside_the_runtime_imports_go_downwards_only(folder):
    paths = [path for path in sorted((ROOT / "runtime" / folder).glob("*.py")) if path.name != "__main__.py"]
    up = "." * (2 if folder else 1)
    forbidden = tuple(f"{up}{above}" for above in BELOW[folder])
    wrong = [
        f"{path.name} imports {module}"
        for path in paths
        for module in imports_of(path)
        if f"{module}.".startswith(tuple(f"{name}." for name in forbidden))
    ]
    assert paths
    assert wrong == []


def test_runtime_needs_numpy_and_opencv_and_engines_inside_functions_only():
    known = {"numpy", "cv2", "", *sys.stdlib_module_names}
    for path in files_of("runtime"):
        assert {top(module) for module in imports_of(path, at_import=True)} <= known, path
        inside = ARCHIVES if path.parent.name == "label" else ENGINES
        assert {top(module) for module in imports_of(path)} <= known | inside, path


@pytest.mark.parametrize("folder", ["benchmarks", "demo", "reporting", "dataset"])
def test_a_folder_that_runs_on_a_pi_imports_nothing_heavy(folder):
    for path in files_of(folder):
        assert {top(module) for module in imports_of(path, at_import=True)} & HEAVY == set(), path


# TensorFlow in an operation for which other backends have Keras's own, JAX to connect processes.
BACKENDS_OF = {"precision.py": {"tensorflow"}, "distribution.py": {"jax"}}


def test_train_names_no_backend_but_in_two_modules():
    for path in files_of("train"):
        allowed = BACKENDS_OF.get(path.name, set())
        assert {top(module) for module in imports_of(path)} & {"tensorflow", "torch", "jax"} == allowed, path
        assert not {top(module) for module in imports_of(path, at_import=True)} & {"tensorflow", "jax"}, path


@pytest.mark.parametrize("path", files_of("dataset"), ids=lambda path: path.stem)
def test_the_data_is_read_without_keras(path):
    known = {"numpy", "cv2", "dataset", "reporting", "", *sys.stdlib_module_names}
    assert {top(module) for module in imports_of(path, at_import=True)} <= known
    inside = {"sklearn"} if path.name == "ferplus.py" else set()  # a regression fitted in one function
    assert {top(module) for module in imports_of(path)} & HEAVY == inside


def test_whether_fer2013_is_there_can_be_said_by_python_alone():
    imported = imports_of(ROOT / "dataset" / "locate.py")
    assert {top(module) for module in imported} <= set(sys.stdlib_module_names)


TRY_WITHOUT_TENSORFLOW = """
import importlib, importlib.abc, sys

BLOCKED = {blocked!r}

class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ImportError(f"blocked: {{name}}")

sys.meta_path.insert(0, Block())
for module in {modules!r}:
    importlib.import_module(module)
print("imported", {count})
"""


@pytest.mark.parametrize("folder", ["runtime", "benchmarks", "reporting", "dataset"])
def test_every_module_imports_where_tensorflow_and_the_engines_are_missing(folder):
    paths = [path for path in files_of(folder) if path.name != "__main__.py"]
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]
    code = TRY_WITHOUT_TENSORFLOW.format(blocked=sorted(HEAVY), modules=modules, count=len(modules))
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == f"imported {len(modules)}\n", done.stderr
    assert len(modules) > 1


def test_every_folder_is_a_package():
    """tf2onnx installs top-level packages called `tests`, `tools` and `examples` that would win otherwise."""
    assert [folder for folder in [*ALLOWED, "tests"] if not (ROOT / folder / "__init__.py").is_file()] == []
