"""The pages of the models: what they state, and what they leave out when nothing measured it."""

import json
import shutil
from pathlib import Path

import pytest

from benchmarks.__main__ import main as benchmark
from benchmarks.comparison.model_pages import OUT, render_page
from benchmarks.comparison.page_inputs import Places, read_citation, read_facts, record_names
from benchmarks.errors import ResultsError
from runtime.card import read_card
from tests.support.flagship import TINY, release

pytest.importorskip("msgspec")
pytest.importorskip("jinja2")
ROOT = Path(__file__).resolve().parents[3]
CITATION = """cff-version: 1.2.0
title: "a kit"
version: 2.3.4
date-released: "2031-05-06"
authors:
  - name: The authors
"""
RECORD = {
    "command": "python -m train --model small",
    "weights_sha256": "ab" * 32,
    "parameters": 12345,
    "seconds": 5400.0,
    "trained_on": "FER2013's own labels",
    "arguments": {"seed": 7},
    "epochs_trained": 3,
    "scores": {"validation": {"accuracy": 0.61}},
}
CLASSIFIERS = ("scores", "trained_on", "arguments", "epochs_trained")  # fields
FACTS = """
[kinds.classifier]
for = ["Looking."]
not_for = ["Deciding."]
[models.small]
for = ["Small machines."]
[groups.people]
title = "People"
meaning = "They posed."
[[data]]
named = "FER2013"
files = ["fer.csv"]
title = "FER2013 | theirs"
licence = "none"
[[data]]
named = "FairFace"
title = "FairFace"
licence = "CC BY 4.0"
"""


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.fixture
def places(tmp_path):
    """A record of a model called small, and nothing else."""
    write(tmp_path / "models" / "small.json", RECORD)
    write(tmp_path / "models" / "small.keras", "")
    write(tmp_path / "CITATION.cff", CITATION)
    return Places(tmp_path / "models", tmp_path / "results", tmp_path / "released", tmp_path / "CITATION.cff")


def page_of(places, name="small"):
    return render_page(name, places, read_facts(places.records))


def section(page, title):
    """The text below a heading, with single spaces."""
    _, found, rest = page.partition(f"\n## {title}\n")
    assert found, f"no section {title}"
    return " ".join(rest.partition("\n## ")[0].split())


def released(places, name="small"):
    """The sha256 of a released file with that name."""
    return read_card(release(places.released, name))["sha256"]


def evaluation(sha256, **other):
    figures = {
        "file": "small_int8.tflite",
        "sha256": sha256,
        "dataset": "FER2013",
        "split": "test",
        "measured": "2031-01-02",
        "faces": 1000,
        "faces_without_duplicates": None,
        "accuracy": 0.6543,
        "accuracy_without_duplicates": None,
        "macro_recall": 0.5,
        "macro_f1": 0.5,
        "negative_log_likelihood": 1.5,
        "calibration_error": 0.0432,
        "classes": {"happy": {"faces": 40, "precision": 0.9, "recall": 0.875, "f1": 0.88, "roc_auc": None}},
    }
    return figures | other


def groups(sha256, *, labelled=2, references=(), **other):
    two = {"right": 1, "count": 2, "low": 0.1, "high": 0.9}
    figures = {"labels": {"happy": two} if labelled else {}, "shares": {"happy": 1.0}, "agreement": two}
    model = {"model": "small", "sha256": sha256, "references": list(references)}
    return {
        "groups_version": 2,
        "name": "people",
        "command": "python -m benchmarks groups people",
        "source": "people",
        "sha256": None,
        "images": 4,
        "labelled": labelled,
        "left_out": [],
        "detector": "ferkit",
        "detector_sha256": None,
        "detector_learned_from": [],
        "pad": 0.0,
        "device": {},
        "measured": "2031-01-02",
        "found": {"everybody": two},
        "models": {"small_int8.tflite": model | {"groups": {"everybody": figures}}},
    } | other


