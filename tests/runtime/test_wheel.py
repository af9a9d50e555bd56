"""The wheel: what is in it, and that `ferkit` runs from it with numpy, OpenCV and one engine alone."""

import importlib.util
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import pytest

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
IMAGE = ROOT / "demo" / "astronaut.jpg"
LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]

# An engine's package: the files of the tests that it runs, and what stands beside it in site-packages.
ENGINES = {
    "ai_edge_litert": ("tiny_int8_io.tflite", ["ai_edge_litert"]),
    "onnxruntime": ("tiny_fp32.onnx", ["onnxruntime"]),
}


def setuptools_version():
    try:
        import setuptools
    except ImportError:
        return 0
    return int(setuptools.__version__.partition(".")[0])


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel, built without a network from a copy of what it is made of."""
    if setuptools_version() < 77:
        pytest.skip("building the wheel without a network needs setuptools 77 or newer here")
    copy, built = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("built")
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "runtime", copy / "runtime", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*command, "-w", str(built), str(copy)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def site(wheel, tmp_path_factory):
    """A folder with the wheel's content, numpy and OpenCV, and nothing else."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    for package in ("numpy", "cv2"):
        link_package(folder, package)
    return folder


def link_package(folder, package):
    """Put an installed package, with the libraries that came with it, into a folder."""
    origin = Path(importlib.util.find_spec(package).origin).parent
    for path in (origin, *origin.parent.glob("numpy.libs"), *origin.parent.glob("opencv_python*.libs")):
        if not (folder / path.name).exists():
            (folder / path.name).symlink_to(path, target_is_directory=True)


def ferkit(site, folder, *arguments):
    """Run `ferkit` in a process that sees the standard library and `site` alone."""
    code = f"import sys; sys.path.append({str(site)!r}); from ferkit.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-I", "-S", "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_the_wheel_holds_the_runtime_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (entry_points,) = [name for name in names if name.endswith("entry_points.txt")]
        assert "ferkit = ferkit.__main__:main" in archive.read(entry_points).decode()
        (metadata,) = [archive.read(name).decode() for name in names if name.endswith("/METADATA")]
    assert "# ferkit\n" in metadata and "](docs/" not in metadata
    assert wheel.name.endswith("-py3-none-any.whl")
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"ferkit"}
    modules = {str(path.relative_to(ROOT / "runtime")) for path in (ROOT / "runtime").rglob("*.py")}
    assert {name.removeprefix("ferkit/") for name in names if name.endswith(".py")} == modules
    assert {"ferkit/py.typed", "ferkit/golden.json", "ferkit/card.schema.json"} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    folder = ROOT / "runtime" / "models"
    released = {f"ferkit/models/{path.relative_to(folder)}" for path in folder.rglob("*.*")}
    assert {name for name in names if name.startswith("ferkit/models/")} == released


@pytest.mark.skipif(sys.platform == "win32", reason="links to folders need a privilege on Windows")
@pytest.mark.parametrize("engine", ENGINES)
def test_ferkit_runs_from_the_wheel_with_one_engine_alone(site, tmp_path, engine):
    if importlib.util.find_spec(engine) is None:
        pytest.skip(f"{engine} is not installed")
    model, packages = ENGINES[engine]
    with_engine = tmp_path / "site"
    shutil.copytree(site, with_engine, symlinks=True)
    for package in packages:
        link_package(with_engine, package)
    saved = tmp_path / "labelled.png"
    done = ferkit(
        with_engine, tmp_path, "run", IMAGE, "--model", DATA / model, "--detector", "haar",
        "--json", "-", "--save", saved,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (record,) = map(json.loads, done.stdout.splitlines())
    assert list(record["scores"]) == LABELS
    x, y, width, height = record["box"]
    assert 150 < x < 210 and 40 < y < 90 and 70 < width < 140 and 70 < height < 140
    assert cv2.imread(str(saved)).shape == (512, 512, 3)


@pytest.mark.skipif(sys.platform == "win32", reason="links to folders need a privilege on Windows")
def test_without_an_engine_ferkit_says_what_to_install(site, tmp_path):
    done = ferkit(site, tmp_path, "run", IMAGE, "--model", DATA / "tiny_fp32.tflite")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == "ferkit: Running tiny_fp32.tflite needs LiteRT: pip install ai-edge-litert\n"


@pytest.mark.skipif(sys.platform == "win32", reason="links to folders need a privilege on Windows")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_released_model_labels_an_image(site, tmp_path, engine):
    if importlib.util.find_spec(engine) is None:
        pytest.skip(f"{engine} is not installed")
    with_engine = tmp_path / "site"
    shutil.copytree(site, with_engine, symlinks=True)
    link_package(with_engine, engine)
    done = ferkit(with_engine, tmp_path, "run", IMAGE, "--detector", "haar", "--offline")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{IMAGE}: happy ")


@pytest.mark.parametrize("api", [True, False])
def test_without_opencv_a_line_says_what_to_install(wheel, tmp_path, api):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    link_package(tmp_path, "numpy")
    if api:
        code = f"import sys; sys.path.append({str(tmp_path)!r}); from ferkit import Recognizer"
        done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    else:
        done = ferkit(tmp_path, tmp_path, "run", IMAGE)
        assert done.returncode == 4
        assert done.stderr.count("\n") == 1
    assert "expected OpenCV, got none. pip install opencv-python, or" in done.stderr
