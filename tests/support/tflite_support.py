"""Google's own reader of TFLite Metadata, as an independent judge of ours.

Its package, tflite-support 0.4.4, needs protobuf 3.20 and Python 3.11 at most, so it lives in an environment
of its own, named by the environment variable FERKIT_TFLITE_SUPPORT:

    python3.10 -m venv support && support/bin/pip install tflite-support==0.4.4 'protobuf<3.21' 'numpy<2'
    FERKIT_TFLITE_SUPPORT=support/bin/python python -m pytest tests/export

On Linux it needs Debian's package libusb-1.0-0 as well.
"""

import json
import os
import subprocess

import pytest

READER = """
import json, sys
from tensorflow_lite_support.metadata.cc.python import _pywrap_metadata_version as parser
from tflite_support import metadata

for path in sys.argv[1:]:
    displayer = metadata.MetadataDisplayer.with_model_file(path)
    print(json.dumps({
        "metadata": json.loads(displayer.get_metadata_json()),
        "parser": parser.GetMinimumMetadataParserVersion(displayer.get_metadata_buffer()),
        "files": {
            name: displayer.get_associated_file_buffer(name).decode()
            for name in displayer.get_packed_associated_file_list()
        },
    }))
"""


def displayed(paths):
    """What Google's reader says of TFLite files: for each its metadata, the parser version, and its files."""
    python = os.environ.get("FERKIT_TFLITE_SUPPORT")
    if not python:
        pytest.skip("needs tflite-support, in the environment whose python FERKIT_TFLITE_SUPPORT names")
    done = subprocess.run([python, "-c", READER, *map(str, paths)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
