"""What a card says of a model before its file is written."""

from pathlib import Path

import pytest

pytest.importorskip("keras")
pytest.importorskip("onnx")

import keras

from dataset.fer2013 import LABELS
from export import card
from train.models import MODELS


def test_every_model_of_the_kit_has_a_description_of_its_own():
    described = [card.describe(name, "fp32", "tflite", list(LABELS))["description"] for name in MODELS]
    own = card.describe("mine", "fp32", "tflite", list(LABELS))["description"]
    assert own == "A model trained with this kit."
    assert len({*described, own}) == len(MODELS) + 1


def test_a_model_of_ones_own_has_no_description_and_licence_of_ours():
    ours = card.describe("cnn", "fp32", "tflite", list(LABELS), released=True)
    own = card.describe("cnn", "fp32", "tflite", list(LABELS), released=False)
    assert (ours["licence"], own["licence"]) == ("MIT", "not stated")
    assert "the study" in ours["description"]
    assert own["description"] == "A model trained with this kit."


@pytest.mark.parametrize("name", [*MODELS, "detector"])
def test_the_card_of_a_released_model_leads_to_its_page(name):
    page = card.page_of(name, released=True)["page"]
    assert (Path(__file__).parents[2] / page).is_file()
    assert card.page_of(name, released=False) == {"page": None}


def test_versions_name_tensorflow_under_either_of_its_packages():
    found = card.versions_of("keras", "tensorflow", "no-such-package")
    assert found == {"keras": keras.__version__, "tensorflow": found["tensorflow"]}
    assert found["tensorflow"][0].isdigit()
