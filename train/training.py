"""From faces to `models/<name>.keras` and its record: the whole training, top to bottom."""

import datetime
import hashlib
import math
import platform
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dataset.duplicates import training_rows
from dataset.fer2013 import LABELS, OFFICIAL_SHA256, Dataset
from dataset.ferplus import VOTES, expected_labels, find_votes, read_votes, shares_of_votes, votes_sha256

from .batches import FaceBatches
from .checkpoints import DivergedError, Run, RunError, forget, read_model, save_model, write_json
from .models import FACE_SHAPE, MODELS, with_votes_head, without_votes_head
from .precision import in_bfloat16, in_float32
from .temperature import fit_temperature, fold_balance, fold_temperature

RELEASED = Path(__file__).resolve().parents[1] / "models"

# What is released was trained with these; flags of `python -m train` override them one by one.
PLAIN: dict[str, Any] = {
    "batch_size": 64,
    "cycle": None,
    "weight_decay": 0.0,
    "warmup": 0,
    "votes": 0.0,
    "votes_head": 0.0,
    "teachers": [],
    "teacher_share": 0.0,
    "teachers_see": "augmented",
    "start": None,
    "precision": "float32",
    "balance": 0.0,
    "calibrate": False,
}
RECIPES: dict[str, dict[str, Any]] = {
    "cnn": PLAIN
    | {
        "epochs": 64,
        "cycle": 40,
        "learning_rate": 1e-3,
        "augmentation": {"rotation": 10, "scale": 0.1, "shift": 0.08, "brightness": 0.08, "contrast": 0.15},
    },
    "cnn_lstm": PLAIN
    | {
        "epochs": 60,
        "learning_rate": 2e-3,
        "augmentation": {"rotation": 12, "scale": 0.12, "shift": 0.08, "brightness": 0.15, "contrast": 0.2},
    },
    "edge": PLAIN
    | {
        "epochs": 70,
        "learning_rate": 2e-3,
        "weight_decay": 0.1,
        "warmup": 2,
        "votes": 0.2,
        "votes_head": 0.5,
        "precision": "bfloat16",
        "calibrate": True,
        "augmentation": {
            "rotation": 10,
            "scale": [0.75, 1.15],
            "shift": 0.08,
            "brightness": 0.15,
            "contrast": 0.3,
            "cutout": 0.35,
            "surroundings": 0.5,
        },
    },
    "edge_tiny": PLAIN
    | {
        "epochs": 64,
        "learning_rate": 4e-3,
        "weight_decay": 0.02,
        "warmup": 2,
        "votes_head": 0.3,
        "teachers": [RELEASED / "edge.keras"],
        "teacher_share": 0.7,
        "precision": "bfloat16",
        "calibrate": True,
        "augmentation": {
            "rotation": 10,
            "scale": [0.8, 1.12],
            "shift": 0.08,
            "brightness": 0.15,
            "contrast": 0.3,
            "cutout": 0.2,
            "surroundings": 0.5,
        },
    },
}
# Over a recipe: a training on other faces that goes on from the released weights.
FINE_TUNING = PLAIN | {"epochs": 20, "learning_rate": 3e-4, "warmup": 1}
KEPT_IN_FINE_TUNING = ("augmentation", "calibrate", "precision", "weight_decay")


def recipe_of(model: str, *, fine_tune: bool = False) -> dict[str, Any]:
    """Returns the keywords of `train` with which a model was released, or to go on from its weights."""
    recipe = RECIPES[model]
    if not fine_tune:
        return recipe
    kept = {name: recipe[name] for name in KEPT_IN_FINE_TUNING}
    return FINE_TUNING | kept | {"start": RELEASED / f"{model}.keras"}


