"""The audit: what it finds in a dataset made for it, and the known counts of the real FER2013."""

from pathlib import Path

import numpy as np

from dataset.audit import (
    KNOWN_COUNTS,
    REPORT,
    TEMPLATE,
    count_defects,
    differing,
    duplicate_groups,
    figures_of,
    find_defects,
    main,
)
from dataset.duplicates import training_samples
from dataset.fer2013 import LABELS, SPLITS, Dataset
from dataset.load import load_dataset
from reporting.templates import render_template

USAGE = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}

ROWS = (  # split, label, image: images of equal number are equal, image 0 is blank
    ("train", "happy", 1),
    ("train", "happy", 2),  # with row 2: in train and validation
    ("validation", "happy", 2),
    ("train", "sad", 3),  # with row 6: in train and test, under two labels
    ("train", "fear", 4),  # with row 5: two labels in train
    ("train", "angry", 4),
    ("test", "angry", 3),
    ("train", "neutral", 6),  # with rows 8 and 9: three times the same
    ("train", "neutral", 6),
    ("train", "neutral", 6),
    ("train", "surprise", 0),
    ("validation", "sad", 7),  # with row 12: in validation and test
    ("test", "sad", 7),
    ("test", "disgust", 2),  # the image of rows 1 and 2 under another label
)


def images(count: int = 10) -> np.ndarray:
    faces = np.random.default_rng(0).integers(0, 256, (count, 48, 48, 1), dtype=np.uint8)
    faces[0] = 17
    return faces


def made_dataset() -> Dataset:
    return Dataset(
        faces=images()[[image for _, _, image in ROWS]],
        labels=np.array([LABELS.index(label) for _, label, _ in ROWS]),
        splits=np.array([split for split, _, _ in ROWS]),
        origins=range(2, len(ROWS) + 2),
        path=Path("somewhere/made.csv"),
        sha256="00",
    )


def write_made_csv(path: Path) -> Path:
    faces = images()
    lines = [
        f"{LABELS.index(label)},{' '.join(map(str, faces[image].ravel()))},{USAGE[split]}"
        for split, label, image in ROWS
    ]
    path.write_text("\n".join(["emotion,pixels,Usage", *lines]) + "\n")
    return path


def report_of(dataset: Dataset) -> str:
    return render_template(TEMPLATE, figures_of(dataset))


def test_groups_hold_the_rows_of_one_image_and_no_single_ones():
    groups = [group.tolist() for group in duplicate_groups(made_dataset())]
    assert groups == [[1, 2, 13], [3, 6], [4, 5], [7, 8, 9], [11, 12]]


def test_groups_differ_where_a_value_differs_within_them():
    groups = [np.array([0, 2]), np.array([1, 3])]
    assert [group.tolist() for group in differing(groups, np.array([5, 6, 5, 7]))] == [[1, 3]]


def test_each_defect_is_found_where_it_is():
    found = {
        defect: [rows.tolist() for rows in places] for defect, places in find_defects(made_dataset()).items()
    }
    assert found == {
        "groups of byte-identical images": [[1, 2, 13], [3, 6], [4, 5], [7, 8, 9], [11, 12]],
        "redundant samples": [[2, 1], [13, 1], [6, 3], [5, 4], [8, 7], [9, 7], [12, 11]],
        "groups that stand in more than one split": [[1, 2, 13], [3, 6], [11, 12]],
        "validation duplicates of a training sample": [[2, 1]],
        "test duplicates of a training sample": [[6, 3], [13, 1]],
        "groups with contradicting labels": [[1, 2, 13], [3, 6], [4, 5]],
        "blank images": [[10]],
    }


def test_each_defect_is_counted():
    assert count_defects(made_dataset(), find_defects(made_dataset())) == {
        "samples": 14,
        "distinct images": 7,
        "groups of byte-identical images": 5,
        "redundant samples": 7,
        "groups that stand in more than one split": 3,
        "validation duplicates of a training sample": 1,
        "test duplicates of a training sample": 2,
        "groups with contradicting labels": 3,
        "blank images": 1,
    }


def test_the_report_names_the_file_without_its_folder_and_the_lines_of_each_defect():
    report = report_of(made_dataset())
    assert report.startswith("# Audit of made.csv\n")
    assert "somewhere" not in report
    assert "| 8 angry = 5 sad; 15 disgust = 3 happy " in report
    assert "- 2 of 3 test samples (66.7 %) are duplicates of a train sample.\n" in report
    assert "by memory alone, is right 0 times." in report


def test_the_command_prints_the_counts_and_writes_the_report_alone_into_its_folder(tmp_path, capsys):
    path = write_made_csv(tmp_path / "fer2013.csv")
    report = tmp_path / "new" / "audit.md"
    assert main([str(path), "--report", str(report)]) == 0
    assert report.read_text() == report_of(load_dataset(path))
    assert [entry.name for entry in report.parent.iterdir()] == ["audit.md"]
    printed = capsys.readouterr().out
    assert "| redundant samples                          |       7 |" in printed
    assert printed.endswith(f"Wrote {report}\n")


def test_the_command_names_a_bad_dataset_in_one_line_and_leaves_an_older_report_alone(tmp_path, capsys):
    path = tmp_path / "fer2013.csv"
    path.write_text("emotion,pixels,Usage\n0,1 2 3,Training\n")
    report = tmp_path / "audit.md"
    report.write_text("older")
    assert main([str(path), "--report", str(report)]) == 1
    assert capsys.readouterr().err == (
        f"{path}:2: expected 2304 pixels, got 3. Download the file again, or mend this line.\n"
    )
    assert report.read_text() == "older"


# --- the real data -----------------------------------------------------------------------------------


def test_fer2013_has_the_known_number_of_rows_of_each_label_in_each_split(fer2013):
    counts = {split: np.bincount(fer2013.split(split)[1]).tolist() for split in SPLITS}
    assert counts == {
        "train": [3995, 436, 4097, 7215, 4830, 3171, 4965],
        "validation": [467, 56, 496, 895, 653, 415, 607],
        "test": [491, 55, 528, 879, 594, 416, 626],
    }


def test_fer2013_has_the_known_defects(fer2013):
    assert count_defects(fer2013, find_defects(fer2013)) == KNOWN_COUNTS
    assert KNOWN_COUNTS == {
        "samples": 35887,
        "distinct images": 34034,
        "groups of byte-identical images": 1516,
        "redundant samples": 1853,
        "groups that stand in more than one split": 557,
        "validation duplicates of a training sample": 280,
        "test duplicates of a training sample": 288,
        "groups with contradicting labels": 57,
        "blank images": 12,
    }


def test_training_on_fer2013_leaves_out_776_of_28709_rows(fer2013):
    keep = training_samples(fer2013)
    assert (len(keep), int((~keep).sum())) == (28709, 776)


def test_the_first_row_of_fer2013_is_the_one_in_its_file(fer2013):
    assert fer2013.faces[0, 0, :5, 0].tolist() == [70, 80, 82, 72, 58]
    assert (fer2013.labels[0], fer2013.splits[0]) == (0, "train")
    assert fer2013.faces[-1, -1, -3:, 0].tolist() == [189, 199, 201]
    assert fer2013.splits[-1] == "test"


def test_the_committed_report_is_what_the_command_writes(fer2013):
    assert REPORT.read_text() == report_of(fer2013), "run python -m dataset.audit and commit its report"
