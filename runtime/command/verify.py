"""`ferkit verify`: is a model file the one that its card describes, and are its scores right? Six checks."""

from __future__ import annotations

import base64
import json
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..card import DETECTOR, CardError, card_path, check_file, kind_of, read_card
from ..engines import ENGINES_OF_SUFFIX, FACE_SHAPE, EngineError, is_installed
from ..model import RELEASED, ModelError, load_model
from ..model_file import VERSION_DIGITS, Contents, ContentsError, Tensor, read_contents
from .exit_codes import IN_PART, OK
from .terminal import print_text, terminal_text

PASSED, FAILED, NOT_CHECKED = "passed", "failed", "not checked"

GOLDEN = Path(__file__).parent.parent / "golden.json"
# Scores of one file may differ by so much between engines and processors (in float32, between x86 and ARM:
# 1.2e-7). Scores of a quantized file may differ by the gap to its weights, if that is larger.
MIN_LIMIT = 1e-4

FACTS = ("model", "description", "licence", "labels")  # these are in every file with metadata
NO_CARD = "there is no good card to compare with"
NO_CONTENTS = "the file can't be read"


@dataclass(frozen=True)
class Check:
    """The outcome of a check.

    Attributes:
        name: What was checked.
        result: `PASSED`, `FAILED` or `NOT_CHECKED`.
        found: What was found.
    """

    name: str
    result: str
    found: str


def verify(path: str | os.PathLike[str]) -> list[Check]:
    """Runs the six checks of a model file, in this order; a wrong file raises nothing.

    | check | passed if |
    |---|---|
    | file | it is a TFLite or ONNX file that can be read, as its name says |
    | card | its card lies beside it and is one; for a released file it is the one in the package |
    | sha256 | size and sha256 are the card's |
    | signature | name, shape, dtype and quantization of input and outputs are the card's |
    | metadata | the file's own metadata agrees with the card |
    | golden | a released file gives the scores that `golden.json` records |
    """
    path = Path(path)
    contents, file_check = check_contents(path)
    card, card_check = check_card(path)
    return [
        file_check,
        card_check,
        identity := check_sha256(path, card),
        check_signature(contents, card),
        check_metadata(contents, card),
        check_golden(path, card if identity.result == PASSED else None),
    ]


def print_checks(files: Sequence[str], *, as_json: bool) -> int:
    """Prints a line per check of each file, as docs/command-line.md describes it; returns the exit code."""
    code = OK
    for file in files:
        for check in verify(file):
            if as_json:
                entry = {"file": file, "check": check.name, "result": check.result, "found": check.found}
                print_text(f"{json.dumps(entry)}\n")
            else:
                print_text(terminal_text(f"{file}: {check.name} {check.result}: {check.found}") + "\n")
            if check.result == FAILED:
                code = IN_PART
    return code


def check_contents(path: Path) -> tuple[Contents | None, Check]:
    """Reads what the file says of itself; None where it can't be read."""
    suffix = path.suffix.lower()
    if suffix not in ENGINES_OF_SUFFIX:
        return None, Check("file", FAILED, "expected a model file ending in .tflite or .onnx.")
    try:
        expect_file(path)
        contents = read_contents(path.read_bytes(), suffix)
    except FileNotFoundError:
        return None, Check("file", FAILED, "no such file.")
    except OSError as error:
        return None, Check("file", FAILED, f"can't be read: {error.strerror or error}.")
    except ContentsError as error:
        return None, Check("file", FAILED, f"{error}. Copy the file again.")
    return contents, Check("file", PASSED, "a TFLite file" if suffix == ".tflite" else "an ONNX file")


def expect_file(path: Path) -> None:
    """Raises `OSError` where there is no plain file: a pipe or a device may never end."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError("expected a file, got a folder, a pipe or a device")


def check_card(path: Path) -> tuple[dict[str, Any] | None, Check]:
    """Reads the card; None where it is missing or wrong. For a released file it must be the package's."""
    if not path.name:  # the root, or the current folder
        return None, Check("card", FAILED, "expected the card of a model file, got a folder.")
    try:
        with suppress(FileNotFoundError):  # of which read_card says more
            expect_file(card_path(path))
        card = read_card(path)
    except OSError as error:
        return None, Check("card", FAILED, f"{card_path(path)}: can't be read: {error.strerror or error}.")
    except CardError as error:
        return None, Check("card", FAILED, str(error))
    faults = [
        f"expected {name} {json.dumps(expected)} as the card of this released file says, got "
        f"{json.dumps(card.get(name))}"
        for name, expected in released_card(card["sha256"]).items()
        if name != "file" and card.get(name) != expected  # the file may have another name now
    ]
    if faults:
        return card, Check("card", FAILED, f"{'; '.join(faults)}. Copy the card again.")
    return card, Check("card", PASSED, f"{card['model']}, {card['precision']}")


