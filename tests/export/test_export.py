"""The export: every file opened, compared, described and written again byte for byte, or left out by name."""

import hashlib
import json
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("ai_edge_litert")

import keras
import onnx

from dataset.fer2013 import LABELS, OFFICIAL_SHA256, Dataset
from export import card, onnx_file, tflite_file
from export.__main__ import main
from export.convert import read_ranges
from export.one_file import (
    ExportError,
    Outcome,
    export,
    file_names,
    is_recurrent,
    keras_scores,
    merged,
    ranges_for,
    release,
    stored_measurements,
    training_faces,
)
from export.parity import Parity, compare, faults
from export.parity_faces import parity_faces
from runtime.command.verify import verify
from runtime.engines import ENGINES, ENGINES_OF_SUFFIX
from runtime.model import load_model
from runtime.model_file import read_contents
from tests.support.tflite_support import displayed
from train.models import MODELS

ROOT = Path(__file__).resolve().parents[2]
TINY_FILES = [
    "tiny_fp32.tflite",
    "tiny_fp16.tflite",
    "tiny_dynamic.tflite",
    "tiny_int8.tflite",
    "tiny_int8_io.tflite",
    "tiny_fp32.onnx",
    "tiny_fp16.onnx",
    "tiny_int8.onnx",
]
PORTRAIT, DRAWN = 3, 6  # the two labels that the tiny nets learn


def fitted(features, faces, name):
    """A net of the given features that has learned to tell the portrait's crops from drawn faces.

    Untrained nets are unsure about every face, and a quantized one then flips more labels than a real one.
    """
    scores = keras.layers.Dense(7, activation="softmax", name="scores")(features)
    model = keras.Model(faces, scores, name=name)
    model.compile(keras.optimizers.Adam(0.02), "categorical_crossentropy")
    targets = np.eye(7, dtype="float32")[[PORTRAIT, DRAWN] * 120]
    model.fit(parity_faces(240, seed=2).astype("float32"), targets, batch_size=60, epochs=20, verbose=0)
    return model


def pixels():
    faces = keras.Input((48, 48, 1), name="faces")
    return faces, keras.layers.Rescaling(1 / 255)(faces)


def convolutional(name="tiny"):
    keras.utils.set_random_seed(0)
    faces, x = pixels()
    x = keras.layers.Conv2D(8, 5, strides=3, activation="relu")(x)
    x = keras.layers.MaxPooling2D(3)(x)
    x = keras.layers.Dense(32, activation="relu")(keras.layers.Flatten()(x))
    return fitted(x, faces, name)


def recurrent(name="rows", *, hidden=False, overflowing=False):
    """A net that reads rows.

    hidden: its LSTM stands inside an inner model, where the export does not see it and leaves its loop.
    overflowing: weights of the rows beyond float16's largest number, 65,504, undone in the next layer.
    """
    keras.utils.set_random_seed(0)
    faces, x = pixels()
    x = keras.layers.Reshape((48, 48))(x)
    x = keras.layers.Dense(8, activation="relu", name="rows")(x)
    lstm = keras.layers.LSTM(16, name="lstm")
    x = keras.Sequential([keras.Input((48, 8)), lstm])(x) if hidden else lstm(x)
    model = fitted(x, faces, name)
    if overflowing:
        rows, factor = model.get_layer("rows"), 2.0**22
        rows.set_weights([weights * factor for weights in rows.get_weights()])
        kernel, *others = lstm.get_weights()
        lstm.set_weights([kernel / factor, *others])
    return model


def made_dataset():
    """60 faces to measure ranges on, 20 for validation, 51 for the test; every fifth label is wrong, and the
    last test face repeats a training face."""
    faces = parity_faces(130, seed=2)
    labels = np.where(np.arange(130) % 5 == 4, 0, np.where(np.arange(130) % 2, DRAWN, PORTRAIT))
    return Dataset(
        faces=np.concatenate([faces, faces[:1]]),
        labels=np.append(labels, labels[0]),
        splits=np.repeat(["train", "validation", "test"], [60, 20, 51]),
        origins=range(2, 133),
        path=Path("made.csv"),
        sha256="5" * 64,
    )


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def scores_in(path, faces):
    return ENGINES[ENGINES_OF_SUFFIX[path.suffix][0]](path)(faces)


