"""The study: its networks, one row from faces to result, the command, the figures and the report."""

import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from dataset.fer2013 import OFFICIAL_SHA256
from dataset.locate import DatasetError
from study.__main__ import (
    RESULTS,
    Training,
    environment_of,
    is_done,
    last_words,
    log_to,
    main,
    parse,
    run_all,
    trainings_of,
)
from study.experiments import (
    FURTHER_ROWS,
    PRINTED,
    PRINTED_TEST_FACES,
    PRINTED_TRAIN_FACES,
    ROWS,
    Row,
    StudyError,
    dataset_of,
    network_of,
    settings,
)
from study.notes import Figures, fill
from study.report import IMAGES, QUESTIONS, read_results, title_of_tested, write_report
from study.statistics import interval, mcnemar, of_classes, read_result, right_answers, roc_curves

ROOT = Path(__file__).resolve().parents[2]
USAGE = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}


def keras_or_skip():
    pytest.importorskip("tensorflow")
    return pytest.importorskip("keras")


@pytest.fixture(scope="module")
def faces_csv(tmp_path_factory):
    """A CSV of drawn faces: 56 to train on, 14 for validation, 21 for the test.

    Labels in turn; in validation of two alone, so that a net with one answer isn't as good as in the test.
    """
    from export.parity_faces import drawn_face

    random = np.random.default_rng(5)
    lines = ["emotion,pixels,Usage"]
    for split, count in (("train", 56), ("validation", 14), ("test", 21)):
        for number in range(count):
            pixels = " ".join(map(str, drawn_face(random).ravel()))
            lines.append(f"{number % (2 if split == 'validation' else 7)},{pixels},{USAGE[split]}")
    path = tmp_path_factory.mktemp("faces") / "fer2013.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(autouse=True)
def without_the_real_data(monkeypatch):
    for variable in ("FER2013", "FERPLUS"):
        monkeypatch.delenv(variable, raising=False)


# --- the networks ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def networks():
    keras_or_skip()
    from study.networks import NETWORKS

    built = {}  # rows that differ in their training alone share a network
    for row in ROWS.values():
        key = (row.network, str(row.options))
        if key not in built:
            built[key] = NETWORKS[row.network](**row.options)
    return {name: built[row.network, str(row.options)] for name, row in ROWS.items()}


def test_every_row_has_a_network_with_the_kits_signature(networks):
    assert {network.input_shape for network in networks.values()} == {(None, 48, 48, 1)}
    assert {network.output_shape for network in networks.values()} == {(None, 7)}


def test_parameters_are_those_that_the_rows_promise(networks):
    count = {name: network.count_params() for name, network in networks.items()}
    assert count["2"] == 1_113_095
    assert count["4"] == count["9"] == count["16"] == 3_913_223
    assert count["LSTM"] == 48 * 64 + 64 + 4 * ((64 + 128) * 128 + 128) + 128 * 7 + 7 == 102_855
    assert abs(count["equal-parameters"] - count["LSTM"]) < 0.001 * count["LSTM"]
    # The dense layer in the LSTM's place has as many weights as it.
    assert abs(count["rows-dense"] - count["LSTM"]) < 0.02 * count["LSTM"]
    assert abs(count["conv-dense"] - count["conv-lstm"]) < 0.01 * count["conv-lstm"]


def test_rows_with_batch_normalisation_have_it_where_they_say(networks):
    def normalised(name):
        rectified = [layer for layer in networks[name].layers if "re_lu" in layer.name]
        return [type(layer.input._keras_history.operation).__name__ for layer in rectified]

    assert normalised("bn") == ["BatchNormalization"] * 6
    assert normalised("wide-bn") == ["BatchNormalization"] * 5
    assert normalised("bn-convolutions") == ["BatchNormalization"] * 4


@pytest.mark.parametrize(("raw", "rescaled"), [("wide-raw", "4"), ("17-raw", "17"), ("lstm-raw", "LSTM")])
def test_a_raw_row_is_its_row_on_pixels_that_are_not_rescaled(networks, raw, rescaled):
    networks[raw].set_weights(networks[rescaled].get_weights())
    faces = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 1)).astype("float32")
    scores = networks[raw].predict(faces / 255, verbose=0)
    np.testing.assert_allclose(scores, networks[rescaled].predict(faces, verbose=0), atol=1e-6)
    assert network_of(ROWS[raw]) == network_of(ROWS[rescaled]) != network_of(ROWS["wide-bn"])


def test_a_row_with_kerass_defaults_is_its_row_but_for_these(networks):
    own, other = (settings(ROWS[row], seed=0) for row in ("wide-defaults", "4"))
    assert own.pop("options") == other.pop("options") | {"initializer": "glorot_uniform", "padding": "valid"}
    assert own | {"epochs": other["epochs"]} == other  # row 4's are more than those of its trials
    assert network_of(ROWS["wide-defaults"]) != network_of(ROWS["4"])
    first, *_ = [layer for layer in networks["wide-defaults"].layers if "conv" in layer.name]
    assert first.output.shape == (None, 46, 46, 64)
    dense = networks["wide-defaults"].get_layer(index=-3)
    # Glorot & Bengio 2010, equation 16; He's reach ten times as far in the first, twice in the dense layer.
    for kernel, units in ((first.kernel, 9 * (1 + 64)), (dense.kernel, 512 + 512)):
        assert 0.99 * np.sqrt(6 / units) < np.abs(np.array(kernel)).max() <= np.sqrt(6 / units)


def test_a_row_reader_on_pixels_with_recurrence_is_the_studys_cnn_lstm(networks):
    from study.networks import build_row_reader

    def shapes(network):
        return [weight.shape for weight in network.get_weights()]

    assert shapes(build_row_reader(recurrent=True)) == shapes(networks["LSTM"])


def test_a_shuffled_reader_answers_as_one_that_is_given_the_rows_in_that_order(networks):
    shuffled, reader = networks["lstm-shuffled"], networks["LSTM"]
    shuffled.set_weights(reader.get_weights())
    faces = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1)).astype("float32")
    order = np.random.default_rng(0).permutation(48)
    scores = shuffled.predict(faces, verbose=0)
    np.testing.assert_allclose(scores, reader.predict(faces[:, order], verbose=0), atol=1e-6)
    assert np.abs(scores - reader.predict(faces, verbose=0)).max() > 1e-3


