"""`reports/study.md` and its pictures, from the results alone: the same results make the same bytes."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .experiments import (
    CURVES,
    FURTHER_ROWS,
    PATIENCE,
    PRINTED_TEST_FACES,
    PRINTED_TRAIN_FACES,
    ROWS,
    TABLE_ROWS,
    VALIDATION_SHARE,
    Row,
    network_of,
)
from .fer2013 import LABELS
from .study_figures import (
    RESAMPLES,
    Result,
    chosen_on_test,
    interval,
    last_epoch,
    mcnemar,
    mean_of,
    of_classes,
    read_result,
    roc_curves,
    true_labels,
    unrepeated_accuracy,
)

NOT_YET = "not run yet"
SPLIT_NAMES = {"paper": "the study's split", "official": "the official split"}

Results = Mapping[str, Sequence[Result]]  # of one split: a row's name, its results by seed


def write_report(folder: Path) -> Path:
    """Writes the report of the results in `folder` beside it, `<folder>.md`, and its pictures into it.

    Pictures for which there is no result any more are deleted. Returns the report's path.
    """
    results = {split: read_results(folder, split) for split in SPLIT_NAMES}
    pictures = draw(results["paper"], folder)
    for name in PICTURES:
        if name in pictures:
            write(folder / name, pictures[name])
        else:
            (folder / name).unlink(missing_ok=True)
    report = folder.with_name(f"{folder.name}.md")
    write(report, render(results, folder, set(pictures)).encode())
    return report


def write(path: Path, content: bytes) -> None:
    """Writes a file atomically, where it does not hold just that; makes its folder."""
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_results(folder: Path, split: str) -> dict[str, list[Result]]:
    """Returns the results of a split, by row in the order of ROWS, and by seed."""
    found = [read_result(path) for path in folder.glob(f"{split}_*_seed*.json")]
    return {
        name: sorted(of_row, key=lambda result: result["seed"])
        for name in ROWS
        if (of_row := [result for result in found if result["row"] == name])
    }


def read_scores(folder: Path, split: str, name: str) -> np.ndarray | None:
    """Returns the scores, (n, 7), of a row's first seed, in the order of its predictions; None without."""
    path = folder / f"{split}_{name}_seed0.npz"
    return np.load(path)["scores"] / 65535 if path.exists() else None


# --- the pictures ------------------------------------------------------------------------------------

PICTURES = ("learning_curves.png", "gap.png", "confusion.png", "roc.png")


def draw(results: Results, folder: Path) -> dict[str, bytes]:
    """Returns the pictures that there are results for, by name."""
    from . import study_pictures as pictures

    if not results:
        return {}
    printed = {row.name: row.printed.test for row in TABLE_ROWS if row.printed}
    drawn = {
        "learning_curves.png": pictures.draw_learning_curves(
            {name: of_row[0] for name, of_row in results.items()}, printed=printed
        ),
        "gap.png": pictures.draw_gaps(
            [
                (
                    f"{name}: {regularised(ROWS[name])}",
                    100 * mean_of(of_row, "train_accuracy"),
                    100 * tested(of_row),
                )
                for name, of_row in results.items()
            ]
        ),
    }
    matrices = {row_title(name): results[name][0]["test"]["confusion"] for name in CURVES if name in results}
    if matrices:
        drawn["confusion.png"] = pictures.draw_confusions(matrices)
    if curves := curves_of(results, folder):
        drawn["roc.png"] = pictures.draw_roc({row_title(name): of_row for name, of_row in curves.items()})
    return drawn


def curves_of(results: Results, folder: Path) -> dict[str, Any]:
    """Returns `roc_curves` of the rows of CURVES that have scores."""
    return {
        name: roc_curves(scores, true_labels(results[name][0]))
        for name in CURVES
        if name in results and (scores := read_scores(folder, "paper", name)) is not None
    }


# --- words and cells ---------------------------------------------------------------------------------


def row_title(name: str) -> str:
    """Returns 'row 2' for a printed row, its name for another."""
    return f"row {name}" if ROWS[name].printed else name