def interpreter_of(path):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    return interpreter


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The tiny convolutional net as a `.keras` file, alone in its folder."""
    path = tmp_path_factory.mktemp("models") / "tiny.keras"
    convolutional().save(path)
    return path


@pytest.fixture(scope="module")
def first(tiny, tmp_path_factory):
    """An export with a dataset, which measures ranges and accuracies: folder, outcomes, what was said."""
    out, said, told = tmp_path_factory.mktemp("first"), [], []
    outcomes = export(tiny, out, dataset=made_dataset(), record=True, announce=said.append, done=told.append)
    return out, outcomes, said, told


@pytest.fixture(scope="module")
def second(tiny, first, tmp_path_factory):
    """The export without a dataset, from what the first one stored beside the weights."""
    out, said = tmp_path_factory.mktemp("second"), []
    outcomes = export(tiny, out, dataset=None, announce=said.append)
    return out, outcomes, said


@pytest.fixture(scope="module")
def reference(tiny):
    """What Keras answers to the faces of parity."""
    return keras.saving.load_model(tiny).predict(parity_faces().astype("float32"), verbose=0)


# --- what is written ---------------------------------------------------------------------------------


def test_every_precision_is_written_with_its_card_and_nothing_else(first):
    out, outcomes, _, told = first
    assert [outcome.file for outcome in outcomes] == TINY_FILES
    assert told == outcomes
    assert [outcome.faults for outcome in outcomes] == [()] * 8
    assert sorted(path.name for path in out.iterdir()) == sorted(
        TINY_FILES + [f"{file}.json" for file in TINY_FILES]
    )


@pytest.mark.parametrize("file", TINY_FILES)
def test_a_file_is_opened_by_the_runtime_and_answers_as_keras_within_its_limit(first, reference, file):
    out, *_ = first
    model = load_model(out / file)
    assert model.labels == LABELS
    scores = model(parity_faces())
    gap = np.abs(scores - reference).max()
    agreement = (scores.argmax(axis=1) == reference.argmax(axis=1)).mean()
    if model.card["precision"] in ("fp32", "fp16"):
        assert gap <= {"fp32": 1e-4, "fp16": 1e-2}[model.card["precision"]]
    else:
        assert agreement >= 0.98
    assert model.card["parity"]["largest_gap"] == float(f"{gap:.2g}")
    assert model.card["parity"]["label_agreement"] == round(agreement, 4)


@pytest.mark.parametrize("file", TINY_FILES)
def test_the_card_describes_the_very_file(first, tiny, file):
    out, outcomes, *_ = first
    content = json.loads((out / f"{file}.json").read_text())
    assert content == next(outcome.card for outcome in outcomes if outcome.file == file)
    assert (content["file"], content["sha256"]) == (file, sha256(out / file))
    assert content["bytes"] == (out / file).stat().st_size
    assert (content["card_version"], content["model"], content["licence"]) == (1, "tiny", "not stated")
    assert content["precision"] == re.fullmatch(r"tiny_(\w+)\.\w+", file)[1]
    assert content["labels"] == ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
    assert content["input"]["range"] == [0, 255]
    assert (content["input"]["colour"], content["input"]["resize"]) == ("gray, BT.601 luma", "area")
    assert content["parity"]["reference"] == "tiny.keras"
    assert content["parity"]["reference_sha256"] == sha256(tiny)
    assert content["parity"]["faces"] == 600
    assert content["versions"]["keras"] == keras.__version__
    assert set(content["versions"]) == {"keras", "tensorflow"} | (
        {"tf2onnx", "onnx", "onnxruntime"} if file.endswith(".onnx") else set()
    )


@pytest.mark.parametrize("file", [file for file in TINY_FILES if file.endswith(".tflite")])
def test_the_card_of_a_tflite_file_gives_the_tensors_that_the_interpreter_sees(first, file):
    out, *_ = first
    content = json.loads((out / f"{file}.json").read_text())
    interpreter = interpreter_of(out / file)
    for side, details in (
        ("input", interpreter.get_input_details()),
        ("output", interpreter.get_output_details()),
    ):
        ((tensor,), described) = details, content[side]
        assert described["shape"] == tensor["shape"].tolist()
        assert described["dtype"] == np.dtype(tensor["dtype"]).name
        scale, zero_point = tensor["quantization"]
        if file == "tiny_int8_io.tflite":
            assert described["quantization"] == {"scale": scale, "zero_point": zero_point}
        else:
            assert (described["quantization"], scale) == (None, 0)
    (signature,) = interpreter.get_signature_list().values()
    assert signature == {"inputs": ["faces"], "outputs": ["scores"]}


def test_the_int8_input_of_a_file_is_the_gray_pixel_less_128(first):
    out, *_ = first
    (tensor,) = interpreter_of(out / "tiny_int8_io.tflite").get_input_details()
    assert (tensor["dtype"], tensor["quantization"]) == (np.int8, (1.0, -128))


def test_a_smaller_precision_is_smaller(first):
    out, *_ = first
    size = {file: (out / file).stat().st_size for file in TINY_FILES}
    assert size["tiny_fp16.tflite"] < 0.8 * size["tiny_fp32.tflite"]
    assert size["tiny_dynamic.tflite"] < 0.6 * size["tiny_fp32.tflite"]
    assert size["tiny_int8.tflite"] < 0.6 * size["tiny_fp32.tflite"]
    assert size["tiny_int8_io.tflite"] < 0.6 * size["tiny_fp32.tflite"]  # quantizes at its end as well
    assert size["tiny_fp16.onnx"] < 0.8 * size["tiny_fp32.onnx"]
    assert size["tiny_int8.onnx"] < 0.8 * size["tiny_fp32.onnx"]


@pytest.mark.parametrize("file", [file for file in TINY_FILES if file.endswith(".tflite")])
def test_a_tflite_file_has_batch_1_and_no_operator_but_tflites_own(first, file):
    out, *_ = first
    assert foreign_operators(out / file) == []
    content = tflite_file.read((out / file).read_bytes())
    (graph,) = content.subgraphs
    assert {graph.tensors[index].shape[0] for index in (*graph.inputs, *graph.outputs)} == {1}


def foreign_operators(path):
    """Operators that are no built-ins of TFLite (Select TF ops are custom ones), or keep a state."""
    from tensorflow.lite.python.schema_py_generated import BuiltinOperator

    names = {value: name for name, value in vars(BuiltinOperator).items() if not name.startswith("_")}
    codes = tflite_file.read(path.read_bytes()).operatorCodes
    assert codes
    used = [(names[max(code.builtinCode, code.deprecatedBuiltinCode)], code.customCode) for code in codes]
    keep_state = ("VAR_HANDLE", "ASSIGN_VARIABLE", "READ_VARIABLE", "UNIDIRECTIONAL_SEQUENCE_LSTM")
    return [(name, custom) for name, custom in used if custom or name in ("CUSTOM", *keep_state)]


@pytest.mark.parametrize("file", [file for file in TINY_FILES if file.endswith(".onnx")])
def test_an_onnx_file_has_a_free_batch_clean_names_and_the_facts_of_its_card(first, file):
    out, *_ = first
    model = onnx.load(out / file)
    (faces,), (scores,) = model.graph.input, model.graph.output
    assert (faces.name, scores.name) == ("faces", "scores")
    for value, tail in ((faces, [48, 48, 1]), (scores, [7])):
        batch, *rest = value.type.tensor_type.shape.dim
        assert (batch.dim_param, [dimension.dim_value for dimension in rest]) == ("n", tail)
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")) == 17
    assert {node.domain for node in model.graph.node} <= {"", "ai.onnx"}
    images = parity_faces(5, seed=9)
    one_by_one = [scores_in(out / file, images[number : number + 1])[0] for number in range(5)]
    np.testing.assert_allclose(scores_in(out / file, images), one_by_one, atol=1e-6)

    content = json.loads((out / f"{file}.json").read_text())
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    told = "card_version model precision description licence labels input output versions"
    assert set(metadata) == set(told.split())
    for key, value in metadata.items():
        assert (value if isinstance(content[key], str) else json.loads(value)) == content[key], key


@pytest.mark.parametrize("file", [file for file in TINY_FILES if file.endswith(".tflite")])
def test_a_tflite_file_says_of_itself_what_its_card_says(first, tiny, file):
    out, *_ = first
    content = json.loads((out / f"{file}.json").read_text())
    facts = read_contents((out / file).read_bytes(), ".tflite").facts
    assert facts == {
        "model": "tiny",
        "description": "A model trained with this kit.",
        "version": sha256(tiny)[:16],
        "licence": "not stated",
        "labels": content["labels"],
    }


def test_google_s_reader_reads_the_metadata_of_every_tflite_file(first, failed):
    paths = [first[0] / file for file in TINY_FILES if file.endswith(".tflite")]
    paths += [failed[0] / file for file in ("rows_fp32.tflite", "rows_dynamic.tflite")]
    for path, found in zip(paths, displayed(paths), strict=True):
        content = json.loads(Path(f"{path}.json").read_text())
        assert found["files"] == {"labels.txt": "".join(f"{label}\n" for label in LABELS)}
        assert found["parser"] == found["metadata"]["min_parser_version"] == "1.0.0"
        for name, fact in {"name": "model", "description": "description", "license": "licence"}.items():
            assert found["metadata"][name] == content[fact]
        (graph,) = found["metadata"]["subgraph_metadata"]
        (faces,), (scores,) = graph["input_tensor_metadata"], graph["output_tensor_metadata"]
        assert (faces["name"], scores["name"]) == ("faces", "scores")
        assert faces["content"]["content_properties"]["color_space"] == "GRAYSCALE"
        (unit,) = faces["process_units"]
        assert unit["options"] == {"mean": [0.0], "std": [1.0]}
        whole = [[-128.0], [127.0]] if path.name == "tiny_int8_io.tflite" else [[0.0], [255.0]]
        assert [faces["stats"]["min"], faces["stats"]["max"]] == whole


@pytest.mark.parametrize("file", TINY_FILES)
def test_verify_passes_what_was_exported(first, file):
    out, *_ = first
    assert {check.name: check.result for check in verify(out / file)} == {
        "file": "passed",
        "card": "passed",
        "sha256": "passed",
        "signature": "passed",
        "metadata": "passed",
        "golden": "not checked",
    }


# --- the same again ----------------------------------------------------------------------------------


@pytest.mark.parametrize("file", [name for file in TINY_FILES for name in (file, f"{file}.json")])
def test_another_export_without_the_dataset_is_byte_identical(first, second, file):
    assert (second[0] / file).read_bytes() == (first[0] / file).read_bytes()


def test_ranges_are_measured_once_and_stored_beside_the_weights(tiny, first, second):
    assert first[2] == [f"Measuring the ranges of {tiny} on 60 training faces ..."]
    assert second[2] == []
    stored = json.loads(tiny.with_suffix(".ranges.json").read_text())
    assert stored["weights_sha256"] == sha256(tiny)
    assert (stored["dataset_sha256"], stored["faces"]) == ("5" * 64, 60)
    for form in ("tflite", "onnx"):
        ranges = read_ranges(tiny.with_suffix(".ranges.json"), form)
        assert len(ranges) > 3
        assert all(low <= high for low, high in ranges.values())
        assert [ranges[name] for name in ranges if "faces" in name] == [(0.0, 255.0)]
        outputs = max(high for name, (low, high) in ranges.items() if high <= 1)
        assert outputs > 0.9  # of softmax


def test_ranges_of_other_weights_are_not_taken_without_a_dataset(tiny, first, tmp_path):
    other = tmp_path / "tiny.keras"
    other.write_bytes(tiny.read_bytes())
    with pytest.raises(ExportError, match=r"needs the ranges of its activations, and .* is missing"):
        export(other, tmp_path / "out", dataset=None)
    stored = json.loads(tiny.with_suffix(".ranges.json").read_text())
    other.with_suffix(".ranges.json").write_text(json.dumps(stored | {"weights_sha256": "0" * 64}))
    with pytest.raises(ExportError) as caught:
        export(other, tmp_path / "out", dataset=None)
    assert str(caught.value) == (
        f"{other}: int8 needs the ranges of its activations, and tiny.ranges.json has other weights'. "
        "Give the faces it was trained on: python -m export --data fer2013.csv"
    )
    assert list((tmp_path / "out").iterdir()) == []


# --- accuracy ----------------------------------------------------------------------------------------


def test_the_card_holds_the_accuracy_that_its_file_has_on_each_split(first):
    out, *_ = first
    dataset = made_dataset()
    for file in TINY_FILES:
        accuracy = json.loads((out / f"{file}.json").read_text())["accuracy"]
        assert (accuracy["dataset"], accuracy["dataset_sha256"]) == ("made.csv", "5" * 64)
        faces, labels = dataset.split("validation")
        right = scores_in(out / file, faces).argmax(axis=1) == labels
        assert accuracy["validation"] == right.mean()
        faces, labels = dataset.split("test")
        right = scores_in(out / file, faces).argmax(axis=1) == labels
        assert accuracy["test"] == right.mean()
        assert accuracy["test_without_duplicates"] == right[:-1].mean()
        assert 0.7 < right.mean() < 0.9  # every fifth label is wrong


def test_an_export_that_records_nothing_leaves_the_test_split_and_what_was_recorded_alone(
    tiny, first, tmp_path
):
    for suffix in (".keras", ".ranges.json"):
        shutil.copy(tiny.with_suffix(suffix), tmp_path)
    measured = json.loads(tiny.with_suffix(".measured.json").read_text())
    known, unknown = TINY_FILES[::2], TINY_FILES[1::2]
    for file in unknown:
        del measured["files"][sha256(first[0] / file)]
    (tmp_path / "tiny.measured.json").write_text(json.dumps(measured))
    dataset = made_dataset()
    dataset.faces[dataset.rows("test")] = 0  # would change every accuracy on it

    export(tmp_path / "tiny.keras", tmp_path / "out", dataset=dataset)

    for file in known:  # what was recorded of the same file stays in its card
        assert (tmp_path / "out" / f"{file}.json").read_bytes() == (first[0] / f"{file}.json").read_bytes()
    for file in unknown:
        accuracy = json.loads((tmp_path / "out" / f"{file}.json").read_text())["accuracy"]
        recorded = json.loads((first[0] / f"{file}.json").read_text())["accuracy"]
        assert accuracy["validation"] == recorded["validation"]
        assert not [key for key in accuracy if key.startswith("test")]
    assert json.loads((tmp_path / "tiny.measured.json").read_text()) == measured


def test_recorded_accuracies_stand_beside_the_weights_by_the_sha256_of_each_file(tiny, first):
    out, *_ = first
    recorded = json.loads(tiny.with_suffix(".measured.json").read_text())
    assert recorded["files"] == {
        sha256(out / file): json.loads((out / f"{file}.json").read_text())["accuracy"] for file in TINY_FILES
    }
    faces, labels = made_dataset().split("test")
    scores = keras.saving.load_model(tiny).predict(faces.astype("float32"), verbose=0)
    assert recorded["keras"]["test"] == (scores.argmax(axis=1) == labels).mean()


def test_an_unchanged_accuracy_keeps_the_day_it_was_measured_on_and_another_does_not():
    dataset = made_dataset()
    measured = {"validation": 0.6, "test": 0.5}
    stored = {"dataset": "made.csv", "dataset_sha256": "5" * 64, "measured": "2020-02-02", **measured}
    assert merged(measured, stored, dataset) == stored
    assert merged(None, stored, None) == stored
    assert merged(None, None, None) is None
    changed = merged({"validation": 0.6, "test": 0.4}, stored, dataset)
    assert changed == stored | {"test": 0.4, "measured": changed["measured"]}
    assert changed["measured"] > "2026"
    assert merged({"validation": 0.7}, stored, dataset) == stored  # the test split's is of that day
    del stored["test"]
    assert merged({"validation": 0.7}, stored, dataset)["measured"] > "2026"


def test_only_the_official_file_is_called_fer2013():
    whole = made_dataset()
    official = Dataset(
        whole.faces, whole.labels, whole.splits, whole.origins, whole.path, sha256=OFFICIAL_SHA256
    )
    assert merged({"test": 0.5}, None, official)["dataset"] == "FER2013"


def test_in_an_fp16_file_of_an_lstm_only_matrix_products_read_float16():
    # Other constants stored so are lost by XNNPACK in tflite-runtime 2.14.
    from tensorflow.lite.python.schema_py_generated import BuiltinOperator

    file = tflite_file.read(tflite_file.to_tflite(recurrent(), "fp16"))
    kinds = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in file.operatorCodes]
    names = {BuiltinOperator.DEQUANTIZE: "dequantize", BuiltinOperator.FULLY_CONNECTED: "product"}
    readers = []
    for graph in file.subgraphs:
        kind = [names.get(kinds[operator.opcodeIndex], "other") for operator in graph.operators]
        for number, operator in enumerate(graph.operators):
            if kind[number] == "dequantize":
                readers += [
                    kind[user]
                    for user in range(len(kind))
                    if operator.outputs[0] in graph.operators[user].inputs
                ]
    assert set(readers) == {"product"}


# --- what fails --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """`python -m export` of a net that breaks precisions in three ways, into a folder with old files."""
    folder = tmp_path_factory.mktemp("failing")
    weights, out = folder / "rows.keras", folder / "out"
    recurrent(hidden=True, overflowing=True).save(weights)
    ranges = {"weights_sha256": sha256(weights), "tflite": {}, "onnx": {}}
    weights.with_suffix(".ranges.json").write_text(json.dumps(ranges))
    out.mkdir()
    for old in (
        "rows_fp16.tflite",
        "rows_fp16.tflite.json",
        "rows_int8.tflite",
        "rows_fp32.onnx",
        "cnn.onnx",
    ):
        (out / old).write_text("old")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        printed, complained = Capture(), Capture()
        patch.setattr("sys.stdout", printed)
        patch.setattr("sys.stderr", complained)
        status = main([str(weights), "--out", str(out), "--no-data"])
    return out, status, printed.text, complained.text


class Capture:
    """A stream that keeps what is written, for a fixture that outlives one test."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text
        return len(text)

    def flush(self):
        pass

    def isatty(self):
        return False


