"""The card beside a model file, and the same facts inside an ONNX file (docs/export.md describes both).

What a TFLite file says of itself is written by `tflite_metadata.py`.
"""

import hashlib
import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import onnx

from train.models import MODELS

from . import detector, detector_parity
from .parity import Parity

OWN = "A model trained with this kit."
DETECTOR = "A small convolutional net that finds faces, with boxes like YuNet's."
# From a detector's box to the square that FER2013's images show. YuNet's and Haar's: the medians of
# reports/detector_settings.md over validation faces placed in the portrait, rounded to 0.05. ferkit's: of all
# that `python -m benchmarks end_to_end --rules` tries on validation, none is better beyond chance.
CROP = {
    "ferkit": {"scale": 1.0, "shift_x": 0.0, "shift_y": 0.0},
    "yunet": {"scale": 1.0, "shift_x": 0.0, "shift_y": 0.0},
    "haar": {"scale": 1.05, "shift_x": 0.0, "shift_y": 0.0},
}
ONNX_MAKERS = ("tf2onnx", "onnx", "onnxruntime")  # besides Keras and TensorFlow


def describe(
    model: str,
    precision: str,
    form: str,
    labels: list[str],
    *,
    released: bool = True,
) -> dict[str, Any]:
    """Returns the facts that hold before a file is written: what both the card and the file carry.

    Args:
        model: The model's name.
        precision: One of `runtime.card.PRECISIONS`.
        form: "tflite" or "onnx".
        labels: In the order of the scores.
        released: Whether the weights are those of `models/`; of others neither source nor licence is known.
    """
    batch = 1 if form == "tflite" else None
    input_tensor: dict[str, Any] = {"name": "faces", "shape": [batch, 48, 48, 1], "dtype": "float32"}
    output_tensor: dict[str, Any] = {"name": "scores", "shape": [batch, len(labels)], "dtype": "float32"}
    input_tensor["range"] = [0, 255]
    for tensor in (input_tensor, output_tensor):
        tensor["quantization"] = None
    if precision == "int8_io":
        input_tensor |= {"dtype": "int8", "quantization": {"scale": 1.0, "zero_point": -128}}
        output_tensor |= {"dtype": "int8", "quantization": {"scale": 1 / 256, "zero_point": -128}}
    input_tensor |= {"colour": "gray, BT.601 luma", "resize": "area", "crop": CROP}
    return {
        "card_version": 1,
        "model": model,
        "precision": precision,
        "description": MODELS[model].description if released and model in MODELS else OWN,
        "licence": "MIT" if released else "not stated",
        "labels": labels,
        "input": input_tensor,
        "output": output_tensor,
        "versions": versions_of("keras", "tensorflow", *(ONNX_MAKERS if form == "onnx" else ())),
    }


def page_of(model: str, *, released: bool) -> dict[str, str | None]:
    """Returns the card's field that leads to the page on a model, of which the file itself says nothing.

    Args:
        model: The model's name.
        released: Whether the weights are those of `models/`; others have no page.
    """
    return {"page": f"docs/models/{model}.md" if released else None}


def describe_detector(precision: str, form: str, *, threshold: float, released: bool) -> dict[str, Any]:
    """Returns the facts of a detector's file that hold before it is written, as `describe` does.

    Args:
        precision: One of `export.detector.PRECISIONS`.
        form: "tflite" or "onnx".
        threshold: The confidence from which an answer counts as a face.
        released: Whether the weights are the kit's own; of others neither source nor licence is known.
    """

    def tensor(name: str, *shape: int) -> dict[str, Any]:
        return {"name": name, "shape": [1, *shape], "dtype": "float32", "quantization": None}

    image = tensor("pixels", detector.HEIGHT, detector.WIDTH, 1)
    image |= {"range": [0, 255], "colour": "gray, BT.601 luma"}
    image |= {"letterbox": {"corner": "upper left", "fill": 0}}
    cells = detector.cells()
    return {
        "card_version": 1,
        "kind": "detector",
        "model": "detector",
        "precision": precision,
        "description": DETECTOR if released else OWN,
        "licence": "MIT" if released else "not stated",
        "input": image,
        "outputs": {
            "boxes": tensor("boxes", cells, 4),
            "confidences": tensor("confidences", cells),
            "eyes": tensor("eyes", cells, 4),
        },
        "threshold": threshold,
        "overlap": detector.OVERLAP,
        "versions": versions_of("keras", "tensorflow", *(ONNX_MAKERS if form == "onnx" else ())),
    }


def complete(
    facts: dict[str, Any], file: Path, parity: dict[str, Any], accuracy: dict[str, Any] | None
) -> dict:
    """Returns the card of a written file."""
    data = file.read_bytes()
    identity = {"file": file.name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    return {"card_version": 1, **identity, **facts, "parity": parity, "accuracy": accuracy}


def describe_parity(parity: Parity, reference: str, reference_sha256: str) -> dict[str, Any]:
    """Returns the card's parity; the gap has two digits, since processors differ in the third.

    Args:
        parity: On the faces of `export.parity_faces`.
        reference: The name of the file with the weights.
        reference_sha256: Of that file.
    """
    return {
        "reference": reference,
        "reference_sha256": reference_sha256,
        "faces": parity.faces,
        "source": "crops of the demo portrait and drawn faces (export/parity_faces.py)",
        "largest_gap": float(f"{parity.largest_gap:.2g}"),
        "label_agreement": round(parity.label_agreement, 4),
    }


def describe_detector_parity(
    parity: detector_parity.Parity, reference: str, reference_sha256: str
) -> dict[str, Any]:
    """Returns the parity in a detector's card; arguments as `describe_parity`."""
    return {
        "reference": reference,
        "reference_sha256": reference_sha256,
        "images": parity.images,
        "faces": parity.faces,
        "source": "the demo portrait, turned, moved and mirrored (export/parity_images.py)",
        "largest_gap": float(f"{parity.largest_gap:.2g}"),
        "largest_box_gap": float(f"{parity.largest_box_gap:.2g}"),
        "agreement": round(parity.agreement, 4),
        "mean_overlap": round(parity.mean_overlap, 4),
    }


def embed(file: Path, facts: dict[str, Any]) -> None:
    """Writes the facts into an ONNX file's metadata, text as it is and the rest as JSON."""
    model = onnx.load(file)
    onnx.helper.set_model_props(
        model,
        {key: value if isinstance(value, str) else json.dumps(value) for key, value in facts.items()},
    )
    file.write_bytes(model.SerializeToString(deterministic=True))


def versions_of(*packages: str) -> dict[str, str]:
    """Returns the installed packages' versions; tensorflow may be installed as tensorflow-cpu."""
    found = {}
    for package in packages:
        for name in (package, f"{package}-cpu"):
            try:
                found[package] = version(name)
                break
            except PackageNotFoundError:
                continue
    return found