def regularised(row: Row) -> str:
    """Returns what keeps a row from learning by heart, in words."""
    augmentation = "no augmentation"
    if row.augmentation:
        turned = row.augmentation["rotation"]
        augmentation = f"turned by {turned} degrees" if turned else "minimal augmentation"
    words = [augmentation]
    if dropout := dropout_of(row):
        words.append(f"dropout {dropout}")
    if row.class_weight:
        words.append("class weights")
    return ", ".join(words)


def dropout_of(row: Row) -> float:
    """Returns the row's dropout; 0 for networks that have none."""
    return row.options.get("dropout", 0.5) if row.network in ("cnn", "block_cnn") else 0.0


def tested(results: Sequence[Result]) -> float:
    """Returns the mean test accuracy over the seeds, 0 to 1."""
    return mean_of(results, "test", "accuracy")


def percent(share: float) -> str:
    return f"{100 * share:.2f}"


def signed(points: float) -> str:
    return f"{points:+.2f}"


def with_interval(results: Sequence[Result]) -> str:
    """Returns '63.10 (61.98-64.23)': the mean test accuracy and its 95 % interval."""
    low, high = interval(results)
    return f"{percent(tested(results))} ({percent(low)}-{percent(high)})"


def table(head: Sequence[str], rows: Sequence[Sequence[object]], *, left: int = 1) -> str:
    """Returns a Markdown table whose first `left` columns stand left, the others right."""
    rule = ["---"] * left + ["---:"] * (len(head) - left)
    lines = [head, rule, *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


# --- the report --------------------------------------------------------------------------------------


def render(results: Mapping[str, Results], folder: Path, pictures: set[str]) -> str:
    """Returns the report as Markdown; `pictures` are the names of those there are."""
    paper = results["paper"]
    sections = [
        introduction(),
        "## Tables 3 and 4, on the study's split",
        table_of_rows(paper, TABLE_ROWS),
        legend(),
        "## The same rows, on the official split",
        "Trained on Training, chosen on PublicTest, tested on PrivateTest (28,709, 3,589 and 3,589 faces).",
        table_of_rows(results["official"], TABLE_ROWS),
        "## What the tables leave open, and how each row decides it",
        table(["row", "decided"], [[row.name, row.why] for row in TABLE_ROWS], left=2),
        "## What a row costs",
        cost_table(paper, read_latency(folder)),
        "## Learning curves",
        "The first seed of each row. Dotted: the epoch with the best validation accuracy, whose weights are "
        "scored. Dashed: the test accuracy that the study prints.",
        picture(folder, "learning_curves.png", pictures),
        "## What is learnt by heart",
        "Accuracy of the chosen weights on their own training faces, without dropout and augmentation, and "
        "on the test split.",
        gap_table(paper),
        picture(folder, "gap.png", pictures),
        "## Row 2 and the CNN-LSTM",
        class_table(paper, folder),
        comparison(paper, "2", "LSTM"),
        picture(folder, "confusion.png", pictures),
        picture(folder, "roc.png", pictures),
        further_sections(paper),
        notes(folder),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def introduction() -> str:
    counts = table(
        ["faces", *LABELS, "all"],
        [
            ["training", *(f"{count:,}" for count in PRINTED_TRAIN_FACES), f"{sum(PRINTED_TRAIN_FACES):,}"],
            ["test", *(f"{count:,}" for count in PRINTED_TEST_FACES), f"{sum(PRINTED_TEST_FACES):,}"],
        ],
    )
    return f"""# The study, row by row

Made by `python -m train.study --report` from the JSON files that `python -m train.study` writes into
`study/`, one for each row and seed that has been run. The study compares a CNN (Table 3, rows 1 to 17) with
a CNN-LSTM (Table 4) on FER2013. All accuracies are percentages.

**The study's split.** It prints how many faces of each label it trains and tests on, not which:

{counts}

Here all 35,887 rows are divided anew by a seed, each label by these counts. The study chooses on the faces
that it reports; here {VALIDATION_SHARE:.0%} of each label's training faces are held out for choosing, so a
row is trained on fewer faces than the study's. FER2013 holds many pictures more than once; a split by rows
puts some into training and test both, as the study's must have done, so the accuracy on the other test
faces stands beside it.

**Misprints of the study.** Its Table 1 prints 4,932 neutral training faces, with which the training part
does not add up to its 28,821; with 4,982 it does. Its text says 35,557 pictures, where the rows add up to
35,887, and 4306 for disgust's 436. Rows 13 and 16 have the same two accuracies, and so have rows 14 and 17,
though their settings differ."""


def table_of_rows(results: Results, rows: Sequence[Row]) -> str:
    """Returns the printed table with ours beside it."""
    head = ["row", "architecture", "epochs", "note", "train, printed", "train, ours", "test, printed"]
    head += [
        "test, ours (95 % interval)",
        "difference",
        "unrepeated",
        "last epoch",
        "chosen on test",
        "epoch",
        "seeds",
    ]
    lines = []
    for row in rows:
        printed = row.printed
        assert printed is not None  # TABLE_ROWS are those that are
        cells: list[object] = [
            row.name,
            printed.architecture or "*blank*",
            printed.epochs or "*blank*",
            printed.note,
        ]
        of_row = results.get(row.name)
        if not of_row:
            cells += [f"{printed.train:.2f}", "", f"{printed.test:.2f}", NOT_YET, *[""] * 6]
        else:
            low, high = interval(of_row)
            difference = signed(100 * tested(of_row) - printed.test)
            inside = 100 * low <= printed.test <= 100 * high
            cells += [
                f"{printed.train:.2f}",
                percent(last_epoch(of_row, "accuracy")),
                f"{printed.test:.2f}",
                with_interval(of_row),
                difference if inside else f"**{difference}**",
                percent(unrepeated_accuracy(of_row)),
                percent(last_epoch(of_row, "test_accuracy")),
                percent(chosen_on_test(of_row)),
                epochs_of(of_row),
                len(of_row),
            ]
        lines.append(cells)
    return table(head, lines, left=4)


def epochs_of(results: Sequence[Result]) -> str:
    """Returns '31/41', the chosen and the last epoch of each seed."""
    return ", ".join(f"{result['best_epoch']}/{result['epochs_trained']}" for result in results)


def legend() -> str:
    return (
        "*train, ours*: as Keras prints it for the last epoch, with dropout and augmentation on, which is "
        "how a printed training accuracy can be below the test's. *test, ours*: the weights of the epoch "
        "with the best validation accuracy, mean over the seeds; the interval is what other test faces "
        f"would change ({RESAMPLES:,} bootstrap samples). *difference*: bold where the printed figure is "
        "outside of it. *unrepeated*: on the test faces whose picture is not in training too. *last epoch*: "
        "the test accuracy without any choice. *chosen on test*: that of the epoch with the best test "
        "accuracy, which is what choosing on the test split would have given. *epoch*: the chosen and the "
        f"last one, of each seed. Early stopping, where a row has it: {PATIENCE} epochs without a better "
        "validation accuracy."
    )


def read_latency(folder: Path) -> dict[str, Any]:
    """Returns what `python -m export.study_latency` measured; without it no row and no device."""
    path = folder / "latency.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"rows": {}}


def p_value(probability: float) -> str:
    """Returns a test's p in words."""
    return f"p = {probability:.2g}" if probability >= 1e-12 else "p < 1e-12"


def images_per_core_second(results: Sequence[Mapping[str, Any]]) -> float:
    """Returns how many faces were trained on in a second of a core."""
    faces = sum(result["faces"]["train"] * result["epochs_trained"] for result in results)
    return float(faces / sum(result["processor_seconds"] for result in results))


def cost_table(results: Results, latency: Mapping[str, Any]) -> str:
    """Returns parameters, multiply-adds, training time, images/s and latency of every row."""
    head = [
        "row",
        "parameters",
        "multiply-adds",
        "core minutes of training",
        "images/s a core",
        "computed in",
        "ms a face",
    ]
    lines: list[list[object]] = []
    timed_networks = {network_of(ROWS[name]): timed for name, timed in latency["rows"].items()}
    for name, row in ROWS.items():
        timed = timed_networks.get(network_of(row))
        milliseconds = f"{timed['median_ms']:.3f}" if timed else "-"
        of_row = results.get(name)
        if not of_row:
            lines.append([name, NOT_YET, "", "", "", row.precision, milliseconds])
            continue
        lines.append(
            [
                name,
                f"{of_row[0]['parameters']:,}",
                f"{of_row[0]['multiply_adds'] / 1e6:.2f} M",
                f"{mean_of(of_row, 'processor_seconds') / 60:.1f}",
                f"{images_per_core_second(of_row):,.0f}",
                row.precision,
                milliseconds,
            ]
        )
    machines = sorted(
        {f"{r['machine']['processor']}, {r['machine']['cores']} cores" for of in results.values() for r in of}
    )
    trained = (
        "Core minutes are the training's processor time, in which the machine's other work is not counted; "
        "scoring validation and test split after each epoch is. "
    )
    trained += f"Trained on: {'; '.join(machines)}. " if machines else ""
    timed_on = (
        f"Latency: {latency['engine']}, float32, one face, {latency['threads']} thread, median of "
        f"{latency['calls']:,} calls in turn; {latency['processor']}."
        if latency["rows"]
        else "Latency: not measured yet (`python -m export.study_latency`)."
    )
    return f"{table(head, lines)}\n\n{trained}{timed_on}"


def picture(folder: Path, name: str, pictures: set[str]) -> str:
    """Returns the Markdown of a picture, or that there is none yet."""
    return (
        f"![{Path(name).stem.replace('_', ' ')}]({folder.name}/{name})"
        if name in pictures
        else NOT_YET.capitalize() + "."
    )


def gap_table(results: Results) -> str:
    """Returns training and test accuracy of the chosen weights by what keeps a row from learning by heart."""
    lines: list[list[object]] = []
    for name, row in ROWS.items():
        cells: list[object] = [row_title(name), regularised(row)]
        of_row = results.get(name)
        if of_row:
            train, test = mean_of(of_row, "train_accuracy"), tested(of_row)
            cells += [percent(train), percent(test), f"{100 * (train - test):.2f}"]
        else:
            cells += [NOT_YET, "", ""]
        lines.append(cells)
    return table(["row", "against learning by heart", "train", "test", "gap, points"], lines, left=2)


def class_table(results: Results, folder: Path) -> str:
    """Returns precision, recall, F1 and AUC of each class for the rows of CURVES, first seeds."""
    curves = curves_of(results, folder)
    parts = []
    for name in CURVES:
        if name not in results:
            parts.append(f"{row_title(name).capitalize()}: {NOT_YET}.")
            continue
        test = results[name][0]["test"]
        classes = of_classes(test["confusion"])
        areas = [curve[2] if curve else None for curve in curves.get(name, [None] * len(LABELS))]
        lines: list[list[object]] = [
            [label, f"{faces:,}", *map(percent, figures), "-" if area is None else f"{area:.3f}"]
            for label, faces, figures, area in zip(LABELS, test["labels"], classes, areas, strict=True)
        ]
        known = [area for area in areas if area is not None]
        means = [percent(float(value)) for value in np.mean(classes, axis=0)]
        lines.append(["mean", f"{sum(test['labels']):,}", *means, f"{np.mean(known):.3f}" if known else "-"])
        head = [row_title(name), "faces", "precision", "recall", "F1", "AUC, one against rest"]
        parts.append(table(head, lines))
    return "\n\n".join(parts)


def comparison(results: Results, one: str, other: str) -> str:
    """Returns McNemar's test of two rows' first seeds in a sentence."""
    if one not in results or other not in results:
        return f"McNemar's test of {row_title(one)} against {row_title(other)}: {NOT_YET}."
    only_one, only_other, probability = mcnemar(results[one][0], results[other][0])
    value = p_value(probability)
    return (
        f"McNemar's exact test, first seeds: {only_one:,} faces are labelled rightly by {row_title(one)} "
        f"alone, {only_other:,} by {row_title(other)} alone; {value}."
    )


# --- what the study leaves open ----------------------------------------------------------------------

EQUAL = ("equal-parameters", "equal-parameters-plain", "equal-latency", "equal-latency-plain")
QUESTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "Is it the missing convolution or the recurrence?",
        "The study blames the missing temporal dimension for its CNN-LSTM's accuracy, and calls its front "
        "end, a dense layer without convolutions, unconventional. Both are separated here: pixels or "
        "convolutions before the rows are read, and an LSTM or, with as many weights, a dense layer after "
        "it.",
        ("LSTM", "rows-dense", "conv-lstm", "conv-dense", "lstm-minimal", "conv-lstm-minimal", "lstm-slow"),
    ),
    (
        "Attention, normalisation, and row 2 at the CNN-LSTM's size",
        "The study names transfer learning or attention as the next step.",
        ("2", "se", "cbam", "bn", *EQUAL, "LSTM", "lstm-minimal"),
    ),
    (
        "Better labels",
        "FER+ has ten people's votes for each picture. Both rows are scored on FER2013's labels and, where "
        "most voted for one of the seven, on that majority.",
        ("2", "ferplus"),
    ),
    (
        "Pictures that are in training and test both",
        "*unrepeated*: accuracy on the test faces whose picture is not in the training split.",
        ("2", "unrepeated"),
    ),
    (
        "What the study does not print of rows 1, 2 and 8",
        "Where our figure and the printed one differ, these were tried.",
        ("2", "plain", "full", "released", "cosine", "as-study", "1", "1-plain", "4", "8", "wide-bn"),
    ),
)


