"""From a pool of images to `detector.keras` and its record: the whole training, top to bottom."""

import dataclasses
import datetime
import hashlib
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from dataset.detection.scores import confidences_of, score_photos
from reporting.files import write_json

from .batches import batches_ahead
from .checkpoint import Checkpoint, RunError, read_checkpoint, write_checkpoint, write_model
from .loss import detection_loss
from .network import INPUT_SIZE, build_detector, build_network, copy_weights
from .sampler import Mixture, Pool
from .validation import find_in, summary, threshold_for


@dataclass(frozen=True)
class Recipe:
    """How the detector is trained.

    Attributes:
        steps: batches in all.
        batch_size: images of the first size in a batch; larger images come in smaller batches.
        sizes: heights and widths of the training images in pixels, one after another.
        input_size: height and width of the images that the released file takes.
        learning_rate: the highest; it falls to 0 as a cosine does.
        warmup: steps in which it rises from 0.
        weight_decay: of AdamW.
        average: decay of the average of the weights, per `AVERAGE_EVERY` steps; that average is released.
        steps_per_round: steps between two checkpoints.
        hard_share: of the backgrounds, how many are drawn by how wrong the network is on them.
        most_false: false faces per image without a face, for which the threshold is chosen.
        seed: the same seed gives the same weights.
        mixture: how the images are made.
    """

    steps: int = 9000
    batch_size: int = 32
    sizes: tuple[tuple[int, int], ...] = ((192, 256), (256, 320))
    input_size: tuple[int, int] = INPUT_SIZE
    learning_rate: float = 1e-2
    warmup: int = 300
    weight_decay: float = 0.02
    average: float = 0.98
    steps_per_round: int = 500
    hard_share: float = 0.5
    most_false: float = 0.01
    seed: int = 0
    mixture: Mixture = field(default_factory=Mixture)


AVERAGE_EVERY = 10
Progress = Callable[[Iterable[Any], str], Iterable[Any]]


class DivergedError(ValueError):
    """A training whose loss is not finite."""


def train(
    recipe: Recipe,
    pool: Pool,
    validation: Pool,
    *,
    out: Path,
    run_dir: Path,
    command: str = "",
    sources: dict[str, Any] | None = None,
    start: Path | None = None,
    progress: Progress = lambda items, _: items,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Trains the detector and writes it with its record.

    Calling again goes on after the last round in `run_dir`, and ends with the same weights.

    Args:
        recipe: how.
        pool: images to train on.
        validation: by which the threshold is chosen.
        out: the `.keras` file to write; its record gets the ending `.json`.
        run_dir: for checkpoints.
        command: that started it, for the record.
        sources: what the data is, for the record.
        start: a detector's `.keras` file, with whose weights the training begins.
        progress: wraps an iterable and shows how far it is.
        say: is told a line after each round.

    Returns:
        The record.

    Raises:
        RunError: `run_dir` holds another run, or `start` is no detector.
        DivergedError: the loss is not finite.
    """
    network, settings = begun(recipe, start)
    state = read_checkpoint(run_dir, settings, network, backgrounds=len(pool.backgrounds))
    judges = judges_for(recipe)
    while state.step < recipe.steps:
        state = train_round(recipe, pool, network, state, progress=progress)
        score_round(pool, validation, judges, state, recipe)
        write_checkpoint(run_dir, settings, network, state)
        say(line_of(state, recipe))
    judges.take(state.average)
    write_model(judges.released, out)
    record = record_of(judges.released, state, settings) | {
        "command": command,
        "sources": sources or {},
        "images": sizes_of(pool),
        "weights_sha256": sha256_of(out),
    }
    write_json(out.with_suffix(".json"), record)
    return record


def begun(recipe: Recipe, start: Path | None) -> tuple[keras.Model, dict[str, Any]]:
    """Returns the network as it is before the first step, compiled, and the settings that tell runs apart.

    Raises:
        RunError: `start` is no detector.
    """
    keras.utils.set_random_seed(recipe.seed)
    network = build_network()
    optimizer = keras.optimizers.AdamW(rate_of(recipe), weight_decay=recipe.weight_decay, clipnorm=10.0)
    network.compile(optimizer, loss=detection_loss, jit_compile=False)
    optimizer.build(network.trainable_variables)
    settings = settings_of(recipe)
    if start is not None:
        copy_start(start, network)
        settings["start"] = {start.name: sha256_of(start)}
    return network, settings


def copy_start(path: Path, network: keras.Model) -> None:
    """Gives a network the weights of a detector's `.keras` file.

    Raises:
        RunError: it is missing, damaged or no detector.
    """
    try:
        copy_weights(keras.saving.load_model(path, compile=False), network)
    except Exception as error:  # a missing or damaged file fails anywhere in Keras, h5py or zipfile
        reason = " ".join(str(error).split())[:150]
        raise RunError(
            f"{path}: expected a detector's .keras file to start from ({reason}).", path
        ) from error


def sizes_of(pool: Pool) -> dict[str, int]:
    """Returns how many images and faces a pool has."""
    return {
        "photos": len(pool.photos),
        "faces_in_photos": sum(len(photo.boxes) for photo in pool.photos),
        "backgrounds": len(pool.backgrounds),
        "faces_to_paste": len(pool.faces),
        "heads_to_paste": len(pool.heads),
    }


def line_of(state: Checkpoint, recipe: Recipe) -> str:
    """Returns a line on the last round."""
    entry, chosen = state.history[-1], state.history[-1]["chosen"]
    return (
        f"step {state.step} of {recipe.steps}: loss {entry['loss']:.3f}; at {chosen['threshold']} finds "
        f"{chosen['found']:.1%} of the faces, overlap {chosen['overlap']:.3f}, "
        f"{chosen['false_per_background']:.3f} false per background; {entry['seconds']:.0f} s"
    )


def sha256_of(path: Path) -> str:
    """Returns the sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def rate_of(recipe: Recipe) -> keras.optimizers.schedules.LearningRateSchedule:
    """Returns the learning rate as the recipe describes it."""
    warmup = min(recipe.warmup, recipe.steps // 2)
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, recipe.steps - warmup), warmup_target=recipe.learning_rate, warmup_steps=warmup
    )