def test_a_file_beyond_a_limit_is_removed_with_the_old_one_and_the_others_stay(failed):
    out, status, *_ = failed
    assert status == 1
    kept = ["rows_dynamic.tflite", "rows_fp32.onnx", "rows_fp32.tflite"]
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ["cnn.onnx", *kept, *(f"{file}.json" for file in kept)]
    )
    for file in kept:
        assert load_model(out / file).card["accuracy"] is None


def test_the_command_names_each_file_left_out_with_its_figure_and_limit(failed):
    out, _, printed, complained = failed
    for file in ("rows_fp16.tflite", "rows_fp16.onnx"):
        message = re.search(
            rf"^{re.escape(str(out / file))}: not kept: largest gap to Keras ([\d.]+), limit 0\.01\.$",
            complained,
            re.MULTILINE,
        )
        assert float(message[1]) > 0.5
        assert re.search(rf"{re.escape(file)} .* not kept ", printed)
    assert "Traceback" not in complained


def test_a_conversion_that_kills_its_process_is_reported_and_the_export_goes_on(failed):
    # TensorFlow 2.21 dies of a looped LSTM in int8.
    out, _, _, complained = failed
    for file in ("rows_int8.tflite", "rows_int8_io.tflite"):
        assert re.search(
            rf"^{re.escape(str(out / file))}: not kept: convert of \S+rows\.keras died of signal 11\.$",
            complained,
            re.MULTILINE,
        )


