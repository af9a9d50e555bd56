"""`reports/study.md` and its images, from the results alone: the same results make the same bytes."""

import json
import os
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dataset.fer2013 import LABELS, OFFICIAL_SHA256
from reporting.files import place_of_report

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
    StudyError,
    network_of,
    settings,
)
from .notes import NoFigureError, Results, fill, p_value, shown
from .statistics import (
    RESAMPLES,
    Result,
    accuracy_without_duplicates,
    check_settings,
    chosen_on_test,
    images_per_core_second,
    interval,
    last_epoch,
    majority_accuracy,
    mcnemar,
    mean_of,
    of_classes,
    read_result,
    roc_curves,
    true_labels,
)

if TYPE_CHECKING:
    from .plots import Overview

HERE = Path(__file__).resolve().parent
NOT_YET = "not run yet"
OTHERS = {"scale": "scaled", "brightness": "brightness changed", "contrast": "contrast changed"}
TUTORIAL = "https://github.com/jonathanoheix/Real-Time-Face-Expression-Recognition"
SPLIT_NAMES = {"paper": "the study's split", "official": "the official split"}


def write_report(folder: Path, *, on_missing: Callable[[str], None] | None = None) -> Path:
    """Writes the report of the results in `folder` and its images (`reporting.files.place_of_report`).

    Images for which there is no result any more are deleted. Returns the report's path. Nothing is written
    where something of the folder can't be read, for which StudyError is raised. Where the conclusions have a
    figure that the results don't have NoFigureError is raised; `on_missing`, if given, gets its words
    instead, and the report is written without them.
    """
    if not folder.name:
        raise StudyError(f"{folder}: expected a folder beside which the report can stand.")
    results = {split: read_results(folder, split) for split in SPLIT_NAMES}
    images = draw(results["paper"], folder)
    text = render(results, folder, set(images), on_missing)
    report = place_of_report(folder).with_suffix(".md")
    drawn = report.with_suffix("")
    for name in IMAGES:
        if name in images:
            write(drawn / name, images[name])
        else:
            (drawn / name).unlink(missing_ok=True)
    write(report, text.encode())
    return report


