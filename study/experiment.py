"""What an experiment is, what of it decides a training, and how experiments are derived from one another."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

from .paper import PRINTED, Printed

PATIENCE = 10
"""Epochs without a better validation accuracy after which early stopping ends a training.

The study prints when it stopped, neither its patience nor what it watched.
"""

# The study names augmentation "minimal", or just names it. Every augmentation here mirrors half of the faces.
MINIMAL = {"rotation": 0, "scale": 0.0, "shift": 0.05, "brightness": 0.0, "contrast": 0.0}
# What tutorials on FER2013 hand to Keras's ImageDataGenerator: 10 degrees, 10 % zoom and shift.
FULL = {"rotation": 10, "scale": 0.1, "shift": 0.1, "brightness": 0.0, "contrast": 0.0}
# With which the released cnn was trained (train.models.MODELS).
RELEASED = {"rotation": 10, "scale": 0.1, "shift": 0.08, "brightness": 0.08, "contrast": 0.15}


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """All that decides one training, as its result holds it; the attributes are those of `Experiment`.

    Settings that came later have a default and stand in a result only where they differ from it: older
    results stay those of their experiments.

    Attributes:
        seed: Of weights, batches and augmentation: the experiment's first seed plus the training's number.
    """

    network: str
    options: dict[str, Any]
    epochs: Annotated[int, msgspec.Meta(ge=1)]
    patience: int | None
    learning_rate: float
    batch_size: int
    augmentation: dict[str, Any] | None
    class_weight: bool
    precision: str
    labels: str
    leave_out_duplicates: bool
    schedule: str = "constant"
    hold_out: bool = True
    seed: int


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One network and the way it is trained, with the reason for what the study leaves open.

    Attributes:
        name: As `--experiments` takes it; those of Tables 3 and 4 are named by their rows.
        title: What it is; empty where the study prints it.
        network: A function of `study.networks.NETWORKS`.
        options: Its keywords.
        epochs: At most.
        patience: As PATIENCE; None where nothing stops early.
        learning_rate: Of Adam; the default is Keras's.
        batch_size: Faces in a step.
        augmentation: Keywords of `train.recipes.Augmentation`; None for none.
        class_weight: Whether each class weighs by the inverse of its share.
        precision: What convolutions compute in, "float32" or "bfloat16" (`train.precision`).
        labels: "fer2013", or "ferplus" for the majority of FER+'s votes in training and validation.
        leave_out_duplicates: Train without the samples whose image is in the test split too.
        schedule: Of the learning rate: "constant", or "cosine", which falls to 0.
        hold_out: Choose the epoch on faces held out of training. Otherwise train on those too and choose on
            the test split; its accuracy is then no longer that of faces that nothing was chosen by.
        seeds: How many: 3 where a training takes less than 15 minutes on two cores, on average; else 1.
        first_seed: The first one's; the second is the next whole number.
        against: The experiment that it is compared with.
        former_name: Under which an interrupted run of before is found.
        why: The reason for it, and for what the tables leave open.
    """

    name: str
    title: str = ""
    network: str
    options: dict[str, Any] = field(default_factory=dict)
    epochs: int
    patience: int | None = None
    learning_rate: float = 1e-3
    batch_size: int = 64
    augmentation: dict[str, Any] | None = None
    class_weight: bool = False
    precision: str = "float32"
    labels: str = "fer2013"
    leave_out_duplicates: bool = False
    schedule: str = "constant"
    hold_out: bool = True
    seeds: int = 1
    first_seed: int = 0
    against: str = ""
    former_name: str = ""
    why: str

    @property
    def printed(self) -> Printed | None:
        """What the study prints of it; None where it prints nothing."""
        return PRINTED.get(self.name)

    @property
    def dropout(self) -> float:
        """The dropout of its dense layers; 0 for networks that have none."""
        return float(self.options.get("dropout", 0.5)) if self.network in ("cnn", "block_cnn") else 0.0

    @property
    def network_key(self) -> str:
        """A text that experiments share whose networks cost the same, whatever dropout and pixels' scale."""
        options = {key: value for key, value in self.options.items() if key not in ("dropout", "scale")}
        return f"{self.network} {json.dumps(options, sort_keys=True)}"

    @property
    def network_in_words(self) -> str:
        """The network as its record names it: `cnn filters=[32, 64] dense=[256] dropout=0.4`."""
        options = self.settings(seed=0).options
        return " ".join([self.network, *(f"{name}={value}" for name, value in options.items())])

    def settings(self, *, seed: int, epochs: int | None = None) -> Settings:
        """Returns what decides the training with the `seed`-th seed, from 0.

        Args:
            seed: Its number.
            epochs: For a trial, in place of the experiment's own.
        """
        names = [name for name in Settings.__struct_fields__ if name not in ("options", "epochs", "seed")]
        return Settings(
            **{name: getattr(self, name) for name in names},
            options={
                key: list(value) if isinstance(value, tuple) else value for key, value in self.options.items()
            },
            epochs=epochs or self.epochs,
            seed=self.first_seed + seed,
        )


