"""`ferkit label`: the files of an archive through a Ray cluster and into Parquet."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import nullcontext
from pathlib import Path

from ..command.exit_codes import EXIT_CODES, IN_PART, INTERRUPTED, OK
from ..command.terminal import print_text, say
from ..command.usage import UsageError
from ..images import SourceError
from ..recognizer import Recognizer
from ..signals import terminate_as_interrupt
from .files import find_files, is_video_name, options_of
from .on_ray import Status, cluster, label_parts
from .parts import Parts, split
from .progress import LabelProgress
from .settings import DETECT_EVERY, Settings
from .store import check_installed


def label(options: argparse.Namespace) -> int:
    """Labels the files of an archive that have no row yet; returns the exit code."""
    if not options.out:
        raise UsageError("--out: expected a folder, got an empty text: is a variable empty?", option="out")
    check_installed()
    files = find_files(options.source)
    settings = settings_of(options)
    parts = Parts(options.out, settings)
    with nullcontext() if options.dry_run else parts.alone():
        return _label_into(parts, files, options, settings)


def _label_into(parts: Parts, files: list[str], options: argparse.Namespace, settings: Settings) -> int:
    """Labels the files that have no row in these parts; returns the exit code."""
    if not options.dry_run:
        parts.prepare()
    done = parts.done(tidy=not options.dry_run)
    todo = split(files, done, options.limit, sampled=bool(options.every))
    count = sum(map(len, todo))
    videos = sum(is_video_name(path) for part in todo for path in part)
    plan = (
        f"{options.source}: {len(files):,} files, {count:,} to label ({count - videos:,} images, "
        f"{videos:,} videos) into {options.out}; {len(done):,} have a row there"
    )
    if options.dry_run:
        print_text(f"{plan}\n")
        return OK
    say(plan)
    return _label(options, settings, todo, count) if count else OK


def settings_of(options: argparse.Namespace) -> Settings:
    """Opens the model and the detector here first, so that a fault is known before a cluster is started."""
    with Recognizer(
        options.model, options.detector, engine=options.engine, offline=options.offline, announce=say
    ) as recognizer:
        is_file = Path(options.model).is_file()
        detector = options.detector or recognizer.detector.name
        return Settings(
            model=os.path.abspath(options.model) if is_file else options.model,  # noqa: PTH100
            model_sha256=recognizer.model.card["sha256"],
            engine=recognizer.model.engine,
            labels=recognizer.model.labels,
            detector=os.path.abspath(detector) if Path(detector).is_file() else detector,  # noqa: PTH100
            small_faces=options.small_faces,
            every_s=options.every,
            detect_every=options.detect_every or (1 if options.every else DETECT_EVERY),
            smooth=not options.no_smoothing,
            time_constant_s=options.time_constant,
            threshold=options.threshold,
            flat=options.flat,
            time_limit_s=options.time_limit,
            folder=str(Path.cwd()),
            address=options_of(options.source),
        )


def _label(options: argparse.Namespace, settings: Settings, todo: list[list[str]], count: int) -> int:
    """Labels the parts; returns the exit code."""
    progress = LabelProgress(count, on_terminal=sys.stderr.isatty())
    failed: Status | None = None
    interrupted = False
    try:
        # Ray handles SIGTERM itself as soon as it is connected.
        with cluster(options.address, options.jobs) as actors, terminate_as_interrupt():
            labelled = label_parts(todo, settings, options.out, actors=actors, most=options.jobs)
            for status in labelled:
                if status.failure:
                    failed = status
                    break
                progress.count(status)
    except KeyboardInterrupt:
        interrupted = True
    for line in progress.summary():
        say(line)
    if failed or interrupted:
        say(f"{failed.failure if failed else 'stopped'} The same command goes on where this one ended.")
        return failed.code if failed else INTERRUPTED
    if progress.errors:
        return IN_PART if progress.errors < progress.files else EXIT_CODES[SourceError]
    return OK
