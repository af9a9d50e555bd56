"""What a detector's file answers, through the engine that the runtime prefers for it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from runtime.engines import ENGINES_OF_SUFFIX
from runtime.networks import NETWORKS

from .detector import COLUMNS, joined


def answers_of(file: Path) -> Callable[[np.ndarray], np.ndarray]:
    """Opens a file; returns the function from images to answers.

    The function takes images, uint8 (n, height, width, 1), gray 0-255, and returns `export.detector.joined`
    outputs, float32 (n, cells, 9).

    Raises:
        EngineError: The engine can't run the file.
    """
    network = NETWORKS[ENGINES_OF_SUFFIX[file.suffix][0]](file, outputs=list(COLUMNS))
    return lambda images: np.concatenate(
        [joined(dict(zip(COLUMNS, network.run(image[np.newaxis]), strict=True))) for image in images]
    )
