"""`reports/study.md` and its plots, from the results alone: the same results make the same bytes.

The page is `report.md.j2`. Conclusions fill its blocks: those of the project's own results are `notes.md.j2`
beside it, those of other results a `notes.md.j2` among them. A figure stands there as the expression that
computes it, `{{ test("bn") - test("2") }}`, of the methods of `study.figures.Figures`: a new seed changes the
figures that it should, and none is copied by hand. A number with a fraction is shown to a tenth.
"""

import math
import re
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from dataset.fer2013 import LABELS
from reporting.files import place_of_report, write_atomically

from . import comparisons, paper, plots, tables
from .errors import NoFigureError, StudyError
from .experiment import PATIENCE, Experiment
from .experiments import CURVES, EXPERIMENTS, TABLE_EXPERIMENTS
from .figures import Figures, Results, mean, released
from .results import Latency, read_latency, read_results
from .split import VALIDATION_SHARE
from .statistics import RESAMPLES

HERE = Path(__file__).resolve().parent
TEMPLATE = HERE / "report.md.j2"
NOTES = "notes.md.j2"
PLOTS = ("overview.png", "learning_curves.png", "gap.png", "confusion.png", "roc.png")


def write_report(folder: Path, *, on_missing: Callable[[NoFigureError], None] | None = None) -> Path:
    """Writes the report of the results in `folder` and its plots (`reporting.files.place_of_report`).

    Plots for which there is no result any more are deleted. Nothing is written where something of the
    folder can't be read.

    Args:
        folder: Of the results.
        on_missing: See `page_of`.

    Returns:
        The report's path.

    Raises:
        StudyError: See `page_of`; or the report can't be written.
    """
    page, drawings = page_of(folder, on_missing=on_missing)
    drawn = {name: draw() for name, draw in drawings.items()}
    report = place_of_report(folder).with_suffix(".md")
    for name in PLOTS:
        path = report.with_suffix("") / name
        if name in drawn:
            write(path, drawn[name])
        else:
            path.unlink(missing_ok=True)
    write(report, page)
    return report


def page_of(
    folder: Path, *, on_missing: Callable[[NoFigureError], None] | None = None
) -> tuple[str, dict[str, Callable[[], bytes]]]:
    """Returns the report of the results in `folder` as Markdown, and what draws each of its plots.

    Args:
        folder: Of the results.
        on_missing: Is told of a figure that the conclusions have and the results have not; the page is then
            without conclusions.

    Raises:
        NoFigureError: There is such a figure, and nobody to be told.
        StudyError: Something of the folder can't be read.
    """
    if not folder.name:
        raise StudyError(f"{folder}: expected a folder beside which the report can stand.", path=folder)
    results = {split: read_results(folder, split) for split in tables.SPLITS}
    drawings = drawings_of(results["paper"], folder)
    data = data_of(results, read_latency(folder), folder, set(drawings))
    notes = place_of_notes(folder)
    try:
        return render(notes, data), drawings
    except NoFigureError as error:
        if on_missing is None:
            raise
        on_missing(error)
        return render(None, data | {"missing": error, "missing_file": NOTES}), drawings


def write(path: Path, content: str | bytes) -> None:
    """Writes a file atomically, where it does not hold just that."""
    try:
        write_atomically(path, content, only_changes=True)
    except OSError as error:
        raise StudyError(
            f"{path}: expected a file that can be written, got: {error.strerror}. "
            "Name another folder: --results FOLDER",
            path=path,
            option="--results",
        ) from error


def place_of_notes(folder: Path) -> Path | None:
    """Returns the conclusions of the results in a folder; None without any."""
    path = (HERE if folder == HERE.parent / "results" / "study" else folder) / NOTES
    return path if path.exists() else None


# --- the page ------------------------------------------------------------------------------------------