def test_a_conversion_that_raises_is_reported_with_its_last_words(failed):
    out, _, _, complained = failed
    assert f"{out / 'rows_int8.onnx'}: not kept: convert of " in complained
    assert re.search(r"rows_int8\.onnx: not kept: convert of \S+rows\.keras failed: \w+Error: ", complained)


def test_a_model_without_a_score_for_each_label_is_named(tmp_path):
    faces, x = pixels()
    scores = keras.layers.Dense(5, activation="softmax")(keras.layers.Flatten()(x))
    keras.Model(faces, scores).save(tmp_path / "five.keras")
    with pytest.raises(ExportError, match=r"five\.keras: expected 7 scores per face, .* of shape \(5,\)\."):
        keras_scores(tmp_path / "five.keras", {"parity": parity_faces(2)}, tmp_path)


@pytest.mark.parametrize("configuration", ["{}", "[]", '{"config": null}', '{"config": {"layers": [1]}}'])
def test_a_zip_that_holds_no_keras_model_is_named(tmp_path, configuration):
    with zipfile.ZipFile(tmp_path / "odd.keras", "w") as archive:
        archive.writestr("config.json", configuration)
    with pytest.raises(
        ExportError, match=r"odd\.keras: expected a \.keras file of Keras 3, got something else"
    ):
        is_recurrent(tmp_path / "odd.keras")


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", "null"])
def test_a_damaged_file_of_ranges_or_accuracies_beside_the_weights_is_named(tiny, tmp_path, content):
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
    assert capsys.readouterr().err == f"{tmp_path / 'out'}: can't be written or read: File exists.\n"
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


