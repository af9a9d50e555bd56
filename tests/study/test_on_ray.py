"""`python -m study --ray`: rows as tasks of Ray, of which one fails alone."""

import pytest

from study.__main__ import main
from study.results import read_result
from tests.support.study import keras_or_skip


def test_a_row_that_fails_on_ray_leaves_the_others(faces_csv, tmp_path, capsys):
    keras_or_skip()
    pytest.importorskip("ray", reason="needs Ray: pip install -r requirements/ray.txt")
    runs, results = tmp_path / "runs", tmp_path / "results"
    runs.mkdir()
    (runs / "official_rows-dense_seed0").write_text("in the way of a folder")
    command = ["--experiments", "rows-dense,LSTM", "--seeds", "0", "--epochs", "1", "--split", "official"]
    command += ["--data", str(faces_csv), "--results", str(results), "--run-dir", str(runs)]
    assert main([*command, "--ray", "--cores", "1"]) == 1
    said = capsys.readouterr()
    assert "1 of 2 trained, 0 had a result." in said.out
    assert "official_LSTM_seed0: test " in said.out
    (failed,) = [line for line in said.err.splitlines() if "failed" in line]
    assert failed.startswith("official_rows-dense_seed0: failed: ")
    assert read_result(results / "official_LSTM_seed0.json").epochs_trained == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--ray", "--jobs", "2"], "expected --jobs, for this machine, or --ray, got both."),
        (["--address", "auto"], "--address and --cores: expected --ray as well."),
    ],
)
def test_options_that_can_not_be_are_refused_at_once(arguments, message, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert message in capsys.readouterr().err
