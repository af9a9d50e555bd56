"""The results of `measure` as Markdown: a table of the released models, and tables of every artifact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.artifacts import ReleasedError, find_released, order
from benchmarks.formats import MISSING, decimal, percent
from benchmarks.speed.results import ArtifactRow, SpeedResults
from reporting.files import sha256_of
from reporting.machine import Device
from reporting.markdown import rewrite_block, table

ENGINE_NAMES = {
    "litert": "LiteRT",
    "tflite_runtime": "tflite-runtime",
    "onnxruntime": "ONNX Runtime",
    "opencv": "OpenCV",
}
DETECTOR_NAMES = {"ferkit": "ferkit", "yunet": "YuNet", "haar": "Haar"}
HEADS = (
    "artifact",
    "engine",
    "KB",
    "load ms",
    "ms per face",
    "p95 ms",
    "faces/s, batch 32",
    "accuracy",
    "macro recall",
    "agrees with Keras",
    "peak MB",
)
SHORT_HEADS = ("artifact", "engine", "KB", "ms per face", "accuracy", "macro recall")
TFLITE_ENGINES = ("litert", "tflite_runtime")


def label_of(detector: str) -> str:
    """Returns how a detector is called in tables: its name, or that of its file."""
    return DETECTOR_NAMES.get(detector, detector)


def rewrite_tables(results: SpeedResults, *, readme: str | Path, page: str | Path, released: Path) -> None:
    """Puts the table of models into the README and the tables of artifacts into the page of benchmarks.

    Args:
        results: What `measure` returned.
        readme: A page with the lines `<!-- models:start -->` and `<!-- models:end -->`.
        page: One with the lines `<!-- benchmark:start -->` and `<!-- benchmark:end -->`.
        released: The folder of the released files.

    Raises:
        ReleasedError: The results lack a released model.
        BlockError: A page has no place for its table; the other page may be written already.
    """
    models, artifacts = models_table(results, released), artifacts_tables(results)
    rewrite_block(page, artifacts, name="benchmark")
    rewrite_block(readme, models, name="models")


def models_table(results: SpeedResults, released: Path) -> str:
    """Returns a table of the released models, the most accurate first: the `.tflite` file that ferkit runs.

    Raises:
        ReleasedError: The results lack a released file, by its sha256.
    """
    rows = {row.sha256: row for row in results.rows if row.engine in TFLITE_ENGINES}
    found = {name: rows.get(sha256_of(path)) for name, path in find_released(released)}
    missing = [name for name, row in found.items() if row is None]
    if missing:
        raise ReleasedError(released, missing, [row.model for row in rows.values()])
    measured = {name: row for name, row in found.items() if row is not None}
    detector = next(iter(_detectors_of(measured.values())), "")
    lines = [
        [
            f"`{name}`",
            percent(row.accuracy, 1),
            f"{row.bytes:,}",
            decimal(row.median_ms, 2),
            decimal(row.frames_per_second.get(detector), 0),
        ]
        for name, row in measured.items()
    ]
    device = results.device
    engine = ENGINE_NAMES[next(iter(measured.values())).engine]
    with_detector = f", {DETECTOR_NAMES[detector]} in each" if detector else ""
    size = f"{results.frame.width}x{results.frame.height}"
    return "\n".join(
        [
            table(("model", "accuracy", "bytes", "ms per face", "frames/s"), lines),
            "",
            f"{_files(measured.values())} Accuracy on the test split of {results.dataset};",
            f"{engine} on {device['processor']}, "
            f"{_threads(device)}, {device['measured']}; {size} frames with one face{with_detector}.",
        ]
    )


def _files(rows: Iterable[ArtifactRow]) -> str:
    """Returns which files a table is about: "TFLite files: int8; dynamic-range for `cnn_lstm`."."""
    others = [
        f"{'dynamic-range' if row.precision == 'dynamic' else row.precision} for `{row.model}`"
        for row in rows
        if row.precision != "int8"
    ]
    return f"TFLite files: {'; '.join(['int8', *others])}."


def artifacts_tables(results: SpeedResults) -> str:
    """Returns two tables: of each model the fastest file on each engine, and all files on all engines.

    Where the first would hold all rows, there is the second alone.
    """
    whole = artifacts_table(results)
    fastest: dict[tuple[str, str], ArtifactRow] = {}
    for row in sorted(results.rows, key=lambda row: (row.median_ms, _order(row))):
        fastest.setdefault((row.model, row.engine), row)
    if len(fastest) == len(results.rows):
        return whole
    shown = sorted(fastest.values(), key=lambda row: (row.model, row.median_ms))
    device = results.device
    return "\n".join(
        [
            _table(shown, [*SHORT_HEADS, *map(_frames_head, _detectors_of(shown)[:1])]),
            "",
            f"The fastest file of each model on each engine; {device['processor']}, {_threads(device)}, "
            f"{device['measured']}. All {len(results.rows)} pairs of file and engine:",
            "",
            whole,
        ]
    )


def artifacts_table(results: SpeedResults) -> str:
    """Returns every file on every engine, and how it was measured; the same for the same results."""
    heads = [*HEADS, *map(_frames_head, _detectors_of(results.rows))]
    lines = [_table(sorted(results.rows, key=_order), heads), "", _how_measured(results)]
    detectors = results.frame.detectors
    if detectors:
        found = ", ".join(
            f"{DETECTOR_NAMES[name]} found the face in {100 * share:.0f} % of the frames"
            for name, share in detectors.items()
        )
        size = f"{results.frame.width}x{results.frame.height}"
        lines += [
            "",
            f"Frames/s: detector, crop and model on {size} pixels with one face, a detection in every frame "
            f"({found}).",
        ]
    if results.refused:
        pairs = sorted({f"{row.file} in {ENGINE_NAMES[row.engine]}" for row in results.refused})
        lines += ["", f"Not run, because the engine can't: {', '.join(pairs)}."]
    return "\n".join(lines)


def _table(rows: Sequence[ArtifactRow], heads: Sequence[str]) -> str:
    """Returns the columns that `heads` names, of HEADS and of detectors, a line a row."""
    cells = [
        dict(zip(HEADS, _cells(row), strict=True))
        | {_frames_head(name): decimal(row.frames_per_second.get(name), 0) for name in DETECTOR_NAMES}
        for row in rows
    ]
    return table(heads, [[row[head] for head in heads] for row in cells], left=2)


def _cells(row: ArtifactRow) -> list[str]:
    return [
        f"`{row.file}`",
        ENGINE_NAMES[row.engine],
        f"{row.bytes / 1000:,.0f}",
        decimal(row.load_ms, 1),
        decimal(row.median_ms, 3),
        decimal(row.p95_ms, 3),
        decimal(row.faces_per_second_batch_32, 0),
        percent(row.accuracy, 2),
        percent(row.macro_recall, 2),
        percent(row.label_agreement, 1),
        MISSING if row.peak_memory_bytes is None else f"{row.peak_memory_bytes / 1e6:.0f}",
    ]


def _detectors_of(rows: Iterable[ArtifactRow]) -> list[str]:
    """Returns the detectors with which frames were to be timed, in the order of DETECTOR_NAMES."""
    rows = list(rows)
    return [name for name in DETECTOR_NAMES if any(name in row.frames_per_second for row in rows)]


def _frames_head(detector: str) -> str:
    return f"frames/s {DETECTOR_NAMES[detector]}"


def _order(row: ArtifactRow) -> tuple:
    return order(vars(row))


def _threads(device: Device) -> str:
    return f"{device['threads']} thread{'' if device['threads'] == 1 else 's'}"


def _how_measured(results: SpeedResults) -> str:
    device = results.device
    engines = ", ".join(f"{ENGINE_NAMES[name]} {version}" for name, version in device["engines"].items())
    memory = "" if device["memory_bytes"] is None else f", {device['memory_bytes'] / 1e9:.0f} GB"
    accuracy = (
        f"accuracy and macro recall on the test split of {results.dataset}"
        if results.dataset
        else "accuracy not measured"
    )
    load, cores = device["load_average"], device["cores"]
    busy = f", with load {load} of other programs," if load and cores and load > cores / 2 else ""
    return (
        f"Measured {device['measured']}{busy} on {device['processor']} ({device['cores']} cores{memory}), "
        f"{device['system']}, Python {device['python']}, {engines}; {_threads(device)}, "
        f"{results.calls:,} calls each, interleaved; {accuracy}; agreement with the fp32 file on the same "
        "faces, and of the fp32 file with Keras on those of its card; peak memory of a whole process that "
        "answers a few faces."
    )
