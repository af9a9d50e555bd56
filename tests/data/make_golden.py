"""Makes the golden vectors, `runtime/golden.json`: `python -m tests.data.make_golden`.

It needs LiteRT and ONNX Runtime. Run it again after a release.

Ports of the runtime to other languages are tested against these vectors: frames, boxes, the faces cut out of
them, and the scores that every model file gives to these faces. The wheel carries the file, because
`ferkit verify` compares the scores of released files with it.

    default_model  the name of the model that a port ships
    frames  name, source, width, height; bgr: base64 of height x width x 3 bytes, blue first, row by row
    crops   name, frame (a name), box (x, y, width, height in pixels), scale, shift_x, shift_y: what
            `crop_face` takes; square (left, top, side); face: base64 of 48 x 48 gray bytes; verify: whether
            `ferkit verify` scores this face
    sweep   frame, left, top; crc32: of the 48 x 48 gray bytes for each side 1, 2, 3 ... of a square there
    letterboxes  name, frame, width, height of a detector's input; crc32: of its height x width gray bytes;
            box (x, y, width, height in pixels of the input), on_frame: the same in those of the frame
    letterbox_sweep  frame; crc32: of the bytes of square inputs with the side 1, 2, 3 ...
    suppressions  name, threshold, overlap; boxes and confidences of all candidates; kept: the indices of the
            faces among them, the surest first
    smoothing  labels, time_constant_s, margin, threshold, change; frames: time_s, scores of one face, and
            what `Expression` makes of them: smoothed (scores) and label
    models  file (from the top of the checkout), sha256; scores: for each crop, in the order of the labels,
            of one face at a time: a dynamic-range model scales a face by the range of its whole batch
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from runtime.crop import crop_face, square_of
from runtime.model import DEFAULT_MODEL, RELEASED, load_model
from runtime.smoothing import Expression

from .golden_detection import make_letterbox_sweep, make_letterboxes, make_suppressions, numbers_of

ROOT = Path(__file__).parent.parent.parent
DATA = Path(__file__).parent
PATH = ROOT / "runtime" / "golden.json"
PORTRAIT = ROOT / "demo" / "astronaut.jpg"
PART = (30, 226, 128, 308)  # of the portrait: first row, last row + 1, first column, last column + 1

# A name, the frame, the box, then scale, shift_x and shift_y where they are not 1, 0, 0.
CROPS: list[tuple[Any, ...]] = [
    ("the face as YuNet boxes it", "portrait", (51, 33, 89, 112)),
    ("the face between pixels, as Haar's rule cuts it", "portrait", (48.62, 30.38, 101.5, 101.5), 1.05),
    ("the face a little to the left and above", "portrait", (45, 29, 89, 112)),
    ("the face a little closer", "portrait", (54, 37, 82, 103)),
    ("the face in a wide box", "portrait", (40, 38, 110, 100)),
    ("the face with its surroundings, clipped above", "portrait", (51, 33, 89, 112), 1.6),
    ("the face moved by the rule", "portrait", (50.25, 34.75, 88, 111.5), 1.1, 0.08, -0.06),
    ("the face from afar, clipped on every side", "portrait", (51, 33, 89, 112), 3.5),
    ("an eye, enlarged", "portrait", (66, 71, 31, 22)),
    ("a face of 48 pixels, neither enlarged nor shrunk", "portrait", (70, 60, 48, 40)),
    ("twice 48 pixels", "portrait", (44, 36, 96, 96)),
    ("three times 48 pixels", "portrait", (19, 21, 144, 140)),
    ("clipped on the left", "portrait", (-37.5, 20, 100, 120)),
    ("clipped at the lower right corner", "portrait", (120, 140, 83, 91)),
    ("one pixel", "portrait", (100, 80, 1, 1)),
    ("noise, shrunk a little", "noise", (3, 2, 49, 49)),
    ("noise, shrunk by an odd size", "noise", (21.5, -8, 77, 53)),
    ("noise, enlarged a little", "noise", (40, 10, 47, 47)),
    ("noise, enlarged by an odd size", "noise", (70, 40, 13, 9)),
    ("noise, two pixels", "noise", (95, 59, 2, 2)),
    ("noise, clipped above and below", "noise", (5, -30, 40, 120)),
    ("noise, wholly outside", "noise", (-80, -70, 60, 50)),
    ("noise, sides that end in a half round up", "noise", (10.5, 9.5, 5, 5), 1.1),
    ("noise, halves below zero round up, too", "noise", (-20.5, -11.5, 31, 50)),
    ("each colour by itself", "ramps", (4, 30, 60, 70)),
    ("each colour, enlarged at the corner", "ramps", (-6, 100, 30, 30)),
    ("less than a pixel", "ramps", (30.4, 60.6, 0.2, 0.3)),
    ("a frame of one pixel", "pixel", (-3, -2, 100, 80)),
]
# The crops of `ferkit verify`: faces about which models are sure, and images about which they differ.
VERIFIED = (
    "the face as YuNet boxes it",
    "the face with its surroundings, clipped above",
    "the face from afar, clipped on every side",
    "an eye, enlarged",
    "a face of 48 pixels, neither enlarged nor shrunk",
    "clipped on the left",
    "clipped at the lower right corner",
    "noise, shrunk a little",
)
# Inside the frame up to a side of 60, beyond its lower right corner from there on.
SWEEP_FRAME, SWEEP_LEFT, SWEEP_TOP, SWEEP_SIDES = "noise", 2, 1, 256

# What the one face of `smoothing` shows: a label's index, how clearly (0: not at all), for how many frames.
SHOWN = [(3, 20, 14), (6, 20, 1), (3, 20, 9), (6, 20, 14), (0, 0, 18), (4, 2, 12), (4, 8, 18), (5, 7, 12)]
# Between two labels, now more of one and then of the other: what is held for a while after a change.
SHOWN += [
    (label, 8, count)
    for counts in ((3, 1), (1, 3), (3, 1))
    for label, count in 12 * list(zip((4, 5), counts, strict=True))
]
LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def make_frames() -> dict[str, tuple[str, np.ndarray]]:
    """Returns the frames by name, each with its source: `uint8` BGR `(height, width, 3)`."""
    portrait = cv2.imread(str(PORTRAIT))
    if portrait is None:
        raise FileNotFoundError(f"{PORTRAIT}: expected the demo portrait, got no readable image.")
    top, bottom, left, right = PART
    return {
        "portrait": (
            f"demo/astronaut.jpg (NASA, public domain), rows {top}-{bottom - 1}, columns {left}-{right - 1}",
            portrait[top:bottom, left:right],
        ),
        "noise": ("made by the script", noise(61, 97)),
        "ramps": ("made by the script", ramps(120, 64)),
        "pixel": ("made by the script", np.array([[[12, 150, 231]]], np.uint8)),
    }


def noise(height: int, width: int) -> np.ndarray:
    """Returns noise of every gray and colour, by arithmetic: numpy's generators may change."""
    values = np.arange(height * width * 3, dtype=np.uint64) + 1
    for shift in (31, 29):
        values = (values ^ (values >> np.uint64(shift))) * np.uint64(0x9E3779B97F4A7C15)
    return (values >> np.uint64(56)).astype(np.uint8).reshape(height, width, 3)


