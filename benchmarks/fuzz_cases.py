"""The cases of the fuzz benchmark: whole files, damaged, and given to the runtime."""

from __future__ import annotations

import hashlib
import json
import tempfile
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from benchmarks.artifacts import ROOT
from benchmarks.mutations import Data, mutate
from benchmarks.scenes import PORTRAIT
from runtime.card import CardError, card_path
from runtime.command.lines import csv_header, csv_lines, json_lines
from runtime.command.open_source import open_source
from runtime.command.outputs import LinesFile, OutputError
from runtime.command.sources import Source
from runtime.command.summary import Summary
from runtime.command.summary_files import summary_text, write_summary
from runtime.command.video_file import VideoFile
from runtime.detectors import DetectorError, load_ferkit
from runtime.drawing.overlay import Overlay
from runtime.engines import ENGINES_OF_SUFFIX, EngineError, is_installed
from runtime.images import SourceError, read_image
from runtime.model import RELEASED, ModelError, load_model
from runtime.recognizer import Recognizer

KINDS = ("images", "videos", "models", "detectors")
MODEL_CASES = ("damaged file", "forged card", "damaged card")
OWN_ERRORS = (SourceError, OutputError, ModelError, CardError, EngineError, DetectorError)
VIDEO_FRAMES = 24

Case = tuple[str, int]  # kind, number


@lru_cache(maxsize=1)
def whole_images() -> tuple[tuple[str, Data], ...]:
    """Returns ending and bytes of a portrait as every kind of image that this OpenCV writes."""
    image = cv2.resize(read_image(PORTRAIT)[20:220, 120:320], (160, 160), interpolation=cv2.INTER_AREA)
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    alpha = cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)
    kinds = [
        (".jpg", image, []),
        (".jpg", image, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 4]),
        (".jpg", gray, []),
        (".png", image, []),
        (".png", alpha, []),
        (".png", gray.astype(np.uint16) * 257, []),
        (".bmp", image, []),
        (".webp", image, []),
        (".tiff", image, []),
        (".tiff", gray.astype(np.uint16) * 257, []),
        (".ppm", image, []),
        (".avif", image, []),
    ]
    return tuple(
        (suffix, cv2.imencode(suffix, pixels, flags)[1].tobytes())
        for suffix, pixels, flags in kinds
        if cv2.haveImageWriter(f"x{suffix}")
    )


@lru_cache(maxsize=1)
def whole_videos() -> tuple[tuple[str, Data], ...]:
    """Returns ending and bytes of 24 frames of a moving portrait in the containers that can be written."""
    image = cv2.resize(read_image(PORTRAIT), (256, 256), interpolation=cv2.INTER_AREA)
    frames = [image[2 * n : 2 * n + 160, 3 * n : 3 * n + 160] for n in range(VIDEO_FRAMES)]
    containers = (
        (".mp4", "mp4v"),
        (".avi", "MJPG"),
        (".avi", "XVID"),
        (".mkv", "MJPG"),
        (".webm", "VP80"),
        (".ts", "mp4v"),
    )
    videos = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (suffix, codec) in enumerate(containers):
            path = Path(folder) / f"{number}{suffix}"
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 25, (160, 160))
            if not writer.isOpened():
                continue
            for frame in frames:
                writer.write(np.ascontiguousarray(frame))
            writer.release()
            videos.append((suffix, path.read_bytes()))
    return tuple(videos)


@lru_cache(maxsize=1)
def whole_models() -> tuple[Path, ...]:
    """Returns the released models and the tests' tiny ones."""
    folders = (RELEASED, ROOT / "tests" / "data")
    paths = [path for folder in folders for path in sorted(folder.iterdir())]
    return tuple(path for path in paths if path.suffix in ENGINES_OF_SUFFIX)


@lru_cache(maxsize=1)
def whole_detectors() -> tuple[Path, ...]:
    """Returns the released files of our detector, else those that `make export` wrote."""
    for folder in (RELEASED / "detectors", ROOT / "artifacts" / "detectors"):
        paths = [path for path in sorted(folder.glob("*")) if path.suffix in ENGINES_OF_SUFFIX]
        if paths:
            return tuple(paths)
    raise DetectorError("Expected our detector in artifacts/detectors, got none: make export writes it.")


