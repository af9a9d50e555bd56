"""`card.schema.json` and `read_card` refuse the same cards."""

import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import runtime
from runtime.card import FIELDS, FIELDS_OF_KIND, CardError, card_path, kind_of, read_card
from tests.support.cards import (
    DATA,
    DETECTOR,
    TINY,
    WRONG,
    WRONG_DETECTOR,
    WRONG_TOGETHER,
    detector_card,
    tiny_card,
)

jsonschema = pytest.importorskip("jsonschema")

SCHEMA = json.loads((Path(runtime.__file__).parent / "card.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
RELEASED = Path(runtime.__file__).parent / "models"
EXPORTED = Path(__file__).parents[2] / "artifacts"
MODELS = [
    path
    for folder in (RELEASED, DATA, EXPORTED)
    for path in sorted([*folder.glob("*.*"), *folder.glob("detectors/*.*")])
    if path.suffix in (".tflite", ".onnx")
]


def refused_by_schema(text):
    """Whether a text is no JSON, which has no NaN, or no card by the schema."""

    def no_number(name):
        raise ValueError(name)

    try:
        card = json.loads(text, parse_constant=no_number)
    except ValueError:
        return True
    return not VALIDATOR.is_valid(card)


def refused_by_reader(folder, text, name=TINY.name):
    path = folder / name
    card_path(path).write_text(text, encoding="utf-8")
    try:
        read_card(path)
    except CardError:
        return True
    return False


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_describes_every_field_of_the_reader():
    for kind, own in FIELDS_OF_KIND.items():
        fields = FIELDS | own
        optional = {field for field, types in fields.items() if type(None) in types}
        part = SCHEMA["$defs"][kind]
        assert set(SCHEMA["properties"]) | set(part["properties"]) == {*fields, "kind"}
        assert {*SCHEMA["required"], *part["required"]} == set(fields) - optional


@pytest.mark.parametrize("path", MODELS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_card_is_valid(path):
    errors = [error.message for error in VALIDATOR.iter_errors(read_card(path))]
    assert errors == []


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_a_wrong_card_is_refused(change, message):
    card = tiny_card()
    assert VALIDATOR.is_valid(card)
    change(card)
    assert refused_by_schema(json.dumps(card))


@pytest.mark.parametrize(("change", "message"), WRONG_DETECTOR)
def test_a_wrong_card_of_a_detector_is_refused(change, message, tmp_path):
    card = detector_card()
    assert VALIDATOR.is_valid(card)
    change(card)
    assert refused_by_schema(json.dumps(card))
    card_path(tmp_path / DETECTOR.name).write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(CardError, match=message):
        read_card(tmp_path / DETECTOR.name)


@pytest.mark.parametrize(("change", "message"), WRONG_TOGETHER)
def test_what_needs_more_than_the_card_is_left_to_the_reader(change, message):
    card = tiny_card()
    change(card)
    assert VALIDATOR.is_valid(card)


def paths_of(value, path=()):
    """Returns the path of every value in a card: keys and indices."""
    children = ()
    if isinstance(value, dict | list):
        children = value.items() if isinstance(value, dict) else enumerate(value)
    return [path, *(deeper for key, child in children for deeper in paths_of(child, (*path, key)))]


# No floats without a fraction: JSON Schema takes 1.0 for a whole number, `read_card` doesn't. No characters
# beyond U+FFFF or without a meaning: they differ from one Unicode version to the next.
letters = st.characters(max_codepoint=0xFFFF, exclude_categories=["Cn"])
plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: not value.is_integer())
    | st.text(letters)
    | st.sampled_from(["float32", "int8", "uint8", "happy", 0, 1, 255])
)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner), max_leaves=5
)


def changed(card, path, value, is_left_out, name):
    """Gives a card another value at a path, or none there; it stays that of its file."""
    owner = card
    for key in path[:-1]:
        owner = owner[key]
    if is_left_out:
        del owner[path[-1]]
    else:
        owner[path[-1]] = value
    if isinstance(card.get("file"), str):
        card["file"] = name
    return card


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(paths_of(tiny_card())[1:]), values, st.booleans())
def test_schema_and_reader_agree_on_any_change(tmp_path_factory, path, value, is_left_out):
    card = changed(tiny_card(), path, value, is_left_out, TINY.name)
    text = json.dumps(card)
    by_schema = refused_by_schema(text)
    if not by_schema:
        by_schema = card["output"]["shape"][1] != len(card["labels"])
    assert refused_by_reader(tmp_path_factory.getbasetemp(), text) == by_schema


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(paths_of(detector_card())[1:]), values, st.booleans())
def test_schema_and_reader_agree_on_any_change_of_a_detector(tmp_path_factory, path, value, is_left_out):
    card = changed(detector_card(), path, value, is_left_out, DETECTOR.name)
    text = json.dumps(card)
    by_schema = refused_by_schema(text)
    if not by_schema:
        assert kind_of(card) == "detector"
        by_schema = len({output["shape"][1] for output in card["outputs"].values()}) > 1
    assert refused_by_reader(tmp_path_factory.getbasetemp(), text, DETECTOR.name) == by_schema


def test_a_label_is_printable_and_not_blank():
    label = SCHEMA["$defs"]["label"]
    wanted, refused = re.compile(label["pattern"]), re.compile(label["not"]["pattern"])
    differing = [
        letter
        for letter in map(chr, range(0x10000))
        if unicodedata.category(letter) != "Cn"
        and bool(wanted.search(letter) and not refused.search(letter))
        != (letter.isprintable() and not letter.isspace())
    ]
    assert differing == []