def data_of(
    results: Mapping[str, Results], latency: Latency | None, folder: Path, drawn: set[str]
) -> dict[str, Any]:
    """Returns what the template and the conclusions name; figures of the study's split by their own names."""
    figures = {split: Figures(of_split, latency) for split, of_split in results.items()}
    study, official = figures["paper"], figures["official"]
    of_tables = [experiment.name for experiment in TABLE_EXPERIMENTS]
    return {
        **{name: getattr(study, name) for name in vars(Figures) if not name.startswith("_")},
        "study": study,
        "official": official,
        "mean": mean,
        "released": released,
        "paper": paper,
        "experiments": EXPERIMENTS,
        "table_experiments": of_tables,
        "held": [name for name in of_tables if is_held(study, name)],
        "official_run": [name for name in of_tables if official.run(name)],
        "official_missing": [name for name in of_tables if not official.run(name)],
        "questions": comparisons.QUESTIONS,
        "main": comparisons.MAIN,
        "labels": LABELS,
        "patience": PATIENCE,
        "validation_share": VALIDATION_SHARE,
        "resamples": RESAMPLES,
        "folder": folder.name,
        "plots": drawn,
        "progress": tables.progress_of(results),
        "trainings": sum(experiment.seeds for experiment in EXPERIMENTS.values()),
        "trials": tables.trials_of(results),
        "is_fer2013": tables.is_fer2013(results),
        "by_regularisation": tables.by_regularisation(results["paper"]),
        "title_of": tables.title_of,
        "augmentation_of": tables.augmentation_in_words,
        "machines": tables.machines_of(results["paper"]),
        "spread_of_speed": tables.spread_of_speed(results["paper"]),
        "latency": latency,
        "classes": classes_of(results["paper"], folder),
        "lost_scores": tables.lost_scores(results["paper"], folder),
        "missing": None,
    }


def is_held(figures: Figures, name: str) -> bool:
    """Whether the interval of an experiment holds the accuracy that the study prints."""
    return figures.run(name) and figures.holds(name, paper.PRINTED[name].test)


def classes_of(results: Results, folder: Path) -> dict[str, list[tables.ClassFigures]]:
    """Returns the figures of each label for the experiments of CURVES that have a result."""
    curves = tables.curves_of(results, folder)
    return {name: tables.classes_of(results[name][0], curves.get(name)) for name in CURVES if name in results}


