"""Compare every artifact on emulated processors of a Raspberry Pi 5, 4 and 3 with this machine.

An ARM64 Debian userland under qemu runs the artifacts through the same `runtime/`, and its scores of the
golden faces are compared with this machine's. It proves that they are right there and says nothing of speed.
The userland and the emulator are fetched once, without root. Where they can't be had, the command says why
and ends with exit status 0. A gap ends it with 1.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.artifacts import default_places, detector_places, find_artifacts, order
from benchmarks.portability.environments import NEWEST, Userland, default_cache, python_of, userland_of
from benchmarks.portability.errors import UnavailableError
from benchmarks.portability.golden import Answers, Comparison, ask, compare
from benchmarks.scoring import say
from reporting.command import at_least
from runtime.card import DETECTOR, kind_of, read_card

# The processor of a Raspberry Pi 5, 4 and 3. The A76 has ARMv8.2 with dot products, the others ARMv8.0.
CPUS = {"cortex-a76": "A76 (Pi 5)", "cortex-a72": "A72 (Pi 4)", "cortex-a53": "A53 (Pi 3)"}
FACES = 6  # of the golden ones: each is a hundred times slower than on a board

FLOAT_LIMIT = 1e-4
# In an int8 file the head is float32 (last dense layer and softmax, or last convolutions and decoding), and
# the order of its sums differs between processors. The layers before them add whole numbers, which is exact.
FLOAT_HEAD_LIMIT = 1e-6
# With dynamic-range quantization a processor now and then rounds an activation to the neighbouring step.
# Measured: 4.3e-3.
STEP_LIMIT = 1e-2
# ONNX Runtime computes in float16, of 11 bits, where a processor can (A76). Measured: 1.2e-3.
HALF_LIMIT = 5e-3


@dataclass(frozen=True)
class Cell:
    """An artifact on a processor: its comparison with this machine, or why it did not run."""

    file: str
    cpu: str
    comparison: Comparison | None
    reason: str | None
    limit: float

    @property
    def is_right(self) -> bool:
        """Whether it ran, within the limit."""
        return self.comparison is not None and self.comparison.largest_gap <= self.limit


def limit_of(card: dict) -> float:
    """Returns the largest gap to this machine that is no mistake: 0 where all is int8, output included."""
    precision, is_onnx = card["precision"], card["file"].endswith(".onnx")
    if precision == "dynamic":
        return STEP_LIMIT
    if precision == "fp16" and is_onnx:
        return HALF_LIMIT
    if not precision.startswith("int8"):
        return FLOAT_LIMIT
    has_float_head = kind_of(card) == DETECTOR or card["output"]["dtype"] != "int8"
    return FLOAT_HEAD_LIMIT if has_float_head else 0.0


def ask_emulated(
    userland: Userland,
    cpu: str,
    files: Sequence[Path],
    *,
    engine: str = "any",
    faces: int | None = None,
) -> Answers:
    """Returns the scores of an emulated processor, by the newest engines or by tflite-runtime."""
    site = userland.tflite_runtime if engine == "tflite_runtime" else userland.newest
    if site is None:
        raise UnavailableError(f"tflite-runtime has no wheel for {userland.python.name}")
    python_path = os.pathsep.join([str(Path(__file__).resolve().parents[2]), str(site)])
    environment = {
        "PYTHONPATH": python_path,
        "PYTHONHOME": str(userland.root / "usr"),
        "PYTHONPYCACHEPREFIX": str(userland.root.parent / "bytecode"),  # compiling takes long under qemu
    }
    return ask(userland.command(cpu), engine, files, faces=faces, environment=environment)


def check(
    files: Sequence[Path], cpus: Sequence[str], cache: Path, *, faces: int | None, offline: bool
) -> list[Cell]:
    """Runs every file on every processor and on this machine; returns a cell for each file and processor.

    Raises:
        UnavailableError: Userland, emulator or this machine's engines can't be had.
    """
    userland = userland_of(cache, offline=offline)
    here = ask([python_of(NEWEST, cache, offline=offline)], "any", files, faces=faces)
    say(f"Running {len(files)} files on {', '.join(cpus)} (emulated; a minute or two) ...")
    with ThreadPoolExecutor(max_workers=max(1, min(len(cpus), os.cpu_count() or 1))) as pool:
        answers = pool.map(lambda cpu: ask_emulated(userland, cpu, files, faces=faces), cpus)
        return [
            cell_of(path.resolve(), cpu, given, here)
            for cpu, given in zip(cpus, answers, strict=True)
            for path in files
        ]


def cell_of(path: Path, cpu: str, there: Answers, here: Answers) -> Cell:
    """Returns how one file's answers on a processor compare with those here."""
    limit = limit_of(read_card(path))
    if path in there.scores and path in here.scores:
        return Cell(path.name, cpu, compare(there.scores[path], here.scores[path]), None, limit)
    reason = there.reasons.get(path) or f"on this machine: {here.reasons.get(path)}"
    return Cell(path.name, cpu, None, reason, limit)


def render(cells: Sequence[Cell], cpus: Sequence[str]) -> str:
    """Returns a row for each file, a column for each processor, and the reasons of files that did not run."""
    files = list(dict.fromkeys(cell.file for cell in cells))
    found = {(cell.file, cell.cpu): cell for cell in cells}
    width = max([*map(len, files), len("artifact")])
    lines = [f"{'artifact':{width}}{'limit':>9}" + "".join(f"{CPUS[cpu]:>24}" for cpu in cpus)]
    for file in files:
        row = [found[file, cpu] for cpu in cpus]
        lines.append(f"{file:{width}}{row[0].limit:9.0e}" + "".join(f"{text_of(cell):>24}" for cell in row))
    lines += [f"{cell.file} on {cell.cpu}: {cell.reason}" for cell in cells if cell.reason]
    return "\n".join(lines)


def text_of(cell: Cell) -> str:
    """Returns a cell in a few characters."""
    if cell.comparison is None:
        return "did not run"
    gap = f"{cell.comparison.largest_gap:.1e}" if cell.comparison.largest_gap else "0"
    text = f"{gap}, {cell.comparison.agreeing}/{cell.comparison.faces}"
    return text if cell.is_right else f"TOO FAR: {text}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns 1 where a file is wrong or did not run, else 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks arm64", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("files", nargs="*", help="artifacts, or folders of them (default: artifacts/)")
    parser.add_argument("--cpu", nargs="+", choices=list(CPUS), default=list(CPUS), metavar="CPU")
    parser.add_argument(
        "--faces", type=at_least(1), default=FACES, help="of the golden faces, the first so many"
    )
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where the userland is kept")
    parser.add_argument("--offline", action="store_true", help="fetch nothing")
    options = parser.parse_args(arguments)
    places = options.files or [*default_places(), *detector_places()]
    files = sorted(find_artifacts(places), key=lambda path: order(read_card(path)))
    try:
        cells = check(files, options.cpu, options.cache, faces=options.faces, offline=options.offline)
    except UnavailableError as error:
        print(f"Skipped: {error.reason}.")
        return 0
    print(render(cells, options.cpu))
    wrong = [cell for cell in cells if not cell.is_right]
    print(f"{len(cells) - len(wrong)} of {len(cells)} are this machine's within the limit.")
    return 1 if wrong else 0