# --- recurrent nets ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rows():
    return recurrent()


def test_a_recurrent_net_has_no_int8_tflite_files_and_needs_no_ranges(rows, tmp_path):
    rows.save(tmp_path / "rows.keras")
    assert file_names(tmp_path / "rows.keras") == [
        "rows_fp32.tflite",
        "rows_fp16.tflite",
        "rows_dynamic.tflite",
        "rows_fp32.onnx",
        "rows_fp16.onnx",
        "rows_int8.onnx",
    ]
    ranges_for(tmp_path / "rows.keras", None, tmp_path, announce=pytest.fail)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "dynamic"])
def test_a_recurrent_tflite_file_loops_in_built_in_operators_and_answers_as_keras(rows, tmp_path, precision):
    path = tmp_path / "rows.tflite"
    path.write_bytes(tflite_file.to_tflite(rows, precision))
    assert foreign_operators(path) == []
    assert b"while" in path.read_bytes()
    check_recurrent(path, precision, rows)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_a_recurrent_onnx_file_has_one_lstm_the_only_one_quantized_and_answers_as_keras(
    rows, tmp_path, precision
):
    path = tmp_path / "rows.onnx"
    model = onnx_file.to_onnx(rows, precision)
    onnx.save(model, path)
    operators = [node.op_type for node in model.graph.node]
    assert operators.count("DynamicQuantizeLSTM" if precision == "int8" else "LSTM") == 1
    assert operators.count("MatMul") == 2
    assert not [operator for operator in operators if operator in ("Loop", "Scan", "MatMulInteger")]
    check_recurrent(path, precision, rows)


