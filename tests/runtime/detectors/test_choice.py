"""Which detector is loaded: by name, by file, or without being asked for."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from runtime import detectors
from runtime.detectors import (
    DEFAULT_DETECTOR,
    DETECTORS,
    DetectorError,
    load_detector,
    load_ferkit,
    load_haar,
    load_yunet,
    load_yunet_or_haar,
)
from runtime.detectors import ferkit as ferkit_module
from runtime.detectors import haar as haar_module
from tests.support.yunet import needs_haar

DETECTOR_RESULTS = Path(__file__).parents[3] / "results" / "detector_settings.json"


def test_a_detector_carries_the_name_of_its_crop_rule(detector):
    assert {"ferkit": load_ferkit, "yunet": load_yunet, "haar": load_haar} == DETECTORS
    assert detector.name in DETECTORS


def test_an_unknown_detector_is_refused_with_the_names_that_exist():
    with pytest.raises(DetectorError, match=r"ferkit, yunet, haar, or the path of .*, got 'retina'"):
        load_detector("retina")


def test_the_path_of_a_yunet_file_is_a_detector(yunet_file):
    assert load_detector(yunet_file).name == "yunet"
    assert load_detector(str(yunet_file)).name == "yunet"


def test_a_path_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(DetectorError, match=r"mine\.onnx: expected YuNet's file, got No such file"):
        load_detector(tmp_path / "mine.onnx")


def test_a_file_that_is_no_yunet_is_named(tmp_path):
    (tmp_path / "mine.onnx").write_bytes(b"<html>Not Found</html>")
    with pytest.raises(DetectorError, match=r"mine\.onnx: expected a YuNet model that OpenCV .* runs"):
        load_detector(tmp_path / "mine.onnx")


def test_a_git_lfs_pointer_is_named_as_no_yunet(tmp_path):
    (tmp_path / "mine.onnx").write_text("version https://git-lfs.github.com/spec/v1\nsize 232589\n")
    with pytest.raises(DetectorError, match=r"mine\.onnx: expected a YuNet model"):
        load_detector(tmp_path / "mine.onnx")


def test_a_path_with_letters_outside_ascii_works(yunet_file, tmp_path):
    copy = tmp_path / "Gesichtsgröße 顔.onnx"
    copy.write_bytes(yunet_file.read_bytes())
    assert load_detector(copy).name == "yunet"


def test_the_environment_names_the_file(yunet_file, monkeypatch):
    monkeypatch.setenv("FERKIT_YUNET", str(yunet_file))
    assert load_yunet_or_haar(offline=True).name == "yunet"
    assert load_detector("yunet", offline=True).name == "yunet"


@pytest.mark.parametrize("load", [load_yunet, load_yunet_or_haar])
def test_a_wrong_file_in_the_environment_is_an_error_and_not_a_reason_for_haar(monkeypatch, tmp_path, load):
    monkeypatch.setenv("FERKIT_YUNET", str(tmp_path / "gone.onnx"))
    with pytest.raises(DetectorError, match=r"gone\.onnx \(from the environment variable FERKIT_YUNET\)"):
        load(offline=True)


def test_yunet_offline_without_its_file_says_how_to_get_it():
    with pytest.raises(DetectorError, match=r"offline forbids the download.*ferkit fetch-detector"):
        load_detector("yunet", offline=True)


@needs_haar
def test_without_yunet_haar_takes_over_and_one_line_says_what_it_costs():
    lines: list[str] = []
    assert load_yunet_or_haar(offline=True, announce=lines.append).name == "haar"
    assert len(lines) == 1
    assert "Haar" in lines[0]
    assert "%" in lines[0]
    assert "ferkit fetch-detector" in lines[0]


@needs_haar
def test_the_line_goes_to_standard_error_where_nobody_takes_it(capsys):
    load_yunet_or_haar(offline=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1


@needs_haar
def test_haar_asked_for_by_name_says_nothing():
    lines: list[str] = []
    assert load_detector("haar", announce=lines.append).name == "haar"
    assert lines == []


@needs_haar
def test_a_missing_cascade_is_named_with_the_folders_searched():
    with pytest.raises(DetectorError, match=r"haarcascade_frontalface_alt9\.xml in .*data.* got none"):
        load_haar(cascade="alt9")


@needs_haar
def test_without_both_detectors_one_line_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(haar_module, "CASCADE_FOLDERS", (tmp_path,))
    with pytest.raises(DetectorError) as caught:
        load_yunet_or_haar(offline=True)
    line = str(caught.value)
    assert "\n" not in line
    assert "offline forbids the download. Run `ferkit fetch-detector` once with a network, or name" in line
    assert "Haar can't take its place: Expected haarcascade_frontalface_alt2.xml in" in line
    assert "use haar" not in line


@pytest.mark.skipif(hasattr(cv2, "CascadeClassifier"), reason="this OpenCV has the Haar cascade")
def test_opencv_5_without_yunet_says_what_to_do():
    with pytest.raises(DetectorError, match=r"no Haar cascade.*ferkit fetch-detector.*opencv-python<5"):
        load_yunet_or_haar(offline=True)


@needs_haar
def test_the_warning_that_haar_takes_over_says_why_and_what_was_measured(monkeypatch, tmp_path):
    monkeypatch.delenv("FERKIT_YUNET", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    lines: list[str] = []
    load_yunet_or_haar(offline=True, announce=lines.append)
    (line,) = lines
    assert f"({tmp_path / 'ferkit'}: expected YuNet's file, got none, and offline forbids" in line
    measured = {row["name"]: row for row in json.loads(DETECTOR_RESULTS.read_text())["variants"]}
    yunet, haar = measured["YuNet, 320 px (the default)"], measured["Haar, as released"]
    assert (
        f"finds {haar['found']:.0%} of them where YuNet finds {yunet['found']:.0%}".replace("%", " %") in line
    )
    assert f"in {haar['median_ms'] / yunet['median_ms']:.0f} times the time" in line


# --- our own ---------------------------------------------------------------------------------------


def test_the_path_of_our_own_detector_is_a_detector(ferkit_file):
    assert load_detector(ferkit_file).name == "ferkit"
    assert load_detector(str(ferkit_file)).name == "ferkit"


def test_without_a_name_the_default_is_loaded(monkeypatch, ferkit_file):
    monkeypatch.setattr(ferkit_module, "RELEASED", ferkit_file.parent)
    monkeypatch.setattr(detectors, "DEFAULT_DETECTOR", "ferkit")
    lines: list[str] = []
    assert load_detector(announce=lines.append).name == "ferkit"
    assert lines == []


@pytest.mark.skipif(DEFAULT_DETECTOR != "ferkit", reason="another detector is the default")
def test_the_released_detector_is_the_default_and_prints_nothing(capfd):
    assert load_detector().name == "ferkit"
    out, err = capfd.readouterr()
    assert out == ""
    assert [line for line in err.splitlines() if "XNNPACK" not in line] == []
