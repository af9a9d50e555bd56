"""The options of `python -m train`; those of the recipe derive from the fields of `Recipe`."""

import argparse
from dataclasses import Field
from pathlib import Path
from typing import Any

from dataset.classes import LABELS_HELP, labels_argument
from reporting.command import at_least, whole_numbers

from .models import MODELS
from .recipes import settings

# How argparse reads a setting, by the type of the field of `Recipe`.
KINDS: dict[str, dict[str, Any]] = {
    "int": {"type": int},
    "int | None": {"type": int, "metavar": "EPOCHS"},
    "float": {"type": float},
    "str": {},
    "bool": {"action": argparse.BooleanOptionalAction},
    "Path | None": {"type": Path, "metavar": "FILE"},
    "tuple[Path, ...]": {"type": Path, "nargs": "+", "metavar": "FILE"},
}


PLACE = ("coordinator", "processes", "process_id", "timeout")  # options of --distribute
TIMEOUT_S = 300
CORES = 2  # of a training on Ray


def option_of(setting: Field) -> str:
    """Returns the option of a setting, such as --batch-size."""
    return f"--{setting.name.replace('_', '-')}"


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line; the recipe's settings are options without a default."""
    parser = argparse.ArgumentParser(
        prog="python -m train",
        description="Trains on faces; a killed run resumes when the same command is given again.",
    )
    parser.add_argument(
        "--model", required=True, nargs="+", choices=[*MODELS, "all"], help="one or more, or all"
    )
    parser.add_argument("--data", type=Path, help="fer2013.csv (.gz, .xz, .zip) or a folder of images")
    parser.add_argument("--labels", type=labels_argument, metavar="NAMES", help=LABELS_HELP)
    parser.add_argument(
        "--validation-share",
        type=float,
        metavar="SHARE",
        help="hold out this share of train, such as 0.1, where there is no validation split",
    )
    parser.add_argument("--out", type=Path, help="default: models/<model>.keras")
    parser.add_argument("--run-dir", type=Path, help="checkpoints and logs; default: runs/<model>")
    parser.add_argument(
        "--fine-tune",
        action="store_true",
        help="begin with the released weights and learn gently from the given labels alone; of other classes "
        "a new last layer, alone at first",
    )
    parser.add_argument("--restart", action="store_true", help="start over, even where a run could resume")
    add_seeds(parser)
    add_distribution(parser)
    recipe = parser.add_argument_group(
        "recipe", "Settings that are not given are those of the released model (train/models.py)."
    )
    for setting in settings():
        keywords = KINDS[str(setting.type)] | {"help": setting.metadata["meaning"]}
        recipe.add_argument(option_of(setting), choices=setting.metadata["choices"], **keywords)
    recipe.add_argument(
        "--degraded",
        type=float,
        metavar="SHARE",
        help="show this share of the faces small, noisy and compressed, for cameras that deliver such",
    )
    recipe.add_argument("--no-augmentation", action="store_true", help="train on the faces as they are")
    return parser


def add_seeds(parser: argparse.ArgumentParser) -> None:
    """Adds the options of a training with several seeds."""
    seeds = parser.add_argument_group("several seeds", "Each is a training of its own.")
    seeds.add_argument(
        "--seeds",
        type=whole_numbers,
        metavar="0,1,2",
        help="train with each, and compare; seed 0 into runs/<model>_seed0.keras, or beside --out",
    )
    seeds.add_argument(
        "--ray", action="store_true", help="train them as tasks of Ray, on this machine or a cluster"
    )
    seeds.add_argument("--address", help="with --ray: of the cluster; auto on one of its machines")
    seeds.add_argument(
        "--cores",
        type=at_least(1),
        metavar="N",
        help=f"with --ray: cores of each training (default: {CORES})",
    )


def add_distribution(parser: argparse.ArgumentParser) -> None:
    """Adds the options of a training in several processes."""
    together = parser.add_argument_group(
        "several processes",
        "Each is started with the same command. A task of Slurm knows its place; a pod of an indexed Job of "
        "Kubernetes all but --processes.",
    )
    together.add_argument(
        "--distribute",
        action="store_true",
        help="train the network in several processes, on one machine or several, with Keras on JAX",
    )
    together.add_argument("--coordinator", metavar="HOST:PORT", type=address, help="where process 0 is")
    together.add_argument("--processes", metavar="N", type=at_least(1), help="how many there are")
    together.add_argument("--process-id", metavar="I", type=at_least(0), help="this one, from 0")
    together.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=at_least(1),
        help=f"how long to wait for the other processes (default: {TIMEOUT_S})",
    )


def address(text: str) -> str:
    """Returns an address such as `node1:8476`."""
    host, _, port = text.rpartition(":")
    if not (host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise argparse.ArgumentTypeError(f"expected HOST:PORT such as node1:8476, got {text!r}")
    return text


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Returns the command line's arguments; ends the program where one can't be."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if "all" in options.model:
        options.model = list(MODELS)
    for setting in settings():
        fault = fault_of(getattr(options, setting.name), setting)
        if fault:
            parser.error(f"{option_of(setting)}: expected {fault}, got {getattr(options, setting.name)}.")
    if options.degraded is not None and not 0 <= options.degraded <= 1:
        parser.error(f"--degraded: expected 0 to 1, got {options.degraded}.")
    if options.out and (options.out.suffix != ".keras" or options.out.is_dir()):
        parser.error(f"--out: expected a file with the ending .keras, got {options.out}.")
    if options.run_dir and options.run_dir.exists() and not options.run_dir.is_dir():
        parser.error(f"--run-dir: expected a folder, got the file {options.run_dir}.")
    if options.no_augmentation and options.degraded:
        parser.error("--degraded is part of the augmentation: give it, or --no-augmentation.")
    if options.fine_tune and not options.out:
        parser.error("--fine-tune: expected --out as well, so that the released weights stay as they are.")
    if len(options.model) > 1 and (options.out or options.run_dir):
        parser.error("--out and --run-dir are for one model; give one --model, or neither.")
    check_seeds(parser, options)
    check_distribution(parser, options)
    return options


def check_seeds(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Ends the program where options of several seeds can't be."""
    if options.seeds is None and options.ray:
        parser.error("--ray: expected --seeds as well.")
    if (options.address or options.cores) and not options.ray:
        parser.error("--address and --cores: expected --ray as well.")
    if options.seeds is not None and options.seed is not None:
        parser.error("expected --seed or --seeds, got both.")
    if options.seeds is not None and len(options.model) > 1:
        parser.error("--seeds: expected one --model, got several.")
    if options.seeds is not None and options.distribute:
        parser.error("expected --seeds or --distribute, got both.")


def check_distribution(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Ends the program where options of several processes can't be."""
    alone = [f"--{name.replace('_', '-')}" for name in PLACE if getattr(options, name) is not None]
    if alone and not options.distribute:
        parser.error(f"{', '.join(alone)}: expected --distribute as well.")
    if options.distribute and len(options.model) > 1:
        parser.error("--distribute: expected one --model, got several.")


def fault_of(value: Any, setting: Field) -> str | None:
    """Returns what was expected of a setting where its value is out of range, else None."""
    above, most = setting.metadata["above"], setting.metadata["most"]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if above is not None:
        return None if above < value < float("inf") else f"a number above {above}"
    return None if 0 <= value <= most else f"0 to {most}"
