"""Small datasets of drawn faces, and their files, for tests that train or read."""

import dataclasses
from pathlib import Path

import numpy as np

from dataset.fer2013 import Dataset
from dataset.ferplus import VOTES
from export.parity_faces import drawn_face

USAGE_OF_SPLIT = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
VOTE_OF_LABEL = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


class ClosedTestSplit(Dataset):
    """A dataset that hands out no test split."""

    def split(self, name):
        assert name != "test", "the test split was read"
        return super().split(name)


def drawn_faces(count, seed):
    random = np.random.default_rng(seed)
    return np.stack([drawn_face(random) for _ in range(count)])[..., np.newaxis]


def made_dataset(*, test_seed=2):
    """84 faces to train on, 28 for validation, 14 for the test, and 2 that training should leave out."""
    faces = drawn_faces(114, seed=1)
    test_faces = drawn_faces(14, seed=test_seed)
    duplicate, blank = drawn_faces(1, seed=3), np.full((1, 48, 48, 1), 9, np.uint8)
    test_labels = np.random.default_rng(test_seed).integers(0, 7, 15)
    splits = ["train"] * 86 + ["validation"] * 28 + ["test"] * 15
    return ClosedTestSplit(
        faces=np.concatenate([faces[:84], duplicate, blank, faces[84:112], test_faces, duplicate]),
        labels=np.concatenate([np.arange(84) % 7, [0, 1], np.arange(28) % 7, test_labels]),
        splits=np.array(splits),
        origins=range(2, 2 + len(splits)),
        path=Path("made.csv"),
        sha256="5" * 64,
    )


def unbalanced_dataset():
    """`made_dataset` with 60 training samples of the first label, and 5 or 4 of each other."""
    whole = made_dataset()
    labels = np.where(whole.splits == "train", np.maximum(np.arange(len(whole.labels)) % 18 - 11, 0), 6)
    return dataclasses.replace(whole, labels=labels)


def voted_dataset(folder):
    """`made_dataset` with FER+'s votes beside it: everybody is sure, and one label off."""
    dataset = made_dataset()
    rows = [["Usage", "Image name", *VOTES]]
    for split, label in zip(dataset.splits, (dataset.labels + 1) % 7, strict=True):
        rows.append([USAGE_OF_SPLIT[split], "", *(10 * (name == VOTE_OF_LABEL[label]) for name in VOTES)])
    text = "\n".join(",".join(map(str, row)) for row in rows) + "\n"
    (folder / "fer2013new.csv").write_text(text)
    return dataclasses.replace(dataset, path=folder / "made.csv")


def write_dataset(path, dataset):
    """Writes a dataset as FER2013's CSV; returns the path."""
    rows = [
        f"{label},{' '.join(map(str, face.ravel()))},{USAGE_OF_SPLIT[split]}"
        for label, face, split in zip(dataset.labels, dataset.faces, dataset.splits, strict=True)
    ]
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    return path
