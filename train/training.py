"""From faces to `models/<name>.keras` and its record: the whole training, top to bottom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import keras
import numpy as np

from dataset.classes import classes_of_weights
from dataset.duplicates import training_samples
from dataset.fer2013 import Dataset
from dataset.ferplus import VOTES
from reporting.files import write_json

from .architectures import with_votes_head, without_votes_head
from .batches import FaceBatches
from .checkpoints import Run, forget, read_checkpoint
from .distillation import Teacher, read_teachers
from .errors import DivergedError
from .models import MODELS
from .precision import in_bfloat16, in_float32
from .recipes import Recipe
from .record import FinalScores, Record, Samples, arguments_of, record_of
from .targets import Targets, class_weights, training_targets, validation_targets
from .temperature import adjust_logits, fit_temperature, fold_temperature
from .weights import read_initial_weights, save_network, take_weights

LOSS = "categorical_crossentropy"
HEADS = ("scores", "votes")  # the names of the last layers
FEWEST_TO_SCALE = 20  # validation faces: a temperature of fewer only says that all were right
FROZEN_RATE = 10  # a last layer that learns alone has so many times the learning rate


def train(
    dataset: Dataset,
    *,
    model: str,
    recipe: Recipe,
    out: Path,
    run_dir: Path,
    build: Callable[[], keras.Model] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    restart: bool = False,
    tensorboard: bool = True,
    command: str = "",
    verbose: str | int = "auto",
) -> Record:
    """Trains one network; writes the weights of the best epoch by *validation* accuracy, and a record.

    After each epoch everything needed to go on is in `run_dir`. Calling again resumes there, and ends with
    the same weights as a run that was never cut off. The test split is not touched.

    Args:
        dataset: The faces, their labels and splits.
        model: A name of `MODELS`; with `build` any name.
        recipe: The settings.
        out: The `.keras` file to write; the record has the ending .json.
        run_dir: The folder of checkpoints and logs.
        build: Makes the network where it is none of `MODELS`, with a score per class of the dataset.
        callbacks: Are called before the run's own; what they add to an epoch's logs is kept in the history.
        restart: Whether to delete what an earlier run left in `run_dir`.
        tensorboard: Whether to write logs for TensorBoard.
        command: The command line, for the record.
        verbose: As Keras's `fit` takes it; 0 also hides our own progress bars.

    Raises:
        DatasetError: The recipe needs FER+'s votes, and they can't be read; or the record beside a teacher or
            initial weights is none of theirs.
        TrainingError: Weights or `run_dir` can't be used, or the training diverged; `out` stays as it was.
    """
    teacher = (
        read_teachers(recipe.teachers, precision=recipe.precision, classes=dataset.classes)
        if recipe.teachers
        else None
    )
    if recipe.initial_weights is not None:
        read_initial_weights(recipe.initial_weights)  # a damaged file is named before a run is deleted
    build = build or partial(MODELS[model].build, classes=len(dataset.classes))
    new_head = has_new_head(recipe, dataset)
    arguments = arguments_of(model, recipe, dataset)
    if restart:
        forget(run_dir)
    data = data_for(dataset, recipe, teacher, show_progress=bool(verbose))
    run = Run(run_dir, arguments, patience=recipe.patience, batches=data.batches)
    network = begin_or_resume(run, partial(build_network, build, recipe, new_head=new_head), recipe)
    if not run.finished:
        fit(network, data, run, recipe, callbacks=callbacks, tensorboard=tensorboard, verbose=verbose)
    network = chosen_network(run, recipe, out)
    scores = finish(network, run, recipe, data)
    save_network(network, out)
    record = record_of(network, out, run.state, recipe, dataset, data.samples, scores, command=command)
    write_json(out.with_suffix(".json"), record)
    return record


@dataclass(frozen=True)
class TrainingData:
    """What a network is trained and validated on.

    Attributes:
        batches: Of the training samples.
        labels: Of the training samples, int64 (n,).
        validation_faces: `float32 (n, 48, 48, 1)`, 0-255.
        validation_labels: int64 (n,).
        validation_targets: For the validation loss.
        left_out: How many samples of the train split are not trained on.
    """

    batches: FaceBatches
    labels: np.ndarray
    validation_faces: np.ndarray
    validation_labels: np.ndarray
    validation_targets: Targets
    left_out: int

    @property
    def samples(self) -> Samples:
        """How many samples there are, for the record."""
        return {
            "train": len(self.labels),
            "left_out": self.left_out,
            "validation": len(self.validation_labels),
        }


def data_for(
    dataset: Dataset, recipe: Recipe, teacher: Teacher | None, *, show_progress: bool
) -> TrainingData:
    """Returns the samples to train on, with their targets, and those to validate on."""
    rows = every = dataset.rows("train")
    if not recipe.keep_duplicates:
        rows = rows[training_samples(dataset)]
    labels = dataset.labels[rows]
    batches = FaceBatches(
        dataset.faces[rows],
        training_targets(dataset, recipe, rows, teacher, show_progress=show_progress),
        batch_size=recipe.batch_size,
        seed=recipe.seed,
        augmentation=recipe.augmentation,
        teacher=teacher if recipe.teacher_input == "augmented" else None,
        teacher_share=recipe.teacher_share,
        # Not into the targets: TensorFlow's gradient of the cross-entropy takes them to add up to 1.
        weights=class_weights(labels, len(dataset.classes))[labels] if recipe.class_weight else None,
    )
    validation_faces, validation_labels = dataset.split("validation")
    return TrainingData(
        batches,
        labels,
        validation_faces.astype("float32"),
        validation_labels,
        validation_targets(dataset, recipe),
        len(every) - len(rows),
    )


def has_new_head(recipe: Recipe, dataset: Dataset) -> bool:
    """Returns whether the initial weights are of other classes, so that the last layer begins anew."""
    weights = recipe.initial_weights
    return weights is not None and classes_of_weights(weights) != dataset.classes


def begin_or_resume(run: Run, build: Callable[[], keras.Model], recipe: Recipe) -> keras.Model:
    """Returns the network as the run left it, or, where nothing was begun, the one that `build` makes.

    Raises:
        RunError: The run's folder holds another run, or one of which a file is missing or damaged.
        WeightsError: The initial weights are those of another network.
    """
    network = build()
    resumed = run.resume(network)
    if resumed is not None:
        return resumed
    if recipe.frozen_epochs:
        let_learn(network, heads_alone=True)
    compile_network(network, recipe, steps=len(run.batches))
    return network


def let_learn(network: keras.Model, *, heads_alone: bool = False) -> None:
    """Lets every layer learn, or the last ones alone; setting it on the network would pass the layers by."""
    for layer in network.layers:
        layer.trainable = layer.name in HEADS or not heads_alone


def build_network(build: Callable[[], keras.Model], recipe: Recipe, *, new_head: bool) -> keras.Model:
    """Returns the network that is trained: with the recipe's seed, initial weights, heads and precision."""
    keras.utils.set_random_seed(recipe.seed)
    network = build()
    if recipe.initial_weights is not None:
        take_weights(network, recipe.initial_weights, new_head=new_head)
    if recipe.vote_head_weight:
        network = with_votes_head(network, len(VOTES))
    return in_bfloat16(network) if recipe.precision == "bfloat16" else network


