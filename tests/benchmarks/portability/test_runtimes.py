"""Every artifact gives its scores on old and new runtimes; what can't run says why."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import main as benchmark
from benchmarks.portability import environments, golden, runtimes
from benchmarks.portability.errors import UnavailableError
from benchmarks.portability.golden import ask, compare
from runtime.card import read_card
from runtime.engines import is_installed
from runtime.model import released_models

ROOT = Path(__file__).parents[3]
TINY = ROOT / "tests" / "data" / "tiny_fp32.tflite"
TINY_INT8_IO = ROOT / "tests" / "data" / "tiny_int8_io.tflite"
GOLDEN_SCORES = golden.read_golden_scores()
FACES = len(next(iter(GOLDEN_SCORES.values())))
CACHE = environments.default_cache()
needs_litert = pytest.mark.skipif(not is_installed("litert"), reason="needs the package ai-edge-litert")


def tflite_files():
    """The released files, and the exported ones that are there."""
    released = sorted((ROOT / "runtime" / "models").glob("*.tflite"))
    artifacts = sorted((ROOT / "artifacts").glob("*.tflite"))
    known = {path.read_bytes() for path in released}
    return released + [path for path in artifacts if path.read_bytes() not in known]


def golden_of(path):
    return GOLDEN_SCORES[read_card(path)["sha256"]]


@needs_litert
def test_a_python_gives_the_golden_scores_of_each_file():
    answers = ask([sys.executable], "litert", [TINY, TINY_INT8_IO])
    assert answers.reasons == {}
    assert list(answers.scores) == [TINY, TINY_INT8_IO]
    assert answers.versions["numpy"] == np.__version__
    for path, scores in answers.scores.items():
        assert scores.shape == (FACES, 7)
        assert compare(scores, golden_of(path)).largest_gap <= 1e-6


@needs_litert
def test_the_first_faces_alone_are_scored_where_that_is_asked_for():
    answers = ask([sys.executable], "any", [TINY], faces=3)
    np.testing.assert_allclose(answers.scores[TINY], golden_of(TINY)[:3], atol=1e-6)


@needs_litert
def test_a_file_that_cannot_run_gives_its_reason_and_the_next_one_its_scores(tmp_path):
    broken = tmp_path / TINY.name
    broken.write_bytes(TINY.read_bytes()[:-1])
    shutil.copy(f"{TINY}.json", tmp_path)
    answers = ask([sys.executable], "litert", [broken, TINY])
    assert "expected the file that its card describes" in answers.reasons[broken]
    assert list(answers.scores) == [TINY]


ABORTING = """
#include <stdlib.h>
#include <string.h>
static int models;
void *TfLiteModelCreate(const void *data, size_t size) { if (++models == 2) abort(); return NULL; }
"""


@pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
def test_a_file_that_kills_its_process_costs_its_own_answer_only(tmp_path):
    """A C library that refuses every model and aborts at the second."""
    from benchmarks.portability.workers.tflite_c import SIGNATURES

    others = "".join(f"void {name}(void) {{}}\n" for name in SIGNATURES if name != "TfLiteModelCreate")
    source, library = tmp_path / "aborting.c", tmp_path / "aborting.so"
    source.write_text(ABORTING + others)
    subprocess.run(["gcc", "-shared", "-fPIC", "-w", source, "-o", library], check=True)
    files = [TINY, TINY_INT8_IO, *tflite_files()[:1]]
    answers = ask([sys.executable], "tflite_runtime", files, library=library)
    assert answers.scores == {}
    assert list(answers.reasons) == files
    refused, killing, after = answers.reasons.values()
    assert refused.endswith(
        "tiny_fp32.tflite: can't be opened by tflite-runtime: The model is not a TensorFlow Lite file."
    )
    assert killing.startswith("the file ended the process by SIGABRT")
    assert after.endswith("The model is not a TensorFlow Lite file.")


def test_a_python_that_has_no_engine_says_so_before_any_file(tmp_path):
    with pytest.raises(UnavailableError, match=r"its process ended with exit status 1: no golden_scores"):
        ask([sys.executable, "-S", "-c", "raise SystemExit('no golden_scores')"], "litert", [TINY])
    with pytest.raises(UnavailableError, match="can't be started: No such file or directory"):
        ask([tmp_path / "python"], "litert", [TINY])


def detector_files():
    """The released detector's files, and the exported ones that are there."""
    released = sorted((ROOT / "runtime" / "models" / "detectors").glob("*.tflite"))
    return released + sorted((ROOT / "artifacts" / "detectors").glob("*_fp32.tflite"))


@needs_litert
def test_a_detectors_file_answers_with_boxes_and_confidences():
    (path,) = detector_files()[:1]
    answers = ask([sys.executable], "litert", [path])
    cells = read_card(path)["outputs"]["boxes"]["shape"][1]
    assert answers.scores[path].shape == (4, cells, 5)
    for image in answers.scores[path]:
        _, _, width, height, confidence = image[image[:, 4].argmax()]
        assert confidence > 0.5  # the golden portrait's face
        assert 70 < width < 110 and 90 < height < 140
    assert len(ask([sys.executable], "any", [path], faces=3).scores[path]) == 3