def check_settings(
    *,
    epochs: int,
    learning_rate: float,
    cycle: int | None = None,
    schedule: str = "cosine",
    warmup: int = 0,
    teachers: Sequence[str | Path] = (),
    teacher_share: float = 0.0,
    class_weight: bool = False,
    **_: Any,
) -> None:
    """Raises RunError for keywords of `train` of which one forbids another; takes all, reads no file."""
    if cycle is not None and epochs >= 2.5 * cycle:
        raise RunError(
            f"Expected fewer than {2.5 * cycle:g} epochs with a first cycle of {cycle}, got {epochs}: "
            f"each cycle is shorter than the one before. Give a longer one: --cycle {epochs}"
        )
    if cycle is not None and warmup:
        raise RunError("Expected --warmup or --cycle, got both: the rate rises once, before a single cosine.")
    if schedule == "constant" and (cycle is not None or warmup):
        raise RunError("Expected a constant rate or --warmup or --cycle, got two of them.")
    if not math.isfinite(learning_rate):
        raise RunError(f"Expected a finite learning rate, got {learning_rate}.")
    if bool(teachers) != bool(teacher_share):
        raise RunError(
            f"Expected teachers and their share of the targets, got {len(teachers)} teachers and a share of "
            f"{teacher_share:g}. Give both --teachers and --teacher-share, or neither."
        )
    if class_weight and teachers:
        raise RunError(
            "Expected class weights or teachers, got both: a teacher's scores have no one class. "
            "Leave out --class-weight, or give --teacher-share 0."
        )
    if warmup and warmup >= epochs:
        raise RunError(
            f"Expected more epochs than the {warmup} in which the rate rises, got {epochs}. "
            "Give more, or --warmup 0."
        )