def write(path: Path, content: bytes) -> None:
    """Writes a file atomically, where it does not hold just that; makes its folder."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.exists() and path.read_bytes() == content:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        raise StudyError(
            f"{path}: expected a file that can be written, got: {error.strerror}. "
            "Name another folder: --results FOLDER"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def place_of_notes(folder: Path) -> Path:
    """Returns the conclusions' file: of the project's own results beside this code, of others among them."""
    return (HERE if folder == HERE.parent / "results" / "study" else folder) / "notes.md"


def read_results(folder: Path, split: str) -> dict[str, list[Result]]:
    """Returns the results of a split, by row in the order of ROWS, and by seed.

    Raises StudyError for one that is not of the row, seed, split and dataset that it stands for.
    """
    found: list[Result] = []
    for path in sorted(folder.glob(f"{split}_*_seed*.json")):
        result = read_result(path)
        name, seed = result["row"], result["seed"]
        if path.name != f"{split}_{name}_seed{seed}.json" or result["split"] != split:
            raise StudyError(
                f"{path}: expected the result that its name says, got that of row {name}, seed {seed} on "
                f"split {result['split']}. Delete or rename it."
            )
        check_settings(path, result["settings"], settings(ROWS[name], seed=seed), trial=True)
        found.append(result)
        if dataset_of_result(result) != dataset_of_result(found[0]):
            raise StudyError(
                f"{path}: expected a result on the dataset of the others, got one on another. "
                "Move it elsewhere."
            )
    return {
        name: sorted(of_row, key=lambda result: result["seed"])
        for name in ROWS
        if (of_row := [result for result in found if result["row"] == name])
    }


def dataset_of_result(result: Result) -> tuple[Any, ...]:
    """Returns by what the dataset and the test faces of a result are known."""
    return result["source_sha256"], *result["test"]["labels"]


def read_scores(folder: Path, result: Result) -> np.ndarray | None:
    """Returns the scores, float32 (n, 7), of a result, in the order of its predictions; None without.

    Raises StudyError where the file holds something else.
    """
    path = folder / f"{result['split']}_{result['row']}_seed{result['seed']}.npz"
    if not path.exists():
        return None
    try:
        scores: np.ndarray = np.load(path)["scores"]
        predicted = "".join(map(str, scores.argmax(axis=1)))
        whole = scores.shape[1] == len(LABELS) and np.isfinite(scores).all()
    except OSError as error:
        raise StudyError(
            f"{path}: expected the scores of a result, got: {error.strerror or error}."
        ) from error
    except (ValueError, KeyError, IndexError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise StudyError(
            f"{path}: expected the scores of a result, got something else ({error}). Delete it."
        ) from error
    if not whole or predicted != result["test"]["predicted"]:
        raise StudyError(f"{path}: expected scores of the result beside it, got others. Delete it.")
    return scores


# --- the images ------------------------------------------------------------------------------------

IMAGES = ("overview.png", "learning_curves.png", "gap.png", "confusion.png", "roc.png")


def draw(results: Results, folder: Path) -> dict[str, bytes]:
    """Returns the images that there are results for, by name."""
    from . import plots as images

    if not results:
        return {}
    printed = {
        row_title(row.name): (row.printed.train, row.printed.test) for row in TABLE_ROWS if row.printed
    }
    drawn = {
        "overview.png": images.draw_overview(overview(results)),
        "learning_curves.png": images.draw_learning_curves(
            {title_of_tested(ROWS[name]): of_row[0] for name, of_row in results.items()}, printed=printed
        ),
        "gap.png": images.draw_gaps(
            [
                (
                    f"{title_of_gap(ROWS[name])}: {regularised(ROWS[name])}, {chosen_epochs(results[name])}",
                    GROUPS[strength_of(ROWS[name])],
                    100 * mean_of(results[name], "train_accuracy"),
                    100 * tested_on_own_labels(ROWS[name], results[name]),
                )
                for name in by_regularisation(results)
            ]
        ),
    }
    matrices = {row_title(name): results[name][0]["test"]["confusion"] for name in CURVES if name in results}
    if matrices:
        drawn["confusion.png"] = images.draw_confusions(matrices)
    if curves := curves_of(results, folder):
        drawn["roc.png"] = images.draw_roc({row_title(name): of_row for name, of_row in curves.items()})
    return drawn


def overview(results: Results) -> "Overview":
    """Returns the rows for `study_images.draw_overview`: the tables', then the others by accuracy."""
    groups: Overview = {"Tables 3 and 4": [], "further rows": []}
    tables, others = groups.values()
    for name, of_row in results.items():
        row = ROWS[name]
        low, high = interval(of_row)
        printed = row.printed.test if row.printed else None
        group = tables if row.printed else others
        tests = [100 * result["test"]["accuracy"] for result in of_row]
        group.append((title_of_tested(row), tests, (100 * low, 100 * high), printed))
    others.sort(key=lambda cells: np.mean(cells[1]), reverse=True)
    return {title: rows for title, rows in groups.items() if rows}


def curves_of(results: Results, folder: Path) -> dict[str, Any]:
    """Returns `roc_curves` of the rows of CURVES that have scores."""
    return {
        name: roc_curves(scores, true_labels(results[name][0]))
        for name in CURVES
        if name in results and (scores := read_scores(folder, results[name][0])) is not None
    }


# --- words and cells ---------------------------------------------------------------------------------


def row_title(name: str) -> str:
    """Returns 'row 2' for a printed row, its name for another."""
    return f"row {name}" if ROWS[name].printed else name


def title_of_tested(row: Row) -> str:
    """Returns the row's title in images of its test accuracy, which is not of all rows the same."""
    title = row_title(row.name)
    if row.labels != "fer2013":
        return f"{title}, test on FER2013's labels"
    return title if row.hold_out else f"{title}, chosen on test"


