"""What there is to train, and about how long it takes."""

from collections.abc import Sequence

from dataset.fer2013 import OFFICIAL_ROWS

from .experiment import Experiment
from .experiments import EXPERIMENTS
from .paper import PRINTED_TRAIN_FACES
from .processes import Training
from .results import read_result
from .split import VALIDATION_SHARE

# A step of training takes three passes (forward; backward to the input, to the weights) of a face's
# multiply-adds. Measured on two cores of an AMD EPYC with AVX512-BF16: experiment 2 at 690 faces/s, float32.
MULTIPLY_ADDS_PER_SECOND = 27e9  # of the forward pass; that of the other two is in it
SECONDS_PER_FACE = 0.0002  # batches, pooling and the rest
BFLOAT16_SPEEDUP = 1.8  # of the multiply-adds alone
CORES = 2

HEAD = ("training", "parameters", "multiply-adds", "epochs", "minutes", "")


def plan(trainings: Sequence[Training]) -> str:
    """Returns the trainings as a table: parameters, multiply-adds, epochs, and about how long they take."""
    from .networks import NETWORKS, multiply_adds

    faces = faces_an_epoch(paper=bool(trainings) and trainings[0].split == "paper")
    lines, minutes_left, first_minutes = [HEAD], 0.0, 0.0
    for training in trainings:
        experiment, done = training.experiment, training.is_done
        network = NETWORKS[experiment.network](**experiment.options)
        cost = multiply_adds(network)
        epochs = min(expected_epochs(experiment), training.most_epochs)
        minutes = epochs * estimated_seconds_per_epoch(experiment, cost, faces) / 60
        if done:
            # Other work of the machine makes a training longer, but takes none of its processor time.
            minutes = read_result(training.result).processor_seconds / CORES / 60
        minutes_left += 0 if done else minutes
        first_minutes += minutes if training.seed == 0 else 0
        at_most = f"{epochs} of {training.most_epochs}" if epochs < training.most_epochs else str(epochs)
        numbers = (f"{network.count_params():,}", f"{cost:,}", at_most, f"{minutes:.0f}")
        lines.append((training.name, *numbers, "done" if done else ""))
    left = f"About {minutes_left / 60:.1f} hours are left on two cores"
    if first_minutes:
        left += f"; the first seed of all these experiments takes {first_minutes / 60:.1f}"
    return f"{aligned(lines)}\n\n{left}. Epochs of early stopping: as printed."


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Returns lines of cells as columns, the first aligned left, the others right."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def faces_an_epoch(*, paper: bool) -> int:
    """Returns how many faces an epoch takes the time of; one that is only scored counts a third."""
    every = sum(OFFICIAL_ROWS.values())
    trained = sum(PRINTED_TRAIN_FACES) * (1 - VALIDATION_SHARE) if paper else OFFICIAL_ROWS["train"]
    return round(trained + (every - trained) / 3)


def estimated_seconds_per_epoch(experiment: Experiment, multiply_adds: int, faces: int) -> float:
    """Returns about how long an epoch takes on two cores.

    Args:
        experiment: Decides what convolutions compute in.
        multiply_adds: Of one face forward.
        faces: See `faces_an_epoch`.
    """
    rate = MULTIPLY_ADDS_PER_SECOND * (BFLOAT16_SPEEDUP if experiment.precision == "bfloat16" else 1)
    return faces * (multiply_adds / rate + SECONDS_PER_FACE)


def expected_epochs(experiment: Experiment) -> int:
    """Returns the printed epoch of early stopping; for others that of the experiment they are like."""
    if experiment.patience is None:
        return experiment.epochs
    if experiment.printed:
        return experiment.printed.stopped or experiment.epochs
    return expected_epochs(EXPERIMENTS[experiment.against])
