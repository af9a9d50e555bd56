"""From the options of `python -m train` to trainings of models."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset.classes import classes_of_weights, rare_classes
from dataset.fer2013 import LABELS, Dataset
from dataset.ferplus import find_votes

from .cluster import Place
from .errors import RecipeError
from .models import MODELS, RELEASED
from .options import TIMEOUT_S
from .recipes import Recipe, fine_tuning, for_own_classes, settings

if TYPE_CHECKING:
    from .record import Record


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
    if changes.get("class_weight", recipe.class_weight):
        changes.setdefault("best_by", "macro_recall")  # weights give accuracy away for it
    return replace(recipe, **changes)


def train_models(
    options: argparse.Namespace, dataset: Dataset, command: str, place: Place | None = None
) -> int:
    """Trains each of the models that the command line names; returns the exit status.

    Args:
        options: The command line's.
        dataset: What they are trained on.
        command: The command line, for the record.
        place: Which one this process is of several that train together; None where it trains alone.
    """
    if place is None or place.process == 0:
        announce_classes(dataset)
    try:
        recipes = recipes_for(options, dataset)
    except RecipeError as error:
        print(error, file=sys.stderr)
        return 1
    for model, recipe in recipes.items():
        record = train_model(model, recipe, options, dataset, command, place)
        if record is not None:
            print(f"{model}: {result_of(record)}")
        elif place is not None:
            print(f"{model}: process {place.process} of {place.processes} is done; process 0 writes.")
    return 0


def announce_classes(dataset: Dataset) -> None:
    """Says which classes there are, where they are not FER2013's, and which have few training faces."""
    if dataset.classes != LABELS:
        print(f"{len(dataset.classes)} classes: {', '.join(dataset.classes)}.", flush=True)
    for line in rare_classes(dataset):
        print(line, file=sys.stderr)


def recipes_for(options: argparse.Namespace, dataset: Dataset) -> dict[str, Recipe]:
    """Returns the recipe of each model: what is wrong with any is said before the first trains for hours.

    Raises:
        RecipeError: One setting forbids another; it names the model.
        DatasetError: FER+'s votes are needed, and there are none.
    """
    recipes = {}
    for model in options.model:
        try:
            recipes[model] = recipe_for(model, options, dataset)
        except RecipeError as error:
            raise RecipeError(f"{model}: {error}", *error.settings) from error
        if recipes[model].uses_votes:
            find_votes(dataset)
    return recipes


def train_model(
    model: str,
    recipe: Recipe,
    options: argparse.Namespace,
    dataset: Dataset,
    command: str,
    place: Place | None = None,
) -> "Record | None":
    """Trains a model, alone or as one process of several; returns the record, None where another has it."""
    settings: dict[str, Any] = {
        "model": model,
        "recipe": recipe,
        "out": options.out or Path("models") / f"{model}.keras",
        "run_dir": options.run_dir or Path("runs") / model,
        "restart": options.restart,
        "command": command,
    }
    if place is None:
        from .training import train  # after the data: importing Keras takes seconds

        return train(dataset, **settings)
    from .together import train_together

    return train_together(place, dataset, **settings, timeout=options.timeout or TIMEOUT_S)


def result_of(record: "Record") -> str:
    """Returns what came of a training, in words."""
    scores = record["scores"]["validation"]
    recall = f", macro recall {scores['macro_recall']:.2%}" if "macro_recall" in scores else ""
    return (
        f"validation accuracy {scores['accuracy']:.2%}{recall} at epoch {record['best_epoch']} of "
        f"{record['epochs_trained']}, {record['seconds'] / 60:.0f} min, "
        f"{record['images_per_second']:.0f} images/s."
    )