def title_of_gap(row: Row) -> str:
    """Returns the row's title where it is scored on the labels that it was trained on."""
    return row_title(row.name) + ("" if row.labels == "fer2013" else ", on FER+'s labels")


GROUPS = ("no augmentation", "minimal augmentation", "more augmentation")


def strength_of(row: Row) -> int:
    """Returns the row's place in GROUPS."""
    if not row.augmentation:
        return 0
    return 2 if row.augmentation["rotation"] else 1


def by_regularisation(names: Iterable[str]) -> list[str]:
    """Returns rows by augmentation, class weights and dropout, then as they stand in ROWS."""

    def key(name: str) -> tuple[float, ...]:
        row = ROWS[name]
        return strength_of(row), row.class_weight, dropout_of(row), list(ROWS).index(name)

    return sorted(names, key=key)


def augmentation_in_words(row: Row) -> str:
    """Returns what is done to a row's training faces: 'mirrored, shifted by 5%'."""
    if not row.augmentation:
        return "none"
    words = ["mirrored", f"shifted by {row.augmentation['shift']:.0%}"]
    if row.augmentation["rotation"]:
        words += [f"turned by {row.augmentation['rotation']} degrees"]
    words += [
        f"{done} by {row.augmentation[name]:.0%}" for name, done in OTHERS.items() if row.augmentation[name]
    ]
    return ", ".join(words)


def regularised(row: Row) -> str:
    """Returns dropout and class weights in words."""
    words = [f"dropout {dropout_of(row)}" if dropout_of(row) else "no dropout"]
    return ", ".join([*words, "class weights"] if row.class_weight else words)


def dropout_of(row: Row) -> float:
    """Returns the row's dropout; 0 for networks that have none."""
    return row.options.get("dropout", 0.5) if row.network in ("cnn", "block_cnn") else 0.0


def tested(results: Sequence[Result]) -> float:
    """Returns the mean test accuracy over the seeds, 0 to 1."""
    return mean_of(results, "test", "accuracy")


def tested_on_own_labels(row: Row, results: Sequence[Result]) -> float:
    """Returns the mean test accuracy on the labels that the row was trained on, 0 to 1."""
    return tested(results) if row.labels == "fer2013" else majority_accuracy(results)


def percent(share: float) -> str:
    return "-" if np.isnan(share) else f"{100 * share:.2f}"


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


