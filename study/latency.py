"""Time the networks of the study's rows in LiteRT: `python -m study.latency`.

Latency depends on the shape of a network, not on its weights, so nothing needs to be trained. Every network
becomes a float32 TFLite file, as `python -m export` makes it, and all are timed in one run, a turn each again
and again, so that a machine that slows down slows all alike. Run it on a quiet machine. The result,
`results/study/latency.json`, is read by `python -m study --report`.
"""

import argparse
import datetime
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from .experiments import ROWS, Row, network_of

OUT = Path(__file__).resolve().parents[1] / "results" / "study" / "latency.json"
CALLS_IN_A_TURN = 10

Call = Callable[[], None]


def networks_of(names: Sequence[str]) -> dict[str, list[str]]:
    """Returns the rows that share a network: for the first of each network the names of all."""
    shared: dict[str, list[str]] = {}
    first: dict[str, str] = {}
    for name in names:
        shared.setdefault(first.setdefault(network_of(ROWS[name]), name), []).append(name)
    return shared


def opened(row: Row, *, threads: int) -> Call:
    """Returns a call of the row's network, with random weights, on one face, as LiteRT runs it."""
    from ai_edge_litert.interpreter import Interpreter

    from export.tflite_file import to_tflite

    from .networks import NETWORKS

    file = to_tflite(NETWORKS[row.network](**row.options), "fp32")
    interpreter = Interpreter(model_content=file, num_threads=threads)
    interpreter.allocate_tensors()
    face_input, output = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    face = np.random.default_rng(0).integers(0, 256, face_input["shape"]).astype(np.float32)

    def call() -> None:
        interpreter.set_tensor(face_input["index"], face)
        interpreter.invoke()
        interpreter.get_tensor(output["index"])

    return call


def time_interleaved(
    calls: Sequence[Call], *, turns: int, now: Callable[[], int] = time.perf_counter_ns
) -> np.ndarray:
    """Returns how long each call took, milliseconds, float64 `(calls, turns * CALLS_IN_A_TURN)`.

    In each turn every one is called once untimed, for its weights to come back into the cache.
    """
    milliseconds = np.empty((len(calls), turns * CALLS_IN_A_TURN))
    order = np.random.default_rng(0)
    for turn in range(turns):
        for index in order.permutation(len(calls)):
            calls[index]()
            for number in range(turn * CALLS_IN_A_TURN, (turn + 1) * CALLS_IN_A_TURN):
                start = now()
                calls[index]()
                milliseconds[index, number] = (now() - start) / 1e6
    return milliseconds


def measure(names: Sequence[str], *, turns: int, threads: int) -> dict[str, Any]:
    """Returns what `latency.json` holds: size, median and 95th percentile of each network, and what on.

    A network goes by `study.experiments.network_of`, so that a row whose widths change is not given its
    former one's.
    """
    from rich.progress import track

    from reporting.machine import processor_name

    shared = networks_of(names)
    calls = [opened(ROWS[name], threads=threads) for name in track(shared, "Converting")]
    times = time_interleaved(calls, turns=turns)
    networks = {
        network_of(ROWS[name]): size_of(ROWS[name])
        | {
            "rows": names_of_network,
            "median_ms": round(float(np.median(of_network)), 4),
            "p95_ms": round(float(np.percentile(of_network, 95)), 4),
        }
        for of_network, (name, names_of_network) in zip(times, shared.items(), strict=True)
    }
    return {
        "measured": datetime.date.today().isoformat(),
        "engine": f"LiteRT {version('ai-edge-litert')}",
        "threads": threads,
        "calls": turns * CALLS_IN_A_TURN,
        "processor": processor_name(),
        "system": platform.platform(terse=True),
        "networks": networks,
    }


def size_of(row: Row) -> dict[str, int]:
    """Returns parameters and multiply-adds of the row's network."""
    from .networks import NETWORKS, multiply_adds

    network = NETWORKS[row.network](**row.options)
    return {"parameters": network.count_params(), "multiply_adds": multiply_adds(network)}


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m study.latency",
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW")
    parser.add_argument("--turns", type=int, default=50, help=f"of {CALLS_IN_A_TURN} calls each")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    if options.rows != list(ROWS) and options.out == OUT:
        parser.error("--rows: expected --out as well, so that the latencies of all rows stay what they are")
    if min(options.turns, options.threads) < 1:
        parser.error("expected --turns and --threads of at least 1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from reporting.files import write_json

    try:
        content = measure(options.rows, turns=options.turns, threads=options.threads)
        write_json(options.out, content)
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    for figures in content["networks"].values():
        print(
            f"{figures['median_ms']:8.3f} ms   p95 {figures['p95_ms']:8.3f} ms   {', '.join(figures['rows'])}"
        )
    print(f"Wrote {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