def train_round(
    recipe: Recipe, pool: Pool, network: keras.Model, state: Checkpoint, *, progress: Progress
) -> Checkpoint:
    """Trains up to the next checkpoint; returns the state there.

    Raises:
        DivergedError: the loss is not finite.
    """
    last = min(state.step + recipe.steps_per_round, recipe.steps)
    steps = range(state.step, last)
    batches = batches_ahead(
        pool,
        recipe.mixture,
        seed=recipe.seed,
        steps=steps,
        count=recipe.batch_size,
        sizes=recipe.sizes,
        hardness=probabilities(state.hardness, len(pool.backgrounds), recipe.hard_share),
    )
    begun, losses = time.perf_counter(), []
    average = state.average or network.get_weights()
    for step, (images, targets) in zip(
        progress(steps, f"steps {steps.start}-{last} of {recipe.steps}"), batches, strict=True
    ):
        losses.append(float(network.train_on_batch(images, targets)))
        if not np.isfinite(losses[-1]):
            raise DivergedError(
                f"step {step}: expected a finite loss, got {losses[-1]}: the training diverged; "
                "give a lower --learning-rate and another --run-dir."
            )
        if (step + 1) % AVERAGE_EVERY == 0:
            # Early on the average is over all steps so far: it must not keep the first weights.
            kept = min(recipe.average, (step + 1) / (step + 1 + 10 * AVERAGE_EVERY))
            average = [
                kept * old + (1 - kept) * new for old, new in zip(average, network.get_weights(), strict=True)
            ]
    entry = {"step": last, "loss": round(float(np.mean(losses)), 5)}
    entry["seconds"] = round(time.perf_counter() - begun, 1)
    return Checkpoint(last, average, state.hardness, [*state.history, entry])


class Judges(NamedTuple):
    """Networks that are built once and get the averaged weights after each round.

    Attributes:
        plain: as it is trained.
        released: with decoding, for images of the released size.
        small: with decoding, for images of the first size of the training.
    """

    plain: keras.Model
    released: keras.Model
    small: keras.Model

    def take(self, weights: list[np.ndarray]) -> None:
        """Gives all networks these weights, in the order of the plain one's."""
        self.plain.set_weights(weights)
        copy_weights(self.plain, self.released)
        copy_weights(self.plain, self.small)


def judges_for(recipe: Recipe) -> Judges:
    """Returns the networks that judge a training of this recipe."""
    released = build_detector(*recipe.input_size)
    same = recipe.sizes[0] == recipe.input_size
    return Judges(build_network(), released, released if same else build_detector(*recipe.sizes[0]))


def score_round(pool: Pool, validation: Pool, judges: Judges, state: Checkpoint, recipe: Recipe) -> None:
    """Adds figures on the validation part to the state's history, and how hard each background is."""
    judges.take(state.average)
    false = confidences_of(find_in(judges.released, validation.backgrounds))
    images = [photo.image for photo in validation.photos]
    faces = score_photos(find_in(judges.released, images), validation.photos)
    threshold = threshold_for(false, len(validation.backgrounds), most_false=recipe.most_false)
    for name, at in (("chosen", threshold), ("at_half", 0.5)):
        figures = summary(faces, false, len(validation.backgrounds), at)
        state.history[-1][name] = {key: round(value, 4) for key, value in figures.items()}
    answers = find_in(judges.small, pool.backgrounds)
    state.hardness[:] = [max(found.confidences, default=0.0) for found in answers]


def probabilities(hardness: np.ndarray, count: int, share: float) -> np.ndarray | None:
    """Returns the probability of each background: a `share` goes by hardness, `float (count,)`."""
    if not len(hardness) or hardness.sum() <= 0:
        return None
    return (1 - share) / count + share * hardness / hardness.sum()


def settings_of(recipe: Recipe) -> dict[str, Any]:
    """Returns the recipe as JSON can hold it."""
    settings = dataclasses.asdict(recipe)
    return settings | {
        "sizes": [list(size) for size in recipe.sizes],
        "input_size": list(recipe.input_size),
    }


def record_of(detector: keras.Model, state: Checkpoint, settings: dict[str, Any]) -> dict[str, Any]:
    """Returns what the record says of a trained detector."""
    default = settings_of(Recipe())
    return {
        "model": "detector",
        "parameters": detector.count_params(),
        "input_size": list(detector.input_shape[1:3]),
        "settings": settings,
        "differs_from_default": {key: value for key, value in settings.items() if value != default.get(key)},
        "threshold": state.history[-1]["chosen"]["threshold"],
        "seconds": round(sum(entry["seconds"] for entry in state.history), 1),
        "finished": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "versions": {
            "python": platform.python_version(),
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
            "numpy": np.__version__,
        },
        "history": state.history,
    }