def render(
    results: Mapping[str, Results],
    folder: Path,
    images: set[str],
    on_missing: Callable[[str], None] | None = None,
) -> str:
    """Returns the report as Markdown; `images` are the names of those there are."""
    paper, latency = results["paper"], read_latency(folder)
    sections = [
        OPENING,
        how_far(results),
        reservations(results),
        image(folder, "overview.png", images),
        conclusions(folder, results, latency, on_missing),
        the_split(),
        "## Tables 3 and 4, on the study's split",
        legend(),
        table_of_rows(paper, TABLE_ROWS),
        "## The same rows, on the official split",
        official_table(results["official"]),
        "## What the tables leave open, and how each row decides it",
        table_of_reasons(TABLE_ROWS),
        "## What a row costs",
        cost_table(paper, latency),
        "## Learning curves",
        "The first seed of each row.",
        image(folder, "learning_curves.png", images),
        "## What is learnt by heart",
        "Accuracy of the chosen weights on their own training faces, without dropout and augmentation, and "
        "on the test split: by augmentation, class weights and dropout. *epoch*: the chosen one, of each "
        "seed; the later it is, the more is learnt by heart.",
        gap_table(paper),
        image(folder, "gap.png", images),
        "## Row 2 and the CNN-LSTM",
        "The first seed of each, where the tables above have the mean of several.",
        class_table(paper, folder),
        comparison(paper, "2", "LSTM"),
        image(folder, "confusion.png", images),
        roc_image(paper, folder, images),
        further_sections(paper),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


OPENING = """# The study, row by row

Made by `python -m study --report` from the JSON files that `python -m study` writes into
`study/`, one for each row and seed that has been run. The study compares a CNN (Table 3, rows 1 to 17) with
a CNN-LSTM (Table 4) on FER2013; the rows with names of their own follow up on what it leaves open. All
accuracies are percentages."""


def conclusions(
    folder: Path,
    results: Mapping[str, Results],
    latency: Mapping[str, Any],
    on_missing: Callable[[str], None] | None,
) -> str:
    """Returns the notes with their figures, or why there are none; see `write_report`."""
    try:
        return fill(place_of_notes(folder), results, latency)
    except NoFigureError as error:
        if on_missing is None:
            raise
        on_missing(str(error))
        why = str(error).removeprefix(f"{folder}{os.sep}")
        return f"## What it says\n\nThe conclusions are not written: {why}"


def the_split() -> str:
    """Returns on what is trained and tested, and what the study misprints."""
    counts = table(
        ["faces", *LABELS, "all"],
        [
            ["training", *(f"{count:,}" for count in PRINTED_TRAIN_FACES), f"{sum(PRINTED_TRAIN_FACES):,}"],
            ["test", *(f"{count:,}" for count in PRINTED_TEST_FACES), f"{sum(PRINTED_TEST_FACES):,}"],
        ],
    )
    return f"""## The study's split, and its misprints

The study prints how many faces of each label it trains and tests on, not which:

{counts}

Here all 35,887 rows are divided anew by a seed, each label by these counts. The study chooses on the faces
that it reports; here {VALIDATION_SHARE:.0%} of each label's training faces are held out for choosing, so a
row is trained on fewer faces than the study's. FER2013 holds many images more than once; a split by rows
puts some into training and test both, as the study's must have done, so the accuracy on the other test
faces stands beside it.

The study does not say where its split is from, but the folders of [a tutorial]({TUTORIAL}) hold as many
training images of each label, and 7,066 others. They may be the study's. Their files are named by FER2013's
row numbers, so whoever has them knows which rows are in which part; they were not at hand here.

The study's Table 1 prints 4,932 neutral training faces, with which the training part
does not add up to its 28,821; with 4,982 it does. Its text says 35,557 images, where the rows add up to
35,887, and 4306 for disgust's 436. Rows 13 and 16 have the same two accuracies, and so have rows 14 and 17,
though their settings differ."""


def how_far(results: Mapping[str, Results]) -> str:
    """Returns how many rows and trainings of each split have been run, trials not counted."""
    trainings = sum(row.seeds for row in ROWS.values())
    parts = []
    for split, words in SPLIT_NAMES.items():
        whole = [sum(not is_trial(r) for r in of_row) for of_row in results[split].values()]
        run = [
            min(count, ROWS[name].seeds) for name, count in zip(results[split], whole, strict=True) if count
        ]
        parts.append(f"{len(run)} of {len(ROWS)} rows on {words} ({sum(run)} of {trainings} trainings)")
    return f"Run so far: {', '.join(parts)}. Further trainings of a row are other seeds of it."


def is_trial(result: Result) -> bool:
    """Whether a training was given another number of epochs than its row's."""
    return bool(result["settings"]["epochs"] != ROWS[result["row"]].epochs)


def reservations(results: Mapping[str, Results]) -> str:
    """Returns what sets these results apart from a whole study on FER2013; "" where nothing does."""
    every = [result for of_split in results.values() for of_row in of_split.values() for result in of_row]
    trials = {r["row"]: r["settings"]["epochs"] for r in every if is_trial(r)}
    parts = []
    if trials:
        rows = ", ".join(f"{name} (at most {epochs})" for name, epochs in trials.items())
        parts.append(
            f"**A trial.** Rows that were trained for other numbers of epochs than their own: {rows}."
        )
    if any(result["source_sha256"] != OFFICIAL_SHA256 for result in every):
        parts.append(
            "**Not FER2013.** These results are of another dataset: the counts above and the printed "
            "accuracies are not theirs."
        )
    return "\n\n".join(parts)


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
                percent(accuracy_without_duplicates(of_row)),
                percent(last_epoch(of_row, "test_accuracy")),
                percent(chosen_on_test(of_row)),
                epochs_of(of_row),
                len(of_row),
            ]
        lines.append(cells)
    return table(head, lines, left=4)


