"""From faces to `models/<name>.keras` and its record: the whole training, top to bottom."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dataset.classes import classes_of_weights
from dataset.fer2013 import Dataset
from dataset.ferplus import VOTES
from reporting import metrics
from reporting.files import write_json

from .architectures import with_votes_head, without_votes_head
from .checkpoints import Run, forget, read_checkpoint
from .distillation import read_teachers
from .distribution import Group, cut_padding
from .errors import DivergedError
from .macro_recall import MacroRecall
from .models import MODELS
from .precision import in_bfloat16, in_float32
from .recipes import Recipe
from .record import FinalScores, Record, arguments_of, record_of
from .shares import ALONE
from .temperature import adjust_logits, fit_temperature, fold_temperature
from .training_data import VALIDATION_BATCH, TrainingData, data_for
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
    """Trains one network; writes the weights of the best epoch by *validation*, and a record.

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
    run, data = train_run(
        run_dir,
        arguments_of(model, recipe, dataset),
        dataset,
        recipe,
        build=build or partial(MODELS[model].build, classes=len(dataset.classes)),
        callbacks=callbacks,
        restart=restart,
        tensorboard=tensorboard,
        verbose=verbose,
    )
    return release(run, dataset, recipe, data, out=out, command=command)


def train_run(
    folder: Path,
    arguments: dict[str, Any],
    dataset: Dataset,
    recipe: Recipe,
    *,
    build: Callable[[], keras.Model],
    callbacks: Sequence[keras.callbacks.Callback] = (),
    restart: bool = False,
    tensorboard: bool = True,
    verbose: str | int = "auto",
    group: Group | None = None,
) -> tuple[Run, TrainingData]:
    """Trains a network to its end, from where it was cut off; returns the run and what it was trained on.

    Args:
        folder: Of checkpoints and logs.
        arguments: Everything that decides the training, as `arguments_of` gives it.
        dataset: The faces, their labels and splits.
        recipe: The settings.
        build: Makes the network.
        callbacks: As `train` takes them.
        restart: Whether to delete what an earlier run left.
        tensorboard: Whether to write logs for TensorBoard.
        verbose: As Keras's `fit` takes it.
        group: The processes that train it together, this one among them; None: it trains alone.

    Raises:
        DatasetError: As of `train`.
        TrainingError: As of `train`.
    """
    teacher = (
        read_teachers(
            recipe.teachers,
            precision=recipe.precision,
            temperature=recipe.teacher_temperature,
            classes=dataset.classes,
        )
        if recipe.teachers
        else None
    )
    if recipe.initial_weights is not None:
        read_initial_weights(recipe.initial_weights)  # a damaged file is named before a run is deleted
    new_head = has_new_head(recipe, dataset)
    if restart:
        forget(folder)
    shares = group.shares if group else ALONE
    data = data_for(dataset, recipe, teacher, shares, show_progress=bool(verbose))
    run = Run(folder, arguments, patience=recipe.patience, batches=data.batches)
    with group.distribution.scope() if group else nullcontext():
        network = begin_or_resume(run, partial(build_network, build, recipe, new_head=new_head), recipe)
        if group:
            cut_padding(network, training=data.batches.padded, validation=data.validation.padded)
        if not run.finished:
            fit(network, data, run, recipe, callbacks=callbacks, tensorboard=tensorboard, verbose=verbose)
    return run, data


def release(
    run: Run, dataset: Dataset, recipe: Recipe, data: TrainingData, *, out: Path, command: str
) -> Record:
    """Writes the best weights of a run that has ended, and their record; returns the record.

    Raises:
        TrainingError: The weights are missing, damaged or not finite; `out` stays as it was.
    """
    network = chosen_network(run, recipe, out)
    scores = finish(network, run, recipe, data)
    save_network(network, out)
    samples = data.samples(dataset.classes)
    record = record_of(network, out, run.state, recipe, dataset, samples, scores, command=command)
    write_json(out.with_suffix(".json"), record)
    return record


def has_new_head(recipe: Recipe, dataset: Dataset) -> bool:
    """Returns whether the initial weights are of other classes, so that the last layer is a new one."""
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
        resumed.jit_compile = compiles()  # the run may have been begun on another backend
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
        take_weights(network, recipe.initial_weights, new_head=new_head, seed=recipe.seed)
    if recipe.vote_head_weight:
        network = with_votes_head(network, len(VOTES))
    return in_bfloat16(network) if recipe.precision == "bfloat16" else network


def compile_network(network: keras.Model, recipe: Recipe, *, steps: int) -> None:
    """Gives the network its optimizer, loss and metrics; an epoch has `steps` batches."""
    rate = learning_rates(recipe, steps)
    heads = bool(recipe.vote_head_weight)
    followed: list[Any] = ["accuracy"]
    if recipe.best_by == "macro_recall":
        followed.append(MacroRecall(network.get_layer("scores").output.shape[-1]))
    network.compile(
        optimizer=(
            keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)  # arXiv 1711.05101
            if recipe.weight_decay
            else keras.optimizers.Adam(rate)
        ),
        loss={"scores": LOSS, "votes": LOSS} if heads else LOSS,
        loss_weights={"scores": 1.0, "votes": recipe.vote_head_weight} if heads else None,
        metrics={"scores": followed} if heads else followed,
        # Eight steps a call spare the way through Python; on other backends Keras 3.15 loops there too.
        steps_per_execution=8 if keras.backend.backend() == "tensorflow" else 1,
        jit_compile=compiles(),
    )


def compiles() -> bool:
    """Returns whether steps are compiled by XLA: JAX computes layer by layer without it.

    On a CPU TensorFlow 2.21 is 2-3 times slower with it.
    """
    return keras.backend.backend() == "jax"


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
            validation_data=data.validation,
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
    figures = dict.fromkeys(("accuracy", recipe.best_by))
    if recipe.logit_adjustment:
        adjust_logits(network, data.labels, recipe.logit_adjustment)
    if not (recipe.logit_adjustment or recipe.temperature_scaling or recipe.precision != "float32"):
        return FinalScores({figure: run.at_best(figure) for figure in figures})
    faces = data.validation.faces.astype("float32")
    scores = network.predict(faces, batch_size=VALIDATION_BATCH, verbose=0)
    found = {figure: getattr(metrics, figure)(scores, data.validation_labels) for figure in figures}
    if not recipe.temperature_scaling or len(scores) < FEWEST_TO_SCALE:
        return FinalScores(found)
    temperature = fit_temperature(scores, data.validation_labels)
    fold_temperature(network, temperature)
    return FinalScores(found, temperature)
