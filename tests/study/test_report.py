"""The report: its tables from made results, its plots, and what is wrong with a folder of results."""

import json

import msgspec
import numpy as np
import pytest

from dataset.fer2013 import OFFICIAL_SHA256
from study.__main__ import main
from study.comparisons import QUESTIONS
from study.errors import StudyError
from study.experiments import EXPERIMENTS, FOLLOW_UPS
from study.report import PLOTS, page_of, title_of_tested, write_report
from tests.support.study import (
    SIXTEEN,
    cells_of,
    line_of,
    made_content,
    made_latency,
    made_result,
    write_content,
    write_made_scores,
    write_results,
)

# --- tables ----------------------------------------------------------------------------------------------


def test_without_results_every_experiment_is_printed_as_not_run_yet(tmp_path):
    report = page_of(tmp_path / "study")[0]
    assert report.count("| 63.25 | not run yet |") == 1
    assert "Not run yet on this split (`--split official`): 1, 2, 3, 4, " in report
    assert f"Run so far: 0 of {len(EXPERIMENTS)} experiments on the study's split (0 of " in report
    assert "| LSTM | 48x48 rows, TimeDistributed dense 64, LSTM 128, dense 7 | 100 |" in report


def test_the_report_names_the_study_and_its_misprints(tmp_path):
    report = page_of(tmp_path / "study")[0]
    for words in ("Putu Ananda Adi Savitri", "AJSTEA, 2026", "/AJSTEA/article/view/8252"):
        assert words in report.split("\n## ")[0]
    for misprint in ("4,932", "28,821", "35,557", "35,887", "4306", "436"):
        assert misprint in report


def test_every_follow_up_is_compared_with_the_experiment_that_it_follows():
    pairs = {frozenset(pair[1:3]) for question in QUESTIONS.values() for pair in question.pairs}
    assert {frozenset((e.against, e.name)) for e in FOLLOW_UPS} <= pairs


def test_the_report_has_ours_beside_the_printed_figures(tmp_path):
    write_results(tmp_path / "study", "2", "LSTM")
    report = page_of(tmp_path / "study")[0]
    right = made_result("2").test.right.sum()
    cells = cells_of(report, "| 2 | 4 conv")
    assert cells[4:7] == ["80.08", "62.50", "63.25"]  # 62.50: of the last epoch, as Keras prints it
    assert cells[7].startswith(f"{100 * right / 22:.2f} (")
    assert cells[8].strip("*") == f"{100 * right / 22 - 63.25:+.2f}"
    assert line_of(report, "| 3 | 3 conv").endswith("| 61.59 | not run yet |  |")


def test_the_report_has_all_figures_of_an_experiment(tmp_path):
    write_results(tmp_path / "study", "2", "LSTM")
    report = page_of(tmp_path / "study")[0].split("## All figures")[1]
    right = made_result("2").test.right.sum()
    without, *others = cells_of(report, "| 2 | ")[2:]
    assert without == f"{100 * (right - 1) / 20:.2f}"
    assert others[:4] == ["87.50", "87.50", "2/3", "1"]  # last epoch, chosen on test, epoch, seeds
    assert others[4:] == ["75.00", "91.84"]  # FER+ majority, its mean recall
    assert line_of(report, "| 3 | ").startswith("| 3 | not run yet |")


def test_a_comparison_has_points_faces_won_and_lost_and_cost(tmp_path):
    write_results(tmp_path / "study", "LSTM")
    write_content(tmp_path / "study", made_content("2", predicted=SIXTEEN))
    (tmp_path / "study" / "latency.json").write_text(json.dumps(made_latency("2", "LSTM")))
    report = page_of(tmp_path / "study")[0]
    details = report.split("## What does the CNN-LSTM lack?")[1]
    assert cells_of(report, "| CNN instead of CNN-LSTM, as printed") == [
        *(
            "CNN instead of CNN-LSTM, as printed",
            "13.64 → 72.73",
            "+59.09",
            "p = 0.00098",
            "same",
            "0.313 → 0.313",
        ),
    ]
    assert cells_of(details, "| CNN instead of CNN-LSTM, as printed")[1:] == [
        *("LSTM", "2", "13.64 → 72.73", "+59.09", "+65.00", "14 / 1", "p = 0.00098", "same"),
        "0.313 → 0.313",
    ]
    assert cells_of(report, "| squeeze-and-excitation")[1] == "not run yet"
    assert cells_of(details, "| squeeze-and-excitation")[3] == "not run yet"