def test_a_detectors_answers_are_compared_by_confidences_and_the_surest_box():
    reference = np.zeros((2, 3, 5))
    reference[:, 0] = (10, 10, 40, 40, 0.9)
    reference[:, 1] = (50, 50, 40, 40, 0.3)
    moved = reference.copy()
    moved[0, 0] = (12, 10, 40, 40, 0.8)
    assert compare(moved, reference) == golden.Comparison(pytest.approx(0.1), 2, 2)
    moved[0, 1, 4] = 0.95
    assert compare(moved, reference) == golden.Comparison(pytest.approx(0.65), 1, 2)
    moved[0, 2, 4] = np.nan
    assert compare(moved, reference).largest_gap == 1.0


def test_scores_are_compared_by_their_largest_gap_and_their_labels():
    reference = np.array([[0.7, 0.3], [0.4, 0.6], [0.5, 0.5]])
    scores = np.array([[0.6, 0.4], [0.55, 0.45]])
    assert compare(scores, reference) == golden.Comparison(pytest.approx(0.15), 1, 2)
    assert compare(np.array([[np.nan, 0.3]]), reference).largest_gap == 1.0


# --- old runtimes -----------------------------------------------------------------------------------

# The gap to the golden scores, or to the newest LiteRT: of float files that of sums in another order, 1e-6
# as measured. Kernels for integers round to the neighbouring step elsewhere, which may move scores no further
# than quantization moved them from Keras's: the gap that the card states.
LARGEST_GAP = {"fp32": 1e-5, "fp16": 1e-5}
# To the newest LiteRT without XNNPACK, whose int8 kernels round elsewhere: one step of an int8 output.
LARGEST_GAP_OF_KERNELS = 1 / 256
CLEAR = 0.1  # labels must agree where the first is ahead of the second by more

# A scale per channel in an LSTM's gates keeps labels right, and needs a kernel of a newer release.
REFUSED = "Didn't find op for builtin opcode|The library has not all of the file's operators"


def is_lstm_of_dynamic_range(card):
    return card["precision"] == "dynamic" and "lstm" in card["model"]


@pytest.fixture(scope="module")
def newest():
    """The scores of LiteRT's newest release."""
    if not is_installed("litert"):
        pytest.skip("needs the package ai-edge-litert")
    return ask([sys.executable], "litert", tflite_files())


@pytest.fixture(scope="module")
def newest_plain(newest):
    """The same by TensorFlow Lite's own kernels, which old releases have, instead of XNNPACK's."""
    return ask([sys.executable], "litert", tflite_files(), plain=True)


def old_answers(name, files):
    asked = {"tflite-runtime 2.14": runtimes.ask_tflite_runtime, "TFLite 2.9.0": runtimes.ask_old_library}[
        name
    ]
    try:
        return asked(files, CACHE, True)
    except UnavailableError as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("name", ["tflite-runtime 2.14", "TFLite 2.9.0"])
def test_every_tflite_file_is_right_on_an_old_runtime(name, newest, newest_plain):
    answers = old_answers(name, tflite_files())
    wrong = []
    for path in tflite_files():
        card = read_card(path)
        if path in answers.reasons:
            refused = re.search(REFUSED, answers.reasons[path])
            if not (refused and is_lstm_of_dynamic_range(card)):
                wrong.append(f"{path.name}: {answers.reasons[path]}")
            continue
        reference = GOLDEN_SCORES.get(card["sha256"], newest.scores[path])
        limit = LARGEST_GAP.get(card["precision"], card["parity"]["largest_gap"])
        scores = answers.scores[path]
        second, first = np.sort(reference, axis=1)[:, -2:].T
        clear = first - second > CLEAR
        flips = int((scores.argmax(axis=1) != reference.argmax(axis=1))[clear].sum())
        gap = compare(scores, reference).largest_gap
        gap_of_kernels = compare(scores, newest_plain.scores[path]).largest_gap
        if gap > limit or gap_of_kernels > LARGEST_GAP_OF_KERNELS or flips or clear.sum() < 8:
            wrong.append(
                f"{path.name}: gap {gap:.2g}, {gap_of_kernels:.2g} to the same kernels, "
                f"{flips} of {clear.sum()} clear labels differ"
            )
    assert wrong == []


@needs_litert
@pytest.mark.parametrize("name", ["tflite-runtime 2.14", "TFLite 2.9.0"])
def test_a_detector_finds_the_same_face_on_an_old_runtime(name):
    files = detector_files()
    answers, newest = old_answers(name, files), ask([sys.executable], "litert", files)
    assert answers.reasons == {}
    for path in files:
        comparison = compare(answers.scores[path], newest.scores[path])
        card = read_card(path)
        limit = LARGEST_GAP.get(card["precision"], card["parity"]["largest_gap"])
        assert comparison.largest_gap <= limit
        assert comparison.agreeing == comparison.faces == 4


