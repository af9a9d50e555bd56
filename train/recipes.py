"""A recipe: every setting of a training, in one place.

The options of `python -m train`, the record beside the weights and the check before a run resumes derive
from the fields of `Recipe`. The recipes of the released models are in `train.models.MODELS`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import MISSING, Field, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from reporting.files import sha256_of

from .errors import RecipeError

BEST_BY = ("accuracy", "macro_recall")  # on validation


def setting(
    meaning: str,
    *,
    default: Any = MISSING,
    choices: Sequence[str] | None = None,
    above: float | None = None,
    most: float = math.inf,
) -> Any:
    """Returns a field of `Recipe` that the command line offers as an option.

    Args:
        meaning: What the option's help says.
        default: MISSING for a setting that every recipe has to name.
        choices: The texts that it can be.
        above: A number must be larger; None: it must be 0 or more.
        most: The largest that a number can be.
    """
    metadata = {"meaning": meaning, "choices": choices, "above": above, "most": most}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How far `train.augmentation.augment` changes faces at random; each is mirrored with probability 1/2.

    Attributes:
        rotation: Largest angle, in degrees.
        scale: Largest change of the size, of 1; or the smallest and the largest factor.
        shift: Largest shift, of the face's side.
        brightness: Largest offset, of the full range of gray levels.
        contrast: Largest change of the contrast about the face's mean, of 1.
        cutout: Largest side of a rectangle painted over, of the face's side.
        surroundings: Share of the faces around which far pixels come from another image.
        degraded: Share of the faces that are shown small, noisy and compressed.
    """

    rotation: float
    scale: float | tuple[float, float]
    shift: float
    brightness: float
    contrast: float
    cutout: float = 0.0
    surroundings: float = 0.0
    degraded: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings that, with a dataset and a network, decide the weights.

    Raises:
        RecipeError: One setting forbids another.
    """

    epochs: int = setting("epochs, at most", above=0)
    batch_size: int = setting("faces of a step", default=64, above=0)
    learning_rate: float = setting("highest learning rate of Adam", above=0)
    schedule: str = setting(
        "the learning rate falls along a cosine, or stays", default="cosine", choices=("cosine", "constant")
    )
    warm_restart_after: int | None = setting(
        "epochs until the learning rate starts again, over fewer epochs and lower", default=None, above=0
    )
    weight_decay: float = setting("above 0 makes Adam AdamW", default=0.0, most=1)
    warmup: int = setting("epochs in which the learning rate rises from 0", default=0)
    vote_share: float = setting("share of FER+'s votes in the targets", default=0.0, most=1)
    vote_head_weight: float = setting("weight of the loss of a second head for FER+'s votes", default=0.0)
    teachers: tuple[Path, ...] = setting("teachers, .keras files", default=())
    teacher_share: float = setting("share of the teachers' scores in the targets", default=0.0, most=1)
    teacher_temperature: float = setting("above 1 softens the teachers' scores", default=1.0, above=0)
    teacher_input: str = setting(
        "teachers score the augmented faces, or each face once as it is",
        default="augmented",
        choices=("augmented", "plain"),
    )
    initial_weights: Path | None = setting(  # noqa: RUF009 - it makes a field, as dataclasses.field does
        "weights to begin with, a .keras file; those of a narrower net are widened", default=None
    )
    frozen_epochs: int = setting("epochs at first in which the last layer alone learns", default=0)
    precision: str = setting(
        "what convolutions compute in", default="float32", choices=("float32", "bfloat16")
    )
    logit_adjustment: float = setting("favours rare classes, 0 to 1", default=0.0, most=1)
    temperature_scaling: bool = setting("make probabilities match how often they are right", default=False)
    seed: int = setting("the same seed gives the same weights", default=0, most=2**32 - 1)
    augmentation: Augmentation | None = None
    class_weight: bool = setting("weigh each class by the inverse of its share", default=False)
    best_by: str = setting(
        "which figure on validation chooses the best epoch; default with class weights: macro_recall",
        default="accuracy",
        choices=BEST_BY,
    )
    patience: int = setting("epochs without a better one on validation", default=20, above=0)
    keep_duplicates: bool = setting(
        "also train on images that stand in validation or test, are blank, or have two labels", default=False
    )

    def __post_init__(self) -> None:
        """Refuses settings of which one forbids another, before hours of training."""
        self.check_learning_rate()
        self.check_targets()

    def check_learning_rate(self) -> None:
        """Raises RecipeError where the learning rate or its schedule can't be."""
        first, epochs = self.warm_restart_after, self.epochs
        if not math.isfinite(self.learning_rate):
            raise RecipeError(f"Expected a finite learning rate, got {self.learning_rate}.", "learning_rate")
        if first is not None and epochs >= 2.5 * first:
            raise RecipeError(
                f"Expected fewer than {2.5 * first:g} epochs with a warm restart after {first}, got "
                f"{epochs}: each cycle is shorter than the one before. "
                f"Give a later one: --warm-restart-after {epochs}",
                "warm_restart_after",
                "epochs",
            )
        if first is not None and self.warmup:
            raise RecipeError(
                "Expected --warmup or --warm-restart-after, got both: the learning rate rises before a "
                "single cosine.",
                "warmup",
                "warm_restart_after",
            )
        if self.schedule == "constant" and (first is not None or self.warmup):
            raise RecipeError(
                "Expected a constant learning rate or --warmup or --warm-restart-after, got two of them.",
                "schedule",
            )
        if self.warmup and self.warmup >= epochs:
            raise RecipeError(
                f"Expected more epochs than the {self.warmup} in which the learning rate rises, got "
                f"{epochs}. Give more, or --warmup 0.",
                "warmup",
                "epochs",
            )
        if self.frozen_epochs and self.frozen_epochs + self.warmup >= epochs:
            raise RecipeError(
                f"Expected more epochs than the {self.frozen_epochs} in which the last layer alone learns "
                f"and the {self.warmup} in which the learning rate rises then, got {epochs}. Give more, or "
                "--frozen-epochs 0.",
                "frozen_epochs",
                "epochs",
            )

    def check_targets(self) -> None:
        """Raises RecipeError where teachers lack a share, or are missing, or have class weights with them."""
        if bool(self.teachers) != bool(self.teacher_share):
            raise RecipeError(
                f"Expected teachers and their share of the targets, got {len(self.teachers)} teachers and a "
                f"share of {self.teacher_share:g}. Give both --teachers and --teacher-share, or neither.",
                "teachers",
                "teacher_share",
            )
        if self.teacher_temperature != 1 and not self.teachers:
            raise RecipeError(
                f"Expected teachers for a temperature of {self.teacher_temperature:g}, got none. "
                "Give --teachers and --teacher-share, or --teacher-temperature 1.",
                "teachers",
                "teacher_temperature",
            )
        if self.class_weight and self.teachers:
            raise RecipeError(
                "Expected class weights or teachers, got both: a teacher's scores have no one class. "
                "Leave out --class-weight, or give --teacher-share 0.",
                "class_weight",
                "teachers",
            )

    @property
    def uses_votes(self) -> bool:
        """Whether the training needs FER+'s votes."""
        return bool(self.vote_share or self.vote_head_weight)


