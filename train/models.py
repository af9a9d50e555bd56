"""The released models: adding one is adding an entry to `MODELS`.

Training, export and the command line read this table. It imports no Keras, so that a slip on the command
line is answered at once; `ModelEntry.build` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset.fer2013 import LABELS

from .recipes import Augmentation, Recipe

if TYPE_CHECKING:
    import keras

RELEASED = Path(__file__).resolve().parents[1] / "models"


@dataclass(frozen=True, kw_only=True)
class ModelEntry:
    """How one model is built, trained, described and shipped.

    Attributes:
        architecture: The function of `train.architectures` that builds the network.
        options: That function's keyword arguments.
        recipe: The settings with which the released weights were trained.
        description: One sentence, for the card.
        wheel: The endings of the exported files that `ferkit` ships, such as "int8.onnx".
    """

    architecture: str
    options: Mapping[str, Any] = field(default_factory=dict)
    recipe: Recipe
    description: str
    wheel: tuple[str, ...]

    def build(self, *, classes: int = len(LABELS)) -> keras.Model:
        """Returns the network for so many classes with new weights, drawn from Keras's random numbers."""
        from . import architectures

        return getattr(architectures, self.architecture)(classes=classes, **self.options)


MODELS: dict[str, ModelEntry] = {
    "cnn": ModelEntry(
        architecture="build_cnn",
        description=(
            "Four 3x3 convolutions and two dense layers, the best CNN of the study this kit implements."
        ),
        wheel=("int8.tflite", "int8.onnx"),
        recipe=Recipe(
            epochs=64,
            warm_restart_after=40,
            learning_rate=1e-3,
            augmentation=Augmentation(rotation=10, scale=0.1, shift=0.08, brightness=0.08, contrast=0.15),
        ),
    ),
    "cnn_lstm": ModelEntry(
        architecture="build_cnn_lstm",
        description="An LSTM that reads the 48 pixel rows of a face, the study's CNN-LSTM.",
        wheel=("dynamic.tflite", "int8.onnx"),
        recipe=Recipe(
            epochs=60,
            learning_rate=2e-3,
            augmentation=Augmentation(rotation=12, scale=0.12, shift=0.08, brightness=0.15, contrast=0.2),
        ),
    ),
    "edge": ModelEntry(
        architecture="build_edge",
        description="A small residual net, the default.",
        wheel=("int8.tflite", "int8.onnx"),
        recipe=Recipe(
            epochs=70,
            learning_rate=2e-3,
            weight_decay=0.1,
            warmup=2,
            vote_share=0.2,
            vote_head_weight=0.5,
            precision="bfloat16",
            temperature_scaling=True,
            augmentation=Augmentation(
                rotation=10,
                scale=(0.75, 1.15),
                shift=0.08,
                brightness=0.15,
                contrast=0.3,
                cutout=0.35,
                surroundings=0.5,
            ),
        ),
    ),
    "edge_large": ModelEntry(
        # `edge` twice as wide: 2.4 M parameters, 0.35 G multiply-adds, 2.4 MB as int8.
        architecture="build_edge",
        options={"stem": 48, "widths": (96, 176, 256), "dropout": 0.3, "name": "edge_large"},
        description="A wider edge, the kit's most accurate model.",
        wheel=("int8.tflite", "int8.onnx"),
        recipe=Recipe(
            epochs=42,
            learning_rate=1e-3,
            weight_decay=0.1,
            warmup=1,
            vote_share=0.2,
            vote_head_weight=0.5,
            initial_weights=RELEASED / "edge.keras",
            teachers=(RELEASED / "edge.keras",),
            teacher_share=0.3,
            precision="bfloat16",
            temperature_scaling=True,
            augmentation=Augmentation(
                rotation=10,
                scale=(0.75, 1.2),
                shift=0.08,
                brightness=0.15,
                contrast=0.3,
                cutout=0.35,
                surroundings=0.5,
                degraded=0.15,
            ),
        ),
    ),
    "edge_tiny": ModelEntry(
        # `edge` with a ninth of its weights: 0.07 M parameters, 0.01 G multiply-adds, 95 KB as int8. Its last
        # stage, where channels are many and pixels few, is separable: for the weights of one block of 44
        # channels it holds two of 80.
        architecture="build_edge",
        options={
            "stem": 16,
            "widths": (16, 32, 80),
            "depths": (2, 2, 2),
            "separable": 1,
            "dropout": 0.0,
            "name": "edge_tiny",
        },
        description="A residual net in less than 100 KB, taught by edge.",
        wheel=("int8.tflite", "int8.onnx"),
        recipe=Recipe(
            epochs=64,
            learning_rate=4e-3,
            weight_decay=0.02,
            warmup=2,
            vote_head_weight=0.3,
            teachers=(RELEASED / "edge.keras",),
            teacher_share=0.7,
            precision="bfloat16",
            temperature_scaling=True,
            augmentation=Augmentation(
                rotation=10,
                scale=(0.8, 1.12),
                shift=0.08,
                brightness=0.15,
                contrast=0.3,
                cutout=0.2,
                surroundings=0.5,
            ),
        ),
    ),
}