def further_sections(results: Results) -> str:
    """Returns a section for each question that the study leaves open."""
    parts = [
        "## What the study leaves open",
        "*McNemar against*: with which row it is compared; how many faces only this row labels rightly, and "
        "how many only the other, first seeds; the exact test's p.",
    ]
    for title, words, names in QUESTIONS:
        votes = "ferplus" in names
        head = ["row", "what", "test (95 % interval)", "unrepeated", "train", "parameters", "McNemar against"]
        head += ["FER+ majority"] if votes else []
        lines = [
            [*further_cells(results, ROWS[name]), *([votes_cell(results, name)] if votes else [])]
            for name in names
        ]
        parts += [f"### {title}", words, table(head, lines, left=2)]
    parts += [
        "How they are trained:",
        table(["row", "decided"], [[row.name, row.why] for row in FURTHER_ROWS], left=2),
    ]
    return "\n\n".join(parts)


def further_cells(results: Results, row: Row) -> list[object]:
    """Returns the cells of a row in a table of a question."""
    title = row.title or (row.printed.architecture if row.printed else "") or "as row 4"
    of_row = results.get(row.name)
    if not of_row:
        return [row.name, title, NOT_YET, "", "", "", ""]
    against = ""
    if row.against in results:
        only_this, only_that, probability = mcnemar(of_row[0], results[row.against][0])
        against = f"{row.against}: {only_this:,}/{only_that:,}, {p_value(probability)}"
    return [
        row.name,
        title,
        with_interval(of_row),
        percent(unrepeated_accuracy(of_row)),
        percent(mean_of(of_row, "train_accuracy")),
        f"{of_row[0]['parameters']:,}",
        against,
    ]


def votes_cell(results: Results, name: str) -> str:
    """Returns the accuracy on FER+'s majority labels and on how many faces; '-' where it was not at hand."""
    scored = [result["ferplus"] for result in results.get(name, []) if result["ferplus"]]
    if not scored:
        return "-"
    right = float(np.mean([part["right"] / part["faces"] for part in scored]))
    return f"{percent(right)} of {scored[0]['faces']:,}"


def notes(folder: Path) -> str:
    """Returns what people concluded from the figures: `notes.md` among the results, word for word."""
    path = folder / "notes.md"
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""