@pytest.mark.published
def test_the_page_holds_the_released_files_as_they_are():
    results = json.loads((ROOT / "results" / "runtimes.json").read_text())
    assert runtimes.render_block(results) in (ROOT / "docs" / "runtimes.md").read_text()
    measured = {row["file"]: row["sha256"] for row in results["rows"]}
    for path, card in released_models():
        assert measured[path.name] == card["sha256"], f"{path.name}: make runtimes"


# --- the environments -------------------------------------------------------------------------------


def test_a_folder_is_made_once_and_again_for_another_recipe(tmp_path):
    made = []

    def make(folder):
        made.append(sorted(path.name for path in folder.iterdir()))
        (folder / "file").write_text("")

    for recipe in (["one"], ["one"], ["two"]):
        environments.make_once(tmp_path / "x", recipe, make, "x", offline=False)
    assert made == [[], []]
    (tmp_path / "x" / environments.MARK).unlink()  # as if the process had been killed while it was made
    with pytest.raises(
        UnavailableError, match=r"needs an x, which is made once: python -m benchmarks runtimes"
    ):
        environments.make_once(tmp_path / "x", ["two"], make, "an x", offline=True)


def test_a_tool_that_fails_is_quoted(tmp_path):
    code = "import sys; sys.exit('Error: no such package\\nsee the log')"
    with pytest.raises(UnavailableError, match=r"^pip failed: Error: no such package$"):
        environments.run([sys.executable, "-c", code], "pip")


def test_a_python_that_is_nowhere_is_named():
    assert environments.find_python([sys.version_info[1]]) == Path(sys.executable)
    with pytest.raises(UnavailableError, match=r"no Python 3\.2 or 3\.1 with venv was found"):
        environments.find_python([2, 1])


def test_what_is_not_prepared_is_a_reason_in_every_cell(tmp_path):
    results = runtimes.measure([TINY], tmp_path, offline=True)
    (row,) = results["rows"]
    assert row["reference"] == "golden.json"
    assert [name for name in row["cells"] if "LiteRT" in name or "lite" in name.lower()] == list(row["cells"])
    assert {cell["reason"].split(",")[0] for cell in row["cells"].values()} >= {
        f"needs an environment with {environments.NEWEST.requirements[0]}",
        "needs TensorFlow Lite 2.9.0",
    }
    assert list(tmp_path.iterdir()) == []


# --- the page ---------------------------------------------------------------------------------------

RESULTS = {
    "measured": "2026-11-22",
    "processor": "a processor",
    "system": "a system",
    "emulated_faces": 6,
    "rows": [
        {
            "file": "one.tflite",
            "reference": "golden.json",
            "cells": {
                "A": {"largest_gap": 0.00123, "agreeing": 27, "faces": 28},
                "B": {"largest_gap": 0.0, "agreeing": 28, "faces": 28},
            },
        },
        {
            "file": "two.tflite",
            "reference": "A",
            "cells": {"A": {"largest_gap": 0.0, "agreeing": 28, "faces": 28}, "B": {"reason": "no | way"}},
        },
        {
            "file": "three.tflite",
            "reference": None,
            "cells": {"A": {"reason": "lost"}, "B": {"reason": "lost"}},
        },
    ],
}


def test_a_cell_holds_gap_and_agreement_or_the_number_of_its_reason():
    table = runtimes.render_table(RESULTS["rows"], ".tflite").splitlines()
    assert table == [
        "| file | A | B |",
        "|---|---:|---:|",
        "| `one.tflite` | 1.2e-03, 27/28 | 0, 28/28 |",
        "| `two.tflite` | reference | no (1) |",
        "| `three.tflite` | no (2) | no (2) |",
        "",
        "1. no \\| way",
        "2. lost",
    ]
    assert runtimes.render_table(RESULTS["rows"], ".onnx") == "None were measured."


def test_a_detector_has_tables_of_its_own():
    rows = [{**RESULTS["rows"][0], "file": "detector.tflite", "kind": "detector"}]
    block = runtimes.render_block({**RESULTS, "rows": [*RESULTS["rows"], *rows]})
    classifiers, heading, detectors = block.partition("### The face detector")
    assert heading and "detector.tflite" not in classifiers
    assert "| `detector.tflite` | 1.2e-03, 27/28 | 0, 28/28 |" in detectors


def test_the_tables_come_between_the_markers_of_a_page(tmp_path, capsys):
    out, page = tmp_path / "runtimes.json", tmp_path / "page.md"
    out.write_text(json.dumps(RESULTS))
    page.write_text("Before.\n<!-- runtimes:start -->\n<!-- runtimes:end -->\nAfter.\n")
    assert benchmark(["runtimes", "--table", "--out", str(out), "--page", str(page)]) == 0
    assert page.read_text() == (
        f"Before.\n<!-- runtimes:start -->\n{runtimes.render_block(RESULTS)}\n<!-- runtimes:end -->\nAfter.\n"
    )
    assert "28 golden faces, on an emulated processor the first 6." in capsys.readouterr().out
