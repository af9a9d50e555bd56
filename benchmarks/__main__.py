"""Every benchmark behind one command: `python -m benchmarks NAME ...`; `--help` lists them."""

import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "evaluate": (
        "benchmarks.accuracy.evaluate",
        "accuracy per class, confusion matrix and ROC curves of a model",
    ),
    "robustness": ("benchmarks.accuracy.robustness", "what shifted boxes and bad images cost"),
    "groups": ("benchmarks.accuracy.groups", "for whom a model works: finds and labels by group"),
    "end_to_end": (
        "benchmarks.accuracy.end_to_end",
        "accuracy from the frame to the label, with a detector's boxes",
    ),
    "detectors": ("benchmarks.accuracy.detectors", "faces found, false faces and time of each detector"),
    "steady": ("benchmarks.accuracy.steady", "how often labels change in a video"),
    "measure": ("benchmarks.speed.command", "latency, memory and accuracy of every artifact on every engine"),
    "realtime": ("benchmarks.speed.realtime", "frames per second of the whole runtime"),
    "install_size": ("benchmarks.speed.install_size", "what an installation takes on disk"),
    "runtimes": ("benchmarks.portability.runtimes", "every artifact on old, new and emulated runtimes"),
    "arm64": ("benchmarks.portability.arm64", "every artifact on emulated Raspberry Pi processors"),
    "flagship": ("benchmarks.comparison.flagship", "the report that compares the released models"),
    "peers": ("benchmarks.comparison.peers", "the models of other packages on the same faces"),
    "fuzz": ("benchmarks.fuzz", "damaged files through every reader"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark that the first argument names; returns its exit status."""
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if name in ("-h", "--help"):
        print(usage())
        return 0
    if name not in COMMANDS:
        print(f"benchmarks: expected the name of a benchmark, got {name}.\n\n{usage()}", file=sys.stderr)
        return 2
    return importlib.import_module(COMMANDS[name][0]).main(rest)


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