def test_multiply_adds_are_counted_by_layer(networks):
    from study.networks import multiply_adds

    row_2 = 48 * 48 * 9 * 32 + 24 * 24 * 9 * 32 * 64 + 12 * 12 * 9 * 64 * 128 + 6 * 6 * 9 * 128 * 256
    assert multiply_adds(networks["2"]) == row_2 + 2304 * 256 + 256 * 512 + 512 * 7
    assert multiply_adds(networks["LSTM"]) == 48 * (48 * 64 + 4 * 128 * (64 + 128)) + 128 * 7
    # Squeeze-and-excitation adds two small dense layers to each convolution; CBAM calls them twice.
    squeezed = sum(2 * count * (count // 8) for count in (32, 64, 128, 256))
    assert multiply_adds(networks["se"]) == multiply_adds(networks["2"]) + squeezed
    positions = 7 * 7 * 2 * (48**2 + 24**2 + 12**2 + 6**2)
    assert multiply_adds(networks["cbam"]) == multiply_adds(networks["2"]) + 2 * squeezed + positions


def test_active_units_are_counted_over_units_and_faces():
    keras_or_skip()
    from study.networks import active_units, build_block_cnn, build_row_reader
    from train.architectures import build_cnn

    faces = np.full((4, 48, 48, 1), 255, "float32")
    faces[0] = 0
    network = build_cnn(filters=(1,), dense=(4, 5), dropout=0.5)
    for weight in network.weights:
        weight.assign(np.ones(weight.shape) if weight.path.endswith("kernel") else np.zeros(weight.shape))
    first, second = (layer for layer in network.layers if layer.name.startswith("dense"))
    first.bias.assign([0, 1, 0, -1e9])  # on the black face one of four is above 0, else three
    second.bias.assign([0, 0, -1e9, -1e9, -1e9])
    assert list(active_units(network, faces).values()) == [(1 + 3 * 3) / 16, 2 / 5]

    assert len(active_units(build_cnn(filters=(1,), dense=(4,), dropout=0.5), faces)) == 1
    normalised = build_block_cnn(block="batch_normalisation", filters=(1, 1), dense=(3, 2))
    assert len(active_units(normalised, faces)) == 2  # there the ReLU is a layer of its own
    assert active_units(build_row_reader(recurrent=True), faces) == {}  # its dense layer reads one row


@pytest.mark.parametrize(("name", "like"), [("se", "2"), ("cbam", "2"), ("bn", "2"), ("wide-bn", "4")])
def test_a_network_with_blocks_is_else_that_of_its_row(networks, name, like):
    def built(network, kind):
        return [layer for layer in network.layers if type(layer).__name__ == kind]

    for network in (networks[name], networks[like]):
        assert [layer.scale for layer in built(network, "Rescaling")] == [1 / 255]
        rates = [layer.rate for layer in built(network, "Dropout")]
        assert rates == [ROWS[like].options["dropout"]] * len(ROWS[like].options["dense"])
        kernels = [layer.kernel for layer in built(network, "Conv2D") if layer.kernel.shape[:2] == (3, 3)]
        assert [kernel.shape[3] for kernel in kernels] == list(ROWS[like].options["filters"])
        for kernel in kernels:  # He et al. 2015, arXiv 1502.01852, equation 10
            assert np.std(kernel) == pytest.approx((2 / np.prod(kernel.shape[:3])) ** 0.5, rel=0.2)


def filled(block, shape):
    """A network of one block with drawn weights, what it gives for drawn values, and these two."""
    keras = keras_or_skip()
    draw = np.random.default_rng(2)
    inputs = keras.Input(shape)
    network = keras.Model(inputs, block(inputs))
    network.set_weights([draw.normal(size=weight.shape) for weight in network.get_weights()])
    values = draw.normal(size=(3, *shape)).astype("float32")
    return network.get_weights(), values, network.predict(values, verbose=0)


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def test_squeeze_and_excitation_weighs_channels_by_their_averages():
    keras_or_skip()
    from study.networks import squeeze_excite

    (squeeze, its_bias, excite, bias), values, given = filled(squeeze_excite, (4, 5, 16))
    assert squeeze.shape == (16, 2)
    squeezed = np.maximum(values.mean(axis=(1, 2)) @ squeeze + its_bias, 0)
    weights = sigmoid(squeezed @ excite + bias)
    np.testing.assert_allclose(given, values * weights[:, None, None], rtol=1e-4, atol=1e-5)


def test_cbam_weighs_channels_then_positions_by_averages_and_maxima():
    keras_or_skip()
    from study.networks import cbam

    (squeeze, its_bias, excite, bias, kernel), values, given = filled(cbam, (5, 6, 16))

    def excited(channels):
        return np.maximum(channels @ squeeze + its_bias, 0) @ excite + bias

    weights = sigmoid(excited(values.mean(axis=(1, 2))) + excited(values.max(axis=(1, 2))))
    weighed = values * weights[:, None, None]
    maps = np.stack([weighed.mean(axis=-1), weighed.max(axis=-1)], axis=-1)
    padded = np.pad(maps, ((0, 0), (3, 3), (3, 3), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (7, 7), axis=(1, 2))  # (n, 5, 6, 2, 7, 7)
    positions = sigmoid(np.einsum("nhwcij,ijco->nhwo", windows, kernel))
    np.testing.assert_allclose(given, weighed * positions, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["se", "cbam", "bn", "conv-lstm", "rows-dense", "conv-lstm-shuffled"])
def test_a_network_answers_the_same_after_it_was_saved_and_read(networks, name, tmp_path):
    keras = keras_or_skip()
    faces = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1)).astype("float32")
    networks[name].save(tmp_path / "network.keras")
    read = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(read(faces), networks[name](faces))


# --- one row -----------------------------------------------------------------------------------------


def run_lstm(folder, faces_csv, **changes):
    from dataset.load import load_dataset
    from study.worker import run_row

    keywords = {"split": "official", "seed": 0, "epochs": 2}
    paths = {"result": folder / "official_LSTM_seed0.json", "run_dir": folder / "run"}
    return run_row(ROWS["LSTM"], load_dataset(faces_csv), **keywords, **paths, **changes)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, faces_csv):
    keras_or_skip()
    folder = tmp_path_factory.mktemp("unbroken")
    said = []
    return folder, run_lstm(folder, faces_csv, report=said.append), said


def test_a_result_holds_the_history_and_scores_of_the_epoch_that_validation_chose(unbroken):
    folder, result, _ = unbroken
    assert result == json.loads((folder / "official_LSTM_seed0.json").read_text())
    assert result["faces"] == {"train": 56, "validation": 14, "test": 21}
    history, best = result["history"], result["best_epoch"]
    assert {len(values) for values in history.values()} == {2}
    assert result["test"]["accuracy"] == pytest.approx(history["test_accuracy"][best - 1])
    assert result["validation_accuracy"] == max(history["val_accuracy"])
    assert result["test"]["labels"] == [3] * 7
    assert len(result["test"]["predicted"]) == 21
    assert np.trace(result["test"]["confusion"]) == right_answers(result).sum()
    assert right_answers(result).mean() == pytest.approx(result["test"]["accuracy"])
    assert result["test"]["unrepeated"]["faces"] == 21
    assert result["ferplus"] is None  # not at hand
    assert result["parameters"] == 102_855
    assert result["active_units"] == {}  # no hidden dense layer but on single rows
    assert result["settings"] == settings(ROWS["LSTM"], seed=0, epochs=2)


def test_scores_are_kept_in_the_order_of_the_predictions(unbroken):
    folder, result, _ = unbroken
    scores = np.load(folder / "official_LSTM_seed0.npz")["scores"]
    assert (scores.dtype, scores.shape) == (np.float32, (21, 7))
    assert "".join(map(str, scores.argmax(axis=1))) == result["test"]["predicted"]
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)


def test_a_row_says_how_far_it_is_and_leaves_no_checkpoints(unbroken):
    folder, _, said = unbroken
    epochs = [progress["epochs"] for progress in said]
    assert epochs == sorted(epochs)
    assert (epochs[0], epochs[-1]) == (0, 2)
    assert sorted(path.name for path in (folder / "run").iterdir()) == ["weights.json", "weights.keras"]


def test_a_row_broken_off_goes_on_and_ends_as_the_unbroken_one(unbroken, faces_csv, tmp_path):
    _, whole, _ = unbroken

    def break_off(progress):
        if progress["epochs"] > 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_lstm(tmp_path, faces_csv, report=break_off)
    assert not (tmp_path / "official_LSTM_seed0.json").exists()
    assert json.loads((tmp_path / "run" / "state.json").read_text())["epochs_done"] == 1

    resumed = run_lstm(tmp_path, faces_csv)

    assert resumed["test"] == whole["test"]
    assert resumed["history"]["test_accuracy"] == whole["history"]["test_accuracy"]
    assert resumed["history"]["loss"] == whole["history"]["loss"]


def test_a_row_is_trained_with_each_of_its_settings_and_scored_on_all_test_faces(faces_csv, tmp_path):
    keras = keras_or_skip()
    from dataset.duplicates import duplicates_of
    from dataset.load import load_dataset
    from study.worker import run_row

    lines = faces_csv.read_text().splitlines()
    tested = next(line for line in reversed(lines) if line.endswith("PrivateTest"))
    (tmp_path / "again.csv").write_text("\n".join([*lines, tested.replace("PrivateTest", "Training"), ""]))
    dataset = load_dataset(tmp_path / "again.csv")
    settings_of_row = {
        "learning_rate": 3e-4,
        "batch_size": 16,
        "augmentation": {"rotation": 3, "scale": 0.1, "shift": 0.02, "brightness": 0.0, "contrast": 0.0},
        "class_weight": True,
        "precision": "bfloat16",
        "schedule": "constant",
        "patience": 1,
    }
    network = {"filters": (2,), "dense": (3,), "dropout": 0.25}
    row = Row(
        name="made", network="cnn", options=network, epochs=3, first_seed=40, why="", hold_out=False,
        leave_out_duplicates=True, **settings_of_row,
    )  # fmt: skip

    result = run_row(
        row, dataset, split="official", seed=2, result=tmp_path / "made.json", run_dir=tmp_path / "run"
    )

    trained = dataset_of(row, dataset, split="official")
    arguments = json.loads((tmp_path / "run" / "weights.json").read_text())["arguments"]
    asked = settings_of_row | {"epochs": 3, "seed": 42, "keep_duplicates": True}
    asked["augmentation"] |= {"cutout": 0.0, "surroundings": 0.0, "degraded": 0.0}
    assert {key: arguments[key] for key in asked} == asked
    assert arguments["dataset_sha256"] == result["dataset_sha256"] == trained.sha256 != dataset.sha256
    assert result["source_sha256"] == dataset.sha256
    assert result["faces"] == {"train": 70, "validation": 21, "test": 21}  # 71 but for the one again
    assert result["test"]["unrepeated"]["faces"] == 21 - duplicates_of(dataset).sum() == 20

    weights = keras.saving.load_model(tmp_path / "run" / "weights.keras", compile=False)
    assert weights.count_params() == result["parameters"] == 9 * 2 + 2 + 24 * 24 * 2 * 3 + 3 + 3 * 7 + 7

    def predicted(faces):
        return weights.predict(faces.astype("float32"), verbose=0).argmax(axis=1)

    faces, labels = trained.split("train")
    assert result["train_accuracy"] == pytest.approx((predicted(faces) == labels).mean())
    faces, labels = dataset.split("test")
    in_order = np.argsort(labels, kind="stable")
    assert result["test"]["predicted"] == "".join(map(str, predicted(faces)[in_order]))
    right = (predicted(faces) == labels)[~duplicates_of(dataset)]
    assert result["test"]["unrepeated"]["right"] == right.sum()