def released_card(sha256: str) -> dict[str, Any]:
    """Returns the package's card of the file with this sha256; empty where there is none."""
    for path in sorted(RELEASED.rglob("*.json")):
        with suppress(CardError):  # a damaged one fails where its own file is verified
            card = read_card(path.with_suffix(""))
            if card["sha256"] == sha256:
                return card
    return {}


def check_sha256(path: Path, card: dict[str, Any] | None) -> Check:
    """Compares the file's bytes with the card."""
    if card is None:
        return Check("sha256", NOT_CHECKED, NO_CARD)
    try:
        expect_file(path)
        check_file(path, card)
    except OSError as error:
        return Check("sha256", FAILED, f"the model can't be read: {error.strerror or error}.")
    except CardError as error:
        return Check("sha256", FAILED, error.problem)
    return Check("sha256", PASSED, card["sha256"])


def check_signature(contents: Contents | None, card: dict[str, Any] | None) -> Check:
    """Compares input and outputs with the card."""
    if contents is None or card is None:
        return Check("signature", NOT_CHECKED, NO_CARD if card is None else NO_CONTENTS)
    described = described_outputs(card)
    counts = len(contents.inputs), len(contents.outputs)
    if counts != (1, len(described)):
        wanted = "one output" if len(described) == 1 else f"{len(described)} outputs"
        return Check(
            "signature", FAILED, f"expected one input and {wanted}, got {counts[0]} and {counts[1]}."
        )
    (face_input,) = contents.inputs
    faults = differences("input", face_input, card["input"])
    for tensor, (field, output) in zip(in_order(contents.outputs), described.items(), strict=True):
        faults += differences(field, tensor, output)
    if faults:
        return Check("signature", FAILED, f"{'; '.join(faults)}. The card belongs to another file.")
    given = ", ".join(in_words(tensor) for tensor in contents.outputs)
    return Check("signature", PASSED, f"{in_words(face_input)} -> {given}")