def check_recurrent(path, precision, model):
    faces = parity_faces(200, seed=5)
    scores = scores_in(path, faces)
    reference = model.predict(faces.astype("float32"), verbose=0)
    assert faults(precision, compare(scores, reference)) == []
    # No state between calls: in another order the answers are the same.
    np.testing.assert_allclose(scores_in(path, faces[::-1]), scores[::-1], atol=1e-6)


def test_names_in_an_onnx_file_do_not_depend_on_what_was_converted_before(rows):
    one, two = (onnx_file.to_onnx(rows, "int8").SerializeToString(deterministic=True) for _ in range(2))
    assert one == two


# --- ranges ------------------------------------------------------------------------------------------


def test_ranges_are_the_limits_of_each_group_of_faces_averaged_over_the_groups():
    # Four faces, two tensors, lowest and highest; groups of two.
    limits = np.array(
        [
            [[-1, 1], [0, 5]],
            [[-3, 2], [0, 1]],
            [[-1, 9], [2, 3]],
            [[-2, 4], [1, 8]],
        ],
        np.float32,
    )
    settled = tflite_file.settled(["b", "a"], limits, group=2)
    assert settled == {"a": (0.5, 6.5), "b": (-2.5, 5.5)}
    assert list(settled) == ["a", "b"]


