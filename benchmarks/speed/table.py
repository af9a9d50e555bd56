"""The results as a Markdown table, and its place in the README."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runtime.card import PRECISIONS

ENGINE_NAMES = {
    "litert": "LiteRT",
    "tflite_runtime": "tflite-runtime",
    "onnxruntime": "ONNX Runtime",
    "opencv": "OpenCV",
}
DETECTOR_NAMES = {"yunet": "YuNet", "haar": "Haar"}
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
    "frames/s YuNet",
    "frames/s Haar",
)
SHORT_HEADS = ("artifact", "engine", "KB", "ms per face", "accuracy", "macro recall", "frames/s YuNet")


def order(row: dict) -> tuple:
    """Return the sort key of a row: model, format, precision, engine."""
    known = PRECISIONS.index(row["precision"]) if row["precision"] in PRECISIONS else len(PRECISIONS)
    return row["model"], Path(row["file"]).suffix != ".tflite", known, row["file"], row["engine"]


def render_readme(results: dict) -> str:
    """Return the README's block: of each model the fastest file on each engine, all of them folded below.

    Where these are all rows, there is the one table alone.
    """
    whole = render_table(results)
    fastest: dict[tuple[str, str], dict] = {}
    for row in sorted(results["rows"], key=lambda row: (row["median_ms"], order(row))):
        fastest.setdefault((row["model"], row["engine"]), row)
    if len(fastest) == len(results["rows"]):
        return whole
    shown = sorted(fastest.values(), key=lambda row: (row["model"], row["median_ms"]))
    device = results["device"]
    return "\n".join(
        [
            _table(shown, SHORT_HEADS),
            "",
            f"The fastest file of each model on each engine; {device['processor']}, {_threads(device)}, "
            f"{device['measured']}.",
            "",
            f"<details><summary>All {len(results['rows'])} pairs of file and engine, load time, memory, and "
            "how they were measured</summary>",
            "",
            whole,
            "",
            "</details>",
        ]
    )


def render_table(results: dict) -> str:
    """Return what `measure` returned, or its JSON, as Markdown; the same for the same results."""
    device = results["device"]
    lines = [
        _table(sorted(results["rows"], key=order), HEADS),
        "",
        _device_line(device, results),
    ]
    detectors = results["frame"]["detectors"]
    if detectors:
        found = ", ".join(
            f"{DETECTOR_NAMES[name]} found the face in {100 * share:.0f} % of the frames"
            for name, share in detectors.items()
        )
        size = f"{results['frame']['width']}x{results['frame']['height']}"
        lines += [
            "",
            f"Frames/s: detector, crop and model on {size} pixels with one face, every frame from scratch "
            f"({found}).",
        ]
    if results["refused"]:
        pairs = sorted({f"{row['file']} in {ENGINE_NAMES[row['engine']]}" for row in results["refused"]})
        lines += ["", f"Not run, because the engine can't: {', '.join(pairs)}."]
    return "\n".join(lines)


def _table(rows: list[dict], heads: Sequence[str]) -> str:
    """Return the columns of HEADS that `heads` names, a line a row."""
    lines = ["| " + " | ".join(heads) + " |", "|---|---|" + "---:|" * (len(heads) - 2)]
    for row in rows:
        cells = dict(zip(HEADS, _cells(row), strict=True))
        lines.append("| " + " | ".join(cells[head] for head in heads) + " |")
    return "\n".join(lines)


def _cells(row: dict) -> list[str]:
    frames = row["frames_per_second"]
    return [
        f"`{row['file']}`",
        ENGINE_NAMES.get(row["engine"], row["engine"]),
        f"{row['bytes'] / 1000:,.0f}",
        _number(row["load_ms"], 1),
        _number(row["median_ms"], 3),
        _number(row["p95_ms"], 3),
        _number(row["faces_per_second_batch_32"], 0),
        _percent(row["accuracy"], 2),
        _percent(row["macro_recall"], 2),
        _percent(row["label_agreement"], 1),
        _number(row["peak_memory_bytes"], 0, unit=1e6),
        _number(frames.get("yunet"), 0),
        _number(frames.get("haar"), 0),
    ]


def _number(value: float | None, digits: int, unit: float = 1.0) -> str:
    return "-" if value is None else f"{value / unit:,.{digits}f}"


def _percent(share: float | None, digits: int) -> str:
    return "-" if share is None else f"{100 * share:.{digits}f} %"


def _threads(device: dict) -> str:
    return f"{device['threads']} thread{'' if device['threads'] == 1 else 's'}"


def _device_line(device: dict, results: dict) -> str:
    engines = ", ".join(f"{ENGINE_NAMES[name]} {version}" for name, version in device["engines"].items())
    memory = "" if device["memory_bytes"] is None else f", {device['memory_bytes'] / 1e9:.0f} GB"
    accuracy = (
        f"accuracy and macro recall on the test split of {results['dataset']}"
        if results["dataset"]
        else "accuracy not measured"
    )
    load, cores = device.get("load_average"), device["cores"]
    busy = f", with load {load} of other programs," if load and cores and load > cores / 2 else ""
    return (
        f"Measured {device['measured']}{busy} on {device['processor']} ({device['cores']} cores{memory}), "
        f"{device['system']}, Python {device['python']}, {engines}; {_threads(device)}, "
        f"{results['calls']:,} calls each, all in turn; {accuracy}; agreement with the fp32 file on the same "
        "faces, and of the fp32 file with Keras on those of its card; peak memory of a whole process that "
        "answers a few faces."
    )
