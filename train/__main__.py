"""`python -m train --model cnn`: trains on FER2013 or on your own faces."""

import argparse
import os
import shlex
import socket
import sys
import traceback
from importlib.util import find_spec

from dataset.load import load_dataset
from dataset.locate import DatasetError
from reporting.command import run_command
from reporting.on_ray import RayError

from .cluster import Place, place_of
from .errors import ClusterError, TrainingError
from .options import parse
from .runs import train_models
from .watch import end


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit status."""
    options = parse(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if options.distribute:
        os.environ["KERAS_BACKEND"] = "jax"
    command = shlex.join(["python", "-m", "train", *(sys.argv[1:] if arguments is None else arguments)])

    def run() -> int:
        place = place_among(options) if options.distribute else None
        dataset = load_dataset(
            options.data, labels=options.labels, validation_share=options.validation_share, progress=True
        )
        if options.seeds is not None:
            from .seeds import train_seeds

            return train_seeds(options, dataset, command)
        try:
            return train_models(options, dataset, command, place)
        except ClusterError as error:
            print(error, file=sys.stderr)
            return error.status

    try:
        status = run_command(
            run,
            errors=(DatasetError, TrainingError, RayError),
            stopped="Stopped. The same command goes on after the last whole epoch.",
        )
    except Exception:
        if not options.distribute:
            raise
        traceback.print_exc()
        status = 1
    if options.distribute and status:
        end(status)
    return status


def place_among(options: argparse.Namespace) -> Place:
    """Returns which of several processes this one is.

    Raises:
        TrainingError: It is not known, or JAX is missing.
    """
    if find_spec("jax") is None:
        raise TrainingError(
            "--distribute: expected JAX, found none: "
            "pip install -r requirements/distribute.txt -c requirements/constraints.txt"
        )
    return place_of(
        options.coordinator,
        options.processes,
        options.process_id,
        environment=os.environ,
        host_name=socket.getfqdn(),
    )


if __name__ == "__main__":
    sys.exit(main())
