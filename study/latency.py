"""Time the networks of the study's experiments in LiteRT: `python -m study.latency`.

A latency depends on the shape of a network, not on its weights, so nothing needs to be trained. Every network
becomes a float32 TFLite file, as `python -m export` makes it. All are timed interleaved in one run. Run it on
a quiet machine. The result, `results/study/latency.json`, is read by `python -m study --report`.
"""

import argparse
import datetime
import os
import platform
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np

from reporting.command import run_command
from reporting.machine import processor_name
from reporting.timing import median_and_p95, time_interleaved

from .experiment import Experiment
from .experiments import EXPERIMENTS
from .results import Latency, TimedNetwork, write

OUT = Path(__file__).resolve().parents[1] / "results" / "study" / "latency.json"
CALLS_PER_TURN = 10
FACE_SHAPE = (1, 48, 48, 1)


def networks_of(names: Sequence[str]) -> dict[str, list[str]]:
    """Returns the experiments that share a network: for the first of each network the names of all."""
    shared: dict[str, list[str]] = {}
    first: dict[str, str] = {}
    for name in names:
        shared.setdefault(first.setdefault(EXPERIMENTS[name].network_key, name), []).append(name)
    return shared


def opened(experiment: Experiment, *, threads: int) -> Callable[[np.ndarray], None]:
    """Returns the experiment's network, with random weights, as LiteRT runs it.

    The function takes one face, float32 (1, 48, 48, 1), 0-255, and reads the scores.
    """
    from ai_edge_litert.interpreter import Interpreter

    from export.tflite_file import to_tflite

    from .networks import NETWORKS

    file = to_tflite(NETWORKS[experiment.network](**experiment.options), "fp32")
    interpreter = Interpreter(model_content=file, num_threads=threads)
    interpreter.allocate_tensors()
    face_input, output = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def call(face: np.ndarray) -> None:
        interpreter.set_tensor(face_input["index"], face)
        interpreter.invoke()
        interpreter.get_tensor(output["index"])

    return call


def measure(names: Sequence[str], *, turns: int, threads: int) -> Latency:
    """Returns size, median and 95th percentile of each network, and what they were measured on.

    A network goes by `Experiment.network_key`, so that an experiment whose widths change is not given its
    former one's.
    """
    from rich.progress import track

    shared = networks_of(names)
    calls = [opened(EXPERIMENTS[name], threads=threads) for name in track(shared, "Converting")]
    face = np.random.default_rng(0).integers(0, 256, FACE_SHAPE).astype(np.float32)
    times = time_interleaved(calls, [face], turns=turns, calls_per_turn=CALLS_PER_TURN)
    return Latency(
        measured=datetime.date.today().isoformat(),
        engine=f"LiteRT {version('ai-edge-litert')}",
        threads=threads,
        calls=turns * CALLS_PER_TURN,
        processor=processor_name(),
        system=platform.platform(terse=True),
        networks={
            EXPERIMENTS[name].network_key: timed(EXPERIMENTS[name], names_of_network, of_network)
            for of_network, (name, names_of_network) in zip(times, shared.items(), strict=True)
        },
    )


def timed(experiment: Experiment, names: list[str], milliseconds: np.ndarray) -> TimedNetwork:
    """Returns the size and the latency of the experiment's network, which those of `names` have."""
    from .networks import NETWORKS, multiply_adds

    network = NETWORKS[experiment.network](**experiment.options)
    median, p95 = median_and_p95(milliseconds)
    return TimedNetwork(
        parameters=network.count_params(),
        multiply_adds=multiply_adds(network),
        experiments=names,
        median_ms=round(median, 4),
        p95_ms=round(p95, 4),
    )


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m study.latency",
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--experiments", nargs="+", choices=EXPERIMENTS, default=list(EXPERIMENTS), metavar="NAME"
    )
    parser.add_argument("--turns", type=int, default=50, help=f"of {CALLS_PER_TURN} calls each")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    if options.experiments != list(EXPERIMENTS) and options.out == OUT:
        parser.error(
            "--experiments: expected --out as well, so that the latencies of all experiments stay as they are"
        )
    if min(options.turns, options.threads) < 1:
        parser.error("expected --turns and --threads of at least 1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return run_command(partial(run, options))


def run(options: argparse.Namespace) -> None:
    """Times the networks, writes and prints what they take."""
    latency = measure(options.experiments, turns=options.turns, threads=options.threads)
    write(options.out, latency)
    for network in latency.networks.values():
        names = ", ".join(network.experiments)
        print(f"{network.median_ms:8.3f} ms   p95 {network.p95_ms:8.3f} ms   {names}")
    print(f"Wrote {options.out}")


if __name__ == "__main__":
    sys.exit(main())