def test_a_falling_rate_is_handed_on(faces_csv, tmp_path):
    keras_or_skip()
    from dataset.load import load_dataset
    from study.worker import run_row

    row = Row(name="made", network="row_reader", options={"recurrent": False, "units": 1}, epochs=1,
              schedule="cosine", why="")  # fmt: skip
    paths = {"result": tmp_path / "made.json", "run_dir": tmp_path / "run"}
    run_row(row, load_dataset(faces_csv), split="official", seed=0, **paths)
    arguments = json.loads((tmp_path / "run" / "weights.json").read_text())["arguments"]
    assert arguments["schedule"] == "cosine"
    assert (arguments["patience"], arguments["augmentation"], arguments["class_weight"]) == (1, None, False)


def test_a_row_on_fer2013_is_scored_as_the_committed_ones_are(fer2013, tmp_path):
    keras_or_skip()
    from dataset.ferplus import find_votes, majority_labels, read_votes
    from study.worker import run_row

    try:
        votes = find_votes(fer2013)
    except DatasetError:
        pytest.skip("needs FER+'s votes beside FER2013")
    paths = {"result": tmp_path / "made.json", "run_dir": tmp_path / "run"}
    quick = {"network": "row_reader", "options": ROWS["rows-dense"].options, "augmentation": None}
    row = replace(ROWS["unrepeated"], precision="float32", **quick)
    result = run_row(row, fer2013, split="paper", seed=0, epochs=1, **paths)

    committed = read_result(RESULTS / "paper_unrepeated_seed0.json")
    for key in ("source_sha256", "dataset_sha256", "faces"):
        assert result[key] == committed[key], key
    assert result["test"]["labels"] == committed["test"]["labels"] == list(PRINTED_TEST_FACES)
    assert result["test"]["unrepeated"]["faces"] == committed["test"]["unrepeated"]["faces"] == 7066 - 492
    assert result["ferplus"]["faces"] == committed["ferplus"]["faces"]
    # Of one epoch, whose weights are those that are scored.
    assert result["history"]["test_accuracy"] == [pytest.approx(result["test"]["accuracy"], abs=1e-6)]
    assert result["history"]["val_accuracy"][0] != pytest.approx(result["test"]["accuracy"], abs=1e-6)

    tested = dataset_of(ROWS["2"], fer2013, split="paper").rows("test")
    in_order = tested[np.argsort(fer2013.labels[tested], kind="stable")]
    majority = majority_labels(read_votes(votes, fer2013))[in_order]
    predicted = np.array(list(result["test"]["predicted"]), int)
    assert result["ferplus"]["right"] == (predicted == majority)[majority >= 0].sum()


# --- the command -------------------------------------------------------------------------------------


def test_the_study_runs_rows_goes_past_a_failing_one_and_says_so_at_the_end(faces_csv, tmp_path, capfd):
    keras_or_skip()
    results = tmp_path / "results"
    command = ["--rows", "2,ferplus,LSTM,rows-dense", "--seeds", "0", "--epochs", "2", "--split", "official"]
    command += ["--data", str(faces_csv), "--results", str(results), "--jobs", "3"]
    command += ["--run-dir", str(tmp_path / "runs")]
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "official_rows-dense_seed0").write_text("in the way of a folder")

    assert main(command) == 1

    printed = capfd.readouterr()
    assert sorted(path.name for path in results.glob("*.json")) == [
        "official_2_seed0.json",
        "official_LSTM_seed0.json",
    ]
    assert f"2 of 4 trained, 0 had a result. {tmp_path / 'results.md'}" in printed.out
    assert re.search(r"^official_2_seed0: epoch 1 of 2, validation \d+\.\d\d%$", printed.out, re.M)
    in_the_way = (
        r"^official_rows-dense_seed0: failed: .*: expected to write a training's log there, got: File"
    )
    assert re.search(in_the_way, printed.err, re.M)
    assert "official_ferplus_seed0: failed: Expected FER+'s votes at " in printed.err
    row_2 = read_result(results / "official_2_seed0.json")
    assert row_2["epochs_trained"] == 2
    assert len(row_2["active_units"]) == 2 and all(row_2["active_units"].values())
    assert "| 2 |" in (tmp_path / "results.md").read_text()

    assert main([*command[:1], "2,LSTM", *command[2:]]) == 0  # nothing is trained twice
    assert "0 of 0 trained, 2 had a result." in capfd.readouterr().out


def test_the_two_main_rows_run_through_on_a_part_of_fer2013_split_as_the_study_splits(fer2013, tmp_path):
    keras_or_skip()
    rows = np.concatenate([np.flatnonzero(fer2013.labels == label)[:50] for label in range(7)])
    lines = [
        f"{fer2013.labels[row]},{' '.join(map(str, fer2013.faces[row].ravel()))},Training" for row in rows
    ]
    (tmp_path / "part.csv").write_text("\n".join(["emotion,pixels,Usage", *lines, ""]))
    command = ["--rows", "2,LSTM", "--epochs", "2", "--data", str(tmp_path / "part.csv"), "--jobs", "2"]
    command += ["--results", str(tmp_path / "results"), "--run-dir", str(tmp_path / "runs"), "--seeds", "0"]

    assert main(command) == 0

    for name in ("2", "LSTM"):
        result = read_result(tmp_path / "results" / f"paper_{name}_seed0.json")
        shares = np.array(PRINTED_TEST_FACES) / np.add(PRINTED_TEST_FACES, PRINTED_TRAIN_FACES)
        assert result["test"]["labels"] == np.round(50 * shares).astype(int).tolist()
        assert result["epochs_trained"] == 2
    report = (tmp_path / "results.md").read_text()
    assert "2 (at most 2), LSTM (at most 2)" in report and "McNemar's exact test, first seeds: " in report


@pytest.mark.skipif(os.name != "posix", reason="Windows sends no Ctrl-C to a single process")
def test_ctrl_c_ends_the_study_and_its_training(faces_csv, tmp_path):
    keras_or_skip()
    command = ["--rows", "LSTM", "--seeds", "0", "--epochs", "100", "--split", "official"]
    command += ["--data", str(faces_csv), "--results", str(tmp_path / "results")]
    process = subprocess.Popen(
        [sys.executable, "-m", "study", *command, "--run-dir", str(tmp_path / "runs")],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    with process:
        while "epoch 2 of 100" not in process.stdout.readline():
            assert process.poll() is None, process.stderr.read()
        os.killpg(process.pid, signal.SIGINT)
        assert "Stopped. The same command goes on" in process.stderr.read()
        process.stdout.read()  # to its end: nobody holds it any more
    assert process.returncode == 130
    assert not list((tmp_path / "results").glob("*.json"))
    assert json.loads((tmp_path / "runs" / "official_LSTM_seed0" / "state.json").read_text())["epochs_done"]


def test_two_trainings_do_not_share_a_folder(tmp_path):
    pytest.importorskip("fcntl")
    keras_or_skip()
    from study.worker import alone_in

    refused = pytest.raises(StudyError, match="run: expected a folder of this training alone, got one in wh")
    with alone_in(tmp_path / "run"), refused, alone_in(tmp_path / "run"):
        pass
    with alone_in(tmp_path / "run"):
        pass


def test_a_result_that_another_command_has_made_meanwhile_is_not_trained_again(faces_csv, tmp_path, capsys):
    keras_or_skip()
    from study.worker import main as run_one

    result = tmp_path / "official_LSTM_seed0.json"
    result.write_text(json.dumps(made_result("LSTM")))
    before = result.read_bytes()
    command = ["LSTM", "--data", str(faces_csv), "--split", "official", "--seed", "0", "--epochs", "1"]
    assert run_one([*command, "--result", str(result), "--run-dir", str(tmp_path / "run")]) == 0
    assert result.read_bytes() == before
    assert capsys.readouterr().out == ""


def test_a_log_is_gone_on_with_and_its_last_words_are_those_of_this_time(tmp_path):
    log = tmp_path / "run" / "log.txt"
    with log_to(log) as file:
        file.write(b"Traceback\nKeyError: 'one'\n")
    with log_to(log) as file:
        begin = file.tell()
        file.write(b"a warning\n")
    assert last_words(log, 0) == "a warning"  # as a traceback stands before it
    assert last_words(log, begin) == ""
    with log_to(log) as file:
        file.write(b"Traceback\n  File\nKeyError: 'two'\n\n")
    assert last_words(log, begin) == "KeyError: 'two'"
    assert log.read_text().startswith("Traceback\nKeyError: 'one'\na warning\n")


def test_results_on_another_dataset_are_said_before_hours_of_training(faces_csv, tmp_path, capsys):
    write_results(tmp_path / "results", "2")  # of a dataset whose sha256 is all sevens
    command = ["--rows", "LSTM", "--data", str(faces_csv), "--results", str(tmp_path / "results")]
    assert main([*command, "--run-dir", str(tmp_path / "runs")]) == 1
    said = capsys.readouterr().err
    assert said.startswith(
        f"{tmp_path / 'results' / 'paper_2_seed0.json'}: expected a result on this dataset"
    )
    assert "got one on another (7777777777777777...). Name another folder: --results FOLDER\n" in said
    assert not list((tmp_path / "runs").iterdir())


def test_failed_rows_are_named_also_where_the_report_can_not_be_written(faces_csv, tmp_path, capsys):
    results = tmp_path / "results"
    command = ["--rows", "4", "--data", str(faces_csv), "--results", str(results)]
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "paper_4_seed0").write_text("in the way of a folder")

    def spoil(*arguments, **keywords):
        results.with_name("results.md").unlink()
        results.with_name("results.md").mkdir()  # in the way of the report
        return run_all(*arguments, **keywords)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("study.__main__.run_all", spoil)
        assert main([*command, "--run-dir", str(tmp_path / "runs")]) == 1
    failed, report = capsys.readouterr().err.splitlines()
    assert failed.startswith("paper_4_seed0: failed: ") and failed.endswith("folder: --run-dir FOLDER")
    assert report == (
        f"{results}.md: expected a file that can be written, got: Is a directory. "
        "Name another folder: --results FOLDER"
    )