@pytest.mark.parametrize(
    ("name", "predicted", "difference"),
    [
        ("2", made_content("2")["test"]["predicted"], "**-49.61**"),  # 3 of 22 right, printed 63.25
        ("3", SIXTEEN, "+11.14"),  # 16 of 22, printed 61.59
        ("LSTM", SIXTEEN, "**+25.91**"),  # 16 of 22, printed 46.82
    ],
)
def test_a_difference_is_bold_where_the_print_lies_outside_of_the_interval(
    tmp_path, name, predicted, difference
):
    write_results(tmp_path / "study")
    write_content(tmp_path / "study", made_content(name, predicted=predicted))
    report = page_of(tmp_path / "study")[0].split("## Printed and ours")[1]
    assert cells_of(report, f"| {name} |")[8] == difference


def test_costs_are_the_first_seeds_and_other_machines_are_named(tmp_path):
    write_results(tmp_path / "study", "2", "3", "LSTM")
    elsewhere = {"machine": {"processor": "another", "system": "Linux", "cores": 4}}
    slower = ("2", 1, elsewhere | {"processor_seconds": 990.0}), ("LSTM", 1, {"processor_seconds": 180.0})
    for name, seed, changes in (*slower, ("3", 0, elsewhere)):
        write_content(tmp_path / "study", made_content(name, seed=seed) | changes)
    costs = page_of(tmp_path / "study")[0].split("## What an experiment costs")[1]
    assert line_of(costs, "| 2 |") == "| 2 | 1,000 | 2.50 M | 2.5 | 2 | float32 | - |"  # 150 s, 300 faces
    assert "Trained on: a processor, 2 cores; on another, 4 cores: 3.\n" in costs
    assert " up to 20 % more faces a second than another.\n" in costs


def test_costs_have_the_latency_of_the_network(tmp_path):
    write_results(tmp_path / "study", "2")
    (tmp_path / "study" / "latency.json").write_text(json.dumps(made_latency("2")))
    costs = page_of(tmp_path / "study")[0].split("## What an experiment costs")[1]
    assert line_of(costs, "| 2 | 1,000 |") == "| 2 | 1,000 | 2.50 M | 2.5 | 2 | float32 | 0.313 |"
    assert line_of(costs, "| plain |") == (
        "| plain | 1,113,095 | 33.24 M | not run yet |  | float32 | 0.313 |"  # of the same network
    )
    assert "LiteRT 2.3.0, float32, one face, 1 thread, median of 500 interleaved calls; a board." in costs


def test_where_every_test_face_is_a_duplicate_there_is_no_accuracy_on_others(tmp_path):
    write_results(tmp_path / "study")
    content = made_content("3")
    content["test"]["without_duplicates"] = {"faces": 0, "right": 0}
    write_content(tmp_path / "study", content)
    report = page_of(tmp_path / "study")[0].split("## All figures")[1]
    assert cells_of(report, "| 3 | ")[2] == "-"


def test_an_experiment_on_other_labels_is_compared_on_its_own(tmp_path):
    write_results(tmp_path / "study", "2", "ferplus")
    report = page_of(tmp_path / "study")[0]
    own = line_of(report, "| ferplus, on FER+'s labels | mirrored")
    assert own.endswith("| 2 | 75.00 | 75.00 | 0.00 |")  # 12 of 16 by the votes, not 3 of 22
    assert line_of(report, "| 2 | mirrored").endswith("| 2 | 75.00 | 13.64 | 61.36 |")
    assert title_of_tested(EXPERIMENTS["ferplus"]) == "ferplus, test on FER2013's labels"
    assert title_of_tested(EXPERIMENTS["as-study"]) == "as-study, chosen on test"


