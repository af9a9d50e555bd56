"""`python -m train --model cnn`: trains on FER2013 or on your own faces."""

import argparse
import os
import shlex
import sys
from dataclasses import Field, replace
from pathlib import Path
from typing import Any

from dataset.classes import LABELS_HELP, classes_of_weights, labels_argument, rare_classes
from dataset.fer2013 import LABELS, Dataset
from dataset.ferplus import find_votes
from dataset.load import load_dataset
from dataset.locate import DatasetError
from reporting.command import run_command

from .errors import RecipeError, TrainingError
from .models import MODELS, RELEASED
from .recipes import Recipe, fine_tuning, for_own_classes, settings

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
    return options


def fault_of(value: Any, setting: Field) -> str | None:
    """Returns what was expected of a setting where its value is out of range, else None."""
    above, most = setting.metadata["above"], setting.metadata["most"]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if above is not None:
        return None if above < value < float("inf") else f"a number above {above}"
    return None if 0 <= value <= most else f"0 to {most}"


def recipe_for(model: str, options: argparse.Namespace, dataset: Dataset) -> Recipe:
    """Returns the released model's recipe, or that of fine-tuning, with the settings that were given.

    Raises:
        RecipeError: One setting forbids another.
    """
    recipe = MODELS[model].recipe
    if options.fine_tune:
        weights = RELEASED / f"{model}.keras"
        recipe = fine_tuning(recipe, weights, new_head=classes_of_weights(weights) != dataset.classes)
    elif dataset.classes != LABELS:
        recipe = for_own_classes(recipe, has_votes=dataset.votes is not None)
    given = {setting.name: getattr(options, setting.name) for setting in settings()}
    changes = {name: value for name, value in given.items() if value is not None}
    if options.teachers is not None:
        changes["teachers"] = tuple(options.teachers)
    if options.teacher_share == 0:
        changes["teachers"] = ()
    if options.no_augmentation:
        changes["augmentation"] = None
    elif options.degraded is not None and recipe.augmentation is not None:
        changes["augmentation"] = replace(recipe.augmentation, degraded=options.degraded)
    return replace(recipe, **changes)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit status."""
    options = parse(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    command = shlex.join(["python", "-m", "train", *(sys.argv[1:] if arguments is None else arguments)])

    def run() -> int:
        dataset = load_dataset(
            options.data, labels=options.labels, validation_share=options.validation_share, progress=True
        )
        return train_models(options, dataset, command)

    return run_command(
        run,
        errors=(DatasetError, TrainingError),
        stopped="Stopped. The same command goes on after the last whole epoch.",
    )


def train_models(options: argparse.Namespace, dataset: Dataset, command: str) -> int:
    """Trains each of the models that the command line names; returns the exit status."""
    if dataset.classes != LABELS:
        print(f"{len(dataset.classes)} classes: {', '.join(dataset.classes)}.")
    for line in rare_classes(dataset):
        print(line, file=sys.stderr)
    recipes = {}  # what is wrong with any is said before the first model trains for hours
    for model in options.model:
        try:
            recipes[model] = recipe_for(model, options, dataset)
        except RecipeError as error:
            print(f"{model}: {error}", file=sys.stderr)
            return 1
        if recipes[model].uses_votes:
            find_votes(dataset)

    from .training import train  # after the data: importing Keras takes seconds

    for model, recipe in recipes.items():
        record = train(
            dataset,
            model=model,
            recipe=recipe,
            out=options.out or Path("models") / f"{model}.keras",
            run_dir=options.run_dir or Path("runs") / model,
            restart=options.restart,
            command=command,
        )
        accuracy = record["scores"]["validation"]["accuracy"]
        print(
            f"{model}: validation accuracy {accuracy:.2%} at epoch {record['best_epoch']} of "
            f"{record['epochs_trained']}, {record['seconds'] / 60:.0f} min, "
            f"{record['images_per_second']:.0f} images/s."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
