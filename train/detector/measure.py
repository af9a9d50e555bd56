"""`python -m train.detector.measure FILE --data ...`: a detector by groups of images, beside YuNet.

It measures on the validation part, for choices. The test part is for reports alone.
"""

import argparse
import csv
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dataset.detection import groups
from dataset.detection.heads import Patch, tight_face
from dataset.detection.images import DataError, ImageStore
from dataset.detection.photos import load_backgrounds, load_photos
from dataset.detection.scores import Faces, confidences_of, score_photos
from dataset.detection.teacher import LEAST_CONFIDENCE, Found, Photo, Teacher, load_teacher

from .validation import summary

YUNET_PX = 320  # the longest side at which the kit runs YuNet
YUNET_CONFIDENCE = 0.6  # its threshold in the kit

Detector = Callable[[Sequence[np.ndarray]], list[Found]]


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Returns the command line's arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m train.detector.measure", description=__doc__.splitlines()[0]
    )
    several: dict[str, Any] = {"type": Path, "nargs": "+", "metavar": "PATH", "default": []}
    parser.add_argument("file", type=Path, help="a detector's .keras file")
    parser.add_argument("--data", **several, help="images of faces, as for python -m train.detector")
    parser.add_argument("--backgrounds", **several, help="images without a face")
    parser.add_argument("--faces", type=Path, help="tight faces in val/, with val.csv (file, race), to paste")
    parser.add_argument("--teacher", type=Path, required=True, metavar="FILE", help="YuNet's ONNX file")
    parser.add_argument("--size", default="256x320", help="height x width of the input; default: %(default)s")
    parser.add_argument("--thresholds", type=float, nargs="+", default=[0.4, 0.5, 0.6], metavar="T")
    parser.add_argument("--count", type=int, default=60, help="pasted faces a group; default: %(default)s")
    options = parser.parse_args(arguments)
    if not options.data or not options.backgrounds:
        parser.error("expected --data and --backgrounds.")
    try:
        options.height, options.width = (int(side) for side in options.size.split("x"))
    except ValueError:
        parser.error(f"--size: expected a height and a width such as 256x320, got {options.size}.")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit status."""
    options = parse(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        teacher = load_teacher(options.teacher)
        images = images_of(options, teacher)
        backgrounds = [
            image for path in options.backgrounds for image in load_backgrounds(path, split="validation")
        ]
        ours = load_ours(options.file, options.height, options.width)
    except (DataError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    yunet = yunet_as_run(options.teacher)
    columns = {f"ours {threshold}": (ours, threshold) for threshold in options.thresholds}
    columns[f"YuNet {YUNET_CONFIDENCE}"] = (yunet, YUNET_CONFIDENCE)
    print_table(columns, images, backgrounds)
    return 0


def images_of(options: argparse.Namespace, teacher: Teacher) -> dict[str, list[Photo]]:
    """Returns the photos of each group."""
    found: dict[str, list[Photo]] = {}
    for path in options.data:
        photos = load_photos(path, teacher, split="validation")
        found[path.stem] = [groups.of_some_size(groups.framed(photo)) for photo in photos]
    photos = [photo for part in found.values() for photo in part]
    backgrounds = [
        image for path in options.backgrounds for image in load_backgrounds(path, split="validation")
    ]
    found["dark"] = [groups.dark(photo) for photo in photos]
    found["blurred"] = [groups.blurred(photo) for photo in photos]
    found["turned"] = [groups.turned(photo) for photo in photos]
    found["30-60 px"] = groups.small_faces(photos, backgrounds)
    for race, faces in faces_by_race(options.faces, teacher, options.count).items():
        found[f"pasted, {race}"] = groups.pasted_faces(faces, backgrounds)
    return found


def faces_by_race(path: Path | None, teacher: Teacher, count: int) -> dict[str, list[Patch]]:
    """Returns the first `count` tight faces of each race in `val.csv`."""
    if path is None:
        return {}
    store = ImageStore(path)
    found: dict[str, list[Patch]] = {}
    for row in csv.DictReader(io.StringIO(store.text("val.csv"))):
        faces = found.setdefault(row["race"], [])
        if len(faces) < count:
            faces.append(tight_face(store.read(row["file"])[0], teacher))
    return dict(sorted(found.items()))


def load_ours(file: Path, height: int, width: int) -> Detector:
    """Returns a detector from a `.keras` file, for a size of input.

    Raises:
        DataError: the file is no detector.
    """
    import keras

    from .network import build_detector, copy_weights
    from .validation import find_in

    detector = build_detector(height, width)
    try:
        copy_weights(keras.saving.load_model(file, compile=False), detector)
    except Exception as error:  # a damaged file fails anywhere in Keras, h5py or zipfile
        reason = " ".join(str(error).split())[:150]
        raise DataError(f"{file}: expected a detector's .keras file ({reason}).", file) from error
    return lambda images: find_in(detector, images)


def yunet_as_run(file: Path) -> Detector:
    """Returns YuNet as the kit's runtime runs it: on a frame reduced to `YUNET_PX`."""
    net = cv2.FaceDetectorYN.create(str(file), "", (320, 320), LEAST_CONFIDENCE, 0.3, 5000)

    def find(image: np.ndarray) -> Found:
        scale = min(1.0, YUNET_PX / max(image.shape))
        size = (max(64, round(image.shape[1] * scale)), max(64, round(image.shape[0] * scale)))
        reduced = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        net.setInputSize(size)
        rows = net.detect(cv2.cvtColor(reduced, cv2.COLOR_GRAY2BGR))[1]
        rows = np.empty((0, 15), np.float32) if rows is None else rows
        ratio = np.array([image.shape[1] / size[0], image.shape[0] / size[1]] * 2, np.float32)
        return Found(rows[:, :4] * ratio, rows[:, 4:8] * ratio, rows[:, 14])

    return lambda images: [find(image) for image in images]