def test_votes_are_scored_by_face_and_by_label(tmp_path):
    confusion = np.zeros((7, 7), int)
    confusion[:, 0] = 1  # of one face of each label the first alone is told
    confusion[6] = [0, 0, 0, 0, 0, 0, 4]
    write_results(tmp_path / "study")
    scored = {"faces": 10, "right": 5, "confusion": confusion.tolist()}
    write_content(tmp_path / "study", made_content("2") | {"ferplus": scored})
    write_content(tmp_path / "study", made_content("3") | {"ferplus": None})
    report = page_of(tmp_path / "study")[0].split("## All figures")[1]
    assert cells_of(report, "| 2 | ")[7:] == ["50.00", f"{100 * 2 / 7:.2f}"]
    assert cells_of(report, "| 3 | ")[7:] == ["-", "-"]


def test_the_official_split_stands_in_the_report_as_far_as_it_was_run(tmp_path):
    write_results(tmp_path / "study", "2")
    write_content(tmp_path / "study", made_content("2") | {"split": "official"})
    report = page_of(tmp_path / "study")[0]
    trainings = sum(experiment.seeds for experiment in EXPERIMENTS.values())
    done = f"1 of {len(EXPERIMENTS)} experiments on the official split (1 of {trainings} trainings)."
    assert done in report
    section = report.split("## The official split")[1].split("\n## ")[0]
    assert cells_of(section, "| 2 | 4 conv")[6] == "63.25"
    assert "| 3 |" not in section and "Not run yet on this split (`--split official`): 1, 3, " in section


def test_a_trial_is_said_to_be_one(tmp_path):
    write_results(tmp_path / "study")
    trial = msgspec.to_builtins(EXPERIMENTS["2"].settings(seed=0, epochs=2))
    write_content(
        tmp_path / "study", made_content("2") | {"settings": trial, "source_sha256": OFFICIAL_SHA256}
    )
    report = page_of(tmp_path / "study")[0]
    assert "**A trial.** Experiments that were trained for other numbers of epochs" in report
    assert "than their own: 2 (at most 2)." in report
    assert f"Run so far: 0 of {len(EXPERIMENTS)} experiments on the study's split (0 of " in report
    assert "**Not FER2013.**" not in report


def test_another_dataset_is_said_to_be_one(tmp_path):
    write_results(tmp_path / "study", "2")
    report = page_of(tmp_path / "study")[0]
    assert "**Not FER2013.**" in report and "**A trial.**" not in report


def test_every_experiment_stands_in_the_report_with_its_reason(tmp_path):
    report = page_of(tmp_path / "study")[0].split("## Every experiment and its reason")[1]
    for name, experiment in EXPERIMENTS.items():
        assert cells_of(report, f"| {name} | ")[2:] == [experiment.against, experiment.why]


# --- plots and files -------------------------------------------------------------------------------------


