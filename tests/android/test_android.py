"""The Android library gives this runtime's numbers, and is what every Android build tool takes."""

import hashlib
import io
import json
import re
import shutil
import struct
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
import zipfile

import cv2
import numpy as np
import pytest

from android import android_jar, build, sample_check
from android.jdk import BuildError, missing_tools
from runtime.detectors import load_ferkit
from runtime.model import DEFAULT_MODEL, load_model
from tests.data import make_rotations
from tests.support.golden import FRAMES, GOLDEN, face_of

ANDROID_JAR = android_jar.find_android_jar()
SAMPLE = build.ROOT / "android" / "sample"

needs_android = pytest.mark.skipif(
    missing_tools() is not None or ANDROID_JAR is None,
    reason=missing_tools() or build.NO_ANDROID_JAR,
)
needs_kotlin = pytest.mark.skipif(not sample_check.kotlin_compiler(), reason=sample_check.NO_KOTLIN)
needs_java = pytest.mark.skipif(missing_tools() is not None, reason=str(missing_tools()))


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("android")


@pytest.fixture(scope="module")
def jar(out):
    return build.build_core(out)


@pytest.fixture(scope="module")
def report(jar, out):
    return build.test_core(jar, out)


def entries_of(archive):
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.fixture(scope="module")
def classes(jar):
    return entries_of(jar)


@pytest.fixture(scope="module")
def aar(out):
    return build.build_aar(ANDROID_JAR, out)


@pytest.fixture(scope="module")
def shipped(aar):
    return entries_of(aar)


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
@pytest.mark.skipif(build.litert_library() is None, reason="needs the package ai-edge-litert")
def test_the_jvm_finds_the_faces_that_python_finds(report, out):
    """In rows and columns of the golden portrait, to the right ever darker: the frames of the Java test."""
    found = {}
    for line in (out / "faces.txt").read_text().splitlines():
        across, down, *face = line.split(" ")
        found.setdefault((int(across), int(down)), []).append([float(number) for number in face])
    assert list(found) == [(1, 1), (2, 1), (3, 2)]
    detector = load_ferkit(build.detector()[0], engine="litert")
    portrait = cv2.cvtColor(FRAMES["portrait"], cv2.COLOR_BGR2GRAY)
    for (across, down), faces in found.items():
        darker = 10 * np.repeat(np.arange(across), portrait.shape[1])
        gray = np.tile(portrait, (down, across)).astype(int) - darker
        frame = np.repeat(gray.clip(0).astype(np.uint8)[..., np.newaxis], 3, axis=2)
        np.testing.assert_allclose(np.array(faces), detector(frame), rtol=0, atol=1e-4)


@needs_java
def test_a_failing_test_fails_the_build_with_its_report(tmp_path, jar):
    source = tmp_path / "tests" / "FaultyTest.java"
    source.parent.mkdir()
    source.write_text(
        "package io.github.ferkit;\n"
        "public class FaultyTest {\n"
        "    @org.junit.Test public void sum() { org.junit.Assert.assertEquals(5, 2 + 2); }\n"
        "}\n"
    )
    with pytest.raises(BuildError, match=r"java failed:[\s\S]*expected:<5> but was:<4>"):
        build.test_core(jar, tmp_path, tests=source.parent)


def test_missing_tools_are_named(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "android.build"],
        cwd=build.ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert re.fullmatch(
        r"The Java library needs javac, java.*: apt-get install default-jdk-headless.*\n", done.stderr
    )


def test_the_rotated_frames_are_what_the_script_makes():
    assert make_rotations.PATH.read_text(encoding="utf-8") == make_rotations.json_of(
        make_rotations.make_rotations()
    )


