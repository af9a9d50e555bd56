"""Every command at a Ctrl-C and at a user's slip: one line, an exit status, nothing left behind."""

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.privileges import unprivileged

ROOT = Path(__file__).resolve().parent.parent
TINY = Path(__file__).parent / "data" / "tiny_fp32.onnx"


@pytest.fixture
def ctrl_c():
    """Sends a real signal when the file or folder of a name is opened or made; returns the paths met."""
    armed, met = {}, []

    def press(event, arguments):
        if armed and event in ("open", "os.mkdir") and isinstance(arguments[0], str | os.PathLike):
            path = Path(arguments[0])
            if path.name in armed:
                number = armed.pop(path.name)
                met.append(path)
                signal.raise_signal(number)

    def arm(name, number=signal.SIGINT):
        armed[name] = number
        return met

    sys.addaudithook(press)  # there is no way to remove it
    yield arm
    armed.clear()


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    """14 faces a split."""
    faces = np.random.default_rng(0).integers(0, 256, (42, 2304))
    rows = [
        f"{row % 7},{' '.join(map(str, face))},{('Training', 'PublicTest', 'PrivateTest')[row // 14]}"
        for row, face in enumerate(faces)
    ]
    path = tmp_path_factory.mktemp("fer2013") / "mine.csv"
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    return path


def train_command(csv, folder):
    from train.__main__ import main

    return main(["--model", "cnn", "--data", str(csv), "--out", f"{folder}/cnn.keras"])


def audit_command(csv, folder):
    from dataset.audit import main

    return main([str(csv), "--report", f"{folder}/audit.md"])


def export_command(csv, folder, *flags):
    pytest.importorskip("rich")
    pytest.importorskip("onnx")
    from export.__main__ import main

    arguments = [str(ROOT / "models" / "cnn.keras"), "--data", str(csv), "--out", f"{folder}/artifacts"]
    return main([*arguments, *flags])


def evaluate_command(csv, folder):
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    from benchmarks.__main__ import main

    return main(["evaluate", str(TINY), "--data", str(csv), "--out", str(folder)])


def benchmark_command(csv, folder):
    from benchmarks.__main__ import main

    return main(["measure", str(TINY), "--data", str(csv), "--out", f"{folder}/board.json"])


def peers_command(csv, folder):
    from benchmarks.__main__ import main

    arguments = ["--offline", "--cache", str(folder), "--out", f"{folder}/peers.md"]
    return main(["peers", str(TINY), "--data", str(csv), "--json", f"{folder}/peers.json", *arguments])


def robustness_command(csv, folder):
    from benchmarks.__main__ import main

    return main(["robustness", str(TINY), "--data", str(csv), "--out", f"{folder}/robustness.json"])


def flagship_command(csv, folder):
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    from benchmarks.__main__ import main

    arguments = ["--data", str(csv), "--out", f"{folder}/flagship.md", "--records", str(folder)]
    return main(["flagship", "cnn", *arguments])


@pytest.mark.parametrize(
    "command",
    [
        train_command,
        audit_command,
        export_command,
        evaluate_command,
        benchmark_command,
        peers_command,
        robustness_command,
        flagship_command,
    ],
)
def test_ctrl_c_while_the_dataset_is_read_ends_a_command_in_one_line(command, csv, tmp_path, capsys, ctrl_c):
    assert ctrl_c(csv.name) == []
    assert command(csv, tmp_path) == 130
    said = capsys.readouterr()
    assert said.err.splitlines()[-1].startswith("Stopped.")
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_the_demo_in_one_line(tmp_path, capsys, ctrl_c):
    from demo.__main__ import main

    ctrl_c("out")
    assert main(["--out", str(tmp_path / "out")]) == 130
    assert capsys.readouterr().err == "Stopped.\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_export_leaves_no_faces_and_never_had_any_in_its_folder(
    csv, tmp_path, capsys, ctrl_c, number
):
    met = ctrl_c("images.npy", number)
    assert export_command(csv, tmp_path) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "Stopped. The files that were finished are kept."
    assert list((tmp_path / "artifacts").iterdir()) == []
    (faces_file,) = met
    assert tmp_path not in faces_file.parents
    assert not faces_file.parent.exists()