def compile_network(network: keras.Model, recipe: Recipe, *, steps: int) -> None:
    """Gives the network its optimizer, loss and metrics; an epoch has `steps` batches."""
    rate = learning_rates(recipe, steps)
    heads = bool(recipe.vote_head_weight)
    network.compile(
        optimizer=(
            keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)  # arXiv 1711.05101
            if recipe.weight_decay
            else keras.optimizers.Adam(rate)
        ),
        loss={"scores": LOSS, "votes": LOSS} if heads else LOSS,
        loss_weights={"scores": 1.0, "votes": recipe.vote_head_weight} if heads else None,
        metrics={"scores": ["accuracy"]} if heads else ["accuracy"],
        # Eight steps a call spare the way through Python (not offered by Keras 3.15 on torch).
        steps_per_execution=1 if keras.backend.backend() == "torch" else 8,
        jit_compile=False,  # XLA makes these networks 2-3 times slower on a CPU (TensorFlow 2.21)
    )


def learning_rates(recipe: Recipe, steps: int) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Returns the learning rate for epochs of so many steps, at first `FROZEN_RATE` times that of the recipe.

    The rest holds after the frozen epochs, if there are any.
    It falls from the recipe's to 0 along a cosine over all epochs, after a warmup along a line. With warm
    restarts each cosine spans 0.6 of the epochs of the one before, from 0.6 of its rate (Loshchilov & Hutter
    2017, arXiv 1608.03983).
    """
    schedules, highest, epochs = keras.optimizers.schedules, recipe.learning_rate, recipe.epochs
    if recipe.frozen_epochs:
        return FROZEN_RATE * highest
    if recipe.schedule == "constant":
        return highest
    if recipe.warm_restart_after is not None:
        first = recipe.warm_restart_after * steps
        return schedules.CosineDecayRestarts(highest, first, t_mul=0.6, m_mul=0.6)
    if recipe.warmup:
        rising = recipe.warmup * steps
        return schedules.CosineDecay(0.0, epochs * steps - rising, warmup_target=highest, warmup_steps=rising)
    return schedules.CosineDecay(highest, epochs * steps)


def fit(
    network: keras.Model,
    data: TrainingData,
    run: Run,
    recipe: Recipe,
    *,
    callbacks: Sequence[keras.callbacks.Callback],
    tensorboard: bool,
    verbose: str | int,
) -> None:
    """Trains the network from where the run stands to its end.

    After the frozen epochs every layer learns, with a new optimizer: here too where the run stood just there.
    """
    called: list[keras.callbacks.Callback] = [*callbacks, run]
    if tensorboard and keras.backend.backend() == "tensorflow":
        called.append(keras.callbacks.TensorBoard(run.folder / "tensorboard", write_graph=False))
    for end in (recipe.frozen_epochs, recipe.epochs):
        if run.finished or run.state.epochs_done >= end:
            continue
        if 0 < recipe.frozen_epochs == run.state.epochs_done:
            let_learn(network)
            rest = replace(recipe, epochs=recipe.epochs - recipe.frozen_epochs, frozen_epochs=0)
            compile_network(network, rest, steps=len(run.batches))
        network.fit(
            data.batches,
            validation_data=(data.validation_faces, data.validation_targets),
            validation_batch_size=256,
            epochs=end,
            initial_epoch=run.state.epochs_done,
            shuffle=False,  # FaceBatches shuffles
            callbacks=called,
            verbose=verbose,
        )


def chosen_network(run: Run, recipe: Recipe, out: Path) -> keras.Model:
    """Returns the network of the best epoch as it is released: with one head, in float32.

    Raises:
        RunError: The weights are missing or damaged.
        DivergedError: They are not finite.
    """
    network = read_checkpoint(run.best_path)
    if not all(np.isfinite(weights).all() for weights in network.get_weights()):
        raise DivergedError(run.best_path, out=out)
    let_learn(network)  # the best epoch may be a frozen one
    if recipe.vote_head_weight:
        network = without_votes_head(network)
    return in_float32(network) if recipe.precision == "bfloat16" else network


def finish(network: keras.Model, run: Run, recipe: Recipe, data: TrainingData) -> FinalScores:
    """Folds logit adjustment and temperature into the last layer of the chosen network; scores it."""
    if recipe.logit_adjustment:
        adjust_logits(network, data.labels, recipe.logit_adjustment)
    if not (recipe.logit_adjustment or recipe.temperature_scaling or recipe.precision != "float32"):
        return FinalScores(run.best_accuracy)
    scores = network.predict(data.validation_faces, batch_size=256, verbose=0)
    accuracy = float((scores.argmax(axis=1) == data.validation_labels).mean())
    if not recipe.temperature_scaling or len(scores) < FEWEST_TO_SCALE:
        return FinalScores(accuracy)
    temperature = fit_temperature(scores, data.validation_labels)
    fold_temperature(network, temperature)
    return FinalScores(accuracy, temperature)