def official_table(results: Results) -> str:
    """Returns the rows that have been run on the official split, and which have not."""
    words = (
        "Trained on Training (28,709 faces), chosen on PublicTest, tested on PrivateTest (3,589 each). The "
        "printed figures are of the study's split, so *difference* is also what another split makes."
    )
    run = [row for row in TABLE_ROWS if row.name in results]
    missing = [row.name for row in TABLE_ROWS if row.name not in results]
    parts = [words, table_of_rows(results, run) if run else ""]
    if missing:
        parts.append(f"{NOT_YET.capitalize()} on this split (`--split official`): {', '.join(missing)}.")
    return "\n\n".join(part for part in parts if part)


def table_of_reasons(rows: Sequence[Row]) -> str:
    """Returns what was decided for each row, a line for the rows of one reason."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        reasons.setdefault(row.why, []).append(row.name)
    return table(["rows", "decided"], [[", ".join(names), why] for why, names in reasons.items()], left=2)


def epochs_of(results: Sequence[Result]) -> str:
    """Returns '31/41', the chosen and the last epoch of each seed."""
    return ", ".join(f"{result['best_epoch']}/{result['epochs_trained']}" for result in results)


def legend() -> str:
    """Returns what the columns of `table_of_rows` are."""
    return f"""- *train, ours*: what Keras says of the last epoch, with dropout and augmentation on, so that
  a printed training accuracy can be below the test's.
- *test, ours*: the weights of the epoch with the best validation accuracy, mean over the seeds. The interval
  is what other test faces would change ({RESAMPLES:,} bootstrap samples), not what another seed would.
- *difference*: bold where the printed figure is outside of the interval. The study's own test faces are
  others than these, which alone makes two such figures differ by up to about 1.6 points.
- *unrepeated*: on the test faces whose image is not in training too.
- *last epoch*: the test accuracy after the last epoch; *chosen on test*: after the epoch in which it was
  best, which is what choosing on the test split would have given. Both are scored along the way, for rows
  trained in bfloat16 in that; the chosen weights are scored in float32, which moves a few faces.
- *epoch*: the chosen and the last one, of each seed. Early stopping, where a row has it: {PATIENCE} epochs
  without a better validation accuracy."""


def read_latency(folder: Path) -> dict[str, Any]:
    """Returns what `python -m study.latency` measured; without it no network and no device.

    Raises StudyError where the file holds something else.
    """
    path = folder / "latency.json"
    if not path.exists():
        return {"networks": {}}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["engine"], content["processor"], content["threads"] + content["calls"]
        for network in content["networks"].values():
            network["median_ms"] + network["parameters"] + network["multiply_adds"]
    except OSError as error:
        raise StudyError(f"{path}: expected a file of latencies, got: {error.strerror}.") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise StudyError(
            f"{path}: expected what `python -m study.latency` measured, got something else "
            f"({error!r}). Measure again, or delete it."
        ) from error
    return content


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
    for name, row in ROWS.items():
        of_row = results.get(name)
        timed = latency["networks"].get(network_of(row))
        size = of_row[0] if of_row else timed
        trained = (
            [f"{of_row[0]['processor_seconds'] / 60:.1f}", f"{images_per_core_second(of_row[0]):,.0f}"]
            if of_row
            else [NOT_YET, ""]
        )
        lines.append(
            [
                name,
                f"{size['parameters']:,}" if size else "-",
                f"{size['multiply_adds'] / 1e6:.2f} M" if size else "-",
                *trained,
                row.precision,
                f"{timed['median_ms']:.3f}" if timed else "-",
            ]
        )
    words = (
        "Core minutes are the first seed's processor time, in which the machine's other work is not counted; "
        "scoring validation and test split after each epoch is. "
    )
    words += trained_on(results) + how_far_apart(results)
    timed_on = (
        f"Latency: {latency['engine']}, float32, one face, {latency['threads']} thread, median of "
        f"{latency['calls']:,} calls in turn; {latency['processor']}."
        if latency["networks"]
        else "Latency: not measured yet (`python -m study.latency`)."
    )
    return f"{table(head, lines)}\n\n{words}{timed_on}"


def trained_on(results: Results) -> str:
    """Returns on what machines the first seeds were trained, and which rows on others than most; "" of none.

    Times on two machines are not to be compared.
    """
    rows: dict[str, list[str]] = {}
    for name, of_row in results.items():
        rows.setdefault(machine_of(of_row[0]), []).append(name)
    if not rows:
        return ""
    most, *others = sorted(rows, key=lambda machine: (-len(rows[machine]), machine))
    parts = [most, *(f"{machine}: {', '.join(rows[machine])}" for machine in others)]
    return f"Trained on: {'; on '.join(parts)}. "


def machine_of(result: Result) -> str:
    """Returns what a result was trained on: 'AMD EPYC, 2 cores'."""
    return f"{result['machine']['processor']}, {result['machine']['cores']} cores"


def how_far_apart(results: Results) -> str:
    """Returns how far the speeds of a row's seeds differ on one kind of machine; "" where none has two."""
    ratios = []
    for of_row in results.values():
        speeds: dict[str, list[float]] = {}
        for result in of_row:
            speeds.setdefault(machine_of(result), []).append(images_per_core_second(result))
        ratios += [max(of_machine) / min(of_machine) for of_machine in speeds.values() if len(of_machine) > 1]
    if not ratios:
        return ""
    return (
        f"On one kind of machine one seed of a row gets through up to {100 * max(ratios) - 100:.0f} % more "
        "faces a second than another. "
    )


