import cv2
import pytest

from reporting.machine import describe_device, slug


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Raspberry Pi 5 Model B Rev 1.0", "raspberry-pi-5-model-b-rev-1-0"),
        ("Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz", "intel-core-i7-8650u-1-90ghz"),
        ("AMD EPYC 7763 64-Core Processor", "amd-epyc-7763-64-core"),
        ("", "device"),
    ],
)
def test_a_devices_name_becomes_a_file_name(name, expected):
    assert slug(name) == expected


def test_the_device_is_described_with_its_versions():
    device = describe_device(threads=2)
    assert device["threads"] == 2
    assert device["name"] == slug(device["processor"])
    assert device["opencv"] == cv2.__version__
    assert device["cores"] >= 1
    assert set(device["engines"]) <= {"litert", "tflite_runtime", "onnxruntime", "opencv"}