def test_conclusions_that_lack_a_result_keep_no_training_from_being_run(faces_csv, tmp_path, capsys):
    results, runs = tmp_path / "results", tmp_path / "runs"
    results.mkdir()
    (results / "notes.md").write_text("## It says\n\n{{ test('4') }} %\n")
    runs.mkdir()
    (runs / "paper_4_seed0").write_text("in the way of a folder")  # so that the training ends as it begins
    command = ["--rows", "4", "--data", str(faces_csv), "--results", str(results), "--run-dir", str(runs)]
    assert main(command) == 1
    said = capsys.readouterr()
    missing = "notes.md:3: expected a figure of the results, got none: row '4' has no result."
    without, failed = said.err.splitlines()
    assert without == f"The report is without its conclusions. {results}/{missing}"
    assert failed.startswith("paper_4_seed0: failed: ")
    assert "0 of 1 trained" in said.out
    report = (tmp_path / "results.md").read_text()
    assert line_of(report, "The conclusions") == f"The conclusions are not written: {missing}"
    assert line_of(report, "| 4 | 4 conv").count("not run yet") == 1


def test_what_is_said_of_the_first_seed_is_not_said_of_another(tmp_path):
    figures = Figures({"2": [made_result("2", seed=1)]}, {})
    for figure in (figures.test_after, figures.epochs, figures.chosen, lambda row: figures.p(row, row)):
        with pytest.raises(StudyError, match="row '2' has no result of seed 0"):
            figure("2")


def test_trainings_at_a_time_share_the_cores_unless_the_user_shares_them_out(monkeypatch):
    names = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    assert [environment_of(3)[name] for name in names] == ["3", "3"]
    assert not set(names) & set(environment_of(None))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert [environment_of(3)[name] for name in names] == ["3", "1"]


def test_a_training_that_diverges_is_said_to(faces_csv, tmp_path, monkeypatch, capsys):
    keras_or_skip()
    from study.worker import main as run_one

    monkeypatch.setitem(ROWS, "LSTM", replace(ROWS["LSTM"], learning_rate=1e39))  # no float32
    command = ["LSTM", "--data", str(faces_csv), "--split", "official", "--seed", "0", "--epochs", "1"]
    command += ["--result", str(tmp_path / "official_LSTM_seed0.json"), "--run-dir", str(tmp_path / "run")]
    assert run_one(command) == 1
    said = json.loads(capsys.readouterr().out.splitlines()[-1])["failed"]
    assert said == (
        f"{tmp_path / 'run'}: expected finite weights, got others: it diverged. Give row LSTM a lower "
        "learning rate in study/experiments.py, and delete the folder."
    )
    assert not list(tmp_path.glob("*.json"))