def image(folder: Path, name: str, images: set[str]) -> str:
    """Returns the Markdown of a image, or that there is none yet."""
    return (
        f"![{Path(name).stem.replace('_', ' ')}]({folder.name}/{name})"
        if name in images
        else NOT_YET.capitalize() + "."
    )


def roc_image(results: Results, folder: Path, images: set[str]) -> str:
    """Returns the Markdown of the ROC curves, and which rows have been run but lack their scores."""
    files = {name: folder / f"paper_{name}_seed0.npz" for name in CURVES if name in results}
    lost = [f"`{path.name}` of {row_title(name)}" for name, path in files.items() if not path.exists()]
    if not files or not lost:
        return image(folder, "roc.png", images)
    words = f"Without curves and AUC, as its scores are missing: {', '.join(lost)}."
    return f"{image(folder, 'roc.png', images)}\n\n{words}" if "roc.png" in images else words


def chosen_epochs(results: Sequence[Result]) -> str:
    """Returns the chosen epoch of each seed: 'epochs 42 and 27'."""
    epochs = [result["best_epoch"] for result in results]
    return f"epoch{'s' if len(epochs) > 1 else ''} {shown(epochs)}"


def gap_table(results: Results) -> str:
    """Returns training and test accuracy of the chosen weights by what keeps a row from learning by heart."""
    lines: list[list[object]] = []
    for name in by_regularisation(ROWS):
        if name not in results:
            continue
        row, of_row = ROWS[name], results[name]
        train, test = mean_of(of_row, "train_accuracy"), tested_on_own_labels(row, of_row)
        lines.append(
            [
                title_of_gap(row),
                augmentation_in_words(row),
                "yes" if row.class_weight else "no",
                dropout_of(row) or "none",
                shown([result["best_epoch"] for result in of_row]),
                percent(train),
                percent(test),
                f"{100 * (train - test):.2f}",
            ]
        )
    head = ["row", "augmentation", "class weights", "dropout", "epoch", "train", "test", "gap, points"]
    return table(head, lines, left=4)


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
        "it; and the rows read in another order than from top to bottom.",
        (
            *("LSTM", "rows-dense", "lstm-shuffled", "conv-lstm", "conv-dense", "conv-lstm-shuffled"),
            *("lstm-minimal", "conv-lstm-minimal", "conv-dense-minimal"),
        ),
    ),
    (
        "Attention, normalisation, and row 2 at the CNN-LSTM's size",
        "The study names transfer learning or attention as the next step.",
        (
            *("2", "2-bfloat16", "se", "cbam", "bn", "bn-convolutions", "bn-convolutions-float32"),
            *(*EQUAL, "LSTM", "lstm-minimal"),
        ),
    ),
    (
        "Better labels",
        "FER+ has ten people's votes for each image. Row ferplus is trained and chosen on their majority.",
        ("2", "2-bfloat16", "ferplus"),
    ),
    (
        "Images that are in training and test both",
        "A split by rows leaves images that FER2013 holds more than once on both sides.",
        ("2", "2-bfloat16", "unrepeated"),
    ),
    (
        "What the study does not print, and may have done",
        "Where our figure and the printed one differ, these were tried. *chosen on these*: the epoch is the "
        "best one on these faces.",
        (
            *("2", "plain", "full", "released", "cosine", "as-study", "as-study-cosine", "1", "1-plain"),
            *("4", "8", "wide-raw", "wide-raw-bare", "wide-defaults", "wide-bn"),
            *("15", "15-again", "15-slow", "15-unweighted", "17", "17-raw"),
            *("LSTM", "lstm-slow", "lstm-raw"),
        ),
    ),
)


