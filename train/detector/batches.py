"""Batches that depend on nothing but the seed and their number, made ahead of the training by threads."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from .sampler import Mixture, Pool, make_sample
from .targets import assign

Batch = tuple[np.ndarray, np.ndarray]


def make_batch(
    pool: Pool,
    mixture: Mixture,
    *,
    seed: int,
    step: int,
    count: int,
    size: tuple[int, int],
    hardness: np.ndarray | None = None,
) -> Batch:
    """Returns the batch of a step: the same whenever and wherever it is made.

    Args:
        pool: what images are made of.
        mixture: how they are made.
        seed: of the run.
        step: of the training, from 0.
        count: images in the batch.
        size: height and width of an image in pixels, divisible by 32.
        hardness: `float (backgrounds,)`, the probability of each background; None for all alike.

    Returns:
        Images, `float32 (count, height, width, 1)`, gray 0-255, and targets, `float32 (count, cells, 15)`.
    """
    images, targets = [], []
    height, width = size
    for number in range(count):
        random = np.random.default_rng([seed, step, number])
        sample = make_sample(pool, random, mixture, height=height, width=width, hardness=hardness)
        images.append(sample.image)
        targets.append(assign(sample.boxes, sample.eyes, sample.ignored, height=height, width=width))
    return np.stack(images)[..., None].astype(np.float32), np.stack(targets)


def batches_ahead(
    pool: Pool,
    mixture: Mixture,
    *,
    seed: int,
    steps: range,
    count: int,
    sizes: tuple[tuple[int, int], ...],
    hardness: np.ndarray | None = None,
    workers: int = 1,
    ahead: int = 4,
) -> Iterator[Batch]:
    """Yields the batches of some steps in order; threads make the next ones meanwhile.

    Args:
        pool: what images are made of.
        mixture: how they are made.
        seed: of the run.
        steps: of the training.
        count: images in a batch of the first size; a larger size gets fewer, for the same pixels.
        sizes: heights and widths of the images in pixels; the steps take turns.
        hardness: `float (backgrounds,)`, the probability of each background; None for all alike.
        workers: threads.
        ahead: batches that wait at most.
    """
    area = sizes[0][0] * sizes[0][1]
    waiting: deque[Future[Batch]] = deque()
    with ThreadPoolExecutor(workers) as threads:
        try:
            for step in steps:
                size = sizes[step % len(sizes)]
                waiting.append(
                    threads.submit(
                        make_batch,
                        pool,
                        mixture,
                        seed=seed,
                        step=step,
                        count=max(1, round(count * area / (size[0] * size[1]))),
                        size=size,
                        hardness=hardness,
                    )
                )
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for batch in waiting:
                batch.cancel()