def test_results_that_cannot_be_written_are_said_before_hours_of_training(faces_csv, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    command = ["--rows", "LSTM", "--data", str(faces_csv), "--run-dir", str(tmp_path / "runs")]
    assert main([*command, "--results", str(tmp_path / "file")]) == 1
    assert "file: expected a folder for results, got: " in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
    command = ["--rows", "LSTM", "--data", str(faces_csv), "--run-dir", str(tmp_path / "file")]
    assert main([*command, "--results", str(tmp_path / "results")]) == 1
    said = capsys.readouterr().err
    assert "file: expected a folder for checkpoints, got: " in said and said.endswith("--run-dir FOLDER\n")


def test_without_fer2013_the_study_ends_at_once_with_what_is_missing(tmp_path):
    code = (
        "import sys; from study.__main__ import main; status = main(['--rows', '2']); "
        "print(status, 'keras' in sys.modules, 'tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"FER2013": str(tmp_path / "nowhere"), "PATH": ""},
    )
    assert done.stdout == "1 False False\n"
    place = f"{tmp_path / 'nowhere'} (from the environment variable FER2013)"
    assert done.stderr.startswith(f"{place}: no such file or folder. FER2013 is on Kaggle as ")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize("target", ["study", "train", "evaluate", "audit", "-j4 study"])
def test_without_fer2013_make_says_so_before_it_makes_an_environment(target, tmp_path):
    checkout, nowhere = tmp_path / "checkout", tmp_path / "nowhere"
    shutil.copytree(ROOT / "dataset", checkout / "dataset", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Makefile", checkout)
    done = subprocess.run(
        [
            "make",
            *target.split(),
            f"PYTHON={sys.executable} -S",
        ],  # -S: without site-packages, as on a new machine
        cwd=checkout,
        capture_output=True,
        text=True,
        env={"FER2013": str(nowhere), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
    )
    first, *rest = done.stderr.splitlines()
    assert first.startswith(f"{nowhere} (from the environment variable FER2013): no such file or folder.")
    assert [line for line in rest if not line.startswith("make: ")] == []
    assert (done.returncode, done.stdout) == (2, "")
    assert sorted(path.name for path in checkout.iterdir()) == ["Makefile", "dataset"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rows", "2,18"], "got '18'"),
        (["--seeds", "one"], "expected whole numbers below 1000000000 such as 0,1, got 'one'"),
        (["--seeds", "99999999999"], "such as 0,1, got '99999999999'"),
        (["--epochs", "0"], "expected a whole number from 1 to 999999999, got '0'"),
        (["--jobs", "1" * 5000], "expected a whole number from 1 to 999999999, got '1111"),
        (["--report", "--plan"], "expected --report or --plan, got both"),
    ],
)
def test_a_wrong_argument_is_named(arguments, message, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert message in capsys.readouterr().err


def test_the_first_seed_of_every_row_comes_before_the_second_of_any():
    names = [training.name for training in trainings_of(parse(["--rows", "plain,4,LSTM"]))]
    assert names == [
        "paper_plain_seed0",
        "paper_4_seed0",  # a row that takes long has one seed
        "paper_LSTM_seed0",
        "paper_plain_seed1",
        "paper_LSTM_seed1",
        "paper_plain_seed2",
        "paper_LSTM_seed2",
    ]
    assert [training.seed for training in trainings_of(parse(["--rows", "4", "--seeds", "0,7"]))] == [0, 7]


def test_a_trial_keeps_its_results_out_of_the_reports():
    (trial,) = trainings_of(parse(["--rows", "4", "--epochs", "2"]))
    assert trial.result == ROOT / "runs" / "study" / "2_epochs" / "results" / "paper_4_seed0.json"
    assert trainings_of(parse(["--rows", "4"]))[0].result == RESULTS / "paper_4_seed0.json"


def test_a_result_of_other_settings_is_not_taken_for_the_rows(tmp_path):
    training = Training(ROWS["2"], 0, "paper", None, tmp_path, tmp_path)
    assert not is_done(training)
    training.result.write_text(json.dumps(made_result("2")))
    assert is_done(training)
    other = made_result("2")
    other["settings"]["learning_rate"] = 0.01
    training.result.write_text(json.dumps(other))
    with pytest.raises(StudyError) as caught:
        is_done(training)
    assert str(caught.value) == (
        f"{training.result}: expected a result with learning_rate=0.001, as asked for, got 0.01. "
        "Delete the file to train the row again, or name another folder: --results FOLDER"
    )


def test_a_damaged_result_is_named(tmp_path):
    path = tmp_path / "paper_2_seed0.json"
    for content, got in (("{", "something else"), ("[]", "something else"), ("{}", "one without row")):
        path.write_text(content)
        with pytest.raises(StudyError, match=f"^{path}: expected the JSON of a result, got {got}"):
            read_result(path)


@pytest.mark.parametrize(
    ("keys", "value", "got"),
    [
        (("row",), "2b", "one of row '2b' on split 'paper', which there is not"),
        (("test",), [], "something else"),
        (("test", "predicted"), "01", "2 predictions for 22 faces"),
        (("test", "predicted"), "x" * 22, "something else"),
        (("test", "accuracy"), 0.9, "an accuracy or a confusion matrix other than that of its predictions"),
        (("test", "accuracy"), float("nan"), None),
        (("test", "confusion", 0, 0), 9, "an accuracy or a confusion matrix other than"),
        (("test", "unrepeated", "right"), 21, "21 right answers on 20 faces"),
        (("history", "test_accuracy"), [0.5], "a history of test_accuracy that is not 3 numbers"),
        (("history", "accuracy", 1), float("nan"), "a history of accuracy that is not 3 numbers"),
        (("best_epoch",), 4, "a best epoch of 4 out of 3"),
        (("train_accuracy",), None, "something else"),
        (("processor_seconds",), 0, "faces, parameters or seconds that are not above 0"),
        (("settings",), "x", "something else"),
        (("settings", "epochs"), "x", "one of 'x' epochs at most"),
        (("settings", "epochs"), 0, "one of 0 epochs at most"),
        (
            ("ferplus",),
            {"faces": 0, "right": 0, "confusion": [[0] * 7] * 7},
            "a score on FER\\+'s labels of no",
        ),
        (("seconds",), 10**400, "something else .int too large to convert to float"),
        (("settings",), {}, "one without epochs"),
        (("seed",), None, "one of seed None on the dataset '777"),
        (("source_sha256",), None, "one of seed 0 on the dataset None"),
        (("active_units", "dense"), 1.5, "a share of 1.5 of the units of 'dense'"),
        (("active_units", "dense"), -0.1, "a share of -0.1 of the units of 'dense'"),
        (("active_units", "dense"), float("nan"), "a share of nan of the units of 'dense'"),
        (("active_units", "dense"), True, "a share of True of the units of 'dense'"),
        (("active_units",), None, "something else"),
        (("ferplus", "confusion"), [], "something else"),
        (("ferplus", "confusion"), None, "something else"),
        (
            ("ferplus", "confusion", 0, 0),
            9,
            "a confusion matrix on FER\\+'s labels other than 12 of 16 faces",
        ),
        (("ferplus", "right"), 11, "a confusion matrix on FER\\+'s labels other than 11 of 16 faces"),
    ],
)
def test_a_result_that_contradicts_itself_is_named(tmp_path, keys, value, got):
    result = made_result("2")
    part = result
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    path = tmp_path / "paper_2_seed0.json"
    path.write_text(json.dumps(result))
    with pytest.raises(StudyError, match=f"^{path}: expected the JSON of a result, got {got or 'an acc'}"):
        read_result(path)


# --- the figures -------------------------------------------------------------------------------------


def made_result(name, *, predicted="0011223344556601234560", labels=(4, 3, 3, 3, 3, 3, 3), seed=0):
    """A result of 22 test faces such as `study.worker` writes."""
    truth = np.repeat(np.arange(7), labels)
    answers = np.array(list(predicted), int)
    counts = np.zeros((7, 7), int)
    np.add.at(counts, (truth, answers), 1)
    right = int((truth == answers).sum())
    votes = np.diag([3, 2, 2, 2, 1, 1, 1])
    votes[0, 1:5] = 1
    return {
        "row": name,
        "split": "paper",
        "seed": seed,
        "settings": settings(ROWS[name], seed=seed),
        "source_sha256": "7" * 64,
        "dataset_sha256": "8" * 64,
        "faces": {"train": 100, "validation": 10, "test": 22},
        "parameters": 1000,
        "multiply_adds": 2_500_000,
        "epochs_trained": 3,
        "best_epoch": 2,
        "train_accuracy": 0.75,
        "validation_accuracy": 0.5,
        "test": {
            "labels": list(labels),
            "accuracy": right / 22,
            "unrepeated": {"faces": 20, "right": right - 1},
            "confusion": counts.tolist(),
            "predicted": predicted,
        },
        "ferplus": {"faces": 16, "right": 12, "confusion": votes.tolist()},
        "active_units": {"dense": 0.25, "dense_1": 0.125},
        "seconds": 90.0,
        "processor_seconds": 150.0,
        "images_per_second": 1234.5,
        "finished": "2026-11-22",
        "machine": {"processor": "a processor", "system": "Linux", "cores": 2},
        "versions": {"keras": "3.15.1"},
        "history": {
            "accuracy": [0.3, 0.5, 0.625],
            "val_accuracy": [0.4, 0.5, 0.45],
            "test_accuracy": [0.3, right / 22, 0.875],
            "seconds": [30.0, 30.0, 30.0],
            "processor_seconds": [50.0, 50.0, 50.0],
        },
    }


def of_right(count, total=7066):
    """A result with one label and so many right answers."""
    return {"test": {"labels": [total], "predicted": "0" * count + "1" * (total - count)}}


def test_the_interval_is_that_of_a_share_of_so_many_faces():
    low, high = interval([of_right(4469)])  # 63.25 %; 1.96 standard errors are 1.124 points
    assert low == pytest.approx(0.63247 - 0.01124, abs=0.0005)
    assert high == pytest.approx(0.63247 + 0.01124, abs=0.0005)
    assert interval([of_right(4469)]) == (low, high)


def test_seeds_that_differ_on_other_faces_narrow_the_interval():
    one = of_right(3533)
    reverse = {"test": {"labels": [7066], "predicted": one["test"]["predicted"][::-1]}}
    assert interval([one, reverse]) == (0.5, 0.5)  # each face is right in one of the two
    low, high = interval([one])
    assert high - low == pytest.approx(4 * 0.5 / 7066**0.5, rel=0.05)


def test_mcnemar_counts_the_faces_on_which_two_rows_differ():
    one = {"test": {"labels": [20], "predicted": "0" * 10 + "1" * 2 + "0" * 8}}
    other = {"test": {"labels": [20], "predicted": "1" * 10 + "0" * 2 + "0" * 8}}
    only_one, only_other, probability = mcnemar(one, other)
    assert (only_one, only_other) == (10, 2)
    assert probability == pytest.approx(2 * (1 + 12 + 66) / 2**12)  # two-sided binomial
    assert mcnemar(one, one) == (0, 0, 1.0)


def test_precision_recall_and_f1_of_a_class():
    figures = of_classes([[6, 2], [3, 0]])
    assert figures[0] == pytest.approx((6 / 9, 6 / 8, 2 * (6 / 9) * (6 / 8) / (6 / 9 + 6 / 8)))
    assert figures[1] == (0, 0, 0)


def test_a_class_without_a_face_has_no_curve():
    labels = np.array([0, 0, 1, 1])
    scores = np.array([[0.9, 0.1, 0], [0.4, 0.6, 0], [0.5, 0.5, 0], [0.1, 0.9, 0]])
    curves = roc_curves(scores, labels)
    assert curves[0][2] == pytest.approx(0.75)  # three of four pairs stand in order
    assert curves[2] is None


# --- the report --------------------------------------------------------------------------------------


def write_results(folder, *names):
    folder.mkdir()
    for name in names:
        (folder / f"paper_{name}_seed0.json").write_text(json.dumps(made_result(name)))


def write_made_scores(folder):
    """Scores of row 2 that give what `made_result` predicts."""
    scores = np.random.default_rng(1).dirichlet(np.ones(7), 22).astype(np.float32)
    scores[np.arange(22), list(map(int, made_result("2")["test"]["predicted"]))] += 1
    np.savez_compressed(folder / "paper_2_seed0.npz", scores=scores)


def line_of(report, start):
    return next(line for line in report.splitlines() if line.startswith(start))


def test_without_results_every_row_is_printed_as_not_run_yet(tmp_path):
    report = write_report(tmp_path / "study").read_text()
    assert report.count("| 63.25 | not run yet |") == 1
    assert "Not run yet on this split (`--split official`): 1, 2, 3, 4, " in report
    assert f"Run so far: 0 of {len(ROWS)} rows on the study's split (0 of " in report
    assert "| LSTM | 48x48 rows, TimeDistributed dense 64, LSTM 128, dense 7 | 100 |" in report
    for misprint in ("4,932", "28,821", "35,557", "35,887", "4306", "436"):
        assert misprint in report
    assert not list(tmp_path.glob("study/*.png"))


def test_every_further_row_answers_a_question_of_the_report():
    asked = {name for _, _, names in QUESTIONS for name in names}
    assert {row.name for row in FURTHER_ROWS} <= asked


def test_the_report_has_ours_beside_the_printed_figures(tmp_path):
    write_results(tmp_path / "study", "2", "LSTM")
    report = write_report(tmp_path / "study").read_text()
    right = right_answers(made_result("2")).sum()
    cells = [cell.strip() for cell in line_of(report, "| 2 | 4 conv").split("|")[1:-1]]
    assert cells[4:6] == ["80.08", "62.50"]  # the last epoch's, as Keras prints it
    assert cells[6] == "63.25"
    assert cells[7].startswith(f"{100 * right / 22:.2f} (")
    assert cells[8].strip("*") == f"{100 * right / 22 - 63.25:+.2f}"
    assert cells[9:] == [f"{100 * (right - 1) / 20:.2f}", "87.50", "87.50", "2/3", "1"]
    assert line_of(report, "| 3 | 3 conv").endswith("| 61.59 | not run yet |  |  |  |  |  |  |")
    assert "McNemar's exact test, first seeds: 0 faces" in report
    assert "| 2 | 4 conv (32, 64, 128, 256), dense 256 & 512, dropout 0.5 |" in report
    further = line_of(report, f"| 2 | {PRINTED['2'].architecture} | {100 * right / 22:.2f}")
    cells = [cell.strip() for cell in further.split("|")[1:-1]]
    assert cells[3:7] == ["87.50", "2/3", "1", "75.00"]  # chosen on test, epoch, seeds, on FER+'s majority


def test_a_difference_is_bold_where_the_print_lies_outside_of_the_interval_on_either_side(tmp_path):
    write_results(tmp_path / "study", "2")  # 3 of 22 right, printed 63.25
    for name in ("3", "LSTM"):  # 16 of 22, printed 61.59 and 46.82
        result = made_result(name, predicted=SIXTEEN)
        (tmp_path / "study" / f"paper_{name}_seed0.json").write_text(json.dumps(result))
    report = write_report(tmp_path / "study").read_text()
    begins = ("| 2 | 4 conv", "| 3 | 3 conv", "| LSTM | 48x48")
    differences = [line_of(report, begin).split(" | ")[8] for begin in begins]
    assert differences == ["**-49.61**", "+11.14", "**+25.91**"]


def test_what_a_row_costs_is_its_first_seeds_and_other_machines_are_named_with_their_rows(tmp_path):
    write_results(tmp_path / "study", "2", "3", "LSTM")
    elsewhere = {"machine": {"processor": "another", "system": "Linux", "cores": 4}}
    slower = ("2", 1, elsewhere | {"processor_seconds": 990.0}), ("LSTM", 1, {"processor_seconds": 180.0})
    for name, seed, changes in (*slower, ("3", 0, elsewhere)):
        path = tmp_path / "study" / f"paper_{name}_seed{seed}.json"
        path.write_text(json.dumps(made_result(name, seed=seed) | changes))
    report = write_report(tmp_path / "study").read_text()
    costs = report.split("## What a row costs")[1]
    assert line_of(costs, "| 2 |") == "| 2 | 1,000 | 2.50 M | 2.5 | 2 | float32 | - |"  # 150 s, 300 faces
    assert " Trained on: a processor, 2 cores; on another, 4 cores: 3. On one kind of machine one s" in costs
    assert " up to 20 % more faces a second than another. Latency:" in costs


def test_where_every_test_face_recurs_in_training_the_report_has_no_accuracy_on_others(tmp_path):
    write_results(tmp_path / "study")
    result = made_result("3")
    result["test"]["unrepeated"] = {"faces": 0, "right": 0}
    (tmp_path / "study" / "paper_3_seed0.json").write_text(json.dumps(result))
    cells = line_of(write_report(tmp_path / "study").read_text(), "| 3 | 3 conv").split(" | ")
    assert cells[9] == "-"


def test_the_same_results_make_the_same_bytes(tmp_path):
    reports = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        write_results(folder / "study", "2", "4", "LSTM")
        write_made_scores(folder / "study")
        write_report(folder / "study")
        reports.append({path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")})
    assert reports[0] == reports[1]
    assert sorted(path.name for path in (tmp_path / "one" / "study").glob("*.png")) == [
        "confusion.png",
        "gap.png",
        "learning_curves.png",
        "overview.png",
        "roc.png",
    ]


def spoilt_scores(folder, change):
    write_made_scores(folder)
    path = folder / "paper_2_seed0.npz"
    scores = np.load(path)["scores"]
    np.savez(path, **change(scores))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda folder: (folder / "paper_2_seed0.npz").write_bytes(b"x"),
            r"npz: expected the scores of a re",
        ),
        (
            lambda folder: (folder / "paper_2_seed0.npz").write_bytes(b""),
            r"npz: expected the scores of a res",
        ),
        (
            lambda folder: (folder / "paper_2_seed0.npz").write_bytes(b"PK\x03\x04x"),
            r"npz: expected the score",
        ),
        (
            lambda folder: spoilt_scores(folder, lambda scores: {"other": scores}),
            r"npz: expected the scores of",
        ),
        (
            lambda folder: spoilt_scores(folder, lambda scores: {"scores": scores[1:]}),
            r"the result beside it, g",
        ),
        (
            lambda folder: spoilt_scores(folder, lambda scores: {"scores": -scores}),
            r"of the result beside it, g",
        ),
        (
            lambda folder: (folder / "latency.json").write_text("{"),
            r"latency\.json: expected what `python -m st",
        ),
        (
            lambda folder: (folder / "latency.json").write_text("[]"),
            r"latency\.json: expected what `python -m s",
        ),
        (
            lambda folder: (folder / "latency.json").write_text('{"networks": {}}'),
            r"latency\.json: expected wha",
        ),
        (
            lambda folder: (folder / "notes.md").write_bytes(b"\xff"),
            r"notes\.md: expected notes in UTF-8, got ",
        ),
        (
            lambda folder: (folder / "notes.md").mkdir(),
            r"notes\.md: expected notes, got: Is a direct",
        ),
        (
            lambda folder: (folder / "paper_3_seed0.json").mkdir(),
            r"paper_3_seed0\.json: expected the JSON of a result, got: Is a direct",
        ),
        (
            lambda folder: (folder / "paper_2_seed0 (copy)_seed0.json").write_text(
                (folder / "paper_2_seed0.json").read_text()
            ),
            r"\(copy\)_seed0\.json: expected the result that its name says, got that of row 2, seed 0 on",
        ),
        (
            lambda folder: (folder / "paper_2_seed0.json").write_text(
                json.dumps(made_result("2") | {"settings": settings(ROWS["full"], seed=0)})
            ),
            r"paper_2_seed0\.json: expected a result with augmentation=",
        ),
        (
            lambda folder: (folder / "paper_3_seed0.json").write_text(
                json.dumps(made_result("3") | {"source_sha256": "5" * 64})
            ),
            r"paper_3_seed0\.json: expected a result on the dataset of the others",
        ),
    ],
)
def test_what_is_wrong_beside_the_results_is_named_and_nothing_is_written(tmp_path, spoil, message, capsys):
    write_results(tmp_path / "study", "2")
    spoil(tmp_path / "study")
    before = sorted(tmp_path.rglob("*"))
    assert main(["--report", "--results", str(tmp_path / "study")]) == 1
    assert re.search(message, capsys.readouterr().err)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_can_not_be_read_is_not_said_to_be_empty(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["--report", "--results", str(tmp_path / "file")]) == 1
    assert (
        capsys.readouterr().err
        == f"{tmp_path / 'file'}: expected a folder of results, got: Not a directory.\n"
    )


def test_a_folder_without_results_is_no_place_of_a_report(tmp_path, capsys):
    assert main(["--report", "--results", str(tmp_path / "mistyped")]) == 1
    assert "mistyped: expected a folder of results, found none." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_trial_and_another_dataset_are_said_to_be_such(tmp_path):
    write_results(tmp_path / "study", "2")
    report = write_report(tmp_path / "study").read_text()
    assert "**Not FER2013.**" in report and "**A trial.**" not in report
    trial = made_result("2") | {
        "settings": settings(ROWS["2"], seed=0, epochs=2),
        "source_sha256": OFFICIAL_SHA256,
    }
    (tmp_path / "study" / "paper_2_seed0.json").write_text(json.dumps(trial))
    report = write_report(tmp_path / "study").read_text()
    assert (
        "**A trial.** Rows that were trained for other numbers of epochs than their own: 2 (at most 2)."
        in report
    )
    assert f"Run so far: 0 of {len(ROWS)} rows on the study's split (0 of " in report
    assert "**Not FER2013.**" not in report


def test_the_images_are_those_of_matplotlibs_own_style(tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    write_results(tmp_path / "study", "2")
    write_report(tmp_path / "study")
    before = (tmp_path / "study" / "gap.png").read_bytes()
    with matplotlib.rc_context({"font.size": 20}):
        write_report(tmp_path / "study")
    assert (tmp_path / "study" / "gap.png").read_bytes() == before


def test_a_row_that_was_run_but_whose_scores_are_lost_is_said_to_be_such(tmp_path):
    write_results(tmp_path / "study", "2")
    report = write_report(tmp_path / "study").read_text()
    assert "Without curves and AUC, as its scores are missing: `paper_2_seed0.npz` of row 2." in report
    write_made_scores(tmp_path / "study")
    report = write_report(tmp_path / "study").read_text()
    assert "scores are missing" not in report and "![roc](study/roc.png)" in report


def test_a_row_on_other_labels_is_compared_on_its_own_and_marked_where_it_is_not(tmp_path):
    write_results(tmp_path / "study", "2", "ferplus")
    report = write_report(tmp_path / "study").read_text()
    own = line_of(report, "| ferplus, on FER+'s labels | mirrored")
    assert own.endswith("| 2 | 75.00 | 75.00 | 0.00 |")  # 12 of 16 by the votes, not 3 of 22
    assert line_of(report, "| row 2 | mirrored").endswith("| 2 | 75.00 | 13.64 | 61.36 |")
    assert title_of_tested(ROWS["ferplus"]) == "ferplus, test on FER2013's labels"
    assert title_of_tested(ROWS["as-study"]) == "as-study, chosen on test"


def test_a_image_whose_results_are_gone_goes_too(tmp_path):
    write_results(tmp_path / "study", "4")
    write_report(tmp_path / "study")
    assert (tmp_path / "study" / "gap.png").exists()
    (tmp_path / "study" / "paper_4_seed0.json").unlink()
    write_report(tmp_path / "study")
    assert not (tmp_path / "study" / "gap.png").exists()


def test_latency_and_notes_stand_in_the_report_where_they_are(tmp_path):
    write_results(tmp_path / "study", "2")
    timed = {"engine": "LiteRT 2.3.0", "threads": 1, "calls": 500, "processor": "a board"}
    of_network = {"parameters": 1_113_095, "multiply_adds": 33_238_528, "median_ms": 0.3126, "p95_ms": 0.4}
    timed["networks"] = {network_of(ROWS["2"]): of_network}
    (tmp_path / "study" / "latency.json").write_text(json.dumps(timed))
    (tmp_path / "study" / "notes.md").write_text("## What it says\n\nThat.\n")
    report = write_report(tmp_path / "study").read_text()
    assert line_of(report, "| 2 | 1,000 |") == "| 2 | 1,000 | 2.50 M | 2.5 | 2 | float32 | 0.313 |"
    assert line_of(report, "| plain | 1,1") == (
        "| plain | 1,113,095 | 33.24 M | not run yet |  | float32 | 0.313 |"  # of the same network
    )
    assert "\n\n## What it says\n\nThat.\n\n## The study's split" in report  # before the tables


SIXTEEN = "0011111222333444505050"  # right answers of made_result's 22, two of them on angry's four


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        ('test("2")', "72.7"),  # 16 of 22
        ('test("LSTM")', "43.2"),  # two seeds: 3 and 16 of 22
        ('tests_of_seeds("LSTM")', "13.6 and 72.7"),
        ('seeds("LSTM")', "2"),
        ('test("2") - test("LSTM")', "29.5"),
        ('unrepeated("2")', "75.0"),  # 15 of 20
        ('repeated("2")', "50.0"),  # so 1 of 2
        ('duplicate_faces("2")', "2"),
        ('recall("2", "angry")', "50.0"),
        ('majority("2")', "75.0"),
        ('train("2")', "75.0"),
        ('validation("2")', "50.0"),
        ('on_test("2")', "87.5"),
        ('[train_after("2"), train_after("2", 1)]', "62.5 and 30.0"),
        ('[validation_after("2"), validation_after("2", 1)]', "45.0 and 40.0"),
        ('[test_after("2"), test_after("2", 1)]', "87.5 and 30.0"),
        ('tests_after("2", 2)|min', "72.7"),
        ('tests_after("2", -2)|max', "87.5"),
        ('mean(tests_after("2", 1, 1))', "30.0"),
        ('[lowest("2"), lowest("2", 2), lowest("2", -1)]', "1, 2 and 3"),
        ('[nearest("2", 50, 70), nearest("2", 62, 90)]', "2 and 3"),  # 50.0 and 72.7; 62.5 and 87.5
        ('[apart("2", 49, 72.5), apart("2", 62, 90)]', "1.0 and 2.5"),
        ('released("cnn") - released("cnn_lstm")', "10.5"),  # of the README's table, 63.64 and 53.11
        ('validations_after("2", -2)', "50.0 and 45.0"),
        ('[passes("2", 30), chosen("2"), epochs("2"), trained_faces("2")]', "2, 2, 3 and 100"),
        ('[parameters("2"), multiply_adds("2")]', "1,000 and 2,500,000"),
        ('[active("2"), active("LSTM", 1)]', "25.0 and 25.0"),  # 12.5 and 37.5
        ('active("LSTM", 1, seed=1)', "37.5"),
        ('passes("LSTM", 30, 1)', "2"),
        ('images_per_second("2")', "2.0"),  # 100 faces, 3 epochs, 150 s
        ('p("2", "LSTM")', "p = 0.00098"),  # 14 faces against 1
        ('ms("plain")', "0.313"),  # of row 2's network
        ('[epochs("LSTM", 1), train_after("LSTM", seed=1), test_after("LSTM", 2, 1)]', "3, 62.5 and 72.7"),
        ('tests_after("LSTM", 2, 2, 1)', "72.7"),
        ('official.test("2")', "13.6"),
    ],
)
def test_a_figure_in_the_notes_comes_from_the_results(tmp_path, figure, expected):
    row_2 = made_result("2", predicted=SIXTEEN)
    row_lstm = [made_result("LSTM"), made_result("LSTM", predicted=SIXTEEN, seed=1)]
    row_lstm[1]["active_units"]["dense_1"] = 0.375
    results = {"paper": {"2": [row_2], "LSTM": row_lstm}, "official": {"2": [made_result("2")]}}
    latency = {"networks": {network_of(ROWS["2"]): {"median_ms": 0.3126}}}
    (tmp_path / "notes.md").write_text(f"Of {{{{ {figure} }}}} %.\n")
    assert fill(tmp_path / "notes.md", results, latency) == f"Of {expected} %."


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        ('test("bn")', "row 'bn' has no result"),
        ('test("bm")', "there is no row 'bm'"),
        ('tset("2")', "'tset' is undefined"),
        ('test("2"', "unexpected '}'"),
        ('test_after("2", 4)', "list index out of range"),
        ('test_after("2", 1, 1)', "row '2' has no result of seed 1"),
        ('passes("2", 62.5)', "row '2' never passes 62.5 % in training"),
        ('ms("2")', "the latency of row '2' is not measured"),
        ('mean(tests_after("2", 4))', "a mean of no values"),
        ('active("2", -1)', "row '2' has a result without the active units of a layer -1"),
        ('active("2", 2)', "row '2' has a result without the active units of a layer 2"),
        ('recall("2", "joy")', "not in tuple"),
        ('released("dnn")', "dnn.keras.json has no accuracy"),
        ('test("2").__class__.__mro__', "access to attribute '__class__' of 'float' object is unsafe"),
    ],
)
def test_a_figure_that_is_not_there_is_named_with_its_line_and_nothing_is_written(
    tmp_path, figure, message, capsys
):
    write_results(tmp_path / "study", "2")
    (tmp_path / "study" / "notes.md").write_text(
        f"## It says\n\nThat {{{{ test('2') }}}} and {{{{ {figure} }}}}.\n"
    )
    before = sorted(tmp_path.rglob("*"))
    assert main(["--report", "--results", str(tmp_path / "study")]) == 1
    said = capsys.readouterr().err
    assert "notes.md:3: expected a figure of the results, got none: " in said and message in said
    assert sorted(tmp_path.rglob("*")) == before


