"""Engines: the same scores from each, and one line where an engine is missing or a file is not for it."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from runtime import model as model_module
from runtime.card import CardError, card_path
from runtime.engines import ENGINES, EngineError, is_installed
from runtime.model import ModelError, load_model
from runtime.networks import import_engine, open_tflite

DATA = Path(__file__).parent.parent / "data"
STOPPING = signal.SIGINT, signal.SIGTERM
FP32, INT8, ONNX = DATA / "tiny_fp32.tflite", DATA / "tiny_int8_io.tflite", DATA / "tiny_fp32.onnx"
RUNS = [(FP32, "litert"), (INT8, "litert"), (FP32, "tflite_runtime"), (INT8, "tflite_runtime")]
RUNS += [(ONNX, "onnxruntime"), (ONNX, "opencv")]


def _needs(engine):
    if not is_installed(engine):
        pytest.skip(f"{engine} is not installed")


@pytest.fixture(scope="module")
def faces():
    """Seven faces of every brightness, uint8 (7, 48, 48, 1)."""
    generator = np.random.default_rng(1)
    ground = np.linspace(0, 255, 7).reshape(7, 1, 1, 1)
    return np.clip(ground + generator.normal(0, 60, (7, 48, 48, 1)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("path", "engine"), RUNS)
def test_an_engine_gives_probabilities_that_depend_on_the_face(path, engine, faces):
    _needs(engine)
    scores = ENGINES[engine](path)(faces)
    assert scores.dtype == np.float32
    assert scores.shape == (7, 7)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=0.02)
    assert np.abs(scores[0] - scores[6]).max() > 0.1


@pytest.mark.parametrize(("path", "engine"), RUNS)
def test_a_face_has_the_same_scores_alone_and_among_others(path, engine, faces):
    _needs(engine)
    scores_of = ENGINES[engine](path)
    together = scores_of(faces)
    alone = np.concatenate([scores_of(faces[number : number + 1]) for number in range(7)])
    np.testing.assert_allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize(("path", "engine"), RUNS)
def test_no_face_gives_no_scores(path, engine):
    _needs(engine)
    assert ENGINES[engine](path)(np.zeros((0, 48, 48, 1), np.uint8)).shape == (0, 7)


@pytest.mark.parametrize(("path", "engine"), RUNS[2:3] + RUNS[4:])
def test_float_engines_agree(path, engine, faces):
    _needs("litert")
    _needs(engine)
    np.testing.assert_allclose(ENGINES[engine](path)(faces), ENGINES["litert"](FP32)(faces), atol=1e-5)


def test_int8_input_and_output_stay_near_the_float_file(faces):
    _needs("litert")
    gap = np.abs(ENGINES["litert"](INT8)(faces) - ENGINES["litert"](FP32)(faces)).max()
    assert 0 < gap < 0.1  # the card's parity says 0.065 over 200 images


def test_results_of_earlier_calls_are_not_overwritten(faces):
    _needs("litert")
    scores_of = ENGINES["litert"](FP32)
    first = scores_of(faces[:1])
    kept = first.copy()
    scores_of(faces[6:])
    np.testing.assert_array_equal(first, kept)


def test_opencv_refuses_a_quantized_file(tmp_path):
    path = tmp_path / "quantized.onnx"
    path.write_bytes(b"\x08\x08QuantizeLinear")
    with pytest.raises(
        EngineError, match=r"quantized\.onnx: OpenCV runs float32 models only.*pip install onnxruntime"
    ):
        ENGINES["opencv"](path)


def test_opencv_gets_no_graph_with_an_input_from_nowhere(tmp_path):
    whole = ONNX.read_bytes()
    start = whole.index(b"/mul:0")
    path = tmp_path / "torn.onnx"
    path.write_bytes(whole[:start] + b"\xff" + whole[start + 1 :])
    with pytest.raises(EngineError, match=r"torn\.onnx: can't be opened by OpenCV.*damaged: a node reads '"):
        ENGINES["opencv"](path)


@pytest.mark.parametrize("engine", ["litert", "onnxruntime", "opencv"])
def test_a_file_that_is_no_model_is_named(engine, tmp_path):
    _needs(engine)
    path = tmp_path / "broken.bin"
    path.write_bytes(b"this is not a model")
    with pytest.raises(EngineError, match=r"broken\.bin: can't be opened by"):
        ENGINES[engine](path)


def test_an_engine_built_for_another_numpy_says_what_goes_together():
    class BuiltForNumpy1:
        """Fails as tflite-runtime 2.14 does with numpy 2."""

        def Interpreter(**keywords):  # noqa: N802
            raise SystemError("CreateWrapperFromBuffer returned a result with an exception set")

    with pytest.raises(
        EngineError, match=r"doesn't work with numpy [\d.]+: pip install tflite-runtime==2\.14\.0 'numpy<2'"
    ):
        open_tflite(BuiltForNumpy1, FP32, 1, "tflite-runtime")


def test_a_ctrl_c_while_an_engine_is_imported_is_no_broken_engine(tmp_path, monkeypatch):
    (tmp_path / "engine_in_c.py").write_text(
        "import signal\n"
        "try:\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "except KeyboardInterrupt as error:\n"
        "    raise ImportError('initialization failed') from error\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        import_engine("engine_in_c", "a.tflite", "An engine", "an-engine")


def test_a_program_s_own_handlers_are_called_while_an_engine_is_imported(tmp_path, monkeypatch):
    (tmp_path / "engine_with_signals.py").write_text(
        "import signal\nsignal.raise_signal(signal.SIGINT)\nsignal.raise_signal(signal.SIGTERM)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    got = []
    before = [signal.signal(number, lambda number, _: got.append(number)) for number in STOPPING]
    try:
        import_engine("engine_with_signals", "a.tflite", "An engine", "an-engine")
    finally:
        for number, handler in zip(STOPPING, before, strict=True):
            signal.signal(number, handler)
    assert got == list(STOPPING)


@pytest.mark.parametrize(
    ("engine", "line"),
    [
        ("litert", "Running tiny_fp32.tflite needs LiteRT: pip install ai-edge-litert"),
        (
            "tflite_runtime",
            "Running tiny_fp32.tflite needs tflite-runtime: pip install tflite-runtime==2.14.0 'numpy<2' "
            "'opencv-python<4.12'",
        ),
        ("onnxruntime", "Running tiny_fp32.tflite needs ONNX Runtime: pip install onnxruntime"),
    ],
)
def test_a_missing_engine_says_what_to_install(engine, line):
    block = (
        "import sys; sys.modules.update(dict.fromkeys(['ai_edge_litert', 'tflite_runtime', 'onnxruntime']));"
    )
    code = f"{block} from runtime.engines import ENGINES, EngineError\n"
    code += f"try: ENGINES[{engine!r}]({str(FP32)!r})\nexcept EngineError as error: print(error)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=DATA.parent.parent
    )
    assert done.stdout.strip() == line, done.stderr


def test_a_model_has_its_card_labels_path_and_engine(faces):
    _needs("litert")
    model = load_model(FP32)
    assert model.labels == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert (model.path, model.engine, model.card["precision"]) == (FP32, "litert", "fp32")
    assert model(faces).shape == (7, 7)


@pytest.mark.parametrize(
    ("wrong", "got"),
    [
        (np.zeros((1, 48, 48, 1), np.float32), r"float32 \(1, 48, 48, 1\)"),
        (np.zeros((48, 48), np.uint8), r"uint8 \(48, 48\)"),
        (np.zeros((1, 48, 48, 3), np.uint8), r"uint8 \(1, 48, 48, 3\)"),
        ([[0]], "list"),
    ],
)
def test_wrong_faces_are_refused_with_what_was_expected(wrong, got):
    _needs("opencv")
    with pytest.raises(
        ValueError, match=r"Expected faces as a uint8 array of shape \(n, 48, 48, 1\), got " + got
    ):
        load_model(ONNX, engine="opencv")(wrong)


def test_a_file_without_its_card_is_refused(tmp_path):
    shutil.copy(FP32, tmp_path)
    with pytest.raises(CardError, match=r"tiny_fp32\.tflite\.json"):
        load_model(tmp_path / FP32.name)


def test_a_file_that_its_card_does_not_describe_is_refused(tmp_path):
    shutil.copy(INT8, tmp_path / FP32.name)
    shutil.copy(card_path(FP32), tmp_path)
    with pytest.raises(CardError, match="expected the file that its card describes"):
        load_model(tmp_path / FP32.name)


def test_opencv_refuses_what_the_card_calls_another_precision(tmp_path):
    shutil.copy(ONNX, tmp_path)
    card = json.loads(card_path(ONNX).read_text(encoding="utf-8")) | {"precision": "fp16"}
    card_path(tmp_path / ONNX.name).write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(EngineError, match="OpenCV runs float32 models only, got precision fp16"):
        load_model(tmp_path / ONNX.name, engine="opencv")


def test_fewer_labels_than_scores_are_refused(tmp_path):
    shutil.copy(ONNX, tmp_path)
    card = json.loads(card_path(ONNX).read_text(encoding="utf-8"))
    card["labels"] = card["labels"][:5]
    card["output"]["shape"] = [None, 5]
    card_path(tmp_path / ONNX.name).write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(ModelError, match="expected 5 scores as the card has labels, got 7"):
        load_model(tmp_path / ONNX.name, engine="opencv")


@pytest.mark.parametrize(
    ("model", "keywords", "error", "message"),
    [
        (FP32, {"engine": "torch"}, EngineError, "an engine of litert, tflite_runtime, onnxruntime, opencv"),
        (FP32, {"engine": "opencv"}, EngineError, r"opencv doesn't run \.tflite files; litert and"),
        (FP32, {"threads": 0}, ValueError, "Expected 1 to 256 threads, got 0"),
        (FP32, {"threads": 100_000}, ValueError, "Expected 1 to 256 threads, got 100000"),
        ("nothing_of_this_name", {}, ModelError, "No released model is called 'nothing_of_this_name'"),
        ("models/cnn.keras", {}, ModelError, r"expected a model file ending in \.tflite or \.onnx"),
        ("absent.tflite", {}, ModelError, r"absent\.tflite: no such model file"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_named(model, keywords, error, message):
    with pytest.raises(error, match=message):
        load_model(model, **keywords)


@pytest.fixture
def released(tmp_path, monkeypatch):
    """The tiny models in the place of the released ones."""
    for path in (FP32, INT8, ONNX):
        shutil.copy(path, tmp_path)
        shutil.copy(card_path(path), tmp_path)
    monkeypatch.setattr(model_module, "RELEASED", tmp_path)
    return tmp_path


def test_released_models_are_listed_the_smaller_file_first(released):
    names = [path.name for path, _ in model_module.released_models()]
    assert names == ["tiny_fp32.onnx", "tiny_int8_io.tflite", "tiny_fp32.tflite"]


@pytest.mark.parametrize(
    ("engine", "name"), [("onnxruntime", ONNX.name), ("litert", INT8.name), ("opencv", ONNX.name)]
)
def test_a_name_opens_the_released_file_of_the_engine(released, engine, name):
    _needs(engine)
    model = load_model("tiny", engine=engine)
    assert (model.path.name, model.engine) == (name, engine)


def test_a_name_takes_litert_where_it_is_installed(released):
    _needs("litert")
    assert load_model("tiny").engine == "litert"


def test_a_name_says_what_to_install_where_no_engine_is(released, monkeypatch):
    monkeypatch.setattr(model_module, "is_installed", lambda engine: False)
    with pytest.raises(EngineError, match=r"pip install ai-edge-litert or pip install onnxruntime"):
        load_model("tiny")


def test_an_unknown_name_is_answered_with_the_known_ones(released):
    with pytest.raises(ModelError, match="No released model is called 'huge': expected one of tiny"):
        load_model("huge")


def test_importing_the_engines_imports_none_of_them():
    code = "import runtime, sys\n"
    code += "print(sorted({'ai_edge_litert', 'onnxruntime', 'tflite_runtime'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=DATA.parent.parent
    )
    assert done.stdout.strip() == "[]", done.stderr