# --- families of experiments --------------------------------------------------------------------------

STOPPED_EARLY: dict[str, Any] = {"epochs": 100, "patience": PATIENCE, "augmentation": MINIMAL}
OPTIONS_OF_2: dict[str, Any] = {"filters": (32, 64, 128, 256), "dense": (256, 512), "dropout": 0.5}


def small_cnn(name: str, filters: Sequence[int], dense: Sequence[int], **changes: Any) -> Experiment:
    """Returns a CNN trained as experiments 1 to 3, which early stopping ended."""
    options = {"filters": tuple(filters), "dense": tuple(dense), "dropout": changes.pop("dropout", 0.5)}
    return Experiment(name=name, **{"network": "cnn", "options": options, **STOPPED_EARLY, **changes})


def wide_cnn(name: str, *, dense: int = 512, dropout: float = 0.3, **changes: Any) -> Experiment:
    """Returns the CNN with 64 to 512 filters, as experiments 4 to 17.

    Args:
        name: The experiment's.
        dense: Units of its dense layer.
        dropout: After that.
        **changes: Settings, and `block` (see `build_block_cnn`) or `scale`, `initializer`, `padding` (see
            `build_cnn`).
    """
    options = {"filters": (64, 128, 256, 512), "dense": (dense,), "dropout": dropout}
    options |= {
        key: changes.pop(key) for key in ("block", "scale", "initializer", "padding") if key in changes
    }
    defaults = {"options": options, "epochs": 20, "precision": "bfloat16"}
    network = "block_cnn" if "block" in options else "cnn"
    return Experiment(name=name, network=network, **{**defaults, **changes})


def like_lstm(name: str, *, network: str = "row_reader", **changes: Any) -> Experiment:
    """Returns a relative of the CNN-LSTM, trained as that is."""
    defaults = {"epochs": 100, "patience": PATIENCE, "seeds": 3, "against": "LSTM"}
    return Experiment(name=name, network=network, **{**defaults, **changes})


def like_2(name: str, *, network: str = "cnn", **changes: Any) -> Experiment:
    """Returns experiment 2 but for `changes`."""
    defaults = {"options": OPTIONS_OF_2, "against": "2"}
    return Experiment(name=name, network=network, **{**defaults, **STOPPED_EARLY, **changes})


def like_2_bfloat16(name: str, **changes: Any) -> Experiment:
    """Returns experiment 2-bfloat16 but for `changes`."""
    return like_2(name, **{"against": "2-bfloat16", "precision": "bfloat16", **changes})


def block(name: str, **options: Any) -> dict[str, Any]:
    """Returns the keywords of an experiment with `build_block_cnn`."""
    return {"network": "block_cnn", "options": {"block": name, **options}}
