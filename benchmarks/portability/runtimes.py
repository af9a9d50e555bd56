"""Compare every artifact on old, new and emulated runtimes, on the golden faces.

Its environments are made once in a cache folder (`--prepare` makes them and ends). Each cell is measured in a
process of the right Python, processor or language, and compared with the scores in `runtime/golden.json`.
Those of a file that it lacks are compared with the newest LiteRT or ONNX Runtime; so are a detector's, on
four images of the golden portrait. A runtime that can't be had, and a file that it can't run, have their
reason in the table. Writes `results/runtimes.json` and the tables of `docs/runtimes.md`. It says nothing of
speed.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.artifacts import default_places, detector_places, find_artifacts, order
from benchmarks.portability import arm64
from benchmarks.portability.environments import (
    LITERT_VERSION,
    NEWEST,
    OPENCV_5,
    TFLITE_RUNTIME,
    default_cache,
    litert_library,
    python_of,
    run,
    tflite_library,
    userland_of,
)
from benchmarks.portability.errors import UnavailableError
from benchmarks.portability.golden import (
    GOLDEN,
    ROOT,
    Answers,
    ask,
    compare,
    read_golden_scores,
)
from benchmarks.scoring import say
from reporting.files import write_json
from reporting.machine import processor_name, system_name
from reporting.markdown import one_line, rewrite_block, table
from runtime.card import DETECTOR, kind_of, read_card

RESULTS_VERSION = 1
JAVA = ROOT / "android" / "core" / "src"
JNA = Path("/usr/share/java/jna.jar")  # where Debian's package libjna-java puts it
TFLITE, ONNX = ".tflite", ".onnx"


def ask_newest(engine: str, files: Sequence[Path], cache: Path, offline: bool) -> Answers:
    """Asks an engine of the newest environment."""
    return ask([python_of(NEWEST, cache, offline=offline)], engine, files)


def ask_plain(files: Sequence[Path], cache: Path, offline: bool) -> Answers:
    """Asks the newest LiteRT with TensorFlow Lite's own kernels instead of XNNPACK's."""
    return ask([python_of(NEWEST, cache, offline=offline)], "litert", files, plain=True)


def ask_tflite_runtime(files: Sequence[Path], cache: Path, offline: bool) -> Answers:
    """Asks tflite-runtime 2.14, in its own environment."""
    return ask([python_of(TFLITE_RUNTIME, cache, offline=offline)], "tflite_runtime", files)


def ask_old_library(files: Sequence[Path], cache: Path, offline: bool) -> Answers:
    """Asks TensorFlow Lite 2.9.0's C library, through the runtime as tflite-runtime."""
    library = tflite_library(cache, offline=offline)
    python = python_of(NEWEST, cache, offline=offline)
    return ask([python], "tflite_runtime", files, library=library)


def ask_opencv_5(files: Sequence[Path], cache: Path, offline: bool) -> Answers:
    """Asks OpenCV 5's DNN module."""
    return ask([python_of(OPENCV_5, cache, offline=offline)], "opencv", files)


def ask_c(files: Sequence[Path], cache: Path, offline: bool) -> Answers:
    """Asks the C example with LiteRT's C library: a process for each face."""
    library = litert_library(cache, offline=offline)
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not compiler:
        raise UnavailableError("a C compiler is missing: apt-get install gcc libc6-dev")
    faces = len(next(iter(read_golden_scores().values())))
    answers = Answers({}, {}, {"litert": LITERT_VERSION})
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "classify"
        link = [f"-L{library.parent}", "-lLiteRt", "-lm", f"-Wl,-rpath,{library.parent}"]
        source = ROOT / "examples" / "c" / "classify.c"
        run([compiler, "-std=c11", "-O1", source, "-o", program, *link], "the C compiler")
        for path in map(Path.resolve, files):
            try:
                said = [run([program, path, GOLDEN, number], "classify") for number in map(str, range(faces))]
            except UnavailableError as error:
                answers.reasons[path] = error.reason
                continue
            rows = [[line.rpartition(" ")[2] for line in text.splitlines()] for text in said]
            answers.scores[path] = np.array(rows, np.float64)
    return answers


