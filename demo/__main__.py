"""`python -m demo`: labels `astronaut.jpg` and a video made from it, into `demo/out`."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from demo.animation import write_animation
from demo.video import SECONDS, write_video
from runtime.command.cli import main as ferkit
from runtime.command.exit_codes import EXIT_CODES, INTERRUPTED
from runtime.command.outputs import OutputError
from runtime.images import read_image

FOLDER = Path(__file__).parent
IMAGE = FOLDER / "astronaut.jpg"
FACE = (224, 119)  # the middle of the face in the image, x and y in pixels


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the demo; returns the first exit code of `ferkit` that isn't 0."""
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description="Label an image and a video made from it.",
        epilog="Whatever else is given goes to `ferkit run`: --model, --detector, --engine.",
    )
    parser.add_argument("--out", type=Path, default=FOLDER / "out", help="folder (default: demo/out)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of the video (default: %(default)s)")
    parser.add_argument("--animation", type=Path, metavar="WEBP", help="also write the labelled video there")
    options, passed_on = parser.parse_known_args(arguments)
    if not 0 < options.seconds < float("inf"):
        parser.error(f"--seconds: expected more than 0, got {options.seconds}.")
    try:
        code = run(options.out, options.seconds, passed_on)
        if options.animation and not code:
            frames = write_animation(options.out / "astronaut.mp4", options.animation)
            print(f"{_shown(options.animation)}: {frames} frames")
        return code
    except OutputError as error:
        print(error, file=sys.stderr)
        return EXIT_CODES[OutputError]
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return INTERRUPTED


def run(out: Path, seconds: float, passed_on: Sequence[str]) -> int:
    """Writes everything into `out`; returns the exit code.

    Raises:
        OutputError: A file can't be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"expected a folder that can be made, got: {error.strerror}. Name another with --out.", path=out
        ) from error
    image, video, lines = out / "astronaut.png", out / "astronaut.mp4", out / "astronaut.jsonl"
    walk = out / "walk.mp4"
    frames = write_video(read_image(IMAGE), walk, centre=FACE, seconds=seconds)
    for source, outputs in (
        (IMAGE, ["--save", _shown(image)]),
        (walk, ["--save", _shown(video), "--json", _shown(lines)]),
    ):
        code = ferkit(["run", _shown(source), *outputs, *passed_on])
        if code:
            return code
    records = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    with_face = len({record["frame"] for record in records})
    _print_table(
        [
            (image, "the image, annotated"),
            (walk, f"a walk over the image, {frames} frames"),
            (video, "the walk, annotated"),
            (lines, f"{len(records)} faces, in {with_face} of {frames} frames"),
        ]
    )
    labels = Counter(record["label"] for record in records).most_common()
    print("labels in the video:", ", ".join(f"{label} {count}" for label, count in labels) or "none")
    return 0


def _print_table(rows: Sequence[tuple[Path, str]]) -> None:
    width = max(len(_shown(path)) for path, _ in rows)
    print(f"\n{'FILE':{width}}  {'BYTES':>9}  WHAT")
    for path, what in rows:
        print(f"{_shown(path):{width}}  {path.stat().st_size:>9,}  {what}")


def _shown(path: Path) -> str:
    """Returns a path relative to the current folder, if it is inside."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


if __name__ == "__main__":
    sys.exit(main())
