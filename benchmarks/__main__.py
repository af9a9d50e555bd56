"""Every benchmark behind one command: `python -m benchmarks NAME ...`; `--help` lists them."""

import importlib
import sys
from collections.abc import Sequence

from benchmarks.errors import EXPECTED
from reporting.command import run_command

# By name: the module, whose `main(arguments)` runs it, and what it measures.
COMMANDS = {
    "evaluate": (
        "benchmarks.accuracy.evaluate",
        "accuracy per class, confusion matrix and ROC curves of a model",
    ),
    "robustness": (
        "benchmarks.accuracy.robustness",
        "accuracy lost by shifted boxes, bad images and rolled heads",
    ),
    "groups": ("benchmarks.accuracy.groups", "faces found and labels by gender, age or any other group"),
    "end_to_end": (
        "benchmarks.accuracy.end_to_end",
        "accuracy from the frame to the label, with a detector's boxes",
    ),
    "detectors": (
        "benchmarks.accuracy.detectors",
        "every detector on the same images: faces found, false faces and time",
    ),
    "detector_settings": (
        "benchmarks.accuracy.detector_settings",
        "faces found, false boxes and time by a detector's settings",
    ),
    "steady": ("benchmarks.accuracy.steady", "how often and how fast labels change in a video"),
    "talking": ("benchmarks.accuracy.talking", "labels of talking faces: how many are shown, how many right"),
    "measure": (
        "benchmarks.speed.measure",
        "latency, memory and accuracy of every artifact on every engine",
    ),
    "realtime": ("benchmarks.speed.realtime", "frames/s, latency and memory of the whole runtime"),
    "archive": ("benchmarks.speed.archive", "files/s, memory and proof of `ferkit label`"),
    "install_size": ("benchmarks.speed.install_size", "bytes of an installation on disk"),
    "runtimes": ("benchmarks.portability.runtimes", "every artifact on old, new and emulated runtimes"),
    "arm64": ("benchmarks.portability.arm64", "every artifact on emulated Raspberry Pi processors"),
    "flagship": ("benchmarks.comparison.flagship", "the released models beside others: the report"),
    "peers": ("benchmarks.comparison.peers", "the models of other packages on the same faces"),
    "model_pages": (
        "benchmarks.comparison.model_pages",
        "nothing is measured: the page of each model, from records and results",
    ),
    "fuzz": ("benchmarks.fuzz", "damaged images, videos and models given to the runtime"),
}
USAGE_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark that the first argument names.

    Args:
        arguments: The name and its options; None takes those of the process.

    Returns:
        The exit status: the benchmark's own, 1 after an expected error, 130 after Ctrl-C, 2 for a wrong name.
    """
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if name in ("-h", "--help"):
        print(usage())
        return 0
    if name not in COMMANDS:
        print(f"benchmarks: expected the name of a benchmark, got {name}.\n\n{usage()}", file=sys.stderr)
        return USAGE_ERROR
    module = importlib.import_module(COMMANDS[name][0])
    stopped = getattr(module, "STOPPED", "Stopped.")  # what a benchmark says that keeps finished parts
    return run_command(lambda: module.main(rest), errors=EXPECTED, stopped=stopped)


def usage() -> str:
    """Returns the list of benchmarks, a line each."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {sentence}" for name, (_, sentence) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: python -m benchmarks NAME [options]",
            "",
            *lines,
            "",
            "python -m benchmarks NAME --help: its options",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
