"""`python -m train --seeds`: a training per seed, one that fails alone, and a table with the best one."""

import json
import re

import pytest

pytest.importorskip("keras")
pytest.importorskip("tensorflow")

from tests.support.made_faces import made_dataset, write_dataset
from tests.support.trainings import assert_equal_weights
from train.__main__ import main


@pytest.fixture
def data(tmp_path):
    return write_dataset(tmp_path / "fer2013.csv", made_dataset())


def command_in(folder, data, *options):
    command = ["--data", str(data), "--out", str(folder / "mine.keras"), "--run-dir", str(folder / "run")]
    return [*command, "--epochs", "1", *options]


def test_every_seed_has_its_own_weights_and_the_best_one_is_named(tmp_path, data, small, capsys):
    assert main(["--model", "small", *command_in(tmp_path, data), "--seeds", "5,2"]) == 0
    out, err = capsys.readouterr()
    assert "training faces of disgust" in err  # a rare class is named here, too
    records = {seed: json.loads((tmp_path / f"mine_seed{seed}.json").read_text()) for seed in (5, 2)}
    scores = {seed: record["scores"]["validation"]["accuracy"] for seed, record in records.items()}
    assert [records[seed]["arguments"]["seed"] for seed in (5, 2)] == [5, 2]
    rows = re.findall(r"^\| .*mine_seed(\d)\.keras \| +(\d) \| +(\S+%) \|", out, re.MULTILINE)
    assert rows == [(str(seed), str(seed), f"{scores[seed]:.2%}") for seed in (5, 2)]
    best = max(scores, key=lambda seed: scores[seed])
    assert (
        f"Best on validation: seed {best}, {scores[best]:.2%}, {tmp_path / f'mine_seed{best}.keras'}" in out
    )
    assert (tmp_path / "run_seed5" / "state.json").exists()

    alone = ["--model", "small", "--data", str(data), "--epochs", "1", "--seed", "5"]
    assert main([*alone, "--out", str(tmp_path / "a.keras"), "--run-dir", str(tmp_path / "a")]) == 0
    assert_equal_weights(tmp_path / "a.keras", tmp_path / "mine_seed5.keras")


@pytest.mark.parametrize(
    ("name", "words"), [("run_seed0", "is not a directory"), ("run_seed0/state.json", "")]
)
def test_a_seed_that_fails_leaves_the_others(tmp_path, data, small, capsys, name, words):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("in the way")
    assert main(["--model", "small", *command_in(tmp_path, data), "--seeds", "0,1"]) == 1
    said = capsys.readouterr()
    assert re.search(rf"^seed 0: failed: .*run_seed0.*{words}", said.err, re.MULTILINE)
    assert re.search(r"mine_seed0\.keras \| +0 \| +failed \|", said.out)
    assert "Best on validation: seed 1, " in said.out
    assert (tmp_path / "mine_seed1.keras").exists() and not (tmp_path / "mine_seed0.keras").exists()


def test_on_ray_too_a_seed_that_fails_leaves_the_others(tmp_path, data, capsys, monkeypatch):
    pytest.importorskip("ray", reason="needs Ray: pip install -r requirements/ray.txt")
    monkeypatch.chdir(tmp_path)  # relative paths are those of the command, not of Ray's processes
    (tmp_path / "run_seed0").write_text("in the way of a folder")
    command = ["--model", "cnn_lstm", "--data", data.name, "--out", "mine.keras", "--run-dir", "run"]
    assert main([*command, "--epochs", "1", "--seeds", "0,1", "--ray", "--cores", "1"]) == 1
    said = capsys.readouterr()
    assert re.search(r"^seed 0: failed: .*run_seed0", said.err, re.MULTILINE)
    assert said.out.splitlines()[0].startswith("seed 1: validation accuracy ")
    assert "Best on validation: seed 1, " in said.out
    record = json.loads((tmp_path / "mine_seed1.json").read_text())
    assert (record["arguments"]["seed"], record["epochs_trained"]) == (1, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["cnn", "--seeds", "0,one"], "expected whole numbers below 1000000000 such as 0,1, got '0,one'"),
        (["cnn", "--seeds", "0,1", "--seed", "2"], "expected --seed or --seeds, got both."),
        (["cnn", "edge", "--seeds", "0"], "--seeds: expected one --model, got several."),
        (["cnn", "--seeds", "0", "--distribute"], "expected --seeds or --distribute, got both."),
        (["cnn", "--ray"], "--ray: expected --seeds as well."),
        (["cnn", "--seeds", "0", "--address", "auto"], "--address and --cores: expected --ray as well."),
    ],
)
def test_options_that_can_not_be_are_refused_at_once(options, message, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--model", *options])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