def ask_jvm(files: Sequence[Path], cache: Path, offline: bool) -> Answers:
    """Asks the Java library with LiteRT's C library, on the JVM: a process for each file."""
    tools = [name for name in ("javac", "java") if not shutil.which(name)]
    if tools or not JNA.exists():
        raise UnavailableError("a JDK or JNA is missing: apt-get install openjdk-17-jdk-headless libjna-java")
    library = litert_library(cache, offline=offline)
    answers = Answers(
        {}, {}, {"litert": LITERT_VERSION, "java": run(["java", "--version"], "java").split("\n")[0]}
    )
    with tempfile.TemporaryDirectory() as classes:
        test = JAVA / "test" / "java" / "io" / "github" / "ferkit"
        sources = [*(JAVA / "main").rglob("*.java")]
        sources += [test / f"{name}.java" for name in ("Golden", "LiteRt", "LiteRtFile")]
        sources.append(Path(__file__).parent / "workers" / "GoldenScores.java")
        path_of_classes = os.pathsep.join([classes, str(JNA)])
        run(["javac", "-proc:none", "-encoding", "UTF-8", "-d", classes, "-cp", JNA, *sources], "javac")
        command = ["java", "-cp", path_of_classes, f"-Dferkit.root={ROOT}", "io.github.ferkit.GoldenScores"]
        for path in map(Path.resolve, files):
            try:
                lines = run([*command, library, path], "java").splitlines()
            except UnavailableError as error:
                answers.reasons[path] = error.reason
                continue
            answers.scores[path] = np.array([line.split("\t")[1:] for line in lines], np.float64)
    return answers


def ask_arm64(cpu: str, engine: str, files: Sequence[Path], cache: Path, offline: bool) -> Answers:
    """Asks an emulated ARM64 processor."""
    return arm64.ask_emulated(
        userland_of(cache, offline=offline), cpu, files, engine=engine, faces=arm64.FACES
    )


@dataclass(frozen=True)
class Runtime:
    """A column.

    Attributes:
        name: Its heading.
        suffix: The ending of its files.
        ask: What asks it `(files, cache, offline)`.
        detects: Whether that runs face detectors, too.
    """

    name: str
    suffix: str
    ask: Callable[[Sequence[Path], Path, bool], Answers]
    detects: bool = True

    def runs(self, path: Path, card: dict[str, Any]) -> bool:
        """Whether it takes a file, by its ending and its kind."""
        return path.suffix == self.suffix and (self.detects or kind_of(card) != DETECTOR)


def _newest(engine: str) -> Callable[[Sequence[Path], Path, bool], Answers]:
    return lambda files, cache, offline: ask_newest(engine, files, cache, offline)


def _emulated(cpu: str, engine: str) -> Callable[[Sequence[Path], Path, bool], Answers]:
    return lambda files, cache, offline: ask_arm64(cpu, engine, files, cache, offline)


# Files that golden.json doesn't know are compared with the first of their kind.
RUNTIMES = (
    Runtime(f"LiteRT {LITERT_VERSION}", TFLITE, _newest("litert")),
    Runtime(f"LiteRT {LITERT_VERSION} without XNNPACK", TFLITE, ask_plain),
    Runtime("tflite-runtime 2.14", TFLITE, ask_tflite_runtime),
    Runtime("TFLite 2.9.0", TFLITE, ask_old_library),
    Runtime("C: LiteRT", TFLITE, ask_c, detects=False),
    Runtime("JVM: LiteRT", TFLITE, ask_jvm, detects=False),
    *(Runtime(f"LiteRT on {name}", TFLITE, _emulated(cpu, "litert")) for cpu, name in arm64.CPUS.items()),
    Runtime("tflite-runtime 2.14 on A53 (Pi 3)", TFLITE, _emulated("cortex-a53", "tflite_runtime")),
    Runtime("ONNX Runtime 1.32", ONNX, _newest("onnxruntime")),
    Runtime("OpenCV DNN 4.14", ONNX, _newest("opencv")),
    Runtime("OpenCV DNN 5.0", ONNX, ask_opencv_5),
    *(
        Runtime(f"ONNX Runtime on {name}", ONNX, _emulated(cpu, "onnxruntime"))
        for cpu, name in arm64.CPUS.items()
    ),
)


def measure(files: Sequence[Path], cache: Path, *, offline: bool = False) -> dict[str, Any]:
    """Asks every runtime for every file of its kind.

    Args:
        files: The artifacts.
        cache: The folder of the environments.
        offline: Whether nothing may be fetched.

    Returns:
        What the JSON holds. A row for each file: its `reference`, and a cell for each runtime, with
        `largest_gap`, `agreeing` and `faces`, or a `reason`.
    """
    golden = read_golden_scores()
    cards = {path: read_card(path) for path in files}
    references = {path: golden[card["sha256"]] for path, card in cards.items() if card["sha256"] in golden}
    compared_with = dict.fromkeys(references, "golden.json")
    rows: dict[Path, dict[str, Any]] = {
        path: {
            "file": path.name,
            "kind": kind_of(cards[path]),
            "model": cards[path]["model"],
            "precision": cards[path]["precision"],
            "sha256": cards[path]["sha256"],
            "reference": None,
            "cells": {},
        }
        for path in files
    }
    runtimes = {}
    for runtime in RUNTIMES:
        fitting = [path for path in files if runtime.runs(path, cards[path])]
        if not fitting:
            continue
        say(f"{runtime.name}: {len(fitting)} files ...")
        try:
            answers = runtime.ask(fitting, cache, offline)
        except UnavailableError as error:
            answers = Answers({}, {path.resolve(): error.reason for path in fitting}, {})
        runtimes[runtime.name] = answers.versions
        for path in fitting:
            scores = answers.scores.get(path.resolve())
            if scores is None:
                reason = answers.reasons[path.resolve()].replace(f"{path.resolve()}: ", "")
                rows[path]["cells"][runtime.name] = {"reason": reason}
                continue
            references.setdefault(path, scores)
            compared_with.setdefault(path, runtime.name)
            rows[path]["cells"][runtime.name] = vars(compare(scores, references[path]))
    for path, row in rows.items():
        row["reference"] = compared_with.get(path)
    return {
        "results_version": RESULTS_VERSION,
        "measured": datetime.date.today().isoformat(),
        "processor": processor_name(),
        "system": system_name(),
        "emulated_faces": arm64.FACES,
        "runtimes": runtimes,
        "rows": sorted(rows.values(), key=lambda row: order(row)),
    }


