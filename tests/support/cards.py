"""Cards that are wrong in one field: a change to a good card, and what `read_card` says of it."""

import json
import math
from pathlib import Path

from runtime.card import card_path

DATA = Path(__file__).parents[1] / "data"
DETECTOR = DATA / "detector.tflite"  # a card without its file
TINY = DATA / "tiny_int8_io.tflite"


def tiny_card():
    """Returns the card of the tiny model with int8 input and output."""
    return json.loads(card_path(TINY).read_text(encoding="utf-8"))


def detector_card():
    """Returns the card of a face detector."""
    return json.loads(card_path(DETECTOR).read_text(encoding="utf-8"))


def delete(*keys):
    """Returns a change that leaves a field out."""

    def change(card):
        for key in keys[:-1]:
            card = card[key]
        del card[keys[-1]]

    return change


def put(value, *keys):
    """Returns a change that gives a field another value."""

    def change(card):
        for key in keys[:-1]:
            card = card[key]
        card[keys[-1]] = value

    return change


WRONG = [
    (put(2, "card_version"), r"expected card_version 1, got 2"),
    (delete("card_version"), r"expected card_version 1, got none"),
    (put(True, "card_version"), r"expected card_version 1, got true"),
    (delete("labels"), r"expected the field labels, got none"),
    (put("happy", "labels"), r"expected labels to be a list, got text"),
    (put(["happy", "happy"], "labels"), r"expected labels as a list of different names"),
    (put([], "labels"), r"expected labels as a list of different names"),
    (put(["happy", " "], "labels"), r"expected labels as a list of different names"),
    (put(["happy", "sad\n"], "labels"), r"expected labels as a list of different names"),
    (put(["happy", "h\udcff"], "labels"), r"expected labels as a list of different names"),
    (put("abc", "sha256"), r"expected sha256 as 64 hexadecimal digits, got 'abc'"),
    (put("0" * 64 + "\n", "sha256"), r"expected sha256 as 64 hexadecimal digits, got '0+"),
    (put(1.5, "bytes"), r"expected bytes to be a whole number, got a number"),
    (put(True, "bytes"), r"expected bytes to be a whole number, got true or false"),
    (put([1, 64, 64, 1], "input", "shape"), r"expected input\.shape \[1, 48, 48, 1\] or \[null"),
    (put([True, 48, 48, 1], "input", "shape"), r"expected input\.shape \[1, 48, 48, 1\] or \[null"),
    (put([1, 7, 7], "output", "shape"), r"expected output\.shape \[1, 7\] or \[null, 7\], got \[1, 7, 7\]"),
    (put("float16", "input", "dtype"), r"expected input\.dtype float32, int8 or uint8, got \"float16\""),
    (put("float32", "input", "dtype"), r"expected input\.quantization to be null, got an object"),
    (put(None, "output", "quantization"), r"expected output\.quantization to be an object, got null"),
    (delete("output", "quantization", "scale"), r"the field output\.quantization\.scale, got none"),
    (put(0, "output", "quantization", "scale"), r"expected output\.quantization\.scale above 0, got 0\."),
    (put(0.5, "output", "quantization", "zero_point"), r"quantization\.zero_point to be a whole number"),
    (put([0, 1], "input", "range"), r"expected input\.range \[0, 255\] \(gray pixels\), got \[0, 1\]"),
    (put([False, 255], "input", "range"), r"expected input\.range \[0, 255\] \(gray pixels\), got \[false"),
    (delete("input", "crop", "haar"), r"expected the field input\.crop\.haar, got none"),
    (put(0, "input", "crop", "haar", "scale"), r"crop\.haar\.scale from 0\.1 to 10, got 0\."),
    (put(math.nan, "input", "crop", "haar", "shift_y"), r"haar\.shift_y from -10 to 10, got nan"),
    (put(math.inf, "input", "crop", "yunet", "scale"), r"yunet\.scale from 0\.1 to 10, got inf"),
    (put(10**400, "input", "crop", "yunet", "scale"), r"0\.1 to 10, got 10{19}\.\.\."),
    (put(10.00001, "input", "crop", "yunet", "scale"), r"0\.1 to 10, got 10\.00001\."),
    (put("x", "input", "crop", "yunet", "scale"), r"input\.crop\.yunet\.scale to be a whole number"),
    (delete("parity", "largest_gap"), r"expected the field parity\.largest_gap, got none"),
    (put("high", "accuracy"), r"expected accuracy to be an object or null, got text"),
    (put(3, "page"), r"expected page to be text or null, got a whole number"),
]

WRONG_DETECTOR = [
    (put("classifier", "kind"), r'expected the kind "detector", or none for a classifier, got "classifier"'),
    (delete("kind"), r"expected the field labels, got none"),
    (delete("outputs"), r"expected the field outputs, got none"),
    (delete("outputs", "eyes"), r"expected the field outputs\.eyes, got none"),
    (put([1, 1680, 5], "outputs", "boxes", "shape"), r"expected outputs\.boxes\.shape \[1, 1680, 4\]"),
    (put([None, 256, 320, 1], "input", "shape"), r"expected input as float32 \[1, 256, 320, 1\], got"),
    (put([1, 0, 320, 1], "input", "shape"), r"expected input\.shape with sizes of at least 1"),
    (put([1, True, 320, 1], "input", "shape"), r"expected input\.shape with sizes of at least 1"),
    (put({"corner": "centre", "fill": 0}, "input", "letterbox"), r"expected input\.letterbox"),
    (put(False, "input", "letterbox", "fill"), r"expected input\.letterbox"),
    (put(1.5, "threshold"), r"expected threshold from 0 to 1, got 1\.5\."),
    (put("0.5", "overlap"), r"expected overlap to be a whole number or a number, got text"),
]

# Wrong beside its file alone, or field against field: JSON Schema can't say these.
WRONG_TOGETHER = [
    (put("other.tflite", "file"), r"expected file tiny_int8_io\.tflite, got other\.tflite"),
    (put([1, 8], "output", "shape"), r"expected output\.shape \[1, 7\] or \[null, 7\], got \[1, 8\]"),
]