def test_a_record_alone_makes_a_page_that_says_what_was_not_measured(places):
    page = page_of(places)
    assert page.startswith("# small\n")
    for title in ("Accuracy", "For whom it works", "Bad images and shifted boxes", "Calibration"):
        assert section(page, title) == "Not measured."
    assert section(page, "Changes since the last release") == "No candidate is recorded."
    assert "The record names no data." in section(page, "Data")
    training = section(page, "Training")
    assert "python -m train --model small" in training
    for row in ("| seed | 7 |", "| length | 3 epochs |", "| time | 1.5 hours |", "| energy | not measured |"):
        assert row in training
    assert "| hardware | not recorded |" in training
    assert "\n\n\n" not in page


def test_the_purpose_of_the_model_comes_before_that_of_its_kind(places):
    write(places.records / "pages.toml", FACTS)
    page = page_of(places)
    assert section(page, "What it is for") == "- Small machines. - Looking."
    assert section(page, "What it is not for").startswith("- Deciding.")
    assert "| FER2013 \\| theirs | none |" in page
    assert "FairFace" not in page  # the record does not name it


def test_the_faces_that_a_record_counts_are_stated_without_those_of_each_class(places):
    samples = {"train": 27_933, "train_by_class": {"angry": 3_864}, "left_out": 776, "validation": 3_589}
    write(places.records / "small.json", RECORD | {"samples": samples})
    assert "Images: train: 27,933; left out: 776; validation: 3,589." in page_of(places)


def test_figures_are_those_of_the_released_file(places):
    sha256 = released(places)
    write(places.results / "evaluation" / "a.json", evaluation("0" * 64, accuracy=0.1))
    write(places.results / "evaluation" / "b.json", evaluation(sha256))
    write(places.results / "evaluation" / "c.json", evaluation(sha256, split="validation", accuracy=0.2))
    write(
        places.records / "small.measured.json",
        {"keras": {"test": 0.66}, "files": {sha256: {"test": 0.6543}}},
    )
    page = page_of(places)
    accuracy = section(page, "Accuracy")
    assert "1,000 faces of the test split of FER2013, 2031-01-02" in accuracy
    assert "| accuracy | 65.43 % |" in accuracy
    assert "| points lost by quantization | 0.57 |" in accuracy
    assert "| happy | 40 | 90.0 % | 87.5 % | 88.0 % | - |" in accuracy
    assert "| accuracy on validation, before quantization | 61.00 % |" in accuracy
    assert "| expected calibration error, 15 bins | 0.043 |" in section(page, "Calibration")
    assert "| temperature in the last layer | none |" in section(page, "Calibration")
    assert "An untrained net for tests" in page and "`small_int8.tflite`, " in page


def test_a_figure_of_another_file_is_no_figure(places):
    released(places)
    write(places.results / "evaluation" / "small_int8.tflite.json", evaluation("0" * 64))
    write(places.results / "groups" / "people.json", groups("0" * 64))
    page = page_of(places)
    assert section(page, "Accuracy") == section(page, "For whom it works") == "Not measured."


def test_a_model_that_is_not_in_the_package_shows_its_weights_figures(places):
    write(
        places.results / "evaluation" / "small.keras.json",
        evaluation(RECORD["weights_sha256"], file="small.keras"),
    )
    assert "`small.keras` on the 1,000 faces" in section(page_of(places), "Accuracy")


def test_groups_with_labels_come_first_and_those_without_show_agreement(places):
    sha256 = released(places)
    write(places.records / "pages.toml", FACTS)
    write(places.results / "groups" / "a.json", groups(sha256, labelled=0, references=["x", "y"], name="a"))
    write(places.results / "groups" / "people.json", groups(sha256))
    text = section(page_of(places), "For whom it works")
    assert text.startswith("### People 4 images, faces found by ferkit, 2031-01-02.")
    assert "They posed." in text
    assert "| everybody | 50.0 % (10.0-90.0) | 50.0 % (10.0-90.0) |" in text
    assert text.index("### a") > text.index("### People")
    assert "the mean scores of `x` and `y`, which is not accuracy" in text


