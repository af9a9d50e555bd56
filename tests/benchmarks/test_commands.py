"""The one command of all benchmarks."""

import importlib

import pytest

from benchmarks.__main__ import COMMANDS, main


def test_without_a_name_the_benchmarks_are_listed_a_line_each(capsys):
    assert main([]) == main(["--help"]) == 0
    said = capsys.readouterr().out
    for name, (_, sentence) in COMMANDS.items():
        assert any(line.split(maxsplit=1) == [name, sentence] for line in said.splitlines())


def test_a_wrong_name_is_refused_with_the_list(capsys):
    assert main(["speed"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "expected the name of a benchmark, got speed" in said.err
    assert "robustness" in said.err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_benchmark_says_what_it_does_and_how_it_is_called(name, capsys):
    with pytest.raises(SystemExit) as caught:
        main([name, "--help"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: python -m benchmarks {name} ")
    assert importlib.import_module(COMMANDS[name][0]).__doc__


def test_an_expected_error_is_one_line_and_exit_status_1(tmp_path, capsys):
    assert main(["measure", str(tmp_path / "absent.tflite")]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"{tmp_path / 'absent.tflite'}: expected an artifact")
    assert said.count("\n") == 1