def test_the_rotated_images_differ_and_have_padding():
    rotations = json.loads(make_rotations.PATH.read_text(encoding="utf-8"))
    planes = rotations["planes"]
    assert [plane["degrees"] for plane in planes] == [0, 90, 180, 270]
    assert len({plane["plane"] for plane in planes}) == 4
    assert any(plane["pixel_stride"] > 1 for plane in planes)
    assert any(
        plane["row_stride"] > (plane["left"] + plane["width"]) * plane["pixel_stride"] for plane in planes
    )
    assert {(view["fill"], view["mirrored"]) for view in rotations["views"]} == {
        (True, True),
        (True, False),
        (False, True),
        (False, False),
    }


@needs_android
def test_the_aar_holds_what_gradle_expects(shipped):
    model = f"{DEFAULT_MODEL}_int8.tflite"
    assert sorted(shipped) == [
        "AndroidManifest.xml",
        "META-INF/com/android/build/gradle/aar-metadata.properties",
        "R.txt",
        "assets/ferkit/detectors/detector_int8.tflite",
        "assets/ferkit/detectors/detector_int8.tflite.json",
        f"assets/ferkit/{model}",
        f"assets/ferkit/{model}.json",
        "classes.jar",
        "proguard.txt",
    ]
    manifest = ElementTree.fromstring(shipped["AndroidManifest.xml"])
    assert manifest.attrib["package"] == "io.github.ferkit.android"
    assert list(manifest[0].attrib.values()) == ["24"]
    assert shipped["R.txt"] == b""