def random_of(case: Case, seed: int) -> np.random.Generator:
    """Returns the random generator of a case."""
    kind, number = case
    return np.random.default_rng([seed, KINDS.index(kind), number])


@lru_cache(maxsize=1)
def recognizer(detector: str | None = None) -> Recognizer:
    """Returns the recognizer of this process: the default model; without a detector YuNet, if it is found."""
    return Recognizer(detector=detector, offline=True, announce=lambda line: None)


def run_case(case: Case, *, seed: int, folder: Path, detector: str | None = None) -> str:
    """Makes the file of a case and gives it to the runtime; returns the result, or raises its error."""
    kind, number = case
    random = random_of(case, seed)
    if kind in ("models", "detectors"):
        return _run_model(kind, number, random, folder)
    whole = whole_images() if kind == "images" else whole_videos()
    suffix, data = whole[number % len(whole)]
    path = folder / f"{kind}{suffix}"
    path.write_bytes(mutate(data, random, [other for _, other in whole]))
    if kind == "images":
        frame = read_image(path)
        faces = recognizer(detector)(frame)
        return f"{frame.shape[1]}x{frame.shape[0]} pixels, {len(faces)} faces"
    with open_source(path) as source:
        return _run_video(recognizer(detector), source, folder)


def _run_video(recognize: Recognizer, source: Source, folder: Path) -> str:
    """Does with a video what `ferkit run` does with all its outputs."""
    follow = recognize.stream()
    summary = Summary(source.name, frame_rate=source.frame_rate)
    draw, count = Overlay(), 0
    with (
        VideoFile(folder / "out.avi", frame_rate=source.frame_rate, keep_time=True) as out,
        LinesFile(folder / "out.jsonl") as lines,
        LinesFile(folder / "out.csv", header=csv_header(recognize.model.labels)) as table,
    ):
        for frame in source:
            count += 1
            if count <= 2 * VIDEO_FRAMES:  # a repeated block may make it long
                faces = follow(frame.pixels, frame.time_s)
                lines.write(json_lines(frame, faces))
                table.write(csv_lines(frame, faces))
                summary.add(frame, faces)
                out.fill(frame.time_s)
                out.write(draw(frame.pixels, faces, f"{count} frames"), frame.time_s)
    if count:
        summary.finish()
        summary_text(summary)
        write_summary(summary, folder / "summary")
    return f"{count} frames" + (", broken off" if source.failures else "")


def _run_model(kind: str, number: int, random: np.random.Generator, folder: Path) -> str:
    """Runs a damaged file, one beside a forged card, or a damaged card, by the number modulo 3."""
    models = whole_models() if kind == "models" else whole_detectors()
    original = models[number // 3 % len(models)]
    data, card = original.read_bytes(), card_path(original).read_bytes()
    what = MODEL_CASES[number % 3]
    if what == "damaged card":
        card = mutate(card, random)
    else:
        data = mutate(data, random, [model.read_bytes() for model in models])
    if what == "forged card":
        facts = json.loads(card)
        card = json.dumps({**facts, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}).encode()
    path = folder / original.name
    path.write_bytes(data)
    card_path(path).write_bytes(card)
    engines = [engine for engine in ENGINES_OF_SUFFIX[path.suffix] if is_installed(engine)]
    said = []
    for engine in engines:
        try:
            shape = _answer(kind, path, engine, random)
            said.append(f"{engine} gave {shape}")
        except OWN_ERRORS as error:
            cause = error.__cause__ if isinstance(error, DetectorError) else error
            if what == "damaged file" and not isinstance(cause, CardError):
                raise AssertionError(f"the card let a damaged file pass: {error}") from error
            if engine == engines[-1] and not said:
                raise
    if what == "damaged file" and said:
        raise AssertionError("the card let a damaged file pass")
    return f"{what}: {', '.join(said)}"


def _answer(kind: str, path: Path, engine: str, random: np.random.Generator) -> tuple[int, ...]:
    """Runs a model on random faces or a detector on a random frame; returns the shape of what it gives."""
    if kind == "models":
        return load_model(path, engine=engine)(random.integers(0, 256, (3, 48, 48, 1), np.uint8)).shape
    return load_ferkit(path, engine=engine)(random.integers(0, 256, (240, 320, 3), np.uint8)).shape
