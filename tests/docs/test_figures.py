"""The figures on the pages written by hand are those of the reports."""

import json
import re

import pytest

from reporting.metrics import share_interval
from tests.support.pages import ROOT

pytestmark = pytest.mark.published
MODELS = ("edge", "edge_tiny", "edge_large", "cnn", "cnn_lstm")
FAIRFACE = ("race: Black", "race: White", "race: Southeast Asian", "age: 0-2", "age: 60-69")


def cell(report, row, column):
    """The number in a cell of a report's table.

    Args:
        report: The report's name below reports/, without its ending.
        row: The text of the first cell, without backticks; or of the last of several such first cells.
        column: The head of its column.
    """
    for cells in rows_of(report):
        if next(iter(cells.values())) == row and column in cells:
            return float(re.match(r"[\d,.]+", cells[column])[0].replace(",", ""))
    raise AssertionError(f"reports/{report}.md: no cell {row}, {column}")


def rows_of(report, *heads):
    """The rows of a report's tables, a dict each; with heads, of the tables that begin with these."""
    names, rows = [], []
    for line in report_text(report).splitlines():
        cells = [text.replace("`", "").strip(" *") for text in line.strip("|").split("|")]
        if not line.startswith("|"):
            names = []
        elif not names:
            names = cells
        elif tuple(names[: len(heads)]) == heads:
            rows.append(dict(zip(names, cells, strict=True)))
    return rows


def lost(change, surroundings="-", model="edge"):
    """The points that a model loses by a change of the image, or of the box in some surroundings."""
    rows = rows_of("robustness", "surroundings", "change")
    (row,) = [row for row in rows if (row["surroundings"], row["change"]) == (surroundings, change)]
    return float(re.search(r"\(-([\d.]+)\)", row[f"{model}_int8.tflite"])[1])


def lost_by_rolling(degrees, model="edge"):
    """The points that a head rolled by 0° has before one that is rolled clockwise or the other way."""
    rows = rows_of("robustness", "file", "roll")
    accuracy = {
        row["roll"]: float(row["as it is"].rstrip(" %"))
        for row in rows
        if row["file"] == f"{model}_int8.tflite"
    }
    return sorted(accuracy["0°"] - accuracy[f"{sign}{degrees}°"] for sign in ("", "-"))


def report_text(name):
    return (ROOT / "reports" / f"{name}.md").read_text(encoding="utf-8")


def page(name):
    """A page with single spaces."""
    return " ".join((ROOT / name).read_text(encoding="utf-8").split())


def test_what_does_not_work_well():
    fear, disgust = (cell("evaluation/edge_int8.tflite", label, "recall") for label in ("fear", "disgust"))
    assert f"`edge` finds {fear:.0f} % of the faces labelled fear and {disgust:.0f} %" in page("README.md")
    (half, jpeg), (half_large, jpeg_large) = (
        [lost(change, model=model) for change in ("half resolution", "JPEG quality 30")]
        for model in ("edge", "edge_large")
    )
    assert (
        f"half the resolution {half:.1f} points, JPEG of quality 30 {jpeg:.1f} points. "
        f"`edge_large` loses {half_large:.1f} and {jpeg_large:.1f}." in page("README.md")
    )
    least, most = lost_by_rolling(30)
    assert f"rolled by 30° costs `edge` {least:.1f} to {most:.1f} points" in page("README.md")


def test_the_groups():
    column = "happy, at equal strength"
    women, men = (cell("groups/london", f"gender: {gender}", column) for gender in ("female", "male"))
    gap = f"calls {women:.0f} % of women's smiles happy and {men:.0f} % of men's"
    assert gap in page("README.md")
    assert gap in page("docs/responsible-use.md")
    neutral = cell("groups/london", "everybody", "neutral called so")
    assert f"`edge` calls {neutral:.0f} % of the neutral faces neutral" in page("docs/responsible-use.md")
    found = {group: cell("groups/fairface", group, "found") for group in FAIRFACE}
    black, white, asian, youngest, oldest = (f"{share:.0f} %" for share in found.values())
    assert black == white
    assert (
        f"finds {black} of those annotated Black or White and {asian} of those annotated Southeast Asian, "
        f"{youngest} of ages 0-2 and {oldest} of ages 60-69" in page("docs/responsible-use.md")
    )