def test_the_official_split_stands_in_the_report_as_far_as_it_was_run(tmp_path):
    write_results(tmp_path / "study", "2")
    result = made_result("2") | {"split": "official"}
    (tmp_path / "study" / "official_2_seed0.json").write_text(json.dumps(result))
    report = write_report(tmp_path / "study").read_text()
    trainings = sum(row.seeds for row in ROWS.values())
    assert f"1 of {len(ROWS)} rows on the official split (1 of {trainings} trainings)." in report
    section = report.split("## The same rows, on the official split")[1].split("\n## ")[0]
    assert line_of(section, "| 2 | 4 conv").count("|") == 15
    assert "| 3 |" not in section and "Not run yet on this split (`--split official`): 1, 3, " in section


def test_rows_of_one_reason_share_a_line_of_the_report(tmp_path):
    report = write_report(tmp_path / "study").read_text()
    assert line_of(report, "| 1, 2, 3 | ").startswith("| 1, 2, 3 | Other rows say 'without augmentation'")
    assert line_of(report, "| 5, 6, 7 | ").startswith("| 5, 6, 7 | Blank but for")


def test_the_committed_report_is_what_its_results_make(tmp_path):
    if RESULTS.exists():
        shutil.copytree(RESULTS, tmp_path / "study")
        shutil.copy(ROOT / "study" / "notes.md", tmp_path / "study")
    report = write_report(tmp_path / "study")
    assert report.read_text() == (ROOT / "reports" / "study.md").read_text()
    pinned = (ROOT / "requirements" / "constraints.txt").read_text().split()
    as_pinned = all(f"{package}=={version(package)}" in pinned for package in ("matplotlib", "pillow"))
    if sys.platform == "linux" and platform.machine() == "x86_64" and as_pinned:
        for name in IMAGES:  # other releases draw letters by other pixels, or pack them otherwise
            assert (tmp_path / "study" / name).read_bytes() == (
                ROOT / "reports" / "study" / name
            ).read_bytes(), name