def described_outputs(card: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Returns the outputs in a card by the names of their fields, ordered by the tensors' names."""
    if kind_of(card) != DETECTOR:
        return {"output": card["output"]}
    outputs = {f"outputs.{name}": card["outputs"][name] for name in ("boxes", "confidences", "eyes")}
    return dict(sorted(outputs.items(), key=lambda item: item[1]["name"]))


def in_order(outputs: Sequence[Tensor]) -> list[Tensor]:
    """Returns outputs ordered by their names: a file may have them in any order."""
    return sorted(outputs, key=lambda tensor: tensor.name)


def differences(field: str, tensor: Tensor, described: dict[str, Any]) -> list[str]:
    """Returns a text for each difference between an input or output and what the card says of it."""
    found = {
        "name": tensor.name,
        "shape": tensor.shape,
        "dtype": tensor.dtype,
        "quantization": tensor.quantization,
    }
    return [
        f"expected {field}.{name} {json.dumps(wanted)} as the card says, got {json.dumps(value)}"
        for name, value in found.items()
        if not alike(value, wanted := described.get(name))
    ]


def alike(found: Any, described: Any) -> bool:
    """Returns whether two facts are the same; a number of a file is the nearest float32 to the card's."""
    if isinstance(found, dict) and isinstance(described, dict):
        return found.keys() == described.keys() and all(alike(found[key], described[key]) for key in found)
    if isinstance(found, float) and isinstance(described, float):
        return abs(found - described) <= abs(found) * 2**-24
    return bool(found == described)


def in_words(tensor: Tensor) -> str:
    """Returns an input or output as text, a free dimension as n."""
    shape = ", ".join("n" if size is None else str(size) for size in tensor.shape)
    return f"{tensor.name} ({shape}) {tensor.dtype}"


def check_metadata(contents: Contents | None, card: dict[str, Any] | None) -> Check:
    """Compares the file's metadata with the card: every fact in it, and the four of `FACTS`.

    In a TFLite file also the pixels of the input and the values of the output.
    """
    if contents is None or card is None:
        return Check("metadata", NOT_CHECKED, NO_CARD if card is None else NO_CONTENTS)
    if contents.facts is None:
        return Check(
            "metadata",
            NOT_CHECKED,
            "the file holds none; older exports wrote none",
        )
    expected = dict(card)
    weights = card["parity"].get("reference_sha256")
    if isinstance(weights, str):
        expected["version"] = weights[:VERSION_DIGITS]
    facts = contents.facts
    if contents.pixels is not None:
        expected, facts = expected | expected_pixels(card), facts | contents.pixels
    names = [name for name in expected if name in facts or name in FACTS]  # a detector has no labels
    faults = [
        f"expected {name} {json.dumps(expected[name])} as the card says, got {json.dumps(value)}"
        for name in names
        if (value := facts.get(name)) != expected[name]
    ]
    if faults:
        return Check("metadata", FAILED, f"{'; '.join(faults)}. The card belongs to another file.")
    return Check("metadata", PASSED, ", ".join(names))


def expected_pixels(card: dict[str, Any]) -> dict[str, Any]:
    """Returns the `Contents.pixels` that a TFLite file with this card must have.

    Faces are gray, and the graph rescales them itself: the normalization leaves the pixels as they are.
    """
    pixels = {
        "colour_space": "GRAYSCALE",
        "normalization": [{"mean": [0.0], "deviation": [1.0]}],
        "input_range": stored_range(card["input"], card["input"]["range"]),
    }
    if kind_of(card) == DETECTOR:  # boxes have no limits
        return pixels
    return pixels | {"output_range": stored_range(card["output"], [0, 1])}


def stored_range(tensor: dict[str, Any], values: list[int]) -> list[float]:
    """Returns a tensor's smallest and largest stored value: float32 values, or an integer type's limits."""
    if tensor["dtype"] == "float32":
        return [float(value) for value in values]
    limits = np.iinfo(tensor["dtype"])
    return [float(limits.min), float(limits.max)]


def check_golden(path: Path, card: dict[str, Any] | None) -> Check:
    """Compares the scores that an engine gives here with those recorded at the release.

    Faces run one by one: a dynamic-range model scales a face by the range of its whole batch.
    """
    if card is None:
        return Check("golden", NOT_CHECKED, "the file is not known to be the one of its card")
    released = released_card(card["sha256"])
    recorded = recorded_scores(card["sha256"])
    if not released or recorded is None:
        kind = "a face detector" if kind_of(card) == DETECTOR else "not a released file of this version"
        return Check("golden", NOT_CHECKED, f"no scores of this file are recorded: it is {kind}")
    faces, expected = recorded
    engines = ENGINES_OF_SUFFIX[path.suffix.lower()]
    if not any(is_installed(engine) for engine in engines if engine != "opencv"):
        package = "ai-edge-litert" if path.suffix.lower() == ".tflite" else "onnxruntime"
        return Check("golden", NOT_CHECKED, f"running the file needs an engine: pip install {package}")
    try:
        model = load_model(path)
        scores = np.concatenate([model(face[np.newaxis]) for face in faces])
    except (ModelError, CardError, EngineError) as error:
        return Check("golden", FAILED, error.problem if error.path == path else str(error))
    limit = max(MIN_LIMIT, released["parity"]["largest_gap"])
    # A score that is no number has the largest gap.
    gap = float(np.nan_to_num(np.abs(scores - expected), nan=1.0).max())
    if gap > limit:
        return Check(
            "golden",
            FAILED,
            f"{model.engine} gives other scores than were recorded: expected a gap of at most {limit:g}, got "
            f"{gap:.2g}. Install another release of the engine, or take a file of another precision.",
        )
    return Check("golden", PASSED, f"{model.engine}, {len(faces)} faces, gap {gap:.1g} of at most {limit:g}")


def recorded_scores(sha256: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Returns the faces that are checked and a model file's recorded scores; None where there are none.

    Args:
        sha256: The model file's.

    Returns:
        Faces, `uint8` `(faces, 48, 48, 1)`, and scores, `float32` `(faces, labels)`.
    """
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    model = next((model for model in golden["models"] if model["sha256"] == sha256), None)
    if model is None:
        return None
    pairs = [pair for pair in zip(golden["crops"], model["scores"], strict=True) if pair[0]["verify"]]
    pixels = [np.frombuffer(base64.b64decode(crop["face"]), np.uint8) for crop, _ in pairs]
    faces = np.stack([face.reshape(FACE_SHAPE) for face in pixels])
    return faces, np.array([scores for _, scores in pairs], np.float32)
