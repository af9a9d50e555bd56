"""The copies of released files in the wheel."""

import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("ai_edge_litert")

from export.errors import ExportError
from export.one_file import Outcome
from export.release import in_the_wheel, release
from runtime.model import RELEASED, load_model


def test_the_wheel_holds_the_files_that_the_table_of_models_names():
    files = [path for path in RELEASED.rglob("*") if path.suffix in (".tflite", ".onnx")]
    assert sorted(path.relative_to(RELEASED).as_posix() for path in files) == sorted(in_the_wheel())


def test_a_release_copies_files_with_their_cards(first, tmp_path):
    release(first.outcomes, ["tiny_int8.tflite"], first.out, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny_int8.tflite", "tiny_int8.tflite.json"]
    assert load_model(tmp_path / "tiny_int8.tflite").card["model"] == "tiny"
    with pytest.raises(ExportError, match=r"tiny_fp32\.onnx: expected to release it, but it was not kept"):
        release([Outcome("tiny_fp32.onnx", None, ("x",))], ["tiny_fp32.onnx"], first.out, tmp_path)
