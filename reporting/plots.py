"""How every plot looks: one palette, one style. Matplotlib is imported only when one is drawn."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito 2008, "Color Universal Design", without the yellow that white paper swallows.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
LINES = ("-", "--", "-", "--", "-", "-.", ":")  # one a colour: neighbours differ without colour too
KINDS = ("-", "--", "-.", ":")
DOTS_PER_INCH = 120


@contextmanager
def plain_style() -> Iterator[None]:
    """Has matplotlib's own defaults inside the `with`, whatever the user's matplotlibrc says.

    It decorates a function that draws as well.
    """
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield


def line_of(index: int) -> dict[str, str]:
    """Returns colour and style of a line among several; the first 28 differ."""
    colour = index % len(COLOURS)
    kind = KINDS.index(LINES[colour]) + index // len(COLOURS)
    return {"color": COLOURS[colour], "linestyle": KINDS[kind % len(KINDS)]}


def literal(text: str) -> str:
    """Returns a text such as a class's name for a plot: between two dollars matplotlib reads a formula."""
    return text.replace("$", r"\$")


def figure(width: float, height: float) -> Figure:
    """Returns an empty figure of `width` x `height` inches that fits its contents and opens no window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(drawing)
    return drawing


def tidy(axes: Axes, title: str | None = None) -> None:
    """Gives a panel a light grid, no frame above and to the right, and a title on the left."""
    if title is not None:
        axes.set_title(title, loc="left", fontsize=10)
    axes.grid(color="0.92")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def png(drawing: Figure) -> bytes:
    """Returns the figure as a PNG of 256 colours, a third as large, without matplotlib's version in it."""
    from PIL import Image

    whole, small = io.BytesIO(), io.BytesIO()
    drawing.savefig(whole, format="png", metadata={"Software": None})
    colours = Image.open(whole).convert("RGB").quantize(method=Image.Quantize.MEDIANCUT)
    colours.save(small, format="PNG", optimize=True)
    return small.getvalue()
