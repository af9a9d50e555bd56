import argparse

import pytest

from reporting.command import FAILED, INTERRUPTED, at_least, run_command


class WrongFileError(ValueError):
    pass


def fail_with(error):
    def command():
        raise error

    return command


def test_a_command_gives_its_own_status():
    assert run_command(lambda: 3) == 3
    assert run_command(lambda: None) == 0


def test_an_expected_error_is_one_line_on_stderr(capsys):
    assert run_command(fail_with(WrongFileError("a.json: expected JSON.")), errors=(ValueError,)) == FAILED
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "a.json: expected JSON.\n")


def test_an_error_of_the_system_names_its_file(capsys, tmp_path):
    def command():
        (tmp_path / "absent").read_text()

    assert run_command(command) == FAILED
    assert capsys.readouterr().err == (
        f"{tmp_path / 'absent'}: can't be read or written: No such file or directory.\n"
    )
    assert run_command(fail_with(OSError("the disk is full"))) == FAILED
    assert capsys.readouterr().err == "the disk is full\n"


def test_a_fault_of_the_program_is_raised():
    with pytest.raises(TypeError):
        run_command(fail_with(TypeError()), errors=(ValueError,))


def test_ctrl_c_ends_with_a_sentence_and_130(capsys):
    assert run_command(fail_with(KeyboardInterrupt())) == INTERRUPTED == 130
    assert capsys.readouterr().err == "Stopped.\n"
    assert run_command(fail_with(KeyboardInterrupt()), stopped="Stopped. What is done is kept.") == 130
    assert capsys.readouterr().err == "Stopped. What is done is kept.\n"


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "many", ""])
def test_a_number_below_the_smallest_is_refused(text, capsys):
    parser = argparse.ArgumentParser()
    parser.add_argument("--faces", type=at_least(1))
    with pytest.raises(SystemExit) as caught:
        parser.parse_args([f"--faces={text}"])
    assert caught.value.code == 2
    assert "expected a whole number from 1" in capsys.readouterr().err
    assert parser.parse_args(["--faces", "7"]).faces == 7