def test_the_detectors():
    row = "found: FER2013 in made-up frames, 60-300 px"
    for name, column in {"ferkit": "ferkit", "yunet": "YuNet", "haar": "Haar"}.items():
        shown = re.search(rf"\| `{name}` \|[^|]*\| ([\d.]+) %", page("docs/install.md"))
        assert shown and float(shown[1]) == cell("detectors", row, column)
    times = {name: cell("detectors", "ms a frame of 640x480", name) for name in ("ferkit", "YuNet", "Haar")}
    assert f"in {times['Haar'] / times['ferkit']:.0f} times the time" in page("docs/install.md")


def test_the_talking_faces():
    column = "with the defaults"
    shown, right = (
        cell("talking", name, column) for name in ("frames that show a label", "shown labels that are right")
    )
    text = f"made talking faces {shown:.1f} % show a label, and {right:.1f} % of these labels are right"
    assert text in page("docs/install.md")


def test_the_size_of_an_installation():
    sizes = json.loads((ROOT / "results" / "install_size.json").read_text())
    litert, onnx = (round(sizes[extra]["installed_bytes"] / 1e6) for extra in ("tflite", "onnx"))
    assert f"take {litert} MB with LiteRT and {onnx} MB with ONNX Runtime" in page("docs/install.md")
    assert sizes["measured"] in page("docs/install.md")


@pytest.mark.parametrize("model", MODELS)
def test_the_released_models_of_the_page_on_the_study(model):
    report = f"evaluation/{model}.keras"
    (faces,) = re.findall(r"accuracy on the [\d,]+ faces[^|]*\| ([\d.]+) %", report_text(report))
    accuracy, recall = (cell(report, figure, "value") for figure in ("accuracy", "macro recall"))
    assert f"| `{model}` | {accuracy:.2f} % | {faces} % | {recall:.2f} % |" in page("docs/study.md")


@pytest.mark.parametrize("model", MODELS)
def test_how_the_models_were_made(model):
    record = json.loads((ROOT / "models" / f"{model}.json").read_text())
    (row,) = re.findall(
        rf"^\| \[?`{model}`.*\| ([\d,]+) \| .*$", (ROOT / "docs" / "models.md").read_text(), re.MULTILINE
    )
    assert int(row.replace(",", "")) == record["parameters"]
    hours = f"{record['epochs_trained']} epochs, {record['seconds'] / 3600:.1f} h"
    assert f"`python -m train --model {model}`, {hours} |" in page("docs/models.md")


def test_the_models_beside_those_of_others():
    for model in ("edge", "edge_tiny", "edge_large", "cnn"):
        accuracy, size, ratio = (
            cell("peers", f"ferkit {model}", column) for column in ("accuracy", "KB", "ratio")
        )
        expected = f"| `{model}_int8.tflite` | {accuracy:.2f} % | {size:,.0f} | {ratio:.2f} |"
        assert expected in page("docs/models.md")
    fer, size = (cell("peers", "fer 25.10.3", column) for column in ("accuracy", "KB"))
    assert f"`emotion_model_quantized.tflite` | {fer:.2f} % | {size:.0f} | 1.00 |" in page("docs/models.md")


def test_the_other_figures_of_how_the_models_were_made():
    scores = json.loads((ROOT / "results" / "keep_duplicates.json").read_text())["scores"]["test"]
    official, without = (
        f"{100 * scores[name]:.2f} %" for name in ("accuracy", "accuracy_without_duplicates")
    )
    assert f"scores {official} officially and {without} without duplicates" in page("docs/models.md")
    errors = [cell("flagship", "expected calibration error, 15 bins", model) for model in MODELS[:3]]
    assert f"expected error {errors[0]:.3f}, {errors[1]:.3f} and {errors[2]:.3f}" in page("docs/models.md")
    repeated, scene = (lost("box x1.3", surroundings) for surroundings in ("edge repeated", "in a scene"))
    assert f"a box 1.3 times as large costs it {repeated:.1f} to {scene:.1f} points" in page("docs/models.md")


