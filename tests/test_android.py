"""The Java library gives this runtime's numbers, and is what every Android build tool takes."""

import re
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from android import build
from runtime.model import load_model
from tests.test_golden import GOLDEN, face_of

needs_java = pytest.mark.skipif(build.missing_tools() is not None, reason=str(build.missing_tools()))


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("android")


@pytest.fixture(scope="module")
def jar(out):
    return build.build_core(out)


@pytest.fixture(scope="module")
def report(jar, out):
    return build.test_core(jar, out)


@pytest.fixture(scope="module")
def classes(jar):
    with zipfile.ZipFile(jar) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@needs_java
def test_the_junit_tests_pass(report):
    assert re.search(r"^OK \((\d+) tests\)$", report, re.MULTILINE), report


@needs_java
def test_the_library_is_java_8_without_lambdas_and_without_android(classes):
    """Lambdas need a build tool that rewrites them, `android.*` a phone: neither is needed to use this."""
    assert "io/github/ferkit/FaceCrop.class" in classes
    for name, data in classes.items():
        assert struct.unpack(">IHH", data[:8]) == (0xCAFEBABE, 0, 52), name
        assert b"java/lang/invoke" not in data, name
        assert b"android/" not in data, name


@needs_java
def test_the_jar_is_the_same_in_every_build(jar, tmp_path):
    assert build.build_core(tmp_path).read_bytes() == jar.read_bytes()


@needs_java
@pytest.mark.skipif(build.litert_library() is None, reason="needs the package ai-edge-litert")
def test_the_jvm_gives_the_scores_that_python_gives(report, out):
    found = {}
    for line in (out / "scores.txt").read_text().splitlines():
        file, *scores = line.split(" ")
        found.setdefault(file, []).append([float(score) for score in scores])
    files = [model["file"] for model in GOLDEN["models"] if model["file"].endswith(".tflite")]
    assert list(found) == files
    faces = np.stack([face_of(crop) for crop in GOLDEN["crops"]])[..., np.newaxis]
    for file in files:
        expected = load_model(build.ROOT / file, engine="litert")(faces)
        np.testing.assert_allclose(np.array(found[file]), expected, rtol=0, atol=1e-6, err_msg=file)


@needs_java
def test_a_failing_test_fails_the_build_with_its_report(monkeypatch, tmp_path, jar):
    source = tmp_path / "test" / "FaultyTest.java"
    source.parent.mkdir()
    source.write_text(
        "package io.github.ferkit;\n"
        "public class FaultyTest {\n"
        "    @org.junit.Test public void sum() { org.junit.Assert.assertEquals(5, 2 + 2); }\n"
        "}\n"
    )
    monkeypatch.setattr(build, "CORE", tmp_path)
    with pytest.raises(build.BuildError, match=r"java failed:[\s\S]*expected:<5> but was:<4>"):
        build.test_core(jar, tmp_path)


def test_missing_tools_are_named_with_what_installs_them(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "android.build"],
        cwd=build.ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert re.fullmatch(
        r"The Java library needs javac, java.*: apt-get install openjdk-17-jdk-headless.*\n", done.stderr
    )
