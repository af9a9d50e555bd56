"""Progress bars of trainings, or lines where nobody watches a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from .messages import Progress


@contextmanager
def progress_bars(total: int) -> Iterator["Bars"]:
    """Shows the bars of `total` trainings inside the `with`."""
    from rich import progress

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.TextColumn("{task.fields[state]}"),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns) as bars:
        yield Bars(bars, total)


class Bars:
    """A bar of each training that runs, and one of all; a line an epoch where nobody watches a terminal."""

    def __init__(self, bars: Any, total: int) -> None:
        """Takes rich's `Progress`, and how many trainings there are."""
        self.bars, self.total = bars, total
        self.whole = bars.add_task("all", total=total, state=f"0 of {total}")
        self.say = partial(bars.console.print, highlight=False, markup=False, soft_wrap=True)

    def count(self, done: int) -> None:
        """Shows how many trainings are done."""
        self.bars.update(self.whole, state=f"{done} of {self.total}")

    def advance(self) -> None:
        """Moves the bar of all on by a training that has no bar of its own."""
        self.bars.advance(self.whole)

    @contextmanager
    def bar_of(self, name: str, most: int) -> Iterator[Callable[[Progress], None]]:
        """Gives a function that shows a training's progress; its bar goes at the end of the `with`.

        Args:
            name: Of the training.
            most: Its epochs at most.
        """
        bar = self.bars.add_task(name, total=most, state="starts")
        shown_share = 0.0  # of this training, in the bar of all

        def show(progress: Progress) -> None:
            nonlocal shown_share
            accuracy = progress.validation_accuracy
            if accuracy is not None and not self.bars.console.is_terminal:
                self.say(f"{name}: epoch {progress.epochs:.0f} of {most}, validation {accuracy:.2%}")
            state = "scores" if progress.scoring else f"epoch {int(progress.epochs) + 1} of {most}"
            self.bars.update(bar, completed=progress.epochs, state=state)
            self.bars.advance(self.whole, progress.epochs / most - shown_share)
            shown_share = progress.epochs / most

        try:
            yield show
        finally:
            self.bars.remove_task(bar)
            self.bars.advance(self.whole, 1 - shown_share)