def test_the_candidates_of_a_model_are_those_with_its_name(places):
    names = ["small, first", "smaller, first", "small, second", "a teacher"]
    write(places.results / "candidates.json", [{"name": name, "change": "wide"} for name in names])
    text = section(page_of(places), "Changes since the last release")
    assert [name for name in names if f"| {name} |" in text] == ["small, first", "small, second"]


def test_a_detector_has_a_page_of_its_own(places):
    record = {key: value for key, value in RECORD.items() if key not in CLASSIFIERS}
    record |= {"settings": {"seed": 1, "steps": 7000}, "sources": {"faces": ["fer.csv"]}, "threshold": 0.65}
    write(places.records / "finder.json", record)
    write(places.records / "finder.keras", "")
    write(places.records / "pages.toml", FACTS)
    card = ROOT / "tests" / "data" / "detector.tflite.json"
    folder = places.released / "detectors"
    folder.mkdir(parents=True)
    shutil.copy(TINY, folder / "detector.tflite")
    sha256 = json.loads(card.read_text())["sha256"]
    write(folder / "detector.tflite.json", json.loads(card.read_text()) | {"model": "finder"})
    found = {
        "measured": "2031-01-02",
        "split": "test",
        "found": {"scenes": 0.827},
        "faces": {"scenes": 104},
        "false_per_background": 0.02,
        "backgrounds": 300,
    }
    write(places.records / "finder.measured.json", {"files": {sha256: found}})
    write(places.results / "groups" / "people.json", groups("0" * 64, detector_sha256=sha256))
    page = page_of(places, "finder")
    assert "| scenes | 104 | 82.7 % |" in section(page, "Faces found")
    assert "0.020 false faces per image, on 300 images" in section(page, "Faces found")
    assert "| everybody | 50.0 % (10.0-90.0) |" in section(page, "For whom it works")
    assert "| FER2013 \\| theirs | none |" in section(page, "Data")
    assert "| length | 7,000 steps |" in section(page, "Training")
    assert "from a confidence of 0.65 on" in section(page, "Calibration")
    assert "## Accuracy" not in page


def test_a_page_says_how_to_cite(places):
    text = section(page_of(places), "How to cite")
    assert "title = {a kit}" in text and "version = {2.3.4}" in text and "year = {2031}" in text
    assert f"weights {RECORD['weights_sha256'][:16]}" in text
    write(places.citation, CITATION.replace("version: 2.3.4\n", ""))
    with pytest.raises(ResultsError, match="one without version"):
        read_citation(places.citation)


def test_a_file_of_facts_in_another_format_is_named(places):
    for text in ("[kinds.classifier]\nfor = 3\n", "[kinds", "kinds = 3\n"):
        write(places.records / "pages.toml", text)
        with pytest.raises(ResultsError, match=r"pages\.toml: expected purposes"):
            read_facts(places.records)


def test_the_command_writes_the_pages_it_is_asked_for(places, tmp_path, capsys):
    flags = ["--records", places.records, "--results", places.results, "--released", places.released]
    flags = [str(flag) for flag in [*flags, "--citation", places.citation, "--out", tmp_path / "pages"]]
    assert benchmark(["model_pages", *flags]) == 0
    assert [path.name for path in (tmp_path / "pages").iterdir()] == ["small.md"]
    assert (tmp_path / "pages" / "small.md").read_text() == page_of(places)
    assert benchmark(["model_pages", "large", *flags]) == 1
    assert "expected weights and a record of large, got those of small" in capsys.readouterr().err


@pytest.mark.published
@pytest.mark.parametrize("name", record_names(Places().records))
def test_the_committed_page_is_what_the_command_writes(name):
    page = render_page(name, Places(), read_facts(Places().records))
    assert (OUT / f"{name}.md").read_text(encoding="utf-8") == page, "run `python -m benchmarks model_pages`"