def test_the_same_results_make_the_same_bytes(tmp_path):
    reports = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        write_results(folder / "study", "2", "4", "LSTM")
        write_made_scores(folder / "study")
        write_report(folder / "study")
        reports.append({path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")})
    assert reports[0] == reports[1]
    assert {path.name for path in (tmp_path / "one" / "study").glob("*.png")} == set(PLOTS)


def test_a_report_without_results_has_no_plots(tmp_path):
    assert write_report(tmp_path / "study") == tmp_path / "study.md"
    assert [path.name for path in tmp_path.rglob("*.*")] == ["study.md"]


def test_plots_are_drawn_in_matplotlibs_own_style(tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    write_results(tmp_path / "study", "2")
    drawings = page_of(tmp_path / "study")[1]
    for name, draw in drawings.items():
        before = draw()
        with matplotlib.rc_context({"font.size": 20}):
            assert draw() == before, name


def test_a_plot_whose_results_are_gone_goes_too(tmp_path):
    write_results(tmp_path / "study", "4")
    write_report(tmp_path / "study")
    assert (tmp_path / "study" / "gap.png").exists()
    (tmp_path / "study" / "paper_4_seed0.json").unlink()
    write_report(tmp_path / "study")
    assert not (tmp_path / "study" / "gap.png").exists()


def test_lost_scores_are_said_to_be_lost(tmp_path):
    write_results(tmp_path / "study", "2")
    report = write_report(tmp_path / "study").read_text()
    lost = "Without curves and AUC, as its scores are missing: `paper_2_seed0.npz` of experiment 2."
    assert lost in report
    write_made_scores(tmp_path / "study")
    report = write_report(tmp_path / "study").read_text()
    assert "scores are missing" not in report and "![ROC curves](study/roc.png)" in report


def test_conclusions_stand_before_the_tables(tmp_path):
    write_results(tmp_path / "study", "2")
    notes = "{% block summary %}\n## In short\n\nThat.\n{% endblock %}"
    (tmp_path / "study" / "notes.md.j2").write_text(notes)
    report = write_report(tmp_path / "study").read_text()
    assert "\n\n## In short\n\nThat.\n\n## What each change brings" in report


# --- what is wrong ---------------------------------------------------------------------------------------


def spoil_scores(change):
    def spoil(folder):
        write_made_scores(folder)
        path = folder / "paper_2_seed0.npz"
        scores = np.load(path)["scores"]
        np.savez(path, **change(scores))

    return spoil


def place(name, content):
    def spoil(folder):
        if content is None:
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(
                content if isinstance(content, bytes) else json.dumps(content).encode()
            )

    return spoil


SETTINGS_OF_FULL = msgspec.to_builtins(EXPERIMENTS["full"].settings(seed=0))


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("paper_2_seed0.npz", place("paper_2_seed0.npz", b"x")),
        ("paper_2_seed0.npz", place("paper_2_seed0.npz", b"")),
        ("paper_2_seed0.npz", place("paper_2_seed0.npz", b"PK\x03\x04x")),
        ("paper_2_seed0.npz", spoil_scores(lambda scores: {"other": scores})),
        ("paper_2_seed0.npz", spoil_scores(lambda scores: {"scores": scores[1:]})),
        ("paper_2_seed0.npz", spoil_scores(lambda scores: {"scores": -scores})),
        ("latency.json", place("latency.json", b"{")),
        ("latency.json", place("latency.json", [])),
        ("latency.json", place("latency.json", {"networks": {}})),
        ("notes.md.j2", place("notes.md.j2", b"\xff")),
        ("notes.md.j2", place("notes.md.j2", None)),
        ("paper_3_seed0.json", place("paper_3_seed0.json", None)),
        ("paper_2_seed0 (copy)_seed0.json", place("paper_2_seed0 (copy)_seed0.json", made_content("2"))),
        (
            "paper_2_seed0.json",
            place("paper_2_seed0.json", made_content("2") | {"settings": SETTINGS_OF_FULL}),
        ),
        ("paper_3_seed0.json", place("paper_3_seed0.json", made_content("3") | {"source_sha256": "5" * 64})),
    ],
)
def test_a_wrong_file_is_named_and_nothing_is_written(tmp_path, name, spoil):
    write_results(tmp_path / "study", "2")
    spoil(tmp_path / "study")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(StudyError) as caught:
        write_report(tmp_path / "study")
    assert caught.value.path == tmp_path / "study" / name
    assert str(caught.value).startswith(f"{tmp_path / 'study' / name}: expected ")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_can_not_be_read_is_not_said_to_be_empty(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["--report", "--results", str(tmp_path / "file")]) == 1
    said = capsys.readouterr().err
    assert said == f"{tmp_path / 'file'}: expected a folder of results, got: Not a directory.\n"


def test_a_folder_without_results_is_no_place_of_a_report(tmp_path, capsys):
    assert main(["--report", "--results", str(tmp_path / "mistyped")]) == 1
    assert "mistyped: expected a folder of results, found none." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
