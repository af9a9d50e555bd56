"""`ferkit run` on a tiny model, with small images and videos, in this process or in one of its own."""

import os
import subprocess
import sys
from pathlib import Path

import cv2

from runtime.command.open_source import open_source

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "tests" / "data" / "tiny_fp32.onnx"
IMAGE = ROOT / "demo" / "astronaut.jpg"
ENGINE = ["--engine", "opencv", "--detector", "haar"]
RUN = ["--model", str(MODEL), *ENGINE]


def small_portrait():
    """Returns the face of the demo's image, 160 pixels square: small, so that Haar is quick."""
    return cv2.resize(cv2.imread(str(IMAGE))[20:220, 120:320], (160, 160), interpolation=cv2.INTER_AREA)


def frames_of(path):
    """Returns the frames of a video, and its frame rate."""
    with open_source(path) as source:
        return [frame.pixels for frame in source], source.frame_rate


def separate(*arguments, **keywords):
    """Runs ferkit in a process of its own to its end."""
    return subprocess.run(
        [sys.executable, "-m", "runtime", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, **keywords,
    )  # fmt: skip


def start(*arguments):
    """Starts ferkit in a process of its own."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "runtime", *map(str, arguments)],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def read_on(process):
    """Returns the rest of a process's output and errors, with what `readline` has buffered."""
    rest, err = process.stdout.read(), process.stderr.read()
    process.wait(timeout=60)
    process.stdout.close()
    process.stderr.close()
    return rest, err
