"""The card: read, checked, and refused with the field that is wrong."""

import json
import shutil
from pathlib import Path

import cv2
import pytest

from runtime.card import CardError, card_path, check_file, read_card
from runtime.recognizer import Recognizer
from tests.support.cards import DATA, TINY, WRONG, WRONG_TOGETHER, put, tiny_card


@pytest.fixture
def artifact(tmp_path):
    """A copy of a tiny model and its card, and a function that changes the card."""
    path = tmp_path / TINY.name
    path.write_bytes(TINY.read_bytes())
    card = tiny_card()

    def write(change=lambda card: None):
        change(card)
        card_path(path).write_text(json.dumps(card), encoding="utf-8")
        return path

    return write


def test_the_card_is_beside_the_file_under_its_whole_name():
    assert card_path("models/cnn_int8.tflite") == Path("models/cnn_int8.tflite.json")


def test_a_card_is_read_as_it_is():
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


@pytest.mark.parametrize(("change", "message"), [*WRONG, *WRONG_TOGETHER])
def test_a_wrong_field_is_named_with_expected_and_got(artifact, change, message):
    with pytest.raises(CardError, match=message) as caught:
        read_card(artifact(change))
    assert "tiny_int8_io.tflite.json" in str(caught.value)


def test_a_card_that_is_a_list_is_refused(tmp_path):
    card_path(tmp_path / "cnn.onnx").write_text("[1]", encoding="utf-8")
    with pytest.raises(CardError, match="expected an object, got a list"):
        read_card(tmp_path / "cnn.onnx")


def test_an_unmeasured_accuracy_is_null(artifact):
    assert read_card(artifact(put(None, "accuracy")))["accuracy"] is None


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
