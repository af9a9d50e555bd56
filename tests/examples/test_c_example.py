"""The C example gives this runtime's numbers, and says what it can't take."""

import json
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from android import build
from runtime.model import load_model
from runtime.recognizer import Recognizer
from tests.data.make_golden import PATH as GOLDEN_PATH
from tests.support.golden import GOLDEN, face_of

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "examples" / "c"
TFLITE = [model for model in GOLDEN["models"] if model["file"].endswith(".tflite")]
CNN = "runtime/models/cnn_int8.tflite"
EDGE = "runtime/models/edge_int8.tflite"
DETECTOR = "runtime/models/detectors/detector_int8.tflite"
PORTRAIT = ROOT / "demo" / "astronaut.jpg"


def compiled(name, folder):
    """Returns what runs an example with its arguments, compiled into a folder."""
    library = build.litert_library()
    if not shutil.which("gcc") or library is None:
        pytest.skip("needs gcc and the package ai-edge-litert")
    program = folder / name
    command = ["gcc", "-std=c11", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    command += [str(SOURCES / f"{name}.c"), "-o", str(program)]
    command += [f"-L{library.parent}", "-lLiteRt", "-lm", f"-Wl,-rpath,{library.parent}"]
    subprocess.run(command, check=True)
    return lambda *arguments: subprocess.run(
        [program, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def classify(tmp_path_factory):
    return compiled("classify", tmp_path_factory.mktemp("c"))


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    return compiled("faces", tmp_path_factory.mktemp("c"))


@pytest.mark.parametrize("model", TFLITE, ids=lambda model: model["file"])
@pytest.mark.parametrize("number", [0, len(GOLDEN["crops"]) - 1])
def test_the_example_gives_the_scores_that_python_gives(classify, model, number):
    done = classify(model["file"], GOLDEN_PATH, number)
    assert done.returncode == 0, done.stderr
    labels, scores = zip(*(line.rsplit(" ", 1) for line in done.stdout.splitlines()), strict=True)
    opened = load_model(ROOT / model["file"], engine="litert")
    face = face_of(GOLDEN["crops"][number])[np.newaxis, ..., np.newaxis]
    assert tuple(json.loads(f'"{label}"') for label in labels) == opened.labels  # as the card spells them
    np.testing.assert_allclose(np.array(scores, np.float64), opened(face)[0], rtol=0, atol=1e-6)
    gap = np.abs(np.array(scores, np.float64) - model["scores"][number]).max()
    assert gap <= opened.card["parity"]["largest_gap"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((CNN,), "expected MODEL.tflite golden.json CROP"),
        ((CNN, GOLDEN_PATH, "first"), "first: expected a crop's number, 0 or more"),
        ((CNN, GOLDEN_PATH, 9999), "golden.json: expected a crop of this number, got none"),
        ((CNN, "nowhere.json", 0), "nowhere.json: can't be read"),
        (("nowhere.tflite", GOLDEN_PATH, 0), "nowhere.tflite: LiteRT can't open the file: status 500"),
        (("README.md", GOLDEN_PATH, 0), "README.md: LiteRT can't open the file: status 500"),
    ],
)
def test_the_example_names_what_it_cannot_take(classify, arguments, said):
    done = classify(*arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.rstrip().endswith(said)


def test_a_file_of_another_shape_is_refused(classify, tmp_path):
    """The tiny float model, with an output that claims a hundred and one scores."""
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    flatbuffers = pytest.importorskip("flatbuffers")
    data = (ROOT / "tests" / "data" / "tiny_fp32.tflite").read_bytes()
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data))
    graph = model.subgraphs[0]
    graph.tensors[graph.outputs[0]].shape = [1, 101]
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    path = tmp_path / "many.tflite"
    path.write_bytes(builder.Output())
    done = classify(path, GOLDEN_PATH, 0)
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith(
        f"{path}: expected an input of shape (1, 48, 48, 1), and 2 to 100 scores"
    )


@pytest.mark.parametrize(("width", "height"), [(512, 512), (500, 520), (96, 90), (701, 680)])
def test_the_faces_of_the_portrait_are_those_that_python_finds(faces, tmp_path, width, height):
    """In the gray portrait, which the detector takes halved, reduced or enlarged."""
    gray = cv2.resize(cv2.imread(str(PORTRAIT), cv2.IMREAD_GRAYSCALE), (width, height))
    image = tmp_path / "portrait.pgm"
    cv2.imwrite(str(image), gray)
    done = faces(DETECTOR, EDGE, image)
    assert done.returncode == 0, done.stderr
    found = [line.split(" ") for line in done.stdout.splitlines()]
    recognize = Recognizer(ROOT / EDGE, ROOT / DETECTOR, engine="litert")
    expected = recognize(np.repeat(gray[..., np.newaxis], 3, axis=2))
    assert len(expected) >= 1
    assert [tuple(map(int, face[:4])) for face in found] == [face.box for face in expected]
    assert [face[5] for face in found] == [face.label for face in expected]
    numbers = [(float(face[4]), float(face[6])) for face in found]
    np.testing.assert_allclose(
        numbers, [(face.confidence, face.score) for face in expected], rtol=0, atol=1e-6
    )


def test_a_colour_image_gives_the_faces_of_its_gray(faces, tmp_path):
    image = cv2.imread(str(PORTRAIT))
    cv2.imwrite(str(tmp_path / "colour.ppm"), image)
    cv2.imwrite(str(tmp_path / "gray.pgm"), cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    colour, gray = (faces(DETECTOR, EDGE, tmp_path / name).stdout for name in ("colour.ppm", "gray.pgm"))
    assert colour == gray != ""


@pytest.mark.parametrize("name", ["classify.c", "faces.c", "image.h", "litert.h"])
def test_each_file_of_the_examples_has_fewer_than_200_lines(name):
    assert len((SOURCES / name).read_text(encoding="utf-8").splitlines()) < 200


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "expected a binary PGM or PPM file (P5 or P6) without comments, 8 bits a colour"),
        (b"P5 0 4 255 ", "expected a binary PGM or PPM file (P5 or P6) without comments, 8 bits a colour"),
        (b"P6 4 4 255 abc", "expected all of the file's pixels, got fewer"),
        (b"P5 60000 60000 255 abc", "expected all of the file's pixels, got fewer"),
    ],
)
def test_an_image_that_is_none_is_refused(faces, tmp_path, data, said):
    path = tmp_path / "image.ppm"
    path.write_bytes(data)
    done = faces("detector.tflite", CNN, path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"{path}: {said}\n"


def test_a_classifier_is_no_detector(faces, tmp_path):
    path = tmp_path / "image.pgm"
    path.write_bytes(b"P5 2 2 255 abcd")
    done = faces(CNN, CNN, path)
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith(f"{CNN}: expected a detector, with boxes and confidences")