def ramps(height: int, width: int) -> np.ndarray:
    """Returns ramps: blue grows to the right, green downwards, red towards the upper right."""
    row, column = np.arange(height)[:, np.newaxis], np.arange(width)
    frame = np.empty((height, width, 3), np.uint8)
    frame[..., 0] = 255 * column // (width - 1)
    frame[..., 1] = 255 * row // (height - 1)
    frame[..., 2] = 255 * (column + height - 1 - row) // (width + height - 2)
    return frame


def make_crops(frames: dict[str, tuple[str, np.ndarray]]) -> list[dict[str, Any]]:
    """Returns the entries of `crops`."""
    entries = []
    for name, frame, box, *rule in CROPS:
        keywords = {"scale": 1.0, "shift_x": 0.0, "shift_y": 0.0}
        keywords.update(zip(keywords, rule, strict=False))
        square = square_of(box, **keywords)
        face = crop_face(frames[frame][1], box, **keywords)
        entry = {"name": name, "frame": frame, "box": list(box), **keywords, "square": list(square)}
        entries.append(entry | {"face": text_of(face), "verify": name in VERIFIED})
    return entries


def make_sweep(frame: np.ndarray) -> list[int]:
    """Returns the checksums of the faces that squares of every side at one place give."""
    sides = range(1, SWEEP_SIDES + 1)
    faces = (crop_face(frame, (SWEEP_LEFT, SWEEP_TOP, side, side)) for side in sides)
    return [zlib.crc32(face.tobytes()) for face in faces]


