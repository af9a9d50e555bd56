"""What an export does with models, files and folders that it can't take."""

import re
import zipfile

import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("ai_edge_litert")

import keras

from dataset.fer2013 import LABELS
from export.__main__ import main
from export.accuracy import stored_measurements
from export.errors import ExportError
from export.keras_file import is_recurrent, keras_scores
from export.parity_faces import parity_faces
from export.ranges import ranges_for
from runtime.model import load_model
from tests.support.tiny_nets import pixels


def test_a_file_that_misses_a_limit_is_not_kept(failed):
    assert failed.status == 1
    kept = ["rows_dynamic.tflite", "rows_fp32.onnx", "rows_fp32.tflite"]
    assert sorted(path.name for path in failed.out.iterdir()) == sorted(
        ["cnn.onnx", *kept, *(f"{file}.json" for file in kept)]
    )
    for file in kept:
        assert load_model(failed.out / file).card["accuracy"] is None


def test_the_command_says_why_a_file_is_not_kept(failed):
    for file in ("rows_fp16.tflite", "rows_fp16.onnx"):
        message = re.search(
            rf"^{re.escape(str(failed.out / file))}: not kept: largest gap to Keras ([\d.]+), limit 0\.01\.$",
            failed.complained,
            re.MULTILINE,
        )
        assert float(message[1]) > 0.5
        assert re.search(rf"{re.escape(file)} .* not kept ", failed.printed)
    assert "Traceback" not in failed.complained


def test_the_export_goes_on_after_a_conversion_that_kills_its_process(failed):
    # TensorFlow 2.21 dies of a looped LSTM in int8.
    for file in ("rows_int8.tflite", "rows_int8_io.tflite"):
        assert re.search(
            rf"^{re.escape(str(failed.out / file))}: not kept: convert died of signal 11\.$",
            failed.complained,
            re.MULTILINE,
        )


def test_the_error_of_a_conversion_is_reported(failed):
    assert re.search(r"rows_int8\.onnx: not kept: convert failed: \w+Error: ", failed.complained)


def test_a_model_with_another_number_of_scores_is_refused(tmp_path):
    faces, x = pixels()
    scores = keras.layers.Dense(5, activation="softmax")(keras.layers.Flatten()(x))
    keras.Model(faces, scores).save(tmp_path / "five.keras")
    with pytest.raises(ExportError, match=r"five\.keras: expected 7 scores per face, .* of shape \(5,\)\."):
        keras_scores(tmp_path / "five.keras", LABELS, {"parity": parity_faces(2)}, tmp_path)


@pytest.mark.parametrize("configuration", ["{}", "[]", '{"config": null}', '{"config": {"layers": [1]}}'])
def test_a_zip_without_a_keras_model_is_refused(tmp_path, configuration):
    with zipfile.ZipFile(tmp_path / "odd.keras", "w") as archive:
        archive.writestr("config.json", configuration)
    with pytest.raises(
        ExportError, match=r"odd\.keras: expected a \.keras file of Keras 3, got something else"
    ):
        is_recurrent(tmp_path / "odd.keras")


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", "null"])
def test_a_damaged_file_beside_the_weights_is_named(tiny, tmp_path, content):
    weights = tmp_path / "tiny.keras"
    weights.write_bytes(tiny.read_bytes())
    for suffix, read in (
        (".ranges.json", lambda: ranges_for(weights, None, tmp_path, print)),
        (".measured.json", lambda: stored_measurements(weights)),
    ):
        weights.with_suffix(suffix).write_text(content)
        with pytest.raises(ExportError, match=rf"tiny\{suffix}: expected JSON with '\w+', .* Delete it"):
            read()


def test_a_file_in_the_place_of_the_folder_is_named(tiny, tmp_path, capsys):
    (tmp_path / "out").write_text("mine")
    assert main([str(tiny), "--no-data", "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err == f"{tmp_path / 'out'}: can't be read or written: File exists.\n"
    assert (tmp_path / "out").read_text() == "mine"


def test_what_is_no_keras_file_is_named(tmp_path, capsys):
    assert main([str(tmp_path / "none.keras"), "--no-data"]) == 1
    assert capsys.readouterr().err == (
        f"{tmp_path / 'none.keras'}: expected a .keras file, got none. To train one: make train\n"
    )
    (tmp_path / "text.keras").write_text("text")
    assert main([str(tmp_path / "text.keras"), "--no-data", "--out", str(tmp_path / "out")]) == 1
    message = capsys.readouterr().err
    assert str(tmp_path / "text.keras") in message
    assert "Traceback" not in message