def prepare(cache: Path) -> list[str]:
    """Makes every environment; returns the reasons of those that can't be had here."""
    reasons = []
    makes: tuple[Callable[[], object], ...] = (
        lambda: python_of(NEWEST, cache),
        lambda: python_of(TFLITE_RUNTIME, cache),
        lambda: python_of(OPENCV_5, cache),
        lambda: tflite_library(cache),
        lambda: userland_of(cache),
    )
    for make in makes:
        try:
            make()
        except UnavailableError as error:
            reasons.append(error.reason)
    return reasons


def render_block(results: dict[str, Any]) -> str:
    """Returns the tables of results as Markdown; the same for the same results."""
    detectors = [row for row in results["rows"] if row.get("kind") == DETECTOR]
    rows = [row for row in results["rows"] if row not in detectors]
    faces = max((cell.get("faces", 0) for row in rows for cell in row["cells"].values()), default=0)
    return "\n".join(
        [
            f"Measured {results['measured']} on {results['processor']}, {results['system']}, by "
            f"`python -m benchmarks runtimes`: {faces} golden faces, on an emulated processor the first "
            f"{results['emulated_faces']}.",
            "",
            "### TFLite files",
            "",
            render_table(rows, TFLITE),
            "",
            "### ONNX files",
            "",
            render_table(rows, ONNX),
            *(render_detectors(detectors) if detectors else []),
        ]
    )


def render_detectors(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Returns the lines on the face detector's files."""
    return [
        "",
        "### The face detector",
        "",
        "The largest gap of a cell's confidence, and how many images have the surest box in the same place.",
        "",
        render_table(rows, TFLITE),
        "",
        render_table(rows, ONNX),
    ]


def render_table(rows: Sequence[dict[str, Any]], suffix: str) -> str:
    """Returns the table of one kind of file, with a note for each reason of a cell without figures."""
    rows = [row for row in rows if Path(row["file"]).suffix == suffix]
    if not rows:
        return "None were measured."
    names = list(dict.fromkeys(name for row in rows for name in row["cells"]))
    notes: dict[str, int] = {}
    lines = []
    for row in rows:
        cells = [_cell(row["cells"].get(name), row["reference"] == name, notes) for name in names]
        lines.append([f"`{row['file']}`", *cells])
    reasons = [f"{number}. {reason}" for reason, number in notes.items()]
    return "\n".join([table(["file", *names], lines), "", *reasons]).rstrip()


def _cell(cell: dict[str, Any] | None, is_reference: bool, notes: dict[str, int]) -> str:
    if cell is None:
        return ""
    if reason := cell.get("reason"):
        return f"no ({notes.setdefault(one_line(reason).replace(str(Path.home()), '~'), len(notes) + 1)})"
    if is_reference:
        return "reference"
    gap = f"{cell['largest_gap']:.1e}" if cell["largest_gap"] else "0"
    return f"{gap}, {cell['agreeing']}/{cell['faces']}"


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks runtimes", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("files", nargs="*", help="artifacts, or folders of them (default: artifacts/)")
    parser.add_argument("--prepare", action="store_true", help="make the environments and end")
    parser.add_argument("--offline", action="store_true", help="fetch nothing: use what is there")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where environments are kept")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "runtimes.json")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "runtimes.md")
    parser.add_argument("--table", action="store_true", help="measure nothing: write the tables of --out")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    options = build_parser().parse_args(arguments)
    if options.prepare:
        for reason in prepare(options.cache):
            print(f"Not to be had here: {reason}.")
        return 0
    if options.table:
        results = json.loads(options.out.read_text(encoding="utf-8"))
    else:
        files = find_artifacts(options.files or [*default_places(), *detector_places()])
        results = measure(files, options.cache, offline=options.offline)
        write_json(options.out, results)
    block = render_block(results)
    rewrite_block(options.page, block, name="runtimes")
    print(block)
    return 0