def train(
    dataset: Dataset,
    *,
    model: str,
    out: Path,
    run_dir: Path,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    cycle: int | None = None,
    schedule: str = "cosine",
    weight_decay: float = 0.0,
    warmup: int = 0,
    votes: float = 0.0,
    votes_head: float = 0.0,
    teachers: Sequence[str | Path] = (),
    teacher_share: float = 0.0,
    teachers_see: str = "augmented",
    start: str | Path | None = None,
    precision: str = "float32",
    balance: float = 0.0,
    calibrate: bool = False,
    seed: int = 0,
    augmentation: dict[str, Any] | None = None,
    class_weight: bool = False,
    patience: int = 20,
    keep_duplicates: bool = False,
    restart: bool = False,
    tensorboard: bool = True,
    build: Callable[[], keras.Model] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    command: str = "",
    verbose: str | int = "auto",
) -> dict[str, Any]:
    """Trains one architecture, writes the best weights to `out` and returns the record beside them.

    Adam with a learning rate that falls from `learning_rate` to 0 along a cosine over all epochs, or over
    the first `cycle` epochs, after which it starts again, each time over 0.6 of the epochs and from 0.6 of
    the rate of the time before (Loshchilov & Hutter 2017, arXiv 1608.03983); it first rises for `warmup`
    epochs. With the `schedule` "constant" it stays as it is. `weight_decay` makes it AdamW (arXiv
    1711.05101). Categorical cross-entropy; the epoch with the best *validation* accuracy is kept, and
    training ends when `patience` epochs brought no better one. `augmentation` holds the keywords of
    `train.batches.augment`, None for none. `class_weight` weighs each class by the inverse of its share.

    `votes` is the part of a target that comes from FER+'s votes for the image
    (`dataset.ferplus.expected_labels`), the rest being FER2013's label; `votes_head` the weight of the loss
    of a second head, which learns the votes as they are and is taken off at the end
    (`train.models.with_votes_head`). `teachers` are `.keras` files: the mean of their probabilities makes up
    `teacher_share` of the target (Hinton et al. 2015, arXiv 1503.02531). They see the very pixels that the
    net sees, "augmented" (Beyer et al. 2022, arXiv 2106.05237), or each face once, "plain", and its mirror
    image, so that the net learns to say of a changed face what they say of the face itself. `start` is a
    `.keras` file of the same architecture, with whose weights the training begins.

    `precision` is what convolutions compute in, "float32" or "bfloat16" (`train.precision`); the result is
    float32. `balance` takes that part of each class's log share off its logit, so that rare classes are
    found more often (`train.temperature.fold_balance`). `calibrate` divides the best weights' logits by the
    temperature that fits the validation split, so that probabilities mean what they say.

    Rows that `training_rows` leaves out (images that stand in validation or test as well, contradicting
    labels, blank images) are not trained on unless `keep_duplicates`.

    `build` makes the net where it is none of `MODELS`, `model` being no more than its name then. `callbacks`
    are called before the run's own: what they add to an epoch's logs becomes part of its history.

    After each epoch everything needed to go on is in `run_dir`; calling again resumes there, and ends
    with the same weights as a run that was never cut off. The test split is not touched.

    Raises RunError when `run_dir` holds a run with other arguments, or one of which a file is missing or
    damaged, and `restart` is not set; for settings of which one forbids another (`check_settings`); and
    where the weights end up not finite, in which case `out` stays as it was.
    """
    check_settings(
        epochs=epochs,
        learning_rate=learning_rate,
        cycle=cycle,
        schedule=schedule,
        warmup=warmup,
        teachers=teachers,
        teacher_share=teacher_share,
        class_weight=class_weight,
    )
    keep = np.ones((dataset.splits == "train").sum(), bool) if keep_duplicates else training_rows(dataset)
    faces, labels = dataset.split("train")
    left_out = int((~keep).sum())
    faces, labels = faces[keep], labels[keep]
    validation_faces, validation_labels = dataset.split("validation")

    arguments = {
        "model": model,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "cycle": cycle,
        "weight_decay": weight_decay,
        "warmup": warmup,
        "votes": votes,
        "votes_head": votes_head,
        "precision": precision,
        "balance": balance,
        "calibrate": calibrate,
        "seed": seed,
        "augmentation": augmentation,
        "class_weight": class_weight,
        "patience": patience,
        "keep_duplicates": keep_duplicates,
        "validation_share": dataset.validation_share,
        "validation_seed": dataset.validation_seed,
        "dataset_sha256": dataset.sha256,
    }
    if schedule != "cosine":
        arguments["schedule"] = schedule
    if votes or votes_head:
        arguments["votes_sha256"] = votes_sha256(find_votes(dataset))
    teach = None
    if teachers:
        teach = scores_of_teachers(teachers, precision=precision)
        arguments["teachers"] = {Path(path).name: sha256_of(Path(path)) for path in teachers}
        arguments["teacher_share"] = teacher_share
        if teachers_see != "augmented":
            arguments["teachers_see"] = teachers_see
    if start is not None:
        read_net(Path(start), "weights to start from")
        arguments["start"] = {Path(start).name: sha256_of(Path(start))}
    if restart:
        forget(run_dir)
    targets: Any = one_hot(labels)
    validation_targets: Any = one_hot(validation_labels)
    if votes:
        targets = (1 - votes) * targets + votes * targets_of_votes(dataset, keep)
    if teach and teachers_see == "plain":
        targets = (1 - teacher_share) * targets + teacher_share * scores_of_both_sides(
            teach, faces, progress=bool(verbose)
        )
        teach = None
    if votes_head:
        shares = shares_of_votes(read_votes(find_votes(dataset), dataset))
        targets = {"scores": targets, "votes": shares[dataset.rows("train")[keep]]}
        validation_targets = {"scores": validation_targets, "votes": shares[dataset.rows("validation")]}
    batches = FaceBatches(
        faces,
        targets,
        batch_size=batch_size,
        seed=seed,
        augmentation=augmentation,
        teach=teach,
        teacher_share=teacher_share,
        # Not into the targets: TensorFlow's gradient of the cross-entropy takes them to add up to 1.
        weights=balanced_weights(labels)[labels] if class_weight else None,
    )
    run = Run(run_dir, arguments, patience=patience, batches=batches)
    keras.utils.set_random_seed(seed)
    network = (build or MODELS[model])()
    if start is not None:
        take_weights(network, Path(start))
    if votes_head:
        network = with_votes_head(network, len(VOTES))
    if precision == "bfloat16":
        network = in_bfloat16(network)
    begun = run.resume(network)
    if begun is not None:
        network = begun
    else:
        rate: Any = learning_rate
        if schedule == "cosine":
            rate = learning_rates(learning_rate, len(batches), epochs=epochs, cycle=cycle, warmup=warmup)
        loss = "categorical_crossentropy"
        network.compile(
            optimizer=(
                keras.optimizers.AdamW(rate, weight_decay=weight_decay)
                if weight_decay
                else keras.optimizers.Adam(rate)
            ),
            loss=dict.fromkeys(targets, loss) if votes_head else loss,
            loss_weights={"scores": 1.0, "votes": votes_head} if votes_head else None,
            metrics={"scores": ["accuracy"]} if votes_head else ["accuracy"],
            # Eight steps a call spare the way through Python (not offered by Keras 3.15 on torch).
            steps_per_execution=1 if keras.backend.backend() == "torch" else 8,
            jit_compile=False,  # XLA makes these nets 2-3 times slower on a CPU (TensorFlow 2.21)
        )
    if not run.finished:
        called: list[keras.callbacks.Callback] = [*callbacks, run]
        if tensorboard and keras.backend.backend() == "tensorflow":
            called.append(keras.callbacks.TensorBoard(run_dir / "tensorboard", write_graph=False))
        network.fit(
            batches,
            validation_data=(validation_faces.astype("float32"), validation_targets),
            validation_batch_size=256,
            epochs=epochs,
            initial_epoch=run.state["epochs_done"],
            shuffle=False,  # FaceBatches shuffles
            callbacks=called,
            verbose=verbose,
        )

    best = read_model(run.best_path, compile=False)
    if not all(np.isfinite(weights).all() for weights in best.get_weights()):
        raise DivergedError(
            f"{run.best_path}: expected finite weights, got others: the training diverged, "
            f"and {out} is not written. "
            "Give a lower --learning-rate, and --restart."
        )
    if votes_head:
        best = without_votes_head(best)
    if precision == "bfloat16":
        best = in_float32(best)
    if balance:
        fold_balance(best, labels, balance)
    history, best_epoch = run.state["history"], run.state["best_epoch"]
    accuracy, temperature = history["val_accuracy"][best_epoch - 1], 1.0
    if balance or calibrate or precision != "float32":
        scores = best.predict(validation_faces.astype("float32"), batch_size=256, verbose=0)
        accuracy = float((scores.argmax(axis=1) == validation_labels).mean())
        if calibrate:
            temperature = fit_temperature(scores, validation_labels)
            fold_temperature(best, temperature)
    save_model(best, out)
    record = {
        "model": model,
        "command": command,
        "arguments": arguments,
        "weights_sha256": sha256_of(out),
        "parameters": best.count_params(),
        "labels": list(LABELS),
        "trained_on": f"{'FER2013' if dataset.sha256 == OFFICIAL_SHA256 else dataset.path.name}'s own labels"
        + (" and FER+'s votes" if votes or votes_head else "")
        + (f" and the scores of {', '.join(Path(path).stem for path in teachers)}" if teachers else "")
        + (f", from the weights of {Path(start).stem} on" if start is not None else ""),
        "rows": {"train": len(labels), "left_out": left_out, "validation": len(validation_labels)},
        "epochs_trained": run.state["epochs_done"],
        "best_epoch": best_epoch,
        "temperature": temperature,
        "scores": {"validation": {"accuracy": accuracy}},
        "seconds": round(run.state["seconds"], 1),
        "images_per_second": round(len(labels) * run.state["epochs_done"] / run.state["seconds"], 1),
        "finished": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": {"processor": processor(), "system": platform.platform(terse=True)},
        "versions": {
            "python": platform.python_version(),
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
            keras.backend.backend(): backend_version(),
            "numpy": np.__version__,
        },
        "history": history,
    }
    write_json(out.with_suffix(".json"), record)
    return record