def make_smoothing() -> dict[str, Any]:
    """Returns `smoothing`: a face at 25 frames/s, with a gap, two frames of one time and a step back."""
    favourites = [(label, lead) for label, lead, count in SHOWN for _ in range(count)]
    times_s = np.arange(len(favourites)) / 25
    times_s[20:] += 0.7
    times_s[30] = times_s[29]
    times_s[40] = times_s[38]
    expression = Expression(LABELS)
    frames = []
    rows = noise(len(favourites), 3)
    for time_s, (label, lead), row in zip(times_s.tolist(), favourites, rows, strict=True):
        weights = row.reshape(-1)[: len(LABELS)] / 255 + 0.1
        weights[label] += lead
        scores = (weights / weights.sum()).astype(np.float32)
        smoothed, shown = expression.update(scores, time_s)
        given = {"time_s": time_s, "scores": numbers_of(scores)}
        frames.append(given | {"smoothed": numbers_of(smoothed), "label": shown})
    return {
        "labels": list(LABELS),
        "time_constant_s": expression.time_constant_s,
        "margin": expression.margin,
        "threshold": expression.threshold,
        "change": expression.change,
        "frames": frames,
    }


def make_scores(path: Path, faces: np.ndarray) -> list[list[float]]:
    """Returns a model file's scores of faces, `uint8` `(n, 48, 48, 1)`, one at a time."""
    model = load_model(path)
    return [numbers_of(model(face[np.newaxis])[0]) for face in faces]


def model_paths() -> list[Path]:
    """Returns the released model files, then the tiny ones of the tests."""
    return [
        path
        for folder in (RELEASED, DATA)
        for path in sorted(folder.iterdir())
        if path.suffix in (".tflite", ".onnx")
    ]


def make_golden() -> dict[str, Any]:
    """Returns all that the file holds."""
    frames = make_frames()
    images = {name: frame for name, (_, frame) in frames.items()}
    crops = make_crops(frames)
    faces = np.stack([array_of(crop["face"], 48, 48, 1) for crop in crops])
    return {
        "golden_version": 1,
        "made_by": "python -m tests.data.make_golden",
        "default_model": DEFAULT_MODEL,
        "frames": [
            {
                "name": name,
                "source": source,
                "width": frame.shape[1],
                "height": frame.shape[0],
                "bgr": text_of(frame),
            }
            for name, (source, frame) in frames.items()
        ],
        "crops": crops,
        "sweep": {
            "frame": SWEEP_FRAME,
            "left": SWEEP_LEFT,
            "top": SWEEP_TOP,
            "crc32": make_sweep(frames[SWEEP_FRAME][1]),
        },
        "letterboxes": make_letterboxes(images),
        "letterbox_sweep": make_letterbox_sweep(images),
        "suppressions": make_suppressions(images["noise"]),
        "smoothing": make_smoothing(),
        "models": [
            {
                "file": path.relative_to(ROOT).as_posix(),
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "scores": make_scores(path, faces),
            }
            for path in model_paths()
        ],
    }


def text_of(array: np.ndarray) -> str:
    """Returns an array's bytes as base64."""
    return base64.b64encode(array.tobytes()).decode("ascii")


def array_of(text: str, *shape: int) -> np.ndarray:
    """Returns the bytes of a base64 text, `uint8`."""
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(shape)


def json_of(golden: dict[str, Any]) -> str:
    """Returns JSON with a line for each frame, crop and model, so that a change shows where it is."""
    fields = []
    for name, value in golden.items():
        text = json.dumps(value)
        if isinstance(value, list):
            text = "[\n" + ",\n".join(f"  {json.dumps(entry)}" for entry in value) + "\n ]"
        fields.append(f' "{name}": {text}')
    return "{\n" + ",\n".join(fields) + "\n}\n"


def main() -> None:
    """Writes the file, whole or not at all, and prints what is in it."""
    golden = make_golden()
    text = json_of(golden)
    part = PATH.with_name(f".{PATH.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(PATH)
    counts = [f"{len(value)} {name}" for name, value in golden.items() if isinstance(value, list)]
    print(f"{PATH.relative_to(ROOT).as_posix()}: {len(text)} bytes, {', '.join(counts)}")


if __name__ == "__main__":
    main()