@pytest.fixture(scope="module")
def committed():
    """The committed results on the study's split, by row."""
    return read_results(RESULTS, "paper")


@pytest.fixture(scope="module")
def figures(committed):
    """Their figures, as the notes have them."""
    return Figures(committed, {})


def test_rows_that_train_in_less_than_a_quarter_of_an_hour_on_two_cores_have_three_seeds(committed):
    minutes = {
        name: np.mean([result["processor_seconds"] for result in of_row]) / 2 / 60
        for name, of_row in committed.items()
    }
    assert {name: ROWS[name].seeds for name in minutes} == {
        name: 3 if of_row < 15 else 1 for name, of_row in minutes.items()
    }


def test_the_words_of_the_conclusions_hold_for_the_results(figures, committed):
    def holds(row, printed):
        return figures.low(row) <= printed <= figures.high(row)

    assert holds("LSTM", 46.82)
    assert not holds("2", 63.25)
    assert all(holds(row, 63.25) for row in ("cosine", "as-study", "as-study-cosine"))
    assert holds("1", 56.94)
    assert holds("10", 59.40)
    assert holds("5", 58.71)
    assert figures.test("conv-lstm") >= figures.test("plain")
    assert abs(figures.test("conv-lstm-minimal") - figures.test("equal-latency")) < 1  # as accurate
    convolutions = figures.test("conv-lstm") - figures.test("LSTM")
    assert convolutions > (figures.test("2") - figures.test("LSTM")) / 2
    assert 1.5 < convolutions / (figures.test("LSTM") - figures.test("rows-dense")) < 2.5  # "two times", and
    convolutions = figures.test("conv-dense") - figures.test("rows-dense")
    assert 3.5 < convolutions / (figures.test("conv-lstm") - figures.test("conv-dense")) < 4.5  # "four times"
    assert abs(figures.test("lstm-shuffled") - figures.test("rows-dense")) < 1  # "as good as"
    shuffled, dense = (figures.tests_of_seeds(row) for row in ("conv-lstm-shuffled", "conv-dense"))
    assert max(shuffled) < min(dense)  # "worse"
    on_these_labels = [row for row in ROWS if ROWS[row].labels == "fer2013"]
    assert max(on_these_labels, key=figures.test) == "bn"
    changes_of_2 = ("2", "2-bfloat16", "se", "cbam", "bn", "full", "released", "cosine", "as-study", "plain")
    assert max(figures.majority(row) for row in changes_of_2) < figures.majority("ferplus") - 5
    # A printed pair that a row has on its way, and pairs that none has.
    for row, print_of in (("10", "10"), ("11", "11"), ("12", "12"), ("15-unweighted", "15")):
        printed = PRINTED[print_of]
        assert figures.apart(row, printed.train, printed.test) < 0.6, row
    for row in ("4", "5", "6", "7", "9", "14", "17"):
        printed = PRINTED[row]
        assert figures.test(row) - printed.test > 3, row
        assert min(figures.apart(tried, printed.train, printed.test) for tried in committed) > 1, row
    for print_of, nearest in (
        ("14", "4"),
        ("4", "wide-bn"),
        ("5", "wide-bn"),
        ("6", "wide-bn"),
        ("7", "wide-bn"),
    ):
        pair = PRINTED[print_of].train, PRINTED[print_of].test
        assert min(committed, key=lambda row, pair=pair: figures.apart(row, *pair)) == nearest, print_of
    assert holds("wide-raw", PRINTED["9"].test)
    assert all(holds("wide-raw-bare", PRINTED[row].test) for row in ("4", "5", "6", "7"))
    assert max(figures.train(row) for row in ("wide-raw", "wide-raw-bare")) < PRINTED["7"].train
    assert figures.test("wide-raw") - PRINTED["7"].test < 1.7  # with the study's own test faces' interval
    dead = (("15", None), ("15-slow", 0), ("17-raw", None), ("bn-convolutions", None))
    of_dead = [figures.active(row, seed=seed) for row, seed in dead]
    assert max(of_dead) < 0.1 < 5 < min(figures.active(row) for row in ("12", "17"))
    assert figures.active("bn-convolutions-float32") < 0.1
    assert all(ROWS[row].precision == "bfloat16" for row, _ in dead)
    # Row 15 with another seed: at chance for 12 epochs, let by in the tenth, then learning, and not stopped.
    again = figures.tests_after("15-again")
    assert max(again[:12]) < 18 < min(again[12:]) and max(again) > 45
    let_by = figures.validations_after("15-again", 1, 10)
    assert max(let_by[:9]) == let_by[0] < let_by[9]
    assert figures.epochs("15-again") == ROWS["15"].epochs
    # The second seed of 15-slow: at chance for 21 epochs, then learning to the end.
    slow = figures.tests_after("15-slow", seed=1)
    assert max(slow[:21]) < 10 < min(slow[21:]) and max(slow) > 45
    [right] = [result["history"]["val_accuracy"] for result in committed["15-slow"] if result["seed"] == 1]
    bests = np.unique(np.maximum.accumulate(np.multiply(right[:21], 2881).round()))
    assert (np.diff(bests).min(), np.diff(bests).max()) == (1, 29)  # "one to twenty-nine"
    gaps = {row: figures.train(row) - figures.test(row) for row in "5678"}
    assert (min(gaps, key=gaps.get), max(gaps, key=gaps.get)) == ("5", "6")


