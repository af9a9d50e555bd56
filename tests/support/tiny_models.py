"""Tiny model files with their cards, as the export writes them, and what `ferkit verify` finds."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from runtime.card import card_path
from runtime.command.verify import verify
from runtime.engines import ENGINES_OF_SUFFIX, is_installed

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
WEIGHTS = "0123456789abcdef" * 4
CHECKS = ["file", "card", "sha256", "signature", "metadata", "golden"]
FILES = ["tiny_fp32.tflite", "tiny_int8_io.tflite", "tiny_fp32.onnx"]


def has_engine(path):
    return any(is_installed(engine) for engine in ENGINES_OF_SUFFIX[path.suffix] if engine != "opencv")


def artifact(name, folder):
    """A tiny model with its card's facts inside, and its card, as the export writes them."""
    path = Path(shutil.copy(DATA / name, folder))
    card = json.loads(card_path(DATA / name).read_text(encoding="utf-8"))
    if path.suffix == ".tflite":
        pytest.importorskip("flatbuffers", reason="writing metadata needs flatbuffers")
        from export import tflite_metadata as metadata

        metadata.embed(path, card, WEIGHTS)
    else:
        pytest.importorskip("onnx", reason="writing metadata needs onnx")
        from export.card import embed

        told = "card_version model precision description licence labels input output versions"
        embed(path, {key: card[key] for key in told.split()})
    card["parity"]["reference_sha256"] = WEIGHTS
    write_card(path, card)
    return path


def write_card(path, card):
    """A card that fits the bytes of the file, whatever else it says."""
    data = path.read_bytes()
    card |= {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    card_path(path).write_text(json.dumps(card), encoding="utf-8")


def changed(path, change):
    """The file, its card changed."""
    card = json.loads(card_path(path).read_text(encoding="utf-8"))
    change(card)
    write_card(path, card)
    return path


def results(path):
    return {check.name: check.result for check in verify(path)}


def found(path, name):
    (check,) = [check for check in verify(path) if check.name == name]
    return check.found
