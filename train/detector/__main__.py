"""`python -m train.detector --data ...`: trains the face detector."""

import argparse
import dataclasses
import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dataset.detection.images import DataError
from reporting.command import run_command

EPILOG = """\
--data takes folders and zip archives of images. Beside the images may lie a CSV with the columns
file, x, y, width, height; WIDER FACE's *bbx_gt.txt; COCO's JSON; or VOC's XML files. Where there are
none, the teacher labels the images. A tenth of each source, at most 100 photographs and 300
backgrounds, is kept for a test, and as many for validation: by the sha256 of their names.
"""


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Returns the command line's arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m train.detector",
        description="Trains the face detector; a killed run resumes when the same command is given again.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    several: dict[str, Any] = {"type": Path, "nargs": "+", "metavar": "PATH", "default": []}
    parser.add_argument("--data", **several | {"required": True}, help="images of faces, as described below")
    parser.add_argument("--backgrounds", **several | {"required": True}, help="images without a face")
    parser.add_argument("--faces", **several, help="tightly cut faces to paste; or fer2013.csv")
    parser.add_argument("--heads", **several, help="heads on plain ground to paste (needs --teacher)")
    parser.add_argument(
        "--textures", **several, help="folders searched for any images; those with a face are left out"
    )
    parser.add_argument(
        "--teacher", type=Path, metavar="FILE", help="YuNet's ONNX file: labels, and makes boxes alike"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("models/detector.keras"), help="default: %(default)s"
    )
    parser.add_argument(
        "--run-dir", type=Path, default=Path("runs/detector"), help="checkpoints; default: %(default)s"
    )
    parser.add_argument(
        "--initial-weights",
        type=Path,
        metavar="FILE",
        help="begin with the weights of this .keras file",
    )
    parser.add_argument("--steps", type=int, help="batches in all; default: 9000")
    parser.add_argument("--batch-size", type=int, help="default: the released detector's")
    parser.add_argument("--learning-rate", type=float, help="default: the released detector's")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same weights")
    parser.add_argument(
        "--threads", type=int, default=0, help="of the network's arithmetic; default: one per core"
    )
    options = parser.parse_args(arguments)
    for name in ("steps", "batch_size", "learning_rate"):
        value = getattr(options, name)
        if value is not None and not 0 < value < float("inf"):
            parser.error(f"--{name.replace('_', '-')}: expected a number above 0, got {value}.")
    if not 0 <= options.seed < 2**32:
        parser.error(f"--seed: expected 0 to {2**32 - 1}, got {options.seed}.")
    if not 0 <= options.threads <= 1024:
        parser.error(f"--threads: expected 0 to 1024, got {options.threads}.")
    if options.out.suffix != ".keras" or options.out.is_dir():
        parser.error(f"--out: expected a file with the ending .keras, got {options.out}.")
    if options.run_dir.exists() and not options.run_dir.is_dir():
        parser.error(f"--run-dir: expected a folder, got the file {options.run_dir}.")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit status: 0, 1 for data at fault, 2 for usage, 130 for Ctrl-C."""
    options = parse(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if options.threads:
        for variable in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
            os.environ[variable] = str(options.threads)  # read by the backend when it is imported
    command = told(sys.argv[1:] if arguments is None else arguments)
    return run_command(
        lambda: run(options, command),
        errors=(DataError,),
        stopped="Stopped. The same command goes on after the last checkpoint.",
    )


def told(arguments: list[str]) -> str:
    """Returns the command for the record: of paths the last part alone, the rest is this machine's own."""
    shortened = [argument if argument.startswith("-") else Path(argument).name for argument in arguments]
    return shlex.join(["python", "-m", "train.detector", *shortened])


def run(options: argparse.Namespace, command: str) -> int:
    """Reads the data and trains; returns the exit status."""
    import cv2

    from dataset.detection.teacher import RememberingTeacher, load_teacher

    from .data import Sources, load_pool

    cv2.setNumThreads(1)  # the sampler's thread is one already
    names = Sources._fields
    sources = Sources(**{name: getattr(options, name) for name in names})
    teacher = None
    if options.teacher:
        teacher = RememberingTeacher(load_teacher(options.teacher), options.run_dir / "teacher.npz")
    pool = load_pool(sources, teacher, progress=shown)
    validation = load_pool(sources, teacher, split="validation", progress=shown)
    if teacher:
        teacher.save()

    from .checkpoint import RunError  # after the data: importing Keras takes seconds
    from .training import DivergedError, Recipe, train

    given = {name: getattr(options, name) for name in ("steps", "batch_size", "learning_rate", "seed")}
    recipe = dataclasses.replace(
        Recipe(), **{name: value for name, value in given.items() if value is not None}
    )
    try:
        record = train(
            recipe,
            pool,
            validation,
            out=options.out,
            run_dir=options.run_dir,
            command=command,
            sources={name: [path.name for path in getattr(options, name)] for name in names},
            start=options.initial_weights,
            progress=shown,
            say=lambda line: print(line, flush=True),
        )
    except (RunError, DivergedError) as error:
        print(error, file=sys.stderr)
        return 1
    figures = record["history"][-1]["chosen"]
    print(
        f"{options.out}: finds {figures['found']:.1%} of the validation part's faces at "
        f"{figures['threshold']}, {figures['false_per_background']:.3f} false faces per background, "
        f"{record['seconds'] / 60:.0f} min."
    )
    return 0


def shown(items: Iterable[Any], name: str) -> Iterable[Any]:
    """Returns an iterable that draws a progress bar where someone watches."""
    from tqdm import tqdm

    return tqdm(items, desc=name, disable=None, leave=False)


if __name__ == "__main__":
    sys.exit(main())
