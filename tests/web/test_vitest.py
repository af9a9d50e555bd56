"""The browser package's own tests, where node and its packages are there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from runtime.model import RELEASED
from runtime.recognizer import Recognizer
from tests.web import make_tracking

ROOT = Path(__file__).parent.parent.parent
WEB = ROOT / "web"
LONGEST_S = 1800  # on a busy machine
OLDEST_NODE = 20  # of vitest 4


def npm(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["npm", *arguments],
        cwd=WEB,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


def faces_of_the_portrait() -> str:
    """What Python finds in the demo portrait with the files that the browser runs, as JSON."""
    with Recognizer(RELEASED / "edge_int8.tflite", "ferkit") as recognize:
        faces = recognize(ROOT / "demo" / "astronaut.jpg")
    names = ("box", "label", "confidence", "scores")
    fields = [{name: getattr(face, name) for name in names} for face in faces]
    return json.dumps(fields, default=np.ndarray.tolist)


@pytest.fixture(scope="module")
def built() -> None:
    """The package and the page, built from the models of this checkout."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip(f"needs node {OLDEST_NODE} or newer and npm: apt-get install nodejs npm")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        pytest.skip(f"needs node {OLDEST_NODE} or newer, got {version}")
    if not (WEB / "node_modules" / ".package-lock.json").is_file():
        pytest.skip("needs the packages of web/package-lock.json: cd web && npm ci")
    run = npm("run", "build", "--", "--site", "../build/web")
    assert run.returncode == 0, run.stdout + run.stderr


def test_types_fit(built: None) -> None:
    run = npm("run", "check")
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_test_of_the_package_passes(built: None) -> None:
    run = npm("test", FERKIT_FACES_IN_PYTHON=faces_of_the_portrait())
    assert run.returncode == 0, (run.stdout + run.stderr)[-6000:]


def test_the_package_is_small(built: None) -> None:
    unpacked = json.loads(npm("pack", "--dry-run", "--json").stdout)[0]["unpackedSize"]
    assert unpacked <= 15_000_000


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []


def test_what_the_tracker_is_held_to_is_what_python_does() -> None:
    recorded = json.loads(make_tracking.PATH.read_text(encoding="utf-8"))
    made = make_tracking.make_tracking()
    assert recorded["detections"] == made["detections"]
    for before, now in zip(recorded["frames"], made["frames"], strict=True):
        assert [track["id"] for track in before["tracks"]] == [track["id"] for track in now["tracks"]]
        for old, new in zip(before["tracks"], now["tracks"], strict=True):
            assert old["box"] == pytest.approx(new["box"], abs=0.01)