def test_a_rest_of_faces_joins_a_group_and_few_faces_are_one():
    limits = np.arange(10, dtype=np.float32).reshape(5, 1, 2)  # lowest 0, 2, 4, 6, 8; highest 1, 3, 5, 7, 9
    assert tflite_file.settled(["x"], limits, group=2) == {"x": (3.0, 7.0)}  # faces 0-2 and 3-4
    assert tflite_file.settled(["x"], limits, group=50) == {"x": (0.0, 9.0)}


def test_one_extreme_face_of_a_thousand_hardly_widens_a_range():
    limits = np.tile(np.float32([0, 1]), (1000, 1, 1))
    limits[500, 0, 1] = 101
    assert tflite_file.settled(["x"], limits)["x"] == (0.0, 6.0)  # 1 + 100 / 20 groups


def test_int8_without_ranges_or_with_those_of_another_model_raises(tiny, first):
    model = keras.saving.load_model(tiny)
    for convert in (tflite_file.to_tflite, onnx_file.to_onnx):
        with pytest.raises(ValueError, match="needs the ranges of the activations"):
            convert(model, "int8")
    with pytest.raises(ValueError, match=r"the ranges are not this model's: .* is in one of the two only"):
        tflite_file.to_tflite(model, "int8", {"another": (0.0, 1.0)})


def test_wrong_ranges_make_a_file_that_misses_the_limit(tiny, first, reference, tmp_path):
    ranges = read_ranges(tiny.with_suffix(".ranges.json"), "tflite")
    narrow = {name: (low, high if "faces" in name else high / 50) for name, (low, high) in ranges.items()}
    path = tmp_path / "narrow.tflite"
    path.write_bytes(tflite_file.to_tflite(keras.saving.load_model(tiny), "int8", narrow))
    (fault,) = faults("int8", compare(scores_in(path, parity_faces()), reference))
    assert re.fullmatch(r"label agreement with Keras \d+\.\d\d%, limit 98%", fault)


def test_training_faces_are_spread_over_the_training_split_alone():
    dataset = made_dataset()
    np.testing.assert_array_equal(training_faces(dataset, 1000), dataset.faces[:60])
    np.testing.assert_array_equal(training_faces(dataset, 3), dataset.faces[[0, 29, 59]])


def test_every_model_of_the_kit_has_a_description_of_its_own():
    assert set(card.DESCRIPTIONS) == set(MODELS)
    assert len({*card.DESCRIPTIONS.values(), card.OWN}) == len(MODELS) + 1


def test_a_model_of_ones_own_gets_neither_the_released_models_words_nor_their_licence():
    ours = card.describe("cnn", "fp32", "tflite", list(LABELS), {}, released=True)
    own = card.describe("cnn", "fp32", "tflite", list(LABELS), {}, released=False)
    assert (ours["licence"], own["licence"]) == ("MIT", "not stated")
    assert "the study" in ours["description"]
    assert own["description"] == "A model trained with this kit."


