"""Training of the kit's own face detector: images with boxes -> `models/detector.keras` and its record.

1. `data` reads what `dataset.detection` makes of images with boxes, and faces, heads and textures beside it.
2. `sampler` makes training images of them, as cameras see them (`degrading`). `batches` makes them ahead of
   the training.
3. `network` is what learns; `targets` says what each of its cells should answer, `loss` how wrong it is.
4. `training` does the steps, `checkpoint` keeps what a killed run needs, `validation` measures each round.

`python -m benchmarks detectors` compares an exported detector with others.
"""
