"""Made-up results and faces for the tests of the study."""

import json

import msgspec
import numpy as np
import pytest

from study.experiments import EXPERIMENTS
from study.results import Result, confusion_of

SIXTEEN = "0011111222333444505050"
"""Predictions of which 16 are right on the faces of `made_result`, two of them on the four of angry."""

USAGE = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}


def keras_or_skip():
    """Keras, or a skipped test where it or TensorFlow is missing."""
    pytest.importorskip("tensorflow")
    return pytest.importorskip("keras")


def made_content(name, *, predicted="0011223344556601234560", labels=(4, 3, 3, 3, 3, 3, 3), seed=0):
    """What the file of a result holds, such as a training writes it: 22 test faces, 3 of them right."""
    truth, answers = np.repeat(np.arange(7), labels), np.array(list(predicted), int)
    right, faces = int((truth == answers).sum()), len(truth)
    votes = np.diag([3, 2, 2, 2, 1, 1, 1])
    votes[0, 1:5] = 1
    return {
        "experiment": name,
        "split": "paper",
        "seed": seed,
        "settings": msgspec.to_builtins(EXPERIMENTS[name].settings(seed=seed)),
        "source_sha256": "7" * 64,
        "dataset_sha256": "8" * 64,
        "faces": {"train": 100, "validation": 10, "test": faces},
        "parameters": 1000,
        "multiply_adds": 2_500_000,
        "epochs_trained": 3,
        "best_epoch": 2,
        "train_accuracy": 0.75,
        "validation_accuracy": 0.5,
        "test": {
            "labels": list(labels),
            "accuracy": right / faces,
            "without_duplicates": {"faces": faces - 2, "right": max(right - 1, 0)},
            "confusion": confusion_of(truth, answers),
            "predicted": predicted,
        },
        "ferplus": {"faces": 16, "right": 12, "confusion": votes.tolist()},
        "active_units": {"dense": 0.25, "dense_1": 0.125},
        "seconds": 90.0,
        "processor_seconds": 150.0,
        "images_per_second": 1234.5,
        "finished": "2026-11-22",
        "machine": {"processor": "a processor", "system": "Linux", "cores": 2},
        "versions": {"keras": "3.15.1"},
        "history": {
            "accuracy": [0.3, 0.5, 0.625],
            "loss": [2.0, 1.5, 1.0],
            "val_accuracy": [0.4, 0.5, 0.45],
            "val_loss": [2.0, 1.5, 1.6],
            "test_accuracy": [0.3, right / faces, 0.875],
            "seconds": [30.0, 30.0, 30.0],
            "processor_seconds": [50.0, 50.0, 50.0],
        },
    }


def made_result(name, **changes):
    """The same as a `Result`."""
    return msgspec.convert(made_content(name, **changes), Result)


def write_results(folder, *names):
    """Makes a folder with the results of some experiments."""
    folder.mkdir()
    for name in names:
        write_content(folder, made_content(name))


def write_content(folder, content):
    """Writes a result where its experiment, split and seed place it; returns the file."""
    path = folder / f"{content['split']}_{content['experiment']}_seed{content['seed']}.json"
    path.write_text(json.dumps(content))
    return path


def write_made_scores(folder):
    """Writes scores of experiment 2 that give what `made_content` predicts."""
    scores = np.random.default_rng(1).dirichlet(np.ones(7), 22).astype(np.float32)
    scores[np.arange(22), list(map(int, made_content("2")["test"]["predicted"]))] += 1
    np.savez_compressed(folder / "paper_2_seed0.npz", scores=scores)


def made_latency(*names):
    """What `latency.json` holds of the networks of some experiments."""
    of_network = {"parameters": 1_113_095, "multiply_adds": 33_238_528, "median_ms": 0.3126, "p95_ms": 0.4}
    return {
        "measured": "2026-11-28",
        "engine": "LiteRT 2.3.0",
        "threads": 1,
        "calls": 500,
        "processor": "a board",
        "system": "Linux",
        "networks": {EXPERIMENTS[name].network_key: of_network | {"experiments": [name]} for name in names},
    }


def line_of(report, start):
    """The first line of a page that begins so."""
    return next(line for line in report.splitlines() if line.startswith(start))


def cells_of(report, start):
    """The cells of the first line of a table that begins so."""
    return [cell.strip() for cell in line_of(report, start).split("|")[1:-1]]


def write_faces(path):
    """Writes a CSV of drawn faces: 56 to train on, 14 for validation, 21 for the test.

    Labels take turns; in validation two alone, so that a net with one answer isn't as good as in the test.
    """
    from export.parity_faces import drawn_face

    random = np.random.default_rng(5)
    lines = ["emotion,pixels,Usage"]
    for split, count in (("train", 56), ("validation", 14), ("test", 21)):
        for number in range(count):
            pixels = " ".join(map(str, drawn_face(random).ravel()))
            lines.append(f"{number % (2 if split == 'validation' else 7)},{pixels},{USAGE[split]}")
    path.write_text("\n".join(lines) + "\n")