@needs_android
def test_the_aar_holds_the_released_files_and_their_cards(shipped):
    assert build.default_model()[0].name == f"{DEFAULT_MODEL}_int8.tflite"
    for folder, (file, card) in {"": build.default_model(), "detectors/": build.detector()}.items():
        assert shipped[f"assets/ferkit/{folder}{file.name}"] == file.read_bytes()
        fields = json.loads(shipped[f"assets/ferkit/{folder}{card.name}"])
        assert fields["file"] == file.name
        assert fields["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
        assert fields["bytes"] == len(file.read_bytes())


@needs_android
def test_the_aar_holds_java_8_classes_of_core_and_adapter(shipped):
    classes = entries_of(io.BytesIO(shipped["classes.jar"]))
    assert {"io/github/ferkit/FaceCrop.class", "io/github/ferkit/android/LiteRtEngine.class"} <= set(classes)
    for name, data in classes.items():
        assert name.startswith("io/github/ferkit/"), name
        assert struct.unpack(">IHH", data[:8]) == (0xCAFEBABE, 0, 52), name
        assert b"java/lang/invoke" not in data, name


@needs_android
def test_the_aar_is_the_same_in_every_build(aar, tmp_path):
    assert build.build_aar(ANDROID_JAR, tmp_path).read_bytes() == aar.read_bytes()


@needs_android
def test_the_classes_in_the_aar_pass_the_tests_of_the_core(shipped, tmp_path):
    jar = tmp_path / "classes.jar"
    jar.write_bytes(shipped["classes.jar"])
    assert re.search(r"^OK \(\d+ tests\)$", build.test_core(jar, tmp_path), re.MULTILINE)


@needs_android
def test_what_a_phone_lacks_is_refused(tmp_path):
    """java.nio.file came with Android 8; the phones that the library serves begin with 7."""
    source = tmp_path / "main" / "Late.java"
    source.parent.mkdir()
    source.write_text("class Late { java.nio.file.Path path; }\n")
    with pytest.raises(BuildError, match=r"package java\.nio\.file does not exist"):
        build.build_aar(ANDROID_JAR, tmp_path, core=source.parent)


@needs_android
@needs_kotlin
@pytest.mark.parametrize("detector", sample_check.DETECTORS_OF_SAMPLE)
def test_the_sample_is_typed_soundly(aar, out, detector):
    classes = sample_check.check_sample(ANDROID_JAR, out, detector=detector)
    assert (classes / "io/github/ferkit/sample/MainActivity.class").exists()


@needs_android
@needs_kotlin
def test_a_wrong_type_in_the_sample_is_found(aar, out, tmp_path):
    source = tmp_path / "main" / "kotlin" / "Wrong.kt"
    source.parent.mkdir(parents=True)
    (tmp_path / "ferkit" / "kotlin").mkdir(parents=True)
    source.write_text("fun label(face: io.github.ferkit.LabelledFace): Int = face.label\n")
    with pytest.raises(BuildError, match=r"Wrong\.kt:1:\d+: error: .*mismatch"):
        sample_check.check_sample(ANDROID_JAR, out, sample=tmp_path)


def test_the_sample_takes_its_libraries_from_the_catalogue():
    tomllib = pytest.importorskip("tomllib", reason="comes with Python 3.11")
    catalogue = tomllib.loads((SAMPLE / "gradle" / "libs.versions.toml").read_text(encoding="utf-8"))
    scripts = "".join(path.read_text(encoding="utf-8") for path in sorted(SAMPLE.rglob("*.gradle.kts")))
    named = {name.replace("-", ".") for name in catalogue["libraries"]}
    named |= {f"plugins.{name.replace('-', '.')}" for name in catalogue["plugins"]}
    assert set(re.findall(r"\blibs\.([a-z.0-9]+)\b", scripts)) == named
    entries = [*catalogue["libraries"].values(), *catalogue["plugins"].values()]
    assert {entry["version"]["ref"] for entry in entries} == set(catalogue["versions"])


def test_the_sample_runs_where_the_library_runs():
    manifest = ElementTree.parse(build.ADAPTER / "AndroidManifest.xml").getroot()
    script = (SAMPLE / "app" / "build.gradle.kts").read_text(encoding="utf-8")
    assert re.findall(r"minSdk = (\d+)", script) == list(manifest[0].attrib.values())


def test_every_named_resource_is_there():
    main = sample_check.SAMPLE / "main"
    code = sample_check.resource_class(main / "res")
    files = [main / "AndroidManifest.xml", *sorted((main / "res").rglob("*.xml"))]
    named = {
        found for path in files for found in re.findall(r'"@(\w+)/(\w+)"', path.read_text(encoding="utf-8"))
    }
    assert {("string", "switch_camera"), ("drawable", "icon")} <= named
    for kind, name in named:
        assert re.search(rf"class {kind} {{.* int {name} =", code), f"@{kind}/{name}"
    assert re.search(r"class id {.* int overlay =", code)


def test_without_debians_apt_the_fetch_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        android_jar.FetchError, match=r"^Fetching libandroid-23-java needs Debian's apt and keys"
    ):
        android_jar.fetch_android_jar(tmp_path / "android.jar")


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs dpkg-deb")
def test_another_jar_than_the_known_one_is_not_kept(monkeypatch, tmp_path):
    """An apt-get of our own hands out a package with another file inside."""
    package = tmp_path / "package"
    (package / "DEBIAN").mkdir(parents=True)
    control = (
        "Package: libandroid-23-java\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b.c>\nDescription: a\n"
    )
    (package / "DEBIAN" / "control").write_text(control)
    inside = package / android_jar.INSIDE
    inside.parent.mkdir(parents=True)
    inside.write_bytes(b"other classes")
    deb = tmp_path / "libandroid-23-java_1_all.deb"
    subprocess.run(["dpkg-deb", "--build", package, deb], check=True, capture_output=True)
    apt = tmp_path / "bin" / "apt-get"
    apt.parent.mkdir()
    apt.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        '  indextargets*) echo "Debian|Debian|mirror:/somewhere" ;;\n'
        f"  *download*) cp {deb} . ;;\n"
        "esac\n"
    )
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(apt.parent), prepend=":")
    monkeypatch.setattr(android_jar, "KEYS", str(apt))
    out = tmp_path / "android.jar"
    sha256 = hashlib.sha256(b"other classes").hexdigest()
    with pytest.raises(android_jar.FetchError, match=rf"bullseye: expected .*got {sha256}; sid: expected"):
        android_jar.fetch_android_jar(out)
    assert not out.exists()
