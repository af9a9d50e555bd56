"""Which detector is loaded: by name, by file, or without being asked for."""

from __future__ import annotations

import cv2
import pytest

from runtime.detectors import (
    DETECTORS,
    DetectorError,
    load_default,
    load_detector,
    load_ferkit,
    load_haar,
    load_yunet,
)
from runtime.detectors.yunet_file import FILE_NAME, cache_folder
from tests.support.yunet import needs_haar


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
    assert load_default().name == "yunet"
    assert load_detector("yunet", offline=True).name == "yunet"


@pytest.mark.parametrize("load", [load_yunet, load_default])
def test_a_wrong_file_in_the_environment_is_an_error_and_no_reason_for_another(monkeypatch, tmp_path, load):
    monkeypatch.setenv("FERKIT_YUNET", str(tmp_path / "gone.onnx"))
    with pytest.raises(DetectorError, match=r"gone\.onnx \(from the environment variable FERKIT_YUNET\)"):
        load()


def test_yunet_offline_without_its_file_says_how_to_get_it():
    with pytest.raises(DetectorError, match=r"offline forbids the download.*ferkit fetch-detector"):
        load_detector("yunet", offline=True)


@needs_haar
def test_haar_asked_for_by_name_says_nothing():
    lines: list[str] = []
    assert load_detector("haar", announce=lines.append).name == "haar"
    assert lines == []


@needs_haar
def test_a_missing_cascade_is_named_with_the_folders_searched():
    with pytest.raises(DetectorError, match=r"haarcascade_frontalface_alt9\.xml in .*data.* got none"):
        load_haar(cascade="alt9")


@pytest.mark.skipif(hasattr(cv2, "CascadeClassifier"), reason="this OpenCV has the Haar cascade")
def test_opencv_5_has_no_haar_and_the_message_says_what_to_do():
    with pytest.raises(DetectorError, match=r"no Haar cascade.*opencv-python<5"):
        load_haar()


# --- our own ---------------------------------------------------------------------------------------


def test_the_path_of_our_own_detector_is_a_detector(ferkit_file):
    assert load_detector(ferkit_file).name == "ferkit"
    assert load_detector(str(ferkit_file)).name == "ferkit"


def test_without_a_name_ours_is_loaded_where_yunet_is_not_and_prints_nothing(capfd):
    lines: list[str] = []
    assert load_detector(announce=lines.append).name == "ferkit"
    out, err = capfd.readouterr()
    assert lines == []
    assert out == ""
    assert [line for line in err.splitlines() if "XNNPACK" not in line] == []


def test_without_a_name_yunet_is_loaded_where_its_file_is_in_the_cache(yunet_file, tmp_path):
    file = cache_folder() / FILE_NAME
    file.parent.mkdir(parents=True)
    file.write_bytes(yunet_file.read_bytes())
    assert load_detector().name == "yunet"