def render(notes: Path | None, data: Mapping[str, Any]) -> str:
    """Returns the page, its blocks filled by the conclusions.

    Raises:
        NoFigureError: The conclusions have a figure that is not there, with its line.
        StudyError: The conclusions can't be read, or have other blocks than the page.
    """
    import jinja2
    from jinja2.sandbox import SandboxedEnvironment

    sources = {"report": (TEMPLATE.read_text(encoding="utf-8"), str(TEMPLATE))}
    if notes:
        sources["notes"] = ("{% extends 'report' %}" + read_notes(notes), str(notes))

    def load(name: str) -> tuple[str, str, Callable[[], bool]]:
        return *sources[name], lambda: True

    environment = SandboxedEnvironment(
        loader=jinja2.FunctionLoader(load),
        undefined=jinja2.StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "signed": signed}
    if not notes:
        return tidied(environment.get_template("report").render(data))
    try:
        template = environment.get_template("notes")
        unknown = sorted(set(template.blocks) - set(environment.get_template("report").blocks))
        if unknown or not template.blocks:
            known = ", ".join(environment.get_template("report").blocks)
            got = ", ".join(unknown) or "none"
            raise StudyError(f"{notes}: expected blocks out of {known}, got {got}.", path=notes)
        return tidied(template.render(data))
    except (jinja2.TemplateError, StudyError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        line = line_of(error, notes)
        if line is None:
            raise
        raise NoFigureError(notes, line, str(error)) from error


def read_notes(path: Path) -> str:
    """Returns the text of conclusions."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise StudyError(f"{path}: expected conclusions, got: {error.strerror}.", path=path) from error
    except UnicodeDecodeError as error:
        raise StudyError(
            f"{path}: expected conclusions in UTF-8, got others ({error}).", path=path
        ) from error


def line_of(error: Exception, notes: Path) -> int | None:
    """Returns the line of the conclusions in which an error was raised; None for one from elsewhere."""
    if getattr(error, "filename", None) == str(notes):  # a syntax error
        return int(getattr(error, "lineno", 1))
    lines = [at.lineno for at in traceback.extract_tb(error.__traceback__) if at.filename == str(notes)]
    return lines[-1] if lines else None


def tidied(page: str) -> str:
    """Returns a page whose empty blocks leave one blank line."""
    return re.sub(r"\n{3,}", "\n\n", page).strip() + "\n"


def shown(value: object) -> str:
    """Returns a figure as conclusions have it; several as '40.4, 40.6 and 40.9'."""
    if isinstance(value, list):
        *others, last = map(shown, value)
        return f"{', '.join(others)} and {last}" if others else last
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def percent(value: float) -> str:
    """Returns a percentage as tables have it, '-' for not a number."""
    return "-" if math.isnan(value) else f"{value:.2f}"


def signed(points: float) -> str:
    """Returns a difference with its sign."""
    return "-" if math.isnan(points) else f"{points:+.2f}"


# --- the plots -----------------------------------------------------------------------------------------


def drawings_of(results: Results, folder: Path) -> dict[str, Callable[[], bytes]]:
    """Returns what draws each plot that there are results for, by name."""
    if not results:
        return {}
    figures = Figures(results)
    trainings = [
        plots.Trained(title_of_tested(EXPERIMENTS[name]), of_experiment[0], printed_of(name))
        for name, of_experiment in results.items()
    ]
    gaps = [gap_of(figures, name) for name in tables.by_regularisation(results)]
    drawings: dict[str, Callable[[], bytes]] = {
        "overview.png": partial(plots.draw_overview, overview(figures, results)),
        "learning_curves.png": partial(plots.draw_learning_curves, trainings),
        "gap.png": partial(plots.draw_gaps, gaps),
    }
    matrices = {tables.title_of(name): results[name][0].test.confusion for name in CURVES if name in results}
    if matrices:
        drawings["confusion.png"] = partial(plots.draw_confusions, matrices)
    if curves := tables.curves_of(results, folder):
        titled = {tables.title_of(name): of_labels for name, of_labels in curves.items()}
        drawings["roc.png"] = partial(plots.draw_roc, titled)
    return drawings


def overview(figures: Figures, results: Results) -> dict[str, list[plots.Tested]]:
    """Returns the groups of the overview: the tables' experiments, then the others by accuracy."""
    of_tables: list[plots.Tested] = []
    others: list[plots.Tested] = []
    for name in results:
        experiment = EXPERIMENTS[name]
        tested = plots.Tested(
            title_of_tested(experiment),
            figures.tests_of_seeds(name),
            (figures.low(name), figures.high(name)),
            experiment.printed.test if experiment.printed else None,
        )
        (of_tables if experiment.printed else others).append(tested)
    others.sort(key=lambda tested: sum(tested.tests) / len(tested.tests), reverse=True)
    groups = {"Tables 3 and 4": of_tables, "further experiments": others}
    return {title: group for title, group in groups.items() if group}


def printed_of(name: str) -> tuple[float, float] | None:
    """Returns the accuracies in training and in the test that the study prints."""
    printed = EXPERIMENTS[name].printed
    return (printed.train, printed.test) if printed else None


def gap_of(figures: Figures, name: str) -> plots.Gap:
    """Returns an experiment's training and test accuracy, on the labels that it was trained on."""
    experiment = EXPERIMENTS[name]
    title = tables.title_of(name) + ("" if experiment.labels == "fer2013" else ", on FER+'s labels")
    dropout = f"dropout {experiment.dropout}" if experiment.dropout else "no dropout"
    weights = ", class weights" if experiment.class_weight else ""
    chosen = figures.chosen_of_seeds(name)
    epochs = f"epoch{'s' if len(chosen) > 1 else ''} {shown(chosen)}"
    return plots.Gap(
        f"{title}: {dropout}{weights}, {epochs}",
        tables.GROUPS[tables.strength_of(experiment)],
        figures.train(name),
        figures.own_test(name),
    )


def title_of_tested(experiment: Experiment) -> str:
    """Returns the title in plots of test accuracies, which not all experiments have by the same rule."""
    title = tables.title_of(experiment.name)
    if experiment.labels != "fer2013":
        return f"{title}, test on FER2013's labels"
    return title if experiment.hold_out else f"{title}, chosen on test"