def print_table(
    columns: dict[str, tuple[Detector, float]], images: dict[str, list[Photo]], backgrounds: list[np.ndarray]
) -> None:
    """Prints the share found of each group, and what else tells detectors apart.

    Args:
        columns: a name, a detector and its threshold.
        images: a group's name and its photos.
        backgrounds: images without a face.
    """
    detectors = set(detector for detector, _ in columns.values())
    totals: dict[Detector, list[Faces]] = {detector: [] for detector in detectors}
    print(f"{'':24s}{'faces':>8s}" + "".join(f"{name:>14s}" for name in columns))
    for group, photos in images.items():
        for detector in detectors:
            answers = detector([photo.image for photo in photos])
            totals[detector].append(score_photos(answers, photos))
        cells = [found_share(totals[detector][-1], threshold) for detector, threshold in columns.values()]
        count = sum(len(photo.boxes) for photo in photos)
        print(f"{group:24s}{count:8d}" + "".join(f"{cell:14.1%}" for cell in cells), flush=True)
    false = {detector: confidences_of(detector(backgrounds)) for detector in detectors}
    rows = [
        summary(joined(totals[detector]), false[detector], len(backgrounds), threshold)
        for detector, threshold in columns.values()
    ]
    for name in ("found", "overlap", "eyes_off", "false_per_background", "false_in_photos"):
        print(f"{name:32s}" + "".join(f"{row[name]:14.3f}" for row in rows))


def found_share(faces: Faces, threshold: float) -> float:
    """Returns the share of faces found at a threshold; NaN without faces."""
    return float((faces.confidences >= threshold).mean()) if len(faces.sizes) else float("nan")


def joined(parts: list[Faces]) -> Faces:
    """Returns the faces of several groups as those of one."""
    return Faces(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


if __name__ == "__main__":
    sys.exit(main())