def learning_rates(
    highest: float, steps: int, *, epochs: int, cycle: int | None, warmup: int = 0
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Returns the schedule that `train` describes, for epochs of so many steps."""
    if cycle is None and warmup:
        return keras.optimizers.schedules.CosineDecay(
            0.0, (epochs - warmup) * steps, warmup_target=highest, warmup_steps=warmup * steps
        )
    if cycle is None:
        return keras.optimizers.schedules.CosineDecay(highest, epochs * steps)
    return keras.optimizers.schedules.CosineDecayRestarts(highest, cycle * steps, t_mul=0.6, m_mul=0.6)


def targets_of_votes(dataset: Dataset, keep: np.ndarray) -> np.ndarray:
    """Returns what FER+'s votes make of the training rows that `keep` marks: `float32 (rows, 7)`.

    keep: bool (train rows,), as `training_rows` gives it. Raises DatasetError where FER+ cannot be read.
    """
    rows = dataset.rows("train")[keep]
    train = np.zeros(len(dataset.labels), bool)
    train[rows] = True
    return expected_labels(read_votes(find_votes(dataset), dataset), dataset.labels, train)[rows]


def scores_of_teachers(
    teachers: Sequence[str | Path], *, precision: str
) -> Callable[[np.ndarray], np.ndarray]:
    """Returns a function from faces, `float32 (n, 48, 48, 1)`, to the teachers' mean, `float32 (n, 7)`.

    Threads may call it. Raises RunError for a file that is missing, no model, or one of something else.
    """
    networks = [read_net(Path(path), "a teacher") for path in teachers]
    if precision == "bfloat16":
        networks = [in_bfloat16(network) for network in networks]

    def teach(faces: np.ndarray) -> np.ndarray:
        return np.mean([network.predict_on_batch(faces) for network in networks], axis=0, dtype="float32")

    for path, network in zip(teachers, networks, strict=True):
        shapes = [tensor.shape for tensor in (*network.inputs, *network.outputs)]
        if shapes != [(None, *FACE_SHAPE), (None, len(LABELS))]:
            raise RunError(
                f"{path}: expected a teacher that gives {len(LABELS)} scores for a gray face of 48x48 "
                f"pixels, got one with inputs and outputs {', '.join(map(str, shapes))}."
            )
    teach(np.zeros((1, *FACE_SHAPE), "float32"))  # built here, before threads would build it twice
    return teach


def scores_of_both_sides(
    teach: Callable[[np.ndarray], np.ndarray], faces: np.ndarray, *, progress: bool
) -> np.ndarray:
    """Returns what `teach` says of faces, `uint8 (n, 48, 48, 1)`, and of their mirror images: the mean of
    both, `float32 (n, 7)`."""
    from tqdm import tqdm

    scores = []
    for first in tqdm(range(0, len(faces), 256), desc="Asking the teachers", disable=not progress):
        batch = faces[first : first + 256].astype("float32")
        scores.append((teach(batch) + teach(batch[:, :, ::-1])) / 2)
    return np.concatenate(scores)


def take_weights(network: keras.Model, path: Path) -> None:
    """Gives the net the weights of a `.keras` file; raises RunError where they are another net's."""
    weights = read_net(path, "weights to start from").get_weights()
    own = network.get_weights()
    if [array.shape for array in weights] != [array.shape for array in own]:
        raise RunError(f"{path}: expected the weights of a net such as {network.name}, got those of another.")
    network.set_weights(weights)


def read_net(path: Path, role: str) -> keras.Model:
    """Reads a `.keras` file in a role, such as "a teacher"; raises RunError where it is none."""
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # a damaged file fails anywhere in Keras, h5py or zipfile
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise RunError(f"{path}: expected {role}, a .keras file of this kit ({reason}).") from error


def sha256_of(path: Path) -> str:
    """Returns the sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def one_hot(labels: np.ndarray) -> np.ndarray:
    """Returns `float32 (n, 7)` targets for `int (n,)` labels."""
    return np.eye(len(LABELS), dtype="float32")[labels]


def balanced_weights(labels: np.ndarray) -> np.ndarray:
    """Returns weights, `float32 (7,)`, that make the classes count alike; 1 on average over the rows."""
    counts = np.bincount(labels, minlength=len(LABELS))
    return (len(labels) / (len(LABELS) * counts.clip(1))).astype("float32")


def processor() -> str:
    """Returns the processor's name as the system gives it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def backend_version() -> str:
    """Returns the version of the package that Keras computes with."""
    backend = keras.backend.backend()
    for package in (backend, f"{backend}-cpu"):
        try:
            return version(package)
        except ModuleNotFoundError:
            continue
    return "unknown"