def test_the_figures_in_the_reasons_of_rows_are_those_of_the_results(figures):
    def validation(row, epoch):
        return f"{figures.validation_after(row, epoch):.1f}"

    assert (validation("4", 7), validation("4", figures.chosen("4"))) == ("57.8", "58.1")  # ENOUGH
    assert figures.passes("LSTM", PRINTED["LSTM"].train) == 11  # SLOW, TRY_LSTM
    assert round(figures.test("4") - PRINTED["4"].test) == 6  # TRY_4
    assert figures.epochs("15") == 14  # TRY_AGAIN_15
    assert figures.epochs("17") - PRINTED["17"].stopped == 1  # TRY_17, as the next ones
    assert f"{PRINTED['17'].train - figures.train_after('17'):.1f}" == "1.2"
    assert f"{figures.test('17') - PRINTED['17'].test:.1f}" == "4.8"
    assert f"{figures.test('14') - PRINTED['14'].test:.1f}" == "3.9"
    speed_up = figures.images_per_second("2") / figures.images_per_second("2-bfloat16")
    assert f"{speed_up:.1f}" == "0.6"  # QUICKLY


@pytest.mark.published
def test_the_figures_of_the_page_on_the_study_stand_in_the_report():
    page = (ROOT / "docs" / "study.md").read_text().partition("## The released models")[0]
    figures = re.findall(r"\d+\.\d+", page)
    report = (ROOT / "reports" / "study.md").read_text()
    assert len(figures) >= 10
    assert [figure for figure in figures if not re.search(rf"\b{re.escape(figure)}\b", report)] == []


def test_votes_are_scored_by_face_and_by_label():
    from study.report import votes_cells

    confusion = np.zeros((7, 7), int)
    confusion[:, 0] = 1  # of one face of each label the first alone is told
    confusion[6] = [0, 0, 0, 0, 0, 0, 4]
    result = made_result("2") | {"ferplus": {"faces": 10, "right": 5, "confusion": confusion.tolist()}}
    assert votes_cells([result]) == ["50.00", f"{100 * 2 / 7:.2f}"]
    assert votes_cells([result | {"ferplus": None}]) == ["-", "-"]
