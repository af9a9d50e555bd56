"""The card: read, checked, and refused with the field that is wrong."""

import json
import math
import shutil
from pathlib import Path

import cv2
import pytest

from runtime.card import CardError, card_path, check_file, read_card
from runtime.recognizer import Recognizer

DATA = Path(__file__).parent.parent / "data"
TINY = DATA / "tiny_int8_io.tflite"


@pytest.fixture
def artifact(tmp_path):
    """A copy of a tiny model and its card, and a function that changes the card."""
    path = tmp_path / TINY.name
    path.write_bytes(TINY.read_bytes())
    card = json.loads(card_path(TINY).read_text(encoding="utf-8"))

    def write(change=lambda card: None):
        change(card)
        card_path(path).write_text(json.dumps(card), encoding="utf-8")
        return path

    return write


def test_the_card_stands_beside_the_file_under_its_whole_name():
    assert card_path("models/cnn_int8.tflite") == Path("models/cnn_int8.tflite.json")


def test_a_card_is_read_as_it_stands():
    card = read_card(TINY)
    assert card["card_version"] == 1
    assert card["labels"] == ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
    assert card["input"]["dtype"] == "int8"
    assert card["input"]["crop"]["yunet"] == {"scale": 1.1, "shift_x": 0.0, "shift_y": 0.0}


def test_a_field_that_this_release_does_not_know_is_kept(artifact):
    assert (
        read_card(artifact(lambda card: card.update(colour_of_the_lab="green")))["colour_of_the_lab"]
        == "green"
    )


def test_a_missing_card_is_named_with_what_to_do(tmp_path):
    with pytest.raises(
        CardError, match=r"cnn\.tflite\.json: expected the card of cnn\.tflite, got no such file.*copy both"
    ):
        read_card(tmp_path / "cnn.tflite")


def test_a_card_that_is_no_json_is_named_with_its_line(tmp_path):
    card_path(tmp_path / "cnn.onnx").write_text('{"card_version": 1,\n oops', encoding="utf-8")
    with pytest.raises(CardError, match=r"cnn\.onnx\.json:2: expected JSON"):
        read_card(tmp_path / "cnn.onnx")


def _delete(*keys):
    def change(card):
        for key in keys[:-1]:
            card = card[key]
        del card[keys[-1]]

    return change


def _put(value, *keys):
    def change(card):
        for key in keys[:-1]:
            card = card[key]
        card[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_put(2, "card_version"), r"expected card_version 1, got 2"),
        (_delete("card_version"), r"expected card_version 1, got none"),
        (_put(True, "card_version"), r"expected card_version 1, got true"),
        (_delete("labels"), r"expected the field labels, got none"),
        (_put("happy", "labels"), r"expected labels to be a list, got text"),
        (_put(["happy", "happy"], "labels"), r"expected labels as a list of different names"),
        (_put("other.tflite", "file"), r"expected file tiny_int8_io\.tflite, got other\.tflite"),
        (_put("abc", "sha256"), r"expected sha256 as 64 hexadecimal digits, got 'abc'"),
        (_put(1.5, "bytes"), r"expected bytes to be a whole number, got a number"),
        (_put(True, "bytes"), r"expected bytes to be a whole number, got true or false"),
        (_put([1, 64, 64, 1], "input", "shape"), r"expected input\.shape \[1, 48, 48, 1\] or \[null"),
        (_put([1, 8], "output", "shape"), r"expected output\.shape \[1, 7\] or \[null, 7\], got \[1, 8\]"),
        (_put("float16", "input", "dtype"), r"expected input\.dtype float32, int8 or uint8, got \"float16\""),
        (_put("float32", "input", "dtype"), r"expected input\.quantization to be null, got an object"),
        (_put(None, "output", "quantization"), r"expected output\.quantization to be an object, got null"),
        (_delete("output", "quantization", "scale"), r"the field output\.quantization\.scale, got none"),
        (_put([0, 1], "input", "range"), r"expected input\.range \[0, 255\] \(gray pixels\), got \[0, 1\]"),
        (_delete("input", "crop", "haar"), r"expected the field input\.crop\.haar, got none"),
        (_put(["happy", "h\udcff"], "labels"), r"expected labels as a list of different names"),
        (_put(0, "input", "crop", "haar", "scale"), r"crop\.haar\.scale from 0\.1 to 10, got 0\."),
        (_put(math.nan, "input", "crop", "haar", "shift_y"), r"haar\.shift_y from -10 to 10, got nan"),
        (_put(math.inf, "input", "crop", "yunet", "scale"), r"yunet\.scale from 0\.1 to 10, got inf"),
        (_put(10**400, "input", "crop", "yunet", "scale"), r"0\.1 to 10, got 10{19}\.\.\."),
        (_put(10.00001, "input", "crop", "yunet", "scale"), r"0\.1 to 10, got 10\.00001\."),
        (_put("x", "input", "crop", "yunet", "scale"), r"input\.crop\.yunet\.scale to be a whole number"),
        (_put("high", "accuracy"), r"expected accuracy to be an object or null, got text"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_with_expected_and_got(artifact, change, message):
    with pytest.raises(CardError, match=message) as caught:
        read_card(artifact(change))
    assert "tiny_int8_io.tflite.json" in str(caught.value)


def test_a_card_that_is_a_list_is_refused(tmp_path):
    card_path(tmp_path / "cnn.onnx").write_text("[1]", encoding="utf-8")
    with pytest.raises(CardError, match="expected an object, got a list"):
        read_card(tmp_path / "cnn.onnx")


def test_an_unmeasured_accuracy_is_null(artifact):
    assert read_card(artifact(_put(None, "accuracy")))["accuracy"] is None


def test_the_file_of_the_card_passes(artifact):
    path = artifact()
    check_file(path, read_card(path))


def test_a_file_cut_short_is_refused_by_its_size(artifact):
    path = artifact()
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CardError, match=r"\(2848 bytes\), got 2847 bytes"):
        check_file(path, read_card(path))


def test_a_file_with_one_bit_changed_is_refused_by_its_hash(artifact):
    path = artifact()
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    with pytest.raises(CardError, match=r"got sha256 [0-9a-f]{64}\. The file is incomplete"):
        check_file(path, read_card(path))


def test_a_later_release_s_further_field_of_a_crop_is_left_alone(tmp_path):
    path = tmp_path / "tiny_fp32.onnx"
    shutil.copy(DATA / path.name, path)
    card = json.loads(card_path(DATA / path.name).read_text())
    card["input"]["crop"]["haar"]["turn"] = 5
    card_path(path).write_text(json.dumps(card))
    frame = cv2.imread(str(DATA.parent.parent / "demo" / "astronaut.jpg"))
    with Recognizer(path, "haar", engine="opencv") as recognize:
        assert len(recognize(frame)) == 1