# --- limits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("precision", "parity", "drop", "expected"),
    [
        ("fp32", Parity(600, 1e-4, 0.5), None, []),
        ("fp32", Parity(600, 1.01e-4, 1.0), None, ["largest gap to Keras 0.0001, limit 0.0001"]),
        ("fp16", Parity(600, 1e-2, 0.5), None, []),
        ("fp16", Parity(600, 0.0111, 1.0), None, ["largest gap to Keras 0.011, limit 0.01"]),
        ("dynamic", Parity(600, 1.0, 0.98), None, []),
        ("int8", Parity(600, 1.0, 0.98), 0.005, []),
        ("int8", Parity(600, 0.0, 0.9799), 0.0, ["label agreement with Keras 97.99%, limit 98%"]),
        ("int8_io", Parity(600, 0.0, 1.0), 0.0051, ["accuracy 0.51 points below Keras, limit 0.5"]),
        ("int8", Parity(600, 0.0, 1.0), -0.1, []),
        # 35 faces of somebody's own: one flipped label would be 97 %, and one face lost 3 points.
        ("int8", Parity(35, 1.0, 0.9), 0.1, []),
        ("fp32", Parity(35, 0.1, 1.0), None, ["largest gap to Keras 0.1, limit 0.0001"]),
    ],
)
def test_a_file_passes_up_to_its_limit_and_fails_beyond(precision, parity, drop, expected):
    assert faults(precision, parity, drop) == expected


def test_two_limits_missed_are_two_faults():
    assert len(faults("int8", Parity(600, 1.0, 0.5), 0.2)) == 2


def test_the_gap_is_the_largest_between_two_probabilities_and_labels_are_counted():
    reference = np.array([[0.7, 0.3], [0.4, 0.6]], np.float32)
    scores = np.array([[0.65, 0.35], [0.625, 0.375]], np.float32)
    parity = compare(scores, reference)
    assert parity == Parity(2, pytest.approx(0.225), 0.5)


def test_a_score_that_is_no_number_is_as_far_off_as_can_be():
    scores = np.array([[np.nan, 0.3]], np.float32)
    assert compare(scores, np.array([[0.7, 0.3]], np.float32)).largest_gap == 1.0


# --- the faces and the release -----------------------------------------------------------------------


def test_the_faces_of_parity_are_the_same_every_time_and_all_different():
    faces = parity_faces()
    assert (faces.shape, faces.dtype) == ((600, 48, 48, 1), np.uint8)
    np.testing.assert_array_equal(faces, parity_faces())
    np.testing.assert_array_equal(faces[:10], parity_faces(10))
    assert len(np.unique(faces, axis=0)) == 600
    assert faces.reshape(600, -1).std(axis=1).min() > 5


def test_a_release_copies_files_with_cards_and_refuses_what_was_not_kept(first, tmp_path):
    out, outcomes, *_ = first
    release(outcomes, ["tiny_int8.tflite"], out, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny_int8.tflite", "tiny_int8.tflite.json"]
    assert load_model(tmp_path / "tiny_int8.tflite").card["model"] == "tiny"
    with pytest.raises(ExportError, match=r"tiny_fp32\.onnx: expected to release it, but it was not kept"):
        release([Outcome("tiny_fp32.onnx", None, ("x",))], ["tiny_fp32.onnx"], out, tmp_path)


def test_versions_name_tensorflow_under_either_of_its_packages():
    found = card.versions_of("keras", "tensorflow", "no-such-package")
    assert found == {"keras": keras.__version__, "tensorflow": found["tensorflow"]}
    assert found["tensorflow"][0].isdigit()


# --- the released weights ----------------------------------------------------------------------------


def test_stored_ranges_are_as_accurate_as_ranges_measured_anew_on_other_training_faces(fer2013, tmp_path):
    weights = ROOT / "models" / "cnn.keras"
    stored = weights.with_suffix(".ranges.json")
    if not stored.exists():
        pytest.skip("needs models/cnn.ranges.json")
    model = keras.saving.load_model(weights, compile=False)
    train_faces, _ = fer2013.split("train")
    calibration = training_faces(fer2013, 1000)
    others = np.random.default_rng(0).choice(len(train_faces), 1000, replace=False)
    test_faces, test_labels = fer2013.split("test")
    assert not np.array_equal(train_faces[others], calibration)
    for form, module in (("tflite", tflite_file), ("onnx", onnx_file)):
        accuracies = []
        for ranges in (read_ranges(stored, form), module.measure_ranges(model, train_faces[others])):
            path = tmp_path / f"cnn_int8.{form}"
            if form == "tflite":
                path.write_bytes(tflite_file.to_tflite(model, "int8", ranges))
            else:
                onnx.save(onnx_file.to_onnx(model, "int8", ranges), path)
            right = scores_in(path, test_faces).argmax(axis=1) == test_labels
            accuracies.append(right.mean())
        assert abs(accuracies[0] - accuracies[1]) <= 0.005, (form, accuracies)
        assert min(accuracies) > 0.55, (form, accuracies)  # not two broken files that agree