def further_sections(results: Results) -> str:
    """Returns a section for each question that the study leaves open."""
    parts = [
        "## What the study leaves open",
        "The columns are those of the tables above, and: *FER+ majority*: accuracy on the label for which "
        "most of FER+'s ten people voted, where one has most votes and is one of the seven; *its mean "
        "recall*: over the seven labels alike, a third of FER+'s being neutral. *unrepeated*: on the test "
        "faces whose image is not in the split's training part, whatever the row leaves out; where nothing "
        "is held out that part is larger, and these faces are fewer. *train*: on its own training faces and "
        "labels. *McNemar against*: with which row it is compared; how many faces only this row labels "
        "rightly, and how many only the other, first seeds; the exact test's p.",
    ]
    head = ["row", "what", "test (95 % interval)", "chosen on test", "epoch", "seeds", "FER+ majority"]
    head += ["its mean recall", "unrepeated", "train", "parameters", "McNemar against"]
    for title, words, names in QUESTIONS:
        lines = [further_cells(results, ROWS[name]) for name in names]
        parts += [f"### {title}", words, table(head, lines, left=2)]
    parts += [
        "How they are trained:",
        table_of_reasons(FURTHER_ROWS),
    ]
    return "\n\n".join(parts)


def further_cells(results: Results, row: Row) -> list[object]:
    """Returns the cells of a row in a table of a question."""
    title = row.title or (row.printed.architecture if row.printed else "") or "as row 4"
    of_row = results.get(row.name)
    if not of_row:
        return [row.name, title, NOT_YET, *[""] * 9]
    against = ""
    if row.against in results:
        only_this, only_that, probability = mcnemar(of_row[0], results[row.against][0])
        against = f"{row.against}: {only_this:,}/{only_that:,}, {p_value(probability)}"
    return [
        row.name,
        title,
        with_interval(of_row) if row.hold_out else f"{with_interval(of_row)}, chosen on these",
        percent(chosen_on_test(of_row)),
        epochs_of(of_row),
        len(of_row),
        *votes_cells(of_row),
        percent(accuracy_without_duplicates(of_row)),
        percent(mean_of(of_row, "train_accuracy")),
        f"{of_row[0]['parameters']:,}",
        against,
    ]


def votes_cells(results: Sequence[Result]) -> list[str]:
    """Returns accuracy and mean recall on FER+'s majority labels, mean over the seeds; '-' without FER+."""
    scored = [result["ferplus"] for result in results if result["ferplus"]]
    if len(scored) < len(results):
        return ["-", "-"]
    recalls = [recall for part in scored for _, recall, _ in of_classes(part["confusion"])]
    return [percent(majority_accuracy(results)), percent(float(np.mean(recalls)))]
