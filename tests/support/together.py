"""Processes that train a small net together, and the same in one process. Needs JAX beside Keras.

As a program it is `python -m train` that knows the model "tiny". With KILL=NAME:NUMBER it dies just before
the NUMBER-th file called NAME takes its place. With WITH_TENSORFLOW it may import TensorFlow.
"""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def free_port():
    """A port at which nobody listens."""
    with socket.create_server(("localhost", 0)) as server:
        return server.getsockname()[1]


def start(*arguments, **environment):
    """Starts the program."""
    cleared = {name: value for name, value in os.environ.items() if name not in ("FER2013", "FERPLUS")}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.together", *map(str, arguments)],
        cwd=ROOT,
        env=cleared | {"CUDA_VISIBLE_DEVICES": ""} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start_together(processes, *arguments, environments=()):
    """Starts so many processes of one training, each with the environment of its number."""
    place = ["--distribute", "--coordinator", f"localhost:{free_port()}", "--processes", processes]
    environments = [*environments, *[{}] * processes][:processes]
    return [
        start(*arguments, *place, "--process-id", process, **environment)
        for process, environment in enumerate(environments)
    ]


def ended(processes, timeout=900):
    """Waits for processes; returns the exit status, standard output and standard error of each."""
    try:
        said = [process.communicate(timeout=timeout) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(process.returncode, *words) for process, words in zip(processes, said, strict=True)]


def kill_at(name, number):
    """Dies just before the `number`-th file called `name` takes its place."""
    left = number

    def watch(event, arguments):
        nonlocal left
        if event == "os.rename" and Path(arguments[1]).name == name:
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGTERM)  # as Slurm and Kubernetes do; JAX must not catch it

    sys.addaudithook(watch)


class NoTensorFlow:
    """A finder that finds no TensorFlow.

    Keras on JAX imports it, where it is installed, only to seed it and to look at what it saves: 8 s.
    """

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "tensorflow":
            raise ModuleNotFoundError("No module named 'tensorflow': these processes do without", name=name)


def add_tiny():
    """Adds a small relative of the flagship: batch normalization, dropout, every augmentation."""
    from dataclasses import replace

    from train.models import MODELS

    recipe = MODELS["edge"].recipe
    MODELS["tiny"] = replace(
        MODELS["edge"],
        options={"stem": 4, "widths": (8,), "depths": (1,), "dropout": 0.3, "name": "tiny"},
        recipe=replace(
            recipe,
            epochs=3,
            warmup=1,
            precision="float32",
            temperature_scaling=False,
            augmentation=replace(recipe.augmentation, degraded=0.3),
        ),
    )


if __name__ == "__main__":
    if "KILL" in os.environ:
        file, _, times = os.environ["KILL"].partition(":")
        kill_at(file, int(times))
    if "WITH_TENSORFLOW" not in os.environ:
        sys.meta_path.insert(0, NoTensorFlow)
    add_tiny()
    from train.__main__ import main

    sys.exit(main())
