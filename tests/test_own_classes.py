"""The way of docs/own-classes.md: from photographs of two classes to a model that labels new ones rightly."""

import json
import os
import re
import shlex
import subprocess
import sys

import cv2
import numpy as np
import pytest

from tests.support.pages import ROOT
from tests.support.photos import photo, write_photos
from tests.support.yunet import find_yunet

PAGE = (ROOT / "docs" / "own-classes.md").read_text(encoding="utf-8")
EACH = 30  # photographs of a class


def commands_of_the_way():
    """The page's commands, in order, as lists of words."""
    block = re.search(r"<!-- way:start -->\n```bash\n(.*?)```", PAGE, re.DOTALL)[1]
    return [shlex.split(line, comments=True) for line in block.splitlines()]


def run(words, folder):
    """Runs a command of the page in a folder, with this Python and this checkout."""
    words = ["python", "-m", "runtime", *words[1:]] if words[0] == "ferkit" else words
    environment = os.environ | {"PYTHONPATH": str(ROOT), "FERKIT_YUNET": str(find_yunet())}
    return subprocess.run(
        [sys.executable, *words[1:]], cwd=folder, capture_output=True, text=True, env=environment
    )


@pytest.mark.skipif(find_yunet() is None, reason="needs YuNet's file: FERKIT_YUNET=FILE")
def test_the_commands_of_the_page_lead_from_photographs_to_the_right_labels(tmp_path):
    for needed in ("keras", "tensorflow", "tf2onnx", "ai_edge_litert", "sklearn", "matplotlib"):
        pytest.importorskip(needed)
    write_photos(tmp_path / "photos", EACH)
    random = np.random.default_rng(9)
    new = {name: photo(name, random) for name in ("bare", "masked")}
    cv2.imwrite(str(tmp_path / "photo.jpg"), new["masked"])
    cv2.imwrite(str(tmp_path / "bare.jpg"), new["bare"])
    *way, last = commands_of_the_way()
    for words in way:
        done = run(words, tmp_path)
        assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}{done.stderr}"
    record = json.loads((tmp_path / "mine" / "edge_tiny.json").read_text())
    assert record["labels"] == ["bare", "masked"]
    assert record["scores"]["test"]["accuracy"] == 1
    card = json.loads((tmp_path / "mine" / "edge_tiny_int8.tflite.json").read_text())
    assert card["labels"] == ["bare", "masked"]
    assert card["output"]["shape"] == [1, 2]
    assert "masked" in run(last, tmp_path).stdout.split(":", 1)[1]
    assert " bare " in run(["bare.jpg" if word == "photo.jpg" else word for word in last], tmp_path).stdout
