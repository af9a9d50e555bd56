"""Released files, training records and results, made up for the flagship report."""

import json
import shutil
from pathlib import Path

import numpy as np

from benchmarks.comparison.peers import PeerRow
from dataset.fer2013 import LABELS
from dataset.ferplus import VOTES

TINY = Path(__file__).parent.parent / "data" / "tiny_fp32.tflite"


def release(folder, model, precision="int8"):
    """The tiny model under the name of a released one; returns its path."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{model}_{precision}.tflite"
    shutil.copy(TINY, path)
    card = json.loads(TINY.with_name(TINY.name + ".json").read_text())
    card |= {"file": path.name, "model": model, "precision": precision}
    path.with_name(path.name + ".json").write_text(json.dumps(card))
    return path


def record(folder, model, trained_on="FER2013's own labels"):
    folder.mkdir(exist_ok=True)
    fields = {
        "trained_on": trained_on,
        "command": f"python -m train --model {model}",
        "arguments": {"seed": 7},
        "parameters": 12345,
        "epochs_trained": 3,
        "seconds": 5400.0,
        "machine": {"processor": "a processor"},
    }
    (folder / f"{model}.json").write_text(json.dumps(fields))


def peer_row(name, sha256="0" * 64, *, ratio=1.0):
    """A file's figures as the results of peers have them."""
    return PeerRow(
        name=name,
        file=f"{name}.tflite",
        engine="litert",
        sha256=sha256,
        bytes=93160,
        accuracy=0.6581,
        macro_recall=0.6,
        recall=dict.fromkeys(LABELS, 0.25),
        calibration_error=0.05,
        median_ms=0.5,
        p95_ms=0.6,
        ratio=ratio,
    )


def write_dataset(folder):
    """A dataset of 28 faces a split, with FER+'s votes beside it: the first face's vote is a tie."""
    random = np.random.default_rng(0)
    lines, votes = ["emotion,pixels,Usage"], ["Usage,Image name," + ",".join(VOTES)]
    for usage in ("Training", "PublicTest", "PrivateTest"):
        faces = random.integers(0, 256, (28, 6, 6)).repeat(8, axis=1).repeat(8, axis=2)
        for row, face in enumerate(faces):
            lines.append(f"{row % 7},{' '.join(map(str, face.ravel()))},{usage}")
            votes.append(f"{usage},," + ("5,5,0,0,0,0,0,0,0,0" if row == 0 else "0,9,1,0,0,0,0,0,0,0"))
    (folder / "faces.csv").write_text("\n".join(lines) + "\n")
    (folder / "fer2013new.csv").write_text("\n".join(votes) + "\n")
    return folder / "faces.csv"


def prepare(folder, csv):
    """Release and record edge and edge_tiny in a folder; return the flags that name it."""
    for model in ("edge", "edge_tiny"):
        release(folder / "released", model)
        record(folder / "models", model)
    flags = ["--data", csv, "--out", folder / "flagship.md", "--released", folder / "released"]
    flags += ["--records", folder / "models", "--peers", folder / "peers.json"]
    flags += ["--candidates", folder / "candidates.json"]
    flags += ["--robustness", folder / "robustness.json", "--london", folder / "london.json"]
    return [str(flag) for flag in flags]
