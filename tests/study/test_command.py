"""`python -m study`: its arguments, what it trains, and what it says where something is in the way."""

import contextlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from dataset.fer2013 import LABELS
from study.__main__ import RESULTS, main, parse, trainings_of
from study.paper import PRINTED_TEST_FACES, PRINTED_TRAIN_FACES
from study.plan import plan
from study.processes import run_all
from study.results import read_result
from tests.support.study import (
    cells_of,
    keras_or_skip,
    line_of,
    made_content,
    write_content,
    write_results,
)

ROOT = Path(__file__).resolve().parents[2]

# --- a study from beginning to end -----------------------------------------------------------------------


def write_faces_of_each_label(path, count):
    from export.parity_faces import drawn_face

    random = np.random.default_rng(5)
    lines = ["emotion,pixels,Usage"]
    for number in range(count * len(LABELS)):
        pixels = " ".join(map(str, drawn_face(random).ravel()))
        lines.append(f"{number % len(LABELS)},{pixels},Training")
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A trial of four experiments, of which two fail: FER+ is missing, and a file is in the way of a run."""
    keras_or_skip()
    folder = tmp_path_factory.mktemp("study")
    write_faces_of_each_label(folder / "faces.csv", 20)
    (folder / "runs").mkdir()
    (folder / "runs" / "paper_rows-dense_seed0").write_text("in the way of a folder")
    command = ["--seeds", "0", "--epochs", "2", "--data", str(folder / "faces.csv"), "--jobs", "3"]
    command += ["--results", str(folder / "results"), "--run-dir", str(folder / "runs")]
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.delenv("FERPLUS", raising=False)
        status = main(["--experiments", "2,ferplus,LSTM,rows-dense", *command])
    return SimpleNamespace(
        folder=folder, command=command, status=status, out=out.getvalue(), err=err.getvalue()
    )


def test_failing_experiments_keep_no_others_from_being_trained(trained):
    assert trained.status == 1
    names = sorted(path.name for path in (trained.folder / "results").glob("*.json"))
    assert names == ["paper_2_seed0.json", "paper_LSTM_seed0.json"]
    assert f"2 of 4 trained, 0 had a result. {trained.folder / 'results.md'}" in trained.out
    assert re.search(r"^paper_2_seed0: epoch 1 of 2, validation \d+\.\d\d%$", trained.out, re.M)


def test_failures_are_named_at_the_end(trained):
    ferplus, in_the_way = sorted(line for line in trained.err.splitlines() if "failed" in line)
    assert ferplus.startswith("paper_ferplus_seed0: failed: Expected FER+'s votes at ")
    folder = trained.folder / "runs" / "paper_rows-dense_seed0"
    assert in_the_way.startswith(
        f"paper_rows-dense_seed0: failed: {folder}: expected to write a training's log"
    )


def test_experiments_are_tested_on_the_studys_share_of_each_label(trained):
    shares = np.array(PRINTED_TEST_FACES) / np.add(PRINTED_TEST_FACES, PRINTED_TRAIN_FACES)
    for name in ("2", "LSTM"):
        result = read_result(trained.folder / "results" / f"paper_{name}_seed0.json")
        assert result.test.labels == np.round(20 * shares).astype(int).tolist()
        assert result.epochs_trained == 2


def test_dense_layers_of_a_trained_network_are_alive(trained):
    active = read_result(trained.folder / "results" / "paper_2_seed0.json").active_units
    assert len(active) == 2 and all(active.values())


def test_the_report_says_that_it_is_of_a_trial(trained):
    report = (trained.folder / "results.md").read_text()
    assert "2 (at most 2), LSTM (at most 2)" in report
    assert cells_of(report, "| CNN instead of CNN-LSTM, as printed")[3].startswith("p = ")


def test_nothing_is_trained_twice(trained, capsys):
    assert main(["--experiments", "2,LSTM", *trained.command]) == 0
    assert "0 of 0 trained, 2 had a result." in capsys.readouterr().out


@pytest.mark.skipif(os.name != "posix", reason="Windows sends no Ctrl-C to a single process")
def test_ctrl_c_ends_the_study_and_its_training(faces_csv, tmp_path):
    keras_or_skip()
    command = ["--experiments", "LSTM", "--seeds", "0", "--epochs", "100", "--split", "official"]
    command += ["--data", str(faces_csv), "--results", str(tmp_path / "results")]
    process = subprocess.Popen(
        [sys.executable, "-m", "study", *command, "--run-dir", str(tmp_path / "runs")],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    with process:
        while "epoch 2 of 100" not in process.stdout.readline():
            assert process.poll() is None, process.stderr.read()
        os.killpg(process.pid, signal.SIGINT)
        assert "Stopped. The same command goes on" in process.stderr.read()
        process.stdout.read()  # to its end: nobody holds it any more
    assert process.returncode == 130
    assert not list((tmp_path / "results").glob("*.json"))
    assert json.loads((tmp_path / "runs" / "official_LSTM_seed0" / "state.json").read_text())["epochs_done"]


# --- what is said before hours of training -----------------------------------------------------------------


def command_with(faces_csv, tmp_path, experiment):
    command = ["--experiments", experiment, "--data", str(faces_csv)]
    return [*command, "--results", str(tmp_path / "results"), "--run-dir", str(tmp_path / "runs")]


def test_results_on_another_dataset_are_refused(faces_csv, tmp_path, capsys):
    write_results(tmp_path / "results", "2")  # of a dataset whose sha256 is all sevens
    assert main(command_with(faces_csv, tmp_path, "LSTM")) == 1
    said = capsys.readouterr().err
    assert said.startswith(
        f"{tmp_path / 'results' / 'paper_2_seed0.json'}: expected a result on this dataset"
    )
    assert "got one on another (7777777777777777...). Name another folder: --results FOLDER\n" in said
    assert not list((tmp_path / "runs").iterdir())


def test_a_place_that_can_not_be_written_is_named_with_its_option(faces_csv, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    command = ["--experiments", "LSTM", "--data", str(faces_csv), "--run-dir", str(tmp_path / "runs")]
    assert main([*command, "--results", str(tmp_path / "file")]) == 1
    assert "file: expected a folder for results, got: " in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
    command = ["--experiments", "LSTM", "--data", str(faces_csv), "--run-dir", str(tmp_path / "file")]
    assert main([*command, "--results", str(tmp_path / "results")]) == 1
    said = capsys.readouterr().err
    assert "file: expected a folder for checkpoints, got: " in said and said.endswith("--run-dir FOLDER\n")


def test_failures_are_named_also_where_the_report_can_not_be_written(faces_csv, tmp_path, capsys):
    results = tmp_path / "results"
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "paper_4_seed0").write_text("in the way of a folder")

    def spoil(*arguments, **keywords):
        results.with_name("results.md").unlink()
        results.with_name("results.md").mkdir()  # in the way of the report
        return run_all(*arguments, **keywords)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("study.__main__.run_all", spoil)
        assert main(command_with(faces_csv, tmp_path, "4")) == 1
    failed, report = capsys.readouterr().err.splitlines()
    assert failed.startswith("paper_4_seed0: failed: ") and failed.endswith("folder: --run-dir FOLDER")
    assert report.startswith(f"{results}.md: expected a file that can be written, got: Is a directory.")


def test_conclusions_that_lack_a_result_keep_no_training_from_being_run(faces_csv, tmp_path, capsys):
    results, runs = tmp_path / "results", tmp_path / "runs"
    results.mkdir()
    (results / "notes.md.j2").write_text("{% block summary %}\n\n{{ test('4') }} %\n{% endblock %}")
    runs.mkdir()
    (runs / "paper_4_seed0").write_text("in the way of a folder")  # so that the training ends as it begins
    assert main(command_with(faces_csv, tmp_path, "4")) == 1
    said = capsys.readouterr()
    without, failed = said.err.splitlines()
    assert without.startswith(f"The report is without its conclusions. {results}/notes.md.j2:3: ")
    assert failed.startswith("paper_4_seed0: failed: ")
    assert "0 of 1 trained" in said.out
    report = (tmp_path / "results.md").read_text()
    missing = "notes.md.j2:3: experiment '4' has no result."
    assert line_of(report, "The conclusions") == f"The conclusions are not written: {missing}"
    assert line_of(report, "| 4 | 4 conv").count("not run yet") == 1


def test_without_fer2013_the_study_ends_at_once_with_what_is_missing(tmp_path):
    code = (
        "import sys; from study.__main__ import main; status = main(['--experiments', '2']); "
        "print(status, 'keras' in sys.modules, 'tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"FER2013": str(tmp_path / "nowhere"), "PATH": ""},
    )
    assert done.stdout == "1 False False\n"
    place = f"{tmp_path / 'nowhere'} (from the environment variable FER2013)"
    assert done.stderr.startswith(f"{place}: no such file or folder. FER2013 is on Kaggle as ")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize("target", ["study", "train", "evaluate", "audit", "-j4 study"])
def test_without_fer2013_make_says_so_before_it_makes_an_environment(target, tmp_path):
    checkout, nowhere = tmp_path / "checkout", tmp_path / "nowhere"
    shutil.copytree(ROOT / "dataset", checkout / "dataset", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Makefile", checkout)
    done = subprocess.run(
        # -S: without site-packages, as on a new machine
        ["make", *target.split(), f"PYTHON={sys.executable} -S"],
        cwd=checkout,
        capture_output=True,
        text=True,
        env={"FER2013": str(nowhere), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
    )
    first, *rest = done.stderr.splitlines()
    assert first.startswith(f"{nowhere} (from the environment variable FER2013): no such file or folder.")
    assert [line for line in rest if not line.startswith("make: ")] == []
    assert (done.returncode, done.stdout) == (2, "")
    assert sorted(path.name for path in checkout.iterdir()) == ["Makefile", "dataset"]


# --- arguments -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--experiments", "2,18"], "got '18'"),
        (["--seeds", "one"], "expected whole numbers below 1000000000 such as 0,1, got 'one'"),
        (["--seeds", "99999999999"], "such as 0,1, got '99999999999'"),
        (["--epochs", "0"], "expected a whole number from 1 to 999999999, got '0'"),
        (["--jobs", "1" * 5000], "expected a whole number from 1 to 999999999, got '1111"),
        (["--report", "--plan"], "expected --report or --plan, got both"),
    ],
)
def test_a_wrong_argument_is_named(arguments, message, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert message in capsys.readouterr().err


def test_the_first_seed_of_every_experiment_comes_before_the_second_of_any():
    names = [training.name for training in trainings_of(parse(["--experiments", "plain,4,LSTM"]))]
    assert names == [
        "paper_plain_seed0",
        "paper_4_seed0",  # one that takes long has one seed
        "paper_LSTM_seed0",
        "paper_plain_seed1",
        "paper_LSTM_seed1",
        "paper_plain_seed2",
        "paper_LSTM_seed2",
    ]
    named = trainings_of(parse(["--experiments", "4", "--seeds", "0,7"]))
    assert [training.seed for training in named] == [0, 7]


def test_a_trial_keeps_its_results_out_of_the_committed_ones():
    (trial,) = trainings_of(parse(["--experiments", "4", "--epochs", "2"]))
    assert trial.result == ROOT / "runs" / "study" / "2_epochs" / "results" / "paper_4_seed0.json"
    (whole,) = trainings_of(parse(["--experiments", "4"]))
    assert whole.result == RESULTS / "paper_4_seed0.json"


def test_the_plan_counts_what_is_done_and_what_is_left(tmp_path):
    keras_or_skip()
    (tmp_path / "results").mkdir()
    write_content(tmp_path / "results", made_content("LSTM") | {"processor_seconds": 2 * 60 * 60.0})
    options = parse(["--experiments", "2,LSTM", "--seeds", "0", "--results", str(tmp_path / "results")])
    lines = plan(trainings_of(options)).splitlines()
    assert lines[0].split() == ["training", "parameters", "multiply-adds", "epochs", "minutes"]
    assert lines[1].split()[:6] == ["paper_2_seed0", "1,113,095", "33,238,528", "37", "of", "100"]
    assert lines[2].split() == ["paper_LSTM_seed0", "102,855", "4,866,944", "46", "of", "100", "60", "done"]
    minutes = int(lines[1].split()[6])
    assert 10 < minutes < 60
    first_seed = re.search(r"the first seed of all these experiments takes (\S+)\. ", lines[-1])
    assert float(first_seed[1]) == pytest.approx((minutes + 60) / 60, abs=0.06)
