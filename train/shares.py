"""Which rows of a global batch each of several processes makes."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Shares:
    """How global batches are divided: every device of every process gets equally many rows.

    A batch that can't be divided so is padded with copies of its last row. The training step cuts them off
    again, so that no face counts twice.

    Attributes:
        process: This one, from 0.
        processes: How many there are.
        devices: Of all processes together.
    """

    process: int = 0
    processes: int = 1
    devices: int = 1

    def padded(self, sizes: Iterable[int]) -> dict[int, int]:
        """Returns how many rows batches of these sizes have with their padding, by size: all different."""
        found: dict[int, int] = {}
        for size in sorted(set(sizes)):
            rows = -(-size // self.devices) * self.devices
            while rows in found.values():  # a step tells sizes apart by the padded one
                rows += self.devices
            found[size] = rows
        return found

    def rows_of(self, size: int, padded: int) -> np.ndarray:
        """Returns this process's rows, `int64 (padded / processes,)`, of a batch of `size` rows."""
        own = padded // self.processes
        return np.minimum(np.arange(self.process * own, (self.process + 1) * own), size - 1)


ALONE = Shares()
