"""OpenCV's own lines, in OpenCV 4.8 too, which sets their level by another function."""

import cv2
import pytest

from runtime.command.cli import main
from runtime.opencv_log import ERROR, SILENT, set_log_level

WARNING = 3


@pytest.fixture(autouse=True)
def warnings_on():
    level = set_log_level(WARNING)
    yield
    set_log_level(level)


def test_a_log_level_hides_lesser_lines_and_returns_the_level_before(tmp_path, capfd):
    cv2.imread(str(tmp_path / "none.png"))
    assert "none.png" in capfd.readouterr().err
    assert set_log_level(ERROR) == WARNING
    cv2.imread(str(tmp_path / "none.png"))
    assert capfd.readouterr().err == ""
    assert set_log_level(SILENT) == ERROR


@pytest.mark.parametrize(("variables", "level"), [({}, SILENT), ({"OPENCV_LOG_LEVEL": "WARNING"}, WARNING)])
def test_the_command_silences_opencv_unless_the_user_has_set_its_level(variables, level, monkeypatch):
    monkeypatch.delenv("OPENCV_LOG_LEVEL", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert main(["models"]) == 0
    assert set_log_level(WARNING) == level