# --- slips -------------------------------------------------------------------------------------------


def test_an_export_with_a_dataset_variable_that_leads_nowhere_does_not_go_on_without(
    tmp_path, capsys, monkeypatch
):
    pytest.importorskip("rich")
    pytest.importorskip("onnx")
    from export.__main__ import main

    monkeypatch.setenv("FER2013", str(tmp_path / "typo.csv"))
    assert main([str(ROOT / "models" / "cnn.keras"), "--out", str(tmp_path / "artifacts")]) == 1
    said = capsys.readouterr().err
    place = f"{tmp_path / 'typo.csv'} (from the environment variable FER2013)"
    assert said.startswith(f"{place}: no such file or folder. ")
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("jobs", ["0", "-1"])
def test_an_export_without_jobs_is_refused(jobs, capsys):
    pytest.importorskip("rich")
    pytest.importorskip("onnx")
    from export.__main__ import main

    with pytest.raises(SystemExit) as caught:
        main(["--jobs", jobs])
    assert caught.value.code == 2
    assert capsys.readouterr().err.endswith(f"error: --jobs: expected 1 or more, got {jobs}.\n")


@pytest.mark.parametrize("seconds", ["nan", "-1", "0", "inf"])
def test_a_demo_of_no_time_or_of_eternity_is_refused(seconds, tmp_path, capsys):
    from demo.__main__ import main

    with pytest.raises(SystemExit) as caught:
        main(["--seconds", seconds, "--out", str(tmp_path / "out")])
    assert caught.value.code == 2
    assert capsys.readouterr().err.endswith(
        f"error: --seconds: expected more than 0, got {float(seconds)}.\n"
    )
    assert not (tmp_path / "out").exists()


def test_a_demo_into_a_folder_that_can_not_be_written_names_it(tmp_path, capsys):
    from demo.__main__ import main

    with unprivileged(tmp_path, 0o500):
        assert main(["--out", str(tmp_path / "out")]) == 6
        assert capsys.readouterr().err == (
            f"{tmp_path / 'out'}: expected a folder that can be made, got: Permission denied. "
            "Name another with --out.\n"
        )
        assert main(["--out", str(tmp_path), "--seconds", "0.1"]) == 6
        said = capsys.readouterr().err
    assert str(tmp_path) in said
    assert "Traceback" not in said
    assert said.count("\n") == 1


def test_a_benchmark_with_a_dataset_variable_that_leads_nowhere_does_not_go_on_without(
    tmp_path, capsys, monkeypatch
):
    from benchmarks.__main__ import main

    monkeypatch.setenv("FER2013", str(tmp_path / "typo.csv"))
    assert main(["measure", str(TINY), "--out", str(tmp_path / "board.json")]) == 1
    assert "typo.csv (from the environment variable FER2013): no such file" in capsys.readouterr().err


def test_an_export_of_a_dataset_without_validation_goes_on_with_a_share_of_train(
    csv, tmp_path, capsys, ctrl_c
):
    lines = [line for line in csv.read_text().splitlines() if not line.endswith("PublicTest")]
    two_splits = tmp_path / "two.csv"
    two_splits.write_text("\n".join(lines) + "\n")
    assert export_command(two_splits, tmp_path) == 1
    assert "got none of validation." in capsys.readouterr().err
    ctrl_c("images.npy")  # stopped as soon as it has the faces
    assert export_command(two_splits, tmp_path, "--validation-share", "0.25") == 130
    # rich may break a long path anywhere
    assert f"measuredon{two_splits}" in "".join(capsys.readouterr().err.split())