def fine_tuning(recipe: Recipe, weights: Path, *, new_head: bool = False) -> Recipe:
    """Returns a recipe for other faces that goes on from released weights, gently and without teachers.

    Args:
        recipe: The one with which the weights were trained; its augmentation, precision, weight decay and
            temperature scaling stay.
        weights: A `.keras` file.
        new_head: Whether the classes are others. Then the last layer learns alone at first: before that its
            random weights would spoil the rest. Classes count alike, however many faces they have.
    """
    return Recipe(
        epochs=20,
        learning_rate=3e-4,
        warmup=1,
        weight_decay=recipe.weight_decay,
        precision=recipe.precision,
        temperature_scaling=recipe.temperature_scaling,
        augmentation=recipe.augmentation,
        initial_weights=weights,
        frozen_epochs=4 if new_head else 0,
        class_weight=new_head,
    )


def for_own_classes(recipe: Recipe, *, has_votes: bool) -> Recipe:
    """Returns a recipe without what knows FER2013's classes alone: the teachers, and FER+'s votes.

    Args:
        recipe: That of a released model.
        has_votes: Whether the faces are FER2013's, so that the votes stay.
    """
    recipe = replace(recipe, teachers=(), teacher_share=0.0, teacher_temperature=1.0)
    return recipe if has_votes else replace(recipe, vote_share=0.0, vote_head_weight=0.0)


def settings() -> list[Field]:
    """Returns the fields of `Recipe` that the command line offers as options."""
    return [one for one in fields(Recipe) if one.metadata]


def recorded(recipe: Recipe) -> dict[str, Any]:
    """Returns the settings as a record holds them: JSON values, with the sha256 of every file by its name."""
    content = asdict(recipe)
    content["teachers"] = {path.name: sha256_of(path) for path in recipe.teachers}
    if recipe.initial_weights is not None:
        content["initial_weights"] = {recipe.initial_weights.name: sha256_of(recipe.initial_weights)}
    if recipe.augmentation is not None and not isinstance(recipe.augmentation.scale, int | float):
        content["augmentation"]["scale"] = list(recipe.augmentation.scale)
    return content


# Settings under the names that they had in earlier records and states of runs, and their names now.
EARLIER_NAMES = {
    "cycle": "warm_restart_after",
    "votes": "vote_share",
    "votes_head": "vote_head_weight",
    "teachers_see": "teacher_input",
    "start": "initial_weights",
    "balance": "logit_adjustment",
    "calibrate": "temperature_scaling",
    "keep_repeats": "keep_duplicates",
}


def completed(arguments: dict[str, Any]) -> dict[str, Any]:
    """Returns recorded settings under today's names, with the default of each that was not recorded."""
    renamed = {EARLIER_NAMES.get(name, name): value for name, value in arguments.items()}
    content = renamed | missing_from(renamed, defaults_of(Recipe) | {"teachers": {}})
    if isinstance(content["augmentation"], dict):
        given = content["augmentation"]
        content["augmentation"] = given | missing_from(given, defaults_of(Augmentation))
    return content


def missing_from(content: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Returns the defaults of what the content lacks."""
    return {name: value for name, value in defaults.items() if name not in content}


def defaults_of(kind: type[Recipe] | type[Augmentation]) -> dict[str, Any]:
    """Returns the fields that have a default, with it."""
    return {one.name: one.default for one in fields(kind) if one.default is not MISSING}
