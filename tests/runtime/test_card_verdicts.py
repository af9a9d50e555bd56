"""The verdicts that ports are held to are those of `read_card` and of the schema of today."""

import json

import pytest

from runtime.card import CardError, card_path, read_card
from tests.data.make_card_verdicts import PATH, apply, json_of, make_verdicts
from tests.support.cards import DATA

VERDICTS = json.loads(PATH.read_text(encoding="utf-8"))


def is_taken(card, name, folder):
    path = folder / name.removesuffix(".json")
    card_path(path).write_text(json.dumps(card), encoding="utf-8")
    try:
        read_card(path)
    except CardError:
        return False
    return True


@pytest.mark.parametrize("entry", VERDICTS, ids=lambda entry: f"{entry['card']}: {entry['at']}")
def test_the_reader_gives_the_same_verdicts(entry, tmp_path):
    card = json.loads((DATA / entry["card"]).read_text(encoding="utf-8"))
    assert is_taken(apply(card, entry["at"]), entry["card"], tmp_path) == entry["optional"]
    for expected in ("valid", "refused"):
        for value in entry[expected]:
            changed = apply(card, entry["at"], value)
            assert is_taken(changed, entry["card"], tmp_path) == (expected == "valid"), value


def test_the_schema_gives_the_same_verdicts():
    pytest.importorskip("jsonschema")
    assert PATH.read_text(encoding="utf-8") == json_of(make_verdicts())