def test_the_largest_gaps_of_the_page_on_runtimes():
    text = (ROOT / "docs" / "runtimes.md").read_text()
    summary, _, tables = text.partition("<!-- runtimes:start -->")
    for precision, files in {
        "fp32": "fp32",
        "fp16": "fp16",
        "dynamic": "dynamic",
        "int8": "int8|int8_io",
    }.items():
        rows = re.findall(rf"^\| `\w+?_(?:{files})\.\w+` .*$", tables, re.MULTILINE)
        gaps = [float(gap) for row in rows for gap in re.findall(r"([\d.e-]+), \d+/\d+", row)]
        assert f"| {precision} | {max(gaps):.1e} |" in summary
    counts = [(int(labels), int(faces)) for labels, faces in re.findall(r", (\d+)/(\d+) ", tables)]
    assert f"at least {min(labels for labels, faces in counts if faces == 28)} of the 28" in summary
    assert all(labels == faces for labels, faces in counts if faces != 28)


def test_the_peak_memory_on_the_page_on_the_raspberry_pi():
    (path,) = (ROOT / "results").rglob("intel-xeon.json")
    rows = json.loads(path.read_text())["rows"]
    for engine, name in {"litert": "LiteRT", "onnxruntime": "ONNX Runtime", "opencv": "OpenCV"}.items():
        peaks = [row["peak_memory_bytes"] / 1e6 for row in rows if row["engine"] == engine]
        assert f"{min(peaks):.0f} to {max(peaks):.0f} MB with {name}" in page("docs/raspberry-pi.md")


def shares(figures, *names):
    return [f"{100 * figures[name]:.1f} %" for name in names]


def found_and_called(result):
    """How many faces of contempt were found, and how many faces were called so."""
    return result["confusion"][-1][-1], sum(row[-1] for row in result["confusion"])


def test_the_eight_classes_of_fer_plus():
    folder, text = ROOT / "results" / "own_classes", page("docs/own-classes.md")
    record, plain_record = (
        json.loads((place / "edge_tiny_ferplus.json").read_text())
        for place in (folder, folder / "no_class_weight")
    )
    result = json.loads((folder / "edge_tiny_dynamic.tflite_FERPlus.json").read_text())
    (path,) = (folder / "no_class_weight").glob("*_FERPlus.json")
    plain = json.loads(path.read_text())
    trained = record["samples"]["train_by_class"]
    for one in (record, plain_record):
        assert one["command"] in text
    weighed = {"class_weight": True, "best_by": "macro_recall"}
    assert plain_record["arguments"] | weighed == record["arguments"]
    assert plain_record["samples"] == record["samples"]
    for label, figures in plain["classes"].items():
        both = (figures, result["classes"][label])
        cells = [cell for one in both for cell in shares(one, "recall", "precision")]
        assert f"| {label} | {trained[label]:,} | {figures['faces']:,} | {' | '.join(cells)} |" in text
    for name, one in {"`--no-class-weight`": plain, "class weights": result}.items():
        cells = " | ".join(shares(one, "accuracy", "macro_recall"))
        assert f"| {name} | {cells} | `{one['file']}` |" in text

    faces, (found, called) = plain["classes"]["contempt"]["faces"], found_and_called(plain)
    assert f"Contempt has {trained['contempt']} training faces" in text
    assert called == 0 and f"Without class weights {found} of {faces} test faces were found" in text
    found, called = found_and_called(result)
    low, high = (f"{100 * share:.0f}" for share in share_interval(found, faces))
    assert f"With them {found} were: between {low} and {high} % of all (95 %)" in text
    assert f"{called - found} of the {called} faces called contempt were none" in text


def test_how_the_eight_classes_were_trained():
    text = page("docs/own-classes.md")
    record = json.loads((ROOT / "results" / "own_classes" / "edge_tiny_ferplus.json").read_text())
    history, chosen = record["history"], record["best_epoch"] - 1
    assert f"{record['epochs_trained']} epochs, {sum(history['processor_seconds']) / 60:.0f} min" in text
    by_accuracy = max(history["val_accuracy"])
    epoch = 1 + history["val_accuracy"].index(by_accuracy)
    recalls = [100 * history["val_macro_recall"][index] for index in (epoch - 1, chosen)]
    assert record["arguments"]["best_by"] == "macro_recall"
    assert (
        f"by accuracy epoch {epoch} would have been the best ({100 * by_accuracy:.1f} %, macro recall "
        f"{recalls[0]:.1f} %), by macro recall it is epoch {chosen + 1} "
        f"({100 * history['val_accuracy'][chosen]:.1f} %, {recalls[1]:.1f} %)" in text
    )
