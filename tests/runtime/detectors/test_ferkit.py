"""Our own detector: its arithmetic, its files in every engine, and faults, each in one line."""

import hashlib
import json

import cv2
import numpy as np
import pytest

from runtime.card import card_path
from runtime.detectors import DetectorError, load_detector, load_ferkit
from runtime.detectors.ferkit import MOST_CANDIDATES, letterbox, surest
from runtime.model import load_model
from tests.support.tiny_detector import write_detector

# --- a frame into the input ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "columns", "shown_rows", "shown_columns"),
    [
        (480, 640, 240, 320),  # reduced to fit
        (512, 512, 256, 256),
        (240, 320, 240, 320),  # as it is
        (220, 230, 220, 230),  # as it is, because its longest side has 200 pixels
        (48, 48, 200, 200),  # enlarged to 200
        (1, 1, 200, 200),
        (10, 16000, 1, 320),
        (16000, 10, 256, 1),
    ],
)
def test_an_image_lies_in_the_upper_left_corner(rows, columns, shown_rows, shown_columns):
    pixels, ratio = letterbox(np.full((rows, columns), 200, np.uint8), height=256, width=320)
    assert pixels.shape == (256, 320)
    assert (pixels[:shown_rows, :shown_columns] == 200).all()
    assert pixels.sum() == 200 * shown_rows * shown_columns
    np.testing.assert_allclose(ratio, [shown_columns / columns, shown_rows / rows] * 2)


def test_an_image_is_reduced_by_area():
    gray = np.random.default_rng(0).integers(0, 256, (480, 640), np.uint8)
    means = gray.reshape(240, 2, 320, 2).mean(axis=(1, 3))
    pixels, _ = letterbox(gray, height=256, width=320)
    np.testing.assert_allclose(pixels[:240], means, atol=0.51)


# --- answers into boxes ----------------------------------------------------------------------------


def test_of_overlapping_boxes_the_surest_is_kept_and_the_order_is_by_confidence():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 10, 10], [50, 50, 10, 10], [0, 6, 10, 10]], np.float32)
    confidences = np.array([0.7, 0.9, 0.95, 0.8], np.float32)
    found = surest(boxes, confidences, 0.6, 0.4)
    np.testing.assert_allclose(found[:, :4], boxes[[2, 1, 3]])
    np.testing.assert_allclose(found[:, 4], [0.95, 0.9, 0.8], atol=1e-6)


def test_a_box_that_only_overlaps_a_dropped_one_is_kept():
    boxes = np.array([[0, 0, 10, 10], [4, 0, 10, 10], [8, 0, 10, 10]], np.float32)
    found = surest(boxes, np.array([0.9, 0.8, 0.7], np.float32), 0.6, 0.4)
    assert found[:, 0].tolist() == [0, 8]


def test_of_equal_confidences_the_earlier_place_wins():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 10, 10]], np.float32)
    assert surest(boxes, np.array([0.9, 0.9], np.float32), 0.6, 0.4)[0, 0] == 0


def test_a_confidence_at_the_threshold_is_a_face():
    assert len(surest(np.ones((1, 4), np.float32), np.array([0.6], np.float32), 0.6, 0.4)) == 1
    assert surest(np.ones((1, 4), np.float32), np.array([0.59], np.float32), 0.6, 0.4).shape == (0, 5)


def test_no_more_than_the_surest_candidates_are_compared():
    boxes = np.array([[20 * place, 0, 10, 10] for place in range(1680)], np.float32)
    confidences = np.linspace(0.7, 0.9, 1680, dtype=np.float32)
    found = surest(boxes, confidences, 0.6, 0.4)
    assert len(found) == MOST_CANDIDATES
    assert found[0, 0] == boxes[-1, 0]


# --- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["onnxruntime", "opencv"])
def test_boxes_of_a_file_are_in_pixels_of_the_frame(tmp_path, engine):
    pytest.importorskip("onnxruntime")
    path = write_detector(tmp_path, box=(10, 20, 30, 40), confidence=0.9)
    boxes = load_ferkit(path, engine=engine)(np.zeros((480, 640, 3), np.uint8))
    np.testing.assert_allclose(boxes, [[20, 40, 60, 80, 0.9]], rtol=1e-6)


def test_every_engine_gives_the_same_boxes(portrait, tmp_path):
    from tests.support.detector_files import ferkit_files

    files = ferkit_files("fp32")
    if len(files) < 2:
        pytest.skip("our detector is not here: make export writes it")
    runs = [(file, engine) for file, engine in files]
    first, *others = [load_ferkit(file, engine=engine, min_confidence=0.5)(portrait) for file, engine in runs]
    assert len(first) == 1
    for boxes in others:
        np.testing.assert_allclose(boxes, first, atol=0.05)


def test_the_portrait_needs_no_colour(ferkit_file, portrait):
    detector = load_ferkit(ferkit_file)
    gray = cv2.cvtColor(cv2.cvtColor(portrait, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    np.testing.assert_array_equal(detector(gray), detector(portrait))


# --- faults ----------------------------------------------------------------------------------------


def fault(path):
    """The line that says why a detector can't be loaded."""
    with pytest.raises(DetectorError) as caught:
        load_detector(path)
    line = str(caught.value)
    assert "\n" not in line
    assert path.name in line
    return line


def test_a_file_without_its_card_is_named(tmp_path):
    path = write_detector(tmp_path)
    card_path(path).unlink()
    assert "expected the card of" in fault(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    assert "no such file" in fault(tmp_path / "gone.tflite")


def test_a_damaged_file_is_named(tmp_path):
    path = write_detector(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    assert "expected the file that its card describes" in fault(path)


def test_a_damaged_file_with_a_card_that_fits_is_named(tmp_path):
    path = write_detector(tmp_path)
    path.write_bytes(b"no model")
    forge(path)
    assert "can't be opened by" in fault(path)


def test_values_that_are_no_numbers_are_named(tmp_path):
    assert "no numbers" in fault(write_detector(tmp_path, box=(0, 0, np.nan, 1)))
    assert "no numbers" in fault(write_detector(tmp_path, confidence=np.nan))


def test_a_file_with_other_outputs_is_named(tmp_path):
    line = fault(write_detector(tmp_path, outputs=("scores", "confidences", "eyes")))
    assert "expected the outputs boxes, confidences, got scores, confidences, eyes" in line


def test_a_file_with_other_shapes_than_its_card_is_named(tmp_path):
    path = write_detector(tmp_path)
    card = json.loads(card_path(path).read_text())
    card["input"]["shape"] = [1, 64, 64, 1]
    card_path(path).write_text(json.dumps(card))
    assert "expected the shapes (1, 64, 64, 1)" in fault(path)


def test_a_classifier_is_no_detector_and_a_detector_no_classifier(tmp_path):
    from tests.support.command import MODEL

    assert "--model" in fault(MODEL)
    with pytest.raises(ValueError, match="--detector"):
        load_model(write_detector(tmp_path))


def forge(path):
    """Makes the card fit the file."""
    card = json.loads(card_path(path).read_text())
    data = path.read_bytes()
    card |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    card_path(path).write_text(json.dumps(card))
